//! Closed ranges of activation starts, and their arithmetic.

use serde::{Deserialize, Serialize};

/// A closed range of milliseconds since 1970, never empty: the API's `since` and `upto` are inclusive too (docs/facts/openwhisk.md 1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "(u64, u64)", into = "(u64, u64)")]
pub struct Range {
    since: u64,
    upto: u64,
}

impl Range {
    /// The range from `since` to `upto`, both included; `None` if that holds nothing.
    pub fn new(since: u64, upto: u64) -> Option<Self> {
        (since <= upto).then_some(Self { since, upto })
    }

    /// First millisecond.
    pub fn since(self) -> u64 {
        self.since
    }

    /// Last millisecond.
    pub fn upto(self) -> u64 {
        self.upto
    }

    /// How many milliseconds it holds.
    pub fn length(self) -> u64 {
        (self.upto - self.since).saturating_add(1)
    }

    /// Whether `ms` lies inside.
    pub fn contains(self, ms: u64) -> bool {
        self.since <= ms && ms <= self.upto
    }

    /// Whether any millisecond is in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.since <= other.upto && other.since <= self.upto
    }

    /// The part that is in both.
    pub fn shared_with(self, other: Self) -> Option<Self> {
        Self::new(self.since.max(other.since), self.upto.min(other.upto))
    }

    /// At most `pieces` pieces of equal length, but for the last, earlier first; together they are this range.
    pub fn cut(self, pieces: u64) -> Vec<Self> {
        let beyond_first = (self.upto - self.since) / pieces.max(1);
        let mut cut = Vec::new();
        let mut since = self.since;
        while let Some(piece) = Self::new(since, self.upto.min(since.saturating_add(beyond_first))) {
            cut.push(piece);
            let Some(next) = piece.upto.checked_add(1) else { break };
            since = next;
        }
        cut
    }

    /// This range without `other`: up to two pieces, earlier first.
    fn without(self, other: Self) -> impl Iterator<Item = Self> {
        let before = other.since.checked_sub(1).and_then(|end| Self::new(self.since, end.min(self.upto)));
        let after = other.upto.checked_add(1).and_then(|begin| Self::new(begin.max(self.since), self.upto));
        before.into_iter().chain(after)
    }
}

/// Sorted by time, joined where they touch.
pub fn union(mut ranges: Vec<Range>) -> Vec<Range> {
    crate::sorted::sort(&mut ranges);
    let mut joined: Vec<Range> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.since <= last.upto.saturating_add(1) => last.upto = last.upto.max(range.upto),
            _ => joined.push(range),
        }
    }
    joined
}

/// The parts of `ranges` that are in none of `taken`, sorted and joined.
pub fn difference(ranges: Vec<Range>, taken: &[Range]) -> Vec<Range> {
    let left = taken
        .iter()
        .fold(ranges, |left, out| left.into_iter().flat_map(|range| range.without(*out)).collect());
    union(left)
}

impl TryFrom<(u64, u64)> for Range {
    type Error = String;

    fn try_from((since, upto): (u64, u64)) -> Result<Self, String> {
        Self::new(since, upto).ok_or_else(|| format!("the range {since} to {upto} ends before it begins"))
    }
}

impl From<Range> for (u64, u64) {
    fn from(range: Range) -> Self {
        (range.since, range.upto)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(pairs: &[(u64, u64)]) -> Vec<Range> {
        pairs.iter().map(|&(a, b)| Range::new(a, b).unwrap()).collect()
    }

    #[test]
    fn a_union_joins_what_overlaps_or_touches() {
        assert_eq!(union(ranges(&[(8, 9), (1, 3), (4, 5), (2, 2)])), ranges(&[(1, 5), (8, 9)]));
    }

    #[test]
    fn a_difference_cuts_holes_and_edges() {
        let whole = ranges(&[(0, 10)]);
        assert_eq!(difference(whole.clone(), &ranges(&[(3, 4)])), ranges(&[(0, 2), (5, 10)]));
        assert_eq!(difference(whole.clone(), &ranges(&[(0, 4), (9, 12)])), ranges(&[(5, 8)]));
        assert_eq!(difference(whole, &ranges(&[(0, 10)])), []);
    }

    #[test]
    fn pieces_are_of_equal_length_and_together_the_whole() {
        let cut = |since, upto, pieces| Range::new(since, upto).unwrap().cut(pieces);
        assert_eq!(cut(0, 99, 3), ranges(&[(0, 33), (34, 67), (68, 99)]));
        assert_eq!(cut(5, 6, 9), ranges(&[(5, 5), (6, 6)]));
        assert_eq!(cut(7, 7, 0), ranges(&[(7, 7)]));
        assert_eq!(union(cut(0, u64::MAX, 4)), ranges(&[(0, u64::MAX)]));
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let all = ranges(&[(0, u64::MAX)]);
        assert_eq!(difference(all.clone(), &ranges(&[(0, 0)])), ranges(&[(1, u64::MAX)]));
        assert_eq!(difference(all.clone(), &ranges(&[(0, u64::MAX)])), []);
        assert_eq!(union([all.clone(), all.clone()].concat()), all);
    }

    #[test]
    fn every_millisecond_is_in_the_difference_or_in_what_was_taken() {
        for (a, b) in [(2, 5), (0, 3), (4, 9), (7, 7), (0, 9)] {
            let taken = ranges(&[(a, b), (6, 6)]);
            let left = difference(ranges(&[(0, 9)]), &taken);
            for ms in 0..=9 {
                let is_taken = taken.iter().any(|range| range.contains(ms));
                assert_ne!(is_taken, left.iter().any(|range| range.contains(ms)), "{ms} with {a}..={b}");
            }
        }
    }
}
