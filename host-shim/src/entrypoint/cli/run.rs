//! `whiskjack run`: forward once.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::ending::{ended, misused, noted, print, runner};
use super::{Prepared, TlsFiles};
use crate::entrypoint::environment;
use crate::result::{RunResult, Verdict};
use crate::said;

/// Forward once. The result is one line of JSON on stdout, logs go to stderr
#[derive(Args, Debug, Default, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  whiskjack run --config whiskjack.yaml
  whiskjack run --config whiskjack.yaml --state whiskjack.state --ca ca.pem
  whiskjack run --config whiskjack.yaml --cert client.pem --key client.key --passphrase-file passphrase")]
pub struct RunOptions {
    /// The parameters that an action gets, in YAML or JSON. ${NAME}, ${NAME:default} and ${NAME:?message} are filled in from the
    /// environment; $${ stands for ${ itself
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Keep the checkpoint in this file; without it the platform keeps it, as an annotation of a package in the namespace
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// For the receiver.
    #[command(flatten)]
    pub tls: TlsFiles,
}

impl RunOptions {
    /// Forwards once.
    pub(super) fn go(&self) -> ExitCode {
        match super::prepare(self, &environment) {
            Ok(prepared) => ended(run_once(prepared)),
            Err(message) => misused(&message),
        }
    }
}

fn run_once(options: Prepared) -> anyhow::Result<u8> {
    let runner = runner()?;
    let Prepared { params, source, context } = options;
    noted(&context);
    let mut result = runner.run(params, context).unwrap_or_else(RunResult::from);
    if !result.faults.is_empty() {
        super::as_written(&mut result.faults, &source);
        result.object.insert("faults".to_owned(), json!(result.faults));
    }
    for fault in &result.faults {
        said::to_stderr(super::located(fault, &source));
    }
    if let Some(error) = result.untold() {
        said::to_stderr(format_args!("whiskjack: {error}"));
    }
    print(&format!("{}\n", Value::Object(result.object.clone())))?;
    Ok(status(&result))
}

/// The exit status for a result.
fn status(result: &RunResult) -> u8 {
    match result.verdict {
        Verdict::Complete => 0,
        Verdict::Incomplete => 1,
        Verdict::InvalidConfig => 2,
    }
}
