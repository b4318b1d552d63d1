//! The ways the program is started, and how it tells them apart.

pub mod actionloop;
pub mod cli;
mod wskprops;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileTypeExt;

/// The names of file descriptor 3, in the order in which they are tried.
const RESULTS: [&str; 2] = ["/proc/self/fd/3", "/dev/fd/3"];

/// Whether descriptor 3 is a pipe: that is how OpenWhisk's ActionLoop proxy starts an action, and nobody starts a command so.
pub fn has_result_pipe() -> bool {
    RESULTS.iter().any(|name| fs::metadata(name).is_ok_and(|about| about.file_type().is_fifo()))
}

/// Opens the pipe for results. By its name: taking over a bare descriptor number is not safe Rust.
pub fn result_pipe() -> io::Result<File> {
    let mut refusal = io::Error::from(io::ErrorKind::NotFound);
    for name in RESULTS {
        match File::options().write(true).open(name) {
            Ok(pipe) => return Ok(pipe),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// Looks up a variable of the environment; empty ones count as absent.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
