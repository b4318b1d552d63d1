//! How far a look-back reaches, and when it compares record by record instead of counting.

use super::SourceState;
use crate::range::Range;

/// Longest time between two comparisons of a look-back, in milliseconds.
pub(super) const MOST_BETWEEN_COMPARISONS_MS: u64 = 600_000;
/// A longer pause than this does not lengthen the look-back: the new range begins with a gap. In milliseconds.
const LONGEST_PAUSE_MS: u64 = 3_600_000;
/// The same, if the pause before was about as long: then runs are rare, and each looks again at the range of the last one.
const LONGEST_REGULAR_PAUSE_MS: u64 = 25 * 3_600_000;

impl SourceState {
    /// Whether a run at `now` must compare the whole look-back record by record, instead of counting: in a count, a removed record makes up
    /// for a new one. As the look-back is longer than promised by the time between two comparisons, each record is compared at least once
    /// after it has become visible. A comparison counts for the time at which the records that it saw were surely visible, as the index may
    /// be behind.
    pub fn must_compare(&self, now: u64, lookback_ms: u64) -> bool {
        now < self.compared_ms || now - self.compared_ms >= comparing_every(lookback_ms)
    }

    /// Whether all of `range` must be compared in a run at `now`: it is time to, or there is no later run that would look at it.
    pub fn must_compare_all_of(&self, range: Range, now: u64, lookback_ms: u64) -> bool {
        self.must_compare(now, lookback_ms) || range.since() < self.look_back_from(now, lookback_ms)
    }

    /// Where the look-back of a run at `now` begins. If a clock that was ahead has left `complete_until` in the future, it reaches back
    /// from now. Unless the clock was ahead, it never reaches back to activations that are not remembered any more: after the look-back
    /// grew, activations that were forwarded earlier are not new.
    pub fn look_back_from(&self, now: u64, lookback_ms: u64) -> u64 {
        // What the run before it has decided is in `kept_from`.
        let longest_ms = if self.kept_from > 0 { LONGEST_REGULAR_PAUSE_MS } else { LONGEST_PAUSE_MS };
        self.reaching_over(longest_ms, now, lookback_ms)
    }

    /// The same, where a pause of `longest_ms` at most between the last two runs makes the look-back longer.
    fn reaching_over(&self, longest_ms: u64, now: u64, lookback_ms: u64) -> u64 {
        let kept_from = if self.complete_until > now { 0 } else { self.kept_from };
        let usual = self.complete_until.min(now).saturating_sub(lookback_span(lookback_ms));
        let [before, last] = self.runs;
        // What may have become visible since the run before is looked at once more, if that is not too long ago.
        let since_before = before.saturating_sub(lookback_ms);
        let paused = before > 0 && last.saturating_sub(before) <= longest_ms;
        let from = if paused { usual.min(since_before) } else { usual };
        from.max(kept_from).max(self.origin)
    }

    /// Where the look-back of the next run will begin, when one at `now` has done its work.
    pub fn next_look_back_from(&self, now: u64, lookback_ms: u64) -> u64 {
        self.look_back_after(self.runs_with(now), now, lookback_ms)
    }

    /// The same, where `runs` are those after it.
    pub(super) fn look_back_after(&self, runs: [u64; 2], now: u64, lookback_ms: u64) -> u64 {
        let [before, last] = self.runs;
        let last_pause_ms = if before > 0 { last.saturating_sub(before) } else { 0 };
        let longest_ms = last_pause_ms.saturating_mul(2).clamp(LONGEST_PAUSE_MS, LONGEST_REGULAR_PAUSE_MS);
        let next = Self {
            complete_until: self.complete_until.max(now),
            origin: self.origin,
            kept_from: self.kept_from,
            runs,
            ..Self::new(1)
        };
        next.reaching_over(longest_ms, now, lookback_ms)
    }
}

/// How far a look-back reaches, in milliseconds, for records that become visible within `lookback_ms` of their start.
pub fn lookback_span(lookback_ms: u64) -> u64 {
    lookback_ms.saturating_add(comparing_every(lookback_ms))
}

/// Time between two comparisons of the whole look-back, in milliseconds.
pub(super) fn comparing_every(lookback_ms: u64) -> u64 {
    (lookback_ms / 2).min(MOST_BETWEEN_COMPARISONS_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;
    const NOW: u64 = 1_000 * HOUR;
    const LOOKBACK: u64 = 600_000;
    const SPAN: u64 = 900_000;

    fn state(runs: [u64; 2]) -> SourceState {
        SourceState { runs, complete_until: NOW, compared_ms: NOW, ..SourceState::new(1) }
    }

    #[test]
    fn a_range_is_compared_when_it_is_time_or_no_later_run_looks_at_it() {
        let compares = |since: u64, now: u64| {
            state([0, NOW]).must_compare_all_of(Range::new(since, NOW).unwrap(), now, LOOKBACK)
        };
        assert_eq!([compares(NOW - SPAN, NOW + 1), compares(NOW - SPAN - 1, NOW + 1)], [false, true]);
        assert_eq!([compares(NOW, NOW + LOOKBACK / 2 - 1), compares(NOW, NOW + LOOKBACK / 2)], [false, true]);
        assert!(state([0, NOW]).must_compare(NOW - 1, LOOKBACK), "a clock was ahead");
    }

    #[test]
    fn a_pause_of_hours_is_looked_over_if_what_was_before_it_is_remembered() {
        let paused = SourceState { kept_from: 0, ..state([NOW - 5 * HOUR, NOW]) };
        assert_eq!(paused.look_back_from(NOW, LOOKBACK), NOW - SPAN);
        let remembering = SourceState { kept_from: 5, ..paused };
        assert_eq!(remembering.look_back_from(NOW, LOOKBACK), NOW - 5 * HOUR - LOOKBACK);
        // After the first pause of hours the next look-back is the usual one, and so it is if nobody knows of a run before.
        let at = |before: u64| SourceState { kept_from: 5, ..state([before, NOW]) };
        assert_eq!(at(0).next_look_back_from(NOW + 5 * HOUR, LOOKBACK), NOW + 5 * HOUR - SPAN);
        assert_eq!(at(NOW - HOUR / 2).next_look_back_from(NOW + 5 * HOUR, LOOKBACK), NOW + 5 * HOUR - SPAN);
        assert_eq!(at(NOW - 3 * HOUR).next_look_back_from(NOW + 5 * HOUR, LOOKBACK), NOW - LOOKBACK);
    }

    #[test]
    fn what_a_clock_that_was_ahead_remembers_bounds_no_look_back() {
        let ahead =
            SourceState { complete_until: NOW + 10 * HOUR, kept_from: NOW + 9 * HOUR, ..state([0, NOW]) };
        assert_eq!(ahead.look_back_from(NOW, LOOKBACK), NOW - SPAN);
        assert_eq!(ahead.next_look_back_from(NOW, LOOKBACK), NOW - SPAN);
    }
}
