//! `cargo xtask hosts`: the examples of other hosts, made ready, and all hosts on the same world.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::places::Places;
use crate::step::{Tool, long_step, step};
use crate::wasm::COMPONENT;

/// Makes the example for Node.js ready: the transpiled component, and the action.
pub(crate) fn build(places: &Places) -> Result<()> {
    if places.root.join("examples/node/node_modules").is_dir() {
        return node(places);
    }
    println!("the Node packages of the example are not installed: its tests will fail");
    Ok(())
}

fn node(places: &Places) -> Result<()> {
    let example = places.root.join("examples/node");
    let (component, transpiled) = (places.artifact(COMPONENT), places.artifact("node-component"));
    let lock = example.join("package-lock.json");
    if !newer(&transpiled.join("whiskjack.js"), &[&component, &lock]) {
        step("transpiling the component for Node.js", || {
            Tool::new("node")
                .args(["transpile.mjs"])
                .args([&component, &transpiled])
                .at(&example)
                .run_silently()
        })?;
    }
    step("packing the action for Node.js", || {
        Tool::new("node")
            .args(["pack.mjs"])
            .args([&transpiled, &places.artifact("whiskjack-node.zip")])
            .at(&example)
            .run_silently()
    })
}

/// Whether `made` is there, and newer than all that it is made from.
fn newer(made: &Path, from: &[&Path]) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    modified(made).is_some_and(|made| from.iter().all(|path| modified(path).is_some_and(|from| from < made)))
}

/// Prints the table of all hosts; fails if they do not agree.
pub(crate) fn run(places: &Places) -> Result<()> {
    // `cargo test` builds it together with all else.
    long_step("building the example in Rust", || places.cargo(["build", "-p", "whiskjack-example"]).run())?;
    places.cargo(["run", "--quiet", "-p", "whiskjack-testbed", "--bin", "hosts"]).run()
}
