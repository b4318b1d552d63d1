//! Gaps that settle: ranges that were forwarded once and are in no later look-back, while the API's index may not have been up to date.
//!
//! The index may be behind by a minute (docs/facts/openwhisk.md 1.7), and no wait within a run shows that it is not. So such a range stays
//! until a later run has compared the list with the known activations: a count is not enough, as known records may have been removed since.
//! The checkpoint keeps ids until then, or digests of them.

use super::{Owed, Part, Settling, SourceState};
use crate::range::{self, Range};

/// How old the index may be, in milliseconds.
const INDEX_BEHIND_MS: u64 = 60_000;
/// How much the clocks of two containers may differ, in milliseconds: each run reads a clock of its own.
const CLOCKS_APART_MS: u64 = 30_000;
/// So long after a run asked, by whatever clocks, another one sees all that was visible when it began, in milliseconds.
pub(super) const SETTLING_MS: u64 = INDEX_BEHIND_MS + CLOCKS_APART_MS;
/// Time between the begins of two runs of which the second sees all that was visible at the first, in milliseconds: a run asks within five seconds.
pub const APART_MS: u64 = SETTLING_MS + 5_000;

/// Stands for the begin of the next run, milliseconds since 1970: times that are later than a run's begin count as that. No JSON number is cut that
/// is not larger.
const NEXT_RUN_MS: u64 = (1 << 53) - 1;

impl SourceState {
    /// Lists by a name have another index than that of the whole namespace. The source is asked for in the other way from now on, and nobody knows how
    /// old the index of that is: no run has brought it up to date.
    pub(super) fn change_index(&mut self) {
        self.runs = [0, NEXT_RUN_MS];
        self.compared_ms = 0;
        self.settling.iter_mut().for_each(|settling| settling.since_ms = NEXT_RUN_MS);
    }

    /// What settles and can be compared at `now`, oldest first. It waits for what is owed next to it, so that a gap is compared once.
    pub(super) fn due(&self, now: u64) -> Vec<Range> {
        let owed = self.owed_ranges(Part::Fresh);
        let is_due = |settling: &&Settling| {
            settling.since_ms.saturating_add(SETTLING_MS) <= now
                && !owed.iter().any(|owed| touch(*owed, settling.range))
        };
        self.settling.iter().filter(is_due).map(|settling| settling.range).collect()
    }

    /// Of what a run at `now` covered, that which no later run would look at, although the index may not have shown all of it. What was new
    /// was seen once. The look-back is looked at in each run, so what leaves it was seen often, but for runs that follow a gap.
    pub(super) fn seen_once(&self, covered: &[Owed], now: u64, lookback_ms: u64) -> Vec<Range> {
        let next = self.next_look_back_from(now, lookback_ms);
        let Some(out_of_sight) = next.checked_sub(1).and_then(|upto| Range::new(0, upto)) else {
            return Vec::new();
        };
        // This run sees what was visible at the one that is far enough before it, so all that started a look-back before that.
        let [shown_at, _] = self.runs_with(now);
        let unsure = Range::new(shown_at.saturating_sub(lookback_ms), u64::MAX);
        let is_once = |owed: &Owed| match owed.part {
            Part::Record | Part::Settling => None,
            Part::Fresh => Some(owed.range),
            Part::Lookback => owed.range.shared_with(unsure?),
        };
        let covered = covered.iter().filter_map(is_once);
        covered.filter_map(|range| range.shared_with(out_of_sight)).collect()
    }

    /// `runs`, or what an older forwarder's checkpoint says of them.
    pub(super) fn known_runs(&self) -> [u64; 2] {
        if self.runs == [0, 0] { [0, self.complete_until] } else { self.runs }
    }

    /// `runs` after a run at `now`.
    pub(super) fn runs_with(&self, now: u64) -> [u64; 2] {
        let [before, last] = self.known_runs();
        if last.saturating_add(APART_MS) <= now { [last, now] } else { [before.min(now), last.min(now)] }
    }

    /// These settle, from `now` on. What is settling already begins anew.
    pub(super) fn settle(&mut self, ranges: impl IntoIterator<Item = Range>, now: u64) {
        let begun = ranges.into_iter().map(|range| Settling { range, since_ms: now, renewed: false });
        self.settling.extend(begun);
        self.unite_settling();
    }

    /// In these ranges something was unknown. They were done again, so they settle anew from `now` on.
    pub fn settle_anew(&mut self, ranges: &[Range], now: u64) {
        self.finish_settling(ranges);
        let anew = ranges.iter().map(|range| Settling { range: *range, since_ms: now, renewed: true });
        self.settling.extend(anew);
        self.unite_settling();
    }

    /// Ranges that settle since a run began settle since it had `asked`: the index may be as of the question before, and takes its time
    /// from then on.
    pub fn settling_since(&mut self, began_ms: u64, asked_ms: u64) {
        let begun = self.settling.iter_mut().filter(|settling| settling.since_ms == began_ms);
        begun.for_each(|settling| settling.since_ms = asked_ms.max(began_ms));
    }

    /// In these a later run has found nothing but what is known.
    pub(super) fn finish_settling(&mut self, ranges: &[Range]) {
        let left = |settling: Settling| {
            let left = range::difference(vec![settling.range], ranges);
            left.into_iter().map(move |range| Settling { range, ..settling })
        };
        self.settling = std::mem::take(&mut self.settling).into_iter().flat_map(left).collect();
    }

    /// Whether everything in `range` that differed from the known activations was done again before.
    pub fn is_renewed(&self, range: Range) -> bool {
        self.settling.iter().any(|settling| settling.renewed && settling.range.overlaps(range))
    }

    /// Joins what touches: a backlog that is drained in many slices and runs is compared as one.
    pub(super) fn unite_settling(&mut self) {
        crate::sorted::sort(&mut self.settling);
        let mut united: Vec<Settling> = Vec::with_capacity(self.settling.len());
        for next in self.settling.drain(..) {
            match united.last_mut().and_then(|last| Some((last.joined(next)?, last))) {
                Some((joined, last)) => *last = joined,
                None => united.push(next),
            }
        }
        self.settling = united;
    }

    /// One range for all that settles. What lies between is not known, so it is sent again at worst.
    pub(super) fn coarsen_settling(&mut self) {
        let hull = |first: &Settling, last: &Settling| Range::new(first.range.since(), last.range.upto());
        let since_ms = self.settling.iter().map(|settling| settling.since_ms).max();
        if let (Some(first), Some(last), Some(since_ms)) =
            (self.settling.first(), self.settling.last(), since_ms)
            && let Some(range) = hull(first, last)
        {
            self.settling = vec![Settling { range, since_ms, renewed: false }];
        }
    }

    /// Ranges in which no digest may lie: what is owed, as it is read again, and what lies between ranges of which all is known, as a digest counts
    /// for all of its starts.
    pub(super) fn not_digested(&self) -> Vec<Range> {
        let known = self.settling.iter().map(|settling| settling.range);
        let known = known.chain(self.owed.iter().map(|owed| owed.range));
        let known = range::union(known.chain(Range::new(self.kept_from, u64::MAX)).collect());
        let hull =
            known.first().zip(known.last()).and_then(|(first, last)| Range::new(first.since(), last.upto()));
        let between = range::difference(hull.into_iter().collect(), &known);
        between.into_iter().chain(self.owed_ranges(Part::Fresh)).collect()
    }
}

impl Settling {
    /// This one and a later one, if they belong together.
    fn joined(self, later: Self) -> Option<Self> {
        let alike = self.renewed == later.renewed && touch(self.range, later.range);
        if !alike && !self.range.overlaps(later.range) {
            return None;
        }
        let range = Range::new(self.range.since(), self.range.upto().max(later.range.upto()))?;
        let since_ms = self.since_ms.max(later.since_ms);
        Some(Self { range, since_ms, renewed: self.renewed && later.renewed })
    }
}

/// Whether two ranges overlap, or one begins where the other ends.
fn touch(one: Range, other: Range) -> bool {
    one.since() <= other.upto().saturating_add(1) && other.since() <= one.upto().saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(since: u64, upto: u64) -> Range {
        Range::new(since, upto).unwrap()
    }

    fn settling(all: &[(u64, u64, u64, bool)]) -> SourceState {
        let settling =
            |&(since, upto, since_ms, renewed)| Settling { range: range(since, upto), since_ms, renewed };
        SourceState { settling: all.iter().map(settling).collect(), ..SourceState::new(1) }
    }

    #[test]
    fn what_touches_settles_as_one_if_it_is_alike_and_what_overlaps_in_any_case() {
        for (before, after) in [
            (vec![(1, 5, 7, true), (6, 9, 8, true)], vec![(1, 9, 8, true)]),
            (vec![(1, 5, 7, true), (7, 9, 8, true)], vec![(1, 5, 7, true), (7, 9, 8, true)]),
            (vec![(1, 5, 7, true), (6, 9, 8, false)], vec![(1, 5, 7, true), (6, 9, 8, false)]),
            (vec![(1, 5, 8, true), (5, 9, 7, false)], vec![(1, 9, 8, false)]),
            (vec![(1, 99, 7, false), (5, 9, 8, false)], vec![(1, 99, 8, false)]),
        ] {
            let mut state = settling(&before);
            state.unite_settling();
            assert_eq!(state.settling, settling(&after).settling, "{before:?}");
        }
        let mut anew = settling(&[(1, 9, 7, true)]);
        anew.settle_anew(&[range(10, 12)], 7);
        assert_eq!(anew.settling, settling(&[(1, 12, 7, true)]).settling);
        assert!(anew.is_renewed(range(12, 20)) && !anew.is_renewed(range(13, 20)));
        assert!(!settling(&[(1, 9, 7, false)]).is_renewed(range(1, 9)));
    }

    #[test]
    fn what_settles_waits_for_what_is_owed_next_to_it() {
        let owing = |since: u64, upto: u64| {
            let owed = vec![Owed { range: range(since, upto), part: Part::Fresh }];
            SourceState { owed, ..settling(&[(10, 20, 1, false)]) }
        };
        let due = |state: &SourceState| state.due(1 + SETTLING_MS).len();
        assert_eq!([owing(21, 30), owing(1, 9), owing(15, 16)].map(|state| due(&state)), [0; 3]);
        assert_eq!([owing(22, 30), owing(1, 8)].map(|state| due(&state)), [1; 2]);
        assert_eq!(owing(22, 30).due(SETTLING_MS).len(), 0, "nor before its time");
        assert!(owing(22, 30).not_digested().contains(&range(22, 30)));
    }

    #[test]
    fn a_range_that_began_to_settle_in_a_run_does_so_when_the_run_asked_last() {
        let mut state = settling(&[(1, 5, 70, false), (10, 15, 60, false)]);
        state.settling_since(70, 50);
        assert_eq!(state.settling[0].since_ms, 70, "not before it began");
        state.settling_since(70, 90);
        assert_eq!([state.settling[0].since_ms, state.settling[1].since_ms], [90, 60]);
    }

    #[test]
    fn runs_of_a_clock_that_was_ahead_are_none_of_the_future() {
        let state = SourceState { runs: [200, 300], ..SourceState::new(1) };
        assert_eq!(state.runs_with(100), [100, 100]);
        assert_eq!(state.runs_with(300 + APART_MS), [300, 300 + APART_MS]);
    }

    #[test]
    fn under_another_index_nothing_counts_as_compared() {
        let now = 1_000_000;
        let mut state =
            SourceState { compared_ms: now - 1, runs: [10, now - 1], ..settling(&[(1, 5, 70, false)]) };
        state.change_index();
        assert!(state.must_compare(now, 1_000_000_000));
        assert_eq!((state.runs_with(now), state.due(now + SETTLING_MS).len()), ([0, now], 0));
    }

    #[test]
    fn what_no_later_run_looks_at_was_seen_once() {
        const HOUR: u64 = 3_600_000;
        let (now, lookback) = (100 * HOUR, HOUR / 4);
        let state = SourceState { complete_until: 10 * HOUR, runs: [0, 10 * HOUR], ..SourceState::new(1) };
        let next = state.next_look_back_from(now, lookback);
        let covered = Owed { range: range(10 * HOUR + 1, now), part: Part::Fresh };
        assert_eq!(state.seen_once(&[covered], now, lookback), [range(10 * HOUR + 1, next - 1)]);
        assert!(next > 98 * HOUR && next < now);
    }
}
