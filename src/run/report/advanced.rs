//! The checkpoint after a run.

use crate::checkpoint::{Checkpoint, LogPlace, Owed, Part, SourceState};
use crate::range::{self, Range};
use crate::run::forward::Outcome;
use crate::run::plan::Plan;

/// The checkpoint after these outcomes.
pub(super) fn advanced(plan: &Plan, outcomes: &[Outcome]) -> Checkpoint {
    let mut checkpoint = plan.checkpoint.clone();
    // A store that gave lines is remembered for the time when the configuration leaves open where lines are.
    let learned =
        logs_learned(outcomes).filter(|place| plan.config.logs.is_none() || *place == LogPlace::Api);
    if let Some(place) = learned.filter(|place| contradicts(*place, plan.logs)) {
        checkpoint.platform.note_logs(place, plan.began_ms);
    }
    let sources = plan.work.len();
    for (name, work) in &plan.work {
        let Some(state) = checkpoint.sources.get_mut(name) else { continue };
        let own = || outcomes.iter().filter(|outcome| outcome.source == *name);
        own().flat_map(|outcome| &outcome.renewed).for_each(|range| state.seen.forget_range(*range));
        own()
            .flat_map(|outcome| &outcome.gone)
            .for_each(|activation| state.seen.set_listed(*activation, false));
        own()
            .flat_map(|outcome| &outcome.back)
            .for_each(|activation| state.seen.set_listed(*activation, true));
        own().for_each(|outcome| state.seen.take_up(&outcome.done));
        own().flat_map(|outcome| &outcome.records).for_each(|record| state.owe(record.clone()));
        own().flat_map(|outcome| &outcome.settled).for_each(|activation| state.settle_record(*activation));
        let settled = plan.settled.get(name).into_iter().flatten().copied();
        let unsettled: Vec<Range> = own().flat_map(|outcome| &outcome.unsettled).copied().collect();
        state.settle_anew(&unsettled, plan.began_ms);
        let finished = |owed: Owed| {
            let but = if owed.part == Part::Settling { &unsettled[..] } else { &[] };
            let ranges = range::difference(vec![owed.range], but);
            ranges.into_iter().map(move |range| Owed { range, ..owed })
        };
        let parted = |owed: Owed| match plan.feet.get(name) {
            Some(foot) => foot.parted(owed).collect(),
            None => vec![owed],
        };
        let covered = own().filter_map(|outcome| outcome.covered).chain(settled);
        let covered: Vec<Owed> = covered.flat_map(finished).flat_map(parted).collect();
        let unsure = own().flat_map(|outcome| &outcome.unsure);
        let again = unsure.map(|range| Owed { range: *range, part: Part::Lookback });
        let work: Vec<Owed> = work.iter().copied().flat_map(parted).chain(again).collect();
        state.advance(&work, &covered, plan.began_ms, plan.lookback_ms);
        state.settling_since(plan.began_ms, plan.counted_ms);
        own().for_each(|outcome| state.doubt(outcome.doubtful.clone(), sources));
    }
    if learned == Some(LogPlace::Api) {
        checkpoint.undo_doubtful();
    }
    if settles_doubts(outcomes) {
        checkpoint.sources.values_mut().for_each(SourceState::keep_doubtful);
    }
    checkpoint
}

/// Whether time settles doubts: a run that asked nothing, or in vain, knows no more about them than the one before.
fn settles_doubts(outcomes: &[Outcome]) -> bool {
    let mut answers = outcomes.iter().filter_map(|outcome| outcome.answered).peekable();
    answers.peek().is_some() && answers.all(|answered| answered)
}

/// Whether what was seen must replace what was believed. That lines are in records is no reason to ask their store no more: it may have those of
/// others, and this is believed for a day after it gave some.
fn contradicts(seen: LogPlace, believed: LogPlace) -> bool {
    seen == LogPlace::Api || seen != believed && (seen, believed) != (LogPlace::Record, LogPlace::Api)
}

pub(super) fn logs_learned(outcomes: &[Outcome]) -> Option<LogPlace> {
    outcomes.iter().filter_map(|outcome| outcome.logs).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubts_are_settled_by_a_run_that_asked_and_had_an_answer_each_time() {
        let settled = |answers: &[Option<bool>]| {
            let outcome = |answered: &Option<bool>| Outcome { answered: *answered, ..Outcome::default() };
            settles_doubts(&answers.iter().map(outcome).collect::<Vec<_>>())
        };
        assert!(settled(&[Some(true)]) && settled(&[None, Some(true), Some(true)]));
        assert!(!settled(&[]) && !settled(&[None, None]), "nothing was asked");
        assert!(!settled(&[Some(false)]) && !settled(&[Some(true), Some(false)]), "in vain");
    }
}
