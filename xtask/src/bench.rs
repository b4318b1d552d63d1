//! `cargo xtask bench`: comparisons that take minutes and that no test runs.

use anyhow::Result;

use crate::places::{Places, WASM_TARGET};
use crate::setup::node_packages;
use crate::step::long_step;
use crate::wasm::wasm_cargo;

/// The table of `bench/`. The product and the peers are built.
pub(crate) fn all(places: &Places, arguments: &[&str]) -> Result<()> {
    if let Err(error) = node_packages(&places.root.join("bench/node")) {
        println!("{error:#}");
    }
    guest(places)?;
    long_step("building the benchmarks", || {
        places.cargo(["build", "--release", "-p", "whiskjack-bench", "-p", "whiskjack-bench-guest"]).run()
    })?;
    places
        .cargo(["run", "--release", "--quiet", "-p", "whiskjack-bench", "--bin", "bench", "--"])
        .args(arguments)
        .run()
}

/// The core as a component, compiled ahead of time as the product's is, but for the C library of this machine.
fn guest(places: &Places) -> Result<()> {
    let built = places.target.join(WASM_TARGET).join("component/whiskjack_bench_guest.wasm");
    let precompiled = places.artifact("bench-guest.cwasm");
    long_step("building the benchmarks' component", || {
        wasm_cargo(places, "build")
            .args(["--profile", "component", "-p", "whiskjack-bench-guest", "--lib"])
            .run()
    })?;
    long_step("compiling the benchmarks' component ahead of time", || {
        places
            .cargo(["run", "--profile", "tool", "-p", "whiskjack-aot", "--features", "compiler"])
            .args(["--bin", "precompile", "--"])
            .args([&built, &precompiled])
            .run()
    })
}

/// zlib encoders, on the windows that are really sent.
pub(crate) fn codec(places: &Places, arguments: &[&str]) -> Result<()> {
    let manifest = places.root.join("bench/codec/Cargo.toml");
    let guest = places.target.join(WASM_TARGET).join("release/codec_bench.wasm");
    long_step("building the encoders as a component", || {
        wasm_cargo(places, "build").args(["--lib", "--release", "--manifest-path"]).args([&manifest]).run()
    })?;
    places
        .cargo(["run", "--profile", "host", "--bin", "codec-bench", "--manifest-path"])
        .args([&manifest])
        .args(["--"])
        .args([&guest])
        .args(arguments)
        .run()
}
