//! Cargo for WebAssembly components, and compiling them ahead of time.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::places::{Places, WASM_TARGET};
use crate::setup::{DEBIAN_TOOLCHAIN, Toolchain};
use crate::step::{Tool, long_step};

pub(crate) const COMPONENT: &str = "whiskjack.wasm";

/// Cargo for the component: `command` on its library, for its target, with the toolchain that `setup` has found.
pub(crate) fn component_cargo(places: &Places, command: &str) -> Tool {
    wasm_cargo(places, command).args(["-p", "whiskjack", "--lib"])
}

/// Cargo for the component's target.
pub(crate) fn wasm_cargo(places: &Places, command: &str) -> Tool {
    match Toolchain::remembered(places) {
        Toolchain::Rustup => places.cargo([command, "--target", WASM_TARGET]),
        Toolchain::Debian => places
            .cargo([&format!("+{DEBIAN_TOOLCHAIN}"), command, "--target", WASM_TARGET])
            .args(["-Zbuild-std=std,panic_abort"])
            // Debian's compiler is a stable one, and has no libc of its own for the target.
            .env("RUSTC_BOOTSTRAP", "1")
            // In place of the target's flags in .cargo/config.toml, which this variable puts out of force.
            .env(
                "RUSTFLAGS",
                "-C target-feature=+simd128 -C llvm-args=-inline-threshold=100 -L native=/usr/lib/wasm32-wasi",
            ),
    }
}

/// Compiles a component for a program that has no compiler, into the file `to`. It takes long, so only when an input has changed.
pub(crate) fn precompile(
    places: &Places,
    component: &str,
    target: &str,
    to: &Path,
    compiler: &str,
) -> Result<()> {
    let from = places.artifact(component);
    let stamp = to.with_extension("cwasm.inputs");
    let inputs = fingerprint(places, &from, target)?;
    if to.is_file() && fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == inputs) {
        return Ok(());
    }
    long_step(&format!("compiling {component} ahead of time for {target}"), || {
        places
            .cargo(["run", "--profile", "tool", "-p", "whiskjack-aot", "--features", compiler])
            .args(["--bin", "precompile", "--"])
            .args([from.as_path(), to])
            .args(["--target", target])
            .run()?;
        Ok(fs::write(&stamp, &inputs)?)
    })
}

/// Changes when the component, the precompiler, or the wasmtime they are made with does.
fn fingerprint(places: &Places, component: &Path, target: &str) -> Result<String> {
    let mut files =
        vec![component.to_owned(), places.root.join("Cargo.toml"), places.root.join("Cargo.lock")];
    files_below(&places.root.join("host-shim/aot"), &mut files)?;
    files.sort();
    let mut hasher = DefaultHasher::new();
    target.hash(&mut hasher);
    for file in files {
        fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}\n", hasher.finish()))
}

fn files_below(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files_below(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
