//! The `whiskjack` program: picks an entry point.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, reason = "they panic where nobody reads")
)]

use std::ffi::OsString;
use std::process::ExitCode;

use serde_json::Value;
use whiskjack_host::entrypoint::cli::ending::{ended, misused, print, runner};
use whiskjack_host::entrypoint::{self, EntryPoint, actionloop, cli, oneshot};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match entrypoint::choose(&arguments, entrypoint::Surroundings::of_process(&arguments)) {
        Ok(EntryPoint::ActionLoop(results)) => {
            ended(runner().and_then(|runner| actionloop::run(&runner, results)).map(|()| 0))
        }
        Ok(EntryPoint::OneShot(argument)) => ended(answer_once(argument)),
        Ok(EntryPoint::CommandLine) => cli::go(arguments),
        Err(message) => misused(&message),
    }
}

/// Status 0 whatever came of it: the result says so.
fn answer_once(argument: Option<OsString>) -> anyhow::Result<u8> {
    let run = |params, context| Ok(runner()?.run(params, context)?.object);
    let result = oneshot::answer(argument.as_deref(), std::io::stdin().lock(), &entrypoint::environment, run);
    print(&format!("{}\n", Value::Object(result)))
}
