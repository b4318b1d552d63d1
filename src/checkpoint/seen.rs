//! Which activations are done, within the look-back: exact ids, and for what does not fit a digest a minute.

use crate::range::Range;
use crate::record::{ActivationId, Summary};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Width of a digest's bucket of starts, in milliseconds.
const BUCKET_MS: u64 = 60_000;

/// Activations that are done, by start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    ids: BTreeSet<(u64, ActivationId)>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    digests: BTreeMap<Bucket, Digest>,
}

/// A minute of starts, by its first millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bucket(u64);

/// Stands for a set of ids: tells whether another set is the same one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    count: u64,
    /// The ids, combined by exclusive or: they are random already.
    ids: ActivationId,
}

impl Bucket {
    /// The bucket that `ms` falls into.
    pub fn of(ms: u64) -> Self {
        Self(ms - ms % BUCKET_MS)
    }

    /// First millisecond.
    pub fn since(self) -> u64 {
        self.0
    }

    /// Last millisecond.
    pub fn upto(self) -> u64 {
        self.0.saturating_add(BUCKET_MS - 1)
    }

    /// Whether any millisecond is in both.
    fn overlaps(self, range: Range) -> bool {
        self.since() <= range.upto() && range.since() <= self.upto()
    }
}

impl Digest {
    /// Adds an id that is not in it yet.
    pub fn add(&mut self, id: ActivationId) {
        self.count = self.count.saturating_add(1);
        self.ids = self.ids.combined(id);
    }
}

impl Seen {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.digests.is_empty()
    }

    /// Whether an activation is known by its id.
    pub fn contains(&self, activation: Summary) -> bool {
        self.ids.contains(&(activation.start, activation.activation_id))
    }

    /// How many activations in `range` are known, exactly or by digest.
    pub fn count(&self, range: Range) -> u64 {
        let exact = self.ids_in(range).count();
        let digests = self.digests.range(Bucket::of(range.since())..=Bucket(range.upto()));
        u64::try_from(exact)
            .unwrap_or(u64::MAX)
            .saturating_add(digests.fold(0u64, |sum, (_, digest)| sum.saturating_add(digest.count)))
    }

    /// The digest of the bucket, if its ids are forgotten.
    pub fn digest(&self, bucket: Bucket) -> Option<Digest> {
        self.digests.get(&bucket).copied()
    }

    /// Buckets in `range` of which only a digest is known.
    pub fn digested(&self, range: Range) -> impl Iterator<Item = Bucket> {
        self.digests.range(Bucket::of(range.since())..=Bucket(range.upto())).map(|(bucket, _)| *bucket)
    }

    /// Takes up an activation that is done now.
    pub fn insert(&mut self, activation: Summary) {
        match self.digests.get_mut(&Bucket::of(activation.start)) {
            Some(digest) => digest.add(activation.activation_id),
            None => {
                self.ids.insert((activation.start, activation.activation_id));
            }
        }
    }

    /// Forgets a digest: all activations of that bucket are inserted again.
    pub fn renew(&mut self, bucket: Bucket) {
        self.digests.remove(&bucket);
    }

    /// Takes up what another run has done. A minute of which only a digest is known is taken from one of the two, the other one's if it
    /// has a digest: to count an activation twice could hide one that is unknown.
    pub fn unite(&mut self, other: Self) {
        let (ours, theirs) = (std::mem::take(&mut self.digests), other.digests);
        self.ids.retain(|(start, _)| !theirs.contains_key(&Bucket::of(*start)));
        self.ids.extend(other.ids.into_iter().filter(|(start, _)| {
            let bucket = Bucket::of(*start);
            theirs.contains_key(&bucket) || !ours.contains_key(&bucket)
        }));
        self.digests = ours;
        self.digests.extend(theirs);
    }

    /// Keeps what starts at `since` or later, or lies in one of `ranges`.
    pub fn keep(&mut self, since: u64, ranges: &[Range]) {
        self.ids.retain(|(start, _)| *start >= since || ranges.iter().any(|range| range.contains(*start)));
        self.digests
            .retain(|bucket, _| bucket.upto() >= since || ranges.iter().any(|range| bucket.overlaps(*range)));
    }

    /// Starts of the exactly known activations, oldest first.
    pub fn starts(&self) -> impl Iterator<Item = u64> {
        self.ids.iter().map(|(start, _)| *start)
    }

    /// Replaces the ids of all buckets up to that of `upto` by digests; buckets that overlap one of `but` stay.
    pub fn digest_upto(&mut self, upto: u64, but: &[Range]) {
        let last = Bucket::of(upto).upto();
        for (start, id) in std::mem::take(&mut self.ids) {
            if start > last || but.iter().any(|range| Bucket::of(start).overlaps(*range)) {
                self.ids.insert((start, id));
            } else {
                self.digests.entry(Bucket::of(start)).or_default().add(id);
            }
        }
    }

    fn ids_in(&self, range: Range) -> impl Iterator<Item = &(u64, ActivationId)> {
        self.ids.range((range.since(), ActivationId::MIN)..=(range.upto(), ActivationId::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activation(start: u64, id: u32) -> Summary {
        Summary { start, activation_id: format!("{id:032x}").parse().unwrap() }
    }

    fn seen(activations: &[(u64, u32)]) -> Seen {
        let mut seen = Seen::default();
        activations.iter().for_each(|&(start, id)| seen.insert(activation(start, id)));
        seen
    }

    fn range(since: u64, upto: u64) -> Range {
        Range::new(since, upto).unwrap()
    }

    #[test]
    fn a_digest_keeps_the_count_and_tells_sets_apart() {
        let mut one = seen(&[(1, 1), (2, 2), (70_000, 3)]);
        let mut other = seen(&[(1, 1), (2, 9), (70_000, 3)]);
        one.digest_upto(5, &[]);
        other.digest_upto(5, &[]);
        assert_eq!((one.count(range(0, 59_999)), one.count(range(0, 99_999))), (2, 3));
        assert_ne!(one.digest(Bucket::of(0)), other.digest(Bucket::of(0)));
        assert!(!one.contains(activation(1, 1)) && one.contains(activation(70_000, 3)));
    }

    #[test]
    fn an_activation_that_comes_later_joins_the_digest_of_its_minute() {
        let mut early = seen(&[(1, 1)]);
        early.digest_upto(1, &[]);
        early.insert(activation(2, 2));
        let mut late = seen(&[(1, 1), (2, 2)]);
        late.digest_upto(1, &[]);
        assert_eq!(early, late);
    }

    #[test]
    fn two_sets_united_count_no_activation_twice() {
        let range = range(0, 999_999);
        let mut exact = seen(&[(1, 1), (70_000, 2)]);
        exact.unite(seen(&[(1, 1), (2, 3)]));
        assert_eq!(exact.count(range), 3);
        let mut digest = seen(&[(1, 1), (2, 3)]);
        digest.digest_upto(5, &[]);
        let mut forth = exact.clone();
        forth.unite(digest.clone());
        let mut back = digest;
        back.unite(exact);
        assert_eq!((forth.count(range), back.count(range)), (3, 3));
    }

    #[test]
    fn ids_in_a_range_that_is_owed_are_not_digested() {
        let mut seen = seen(&[(1, 1), (60_001, 2), (120_001, 3)]);
        seen.digest_upto(120_001, &[range(60_500, 60_600)]);
        assert_eq!(seen.starts().collect::<Vec<_>>(), [60_001], "the whole minute stays");
    }

    #[test]
    fn what_is_older_than_the_look_back_is_forgotten_unless_owed() {
        let mut seen = seen(&[(1, 1), (50, 2), (100, 3)]);
        seen.keep(90, &[range(40, 60)]);
        assert_eq!(seen.starts().collect::<Vec<_>>(), [50, 100]);
    }
}
