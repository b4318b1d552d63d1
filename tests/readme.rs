//! The README says what is true: its table of keys is the one in the code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails"
)]

use whiskjack::config::{KEYS, Keeper};

#[test]
fn the_readme_lists_every_key_as_the_code_has_it() {
    let mut table = String::from("| key | form | default | meaning |\n|---|---|---|---|\n");
    for key in KEYS.iter().filter(|key| key.keeper != Keeper::Ignored) {
        let default = if key.default.is_empty() { "**required**" } else { key.default };
        table.push_str(&format!("| `{}` | {} | {default} | {} |\n", key.path, key.form, key.meaning));
    }
    let readme = include_str!("../README.md");
    let (_, rest) = readme.split_once("<!-- keys: checked by tests/readme.rs -->\n").unwrap();
    let (listed, _) = rest.split_once("<!-- /keys -->").unwrap();
    assert_eq!(listed, table, "put this table into the README:\n{table}");
}

#[test]
fn the_readme_shows_the_last_table_of_the_benchmarks() {
    let readme = include_str!("../README.md");
    let (_, rest) = readme.split_once("<!-- bench: checked by tests/readme.rs -->\n").unwrap();
    let (shown, _) = rest.split_once("<!-- /bench -->").unwrap();
    let table = include_str!("../bench/results/latest.md");
    assert!(shown == table, "`cargo xtask bench` writes its table into the README, too");
}

#[test]
fn the_configuration_in_the_readme_is_sound() {
    let readme = include_str!("../README.md");
    for language in ["json", "yaml"] {
        let (_, rest) = readme.split_once(&format!("```{language}\n")).unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        let file = whiskjack_config_file::read("README.md", example.as_bytes(), &|_| None).unwrap();
        let params = serde_json::to_vec(&file.params).unwrap();
        whiskjack::config::Config::parse(&params, None).unwrap();
    }
}
