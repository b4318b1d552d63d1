//! The sentences of a report: warnings, failures, and the run's log.

use super::{Left, Lines, NAMED_MESSAGES, NAMED_RECORDS, RunResult};
use crate::checkpoint::Checkpoint;
use crate::config::LogLevel;
use crate::lumberjack::Counts;
use crate::openwhisk::source::Source;
use crate::run::forward::{Outcome, Tally};
use crate::run::plan::Plan;
use crate::sorted::Map;
use std::collections::HashSet;
use whiskjack_settings::text::many;

/// Lines that are not as they were printed, although the receiver has them.
pub(super) fn mended(lines: u64) -> Option<String> {
    (lines > 0).then(|| {
        format!(
            "{} not sound text in the activation records; each was forwarded all the same, with U+FFFD for what is not \
             UTF-8 and any other JSON value as its text, and is marked with `log.flags: [\"mended\"]`",
            if lines == 1 { "1 log entry was".into() } else { format!("{lines} log entries were") }
        )
    })
}

/// A receiver that takes lines alone and no few lines together gets some of them again in each such run.
pub(super) fn small_windows(outcomes: &[Outcome]) -> Option<String> {
    outcomes.iter().any(|outcome| outcome.tally.sending.small_windows > 0).then(|| {
        "the receiver closes the connection when two to four lines come together, and takes each of them alone, as Logstash's `lumberjack` input \
         does: lines come again each time. Set `logstash.protocol` to 1, or let Logstash listen with its `beats` input"
            .into()
    })
}

/// Receivers that failed though the lines went to another one: somebody should know before that one fails too.
pub(super) fn passed_over(outcomes: &[Outcome]) -> Vec<String> {
    let all = outcomes.iter().flat_map(|outcome| &outcome.passed_over);
    let reasons: Map<&str, &str> = all.rev().map(|(name, why)| (name.as_str(), why.as_str())).collect();
    reasons
        .into_values()
        .map(|why| format!("a receiver failed, and another one got its lines: {why}"))
        .collect()
}

/// Events that receivers do not take are lost for the reader of the logs, so they are named, loudly; their lines stay in the activation record.
pub(super) fn refused(outcomes: &[Outcome]) -> Option<String> {
    let count: u64 = outcomes.iter().map(|outcome| outcome.tally.set_aside).sum();
    let ids: Vec<&str> = outcomes
        .iter()
        .flat_map(|outcome| &outcome.set_aside)
        .map(String::as_str)
        .take(NAMED_MESSAGES)
        .collect();
    (count > 0).then(|| {
        format!(
            "{} set aside: receivers close the connection for them and for no others, and their logs say why. The ids, each namespace, \
             activation, and the line's index or `activation`: {}",
            many(count, "event"),
            ids.join(", ")
        )
    })
}

/// The records that could not be had the last time, each once and all in one sentence: they are tried in each run.
pub(super) fn troubles(plan: &Plan, checkpoint: &Checkpoint) -> Option<String> {
    let states = plan.work.keys().filter_map(|name| checkpoint.sources.get(name));
    let records = states.flat_map(|state| &state.records);
    let mut met = HashSet::new();
    let all: Vec<String> = records
        .filter_map(|record| Some((record, record.trouble.as_ref()?)))
        .filter(|(record, _)| met.insert(record.summary()))
        .map(|(record, trouble)| match record.name.as_str() {
            "" => format!("{} ({trouble})", record.id),
            name => format!("{} of `{name}` ({trouble})", record.id),
        })
        .collect();
    let more = all.len().saturating_sub(NAMED_RECORDS);
    let named = all.into_iter().take(NAMED_RECORDS).collect::<Vec<_>>().join(", ");
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    (!named.is_empty())
        .then(|| format!("activations that cannot be had now, and are tried in each run: {named}{more}"))
}

/// Why slices are not finished, each reason once, in the order of the alphabet.
pub(super) fn failures(outcomes: &[Outcome]) -> Vec<String> {
    let mut failures = Vec::new();
    let lost = outcomes.iter().flat_map(|outcome| &outcome.lost).cloned();
    let failed = outcomes.iter().filter_map(|outcome| outcome.failure.clone());
    for failure in failed.chain(refused(outcomes)).chain(lost) {
        if let Err(place) = failures.binary_search(&failure) {
            failures.insert(place, failure);
        }
    }
    failures
}

pub(super) fn joined(failures: Vec<String>) -> Option<String> {
    let more = failures.len().saturating_sub(NAMED_MESSAGES);
    let mut text = failures.into_iter().take(NAMED_MESSAGES).collect::<Vec<_>>().join("; ");
    if more > 0 {
        text.push_str(&format!("; and {more} more"));
    }
    (!text.is_empty()).then_some(text)
}

/// One line a run: the forwarder's log is an activation log too, and somebody may forward it.
pub(super) fn log(plan: &Plan, outcomes: &[Outcome], result: &RunResult) -> Vec<String> {
    let mut log = Vec::new();
    if plan.config.log_level >= LogLevel::Debug {
        let slice = |outcome: &Outcome| {
            let Tally { activations, lines, requests, sending: Counts { acknowledged, .. }, .. } =
                outcome.tally;
            let failure = outcome.failure.as_ref().map_or(String::new(), |failure| format!(", {failure}"));
            format!(
                "{}: {}, {}, {acknowledged} acknowledged, {}{failure}",
                outcome.source,
                many(activations, "activation"),
                many(lines, "line"),
                many(requests, "request"),
            )
        };
        log.extend(outcomes.iter().map(slice));
    }
    let Lines { read, acknowledged, filtered, joined, .. } = result.lines;
    let part = |count: u64, what: &str| if count > 0 { format!(", {count} {what}") } else { String::new() };
    let treated = [part(filtered, "left out"), part(joined, "joined to others")].concat();
    let error = result.error.as_ref().map_or(String::new(), |error| format!("; error: {error}"));
    let Left { ranges, records, settling, activations, .. } = result.left;
    let named = |count: u64, noun: &str, what: &str| {
        if count > 0 { format!(", {} {what}", many(count, noun)) } else { String::new() }
    };
    let left = [
        named(records, "record", "left"),
        part(settling, "to be compared once more"),
        named(activations, "activation", "waiting for logs"),
    ]
    .concat();
    // How many a selection has, nobody counts.
    let monitored = match plan.config.sources.first() {
        Some(Source::Namespace(_)) => "selected actions".to_owned(),
        _ => many(plan.work.len() as u64, "action"),
    };
    log.push(format!(
        "{monitored}, {}, {} read{treated}, {acknowledged} acknowledged, {} left{left}, {} ms{error}",
        many(result.activations, "new activation"),
        many(read, "line"),
        many(ranges, "range"),
        result.duration_ms
    ));
    log
}
