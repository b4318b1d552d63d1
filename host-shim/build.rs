//! Puts the component, compiled ahead of time, where the library embeds it from.
//!
//! `WHISKJACK_CWASM` names the file. Without it (plain `cargo check`) an empty one is embedded, and the program says so when it starts.

use std::path::{Path, PathBuf};

/// Texts that the program carries: it writes them when asked, and they are small when they are deflated.
const TEXTS: [&str; 4] =
    ["../docs/whiskjack.schema.json", "made/whiskjack.bash", "made/_whiskjack", "made/whiskjack.fish"];

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=WHISKJACK_CWASM");
    let out = std::env::var_os("OUT_DIR").ok_or_else(|| std::io::Error::other("OUT_DIR is not set"))?;
    let out = PathBuf::from(out);
    for text in TEXTS.map(Path::new) {
        println!("cargo::rerun-if-changed={}", text.display());
        let name = text.file_name().map(|name| name.display().to_string()).unwrap_or_default();
        let bytes = std::fs::read(text)?;
        std::fs::write(
            out.join(format!("{name}.deflated")),
            miniz_oxide::deflate::compress_to_vec(&bytes, 9),
        )?;
    }
    let embedded = out.join("whiskjack.cwasm");
    match std::env::var_os("WHISKJACK_CWASM").filter(|path| !path.is_empty()) {
        None => std::fs::write(embedded, b""),
        Some(path) => {
            let path = PathBuf::from(path);
            println!("cargo::rerun-if-changed={}", path.display());
            std::fs::copy(&path, embedded).map(|_| ()).map_err(|error| {
                std::io::Error::other(format!("WHISKJACK_CWASM={}: {error}", path.display()))
            })
        }
    }
}
