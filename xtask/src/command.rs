//! `whiskjack-command.wasm`: the forwarder with a program above it and sockets below it, for an unchanged `wasmtime` command.

use anyhow::Result;

use crate::copy::copy_if_changed;
use crate::places::{Places, WASM_TARGET, static_target};
use crate::wasm::{COMPONENT, precompile, wasm_cargo};

pub(crate) const COMMAND: &str = "whiskjack-command.wasm";

/// Builds the two other components and composes them with the built forwarder.
pub(crate) fn build(places: &Places) -> Result<()> {
    wasm_cargo(places, "build")
        .args(["--profile", "component", "-p", "whiskjack-command", "-p", "whiskjack-transport"])
        .run()?;
    let built = places.target.join(WASM_TARGET).join("component");
    places
        .cargo(["run", "--quiet", "-p", "whiskjack-compose", "--"])
        .args([places.artifact(COMPONENT)])
        .args(["whiskjack_transport.wasm", "whiskjack_command.wasm"].map(|name| built.join(name)))
        .args([built.join(COMMAND)])
        .run()?;
    copy_if_changed(&built.join(COMMAND), &places.artifact(COMMAND))
}

/// Compiles it ahead of time, for the host of the TLS tests.
pub(crate) fn compile_for_tests(places: &Places) -> Result<()> {
    precompile(places, COMMAND, &static_target(), &places.artifact("whiskjack-command.cwasm"), "compiler")
}
