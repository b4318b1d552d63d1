//! The report: what a run achieved, as the action's result, and its log.

use crate::api::Api;
use crate::checkpoint::{Checkpoint, Owed, save_package};
use crate::config::LogLevel;
use crate::forward::{Outcome, Tally};
use crate::plan::{Keep, Plan};
use crate::ports::Ports;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Most sources, warnings and failures that a result names: it must stay far below the platform's 1 MiB.
const NAMED_SOURCES: usize = 500;
const NAMED_MESSAGES: usize = 20;

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
}

/// The result's fields, in this order.
#[derive(Debug, Default, Serialize)]
struct RunResult {
    /// First, as people look for it. OpenWhisk takes a result with this key as an application error.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    activations: u64,
    lines: Lines,
    left: Left,
    windows: u64,
    keep_alives: u64,
    requests: u64,
    #[serde(skip_serializing_if = "is_zero")]
    unreadable_records: u64,
    duration_ms: u64,
    checkpoint: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// Only actions of which something was read, or that failed.
    actions: BTreeMap<String, ActionResult>,
}

#[derive(Debug, Default, Serialize)]
struct Lines {
    read: u64,
    sent: u64,
    resent: u64,
    acknowledged: u64,
    unacknowledged: u64,
}

/// What the next run goes on with.
#[derive(Debug, Default, Serialize)]
struct Left {
    ranges: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
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
    let checkpoint = advanced(plan, outcomes);
    let mut result = summarize(plan, outcomes, &checkpoint);
    let mut failures: BTreeSet<String> =
        outcomes.iter().filter_map(|outcome| outcome.failure.clone()).collect();
    let api = Api::new(ports, plan.deadline_ms);
    let kept = match checkpoint.encode() {
        Ok(json) => save(plan, &api, json).inspect_err(|failure| {
            failures.insert(format!(
                "the checkpoint could not be saved, so the next run sends these lines again: {failure}"
            ));
        }),
        Err(error) => {
            failures.insert(format!("the checkpoint could not be saved: {error}"));
            Err(error.to_string())
        }
    };
    result.checkpoint = if kept.is_ok() { "saved" } else { "not saved" };
    result.requests += api.requests();
    result.duration_ms = ports.clock.now_ms().saturating_sub(plan.began_ms);
    result.error = joined(failures);
    let complete = result.error.is_none() && result.left.ranges == 0;
    let log = if last { log(plan, outcomes, &result) } else { Vec::new() };
    let json = serde_json::to_vec(&result)
        .unwrap_or_else(|_| br#"{"error":"the result could not be written"}"#.to_vec());
    Report { result: json, checkpoint: kept.ok().flatten(), complete, log }
}

/// The checkpoint after these outcomes.
fn advanced(plan: &Plan, outcomes: &[Outcome]) -> Checkpoint {
    let mut checkpoint = plan.checkpoint.clone();
    for (name, work) in &plan.work {
        let Some(state) = checkpoint.sources.get_mut(name) else { continue };
        let own = || outcomes.iter().filter(|outcome| outcome.source == *name);
        own().flat_map(|outcome| &outcome.renewed).for_each(|bucket| state.seen.renew(*bucket));
        state.note(own().flat_map(|outcome| outcome.done.iter().copied()));
        let covered: Vec<Owed> = own().filter_map(|outcome| outcome.covered).collect();
        state.advance(work, &covered, plan.lookback_ms);
    }
    checkpoint
}

fn save(plan: &Plan, api: &Api<'_>, json: Vec<u8>) -> Result<Option<Vec<u8>>, String> {
    match &plan.store {
        Keep::Host => Ok(Some(json)),
        Keep::Package { name, others } => {
            save_package(api, name, others, &json).map(|()| None).map_err(|failure| failure.message)
        }
    }
}

fn summarize(plan: &Plan, outcomes: &[Outcome], checkpoint: &Checkpoint) -> RunResult {
    let mut result = RunResult::default();
    for Outcome { source, tally, failure, .. } in outcomes {
        let Tally {
            activations,
            lines,
            acknowledged,
            sent,
            resent,
            windows,
            keep_alives,
            requests,
            unreadable,
        } = *tally;
        result.activations += activations;
        result.lines.read += lines;
        result.lines.sent += sent;
        result.lines.resent += resent;
        result.lines.acknowledged += acknowledged;
        result.windows += windows;
        result.keep_alives += keep_alives;
        result.requests += requests;
        result.unreadable_records += unreadable;
        let named = result.actions.len() < NAMED_SOURCES || result.actions.contains_key(source);
        if named && (activations > 0 || failure.is_some()) {
            let action = result.actions.entry(source.clone()).or_default();
            action.activations += activations;
            action.lines += lines;
            action.acknowledged += acknowledged;
            action.error = failure.clone().or(action.error.take());
        }
    }
    result.lines.unacknowledged = result.lines.read.saturating_sub(result.lines.acknowledged);
    let owed =
        || plan.work.keys().filter_map(|name| checkpoint.sources.get(name)).flat_map(|state| &state.owed);
    result.left.ranges = owed().map(|_| 1).sum();
    result.left.oldest = owed().map(|owed| owed.range.since()).min().map(crate::time::rfc3339);
    let unreadable = outcomes.iter().flat_map(|outcome| outcome.unreadable.iter().cloned());
    result.warnings = plan.warnings.iter().cloned().chain(unreadable).take(NAMED_MESSAGES).collect();
    result
}

fn joined(failures: BTreeSet<String>) -> Option<String> {
    let more = failures.len().saturating_sub(NAMED_MESSAGES);
    let mut text = failures.into_iter().take(NAMED_MESSAGES).collect::<Vec<_>>().join("; ");
    if more > 0 {
        text.push_str(&format!("; and {more} more"));
    }
    (!text.is_empty()).then_some(text)
}

/// One line a run: the forwarder's log is an activation log too, and somebody may forward it.
fn log(plan: &Plan, outcomes: &[Outcome], result: &RunResult) -> Vec<String> {
    let mut log = Vec::new();
    if plan.log_level >= LogLevel::Debug {
        let slice = |outcome: &Outcome| {
            let Tally { activations, lines, acknowledged, requests, .. } = outcome.tally;
            let failure = outcome.failure.as_ref().map_or(String::new(), |failure| format!(", {failure}"));
            format!(
                "{}: {activations} activations, {lines} lines, {acknowledged} acknowledged, {requests} requests{failure}",
                outcome.source
            )
        };
        log.extend(outcomes.iter().map(slice));
    }
    let Lines { read, acknowledged, .. } = result.lines;
    let error = result.error.as_ref().map_or(String::new(), |error| format!("; error: {error}"));
    log.push(format!(
        "{} actions, {} new activations, {read} lines read, {acknowledged} acknowledged, {} ranges left, {} ms{error}",
        plan.work.len(),
        result.activations,
        result.left.ranges,
        result.duration_ms
    ));
    log
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
