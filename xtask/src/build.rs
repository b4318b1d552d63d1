//! `cargo xtask build`: the component, the static binary with the component inside, and the peers of the tests.

use std::fs;

use anyhow::{Context, Result};

use crate::command::{self, COMMAND};
use crate::copy::copy_if_changed;
use crate::places::{ARM64_TARGET, Places, WASM_TARGET, static_target};
use crate::setup::{ARM64_COMPILER, Toolchain};
use crate::step::{Tool, long_step, step};
use crate::wasm::{COMPONENT, component_cargo, precompile};

const PRECOMPILED: &str = "whiskjack.cwasm";
const BINARY: &str = "whiskjack";
/// The static binary for ARM.
pub(crate) const ARM64_BINARY: &str = "whiskjack-arm64";
const PEERS: [&str; 3] = ["lumberjack-receiver", "lumberjack-client", "actionloop-proxy"];

pub(crate) fn run(places: &Places) -> Result<()> {
    shipped(places)?;
    step("building the Go peers", || peers(places))?;
    print_sizes(places)
}

/// What is handed out: the component, the static binary with it inside, and the command for stock wasmtime.
pub(crate) fn shipped(places: &Places) -> Result<()> {
    long_step("building the component", || component(places))?;
    precompile(places, COMPONENT, &static_target(), &places.artifact(PRECOMPILED), "compiler")?;
    long_step("building the static binary", || binary(places, &static_target(), BINARY, |cargo| cargo))?;
    long_step("building the stock-wasmtime command", || command::build(places))
}

/// The static binary for ARM, made of the component that is there. It has code of its own for that machine inside.
pub(crate) fn arm64(places: &Places) -> Result<()> {
    let precompiled = places.artifact("whiskjack-arm64.cwasm");
    precompile(places, COMPONENT, ARM64_TARGET, &precompiled, "all-targets")?;
    long_step("building the static binary for ARM", || {
        binary(places, ARM64_TARGET, ARM64_BINARY, |cargo| {
            cargo
                .env("WHISKJACK_CWASM", &precompiled)
                .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld")
                .env("CC_aarch64_unknown_linux_musl", ARM64_COMPILER)
        })
    })
}

fn component(places: &Places) -> Result<()> {
    component_cargo(places, "rustc")
        .args(["--profile", "component", "--"])
        // The linker leaves room for the largest address in each call; without debug information it need not.
        .args(["-C", "link-arg=--compress-relocations"])
        .run()?;
    let built = places.target.join(WASM_TARGET).join("component").join(COMPONENT);
    copy_if_changed(&built, &places.artifact(COMPONENT))
}

/// Builds the binary for a target, with what `adapt` sets, and keeps it under a name.
fn binary(places: &Places, target: &str, name: &str, adapt: impl FnOnce(Tool) -> Tool) -> Result<()> {
    // What Debian's libc brings into the component.
    let features = match Toolchain::remembered(places) {
        Toolchain::Rustup => "",
        Toolchain::Debian => "preview1-adapter",
    };
    let cargo = places
        .cargo(["build", "--profile", "shim", "-p", "whiskjack-host", "--bin", BINARY, "--target", target])
        .args(["--features", features]);
    adapt(cargo).run()?;
    copy_if_changed(&places.target.join(target).join("shim").join(BINARY), &places.artifact(name))
}

fn peers(places: &Places) -> Result<()> {
    let build = |module: &str, packages: &str| {
        Tool::new("go")
            // Without the state of the checkout: it would change the binaries at each commit.
            .args(["build", "-trimpath", "-buildvcs=false", "-o"])
            .args([&places.artifacts])
            .args([packages])
            .at(&places.root.join(module))
            .run()
    };
    build("tests/peers", "./cmd/...")?;
    // They print as Go's loggers do.
    build("tests/loggers/go", "./...")
}

fn print_sizes(places: &Places) -> Result<()> {
    for name in [COMPONENT, PRECOMPILED, BINARY, COMMAND].iter().chain(&PEERS) {
        let size =
            fs::metadata(places.artifact(name)).with_context(|| format!("{name} was not built"))?.len();
        println!("{name:>22}  {:>6} KiB", size.div_ceil(1024));
    }
    Ok(())
}
