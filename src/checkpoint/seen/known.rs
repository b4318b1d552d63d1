//! Finding the activations that a digest stands for among those that the list shows.
//!
//! The digest is their count and their ids by exclusive or. Which of the listed ids combine to that is a system of linear equations, one for each bit
//! of an id. If no listed id is a combination of others, it has one solution at most. Ids are random in 122 bits (version 4 of UUID), so that holds for a
//! few dozen of them. If one of the known activations is not listed, there is no solution: some of the `n` listed ids would combine to the digest by
//! chance, with a probability of 2^(n-122).

use super::{ActivationId, Digest};
use crate::openwhisk::record::Summary;

/// Among so many at most: so a wrong solution, of something that was deleted, has a probability of 2^-42.
const MOST_LISTED: usize = 80;

impl Digest {
    /// Those of `listed`, all that the list shows in its range, each once, that it stands for; and the others, which are new. `None`, if something that it
    /// stands for is not listed, or if they cannot be told apart.
    pub fn known_and_new(self, listed: &[Summary]) -> Option<[Vec<Summary>; 2]> {
        let known = self.known_among(listed)?;
        let mut parted = [Vec::new(), Vec::new()];
        let [known_ones, new_ones] = &mut parted;
        for (activation, is_known) in listed.iter().zip(known) {
            let side = if is_known { &mut *known_ones } else { &mut *new_ones };
            side.push(*activation);
        }
        Some(parted)
    }

    /// For each of `listed` whether it is known.
    fn known_among(self, listed: &[Summary]) -> Option<Vec<bool>> {
        let news = (listed.len() as u64).checked_sub(self.count)?;
        let of_new = listed.iter().fold(self.ids, |all, activation| all.combined(activation.activation_id));
        let known: Vec<bool> = match news {
            0 => vec![of_new == ActivationId::MIN; listed.len()],
            // However many are known.
            1 => listed.iter().map(|activation| activation.activation_id != of_new).collect(),
            _ => combining_to(self.ids, listed)?,
        };
        (known.iter().filter(|is_known| **is_known).count() as u64 == self.count).then_some(known)
    }
}

/// Which of `listed` have ids that combine to `all`, if there is one answer.
fn combining_to(all: ActivationId, listed: &[Summary]) -> Option<Vec<bool>> {
    if listed.len() > MOST_LISTED {
        return None;
    }
    // Combinations of listed ids, and of which: none has a first bit that is set in a later one.
    let mut reduced: Vec<(u128, u128)> = Vec::with_capacity(listed.len());
    let reduce = |reduced: &[(u128, u128)], start: (u128, u128)| {
        reduced.iter().fold(start, |(bits, of), (other, others)| match bits ^ other {
            less if less < bits => (less, of ^ others),
            _ => (bits, of),
        })
    };
    for (place, activation) in listed.iter().enumerate() {
        let next = reduce(&reduced, (activation.activation_id.bits(), 1 << place));
        if next.0 == 0 {
            return None;
        }
        reduced.push(next);
    }
    let (left, of) = reduce(&reduced, (all.bits(), 0));
    (left == 0).then(|| (0..listed.len()).map(|place| of >> place & 1 == 1).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::range::Range;
    use proptest::prelude::*;

    fn activations(ids: impl IntoIterator<Item = u128>) -> Vec<Summary> {
        let activation =
            |id: u128| Summary { start: 5, activation_id: format!("{id:032x}").parse().unwrap() };
        ids.into_iter().map(activation).collect()
    }

    /// Ids as OpenWhisk makes them.
    fn random(count: usize) -> impl Strategy<Value = Vec<Summary>> {
        let version_4 = |bits: u128| bits & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
        prop::collection::vec(any::<u128>().prop_map(version_4), count).prop_map(activations)
    }

    fn digest(of: &[Summary]) -> Digest {
        let mut digest = Digest::empty(Range::new(0, 9).unwrap());
        of.iter().for_each(|activation| digest.add(activation.activation_id));
        digest
    }

    proptest! {
        #[test]
        fn what_is_new_among_many_is_told_from_what_is_known(
            all in random(MOST_LISTED), is_new in prop::collection::vec(any::<bool>(), MOST_LISTED)
        ) {
            let (mut known, mut new) = (Vec::new(), Vec::new());
            all.iter().zip(is_new).for_each(|(one, is_new)| if is_new { new.push(*one) } else { known.push(*one) });
            prop_assert_eq!(digest(&known).known_and_new(&all), Some([known, new]));
        }

        #[test]
        fn where_something_known_is_not_listed_nothing_is_told(all in random(60), deleted in 0..30usize) {
            let known = digest(&all[..30]);
            let mut listed = all.clone();
            listed.remove(deleted);
            for listed in [&listed[..], &listed[..29], &listed[..30], &listed[..31]] {
                prop_assert_eq!(known.known_and_new(listed), None);
            }
        }

        #[test]
        fn one_that_is_new_is_found_among_any_number(all in random(500), new in 0..500usize) {
            let mut known = all.clone();
            let new = known.remove(new);
            prop_assert_eq!(digest(&known).known_and_new(&all), Some([known.clone(), vec![new]]));
            prop_assert_eq!(digest(&known[1..]).known_and_new(&all), None, "not two");
        }
    }

    #[test]
    fn where_two_answers_are_possible_none_is_given() {
        let listed = activations([1, 2, 4, 7]);
        assert_eq!(digest(&listed[..2]).known_and_new(&listed), None, "4 and 7 combine to the same");
    }

    #[test]
    fn all_that_are_listed_may_be_known_and_among_too_many_two_new_ones_are_not_told() {
        let listed = activations((0..=MOST_LISTED).map(|place| 1 << place));
        assert_eq!(digest(&listed).known_and_new(&listed), Some([listed.clone(), Vec::new()]));
        assert_eq!(digest(&listed[2..]).known_and_new(&listed), None);
    }
}
