//! `whiskjack run`: forward once.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::ending::{ended, misused, noted, print, runner, tell};
use super::terminal::{Speech, Terminal};
use super::{Prepared, TlsFiles, dry_run, values};
use crate::entrypoint::environment;
use crate::result::{RunResult, Verdict};
use crate::said;

/// Forward once. The result is one line of JSON on stdout, logs go to stderr
#[derive(Args, Debug, Default, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  whiskjack run --config whiskjack.yaml
  whiskjack run --config whiskjack.yaml --state whiskjack.state --ca ca.pem
  whiskjack run --config whiskjack.yaml --cert client.pem --key client.key --passphrase-file passphrase
  whiskjack run --config whiskjack.yaml --dry-run --limit 3
  whiskjack run --config whiskjack.yaml --state whiskjack.state --output logs.jsonl")]
pub struct RunOptions {
    /// The parameters that an action gets, in YAML or JSON. ${NAME}, ${NAME:default} and ${NAME:?message} are filled in from the
    /// environment; $${ stands for ${ itself
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Keep the checkpoint in this file; without it the platform keeps it, as an annotation of a package in the namespace
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Append the documents to this file as JSON lines, or write them to stdout (-), in the place of the receivers; the result is on stderr
    /// then, if it is stdout
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub output: Option<PathBuf>,
    /// Show the documents that would be sent; nothing is sent, and no checkpoint is written
    #[arg(long)]
    pub dry_run: bool,
    /// Show so many of them at most
    #[arg(long, value_name = "N", requires = "dry_run", value_parser = values::whole::<u64>(1..=u64::MAX, "a number of documents"))]
    pub limit: Option<u64>,
    /// JSON or text for documents.
    #[command(flatten)]
    pub speech: Speech,
    /// For the receiver.
    #[command(flatten)]
    pub tls: TlsFiles,
}

impl RunOptions {
    /// Forwards once.
    pub(super) fn go(&self) -> ExitCode {
        match super::prepare(self, &environment) {
            Ok(prepared) if self.dry_run => {
                ended(dry_run::run(self, prepared, Terminal::of_stdout(self.speech, &environment)))
            }
            Ok(prepared) => ended(run_once(prepared, self.output == Some("-".into()))),
            Err(message) => misused(&message),
        }
    }
}

/// The result is on stdout, unless the documents are.
fn run_once(options: Prepared, is_taken: bool) -> anyhow::Result<u8> {
    let runner = runner()?;
    let Prepared { params, source, context } = options;
    noted(&context);
    let mut result = runner.run(params, context).unwrap_or_else(RunResult::from);
    tell(&mut result, &source);
    let object = Value::Object(result.object.clone());
    match is_taken {
        true => said::to_stderr(&object),
        false => _ = print(&format!("{object}\n"))?,
    }
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
