//! A turn's memory of the activations that it has done: within the look-back the ids of the newest, and digests of the others.
//!
//! It stays small, however many activations there are. The checkpoint keeps ids of the newest in the same way. For older activations, which
//! have to settle, it remembers fewer ids, and coarser digests.

use crate::checkpoint::{Digest, Grain, Seen};
use crate::openwhisk::record::Summary;
use crate::range::Range;
use std::collections::HashSet;

/// One of so many ids may be of something older than the look-back.
const OLDER_IDS: usize = 4;
/// About so many digests stand for what is older than the look-back.
const OLDER_DIGESTS: u64 = 64;
/// A turn may remember so many digests of the finest grain in any case.
const FEWEST_DIGESTS: usize = 16;

/// Activations that are done, taken up newest first.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// What starts earlier is not remembered, but for what is `older`.
    look_back_from: u64,
    /// Most ids.
    most_ids: usize,
    /// Most digests of the finest grain.
    most_fine: usize,
    older: Older,
    ids: Vec<Summary>,
    /// Of what is beyond that, newest first.
    digests: Vec<Digest>,
    /// Those of the start that came last. If the turn ends here, the next one reads this millisecond again and must know each.
    edge: Vec<Summary>,
    /// The last start of which something is left out: no digest may stand for what starts then, as that will be looked for.
    left_out: Option<u64>,
    /// The checkpoint has these ids already, as they were passed over before: no digest may count them a second time.
    passed_over: HashSet<Summary>,
    /// Those of them that are done, newest first.
    kept: Vec<Summary>,
}

/// What is older than the look-back and remembered all the same.
#[derive(Debug, Clone, Copy, Default)]
struct Older {
    since: Option<u64>,
    /// Most ids, those of the look-back included.
    most_ids: usize,
    /// Longest digest.
    widest_ms: u64,
}

impl Done {
    /// Nothing done yet of a slice, or of what is left of it. Of what starts at `look_back_from` or later the whole slice remembers `most` by their
    /// ids, and then about as many digests of the finest grain; so many ids and digests are `handed_back` already.
    pub(super) fn new(look_back_from: u64, most: usize, handed_back: usize) -> Self {
        let most_ids = most.saturating_sub(handed_back);
        let most_fine = (2 * most).saturating_sub(handed_back.max(most)).max(FEWEST_DIGESTS);
        Self { look_back_from, most_ids, most_fine, ..Self::default() }
    }

    /// The same, that also remembers what starts in `range` and before the look-back, for a run that began at `began_ms`.
    pub(super) fn with_older(self, range: Range, began_ms: u64, [most, handed_back]: [usize; 2]) -> Self {
        let length = began_ms.saturating_sub(range.since());
        let most_ids = (most / OLDER_IDS).saturating_sub(handed_back);
        let widest_ms = (length / OLDER_DIGESTS).max(Grain::FINEST.widest_ms);
        Self { older: Older { since: Some(range.since()), most_ids, widest_ms }, ..self }
    }

    /// This one will be done, and the checkpoint has its id already.
    pub(super) fn expect_passed_over(&mut self, activation: Summary) {
        self.passed_over.insert(activation);
    }

    /// Takes up the next one.
    pub(super) fn push(&mut self, activation: Summary) {
        if self.edge.last().is_some_and(|last| last.start != activation.start) {
            self.pass();
        }
        self.edge.push(activation);
    }

    /// One that starts at `start` is not done.
    pub(super) fn leave_out(&mut self, start: u64) {
        if self.edge.last().is_some_and(|last| last.start != start) {
            self.pass();
        }
        self.left_out = Some(start);
    }

    /// How far it is done, if everything after `reached` is: there a digest of something that is read again counts as not done.
    pub(super) fn reached(&self, reached: u64) -> u64 {
        let cut = self.digests.iter().map(|digest| digest.range()).filter(|range| range.since() <= reached);
        cut.map(Range::upto).fold(reached, u64::max)
    }

    /// What must be remembered, when `rest` is left to do.
    pub(super) fn seen(&mut self, rest: Option<Range>) -> Seen {
        let Self {
            look_back_from, most_ids, most_fine, older, ids, digests, edge, passed_over, kept, ..
        } = std::mem::take(self);
        *self = Self { look_back_from, most_ids, most_fine, older, ..Self::default() };
        let first = older.since.map_or(look_back_from, |since| since.min(look_back_from));
        let is_left = |start: u64| rest.is_some_and(|rest| rest.contains(start));
        let mut seen = Seen::default();
        digests
            .into_iter()
            .rev()
            .filter(|digest| rest.is_none_or(|rest| !rest.overlaps(digest.range())))
            .for_each(|digest| seen.insert_digest(digest));
        ids.into_iter()
            .chain(kept)
            .chain(edge)
            .filter(|activation| {
                is_left(activation.start) || activation.start >= first && !passed_over.contains(activation)
            })
            .for_each(|activation| seen.insert(activation));
        seen
    }

    /// What starts in the last millisecond is not read again.
    fn pass(&mut self) {
        let passed = std::mem::take(&mut self.edge);
        passed.into_iter().for_each(|activation| self.remember(activation));
    }

    fn remember(&mut self, activation: Summary) {
        if self.passed_over.contains(&activation) {
            self.kept.push(activation);
            return;
        }
        let Older { since, most_ids, widest_ms } = self.older;
        let is_fine = self.digests.len() < self.most_fine;
        let (most_ids, grain) = match activation.start {
            start if start >= self.look_back_from && is_fine => (self.most_ids, Grain::FINEST),
            start if start >= self.look_back_from => {
                (self.most_ids, Grain { most: u64::MAX, ..Grain::FINEST })
            }
            start if since.is_some_and(|since| start >= since) => {
                (most_ids, Grain { widest_ms, most: u64::MAX })
            }
            _ => return,
        };
        let stays = self.ids.len() < most_ids || self.left_out == Some(activation.start);
        if stays {
            self.ids.push(activation);
            return;
        }
        let left_out = self.left_out;
        let newest = self
            .digests
            .last_mut()
            .filter(|digest| left_out.is_none_or(|start| start >= digest.range().upto()));
        let stretched = newest.is_some_and(|digest| digest.stretch(activation, grain));
        if !stretched {
            self.digests.extend(Digest::of(activation));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activation(start: u64, id: u32) -> Summary {
        Summary { start, activation_id: format!("{id:032x}").parse().unwrap() }
    }

    fn range(since: u64, upto: u64) -> Range {
        Range::new(since, upto).unwrap()
    }

    fn done(most_ids: usize, activations: &[(u64, u32)]) -> Done {
        let mut done = Done::new(100, most_ids, 0);
        activations.iter().for_each(|&(start, id)| done.push(activation(start, id)));
        done
    }

    #[test]
    fn the_newest_are_known_by_their_ids_and_digests_count_the_others_each_once() {
        let start = |n: u64| 1_000_000 - n * 1_000;
        let mut many = Done::new(100, 10, 0);
        (0..500u64).for_each(|n| many.push(activation(start(n), n as u32)));
        let seen = many.seen(None);
        assert_eq!(seen.count(range(0, u64::MAX)), 500);
        assert_eq!(seen.starts().count(), 11, "and the edge");
        let digests: Vec<Digest> = seen.digests_in(range(0, u64::MAX)).collect();
        assert_eq!(digests.len(), 16, "of 32 at most");
        for digest in digests {
            let mut expected = Digest::empty(digest.range());
            (0..500).filter(|&n| digest.range().contains(start(n))).for_each(|n| {
                expected.add(activation(start(n), n as u32).activation_id);
            });
            assert_eq!(digest, expected);
        }
    }

    #[test]
    fn however_many_there_are_a_digest_a_minute_stands_for_those_that_are_beyond_ids_and_fine_digests() {
        let mut many = Done::new(100, 20, 0);
        (0..6_000u64).for_each(|n| many.push(activation(1_000_000 - n * 100, n as u32)));
        let digests: Vec<u64> = many.seen(None).digests_in(range(0, u64::MAX)).map(Digest::count).collect();
        assert_eq!(digests.iter().sum::<u64>(), 6_000 - 21);
        assert_eq!(digests.iter().filter(|count| **count == 32).count(), 19);
        assert!(digests.len() < 31, "{digests:?}");
        let mut rest = Done::new(100, 20, 35);
        (0..6_000u64).for_each(|n| rest.push(activation(1_000_000 - n * 100, n as u32)));
        assert_eq!(rest.seen(None).size(), 16 + 10);
    }

    #[test]
    fn what_is_older_than_the_look_back_is_remembered_only_where_it_is_read_again() {
        let seen = done(9, &[(150, 1), (90, 2), (80, 3)]).seen(Some(range(0, 80)));
        assert_eq!(seen.starts().collect::<Vec<_>>(), [80, 150]);
        assert_eq!(done(9, &[(150, 1), (90, 2), (80, 3)]).seen(None).starts().count(), 1);
    }

    #[test]
    fn of_the_millisecond_that_is_read_again_all_ids_are_known() {
        let mut edge = done(1, &[(300, 1), (200, 2), (150, 3), (150, 4)]);
        assert_eq!(edge.reached(150), 150);
        let seen = edge.seen(Some(range(0, 150)));
        assert!(
            [(300, 1), (150, 3), (150, 4)].iter().all(|&(start, id)| seen.contains(activation(start, id)))
        );
        assert_eq!(seen.digest_at(150), None);
    }

    #[test]
    fn no_digest_stands_for_a_start_of_which_something_is_left_out() {
        let mut done = Done::new(100, 0, 0);
        for start in [500, 450, 400, 350, 300] {
            done.push(activation(start, 1));
            if start == 400 {
                done.leave_out(start);
                done.push(activation(start, 2));
            }
        }
        let seen = done.seen(None);
        let digests: Vec<Range> = seen.digests_in(range(0, 999)).map(Digest::range).collect();
        assert_eq!(digests, [range(450, 500)]);
        assert_eq!(seen.starts().collect::<Vec<_>>(), [300, 350, 400, 400]);
    }

    #[test]
    fn what_the_checkpoint_has_already_as_it_was_passed_over_counts_once_when_it_is_done() {
        let (ids, all) = ([(300, 1), (250, 2), (200, 3), (150, 4)], range(0, 999));
        for passed_over in ids {
            let passed_over = activation(passed_over.0, passed_over.1);
            let mut known = Seen::default();
            known.insert(passed_over);
            let mut turn = Done::new(100, 0, 0);
            for (start, id) in ids {
                if activation(start, id) == passed_over {
                    turn.expect_passed_over(passed_over);
                }
                turn.push(activation(start, id));
            }
            turn.push(activation(120, 5));
            known.take_up(&turn.seen(None));
            assert_eq!(known.count(all), 5, "{passed_over:?}");
        }
        let mut turn = Done::new(100, 0, 0);
        turn.expect_passed_over(activation(200, 2));
        [(300, 1), (200, 2), (200, 3)].iter().for_each(|&(start, id)| turn.push(activation(start, id)));
        let rest = turn.seen(Some(range(0, 200)));
        assert!(rest.contains(activation(200, 2)), "the next turn reads it again, and it is done");
    }

    #[test]
    fn a_digest_of_something_that_is_read_again_is_given_up() {
        let mut out_of_order = done(0, &[(150, 1), (300, 2), (140, 3)]);
        assert_eq!(out_of_order.reached(140), 140);
        assert_eq!(out_of_order.reached(200), 300);
        assert_eq!(out_of_order.seen(Some(range(0, 300))).count(range(141, 300)), 0);
    }
}
