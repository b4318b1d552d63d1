//! Doubts: activations count as done without lines while nobody asked whether their lines are elsewhere. If lines turn out to be there, that is undone.

use super::{Checkpoint, Owed, Part, Seen, SourceState};
use crate::range::Range;

/// Most ids that all sources together keep of activations whose lines may be elsewhere, and the fewest a source.
const MOST_DOUBTFUL: usize = 2_000;
const FEWEST_DOUBTFUL: usize = 16;
/// Most ranges before the look-back that are owed as they are.
const MOST_OLD_RANGES: usize = 16;

impl Checkpoint {
    /// The lines turned out to be in a store of their own: what counted as done without them is not done.
    pub fn undo_doubtful(&mut self) {
        self.sources.values_mut().for_each(SourceState::undo_doubtful);
    }
}

impl SourceState {
    /// Takes up what a run has taken for done without having asked for its lines; of `sources` there are so many.
    pub fn doubt(&mut self, doubtful: Seen, sources: usize) {
        self.doubtful.unite(doubtful);
        self.doubtful.fit((MOST_DOUBTFUL / sources.max(1)).max(FEWEST_DOUBTFUL));
    }

    /// Forgets doubts about what no look-back reaches any more.
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
