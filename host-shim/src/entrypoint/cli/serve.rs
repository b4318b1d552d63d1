//! `whiskjack serve`: be a container.

use std::process::ExitCode;

use clap::Args;

use super::ending::{ended, runner};
use crate::entrypoint::serve;

/// Be an OpenWhisk action's container: answer /init and /run over HTTP
#[derive(Args, Debug, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  whiskjack serve
  whiskjack serve --port 9000")]
pub struct ServeOptions {
    /// Listen there; 0 for any, which is told on stderr
    #[arg(long, value_name = "PORT", default_value_t = serve::PORT, value_parser = port)]
    pub port: u16,
}

fn port(text: &str) -> Result<u16, &'static str> {
    text.parse().map_err(|_| "must be a number from 0 to 65535")
}

impl ServeOptions {
    /// Serves until the process is ended.
    pub(super) fn go(&self) -> ExitCode {
        ended(runner().and_then(|runner| serve::run(runner, self.port)).map(|()| 0))
    }
}
