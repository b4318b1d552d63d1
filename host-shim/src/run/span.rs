//! How far a run is.

use super::Progress;
use crate::component::{Outcome, Slice};

/// How much of the ranges is done, in milliseconds of starts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    all: u64,
    left: u64,
    acknowledged: u64,
}

impl Span {
    /// All that is to be done.
    pub(super) fn of(slices: &[Slice]) -> Self {
        let all = slices.iter().map(length).fold(0, u64::saturating_add);
        Self { all, left: all, acknowledged: 0 }
    }

    /// A slice that had this length came to that.
    pub(super) fn note(&mut self, length_before: u64, outcome: &Outcome) -> Progress {
        let rest = outcome.rest.as_ref().map_or(0, length);
        self.left = self.left.saturating_sub(length_before.saturating_sub(rest));
        self.acknowledged = self.acknowledged.saturating_add(outcome.acknowledged);
        let done = 1.0 - self.left as f64 / self.all.max(1) as f64;
        Progress { acknowledged: self.acknowledged, done }
    }
}

/// Of the range of a slice.
pub(super) fn length(slice: &Slice) -> u64 {
    slice.upto_ms.saturating_sub(slice.since_ms).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(since_ms: u64, upto_ms: u64) -> Slice {
        Slice { source: "a".to_owned(), since_ms, upto_ms, state: Vec::new() }
    }

    #[test]
    fn what_is_done_is_what_slices_have_not_left() {
        let mut span = Span::of(&[slice(1, 100), slice(101, 200)]);
        let mut note = |length_before, rest: Option<Slice>, acknowledged| {
            span.note(length_before, &Outcome { rest, acknowledged, state: Vec::new() })
        };
        assert_eq!(note(100, Some(slice(1, 50)), 5), Progress { acknowledged: 5, done: 0.25 });
        assert_eq!(note(50, None, 0), Progress { acknowledged: 5, done: 0.5 });
        assert_eq!(note(100, None, 2), Progress { acknowledged: 7, done: 1.0 });
        assert_eq!(
            Span::of(&[]).note(0, &Outcome { rest: None, acknowledged: 0, state: Vec::new() }).done,
            1.0
        );
    }
}
