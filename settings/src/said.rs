//! Messages beside the results. A log that cannot be written, such as a pipe whose reader is gone, stops no run.

use std::fmt::Display;
use std::io::{self, Write};

/// Writes a line to stderr: the log of an action, and the messages of a command.
pub fn to_stderr(line: impl Display) {
    writeln!(io::stderr(), "{line}").ok();
}

/// Writes a line of progress to stdout.
pub fn to_stdout(line: impl Display) {
    writeln!(io::stdout(), "{line}").ok();
}
