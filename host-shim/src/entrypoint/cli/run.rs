//! `whiskjack run`: forward once.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::ending::{ended, misused, noted, print, runner, tell};
use super::progress;
use super::terminal::{Speech, Style, Terminal, harmless};
use super::{Prepared, TlsFiles, dry_run, values, watch};
use crate::entrypoint::environment;
use crate::result::{RunResult, Verdict};
use crate::said;
use whiskjack_settings::text::many;

/// Forward once. On a terminal the result is told in text; else it is one line of JSON on stdout, and logs go to stderr
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
    /// JSON or text for the result, or for documents.
    #[command(flatten)]
    pub speech: Speech,
    /// For the receiver.
    #[command(flatten)]
    pub tls: TlsFiles,
}

impl RunOptions {
    /// Forwards once.
    pub(super) fn go(&self) -> ExitCode {
        match self.prepare(&environment) {
            Ok(prepared) if self.dry_run => {
                ended(dry_run::run(self, prepared, Terminal::of_stdout(self.speech, &environment)))
            }
            Ok(prepared) => {
                let terminal = Terminal::of_stdout(self.speech, &environment);
                ended(run_once(prepared, terminal, self.output == Some("-".into())))
            }
            Err(message) => self.refused(&message),
        }
    }

    pub(super) fn prepare(&self, environment: &dyn Fn(&str) -> Option<String>) -> Result<Prepared, String> {
        let Self { config, tls, state, output, .. } = self;
        super::prepare(config, tls, state.as_deref(), output.as_deref(), environment)
    }

    /// What cannot be read is a result like any other fault of the configuration.
    fn refused(&self, message: &str) -> ExitCode {
        let is_free = !self.dry_run && self.output != Some("-".into());
        if is_free && Terminal::of_stdout(self.speech, &environment).json {
            print(&format!("{}\n", json!({"error": message}))).ok();
        }
        misused(message)
    }
}

/// The result is on stdout, unless the documents are.
fn run_once(options: Prepared, terminal: Terminal, is_taken: bool) -> anyhow::Result<u8> {
    let runner = runner()?;
    let Prepared { params, source, mut context } = options;
    noted(&context);
    // For people, the result says it all.
    context.attached.is_quiet = !terminal.json;
    let meter = progress::of_run(&mut context);
    let mut result = runner.run(params, context).unwrap_or_else(RunResult::from);
    drop(meter);
    let text = match terminal.json {
        true => {
            tell(&mut result, &source);
            Value::Object(result.object.clone()).to_string()
        }
        false => {
            if !result.faults.is_empty() {
                tell(&mut result, &source);
            }
            shown(&result, terminal)
        }
    };
    match is_taken {
        true => said::to_stderr(&text),
        false => _ = print(&format!("{text}\n"))?,
    }
    Ok(status(&result))
}

/// The result for people: what came of the run, of each action, and what there is to know besides.
fn shown(result: &RunResult, terminal: Terminal) -> String {
    let sign = |style, sign: &str, text: &str| format!("{} {}", terminal.paint(style, sign), harmless(text));
    if result.verdict == Verdict::InvalidConfig && !result.faults.is_empty() {
        return sign(Style::Bad, "✗", "the configuration has faults; nothing was read or sent");
    }
    let mut lines = Vec::new();
    // A run that came to nothing has counted nothing.
    if result.untold().is_none() {
        let (style, mark) = match result.verdict {
            Verdict::Complete => (Style::Good, "✓"),
            _ => (Style::Doubtful, "!"),
        };
        lines.push(sign(style, mark, &watch::summary(result)));
    }
    for (name, action) in result.object.get("actions").and_then(Value::as_object).into_iter().flatten() {
        let number = |key: &str| action.get(key).and_then(Value::as_u64).unwrap_or(0);
        let name = terminal.paint(Style::Strong, &harmless(name));
        let (activations, lines_of_it) =
            (many(number("activations"), "activation"), many(number("lines"), "line"));
        lines
            .push(format!("  {name}: {activations}, {lines_of_it}, {} acknowledged", number("acknowledged")));
    }
    let warnings = result.object.get("warnings").and_then(Value::as_array).into_iter().flatten();
    lines.extend(warnings.filter_map(Value::as_str).map(|warning| sign(Style::Doubtful, "!", warning)));
    if let Some(error) = result.object.get("error").and_then(Value::as_str) {
        lines.push(sign(Style::Bad, "✗", error));
    }
    lines.join("\n")
}

/// The exit status for a result.
fn status(result: &RunResult) -> u8 {
    match result.verdict {
        Verdict::Complete => 0,
        Verdict::Incomplete => 1,
        Verdict::InvalidConfig => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_get_a_line_for_the_run_one_for_each_action_and_what_there_is_to_know() {
        let report = json!({
            "activations": 2, "lines": {"acknowledged": 1}, "left": {"ranges": 1, "oldest_age_ms": 5_000}, "lag_ms": 5_000,
            "actions": {"hello\u{1b}": {"activations": 1, "lines": 2, "acknowledged": 1}},
            "warnings": ["`actions` lists `x`, but there is no such action"], "error": "the receiver: is away; start it",
        });
        let result = RunResult::report(report.to_string().as_bytes(), true, true, &[], &[]);
        let expected = "\
! 2 new activations, 1 line acknowledged, 1 owed, the oldest for 5 s, 5 s behind
  hello\\u{1b}: 1 activation, 2 lines, 1 acknowledged
! `actions` lists `x`, but there is no such action
✗ the receiver: is away; start it";
        assert_eq!(shown(&result, Terminal::default()), expected);
        let nothing = RunResult::error("--state d: is a folder; name a file in it");
        assert_eq!(shown(&nothing, Terminal::default()), "✗ --state d: is a folder; name a file in it");
    }
}
