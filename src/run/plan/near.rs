//! The near part of a look-back: its newest activations, all known by their ids. Most late ones begin among them. So where the look-back holds
//! something unknown and what is before the near part does not, the near part is listed together with what is new, as full records: one page
//! brings both.
//!
//! Each claim has an answer of its own. What is before the near part was counted by itself; what is in it was listed. Nothing is subtracted, as the
//! index may move between two answers.

use crate::checkpoint::{Owed, Part, SourceState};
use crate::range::Range;
use serde::{Deserialize, Serialize};

/// With so many new activations in the times of the last two runs, there are some now too; with more, a count of them is cheap.
const FEWEST_BUSY: u64 = 5;
const MOST_BUSY: u64 = 100;
/// Where something is late, as many known activations are read again as are likely to be new, or else half as many more and some, but so many at least and at
/// most. That takes about as many bytes as summaries would, and fewer requests.
const SOME: u64 = 2;
const FEWEST_NEAR: u64 = 8;
const MOST_NEAR: u64 = 50;

/// The foot of a list: a known activation just before its range. Rows come newest first, so a list that shows it, or anything older, has shown
/// all of the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foot {
    /// When that activation starts, milliseconds since 1970.
    pub start: u64,
    /// From there up to here it is the near part of the look-back.
    pub near: u64,
    /// So many late ones are expected there.
    pub late: u64,
}

/// The near part of a look-back.
pub(super) struct Near {
    /// The look-back without it, what is counted for that, and how many are known there.
    pub(super) before: Range,
    pub(super) counted: Range,
    pub(super) known: u64,
}

/// How many activations began in the time just before `new` that is as long, and in that before it; if they say that some are new, and not very many.
pub(super) fn busy(state: &SourceState, new: Range) -> Option<u64> {
    let before =
        |range: Range| Range::new(range.since().saturating_sub(new.length()), range.since().checked_sub(1)?);
    let lately = before(new)?;
    let count = state.seen.count(lately);
    let is_busy = count.min(state.seen.count(before(lately)?)) >= FEWEST_BUSY;
    (is_busy && is_little(count)).then_some(count)
}

/// Whether so many new ones may come on a page with others.
pub(super) fn is_little(new: u64) -> bool {
    new <= MOST_BUSY
}

/// The foot of the list of what is new after the look-back `late`, if nothing in that is listed.
pub(super) fn foot(state: &SourceState, late: Range) -> Option<Foot> {
    let start = newest(state, late).next()?;
    Some(Foot { start, near: start, late: 0 })
}

impl Near {
    /// Those of the look-back `late` before what is `new` that are to be tried, the shorter one last, if its newest activations are known by their ids.
    /// None begins before `recent`.
    pub(super) fn of(state: &SourceState, late: Range, new: Range, recent: u64) -> Vec<Self> {
        let likely = busy(state, new).unwrap_or_default();
        let wanted = [likely + likely / 2 + SOME, likely].map(|wanted| wanted.clamp(FEWEST_NEAR, MOST_NEAR));
        let mut near: Vec<Self> =
            wanted.iter().filter_map(|wanted| Self::with(state, late, recent, *wanted)).collect();
        near.dedup_by_key(|near| near.before);
        near
    }

    /// The one with so many known activations, or all.
    fn with(state: &SourceState, late: Range, recent: u64, wanted: u64) -> Option<Self> {
        let known = newest(state, late).take(usize::try_from(wanted).ok()?);
        let before = Range::new(late.since(), known.take_while(|start| *start >= recent).last()?)?;
        let (counted, known) = state.seen.expected_count(before, false)?;
        Some(Self { before, counted, known })
    }

    /// The foot of the list of what is new and of this, up to `near`, with so many `late` ones; nothing, if all of it starts at the same time.
    pub(super) fn foot(&self, near: u64, late: u64) -> Option<Foot> {
        let start = self.before.upto();
        (start < near).then_some(Foot { start, near, late })
    }
}

impl Foot {
    /// A part of the work in the terms of the checkpoint: there the near part belongs to the look-back.
    pub(in crate::run) fn parted(self, owed: Owed) -> impl Iterator<Item = Owed> {
        let Owed { range, part } = owed;
        let is_parted = part == Part::Fresh && range.since() > self.start;
        let near = Range::new(range.since(), range.upto().min(self.near)).filter(|_| is_parted);
        let new = match near {
            Some(_) => Range::new(self.near.saturating_add(1), range.upto()),
            None => Some(range),
        };
        let near = near.map(|range| Owed { range, part: Part::Lookback });
        new.map(|range| Owed { range, part }).into_iter().chain(near)
    }

    /// The range of its list, of which the new part is `new`.
    pub(super) fn range(self, new: Range) -> Option<Range> {
        Range::new(self.start.checked_add(1)?, new.upto())
    }
}

/// The starts of the newest activations in `late`, as far as all of them are known by their ids.
fn newest(state: &SourceState, late: Range) -> impl Iterator<Item = u64> {
    let digested = state.seen.digests_in(late).next_back().map_or(0, |digest| digest.range().upto());
    state.seen.listed(late).rev().map(|known| known.start).take_while(move |start| *start > digested)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openwhisk::record::Summary;

    const RECENT: u64 = 1_000;

    fn range(since: u64, upto: u64) -> Range {
        Range::new(since, upto).unwrap()
    }

    /// A source with one known activation each 10 ms from `since` on, up to 5000.
    fn state(since: u64) -> SourceState {
        let mut state = SourceState { complete_until: 5_000, ..SourceState::new(1) };
        let known = (since..=5_000).step_by(10);
        state.note(
            known.map(|start| Summary { start, activation_id: format!("{start:032x}").parse().unwrap() }),
        );
        state
    }

    #[test]
    fn a_source_is_busy_that_was_so_in_the_times_of_the_last_two_runs_and_is_not_with_very_much() {
        assert_eq!(busy(&state(2_000), range(5_001, 5_200)), Some(20));
        assert_eq!(busy(&state(4_800), range(5_001, 5_200)), None, "nothing before that");
        assert_eq!(busy(&state(2_000), range(5_001, 5_040)), None, "four");
        assert_eq!(busy(&state(2_000), range(5_001, 6_200)), None, "very many");
    }

    #[test]
    fn the_near_part_holds_as_many_as_are_likely_to_be_new_or_some_more_and_all_of_it_is_known_by_ids() {
        let of = |state: &SourceState, new: Range, recent: u64| {
            let near = Near::of(state, range(1, 5_000), new, recent);
            near.iter().map(|near| (near.before.upto(), near.known)).collect::<Vec<_>>()
        };
        let new = range(5_001, 5_200);
        let mut known = state(2_000);
        assert_eq!(
            of(&known, new, RECENT),
            [(4_690, 270), (4_810, 282)],
            "all known ones but those and the first of them"
        );
        assert_eq!(of(&known, range(5_001, 5_010), RECENT), [(4_930, 294)], "eight at least");
        assert_eq!(of(&known, new, 4_895), [(4_900, 291)], "nothing that is not recent");
        known.seen.digest_upto(4_850, 100, &[]);
        assert_eq!(of(&known, new, RECENT), [(4_860, 287)]);
        assert_eq!(of(&state(6_000), new, RECENT), []);
    }
}
