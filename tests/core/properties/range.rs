//! Ranges are sets of milliseconds.

use super::any::cases;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;
use whiskjack::range::{self, Range};

/// Milliseconds in which the ranges of a case lie.
const SPAN: u64 = 48;

fn ranges() -> impl Strategy<Value = Vec<(u64, u64)>> {
    vec((0..SPAN, 0..SPAN).prop_map(|(a, b)| (a.min(b), a.max(b))), 0..8)
}

fn shifted(pairs: &[(u64, u64)], base: u64) -> Vec<Range> {
    pairs.iter().map(|(since, upto)| Range::new(base + since, base + upto).unwrap()).collect()
}

fn members(ranges: &[Range]) -> BTreeSet<u64> {
    ranges.iter().flat_map(|range| range.since()..=range.upto()).collect()
}

/// Sorted, and so far apart that no two could be one.
fn joined(ranges: &[Range]) -> bool {
    ranges.windows(2).all(|pair| pair[0].upto() < pair[1].since() - 1)
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn ranges_are_sets_of_milliseconds(
        left in ranges(), right in ranges(), base in prop_oneof![Just(0), Just(u64::MAX - SPAN + 1), 0..u64::MAX - SPAN]
    ) {
        let (left, right) = (shifted(&left, base), shifted(&right, base));
        let union = range::union([left.clone(), right.clone()].concat());
        prop_assert!(joined(&union), "{:?}", union);
        prop_assert_eq!(members(&union), &members(&left) | &members(&right));
        let difference = range::difference(left.clone(), &right);
        prop_assert!(joined(&difference), "{:?}", difference);
        prop_assert_eq!(members(&difference), &members(&left) - &members(&right));
    }
}
