//! `cargo xtask bench`: comparisons that take minutes and that no test runs. Their packages are workspaces of their own.

use anyhow::Result;

use crate::build::wasm_cargo;
use crate::places::{Places, WASM_TARGET};
use crate::step::long_step;

/// zlib encoders, on the windows that are really sent.
pub(crate) fn codec(places: &Places, arguments: &[&str]) -> Result<()> {
    let manifest = places.root.join("benches/codec/Cargo.toml");
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
