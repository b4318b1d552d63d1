//! A checkpoint that is ahead of the clock: a clock was wrong when the checkpoint was written, or is wrong now, or somebody has changed it.
//! Without a correction no run would ask for anything until that time, and activations before it would be lost.

use super::{Checkpoint, SourceState, lookback_span};
use crate::range::Range;
use crate::time::rfc3339;

/// How far two clocks may be apart, in milliseconds: those of one platform's containers differ by seconds or minutes.
pub const SKEW_MS: u64 = 5 * 60_000;

impl Checkpoint {
    /// Corrects sources that are ahead of the clock. A source that begins in the future begins at `first` instead, like a new one; a source
    /// that is done up to a time in the future continues a look-back before the time at which the checkpoint was saved, if that is past.
    /// Returns warnings.
    pub fn take_back(&mut self, now_ms: u64, lookback_ms: u64, first: u64) -> Vec<String> {
        let saved_ms = self.saved_ms.min(now_ms);
        let done = saved_ms.saturating_sub(lookback_span(lookback_ms));
        let warning = |(name, state): (&String, &mut SourceState)| {
            let (said, time) = state.take_back(now_ms, done, first)?;
            Some(format!(
                "`{name}`: the checkpoint says that {said} {}, which is in the future, as it is {} now: went on from {}; lines after that may come \
                 twice. If the clock is wrong here, set it right",
                rfc3339(time),
                rfc3339(now_ms),
                rfc3339(state.complete_until.saturating_add(1))
            ))
        };
        self.sources.iter_mut().filter_map(warning).collect()
    }
}

impl SourceState {
    /// What it said of the future, and the time that it named.
    fn take_back(&mut self, now_ms: u64, done: u64, first: u64) -> Option<(&'static str, u64)> {
        let is_ahead = |ms: u64| ms > now_ms.saturating_add(SKEW_MS);
        let (origin, complete_until) = (self.origin, self.complete_until);
        let said = match (is_ahead(origin), is_ahead(complete_until)) {
            (false, false) => return None,
            (true, _) => ("it begins at", origin),
            (false, true) => ("everything is done up to", complete_until),
        };
        if is_ahead(origin) {
            self.origin = if is_ahead(complete_until) { first } else { first.min(complete_until + 1) }.max(1);
        }
        if is_ahead(complete_until) {
            let until = if is_ahead(origin) { 0 } else { done };
            self.complete_until = until.max(self.origin - 1);
            // What is after it is new again, but for those that are known by their ids.
            let is_before = Range::new(0, self.complete_until);
            self.owed.retain_mut(|owed| {
                let left = is_before.and_then(|before| owed.range.shared_with(before));
                left.is_some_and(|left| {
                    owed.range = left;
                    true
                })
            });
            let again = Range::new(self.complete_until.saturating_add(1), u64::MAX);
            self.seen.forget_digests_in(again.as_slice());
            self.kept_from = self.kept_from.min(self.complete_until.saturating_add(1));
            self.compared_ms = 0;
            self.runs = [0, self.complete_until];
        }
        Some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Owed, Part};
    use super::*;
    use crate::openwhisk::record::Summary;

    const MINUTE: u64 = 60_000;
    const NOW: u64 = 1_700_000_000_000;
    const LOOKBACK: u64 = 15 * MINUTE;
    const FIRST: u64 = NOW - LOOKBACK;

    fn taken_back(state: SourceState, saved_ms: u64) -> (SourceState, Vec<String>) {
        let mut checkpoint = Checkpoint { saved_ms, ..Checkpoint::default() };
        checkpoint.sources.insert("a".into(), state);
        let warnings = checkpoint.take_back(NOW, LOOKBACK, FIRST);
        (checkpoint.sources.remove("a").unwrap(), warnings)
    }

    fn fresh(state: &SourceState, now: u64) -> Vec<Range> {
        let work = state.work(now, LOOKBACK).into_iter();
        work.filter(|owed| owed.part == Part::Fresh).map(|owed| owed.range).collect()
    }

    #[test]
    fn a_source_that_begins_in_the_future_begins_as_a_new_one_and_is_named() {
        let (state, warnings) = taken_back(SourceState::new(NOW + 600 * MINUTE), NOW);
        assert_eq!(fresh(&state, NOW), [Range::new(FIRST, NOW).unwrap()]);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let said = "`a`: the checkpoint says that it begins at 2023-11-15T08:13:20.000Z, which is in the future, as it is 2023-11-14T22:13:20.000Z \
                    now: went on from 2023-11-14T21:58:20.000Z; lines after that may come twice. ";
        assert!(warnings[0].starts_with(said), "{warnings:?}");
        // Where it was done up to is known all the same.
        let changed =
            SourceState { complete_until: NOW - 30 * MINUTE, ..SourceState::new(NOW + 600 * MINUTE) };
        let (state, _) = taken_back(changed, NOW);
        assert_eq!(fresh(&state, NOW), [Range::new(NOW - 30 * MINUTE + 1, NOW).unwrap()]);
    }

    #[test]
    fn a_source_that_is_done_up_to_the_future_goes_on_before_it_was_saved_and_keeps_what_it_owes_and_knows() {
        let ahead = NOW + 600 * MINUTE;
        let known = Summary { activation_id: "0".repeat(32).parse().unwrap(), start: NOW - MINUTE };
        let owed =
            |since: u64, upto: u64| Owed { range: Range::new(since, upto).unwrap(), part: Part::Fresh };
        let mut state = SourceState {
            complete_until: ahead,
            kept_from: ahead - MINUTE,
            owed: vec![owed(1_000, 2_000), owed(ahead - 5, ahead)],
            ..SourceState::new(500)
        };
        state.seen.insert(known);
        let saved_ms = NOW - 3_000 * MINUTE;
        let (state, warnings) = taken_back(state, saved_ms);
        let from = saved_ms - lookback_span(LOOKBACK);
        assert_eq!(
            fresh(&state, NOW),
            [Range::new(from + 1, NOW).unwrap(), Range::new(1_000, 2_000).unwrap()]
        );
        assert!(state.seen.contains(known));
        assert!(warnings[0].contains("everything is done up to 2023-11-15T08:13:20.000Z"), "{warnings:?}");
        // If the time of saving is in the future as well, or nobody knows it.
        let state = || SourceState { complete_until: ahead, ..SourceState::new(500) };
        let from = NOW - lookback_span(LOOKBACK);
        assert_eq!(fresh(&taken_back(state(), ahead).0, NOW), [Range::new(from + 1, NOW).unwrap()]);
        assert_eq!(fresh(&taken_back(state(), 0).0, NOW), [Range::new(500, NOW).unwrap()]);
    }

    #[test]
    fn clocks_that_are_apart_by_minutes_are_no_reason() {
        for state in [
            SourceState::new(NOW + SKEW_MS),
            SourceState { complete_until: NOW + SKEW_MS, ..SourceState::new(1) },
            SourceState::new(NOW),
        ] {
            assert_eq!(taken_back(state.clone(), NOW), (state, Vec::new()));
        }
    }
}
