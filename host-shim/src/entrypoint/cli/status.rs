//! `whiskjack status`: its arguments and its output.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use whiskjack_config_file::Source;

use super::deploy::NAME;
use super::ending::{ended, noted, print};
use super::meter::Meter;
use super::terminal::{Speech, Style, Terminal, harmless};
use super::{Prepared, as_written, located, prepare_file, times};
use crate::deploy::Names;
use crate::entrypoint::environment;
use crate::result::is_elsewhere;
use crate::run::{Shim, Unseen, runtime};
use crate::said;
use crate::status::{Asked, Status, status, words};
use whiskjack_settings::text::many;

/// Tell how far a forwarder has come, and what it is owed
///
/// It reads the checkpoint where it is: of the deployed action, else of the command; with --state in its file. Of a deployed action it also
/// tells trigger, rule, alarm and last runs. It changes nothing.
#[derive(Args, Debug, Default, PartialEq, Eq)]
#[command(after_help = "\
The lag is the age of the oldest activation that may not have been forwarded.
Exit status: 0 it could be read; 1 it could not, or the lag is longer than --max-lag; 2 wrong usage or configuration.

Examples:
  whiskjack status
  whiskjack status --max-lag 10m --json
  whiskjack status --config whiskjack.yaml --state whiskjack.state")]
pub struct StatusOptions {
    /// The parameters that an action gets, in YAML or JSON, as for `whiskjack run`. Without it those of the deployed action serve
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The file that `whiskjack run` keeps the checkpoint in
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Name of the deployed action, instead of whiskjack; it must be there
    #[arg(long, value_name = "NAME", conflicts_with = "state")]
    name: Option<String>,
    /// The longest lag that is fine, such as 10m or 90s
    #[arg(long, value_name = "TIME", value_parser = times::span)]
    max_lag: Option<Duration>,
    #[command(flatten)]
    speech: Speech,
}

impl StatusOptions {
    /// Tells.
    pub(super) fn go(&self) -> ExitCode {
        let terminal = Terminal::of_stdout(self.speech, &environment);
        let (prepared, names) = match self.prepare() {
            Ok(prepared) => prepared,
            Err(message) => return ended(refused(&message, &[], 2, terminal)),
        };
        let Prepared { params, source, context } = prepared;
        noted(&context);
        let asked = Asked {
            params: self.config.as_ref().map(|_| params),
            names,
            is_named: self.name.is_some(),
            max_lag: self.max_lag,
        };
        let read = || -> anyhow::Result<_> {
            let (shim, runtime) = (Shim::new()?, runtime()?);
            let _meter = Meter::on_terminal(context.attached.doing.clone());
            let outcome = runtime.block_on(status(&shim, &asked, &context));
            runtime.shutdown_background();
            Ok(outcome)
        };
        match read() {
            Err(error) => ended(Err(error)),
            Ok(Ok(status)) => ended(written(&status, terminal)),
            Ok(Err(Unseen::Failed(message))) => ended(refused(&message, &[], 1, terminal)),
            Ok(Err(Unseen::Config(mut faults))) => {
                as_written(&mut faults, &source);
                let located: Vec<String> = faults.iter().map(|fault| located(fault, &source)).collect();
                let last = match faults.iter().any(|fault| is_elsewhere(&fault.key)) {
                    true => "nothing was read",
                    false => "the configuration has faults; nothing was read",
                };
                ended(refused(last, &located, 2, terminal))
            }
        }
    }

    fn prepare(&self) -> Result<(Prepared, Names), String> {
        let name = self.name.as_deref().unwrap_or(NAME);
        let names = Names::new(name).map_err(|message| format!("--name {name}: {message}"))?;
        let prepared = match &self.config {
            Some(config) => {
                prepare_file(config, Some(&super::TlsFiles::default()), self.state.clone(), &environment)?
            }
            None => {
                let context = super::context(self.state.clone(), &environment)?;
                Prepared { params: Value::Null, source: Source::default(), context }
            }
        };
        Ok((prepared, names))
    }
}

/// Says why there is no state: to a program in JSON, as any state. `faults` are told one by one.
fn refused(message: &str, faults: &[String], status: u8, terminal: Terminal) -> anyhow::Result<u8> {
    if terminal.json {
        let problem = [faults, &[message.to_owned()]].concat().join("; ");
        print(&format!("{}\n", json!({"ok": false, "problem": problem})))?;
    }
    faults.iter().for_each(|fault| said::to_stderr(format_args!("whiskjack: {fault}")));
    said::to_stderr(format_args!("whiskjack: {message}"));
    Ok(status)
}

fn written(status: &Status, terminal: Terminal) -> anyhow::Result<u8> {
    match terminal.json {
        true => print(&format!("{}\n", Value::Object(status.object.clone())))?,
        false => print(&shown(status, terminal))?,
    };
    if let Some(problem) = &status.problem {
        match terminal.json {
            true => said::to_stderr(format_args!("whiskjack: {problem}")),
            false => said::to_stdout(terminal.paint(Style::Bad, &harmless(problem))),
        }
    }
    Ok(u8::from(status.problem.is_some()))
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn each<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn age(ms: u64) -> String {
    words(Duration::from_millis(ms))
}

/// The state for people.
fn shown(status: &Status, terminal: Terminal) -> String {
    let mut lines = Vec::new();
    if let Some(saved) = status.object.get("checkpoint") {
        checkpoint(saved, terminal, &mut lines);
    }
    if let Some(action) = status.object.get("action").filter(|action| action.is_object()) {
        deployed(action, terminal, &mut lines);
    }
    lines.push(String::new());
    lines.join("\n")
}

fn checkpoint(saved: &Value, terminal: Terminal, lines: &mut Vec<String>) {
    let place = harmless(text(saved, "place").unwrap_or_default());
    let head = terminal.paint(Style::Strong, "checkpoint");
    let rested =
        text(saved, "rested").map_or(String::new(), |time| format!(", nothing new at {}", harmless(time)));
    lines.push(match (text(saved, "saved"), text(saved, "owner")) {
        (Some(time), Some(owner)) => {
            format!("{head}: in {place}, saved {time}{rested}, of {}", harmless(owner))
        }
        (Some(time), None) => format!("{head}: in {place}, saved {time}{rested}"),
        (None, _) if text(saved, "problem").is_some() => format!("{head}: in {place}"),
        (None, _) => format!("{head}: none in {place}"),
    });
    if let Some(lease) = saved.get("lease").filter(|lease| lease.get("holds") == Some(&Value::Bool(true))) {
        lines.push(format!("  {}", harmless(text(lease, "told").unwrap_or_default())));
    }
    if number(saved, "rests_ms") > 0 {
        let rests = age(number(saved, "rests_ms"));
        lines.push(format!("  runs that find nothing new save it only when it is {rests} old"));
    }
    for source in each(saved, "sources") {
        let name = terminal.paint(Style::Strong, &harmless(text(source, "source").unwrap_or_default()));
        let until = text(source, "complete_until").unwrap_or("never");
        let parked = if source.get("parked").is_some() { ", not selected any more" } else { "" };
        let lag = format!("lag {}", age(number(source, "lag_ms")));
        lines.push(format!("{name}: complete until {until}, {lag}{parked}"));
        let (ranges, records) = (number(source, "owed_ranges"), number(source, "owed_records"));
        if ranges > 0 {
            let oldest = age(number(source, "owed_age_ms"));
            lines.push(format!("  owed: {}, the oldest begins {oldest} ago", many(ranges, "range")));
        }
        if records > 0 {
            let oldest = age(number(source, "records_age_ms"));
            lines.push(format!(
                "  owed by themselves: {}, the oldest is {oldest} old",
                many(records, "record")
            ));
        }
        for record in each(source, "records") {
            let (id, trouble) = (text(record, "activation"), text(record, "trouble"));
            let trouble = harmless(trouble.unwrap_or("goes on in the next run"));
            lines.push(terminal.paint(Style::Faint, &format!("    {}: {trouble}", id.unwrap_or_default())));
        }
    }
}

fn deployed(action: &Value, terminal: Terminal, lines: &mut Vec<String>) {
    let name = text(action, "name").unwrap_or_default();
    let limits = |key: &str| action.get("limits").map_or(0, |limits| number(limits, key));
    let is_active = match (text(action, "rule"), action.get("rule_is_active")) {
        (None, _) => "there is no rule",
        (Some(_), Some(Value::Bool(true))) => "rule active",
        _ => "rule switched off",
    };
    let trigger =
        text(action, "trigger").map_or("there is no trigger".to_owned(), |name| format!("trigger {name}"));
    lines.push(format!(
        "{}: {name} {}, {}, {} s, {} MB; {trigger}, {is_active}",
        terminal.paint(Style::Strong, "action"),
        text(action, "version").unwrap_or_default(),
        text(action, "kind").unwrap_or("unknown kind"),
        limits("timeout") / 1000,
        limits("memory"),
    ));
    if let Some(alarm) = action.get("alarm") {
        lines.push(match (text(alarm, "problem"), text(alarm, "cron"), text(alarm, "next")) {
            (Some(problem), _, _) => format!("  alarm: {}", terminal.paint(Style::Bad, &harmless(problem))),
            (None, cron, Some(next)) => {
                format!("  alarm: \"{}\", next {next}", harmless(cron.unwrap_or_default()))
            }
            (None, cron, None) => {
                format!("  alarm: \"{}\", which leads to no run", harmless(cron.unwrap_or_default()))
            }
        });
    }
    for run in each(action, "runs") {
        let (start, id) =
            (text(run, "start").unwrap_or_default(), text(run, "activation").unwrap_or_default());
        let what = match (text(run, "error"), text(run, "skipped")) {
            (Some(error), _) => terminal.paint(Style::Bad, &harmless(error)),
            (None, Some(skipped)) => format!("did nothing: {}", harmless(skipped)),
            (None, None) => format!(
                "{} acknowledged, {} left, {} put off",
                many(number(run, "lines"), "line"),
                many(number(run, "left_ranges"), "range"),
                many(number(run, "put_off"), "activation"),
            ),
        };
        lines.push(format!("  run {start} ({id}, {} ms): {what}", number(run, "duration_ms")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_told_by_source_and_by_run() {
        let object = json!({
            "checkpoint": {"place": "the package `p`", "saved": "2023-11-14T22:13:20.000Z", "rested": "2023-11-14T22:14:20.000Z", "sources": [
                {"source": "a", "complete_until": "2023-11-14T22:13:20.000Z", "lag_ms": 60_000, "owed_ranges": 2, "owed_age_ms": 3_600_000,
                 "owed_records": 1, "records_age_ms": 5_000, "records": [{"activation": "a1", "trouble": "too large"}]},
            ]},
            "action": {"name": "whiskjack", "version": "0.0.3", "kind": "rust:1.34", "limits": {"timeout": 60000, "memory": 256},
                "trigger": "whiskjack-alarm", "rule": "whiskjack-rule", "rule_is_active": true,
                "alarm": {"cron": "* * * * *", "is_active": true, "next": "2023-11-14T22:14:00.000Z"},
                "runs": [{"activation": "r1", "start": "s", "duration_ms": 5, "lines": 1}, {"activation": "r2", "error": "no receiver"}]},
        });
        let status = Status { object: object.as_object().unwrap().clone(), problem: None };
        let told = shown(&status, Terminal::default());
        for line in [
            "checkpoint: in the package `p`, saved 2023-11-14T22:13:20.000Z, nothing new at 2023-11-14T22:14:20.000Z",
            "a: complete until 2023-11-14T22:13:20.000Z, lag 1 min 0 s",
            "  owed: 2 ranges, the oldest begins 1 h 0 min ago",
            "  owed by themselves: 1 record, the oldest is 5 s old",
            "    a1: too large",
            "action: whiskjack 0.0.3, rust:1.34, 60 s, 256 MB; trigger whiskjack-alarm, rule active",
            "  alarm: \"* * * * *\", next 2023-11-14T22:14:00.000Z",
            "  run s (r1, 5 ms): 1 line acknowledged, 0 ranges left, 0 activations put off",
            "  run  (r2, 0 ms): no receiver",
        ] {
            assert!(told.lines().any(|one| one == line), "{line}\n{told}");
        }
    }
}
