//! Messages beside the results, and what is drawn on the terminal meanwhile: it gives way to each message, so that neither tears the other.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::ProgressBar;

use whiskjack_settings::said;

/// What the terminal of stderr shows now. There is one stderr, and one thing at the end of it.
static DRAWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Writes a line to stderr: the log of an action, and the messages of a command.
pub(crate) fn to_stderr(line: impl Display) {
    aside(|| said::to_stderr(line));
}

/// Writes a line of progress to stdout.
pub(crate) fn to_stdout(line: impl Display) {
    aside(|| said::to_stdout(line));
}

/// Writes whole lines to stderr as they are. A log that cannot be written stops no run.
pub(crate) fn lines_to_stderr(lines: &[u8]) {
    aside(|| io::stderr().write_all(lines).ok());
}

/// Does what may write to the terminal, while nothing is drawn there.
pub(crate) fn aside<R>(write: impl FnOnce() -> R) -> R {
    match drawn().as_ref() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Changes what is drawn. A message waits meanwhile.
pub(crate) fn draw(change: impl FnOnce(&mut Option<ProgressBar>)) {
    change(&mut drawn());
}

fn drawn() -> MutexGuard<'static, Option<ProgressBar>> {
    DRAWN.lock().unwrap_or_else(PoisonError::into_inner)
}
