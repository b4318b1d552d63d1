//! The foot of a list, and the late activations that are to come before it.

use super::Turn;
use crate::openwhisk::fetch::{OverlapFilter, Visited};
use crate::openwhisk::record::Summary;
use crate::range::Range;

impl Turn<'_> {
    /// Whether it is at the foot of the list, below the slice: another part of the work is about what starts then.
    pub(super) fn is_beneath(&self, summary: Summary) -> bool {
        self.foot.is_some() && summary.start < self.since
    }

    /// One that is late less is to come, if this is one.
    pub(super) fn note_late(&mut self, visited: Visited, edge: &mut OverlapFilter) {
        let Some((foot, summary)) = self.foot.as_mut().zip(visited.summary) else { return };
        let is_near = self.since <= summary.start && summary.start <= foot.near;
        if is_near && edge.first_time(summary) && !self.seen.contains(summary) {
            foot.late = foot.late.saturating_sub(1);
        }
    }

    /// All of `range` was listed. If there were fewer late ones than counted, a later run looks again.
    pub(super) fn look_again_for_late(&mut self, range: Range) {
        let Some(foot) = self.foot.filter(|foot| foot.late > 0) else { return };
        let near = Range::new(foot.start, foot.near).and_then(|near| near.shared_with(range));
        self.notes.unsure.extend(near);
    }
}
