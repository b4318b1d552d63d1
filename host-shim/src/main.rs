//! The `whiskjack` program: picks an entry point, and prints what went wrong in one place.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, reason = "they panic where nobody reads")
)]

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Value, json};
use whiskjack_config_file::Source;
use whiskjack_host::deploy::{self, DeployError};
use whiskjack_host::entrypoint::cli::Prepared;
use whiskjack_host::entrypoint::cli::deploy::{DeployOptions, UndeployOptions};
use whiskjack_host::entrypoint::{self, EntryPoint, actionloop, cli, oneshot, serve};
use whiskjack_host::{RunContext, RunResult, Runner, is_elsewhere, runtime, said};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match entrypoint::choose(&arguments, entrypoint::Surroundings::of_process(&arguments)) {
        Ok(EntryPoint::ActionLoop(results)) => {
            ended(prepared().and_then(|runner| actionloop::run(&runner, results)).map(|()| 0))
        }
        Ok(EntryPoint::OneShot(argument)) => ended(answer_once(argument)),
        Ok(EntryPoint::CommandLine) => command(arguments),
        Err(message) => misused(&message),
    }
}

fn command(arguments: Vec<OsString>) -> ExitCode {
    match cli::parse(arguments) {
        Ok(cli::Command::Print(text)) => ended(print(&text)),
        Ok(cli::Command::Run(options)) => match cli::prepare(&options, &entrypoint::environment) {
            Ok(prepared) => ended(run_once(prepared)),
            Err(message) => misused(&message),
        },
        Ok(cli::Command::Serve(port)) => {
            ended(prepared().and_then(|runner| serve::run(runner, port)).map(|()| 0))
        }
        Ok(cli::Command::Deploy(options)) => put_up(&options),
        Ok(cli::Command::Undeploy(options)) => take_down(&options),
        Ok(cli::Command::Setup(options)) => options.go(),
        Err(message) => misused(&message),
    }
}

fn ended(outcome: anyhow::Result<u8>) -> ExitCode {
    outcome.map(ExitCode::from).unwrap_or_else(|error| {
        said::to_stderr(format_args!("whiskjack: {error:#}"));
        ExitCode::FAILURE
    })
}

fn misused(message: &str) -> ExitCode {
    said::to_stderr(format_args!("whiskjack: {message}"));
    ExitCode::from(2)
}

fn put_up(options: &DeployOptions) -> ExitCode {
    let (deployment, context, source) = match cli::deploy::prepare_up(options, &entrypoint::environment) {
        Ok(prepared) => prepared,
        Err(message) => return misused(&message),
    };
    noted(&context);
    let mut say = |line: &str| said::to_stdout(line);
    deployed(deploy::up(&deployment, &context, &mut say), &source)
}

fn take_down(options: &UndeployOptions) -> ExitCode {
    let (names, params, dry_run, context, source) =
        match cli::deploy::prepare_down(options, &entrypoint::environment) {
            Ok(prepared) => prepared,
            Err(message) => return misused(&message),
        };
    noted(&context);
    let mut say = |line: &str| said::to_stdout(line);
    deployed(deploy::down(&names, &params, dry_run, &context, &mut say), &source)
}

/// Does the work of `deploy` or `undeploy`, and says what went wrong.
fn deployed(work: impl Future<Output = Result<(), DeployError>>, source: &Source) -> ExitCode {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return ended(Err(error.into())),
    };
    let outcome = runtime.block_on(work);
    // A name server that hangs must not keep the program from ending.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(DeployError::Config(mut faults)) => {
            cli::as_written(&mut faults, source);
            faults.iter().for_each(|fault| said::to_stderr(cli::located(fault, source)));
            match faults.iter().any(|fault| is_elsewhere(&fault.key)) {
                true => misused("nothing was changed"),
                false => misused("the configuration has faults; nothing was changed"),
            }
        }
        Err(DeployError::Misused(message)) => misused(&message),
        Err(error) => ended(Err(error.into())),
    }
}

/// Tells people what is odd where host and key were given.
fn noted(context: &RunContext) {
    for note in &context.given.notes {
        said::to_stderr(format_args!("whiskjack: {note}"));
    }
}

fn print(text: &str) -> anyhow::Result<u8> {
    std::io::stdout().write_all(text.as_bytes()).context("cannot write to stdout")?;
    Ok(0)
}

fn prepared() -> anyhow::Result<Runner> {
    Ok(Runner::new()?)
}

/// Status 0 whatever came of it: the result says so.
fn answer_once(argument: Option<OsString>) -> anyhow::Result<u8> {
    let run = |params, context| Ok(prepared()?.run(params, context)?.object);
    let result = oneshot::answer(argument.as_deref(), std::io::stdin().lock(), &entrypoint::environment, run);
    print(&format!("{}\n", Value::Object(result)))
}

fn run_once(options: Prepared) -> anyhow::Result<u8> {
    let runner = prepared()?;
    let Prepared { params, source, context } = options;
    noted(&context);
    let mut result = runner.run(params, context).unwrap_or_else(RunResult::from);
    if !result.faults.is_empty() {
        cli::as_written(&mut result.faults, &source);
        result.object.insert("faults".to_owned(), json!(result.faults));
    }
    for fault in &result.faults {
        said::to_stderr(cli::located(fault, &source));
    }
    if let Some(error) = result.untold() {
        said::to_stderr(format_args!("whiskjack: {error}"));
    }
    print(&format!("{}\n", Value::Object(result.object.clone())))?;
    Ok(cli::status(&result))
}
