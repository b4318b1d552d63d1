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

use self::metrics::{Begin, Metrics};
use self::systemd::Manager;
use super::ending::{ended, misused, noted, tell};
use super::progress;
use super::terminal::{Speech, Style, Terminal, harmless};
use super::trouble::Troubles;
use super::{Prepared, TlsFiles, session, times, values};
use crate::attached::Stop;
use crate::component::Subject;
use crate::entrypoint::environment;
use crate::result::{RunResult, Verdict};
use crate::run::{Keeper, RunContext, Shim};
use crate::said;
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
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = every)]
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

/// More often than this a run only loads the API.
const LEAST: Duration = Duration::from_secs(1);

fn every(text: &str) -> Result<Duration, String> {
    let every = times::span(text)?;
    let is_enough = every >= LEAST;
    if is_enough {
        Ok(every)
    } else {
        Err("is too often, as each run asks the API; give 1s or more".to_owned())
    }
}

fn file(text: &str) -> Result<PathBuf, &'static str> {
    if text == "-" { Err("stdout tells of the runs; name a file") } else { Ok(text.into()) }
}

impl WatchOptions {
    /// Forwards until it is told to end.
    pub(super) fn go(&self) -> ExitCode {
        let Self { config, tls, state, output, .. } = self;
        match super::prepare(config, tls, state.as_deref(), output.as_deref(), &environment) {
            Ok(prepared) => {
                let terminal = Terminal::of_stdout(self.speech, &environment);
                ended(run(self, prepared, terminal, &environment))
            }
            Err(message) => misused(&message),
        }
    }
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
    session::run(&stop, 0, async |shim| {
        let faults = shim.check(params.clone(), &context).await;
        if !faults.is_empty() {
            tell(&mut RunResult::invalid_config(faults), &source);
            return Ok(2);
        }
        let counters = context.attached.counters.clone();
        let mut troubles = Troubles::new(counters.clone());
        // The component's log goes to stderr for a program, and says what a run says.
        troubles.leaves_reports_to_the_log(terminal.json);
        let reached = begin(&shim, &params, &context).await;
        let metrics = Arc::new(Metrics::new(counters, reached, times::now_ms()));
        if let Some(address) = options.metrics {
            metrics::serve(address, metrics.clone()).await?;
        }
        manager.say("READY=1\nSTATUS=the first run");
        let _alive = manager.keep_alive();
        loop {
            let begin = Instant::now();
            let meter = progress::of_run(&mut context);
            let mut result = shim.run(params.clone(), context.clone()).await;
            drop(meter);
            if result.verdict == Verdict::InvalidConfig {
                tell(&mut result, &source);
                return Ok(2);
            }
            troubles.note(&result).iter().for_each(said::to_stderr);
            metrics.note(&result, troubles.cause());
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

/// How far the checkpoint in the file has come. One that the platform keeps is read by the runs alone: it cannot be had while they fail.
async fn begin(shim: &Shim, params: &Value, context: &RunContext) -> Begin {
    if !matches!(context.checkpoint, Keeper::File(_)) {
        return Begin::default();
    }
    let Ok(sight) = shim.sight(params.clone(), context) else { return Begin::default() };
    sight.look(Subject::Checkpoint).await.map_or_else(|_| Begin::default(), |saved| reached(&saved))
}

/// What a look at the checkpoint tells of it.
fn reached(saved: &Value) -> Begin {
    let number = |value: &Value, key: &str| value.get(key).and_then(Value::as_u64).unwrap_or(0);
    let mut begin = Begin { lag_ms: number(saved, "lag_ms"), ..Begin::default() };
    for source in saved.get("sources").and_then(Value::as_array).into_iter().flatten() {
        begin.owed += number(source, "owed_ranges") + number(source, "owed_records");
        let oldest = number(source, "owed_age_ms").max(number(source, "records_age_ms"));
        begin.oldest_age_ms = begin.oldest_age_ms.max(oldest);
    }
    begin
}

/// How a run went, in one line.
fn health(result: &RunResult) -> String {
    let line = summary(result);
    match result.object.get("error").and_then(Value::as_str) {
        Some(error) => format!("{line}; error: {error}"),
        None => line,
    }
}

/// What a run came to, in one line.
pub(super) fn summary(result: &RunResult) -> String {
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
    fn runs_are_a_second_apart_at_least() {
        assert_eq!((every("1s"), every("90s")), (Ok(LEAST), Ok(Duration::from_secs(90))));
        assert_eq!(every("999ms").unwrap_err(), "is too often, as each run asks the API; give 1s or more");
    }

    #[test]
    fn a_checkpoint_tells_how_far_the_forwarder_had_come() {
        let saved = json!({"lag_ms": 9_000, "sources": [
            {"lag_ms": 9_000, "owed_ranges": 2, "owed_age_ms": 9_000, "owed_records": 0, "records_age_ms": null},
            {"lag_ms": 5, "owed_ranges": 0, "owed_age_ms": null, "owed_records": 1, "records_age_ms": 12_000}
        ]});
        assert_eq!(reached(&saved), Begin { lag_ms: 9_000, owed: 3, oldest_age_ms: 12_000 });
        assert_eq!(reached(&json!({"place": "a file"})), Begin::default());
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
