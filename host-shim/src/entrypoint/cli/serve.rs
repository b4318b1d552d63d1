//! `whiskjack serve`: be a container.

use std::process::ExitCode;

use clap::Args;

use super::ending::{ended, runner};
use super::values;
use crate::entrypoint::serve;

/// Be an OpenWhisk action's container: answer /init and /run over HTTP
#[derive(Args, Debug, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  whiskjack serve
  whiskjack serve --port 9000")]
pub struct ServeOptions {
    /// Listen there; 0 for any, which is told on stderr
    #[arg(long, value_name = "PORT", default_value_t = serve::PORT, value_parser = values::whole::<u16>(0..=65_535, "a port"))]
    pub port: u16,
}

impl ServeOptions {
    /// Serves until the process is ended.
    pub(super) fn go(&self) -> ExitCode {
        ended(runner().and_then(|runner| serve::run(runner, self.port)).map(|()| 0))
    }
}
