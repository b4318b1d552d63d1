//! What counts can settle before anything is listed. In most minutes most actions have nothing new, and all counts can be asked for at the same
//! time: a run in which nothing happened then takes a few round trips, whatever the number of actions.

use crate::api::{Api, Question};
use crate::checkpoint::{Checkpoint, Owed, Part};
use crate::config::Config;
use crate::forward::telling_count;
use crate::range::Range;
use std::collections::BTreeMap;

/// What counts told before anything was listed, by source.
pub(super) struct Quiet {
    /// The parts of the work in which there is nothing to do.
    pub(super) settled: BTreeMap<String, Vec<Owed>>,
    /// Ranges of new activations, and how many there are.
    pub(super) new: BTreeMap<(String, Range), u64>,
}

/// Finds the parts of `work` in which there is nothing to do, as their counts say. Whatever cannot be settled so is left to a slice, a count that
/// failed too.
///
/// Only what is asked in every run is counted: the time since the last one, if that is after `recent`, and the look-back. A backlog has something in it.
pub(super) fn count(
    api: &Api<'_>,
    config: &Config,
    checkpoint: &Checkpoint,
    work: &BTreeMap<String, Vec<Owed>>,
    [recent, now_ms, lookback_ms]: [u64; 3],
) -> Quiet {
    let mut telling: Vec<(String, Option<String>, Owed, Range, u64)> = Vec::new();
    for source in &config.sources {
        let name = source.name();
        let Some(state) = checkpoint.sources.get(&name) else { continue };
        for owed in work.get(&name).into_iter().flatten() {
            let count = match owed.part {
                Part::Fresh => (owed.range.since() >= recent).then_some((owed.range, 0)),
                Part::Lookback => {
                    let exact = state.must_compare_all_of(owed.range, now_ms, lookback_ms);
                    telling_count(owed.range, &state.seen, exact)
                }
            };
            telling.extend(count.map(|(range, known)| (name.clone(), source.filter(), *owed, range, known)));
        }
    }
    let questions: Vec<Question<'_>> =
        telling.iter().map(|(_, filter, _, range, _)| Question::Count(filter.as_deref(), *range)).collect();
    api.ask_ahead(&questions);
    let mut counted = Quiet { settled: BTreeMap::new(), new: BTreeMap::new() };
    for (name, filter, owed, range, known) in telling {
        match api.count_once(filter.as_deref(), range) {
            Ok(count) if count == known => counted.settled.entry(name).or_default().push(owed),
            Ok(count) if owed.part == Part::Fresh => {
                counted.new.insert((name, range), count);
            }
            _ => {}
        }
    }
    counted
}
