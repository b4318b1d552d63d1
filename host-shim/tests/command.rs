//! The `whiskjack` program as a user meets it, as far as that needs no component.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::{Command, Output, Stdio};

fn whiskjack(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_whiskjack"))
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = whiskjack(&["--help"]);
    assert!(help.status.success());
    assert!(text(&help.stdout).contains("Usage:"));
    let version = whiskjack(&["--version"]);
    assert_eq!(text(&version.stdout), concat!("whiskjack ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_wrong_on_stderr_and_a_result_of_a_run_in_json_too() {
    const NO_FILE: &str = "--config /no/such/file: there is no such file; name one that is there";
    for (arguments, part, result) in [
        (&[][..], "nothing to do", String::new()),
        (&["run"], "--config FILE: is missing; give ", String::new()),
        (&["run", "--config", "/no/such/file"], NO_FILE, format!("{{\"error\":\"{NO_FILE}\"}}\n")),
        (&["run", "--config", "/no/such/file", "--dry-run"], NO_FILE, String::new()),
    ] {
        let output = whiskjack(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&output.stdout), result);
        assert!(text(&output.stderr).contains(part), "{}", text(&output.stderr));
    }
}

#[test]
fn a_file_of_wsk_that_is_named_and_not_there_is_wrong_usage_and_an_empty_name_stands_for_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    std::fs::write(&config, "actions: [a]\nlogstash: {host: l, port: 1}\n").unwrap();
    // What is in the home folder cannot be read.
    std::fs::create_dir(folder.path().join(".wskprops")).unwrap();
    let run = |name: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_whiskjack"));
        command.args(["run", "--config"]).arg(&config).env_clear().env("HOME", folder.path());
        name.map(|name| command.env("WSK_CONFIG_FILE", name));
        text(&command.stdin(Stdio::null()).output().unwrap().stderr)
    };
    assert!(
        run(Some("/no/props")).starts_with("whiskjack: WSK_CONFIG_FILE: the file /no/props cannot be read: ")
    );
    assert!(run(None).contains(".wskprops: cannot be read"));
    assert!(!run(Some("")).contains("cannot be read"));
}

#[test]
fn a_pipe_as_descriptor_3_makes_it_an_action() {
    // `output` gives the shell a pipe as stdout, which becomes descriptor 3.
    let output = Command::new("sh")
        .args(["-c", "exec \"$0\" 3>&1", env!("CARGO_BIN_EXE_whiskjack")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!text(&output.stderr).contains("nothing to do"), "{}", text(&output.stderr));
    assert_ne!(output.status.code(), Some(2));
}
