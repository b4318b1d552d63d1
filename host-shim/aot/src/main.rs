//! `precompile IN.wasm OUT.cwasm [--target TRIPLE]`: native code for the host shim, made at build time.

use std::path::PathBuf;

use anyhow::{Context, bail};

const USAGE: &str = "usage: precompile IN.wasm OUT.cwasm [--target TRIPLE]";

fn main() -> anyhow::Result<()> {
    let Options { input, output, target } = options(std::env::args().skip(1))?;
    let mut config = whiskjack_aot::config();
    // Always named: without a target the compiler uses whatever this machine's CPU can do, and the result is refused by a lesser one.
    let target = target.unwrap_or_else(|| format!("{}-unknown-linux-gnu", std::env::consts::ARCH));
    config.target(&target).map_err(|error| anyhow::anyhow!("--target {target}: {error}"))?;
    let engine = wasmtime::Engine::new(&config).map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let component = std::fs::read(&input).with_context(|| format!("cannot read {}", input.display()))?;
    let code = engine
        .precompile_component(&component)
        .map_err(|error| anyhow::anyhow!("cannot compile {}: {error:#}", input.display()))?;
    std::fs::write(&output, code).with_context(|| format!("cannot write {}", output.display()))
}

struct Options {
    input: PathBuf,
    output: PathBuf,
    target: Option<String>,
}

fn options(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let (mut files, mut target) = (Vec::new(), None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--target" => target = Some(arguments.next().context("--target: a triple is missing")?),
            option if option.starts_with('-') => bail!("{option}: no such option\n{USAGE}"),
            file => files.push(PathBuf::from(file)),
        }
    }
    match <[PathBuf; 2]>::try_from(files) {
        Ok([input, output]) => Ok(Options { input, output, target }),
        Err(files) => bail!("two files are needed, got {}\n{USAGE}", files.len()),
    }
}
