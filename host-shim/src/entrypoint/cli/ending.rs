//! How a command ends: its exit status, and the one place that reports errors.

use std::io::Write as _;
use std::process::ExitCode;

use serde_json::json;
use whiskjack_config_file::Source;

use crate::os_error;
use crate::result::RunResult;
use crate::run::{RunContext, Runner};
use crate::said;

/// The exit status of the outcome; a failure goes to stderr.
pub fn ended(outcome: anyhow::Result<u8>) -> ExitCode {
    outcome.map(ExitCode::from).unwrap_or_else(|error| {
        said::to_stderr(format_args!("whiskjack: {error:#}"));
        ExitCode::FAILURE
    })
}

/// The exit status for wrong usage or configuration.
pub fn misused(message: &str) -> ExitCode {
    said::to_stderr(format_args!("whiskjack: {message}"));
    ExitCode::from(2)
}

/// Tells people what is odd where host and key were given.
pub(super) fn noted(context: &RunContext) {
    for note in &context.given.notes {
        said::to_stderr(format_args!("whiskjack: {note}"));
    }
}

/// Tells on stderr what is wrong with the configuration, or why nothing was done, and writes faults into the result as the file has them.
pub(super) fn tell(result: &mut RunResult, source: &Source) {
    if !result.faults.is_empty() {
        super::as_written(&mut result.faults, source);
        result.object.insert("faults".to_owned(), json!(result.faults));
    }
    for fault in &result.faults {
        said::to_stderr(format_args!("whiskjack: {}", super::located(fault, source)));
    }
    if let Some(error) = result.untold() {
        said::to_stderr(format_args!("whiskjack: {error}"));
    }
}

/// Writes to stdout.
pub fn print(text: &str) -> anyhow::Result<u8> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| anyhow::Error::msg(os_error::of_stdout(&error)))?;
    Ok(0)
}

/// The component, made ready.
pub fn runner() -> anyhow::Result<Runner> {
    Ok(Runner::new()?)
}
