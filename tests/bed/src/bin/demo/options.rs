//! The command line of the demo.

use std::ffi::OsString;

/// What `--help` prints, and what a wrong option gets.
pub(crate) const USAGE: &str = "\
usage: cargo xtask demo [--all] [--keep]

  --all    show every document, not only the first and the last ones of a run
  --keep   leave API and receiver up afterwards, for runs of your own
  --help   show this
";

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Print the usage.
    Help,
    /// Run the demo.
    Show(Options),
}

/// How the demo is shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Every document, however many.
    pub(crate) all: bool,
    /// API and receiver stay.
    pub(crate) keep: bool,
}

/// Reads the arguments. The error is a sentence that names the argument.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let mut options = Options::default();
    for argument in arguments {
        match argument.to_str() {
            Some("--all") => options.all = true,
            Some("--keep") => options.keep = true,
            Some("--help" | "-h") => return Ok(Command::Help),
            _ => return Err(format!("{}: no such option", argument.display())),
        }
    }
    Ok(Command::Show(options))
}
