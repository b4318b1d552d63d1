//! Doubts: activations without lines count as done while no run has asked whether their lines are elsewhere. If a store turns out to have
//! lines, they are not done any more.

use super::{Checkpoint, LogPlace, Owed, Part, Seen, SourceState};
use crate::range::Range;

/// Most ids that all sources together keep of activations whose lines may be elsewhere, and the fewest a source.
const MOST_DOUBTFUL: usize = 2_000;
const FEWEST_DOUBTFUL: usize = 16;
/// Most ranges before the look-back that are owed as they are.
const MOST_OLD_RANGES: usize = 16;

impl Checkpoint {
    /// The lines turned out to be in a store of their own: activations that counted as done without lines are not done.
    pub fn undo_doubtful(&mut self) {
        self.sources.values_mut().for_each(SourceState::undo_doubtful);
    }

    /// An older forwarder wrote it, and kept no doubts: unless it knew of a store with lines, all that it has done may have lines there.
    pub(super) fn doubt_all(&mut self) {
        if self.platform.logs(self.saved_ms) == LogPlace::Api {
            return;
        }
        let sources = self.sources.len();
        self.sources.values_mut().for_each(|state| state.doubt(state.seen.clone(), sources));
    }
}

impl SourceState {
    /// Takes up activations that a run has counted as done without asking for their lines; `sources` is the number of sources.
    pub fn doubt(&mut self, doubtful: Seen, sources: usize) {
        self.doubtful.cover(doubtful);
        self.doubtful.fit((MOST_DOUBTFUL / sources.max(1)).max(FEWEST_DOUBTFUL));
    }

    /// Forgets doubts about activations that no look-back reaches any more.
    pub fn keep_doubtful(&mut self) {
        let owed: Vec<Range> = self.owed.iter().map(|owed| owed.range).collect();
        self.doubtful.keep(self.kept_from, &owed);
    }

    fn undo_doubtful(&mut self) {
        let doubtful = std::mem::take(&mut self.doubtful);
        self.seen.undo(&doubtful);
        let hull = |ranges: &[Range]| Range::new(ranges.first()?.since(), ranges.last()?.upto());
        let (old, recent): (Vec<Range>, Vec<Range>) =
            doubtful.ranges().into_iter().partition(|range| range.since() < self.kept_from);
        let old = if old.len() > MOST_OLD_RANGES { hull(&old).into_iter().collect() } else { old };
        let again = old.into_iter().chain(hull(&recent));
        self.owed.extend(again.map(|range| Owed { range, part: Part::Lookback }));
    }
}
