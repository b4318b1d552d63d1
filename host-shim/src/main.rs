//! The `whiskjack` program: picks an entry point, and prints what went wrong in one place.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, reason = "they panic where nobody reads")
)]

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Map, Value, json};
use whiskjack_host::deploy::{self, DeployError};
use whiskjack_host::entrypoint::cli::Prepared;
use whiskjack_host::entrypoint::cli::deploy::DeployCommand;
use whiskjack_host::entrypoint::{self, EntryPoint, actionloop, cli, oneshot, serve};
use whiskjack_host::{RunContext, RunResult, Shim, is_elsewhere, runtime, said};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match entrypoint::choose(&arguments, entrypoint::Surroundings::of_process(&arguments)) {
        Ok(EntryPoint::ActionLoop(results)) => ended(serve_lines(results).map(|()| 0)),
        Ok(EntryPoint::OneShot(argument)) => ended(answer_once(argument)),
        Ok(EntryPoint::CommandLine) => command(arguments),
        Err(message) => misused(&message),
    }
}

fn command(arguments: Vec<OsString>) -> ExitCode {
    match cli::parse(arguments) {
        Ok(cli::Command::Help) => ended(print(cli::HELP)),
        Ok(cli::Command::Version) => ended(print(concat!("whiskjack ", env!("CARGO_PKG_VERSION"), "\n"))),
        Ok(cli::Command::Run(options)) => match cli::prepare(&options, &entrypoint::environment) {
            Ok(prepared) => ended(run_once(prepared)),
            Err(message) => misused(&message),
        },
        Ok(cli::Command::Serve(port)) => ended(serve_http(port)),
        Ok(cli::Command::Deploy(command)) => deployment(&command),
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

/// `deploy` and `undeploy`.
fn deployment(command: &DeployCommand) -> ExitCode {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return ended(Err(error.into())),
    };
    let mut say = |line: &str| said::to_stdout(line);
    let source;
    let outcome = match command {
        DeployCommand::Help => return ended(print(cli::deploy::HELP)),
        DeployCommand::Up(options) => match cli::deploy::prepare_up(options, &entrypoint::environment) {
            Ok((deployment, context, of_params)) => {
                source = of_params;
                noted(&context);
                runtime.block_on(deploy::up(&deployment, &context, &mut say))
            }
            Err(message) => return misused(&message),
        },
        DeployCommand::Down(options) => match cli::deploy::prepare_down(options, &entrypoint::environment) {
            Ok((names, params, dry_run, context, of_params)) => {
                source = of_params;
                noted(&context);
                runtime.block_on(deploy::down(&names, &params, dry_run, &context, &mut say))
            }
            Err(message) => return misused(&message),
        },
    };
    // A name server that hangs must not keep the program from ending.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(DeployError::Config(mut faults)) => {
            cli::as_written(&mut faults, &source);
            faults.iter().for_each(|fault| said::to_stderr(cli::located(fault, &source)));
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

fn serve_lines(results: File) -> anyhow::Result<()> {
    let (shim, runtime) = (Shim::new()?, runtime()?);
    // One runtime for all activations: it holds the kept-alive connections, and rests between them.
    let run = |params, context| -> Map<String, Value> { runtime.block_on(shim.run(params, context)).object };
    let served = actionloop::serve(std::io::stdin().lock(), results, &entrypoint::environment, run);
    runtime.shutdown_background();
    served.context("the ActionLoop proxy is gone")
}

/// Status 0 whatever came of it: the result says so.
fn answer_once(argument: Option<OsString>) -> anyhow::Result<u8> {
    let run = |params, context| {
        let (shim, runtime) = (Shim::new()?, runtime()?);
        let result = runtime.block_on(shim.run(params, context));
        runtime.shutdown_background();
        Ok(result.object)
    };
    let result = oneshot::answer(argument.as_deref(), std::io::stdin().lock(), &entrypoint::environment, run);
    print(&format!("{}\n", Value::Object(result)))
}

fn serve_http(port: u16) -> anyhow::Result<u8> {
    let (shim, runtime) = (Arc::new(Shim::new()?), runtime()?);
    let served = runtime.block_on(async {
        let listener = serve::listen(port).await.with_context(|| format!("--port {port}: cannot listen"))?;
        if port == 0 {
            said::to_stderr(format_args!("whiskjack: listening on port {}", listener.local_addr()?.port()));
        }
        let run = move |params, context| {
            let shim = shim.clone();
            async move { shim.run(params, context).await.object }
        };
        tokio::select! {
            () = serve::serve(listener, run) => Ok(0),
            told = serve::told_to_end() => told.map(|()| 0).context("cannot listen for signals"),
        }
    });
    runtime.shutdown_background();
    served
}

fn run_once(prepared: Prepared) -> anyhow::Result<u8> {
    let (shim, runtime) = (Shim::new()?, runtime()?);
    let Prepared { params, source, context } = prepared;
    noted(&context);
    let mut result: RunResult = runtime.block_on(shim.run(params, context));
    // A name server that hangs must not keep the program from ending.
    runtime.shutdown_background();
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
