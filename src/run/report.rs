//! The report: what a run achieved, as the action's result, and its log.

mod advanced;
mod heartbeat;
mod saved;
mod told;

use crate::checkpoint::{Checkpoint, LogPlace, Part};
use crate::lumberjack::Counts;
use crate::openwhisk::api::Api;
use crate::ports::Ports;
use crate::run::forward::{Outcome, Tally};
use crate::run::plan::{Memory, Plan};
use crate::run::store::{NOT_SAVED, SAVED, UNCHANGED};
use crate::sorted::Map;
use advanced::{advanced, logs_learned};
use saved::{SavedTo, remembered, save};
use serde::Serialize;
use serde_json::value::RawValue;

/// Most sources, warnings and failures that a result names: it must stay far below the platform's 1 MiB.
const NAMED_SOURCES: usize = 500;
const NAMED_MESSAGES: usize = 20;
/// Most records in trouble that it names.
const NAMED_RECORDS: usize = 10;
/// Most activations without lines that it names: only a person who names them by their ids has many.
const NAMED_EMPTY: usize = 1000;

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    /// The result, a JSON object on one line.
    pub result: Vec<u8>,
    /// The checkpoint, if the host keeps it.
    pub checkpoint: Option<Vec<u8>>,
    /// Whether everything was read, acknowledged and saved.
    pub complete: bool,
    /// The run's log lines.
    pub log: Vec<String>,
    /// For the next run in this container.
    pub memory: Option<Memory>,
}

/// The result's fields, in this order.
#[derive(Debug, Default, Serialize)]
struct RunResult {
    /// First, as people look for it. OpenWhisk takes a result with this key as an application error.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Why the run did nothing, though nothing is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
    activations: u64,
    /// Activations that have an event of their own.
    #[serde(skip_serializing_if = "is_zero")]
    summaries: u64,
    lines: Lines,
    left: Left,
    /// Time since the oldest start that is not forwarded yet, or else since the run asked for what there is.
    lag_ms: u64,
    windows: u64,
    keep_alives: u64,
    /// Time spent waiting for receivers.
    waited_ms: u64,
    requests: u64,
    #[serde(skip_serializing_if = "is_zero")]
    unreadable_records: u64,
    /// Activations that were owed by themselves, and have nothing to forward.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    empty_activations: Vec<String>,
    duration_ms: u64,
    checkpoint: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// Only actions of which something was read, or that failed.
    actions: Map<String, ActionResult>,
    /// For the next run, if there is no better place; `store::read_records` finds it there.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint_state: Option<Box<RawValue>>,
}

#[derive(Debug, Default, Serialize)]
struct Lines {
    read: u64,
    sent: u64,
    resent: u64,
    acknowledged: u64,
    /// Left out, as the configuration says.
    #[serde(skip_serializing_if = "is_zero")]
    filtered: u64,
    /// In the event of another one.
    #[serde(skip_serializing_if = "is_zero")]
    joined: u64,
    #[serde(skip_serializing_if = "is_zero")]
    truncated: u64,
    #[serde(skip_serializing_if = "is_zero")]
    mended: u64,
    #[serde(skip_serializing_if = "is_zero")]
    set_aside: u64,
    unacknowledged: u64,
}

/// What the next run goes on with.
#[derive(Debug, Default, Serialize)]
struct Left {
    ranges: u64,
    /// Records that are owed by themselves.
    #[serde(skip_serializing_if = "is_zero")]
    records: u64,
    /// Forwarded, but to be counted once more.
    #[serde(skip_serializing_if = "is_zero")]
    settling: u64,
    /// Whose documents wait for logs that are not in their store yet.
    #[serde(skip_serializing_if = "is_zero")]
    activations: u64,
    /// Those of them with which nothing is wrong.
    #[serde(skip)]
    silent: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
    /// How long ago that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_age_ms: Option<u64>,
}

#[derive(Debug, Default, Serialize)]
struct ActionResult {
    activations: u64,
    lines: u64,
    acknowledged: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Saves the checkpoint and reports. With `last` false it saves only, and the report counts what was achieved so far.
pub fn conclude(ports: Ports<'_>, plan: &Plan, outcomes: &[Outcome], last: bool) -> Report {
    if let Some(reason) = &plan.skipped {
        return skipped(ports, plan, reason, last);
    }
    let api = Api::new(ports, plan.deadline_ms);
    let mut checkpoint = advanced(plan, outcomes);
    checkpoint.saved_ms = ports.clock.now_ms();
    let achieved = |outcome: &Outcome| outcome.tally.sending.acknowledged + outcome.tally.set_aside > 0;
    let persists = last && outcomes.iter().any(achieved);
    let saved = match plan.rests && outcomes.is_empty() {
        true => Ok((SavedTo::Unchanged, None)),
        false => save(plan, &api, &mut checkpoint, last, persists),
    };
    let mut result = summarize(plan, outcomes, &checkpoint);
    let mut failures = told::failures(outcomes);
    failures.extend(told::troubles(plan, &checkpoint));
    let mut memory = None;
    let handed = match saved {
        Ok((kept, warning)) => {
            memory = remembered(plan, &kept, &checkpoint).filter(|_| last);
            result.warnings.extend(warning);
            result.keep(kept)
        }
        Err(failure) => {
            result.checkpoint = NOT_SAVED;
            failures.push(format!(
                "the checkpoint could not be saved, so the next run sends these lines again: {failure}"
            ));
            None
        }
    };
    result.requests += plan.requests + api.requests();
    result.duration_ms = ports.clock.now_ms().saturating_sub(plan.began_ms);
    let failed = failures.len();
    result.error = told::joined(failures);
    if last && plan.config.heartbeat {
        result.warnings.extend(heartbeat::send(ports, plan, &result, failed));
    }
    let Left { ranges, settling, records, activations, silent, .. } = result.left;
    let complete = result.error.is_none() && ranges + settling + records + activations == silent;
    let log = if last { told::log(plan, outcomes, &result) } else { Vec::new() };
    Report { result: result.json(), checkpoint: handed, complete, log, memory }
}

/// Another run is at work: nothing is wrong and nothing is lost, but nothing was done here either, so it does not count as complete.
fn skipped(ports: Ports<'_>, plan: &Plan, reason: &str, last: bool) -> Report {
    let result = RunResult {
        skipped: Some(reason.into()),
        requests: plan.requests,
        duration_ms: ports.clock.now_ms().saturating_sub(plan.began_ms),
        checkpoint: UNCHANGED,
        warnings: plan.warnings.clone(),
        ..RunResult::default()
    };
    let log = if last { vec![format!("skipped: {reason}")] } else { Vec::new() };
    Report { result: result.json(), checkpoint: None, complete: false, log, memory: None }
}

impl From<Tally> for RunResult {
    fn from(total: Tally) -> Self {
        let Counts { windows, sent, resent, acknowledged, keep_alives, waited_ms, small_windows: _ } =
            total.sending;
        let Tally {
            activations,
            lines,
            requests,
            unreadable,
            set_aside,
            truncated,
            mended,
            put_off,
            silent,
            filtered,
            joined,
            summaries,
            ..
        } = total;
        let events = (lines + summaries).saturating_sub(filtered + joined);
        let unacknowledged = events.saturating_sub(acknowledged + set_aside);
        let lines = Lines {
            read: lines,
            sent,
            resent,
            acknowledged,
            filtered,
            joined,
            truncated,
            mended,
            set_aside,
            unacknowledged,
        };
        Self {
            activations,
            summaries,
            lines,
            left: Left { activations: put_off, silent, ..Left::default() },
            windows,
            keep_alives,
            waited_ms,
            requests,
            unreadable_records: unreadable,
            ..Self::default()
        }
    }
}

impl RunResult {
    /// Notes where the checkpoint went. Returns what the host has to keep.
    fn keep(&mut self, kept: SavedTo) -> Option<Vec<u8>> {
        self.checkpoint = SAVED;
        match kept {
            SavedTo::Package => {}
            SavedTo::Host(json) => return Some(json),
            SavedTo::Result(state) => {
                self.checkpoint = "in this result";
                self.checkpoint_state = Some(state);
            }
            SavedTo::NotYet => self.checkpoint = "not saved yet",
            SavedTo::Unchanged => self.checkpoint = UNCHANGED,
        }
        None
    }

    fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self)
            .unwrap_or_else(|_| br#"{"error":"the result could not be written"}"#.to_vec())
    }
}

fn summarize(plan: &Plan, outcomes: &[Outcome], checkpoint: &Checkpoint) -> RunResult {
    let mut total = Tally::default();
    let mut actions: Map<String, ActionResult> = Map::new();
    for Outcome { source, tally, failure, .. } in outcomes {
        total += *tally;
        let named = actions.len() < NAMED_SOURCES || actions.contains_key(source);
        if named && (tally.activations > 0 || failure.is_some()) {
            actions.change(source.clone(), |action| {
                action.activations += tally.activations;
                action.lines += tally.lines;
                action.acknowledged += tally.sending.acknowledged;
                action.error = failure.clone().or(action.error.take());
            });
        }
    }
    let mut result = RunResult { actions, ..RunResult::from(total) };
    let states = || plan.work.keys().filter_map(|name| checkpoint.sources.get(name));
    let owed = || states().flat_map(|state| &state.owed).map(|owed| owed.range.since());
    let records = || states().flat_map(|state| &state.records).map(|record| record.start);
    result.left.ranges = owed().map(|_| 1).sum();
    result.left.records = records().map(|_| 1).sum();
    result.left.settling = states().flat_map(|state| &state.settling).map(|_| 1).sum();
    let put_off = || outcomes.iter().filter_map(|outcome| outcome.put_off_since);
    let oldest = owed().chain(records()).chain(put_off()).min();
    let age_ms = |time: u64| checkpoint.saved_ms.saturating_sub(time);
    result.left.oldest = oldest.map(crate::time::rfc3339);
    result.left.oldest_age_ms = oldest.map(age_ms);
    let end = plan.config.to.map_or(plan.began_ms, |to| to.min(plan.began_ms));
    // What is only looked at again was forwarded, as far as anybody knows.
    let fresh = states().flat_map(|state| &state.owed).filter(|owed| owed.part == Part::Fresh);
    let missing = fresh.map(|owed| owed.range.since()).chain(records()).chain(put_off());
    let complete = states().map(|state| state.complete_until).chain(missing).min();
    // Up to where forwarding ends there is nothing to wait for.
    result.lag_ms = complete.filter(|complete| *complete < end).map_or_else(|| age_ms(plan.began_ms), age_ms);
    let nowhere = logs_learned(outcomes) == Some(LogPlace::Nowhere) && plan.logs != LogPlace::Nowhere;
    let no_logs = nowhere.then(|| "this platform does not give logs: its log driver takes them elsewhere, and `/logs` says they are not available".into());
    let empty = outcomes.iter().flat_map(|outcome| &outcome.empty);
    result.empty_activations = empty.map(|one| one.activation_id.to_string()).take(NAMED_EMPTY).collect();
    let without_logs = outcomes.iter().flat_map(|outcome| &outcome.without_logs).cloned();
    let notes = plan.warnings.iter().cloned().chain(told::mended(result.lines.mended)).chain(no_logs);
    let notes = notes.chain(told::small_windows(outcomes)).chain(told::passed_over(outcomes));
    result.warnings = notes.chain(without_logs).take(NAMED_MESSAGES).collect();
    result
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
