//! Forwards once and prints the result. See README.md.

mod args;
mod host;
mod params;
mod state;
mod transport;

use std::collections::VecDeque;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

use serde_json::{Value, json};
use wasmtime::Result;
use wasmtime::error::Context as _;

use crate::args::Args;
use crate::host::bindings::exports::whiskjack::forwarder::forwarder::{Error, Report};
use crate::host::bindings::whiskjack::forwarder::types::{Authorization, CheckpointKeeper, Context};
use crate::host::{Host, Instance};

/// A run that is killed repeats at most what it did in this time.
const SAVE_EVERY: Duration = Duration::from_secs(15);

/// Exit status: 0 all was forwarded; 1 something failed or is still owed; 2 wrong usage or configuration.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let ran = async {
        let args = Args::parse(env::args().skip(1))?;
        let text = fs::read_to_string(&args.config).with_context(|| args.config.display().to_string())?;
        let mut params = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .with_context(|| args.config.display().to_string())?;
        Ok((Host::new(&mut params)?, params, args))
    };
    let ran = match ran.await {
        Ok((host, params, args)) => run(host, &params, &args).await.map_err(|error| (1, error)),
        Err(error) => Err((2, error)),
    };
    let status = ran.unwrap_or_else(|(status, error): (u8, wasmtime::Error)| {
        eprintln!("whiskjack: {error:#}");
        status
    });
    ExitCode::from(status)
}

async fn run(host: Host, params: &Value, args: &Args) -> Result<u8> {
    let mut instance = Instance::new(host, &args.component).await?;
    let context = Context {
        api_origin: env::var("__OW_API_HOST").ok(),
        authorization: env::var("__OW_API_KEY").map_or(Authorization::Missing, Authorization::Key),
        namespace: None,
        action_name: None,
        activation_id: None,
        deadline_ms: None,
        checkpoint: CheckpointKeeper::Host(state::load(&args.state)?),
    };
    let plan = match instance.plan(params.to_string().as_bytes(), &context).await? {
        Ok(plan) => plan,
        Err(error) => {
            let (status, message) = explain(error);
            println!("{}", json!({ "error": message }));
            return Ok(status);
        }
    };
    let mut slices = VecDeque::from(plan.slices.clone());
    let mut outcomes = Vec::new();
    let mut saved_at = Instant::now();
    while let Some(slice) = slices.pop_front() {
        let outcome = instance.forward(&plan, &slice).await?;
        slices.extend(outcome.rest.clone());
        outcomes.push(outcome);
        if saved_at.elapsed() >= SAVE_EVERY {
            keep(args, &instance.conclude(&plan, &outcomes, false).await?)?;
            saved_at = Instant::now();
        }
    }
    let report = instance.conclude(&plan, &outcomes, true).await?;
    keep(args, &report)?;
    println!("{}", String::from_utf8_lossy(&report.result));
    Ok(u8::from(!report.complete))
}

fn keep(args: &Args, report: &Report) -> Result<()> {
    report.checkpoint.as_ref().map_or(Ok(()), |checkpoint| state::save(&args.state, checkpoint))
}

fn explain(error: Error) -> (u8, String) {
    match error {
        Error::InvalidConfig(faults) => {
            let faults: Vec<_> =
                faults.iter().map(|fault| format!("{}: {}", fault.key, fault.remedy)).collect();
            (2, faults.join("; "))
        }
        Error::Api(failure) | Error::Checkpoint(failure) => (1, failure.message),
        Error::Other(message) => (1, message),
    }
}
