//! `backfill`: forwards a range of the past, or some activations again, with a checkpoint of its own.

mod progress;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};
use whiskjack_config_file::Source;

use self::progress::Meter;
use super::ending::{ended, misused, noted, tell};
use super::{Prepared, TlsFiles, direct, replace, session, times, values};
use crate::attached::{Rate, Stop, Watcher};
use crate::entrypoint::environment;
use crate::result::{RunResult, Verdict};
use crate::run::{Keeper, Memory, RunContext, Shim};
use whiskjack_settings::said;
use whiskjack_settings::text::many;

/// How soon after a run the next one sees all that the first could not see: the API's index may be behind by a minute.
const SETTLED: Duration = Duration::from_secs(66);
/// Pause after a run that failed, and how many may fail one after the other without any line.
const PAUSE: Duration = Duration::from_secs(5);
const FAILURES: u32 = 6;

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
    #[arg(long, value_name = "TIME", value_parser = times::past, required_unless_present = "activation")]
    pub from: Option<u64>,
    /// The last start; now if it is not given
    #[arg(long, value_name = "TIME", value_parser = times::point)]
    pub to: Option<u64>,
    /// Keep the checkpoint in this file; without it the file is in this folder, and its name tells the range
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
        match prepare(self, &environment).and_then(|prepared| Ok((self.range()?, prepared))) {
            Ok((range, prepared)) => ended(run(self, range, prepared)),
            Err(message) => misused(&message),
        }
    }

    /// What is to be forwarded.
    fn range(&self) -> Result<Option<Range>, String> {
        let Some(from) = self.from else { return Ok(None) };
        let to = self.to.unwrap_or_else(times::now_ms);
        if from >= to {
            let [from, to] = [from, to].map(times::shown);
            return Err(format!("--to: {to} is not later than --from, {from}; give a later time"));
        }
        let name = |ms: u64| times::shown(ms).replace(['-', ':'], "");
        let named = || format!("whiskjack-backfill-{}-{}.state", name(from), name(to)).into();
        let state = self.state.clone().unwrap_or_else(named);
        fits(&state, from)?;
        Ok(Some(Range { from, to, state }))
    }
}

/// A range of starts, and the file of its checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    from: u64,
    to: u64,
    state: PathBuf,
}

/// Whether the checkpoint in the file, if there is one, began at `from`: what is before its begin would be left out.
fn fits(state: &PathBuf, from: u64) -> Result<(), String> {
    let Ok(bytes) = std::fs::read(state) else { return Ok(()) };
    let kept: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let sources = kept.get("sources").and_then(Value::as_object).into_iter().flat_map(Map::values);
    let mut origins = sources.filter_map(|source| source.get("origin")?.as_u64());
    match origins.find(|origin| *origin != from) {
        None => Ok(()),
        Some(other) => Err(format!(
            "--state {}: holds what has begun at {} ({other}), and --from is {} ({from}); give that time, or another file",
            state.display(),
            times::shown(other),
            times::shown(from)
        )),
    }
}

fn prepare(
    options: &BackfillOptions,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Prepared, String> {
    let mut prepared = super::prepare_file(&options.config, Some(&options.tls), None, environment)?;
    if let Value::Object(params) = &mut prepared.params {
        direct::without_memory(params);
        if !options.actions.is_empty() {
            params.insert("actions".to_owned(), json!(options.actions));
        }
    }
    super::attach_output(
        options.output.as_deref(),
        &options.config,
        options.state.as_deref(),
        &mut prepared,
    )?;
    if let Value::Object(params) = &mut prepared.params {
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
    let (stop, meter) = (Stop::default(), Meter::new());
    context.attached.stop = stop.clone();
    context.attached.is_quiet = true;
    context.attached.saves_often = true;
    context.attached.watcher = Some(Watcher::new({
        let meter = meter.clone();
        move |progress| meter.show(progress)
    }));
    if let Some(range) = &range {
        // Inclusive, as people mean it.
        params.insert("from".to_owned(), range.from.saturating_sub(1).into());
        params.insert("to".to_owned(), range.to.into());
        context.checkpoint = Keeper::OwnFile(range.state.clone());
        said::to_stderr(format_args!(
            "whiskjack: from {} to {}; the checkpoint is in {}",
            times::shown(range.from),
            times::shown(range.to),
            range.state.display()
        ));
    }
    session::run(&stop, async |shim| {
        if range.is_none() {
            let records = match shim.find(Value::Object(params.clone()), &context, &options.activation).await
            {
                Ok(records) => records,
                Err(message) => {
                    said::to_stderr(format_args!("whiskjack: {message}"));
                    return Ok(1);
                }
            };
            let (keeper, actions) = owing(&records, &params)?;
            params.insert("actions".to_owned(), actions);
            // There is no range to look at.
            params.insert("to".to_owned(), 1.into());
            context.checkpoint = keeper;
        }
        Backfill { shim, params: Value::Object(params), source, context, stop: stop.clone(), meter, range }
            .run()
            .await
    })
}

/// A checkpoint that owes these activations to the actions that they are of.
fn owing(records: &[crate::run::Record], params: &Map<String, Value>) -> anyhow::Result<(Keeper, Value)> {
    let listed = params.get("actions").cloned().unwrap_or_else(|| json!([]));
    let name_of = |entry: &Value| entry.as_str().or_else(|| entry.get("name")?.as_str()).map(str::to_owned);
    let names: Vec<String> = listed.as_array().into_iter().flatten().filter_map(name_of).collect();
    let has_pattern = names.iter().any(|name| name.contains('*'));
    let mut sources: Map<String, Value> = Map::new();
    for record in records {
        let own = record.names.iter().find(|name| names.contains(name));
        let source = match own {
            _ if has_pattern => "*",
            Some(name) => name,
            None => anyhow::bail!(
                "--activation {}: is of `{}`, which `actions` does not name; name it there",
                record.id,
                record.names.first().map(String::as_str).unwrap_or_default()
            ),
        };
        let state = sources
            .entry(source)
            .or_insert_with(|| json!({"origin": record.start, "through": record.start, "records": []}));
        if let Some(Value::Array(owed)) = state.get_mut("records") {
            owed.push(json!({"start": record.start, "id": record.id}));
            // The forwarder looks them up by start and id.
            owed.sort_by_key(|owed| (owed["start"].as_u64(), owed["id"].as_str().map(str::to_owned)));
        }
    }
    let checkpoint = json!({"version": 3, "sources": sources});
    Ok((Keeper::Memory(Memory::holding(checkpoint.to_string().into_bytes())), listed))
}

struct Backfill {
    shim: Shim,
    params: Value,
    source: Source,
    context: RunContext,
    stop: Stop,
    meter: Meter,
    range: Option<Range>,
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
    async fn run(self) -> anyhow::Result<u8> {
        let (mut acknowledged, mut failures) = (0, 0);
        loop {
            let mut result = self.shim.run(self.params.clone(), self.context.clone()).await;
            if result.verdict == Verdict::InvalidConfig {
                tell(&mut result, &self.source);
                return Ok(2);
            }
            let lines = number(&result, "lines", "acknowledged");
            acknowledged += lines;
            self.meter.run_is_over(acknowledged);
            let error = result.object.get("error").and_then(Value::as_str);
            let left = left(&result);
            failures = if error.is_none() || lines > 0 { 0 } else { failures + 1 };
            if let Some(error) = error {
                said::to_stderr(format_args!("whiskjack: {error}"));
            }
            let (lines, pause) = match left {
                Left::Nothing => {
                    said::to_stderr(format_args!("complete: {} acknowledged", many(acknowledged, "line")));
                    return Ok(0);
                }
                _ if self.stop.is_wished() => return Ok(self.interrupted(acknowledged, &left)),
                Left::Comparison => {
                    said::to_stderr(format_args!(
                        "{} acknowledged; in a minute the range is compared once more with what the API shows then",
                        many(acknowledged, "line")
                    ));
                    (true, SETTLED)
                }
                Left::Lines if failures >= FAILURES => return Ok(self.interrupted(acknowledged, &left)),
                Left::Lines if error.is_some() => (false, PAUSE),
                Left::Lines => (false, Duration::ZERO),
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stop.wished() => {
                    let left = if lines { Left::Comparison } else { Left::Lines };
                    return Ok(self.interrupted(acknowledged, &left));
                }
            }
        }
    }

    /// Says what was achieved, and how to go on.
    fn interrupted(&self, acknowledged: u64, left: &Left) -> u8 {
        let done = many(acknowledged, "line");
        match (left, &self.range) {
            (Left::Comparison, _) => {
                said::to_stderr(format_args!(
                    "{done} acknowledged, and nothing is owed; not compared once more"
                ));
                return 0;
            }
            (_, Some(Range { from, to, state })) => said::to_stderr(format_args!(
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
