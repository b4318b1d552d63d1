//! `backfill`: forwards a range of the past, or some activations again, with a checkpoint of its own.

mod again;
mod range;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};
use whiskjack_config_file::Source;

use self::range::{Moment, Range};
use super::ending::{ended, misused, noted, tell};
use super::meter::Meter;
use super::progress::{Lines, Words};
use super::trouble::Troubles;
use super::{Prepared, TlsFiles, direct, replace, session, values};
use crate::attached::{Rate, Stop, Watcher};
use crate::checkpoint::{self, Unusable};
use crate::entrypoint::environment;
use crate::result::{RunResult, Verdict};
use crate::run::{Keeper, OwnFile, RunContext, Shim, done};
use crate::said;
use whiskjack_settings::text::many;

/// How soon after a run the next one sees all that the first could not see: the API's index may be behind by a minute, and the clocks of two runs
/// may differ by half a minute.
const SETTLED: Duration = Duration::from_secs(96);
/// Pause after a run that failed, and how many may fail one after the other without any line.
const PAUSE: Duration = Duration::from_secs(5);
const FAILURES: u32 = 6;

/// What moves on.
const PROGRESS: Words = Words { unit: "line", done: "acknowledged", whole: "of the range" };

/// Lines of a window, where nothing else is configured.
const WINDOW: u32 = 2048;

/// Forward a range of the past, or some activations again. Ids are equal, so what was sent before is replaced and not doubled
#[derive(Args, Debug, PartialEq, Eq)]
#[command(after_help = "\
TIME is 2026-11-29T14:00:00Z, 2026-11-29 (its first moment in UTC), milliseconds since 1970, now, or a span before now such as 2h. Ctrl-C
ends it, saves how far it has come, and tells how to go on.

Examples:
  whiskjack backfill --config whiskjack.yaml --from 2026-11-01 --to 2026-11-08
  whiskjack backfill --config whiskjack.yaml --from 2d --to 1h shop/checkout --state again.state --workers 4 --rate 2000
  whiskjack backfill --config whiskjack.yaml --activation 0a1b2c3d4e5f60718293a4b5c6d7e8f9")]
pub struct BackfillOptions {
    /// Names or patterns, instead of `actions` of the configuration
    #[arg(value_name = "ACTION")]
    pub actions: Vec<String>,
    /// The parameters that an action gets, in YAML or JSON
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The first start
    #[arg(long, value_name = "TIME", value_parser = range::past, required_unless_present = "activation")]
    pub from: Option<Moment>,
    /// The last start; now if it is not given
    #[arg(long, value_name = "TIME", value_parser = range::moment)]
    pub to: Option<Moment>,
    /// Keep the checkpoint in this file; without it the file is in this folder, its name tells the range, and the same command goes on with it
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Connections at the same time, instead of `logstash.worker`
    #[arg(long, value_name = "N", value_parser = values::whole::<u32>(1..=16, "a number of connections"))]
    pub workers: Option<u32>,
    /// Most lines a second
    #[arg(long, value_name = "LINES", value_parser = values::whole::<u32>(1..=u64::from(u32::MAX), "a number of lines a second"))]
    pub rate: Option<u32>,
    /// Forward these activations again, whatever was sent of them, and nothing else
    #[arg(long, value_name = "ID", num_args = 1.., value_parser = activation, conflicts_with_all = ["from", "to", "state", "actions"])]
    pub activation: Vec<String>,
    /// Append the documents to this file as JSON lines, in the place of the receivers
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// For the receiver.
    #[command(flatten)]
    pub tls: TlsFiles,
}

fn activation(text: &str) -> Result<String, &'static str> {
    let id = text.to_ascii_lowercase();
    let is_one = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_one { Ok(id) } else { Err("is not the id of an activation; give its 32 hexadecimal digits") }
}

impl BackfillOptions {
    /// Forwards the range.
    pub(super) fn go(&self) -> ExitCode {
        match prepare(self, &environment).and_then(|prepared| Ok((self.range(&prepared.context)?, prepared)))
        {
            Ok((range, prepared)) => ended(run(self, range, prepared)),
            Err(message) => misused(&message),
        }
    }
}

fn prepare(
    options: &BackfillOptions,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Prepared, String> {
    let BackfillOptions { config, tls, state, output, .. } = options;
    let mut prepared = super::prepare(config, tls, state.as_deref(), output.as_deref(), environment)?;
    // The range has a file with its note.
    prepared.context.checkpoint = Keeper::Platform;
    if let Value::Object(params) = &mut prepared.params {
        direct::without_memory(params);
        if !options.actions.is_empty() {
            params.insert("actions".to_owned(), json!(options.actions));
        }
        if let Some(workers) = options.workers {
            replace(params, "logstash", "worker", workers.into());
        }
        if let Some(rate) = options.rate {
            let known = configured(params, "bulk_max_size").unwrap_or(WINDOW.into());
            // So that a receiver does not wait long for a window.
            replace(params, "logstash", "bulk_max_size", known.min(rate.into()).into());
        }
    }
    prepared.context.attached.rate = options.rate.map(Rate::new);
    Ok(prepared)
}

/// A number of the group `logstash`.
fn configured(params: &Map<String, Value>, name: &str) -> Option<u64> {
    let nested = params.get("logstash").and_then(|group| group.get(name));
    nested.or_else(|| params.get(&format!("logstash.{name}")))?.as_u64()
}

fn run(options: &BackfillOptions, range: Option<Range>, prepared: Prepared) -> anyhow::Result<u8> {
    let Prepared { params, source, mut context } = prepared;
    let Value::Object(mut params) = params else { anyhow::bail!("the parameters are not an object") };
    noted(&context);
    let own = range.as_ref().map(Range::file);
    let (stop, lines) = (Stop::default(), progress(own.as_ref(), &context));
    context.attached.stop = stop.clone();
    context.attached.is_quiet = true;
    context.attached.saves_often = true;
    context.attached.watcher = Some(Watcher::new({
        let lines = lines.clone();
        move |advance| done(advance.now).into_iter().for_each(|done| lines.note(done))
    }));
    if let Some(range) = &range {
        // Inclusive, as people mean it.
        params.insert("from".to_owned(), range.from.saturating_sub(1).into());
        params.insert("to".to_owned(), range.to.into());
    }
    session::run(&stop, 1, async |shim| {
        let _meter = Meter::anywhere(lines.clone());
        if range.is_none() {
            let records = match shim.find(Value::Object(params.clone()), &context, &options.activation).await
            {
                Ok(records) => records,
                Err(message) => {
                    said::to_stderr(format_args!("whiskjack: {message}"));
                    return Ok(1);
                }
            };
            let (keeper, actions) = again::owing(&records);
            params.insert("actions".to_owned(), actions);
            // There is no range to look at.
            params.insert("to".to_owned(), 1.into());
            context.checkpoint = keeper;
        }
        let faults = shim.check(Value::Object(params.clone()), &context).await;
        if !faults.is_empty() {
            tell(&mut RunResult::invalid_config(faults), &source);
            return Ok(2);
        }
        if let (Some(range), Some(own)) = (&range, own) {
            // Before anything is done, so that the same command knows what was begun, however soon it is killed.
            if let Err(unusable) = own.keep([]) {
                said::to_stderr(format_args!("whiskjack: {unusable}"));
                return Ok(if matches!(unusable, Unusable::Named(_)) { 2 } else { 1 });
            }
            said::to_stderr(format_args!("whiskjack: {}", range.told(own.acknowledged())));
            context.checkpoint = Keeper::OwnFile(own);
        }
        let params = Value::Object(params);
        Backfill { shim, params, source, context, stop: stop.clone(), range, lines }.run().await
    })
}

/// Goes on from what the file knows of processes before this one.
fn progress(own: Option<&OwnFile>, context: &RunContext) -> Lines {
    let lines = Lines::new(PROGRESS, context.attached.counters.clone());
    let saved = own.and_then(|own| checkpoint::glance(own.path()).ok()?);
    let done = saved.and_then(|saved| done(&saved)).unwrap_or(0.0);
    lines.after(own.map_or(0, OwnFile::acknowledged), done)
}

struct Backfill {
    shim: Shim,
    params: Value,
    source: Source,
    context: RunContext,
    stop: Stop,
    range: Option<Range>,
    lines: Lines,
}

/// What a run has left.
enum Left {
    Nothing,
    /// All is acknowledged, and is compared once more.
    Comparison,
    /// Lines.
    Lines,
}

impl Backfill {
    async fn run(&self) -> anyhow::Result<u8> {
        let (mut done, mut failures) = (Forwarded::default(), 0);
        let mut troubles = Troubles::new(self.context.attached.counters.clone());
        loop {
            let mut result = self.shim.run(self.params.clone(), self.context.clone()).await;
            let lines = number(&result, "lines", "acknowledged");
            done.lines += lines;
            let empty = result.object.get("empty_activations").and_then(Value::as_array);
            done.empty.extend(empty.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
            if result.verdict == Verdict::InvalidConfig {
                tell(&mut result, &self.source);
                return Ok(2);
            }
            troubles.note(&result).iter().for_each(said::to_stderr);
            let has_failed = result.object.contains_key("error");
            failures = if !has_failed || lines > 0 { 0 } else { failures + 1 };
            let (left, pause) = match left(&result) {
                Left::Nothing => return self.complete(&done),
                left if self.stop.is_wished() || troubles.is_refused() => {
                    return Ok(self.interrupted(&done, &left));
                }
                Left::Comparison => {
                    said::to_stderr(format_args!(
                        "{} acknowledged; in a minute and a half the range is compared once more with what the API shows then",
                        many(done.lines, "line")
                    ));
                    self.lines.rest("compared once more", SETTLED);
                    (Left::Comparison, SETTLED)
                }
                Left::Lines if failures >= FAILURES => return Ok(self.interrupted(&done, &Left::Lines)),
                Left::Lines => (Left::Lines, if has_failed { PAUSE } else { Duration::ZERO }),
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stop.wished() => return Ok(self.interrupted(&done, &left)),
            }
            self.lines.go_on();
        }
    }

    /// All is acknowledged: of the range, or of the activations that were named. Those that have nothing to forward are told.
    fn complete(&self, done: &Forwarded) -> anyhow::Result<u8> {
        let lines = many(done.lines, "line");
        if let Keeper::OwnFile(own) = &self.context.checkpoint {
            own.keep([range::COMPLETE]).map_err(anyhow::Error::new)?;
            let in_all = own.acknowledged();
            let in_all = if in_all > done.lines { format!(" now, {in_all} in all") } else { String::new() };
            said::to_stderr(format_args!("complete: {lines} acknowledged{in_all}"));
            return Ok(0);
        }
        said::to_stderr(format_args!("complete: {lines} acknowledged"));
        let empty = done.empty.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        if empty.is_empty() {
            return Ok(0);
        }
        said::to_stderr(format_args!(
            "whiskjack: --activation {empty}: no lines to forward; name activations that printed something, and none of triggers"
        ));
        Ok(1)
    }

    /// Says what was achieved, and how to go on.
    fn interrupted(&self, done: &Forwarded, left: &Left) -> u8 {
        let done = many(done.lines, "line");
        match (left, &self.range) {
            (Left::Comparison, _) => {
                said::to_stderr(format_args!(
                    "{done} acknowledged, and nothing is owed; not compared once more"
                ));
                return 0;
            }
            (_, Some(Range { from, to, state, .. })) => said::to_stderr(format_args!(
                "{done} acknowledged, more are owed; go on with `whiskjack backfill --from {from} --to {to} --state {}` and the other options",
                state.display()
            )),
            (_, None) => {
                said::to_stderr(format_args!("{done} acknowledged, more are owed; give the command again"))
            }
        }
        1
    }
}

/// What this process has brought.
#[derive(Debug, Default)]
struct Forwarded {
    lines: u64,
    /// Activations that were named, and have nothing to forward.
    empty: BTreeSet<String>,
}

fn left(result: &RunResult) -> Left {
    let number = |name| number(result, "left", name);
    if result.verdict == Verdict::Complete {
        return Left::Nothing;
    }
    let is_owed = number("ranges") + number("records") + number("activations") > 0;
    match result.object.contains_key("error") || is_owed || number("settling") == 0 {
        true => Left::Lines,
        false => Left::Comparison,
    }
}

fn number(result: &RunResult, group: &str, name: &str) -> u64 {
    result.object.get(group).and_then(|group| group.get(name)).and_then(Value::as_u64).unwrap_or(0)
}

#[cfg(test)]
mod tests;
