//! Prefix codes of limited length, after counts (RFC 1951, 3.2.2).

use crate::sorted;

/// A code: its bits in the order that they are written, and how many.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) length: u8,
}

/// Lengths of codes for symbols that occur so often, `most` at most; 0 for a symbol that does not occur.
///
/// Two symbols get a code at least: some decoders want none of one symbol alone.
pub(super) fn lengths(counts: &[u32], most: u8) -> Vec<u8> {
    let mut symbols: Vec<(u32, usize)> = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(symbol, count)| (*count, symbol))
        .collect();
    let absent: Vec<usize> = (0..counts.len())
        .filter(|symbol| symbols.iter().all(|(_, there)| there != symbol))
        .take(2_usize.saturating_sub(symbols.len()))
        .collect();
    symbols.extend(absent.into_iter().map(|symbol| (1, symbol)));
    sorted::sort(&mut symbols);
    let mut by_length = depths(&symbols.iter().map(|(count, _)| *count).collect::<Vec<_>>());
    shorten(&mut by_length, usize::from(most));
    // The rarest get the longest.
    let sorted = by_length
        .iter()
        .enumerate()
        .rev()
        .flat_map(|(length, count)| std::iter::repeat_n(length as u8, *count));
    let mut lengths = vec![0; counts.len()];
    for ((_, symbol), length) in symbols.iter().zip(sorted) {
        if let Some(place) = lengths.get_mut(*symbol) {
            *place = length;
        }
    }
    lengths
}

/// How many leaves of Huffman's tree are how deep; `counts` begin with the least. There are two at least.
fn depths(counts: &[u32]) -> Vec<usize> {
    // Leaves and inner nodes both come in the order of their counts, so the two rarest are always at one of two places.
    let (mut leaves, mut inner) =
        (counts.iter().map(|count| u64::from(*count)).enumerate().peekable(), Vec::new());
    let mut parents = vec![0; 2 * counts.len()];
    let mut next = 0;
    for node in counts.len()..(2 * counts.len()).saturating_sub(1) {
        let mut sum = 0;
        for _ in 0..2 {
            let least_inner = inner.get(next).copied();
            let child = match leaves.peek() {
                Some((leaf, count)) if least_inner.is_none_or(|inner| *count <= inner) => {
                    let child = *leaf;
                    sum += count;
                    leaves.next();
                    child
                }
                _ => {
                    sum += least_inner.unwrap_or_default();
                    next += 1;
                    counts.len() + next - 1
                }
            };
            if let Some(parent) = parents.get_mut(child) {
                *parent = node;
            }
        }
        inner.push(sum);
    }
    let root = (2 * counts.len()).saturating_sub(2);
    let mut depth = vec![0_usize; 2 * counts.len()];
    let mut by_depth = vec![0; counts.len().max(16) + 1];
    for node in (0..root).rev() {
        let parent = parents.get(node).copied().unwrap_or_default();
        let of_node = depth.get(parent).copied().unwrap_or_default() + 1;
        if let Some(depth) = depth.get_mut(node) {
            *depth = of_node;
        }
        if node < counts.len()
            && let Some(leaves) = by_depth.get_mut(of_node)
        {
            *leaves += 1;
        }
    }
    by_depth
}

/// Makes no code longer than `most`, and keeps all of them apart: where leaves are lifted, others sink.
fn shorten(by_length: &mut Vec<usize>, most: usize) {
    let long: usize = by_length.iter().skip(most + 1).sum();
    by_length.truncate(most + 1);
    if let Some(last) = by_length.last_mut() {
        *last += long;
    }
    // Codes take up so much of all codes of the greatest length.
    let taken = |by_length: &[usize]| -> usize {
        by_length.iter().enumerate().skip(1).map(|(length, count)| count << (most - length)).sum()
    };
    let mut over = taken(by_length).saturating_sub(1 << most);
    while over > 0 {
        let Some(length) =
            (1..most).rev().find(|length| by_length.get(*length).is_some_and(|count| *count > 0))
        else {
            return;
        };
        // A leaf of the greatest length goes, and becomes the sibling of one that sinks by a level.
        for (length, change) in [(length, -1), (length + 1, 2), (most, -1)] {
            if let Some(count) = by_length.get_mut(length) {
                *count = count.saturating_add_signed(change);
            }
        }
        over -= 1;
    }
}

/// The codes of these lengths: in the order of their symbols, shorter ones first.
pub(super) fn codes(lengths: &[u8]) -> Vec<Code> {
    let mut codes = vec![Code::default(); lengths.len()];
    let (mut next, mut length) = (0_u32, 1);
    while length < 16 {
        for (code, _) in codes.iter_mut().zip(lengths).filter(|(_, own)| **own == length) {
            *code = Code { bits: (next as u16).reverse_bits() >> (16 - u32::from(length)), length };
            next += 1;
        }
        next <<= 1;
        length += 1;
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn codes_of_limited_length_take_up_all_codes_and_the_rarest_are_the_longest(
            counts in proptest::collection::vec(prop_oneof![Just(0), 1..9_u32, 1..60_000_u32], 2..286),
            most in prop_oneof![Just(15_u8), Just(9)]
        ) {
            let lengths = lengths(&counts, most);
            let used: Vec<(u32, u8)> =
                counts.iter().copied().zip(lengths.iter().copied()).filter(|(_, length)| *length > 0).collect();
            let taken: u32 = used.iter().map(|(_, length)| 1 << (most - length)).sum();
            prop_assert_eq!(taken, 1 << most);
            let occurs = counts.iter().filter(|count| **count > 0).count();
            prop_assert_eq!(used.len(), occurs.max(2));
            for (count, length) in &used {
                prop_assert!(*length <= most && used.iter().all(|(other, longer)| other <= count || longer <= length));
            }
        }
    }

    #[test]
    fn fibonaccis_counts_would_take_longer_codes_than_there_may_be() {
        let counts: Vec<u32> = std::iter::successors(Some((1, 1)), |(one, two)| Some((*two, one + two)))
            .map(|(one, _)| one)
            .take(30)
            .collect();
        let lengths = lengths(&counts, 15);
        assert_eq!(lengths.iter().max(), Some(&15));
        assert_eq!(lengths.iter().map(|length| 1 << (15 - length)).sum::<u32>(), 1 << 15);
    }
}
