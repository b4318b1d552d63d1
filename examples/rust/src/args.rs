//! `--config FILE --state FILE [--component FILE]`.

use std::path::PathBuf;

use wasmtime::error::{Context as _, Result, bail};

use crate::state;

const USAGE: &str = "usage: whiskjack-example --config FILE --state FILE [--component FILE]";
/// What `cargo xtask build` makes: the component, and the same compiled ahead of time.
const COMPONENT: &str = if cfg!(feature = "compiler") {
    "target/whiskjack/whiskjack.wasm"
} else {
    "target/whiskjack/whiskjack.cwasm"
};

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) config: PathBuf,
    /// Not a link.
    pub(crate) state: PathBuf,
    pub(crate) component: PathBuf,
}

impl Args {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let (mut config, mut state, mut component) = (None, None, PathBuf::from(COMPONENT));
        while let Some(option) = args.next() {
            let file = args
                .next()
                .map(PathBuf::from)
                .with_context(|| format!("{option}: a file is missing\n{USAGE}"))?;
            match option.as_str() {
                "--config" => config = Some(file),
                "--state" => state = Some(file),
                "--component" => component = file,
                _ => bail!("{option}: no such option\n{USAGE}"),
            }
        }
        let state = state::resolve(&state.context(USAGE)?)?;
        Ok(Self { config: config.context(USAGE)?, state, component })
    }
}
