//! Puts the component, compiled ahead of time, in the place from which the library embeds it, and leaves the tables for unwinding out of
//! the static program.
//!
//! `WHISKJACK_CWASM` names the file. Without it (plain `cargo check`) an empty one is embedded, and the program says so when it starts.

use std::path::{Path, PathBuf};

/// Texts that the program carries: it writes them when asked, and they are small when they are deflated.
const TEXTS: [&str; 4] =
    ["../docs/whiskjack.schema.json", "made/whiskjack.bash", "made/_whiskjack", "made/whiskjack.fish"];

fn main() -> std::io::Result<()> {
    leave_out_unwinding();
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

/// The static program's linker takes `no-unwinding.ld` beside its own script.
fn leave_out_unwinding() {
    println!("cargo::rerun-if-changed=no-unwinding.ld");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|libc| libc == "musl") {
        let script = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
        let script = script.join("no-unwinding.ld");
        // The compiler calls a linker by itself, or a C compiler that calls it.
        let is_linker = std::env::var("RUSTC_LINKER").is_ok_and(|linker| linker.ends_with("lld"));
        let option = if is_linker { "-T" } else { "-Wl,-T," };
        println!("cargo::rustc-link-arg-bins={option}{}", script.display());
    }
}
