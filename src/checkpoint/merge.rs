//! Two runs that did not notice each other leave two checkpoints that are both true. Together they owe only the work that neither did.

use super::{Checkpoint, LogPlace, Owed, OwedRecord, SourceState};
use crate::range;

impl Checkpoint {
    /// The achievements of both runs.
    pub fn merged(mut self, other: Self, lookback_ms: u64) -> Self {
        self.platform = if other.saved_ms > self.saved_ms {
            self.platform.merged(other.platform)
        } else {
            other.platform.merged(self.platform)
        };
        self.saved_ms = self.saved_ms.max(other.saved_ms);
        for (name, theirs) in other.sources {
            match self.sources.get_mut(&name) {
                Some(ours) => *ours = ours.clone().merged(theirs, lookback_ms),
                None => {
                    self.sources.insert(name, theirs);
                }
            }
        }
        for (name, theirs) in other.parked {
            if !self.sources.contains_key(&name) && !self.parked.contains_key(&name) {
                self.parked.insert(name, theirs);
            }
        }
        if self.platform.logs(self.saved_ms) == LogPlace::Api {
            self.undo_doubtful();
        }
        self
    }
}

impl SourceState {
    /// As if the run that went further had continued where the other one stopped: of the work that there is then, it covered all that it
    /// does not owe. So later runs still look for late activations between the two.
    fn merged(self, other: Self, lookback_ms: u64) -> Self {
        // One of them began when something else was monitored: what the other owes for that is not among the work of the first. Ours is true by
        // itself.
        if self.selection != other.selection || self.admissions != other.admissions {
            return self;
        }
        if self.origin != other.origin {
            return if self.origin < other.origin { self } else { other };
        }
        let (mut state, further) =
            if self.complete_until <= other.complete_until { (self, other) } else { (other, self) };
        let work = state.work(further.complete_until, lookback_ms);
        let owed: Vec<_> = further.owed.iter().map(|owed| owed.range).collect();
        let covered: Vec<Owed> = work
            .iter()
            .flat_map(|Owed { range, part }| {
                let ranges = range::difference(vec![*range], &owed);
                ranges.into_iter().map(|range| Owed { range, part: *part })
            })
            .collect();
        let owed_by_itself = owed_by_themselves(&state, &further);
        state.seen.unite(further.seen);
        state.doubtful.cover(further.doubtful);
        state.records = owed_by_itself;
        state.kept_from = state.kept_from.max(further.kept_from);
        state.compared_ms = state.compared_ms.min(further.compared_ms);
        // What one of them has finished is counted once more at worst.
        state.settling.extend(further.settling);
        state.unite_settling();
        state.cover(&work, &covered, further.complete_until, lookback_ms);
        state
    }
}

/// The records that are owed by themselves after both. A record that only one of them owes is done if the other one knows it, as that run
/// has finished it.
fn owed_by_themselves(one: &SourceState, other: &SourceState) -> Vec<OwedRecord> {
    let mut both = SourceState::new(1);
    for (ours, theirs) in [(one, other), (other, one)] {
        let is_owed_there = |activation| theirs.records.iter().any(|record| record.summary() == activation);
        let open = ours
            .records
            .iter()
            .filter(|record| is_owed_there(record.summary()) || !theirs.seen.contains(record.summary()));
        open.cloned().for_each(|record| both.owe(record));
    }
    both.records
}

#[cfg(test)]
mod tests {
    use super::super::{Admission, Part};
    use super::*;
    use crate::openwhisk::record::Summary;
    use crate::range::Range;

    const MINUTE: u64 = 60_000;
    const LOOKBACK: u64 = 10 * MINUTE;

    fn activation(start: u64, id: u64) -> Summary {
        Summary { start, activation_id: format!("{id:032x}").parse().unwrap() }
    }

    fn owed(part: Part, since: u64, upto: u64) -> Owed {
        Owed { range: Range::new(since, upto).unwrap(), part }
    }

    /// A run at `now` that covers all of its work but `left`.
    fn run(base: &SourceState, now: u64, left: &[(u64, u64)], done: &[Summary]) -> SourceState {
        let mut state = base.clone();
        let work = state.work(now, LOOKBACK);
        let left: Vec<Range> = left.iter().map(|&(since, upto)| Range::new(since, upto).unwrap()).collect();
        let covered: Vec<Owed> = work
            .iter()
            .flat_map(|item| {
                range::difference(vec![item.range], &left)
                    .into_iter()
                    .map(|range| Owed { range, part: item.part })
            })
            .collect();
        state.note(done.iter().copied());
        state.advance(&work, &covered, now, LOOKBACK);
        state
    }

    fn base() -> SourceState {
        run(&SourceState::new(1), 100 * MINUTE, &[(2000, 2999)], &[activation(95 * MINUTE, 1)])
    }

    #[test]
    fn what_either_did_is_done_and_what_neither_did_is_owed() {
        let base = base();
        let first = run(&base, 101 * MINUTE, &[(2500, 2999)], &[activation(2100, 2)]);
        let second = run(&base, 102 * MINUTE, &[(2000, 2799)], &[activation(2900, 3)]);
        for merged in [first.clone().merged(second.clone(), LOOKBACK), second.clone().merged(first, LOOKBACK)]
        {
            assert_eq!(merged.owed, [owed(Part::Fresh, 2500, 2799)]);
            assert_eq!(merged.complete_until, 102 * MINUTE);
            assert!(merged.seen.contains(activation(95 * MINUTE, 1)));
        }
    }

    #[test]
    fn a_run_merged_with_what_it_began_with_or_with_itself_is_unchanged() {
        let base = base();
        let after = run(&base, 101 * MINUTE, &[(2500, 2999), (95 * MINUTE, 96 * MINUTE)], &[]);
        for other in [base, after.clone()] {
            let merged = after.clone().merged(other, LOOKBACK);
            assert_eq!(merged, after);
        }
    }

    #[test]
    fn a_look_back_that_only_the_first_run_did_is_owed_for_what_came_since() {
        let base = base();
        let first = run(&base, 101 * MINUTE, &[], &[]);
        let second = run(&base, 102 * MINUTE, &[(94 * MINUTE, 95 * MINUTE)], &[]);
        let merged = first.merged(second, LOOKBACK);
        assert_eq!(merged.owed, [owed(Part::Lookback, 94 * MINUTE, 95 * MINUTE)]);
    }

    #[test]
    fn a_run_for_which_more_was_monitored_keeps_what_it_owes_for_that() {
        let mut before = Checkpoint::default();
        before.sources.insert("*".into(), SourceState { selection: vec!["*".into(), "!b".into()], ..base() });
        let mut admitting = before.clone();
        let entries = ["*"].map(|entry| crate::openwhisk::source::Entry::parse(entry).unwrap());
        let all = crate::openwhisk::source::Source::Namespace(crate::openwhisk::source::Selection::new(
            entries, None,
        ));
        admitting.monitor(&[all], 90 * MINUTE);
        before.saved_ms = 7;
        let merged = admitting.clone().merged(before, LOOKBACK);
        assert_eq!(merged.sources, admitting.sources);
        assert_eq!(merged.sources["*"].admissions.len(), 1);
    }

    #[test]
    fn what_one_run_took_for_done_without_lines_is_owed_when_the_other_one_found_their_store() {
        let doubted = activation(99 * MINUTE, 7);
        let of = |now: u64, done: &[Summary]| {
            let mut state = run(&base(), now, &[], done);
            let mut doubtful = super::super::Seen::default();
            done.iter().for_each(|activation| doubtful.insert(*activation));
            state.doubt(doubtful, 1);
            let mut checkpoint = Checkpoint { saved_ms: now, ..Checkpoint::default() };
            checkpoint.sources.insert("a".into(), state);
            checkpoint
        };
        for (doubting, finding) in [(101 * MINUTE, 102 * MINUTE), (102 * MINUTE, 101 * MINUTE)] {
            let (doubts, mut finds) = (of(doubting, &[doubted]), of(finding, &[]));
            finds.platform.note_logs(LogPlace::Api, finding);
            for merged in
                [doubts.clone().merged(finds.clone(), LOOKBACK), finds.clone().merged(doubts, LOOKBACK)]
            {
                let state = &merged.sources["a"];
                assert!(!state.seen.contains(doubted) && state.doubtful.is_empty());
                assert!(state.owed.iter().any(|owed| owed.range.contains(doubted.start)), "{:?}", state.owed);
            }
        }
    }

    #[test]
    fn sources_of_only_one_of_them_stay() {
        let with = |name: &str| {
            let mut checkpoint = Checkpoint::default();
            checkpoint.sources.insert(name.into(), SourceState::new(1));
            checkpoint
        };
        let merged = with("a").merged(with("b"), LOOKBACK);
        assert_eq!(merged.sources.len(), 2);
    }

    #[test]
    fn of_two_states_that_began_otherwise_the_one_that_reaches_further_back_counts() {
        let (early, late) = (SourceState { origin: 5, ..base() }, SourceState { origin: 9, ..base() });
        for merged in [early.clone().merged(late.clone(), LOOKBACK), late.merged(early.clone(), LOOKBACK)] {
            assert_eq!(merged, early);
        }
        // What is monitored is another thing, or more is looked for.
        let admission = Admission {
            range: Range::new(5, 9).unwrap(),
            before: Vec::new(),
            kept_from: 1,
            owed: Vec::new(),
        };
        let ours = run(&base(), 101 * MINUTE, &[(2500, 2999)], &[]);
        for theirs in [
            SourceState { selection: vec!["*".into()], ..run(&base(), 102 * MINUTE, &[], &[]) },
            SourceState { admissions: vec![admission], ..run(&base(), 102 * MINUTE, &[], &[]) },
        ] {
            assert_eq!(ours.clone().merged(theirs, LOOKBACK), ours);
        }
    }

    #[test]
    fn what_both_remember_is_remembered_and_what_both_have_compared_is_compared() {
        let with = |kept_from: u64, compared_ms: u64| SourceState { kept_from, compared_ms, ..base() };
        for merged in [
            with(7, 99 * MINUTE).merged(with(100 * MINUTE - 1, 98 * MINUTE), LOOKBACK),
            with(100 * MINUTE - 1, 98 * MINUTE).merged(with(7, 99 * MINUTE), LOOKBACK),
        ] {
            assert!(merged.kept_from >= 100 * MINUTE - 1, "{merged:?}");
            assert_eq!(merged.compared_ms, 98 * MINUTE);
        }
    }

    #[test]
    fn a_record_that_only_one_of_them_owes_is_owed_unless_the_other_one_has_finished_it() {
        let one = activation(99 * MINUTE, 4);
        let mut owing = run(&base(), 101 * MINUTE, &[], &[]);
        owing.owe(
            serde_json::from_value(serde_json::json!({"start": one.start, "id": one.activation_id})).unwrap(),
        );
        let (unaware, finishing) =
            (run(&base(), 102 * MINUTE, &[], &[]), run(&base(), 102 * MINUTE, &[], &[one]));
        assert_eq!(owing.clone().merged(unaware.clone(), LOOKBACK).records.len(), 1);
        assert_eq!(unaware.merged(owing.clone(), LOOKBACK).records.len(), 1);
        assert_eq!(owing.merged(finishing, LOOKBACK).records.len(), 0);
    }

    #[test]
    fn what_only_the_other_one_has_parked_is_parked_unless_it_is_monitored() {
        let mut ours = Checkpoint::default();
        ours.sources.insert("a".into(), SourceState::new(1));
        ours.parked.insert("c".into(), SourceState::new(1));
        let mut theirs = Checkpoint::default();
        ["a", "b", "c"]
            .into_iter()
            .for_each(|name| _ = theirs.parked.insert(name.into(), SourceState::new(9)));
        let merged = ours.merged(theirs, LOOKBACK);
        let parked: Vec<_> =
            merged.parked.iter().map(|(name, state)| (name.as_str(), state.origin)).collect();
        assert_eq!(parked, [("b", 9), ("c", 1)]);
    }

    #[test]
    fn of_two_runs_the_one_that_ended_later_knows_the_platform() {
        let knowing = |saved_ms: u64, place: LogPlace| {
            let mut checkpoint = Checkpoint { saved_ms, ..Checkpoint::default() };
            checkpoint.platform.note_logs(place, saved_ms);
            checkpoint
        };
        let (before, after) = (knowing(5, LogPlace::Record), knowing(9, LogPlace::Nowhere));
        for merged in [before.clone().merged(after.clone(), LOOKBACK), after.merged(before, LOOKBACK)] {
            assert_eq!((merged.platform.logs(9), merged.saved_ms), (LogPlace::Nowhere, 9));
        }
    }
}
