//! An end for slices without progress: a run without a deadline would continue with them for ever.

use super::Outcome;
use crate::checkpoint::Owed;
use crate::run::plan::Slice;

/// Turns without any progress, one after the other, after which a slice is left to the next run: five minutes at least.
const FRUITLESS: u32 = 60;

/// The slices of this worker that did not get on, and for how many turns.
#[derive(Debug, Default)]
pub(super) struct Progress(Vec<(String, Owed, u32)>);

impl Progress {
    /// Checks the outcome of a turn. If the rest is the same as the slice, and nothing is acknowledged or done, there is no progress; after
    /// too many such turns an error replaces the rest.
    pub(super) fn look(&mut self, slice: &Slice, outcome: &mut Outcome) {
        let stays = outcome.rest.as_ref().is_some_and(|rest| {
            rest.owed == slice.owed
                && rest.handed_back == slice.handed_back
                && rest.renewed.len() == slice.renewed.len()
                && outcome.tally.sending.acknowledged == 0
        });
        let is_this =
            |(source, owed, _): &(String, Owed, u32)| *source == slice.source && *owed == slice.owed;
        let turns = self.0.iter().find(|known| is_this(known)).map_or(0, |(_, _, turns)| *turns) + 1;
        self.0.retain(|known| !is_this(known));
        if stays && turns < FRUITLESS {
            self.0.push((slice.source.clone(), slice.owed, turns));
        } else if stays {
            outcome.rest = None;
            let (since, upto) = slice.owed.range.into();
            outcome.failure.get_or_insert_with(|| {
                format!("`{}`: its activations from {since} to {upto} ms made no progress in {turns} turns; the next run continues from here", slice.source)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Part;
    use crate::range::Range;

    fn slice(since: u64, upto: u64) -> Slice {
        Slice::new("a".into(), Owed { range: Range::new(since, upto).unwrap(), part: Part::Fresh })
    }

    fn turn(progress: &mut Progress, slice: &Slice, rest: &Slice, acknowledged: u64) -> Outcome {
        let mut outcome = Outcome { rest: Some(rest.clone()), ..Outcome::default() };
        outcome.tally.sending.acknowledged = acknowledged;
        progress.look(slice, &mut outcome);
        outcome
    }

    #[test]
    fn a_slice_that_does_not_get_on_is_left_to_the_next_run() {
        let (mut progress, stuck, other) = (Progress::default(), slice(0, 9), slice(10, 20));
        for _ in 1..FRUITLESS {
            assert!(turn(&mut progress, &stuck, &stuck, 0).rest.is_some());
            // Others in between take nothing back.
            assert!(turn(&mut progress, &other, &slice(10, 15), 0).rest.is_some());
        }
        let outcome = turn(&mut progress, &stuck, &stuck, 0);
        assert_eq!(outcome.rest, None);
        let failure = outcome.failure.unwrap();
        assert!(
            failure.contains("`a`: its activations from 0 to 9 ms made no progress in 60 turns"),
            "{failure}"
        );
    }

    #[test]
    fn any_progress_begins_anew() {
        let (mut progress, slow) = (Progress::default(), slice(0, 9));
        let done = Slice { handed_back: 1, ..slow.clone() };
        for n in 1..10 * FRUITLESS {
            let (rest, acknowledged) = if n % 20 == 0 { (&done, 0) } else { (&slow, u64::from(n % 10 == 0)) };
            assert!(turn(&mut progress, &slow, rest, acknowledged).rest.is_some());
        }
    }
}
