//! `cargo xtask demo`: the whole way from an activation's log to a receiver, on one machine.
//!
//! | file | contents |
//! |---|---|
//! | `options` | the command line |
//! | `stage` | the players: API double, receiver, the action in its container |
//! | `story` | the first three runs, and the verdict on them |
//! | `failure` | the last run: an activation that fails |
//! | `document`, `table` | the documents that arrived, in a form for people |
//! | `keep` | `--keep`: the players stay for the reader's own runs |

mod document;
mod failure;
mod keep;
mod options;
mod stage;
mod story;
mod table;

use std::io::{self, ErrorKind, Write};
use std::panic::{self, PanicHookInfo};
use std::process::{self, ExitCode};

use anyhow::{Error, Result};

use crate::options::{Command, Options, USAGE};
use crate::stage::Stage;
use crate::table::Table;

fn main() -> ExitCode {
    // The test bed panics with a message for people; without this it would come with a place in the source and a backtrace.
    panic::set_hook(Box::new(fail_plainly));
    let done = match options::parse(std::env::args_os().skip(1)) {
        Ok(Command::Help) => io::stdout().write_all(USAGE.as_bytes()).map_err(Error::from),
        Ok(Command::Show(options)) => show(&options),
        Err(wrong) => {
            eprint!("demo: {wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has seen enough, as `head` has.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn show(options: &Options) -> Result<()> {
    let mut out = io::stdout().lock();
    let mut stage = Stage::set();
    let table = Table::for_stdout(options.all);
    story::tell(&mut stage, &table, &mut out)?;
    if options.keep {
        keep::keep(&mut stage, &table, &mut out)?;
    }
    Ok(())
}

/// Children need no farewell: they end when their stdin closes.
fn fail_plainly(info: &PanicHookInfo<'_>) {
    eprintln!("demo: {}", info.payload_as_str().unwrap_or("something unforeseen happened"));
    process::exit(1);
}

fn is_broken_pipe(error: &Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
