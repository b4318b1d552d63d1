//! The activations of the look-back that are done: exact ids, and digests of neighbours for those that do not fit.

mod digests;
mod known;

use super::grain::Grain;
use crate::openwhisk::record::{ActivationId, Summary};
use crate::range::Range;
use crate::sorted::{self, Map};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Activations that are done, by start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    ids: BTreeSet<(u64, ActivationId)>,
    /// Done, but not in the list any more. An activation that reappears is not new.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    gone: BTreeSet<(u64, ActivationId)>,
    /// By their first start; none overlaps another, and no id of `ids` starts inside of one.
    #[serde(default, skip_serializing_if = "Map::is_empty", with = "digests")]
    digests: Map<u64, Digest>,
}

/// Stands for all known activations that start in a range: shows whether another set is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    range: Range,
    count: u64,
    /// The ids, combined by exclusive or: they are random already.
    ids: ActivationId,
}

impl Digest {
    /// The digest of no activation.
    pub fn empty(range: Range) -> Self {
        Self { range, count: 0, ids: ActivationId::MIN }
    }

    /// The starts that it stands for.
    pub fn range(self) -> Range {
        self.range
    }

    /// How many activations it stands for.
    pub fn count(self) -> u64 {
        self.count
    }

    /// Adds an id that is not in it yet.
    pub fn add(&mut self, id: ActivationId) {
        self.count = self.count.saturating_add(1);
        self.ids = self.ids.combined(id);
    }

    /// The digest of one activation.
    pub fn of(activation: Summary) -> Option<Self> {
        let range = Range::new(activation.start, activation.start)?;
        Some(Self { range, count: 1, ids: activation.activation_id })
    }

    /// Adds an activation that is not in it yet and may start outside its range; returns false if that would be more than `grain` allows.
    pub(crate) fn stretch(&mut self, activation: Summary, grain: Grain) -> bool {
        let (since, upto) =
            (self.range.since().min(activation.start), self.range.upto().max(activation.start));
        let Some(range) = Range::new(since, upto) else { return false };
        let mut stretched = Self { range, ..*self };
        stretched.add(activation.activation_id);
        // One start belongs to one digest.
        let fits = grain.allows(range, stretched.count) || self.range.contains(activation.start);
        if fits {
            *self = stretched;
        }
        fits
    }

    /// This one and a later one together, and what starts between them; nothing, if that makes no range.
    fn joined(self, later: Self) -> Option<Self> {
        let range = Range::new(self.range.since(), self.range.upto().max(later.range.upto()))?;
        Some(Self { range, count: self.count.saturating_add(later.count), ids: self.ids.combined(later.ids) })
    }
}

impl Seen {
    /// Forgets ids that a digest stands for too, also of what is gone: the list shows it some time, and then it must count for the digest.
    pub(super) fn forget_digested(&mut self) {
        let digested = Self { digests: std::mem::take(&mut self.digests), ..Self::default() };
        self.ids.retain(|(start, _)| digested.digest_at(*start).is_none());
        self.gone.retain(|(start, _)| digested.digest_at(*start).is_none());
        self.digests = digested.digests;
    }

    /// Forgets what is not known by its id.
    pub(super) fn forget_digests(&mut self) {
        self.digests.clear();
    }

    /// Forgets the digests that overlap one of `ranges`.
    pub(super) fn forget_digests_in(&mut self, ranges: &[Range]) {
        self.digests.retain(|_, digest| !ranges.iter().any(|range| range.overlaps(digest.range)));
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.gone.is_empty() && self.digests.is_empty()
    }

    /// How many ids and digests there are.
    pub fn size(&self) -> usize {
        self.ids.len() + self.digests.len()
    }

    /// Whether an activation is known by its id.
    pub fn contains(&self, activation: Summary) -> bool {
        let key = (activation.start, activation.activation_id);
        self.ids.contains(&key) || self.gone.contains(&key)
    }

    /// How many known activations the list should show in `range`. A digest counts as a whole.
    pub fn count(&self, range: Range) -> u64 {
        let exact = u64::try_from(self.ids_in(range).count()).unwrap_or(u64::MAX);
        self.digests_in(range).fold(exact, |sum, digest| sum.saturating_add(digest.count))
    }

    /// The count that would show that nothing in `range` became visible late: its range, and the right number. `None` if only a comparison
    /// record by record can show that, or if `exact` asks for one.
    pub(crate) fn expected_count(&self, range: Range, exact: bool) -> Option<(Range, u64)> {
        let whole = self.widened(range);
        let known = self.count(whole);
        (!exact || known == 0).then_some((whole, known))
    }

    /// The range, lengthened by the digests that it begins or ends in: a digest stands for its whole range only.
    pub(crate) fn widened(&self, range: Range) -> Range {
        let digest_at = |ms: u64| self.digest_at(ms).map(Digest::range);
        let since = digest_at(range.since()).map_or(range.since(), Range::since);
        let upto = digest_at(range.upto()).map_or(range.upto(), Range::upto);
        Range::new(since, upto).unwrap_or(range)
    }

    /// Exactly known activations in `range` that the list should show, oldest first.
    pub fn listed(&self, range: Range) -> impl DoubleEndedIterator<Item = Summary> {
        self.ids_in(range).map(summary)
    }

    /// Activations in `range` that were missing in the list.
    pub fn gone(&self, range: Range) -> impl Iterator<Item = Summary> {
        self.gone.range(bounds(range)).map(summary)
    }

    /// Digests that overlap `range`, oldest first.
    pub fn digests_in(&self, range: Range) -> impl DoubleEndedIterator<Item = Digest> {
        let first = self.digest_at(range.since()).map_or(range.since(), |digest| digest.range.since());
        self.digests.range(&first, &range.upto()).map(|(_, digest)| *digest)
    }

    /// The digest that stands for what starts at `ms`.
    pub fn digest_at(&self, ms: u64) -> Option<Digest> {
        self.digests.last_up_to(&ms).copied().filter(|digest| digest.range.contains(ms))
    }

    /// A start that has `newer` known activations at or after it, or a few more, within `range`; where a digest would be cut, its first.
    /// `None` if there are not so many.
    pub fn start_of_newest(&self, newer: u64, range: Range) -> Option<u64> {
        let exact = self.listed(range).map(|activation| (activation.start, 1));
        let digests = self.digests_in(range).map(|digest| (digest.range.since(), digest.count));
        let mut all: Vec<(u64, u64)> = exact.chain(digests).collect();
        sorted::sort(&mut all);
        let mut counted = 0u64;
        all.into_iter().rev().find_map(|(start, count)| {
            counted = counted.saturating_add(count);
            (counted >= newer).then_some(start)
        })
    }

    /// Takes up an activation that is done now.
    pub fn insert(&mut self, activation: Summary) {
        let digest = self.digests.last_up_to_mut(&activation.start);
        match digest.filter(|digest| digest.range.contains(activation.start)) {
            Some(digest) => digest.add(activation.activation_id),
            None => self.set_listed(activation, true),
        }
    }

    /// Takes up a digest of activations that are done now. None of them is known here, so it joins the digests that it meets.
    pub fn insert_digest(&mut self, digest: Digest) {
        let met: Vec<Digest> = self.digests_in(digest.range).collect();
        let mut all = digest;
        for other in met {
            self.digests.remove(&other.range.since());
            let (first, last) =
                if other.range.since() < all.range.since() { (other, all) } else { (all, other) };
            all = first.joined(last).unwrap_or(all);
        }
        let ids: Vec<(u64, ActivationId)> = self.ids_in(all.range).copied().collect();
        for key in ids {
            self.ids.remove(&key);
            all.add(key.1);
        }
        self.restore(all);
    }

    /// Takes up the activations that a part of a run has done. No other part has done any of them.
    pub fn take_up(&mut self, done: &Self) {
        done.digests.values().for_each(|digest| self.insert_digest(*digest));
        done.ids.iter().for_each(|key| self.insert(summary(key)));
    }

    /// Takes in whether the list shows an activation that is done.
    pub fn set_listed(&mut self, activation: Summary, listed: bool) {
        let key = (activation.start, activation.activation_id);
        let (from, to) =
            if listed { (&mut self.gone, &mut self.ids) } else { (&mut self.ids, &mut self.gone) };
        from.remove(&key);
        to.insert(key);
    }

    /// What is known is done, but nobody knows of what the list shows it: none of it counts until the list has shown it.
    pub(super) fn unlist(&mut self) {
        self.gone.append(&mut self.ids);
    }

    /// Forgets the digest of `range`: all of its activations are inserted again.
    pub fn forget_range(&mut self, range: Range) {
        self.digests.remove(&range.since());
    }

    /// Takes up the activations that another run has done. If one of the two has a digest, it counts alone, the other's before ours:
    /// counting an activation twice could hide an unknown one. Activations that this forgets are sent again.
    pub fn unite(&mut self, other: Self) {
        let (ours, theirs) = (std::mem::take(&mut self.digests), other.digests.clone());
        self.digests = theirs;
        for (since, digest) in ours {
            if self.digests_in(digest.range).next().is_none() {
                self.digests.insert(since, digest);
            }
        }
        self.ids.extend(other.ids);
        self.gone.extend(other.gone);
        self.forget_digested();
        self.gone.retain(|key| !self.ids.contains(key));
    }

    /// Takes up activations of another set so that the digests of both are covered. Some may count twice, so this is for doubts, which are not
    /// counted.
    pub(super) fn cover(&mut self, other: Self) {
        for digest in other.digests.into_values() {
            if self.digest_at(digest.range.since()) != Some(digest) {
                self.insert_digest(digest);
            }
        }
        let known = other.ids.iter().chain(&other.gone).map(summary);
        known.for_each(|activation| self.insert(activation));
    }

    /// Keeps activations that start at `since` or later, or in one of `ranges`.
    pub fn keep(&mut self, since: u64, ranges: &[Range]) {
        let is_kept = |start: u64| start >= since || ranges.iter().any(|range| range.contains(start));
        self.ids.retain(|(start, _)| is_kept(*start));
        self.gone.retain(|(start, _)| is_kept(*start));
        self.digests.retain(|_, digest| {
            digest.range.upto() >= since || ranges.iter().any(|range| range.overlaps(digest.range))
        });
    }

    /// Takes back that activations are done. A digest that stands for one of them is forgotten as a whole.
    pub(super) fn undo(&mut self, undone: &Self) {
        for key in &undone.ids {
            let was_known = [self.ids.remove(key), self.gone.remove(key)].contains(&true);
            if !was_known && let Some(digest) = self.digest_at(key.0) {
                self.digests.remove(&digest.range.since());
            }
        }
        let ranges: Vec<Range> = undone.digests.values().map(|digest| digest.range).collect();
        self.forget(&ranges);
    }

    /// Replaces all beyond `most` ids and digests by digests, coarser ones if need be.
    pub fn fit(&mut self, most: usize) {
        for grain in Grain::FROM_FINE_TO_COARSE {
            if self.size() <= most {
                return;
            }
            self.digest(u64::MAX, grain, &[]);
        }
    }

    /// The starts of what is known, digests as a whole.
    pub(super) fn ranges(&self) -> Vec<Range> {
        let exact = self.ids.iter().filter_map(|(start, _)| Range::new(*start, *start));
        crate::range::union(exact.chain(self.digests.values().map(|digest| digest.range)).collect())
    }

    /// Forgets the activations in `ranges`, also what is gone.
    pub fn forget(&mut self, ranges: &[Range]) {
        let is_kept = |(start, _): &(u64, ActivationId)| !ranges.iter().any(|range| range.contains(*start));
        self.ids.retain(is_kept);
        self.gone.retain(is_kept);
        self.forget_digests_in(ranges);
    }

    /// Starts of the exactly known activations, oldest first.
    pub fn starts(&self) -> impl Iterator<Item = u64> {
        self.ids.iter().map(|(start, _)| *start)
    }

    /// Replaces activations up to the start `upto` by digests, each for any number that start within `widest_ms`; see `digest`.
    pub fn digest_upto(&mut self, upto: u64, widest_ms: u64, but: &[Range]) {
        self.digest(upto, Grain { widest_ms, most: u64::MAX }, but);
    }

    /// Replaces activations up to the start `upto` by digests, each for as many as `grain` allows. A single activation stays as it is, as
    /// a digest is longer than an id, and so do activations in the ranges `but`. Activations that are gone are forgotten.
    pub(crate) fn digest(&mut self, upto: u64, grain: Grain, but: &[Range]) {
        self.gone.retain(|(start, _)| *start > upto);
        let (ids, digests) = (std::mem::take(&mut self.ids), std::mem::take(&mut self.digests));
        let exact = ids
            .into_iter()
            .filter_map(|(start, id)| Some(Digest { range: Range::new(start, start)?, count: 1, ids: id }));
        let mut all: Vec<Digest> = exact.chain(digests.into_values()).collect();
        sorted::sort_by_key(&mut all, |digest| (digest.range.since(), digest.ids));
        let mut last: Option<Digest> = None;
        for next in all {
            let joined = last.and_then(|last| {
                let joined = last.joined(next)?;
                let range = joined.range;
                // One start belongs to one digest.
                let fits = grain.allows(range, joined.count) || last.range.contains(next.range.since());
                let is_out = range.upto() > upto || but.iter().any(|out| out.overlaps(range));
                (fits && !is_out).then_some(joined)
            });
            if joined.is_none() {
                last.into_iter().for_each(|last| self.restore(last));
            }
            last = joined.or(Some(next));
        }
        last.into_iter().for_each(|last| self.restore(last));
    }

    /// Puts back a digest, or the id that stands alone.
    fn restore(&mut self, digest: Digest) {
        let start = digest.range.since();
        if digest.count == 1 && start == digest.range.upto() {
            self.ids.insert((start, digest.ids));
        } else {
            self.digests.insert(start, digest);
        }
    }

    fn ids_in(&self, range: Range) -> impl DoubleEndedIterator<Item = &(u64, ActivationId)> {
        self.ids.range(bounds(range))
    }
}

fn bounds(range: Range) -> std::ops::RangeInclusive<(u64, ActivationId)> {
    (range.since(), ActivationId::MIN)..=(range.upto(), ActivationId::MAX)
}

fn summary(&(start, activation_id): &(u64, ActivationId)) -> Summary {
    Summary { activation_id, start }
}

#[cfg(test)]
mod tests;
