//! The `whiskjack` program: picks a face, and prints what went wrong in one place.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Map, Value};
use whiskjack_host::deploy::{self, DeployError};
use whiskjack_host::faces::cli::deploy::DeployCommand;
use whiskjack_host::faces::{self, actionloop, cli};
use whiskjack_host::{RunContext, RunResult, Shim, runtime};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if arguments.is_empty() && faces::has_result_pipe() {
        return ended(serve_actions().map(|()| 0));
    }
    match cli::parse(arguments) {
        Ok(cli::Command::Help) => ended(print(cli::HELP)),
        Ok(cli::Command::Version) => ended(print(concat!("whiskjack ", env!("CARGO_PKG_VERSION"), "\n"))),
        Ok(cli::Command::Run(options)) => match cli::prepare(&options, &faces::environment) {
            Ok((params, context)) => ended(run_once(params, context)),
            Err(message) => misused(&message),
        },
        Ok(cli::Command::Deploy(command)) => deployment(&command),
        Err(message) => misused(&message),
    }
}

fn ended(outcome: anyhow::Result<u8>) -> ExitCode {
    outcome.map(ExitCode::from).unwrap_or_else(|error| {
        eprintln!("whiskjack: {error:#}");
        ExitCode::FAILURE
    })
}

fn misused(message: &str) -> ExitCode {
    eprintln!("whiskjack: {message}");
    ExitCode::from(2)
}

/// `deploy` and `undeploy`.
fn deployment(command: &DeployCommand) -> ExitCode {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return ended(Err(error.into())),
    };
    let mut say = |line: &str| println!("{line}");
    let outcome = match command {
        DeployCommand::Help => return ended(print(cli::deploy::HELP)),
        DeployCommand::Up(options) => match cli::deploy::prepare_up(options, &faces::environment) {
            Ok((deployment, context)) => runtime.block_on(deploy::up(&deployment, &context, &mut say)),
            Err(message) => return misused(&message),
        },
        DeployCommand::Down(options) => match cli::deploy::prepare_down(options, &faces::environment) {
            Ok((names, params, dry_run, context)) => {
                runtime.block_on(deploy::down(&names, &params, dry_run, &context, &mut say))
            }
            Err(message) => return misused(&message),
        },
    };
    // A name server that hangs must not keep the program from ending.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(DeployError::Config(faults)) => {
            faults.iter().for_each(|fault| eprintln!("{fault}"));
            misused("the configuration cannot be deployed; nothing was changed")
        }
        Err(error) => ended(Err(error.into())),
    }
}

fn print(text: &str) -> anyhow::Result<u8> {
    std::io::stdout().write_all(text.as_bytes()).context("cannot write to stdout")?;
    Ok(0)
}

fn serve_actions() -> anyhow::Result<()> {
    let (shim, runtime) = (Shim::new()?, runtime()?);
    let output = faces::result_pipe().context("cannot open file descriptor 3 for the results")?;
    // One runtime for all activations: it holds the kept-alive connections, and rests between them.
    let run = |params, context| -> Map<String, Value> { runtime.block_on(shim.run(params, context)).object };
    let served = actionloop::serve(std::io::stdin().lock(), output, &faces::environment, run);
    runtime.shutdown_background();
    served.context("the ActionLoop proxy is gone")
}

fn run_once(params: Value, context: RunContext) -> anyhow::Result<u8> {
    let (shim, runtime) = (Shim::new()?, runtime()?);
    let result: RunResult = runtime.block_on(shim.run(params, context));
    // A name server that hangs must not keep the program from ending.
    runtime.shutdown_background();
    for fault in &result.faults {
        eprintln!("{fault}");
    }
    print(&format!("{}\n", Value::Object(result.object.clone())))?;
    Ok(cli::status(&result))
}
