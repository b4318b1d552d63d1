//! `watch`: runs again and again, for users without alarms.

mod metrics;
mod systemd;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::Value;
use tokio::time::Instant;

use self::metrics::Metrics;
use self::systemd::Manager;
use super::ending::{ended, misused, noted, tell};
use super::terminal::{Speech, Style, Terminal, harmless};
use super::{Prepared, TlsFiles, session, times, values};
use crate::attached::Stop;
use crate::entrypoint::environment;
use crate::result::{RunResult, Verdict};
use whiskjack_settings::said;
use whiskjack_settings::text::many;

/// Forward again and again, until SIGTERM or Ctrl-C: then it finishes what it has begun, and saves the checkpoint
#[derive(Args, Debug, PartialEq, Eq)]
#[command(after_help = "\
Each run is told in one line on stdout. Under systemd it says when it is ready, how it does, and that it is alive (Type=notify, WatchdogSec).

Examples:
  whiskjack watch --config whiskjack.yaml
  whiskjack watch --config whiskjack.yaml --state whiskjack.state --every 30s --metrics 127.0.0.1:9600
  whiskjack watch --config whiskjack.yaml --state whiskjack.state --output logs.jsonl")]
pub struct WatchOptions {
    /// The parameters that an action gets, in YAML or JSON
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Keep the checkpoint in this file; without it the platform keeps it
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Time from the begin of a run to that of the next
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = times::span)]
    pub every: Duration,
    /// Answer Prometheus there, at /metrics
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = values::address)]
    pub metrics: Option<SocketAddr>,
    /// Append the documents to this file as JSON lines, in the place of the receivers
    #[arg(long, value_name = "FILE", value_parser = file)]
    pub output: Option<PathBuf>,
    /// JSON or text for each run.
    #[command(flatten)]
    pub speech: Speech,
    /// For the receiver.
    #[command(flatten)]
    pub tls: TlsFiles,
}

fn file(text: &str) -> Result<PathBuf, &'static str> {
    if text == "-" { Err("stdout tells of the runs; name a file") } else { Ok(text.into()) }
}

impl WatchOptions {
    /// Forwards until it is told to end.
    pub(super) fn go(&self) -> ExitCode {
        match prepare(self, &environment) {
            Ok(prepared) => {
                let terminal = Terminal::of_stdout(self.speech, &environment);
                ended(run(self, prepared, terminal, &environment))
            }
            Err(message) => misused(&message),
        }
    }
}

/// Parameters and context. Errors are sentences that name the file.
fn prepare(options: &WatchOptions, environment: &dyn Fn(&str) -> Option<String>) -> Result<Prepared, String> {
    let mut prepared =
        super::prepare_file(&options.config, Some(&options.tls), options.state.clone(), environment)?;
    super::attach_output(
        options.output.as_deref(),
        &options.config,
        options.state.as_deref(),
        &mut prepared,
    )?;
    Ok(prepared)
}

/// Runs until it is told to end.
fn run(
    options: &WatchOptions,
    prepared: Prepared,
    terminal: Terminal,
    environment: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<u8> {
    let Prepared { params, source, mut context } = prepared;
    noted(&context);
    let stop = Stop::default();
    context.attached.stop = stop.clone();
    // For people, one line a run says it all.
    context.attached.is_quiet = !terminal.json;
    let manager = Manager::of(environment);
    session::run(&stop, async |shim| {
        let faults = shim.check(params.clone(), &context).await;
        if !faults.is_empty() {
            tell(&mut RunResult::invalid_config(faults), &source);
            return Ok(2);
        }
        let metrics = Arc::new(Metrics::new(context.attached.counters.clone()));
        if let Some(address) = options.metrics {
            metrics::serve(address, metrics.clone()).await?;
        }
        manager.say("READY=1\nSTATUS=the first run");
        let _alive = manager.keep_alive();
        loop {
            let begin = Instant::now();
            let mut result = shim.run(params.clone(), context.clone()).await;
            if result.verdict == Verdict::InvalidConfig {
                tell(&mut result, &source);
                return Ok(2);
            }
            metrics.note(&result);
            let line = health(&result).replace('\n', " ");
            manager.say(&format!("STATUS={line}"));
            let shown = match terminal.json {
                true => Value::Object(result.object.clone()).to_string(),
                false => {
                    let now = times::shown(times::now_ms());
                    let style = if result.verdict == Verdict::Complete { Style::Good } else { Style::Bad };
                    format!(
                        "{} {}",
                        terminal.paint(Style::Faint, &now),
                        terminal.paint(style, &harmless(&line))
                    )
                }
            };
            said::to_stdout(shown);
            if !stop.is_wished() {
                tokio::select! {
                    () = tokio::time::sleep_until(begin + options.every) => {}
                    () = stop.wished() => {}
                }
            }
            if stop.is_wished() {
                manager.say("STOPPING=1");
                return Ok(0);
            }
        }
    })
}

/// How a run went, in one line.
fn health(result: &RunResult) -> String {
    let line = progress(result);
    match result.object.get("error").and_then(Value::as_str) {
        Some(error) => format!("{line}; error: {error}"),
        None => line,
    }
}

/// What a run came to, in one line.
pub(super) fn progress(result: &RunResult) -> String {
    let number = |path: &str| number(result, path);
    let text = |key: &str| result.object.get(key).and_then(Value::as_str);
    if let Some(reason) = text("skipped") {
        return format!("skipped: {reason}");
    }
    let mut parts = vec![
        many(number("/activations"), "new activation"),
        format!("{} acknowledged", many(number("/lines/acknowledged"), "line")),
    ];
    let owed = number("/left/ranges") + number("/left/records");
    match number("/left/oldest_age_ms") {
        0 if owed == 0 => parts.push("nothing owed".to_owned()),
        age => parts.push(format!("{owed} owed, the oldest for {}", times::told(age))),
    }
    let settling = number("/left/settling");
    if settling > 0 {
        parts.push(format!("{} to be compared once more", many(settling, "range")));
    }
    parts.push(format!("{} behind", times::told(number("/lag_ms"))));
    parts.join(", ")
}

/// A number of the result; 0 if it is not there.
fn number(result: &RunResult, path: &str) -> u64 {
    let (name, rest) =
        path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let value = result.object.get(name);
    let value = if rest.is_empty() { value } else { value.and_then(|group| group.get(rest)) };
    value.and_then(Value::as_u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn result(object: &Value) -> RunResult {
        RunResult::report(object.to_string().as_bytes(), true, true, &[], &[])
    }

    #[test]
    fn a_run_is_told_in_one_line() {
        let good =
            json!({"activations": 1, "lines": {"acknowledged": 12}, "left": {"ranges": 0}, "lag_ms": 850});
        assert_eq!(
            health(&result(&good)),
            "1 new activation, 12 lines acknowledged, nothing owed, 850 ms behind"
        );
        let bad = json!({
            "error": "refused", "activations": 0, "lines": {"acknowledged": 0}, "lag_ms": 600_000,
            "left": {"ranges": 2, "records": 1, "oldest_age_ms": 600_000}
        });
        assert_eq!(
            health(&result(&bad)),
            "0 new activations, 0 lines acknowledged, 3 owed, the oldest for 10 min, 10 min behind; error: refused"
        );
        let settling = json!({"left": {"ranges": 0, "settling": 1}, "lag_ms": 5});
        let told = health(&result(&settling));
        assert!(told.ends_with("nothing owed, 1 range to be compared once more, 5 ms behind"), "{told}");
        assert_eq!(health(&result(&json!({"skipped": "another"}))), "skipped: another");
    }
}
