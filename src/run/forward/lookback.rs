//! Looking for activations that became visible late: they start in a range that is done, and are not among the seen ones.
//!
//! There are three questions, from cheap to expensive. In the steady state the *count* of the range says that there is nothing new. If it
//! differs, counts of parts *narrow* the place down, so that one late record does not cost a list of the whole look-back. The rest is
//! *compared* by summaries. Now and then everything is compared, whatever the count, as a removed record makes up for a new one.

use crate::checkpoint::{Digest, Seen};
use crate::openwhisk::api::Api;
use crate::openwhisk::fetch::{OverlapFilter, Visited, Walk};
use crate::openwhisk::record::Summary;
use crate::ports::Failure;
use crate::range::{self, Range};
use crate::sorted::Map;
use std::collections::HashSet;

/// Most ranges that are fetched one by one; beyond that, neighbours are fetched in one go, and what is known among them is left out.
const MOST_RANGES: usize = 64;
/// So many summaries, some 40 KB, are listed rather than counted in parts.
const FEW: u64 = 100;
/// Most counts that narrow one range down; what differs then is listed.
const MOST_COUNTS: u32 = 12;

/// The finds of a look-back.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    /// Ranges to fetch, newest first.
    pub(super) ranges: Vec<Range>,
    /// Digests of which all activations are fetched, as something in there is not known.
    pub(super) renewing: Vec<Range>,
    /// Activations in these ranges that the list of summaries shows and that are not known by id: the list of full records may leave some
    /// out.
    pub(super) listed: Vec<Summary>,
    /// Known activations that the list does not show any more, or shows again.
    pub(super) gone: Vec<Summary>,
    pub(super) back: Vec<Summary>,
    /// The start down to which it was looked, if the time did not suffice for all of it.
    pub(super) reached: Option<u64>,
}

/// A look-back over one range of a source.
pub(super) struct LookBack<'a, F> {
    pub(super) api: &'a Api<'a>,
    /// The API's filter.
    pub(super) name: Option<&'a str>,
    pub(super) seen: &'a Seen,
    /// Whether to compare record by record even if the count is right.
    pub(super) exact: bool,
    /// Whether a digest of more than the list shows is left alone: it was renewed before, so that some of it were deleted since.
    pub(super) renewed: bool,
    pub(super) in_time: F,
}

impl<F: Fn() -> bool> LookBack<'_, F> {
    /// The unknown activations in `range`.
    pub(super) fn over(&self, range: Range) -> Result<Unknown, Failure> {
        let mut found = Unknown::default();
        for part in self.differing(range)? {
            self.compare(part, range, &mut found)?;
            if found.reached.is_some() {
                break;
            }
        }
        self.renew_what_is_fetched(range, &mut found);
        found.ranges = range::union(std::mem::take(&mut found.ranges));
        found.ranges.reverse();
        let ranges = &found.ranges;
        found.listed.retain(|summary| ranges.iter().any(|range| range.contains(summary.start)));
        Ok(found)
    }

    /// The parts to compare, newest first. Where nothing is known the count says it all, as nothing can be missing.
    fn differing(&self, range: Range) -> Result<Vec<Range>, Failure> {
        match self.seen.expected_count(range, self.exact) {
            None => Ok(vec![self.seen.widened(range)]),
            Some((whole, known)) if self.api.count(self.name, whole)? == known => Ok(Vec::new()),
            Some((whole, _)) => self.narrowed(whole),
        }
    }

    /// Narrows down where the count of `whole` differs. First the newest few are set apart, since most late records are young, then the rest is
    /// halved. A part is passed over only if its own count was right: two counts of different moments must not be subtracted.
    fn narrowed(&self, whole: Range) -> Result<Vec<Range>, Failure> {
        let mut differing = Vec::new();
        let mut open = vec![(whole, FEW / 2)];
        let mut counts = 0;
        while let Some((part, newest)) = open.pop() {
            let halves = if counts < MOST_COUNTS { self.halves(part, newest) } else { None };
            let Some((older, newer)) = halves else {
                differing.push(part);
                continue;
            };
            counts += 1;
            if self.counts_right(older)? {
                open.push((newer, 0));
                continue;
            }
            open.push((older, 0));
            counts += 1;
            if !self.counts_right(newer)? {
                open.push((newer, 0));
            }
        }
        Ok(differing)
    }

    /// Cuts off the `newest` known activations, or half of them for 0; nothing to cut if there are few.
    fn halves(&self, part: Range, newest: u64) -> Option<(Range, Range)> {
        let known = self.seen.count(part);
        if known <= FEW {
            return None;
        }
        let newest = if newest == 0 { known / 2 } else { newest };
        let cut = self.seen.start_of_newest(newest, part)?;
        let older = Range::new(part.since(), cut.checked_sub(1)?)?;
        Some((older, Range::new(cut, part.upto())?))
    }

    /// Whether the API counts as many as are known. It also refreshes a stale index, so that the list a moment later is current
    /// (docs/facts/openwhisk.md 1.7).
    fn counts_right(&self, range: Range) -> Result<bool, Failure> {
        Ok(self.api.count(self.name, range)? == self.seen.count(range))
    }

    /// A digest does not tell which activations it stands for: if any of them is fetched, as neighbours are in one go, all are done again.
    fn renew_what_is_fetched(&self, wanted: Range, found: &mut Unknown) {
        for fetched in found.ranges.clone() {
            for digest in self.seen.digests_in(fetched).map(Digest::range) {
                if !found.renewing.contains(&digest) {
                    found.renew(digest, wanted);
                }
            }
        }
    }

    /// Lists `part` and notes what of `wanted` is unknown.
    fn compare(&self, part: Range, wanted: Range, found: &mut Unknown) -> Result<(), Failure> {
        let mut digests: Map<u64, Digest> = Map::new();
        for digest in self.seen.digests_in(part) {
            digests.insert(digest.range().since(), Digest::empty(digest.range()));
        }
        let mut met: HashSet<Summary> = HashSet::new();
        let mut edge = OverlapFilter::default();
        let mut known_since_last = true;
        let mut rows = RowsOfDigest::default();
        let walked = Walk::new(self.api, self.name, false).over(part, |row| {
            let Ok(summary) = Summary::parse(row.json) else {
                return Visited { summary: None, go_on: (self.in_time)() };
            };
            let new = edge.first_time(summary);
            if self.seen.contains(summary) {
                known_since_last = true;
                met.insert(summary);
                return Visited { summary: Some(summary), go_on: (self.in_time)() };
            }
            let known = self.seen.digest_at(summary.start);
            if known != rows.known {
                rows.pass(&digests, &mut found.listed);
                rows.known = known;
            }
            if let Some(known) = known {
                known_since_last = true;
                if let Some(digest) = digests.get_mut(&known.range().since()).filter(|_| new) {
                    digest.add(summary.activation_id);
                    rows.listed.push(summary);
                }
            } else if wanted.contains(summary.start) {
                found.listed.extend(Some(summary).filter(|_| new));
                found.note(summary.start, known_since_last);
                known_since_last = false;
            }
            Visited { summary: Some(summary), go_on: (self.in_time)() }
        });
        if let Some(failure) = walked.failure {
            return Err(failure);
        }
        rows.pass(&digests, &mut found.listed);
        // A digest of which only a part was listed cannot be compared: it belongs to what is left.
        let cut = walked.reached.map(|reached| match self.seen.digest_at(reached) {
            Some(digest) => digest.range().upto(),
            None => reached,
        });
        found.reached = cut.map(|reached| reached.min(wanted.upto()));
        let Some(listed) = cut.map_or(Some(part), |cut| Range::new(cut.checked_add(1)?, part.upto())) else {
            return Ok(());
        };
        for digest in digests.into_values().filter(|digest| digest.range().since() >= listed.since()) {
            let range = digest.range();
            let known = self.seen.digest_at(range.since());
            let deleted = self.renewed && known.is_some_and(|known| known.count() > digest.count());
            if known != Some(digest) && !deleted {
                found.renew(range, wanted);
            }
        }
        found.gone.extend(self.seen.listed(listed).filter(|known| !met.contains(known)));
        found.back.extend(self.seen.gone(listed).filter(|gone| met.contains(gone)));
        Ok(())
    }
}

/// What the list shows of one digest. If it fits, that is of no interest; so it takes little room.
#[derive(Default)]
struct RowsOfDigest {
    known: Option<Digest>,
    listed: Vec<Summary>,
}

impl RowsOfDigest {
    /// Rows come newest first, so there are no more of this one.
    fn pass(&mut self, digests: &Map<u64, Digest>, into: &mut Vec<Summary>) {
        let rows = std::mem::take(&mut self.listed);
        if self.known.is_some_and(|known| digests.get(&known.range().since()) != Some(&known)) {
            into.extend(rows);
        }
    }
}

impl Unknown {
    /// All of it is to be fetched.
    pub(super) fn all(range: Range) -> Self {
        Self { ranges: vec![range], ..Self::default() }
    }

    /// What a digest stood for is forgotten, and done again as far as it is `wanted`.
    fn renew(&mut self, digest: Range, wanted: Range) {
        self.renewing.push(digest);
        self.ranges.extend(Range::new(digest.since().max(wanted.since()), digest.upto().min(wanted.upto())));
    }

    /// Takes in an unknown activation. Rows come newest first, so it lengthens the last range downwards, unless something known lies between.
    fn note(&mut self, start: u64, apart: bool) {
        let crowded = self.ranges.len() >= MOST_RANGES;
        match self.ranges.last_mut() {
            Some(last) if (!apart || crowded) && start <= last.upto() => {
                if let Some(longer) = Range::new(start.min(last.since()), last.upto()) {
                    *last = longer;
                }
            }
            _ => self.ranges.extend(Range::new(start, start)),
        }
    }
}
