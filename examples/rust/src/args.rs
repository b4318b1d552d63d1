//! `--config FILE --state FILE [--component FILE]`, and the checkpoint in the file of `--state`.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use wasmtime::error::{Context as _, Result, bail};

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
    state: PathBuf,
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
        Ok(Self { config: config.context(USAGE)?, state: state.context(USAGE)?, component })
    }

    /// The checkpoint of the last run, or none before the first.
    pub(crate) fn load(&self) -> Result<Option<Vec<u8>>> {
        match fs::read(&self.state) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| self.state.display().to_string()),
        }
    }

    /// Replaces the checkpoint as a whole: after a crash the file holds the old bytes or the new ones.
    pub(crate) fn save(&self, checkpoint: &[u8]) -> Result<()> {
        let new = self.state.with_added_extension("new");
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(checkpoint)?;
            file.sync_all()?;
            fs::rename(&new, &self.state)
        });
        written.with_context(|| self.state.display().to_string())
    }
}
