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
    /// Digests of which the activations are known by their ids from now on, as the list told which they are.
    pub(super) opened: Vec<Opened>,
    /// Activations in these ranges that the list of summaries shows and that are not known by id: the list of full records may leave some
    /// out.
    pub(super) listed: Vec<Summary>,
    /// Known activations that the list does not show any more, or shows again.
    pub(super) gone: Vec<Summary>,
    pub(super) back: Vec<Summary>,
    /// The start down to which it was looked, if the time did not suffice for all of it.
    pub(super) reached: Option<u64>,
    /// Ranges that were found before the part that is compared now.
    before: usize,
    /// Whether something known lies between the last range and what comes now.
    apart: bool,
}

/// A digest that a list was compared with.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) range: Range,
    /// What it stood for, as far as it was looked for.
    pub(super) known: Vec<Summary>,
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
        self.open_what_is_fetched(range, &mut found);
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

    /// What a digest stands for must be told from what is new wherever something is fetched. If that cannot be, all of it is done again.
    fn open_what_is_fetched(&self, wanted: Range, found: &mut Unknown) {
        let fetched = found.ranges.clone();
        found.opened.retain(|opened| fetched.iter().any(|fetched| fetched.overlaps(opened.range)));
        for fetched in fetched {
            for digest in self.seen.digests_in(fetched).map(Digest::range) {
                let is_open = found.opened.iter().any(|opened| opened.range == digest);
                if !is_open && !found.renewing.contains(&digest) {
                    found.renew(digest, wanted);
                }
            }
        }
        for opened in &mut found.opened {
            opened.known.retain(|activation| wanted.contains(activation.start));
        }
    }

    /// Lists `part` and notes what of `wanted` is unknown.
    fn compare(&self, part: Range, wanted: Range, found: &mut Unknown) -> Result<(), Failure> {
        let mut met: HashSet<Summary> = HashSet::new();
        let mut edge = OverlapFilter::default();
        let mut rows = RowsOfDigest::default();
        let mut compared: HashSet<u64> = HashSet::new();
        found.begin_part();
        let walked = Walk::new(self.api, self.name, false).over(part, |row| {
            let Ok(summary) = Summary::parse(row.json) else {
                return Visited { summary: None, go_on: (self.in_time)() };
            };
            let digest = self.seen.digest_at(summary.start);
            if digest != rows.digest {
                compared.extend(rows.digest.map(|digest| digest.range().since()));
                self.compare_rows(rows.change_to(digest), wanted, found);
            }
            let new = edge.first_time(summary);
            if self.seen.contains(summary) {
                found.apart = true;
                met.insert(summary);
            } else if digest.is_some() {
                rows.listed.extend(Some(summary).filter(|_| new));
            } else if wanted.contains(summary.start) {
                found.listed.extend(Some(summary).filter(|_| new));
                found.note(summary.start);
            }
            Visited { summary: Some(summary), go_on: (self.in_time)() }
        });
        if let Some(failure) = walked.failure {
            return Err(failure);
        }
        // A digest of which only a part was listed cannot be compared: it belongs to what is left.
        let cut = walked.reached.map(|reached| match self.seen.digest_at(reached) {
            Some(digest) => digest.range().upto(),
            None => reached,
        });
        found.reached = cut.map(|reached| reached.min(wanted.upto()));
        let Some(listed) = cut.map_or(Some(part), |cut| Range::new(cut.checked_add(1)?, part.upto())) else {
            return Ok(());
        };
        let is_whole = |digest: Digest| digest.range().since() >= listed.since();
        for digest in self.seen.digests_in(part).filter(|digest| is_whole(*digest)) {
            // The last one, or one of which nothing is listed.
            if !compared.contains(&digest.range().since()) {
                let rows = if rows.digest == Some(digest) { rows.change_to(None) } else { digest.into() };
                self.compare_rows(rows, wanted, found);
            }
        }
        found.gone.extend(self.seen.listed(listed).filter(|known| !met.contains(known)));
        found.back.extend(self.seen.gone(listed).filter(|gone| met.contains(gone)));
        Ok(())
    }

    /// Compares a digest with all that the list shows of its range.
    fn compare_rows(&self, rows: RowsOfDigest, wanted: Range, found: &mut Unknown) {
        let RowsOfDigest { digest: Some(digest), listed } = rows else { return };
        let range = digest.range();
        match digest.known_and_new(&listed) {
            Some([known, new]) => {
                if !new.is_empty() || found.is_crowded() {
                    found.note_new(&listed, &new, wanted);
                    found.opened.push(Opened { range, known });
                }
                found.listed.extend(new);
            }
            None if self.renewed && digest.count() > listed.len() as u64 => {}
            None => {
                found.listed.extend(listed);
                found.renew(range, wanted);
            }
        }
        found.apart = true;
    }
}

/// What the list shows in the range of one digest. Rows come newest first, so there are no more of it when another one comes.
#[derive(Default)]
struct RowsOfDigest {
    digest: Option<Digest>,
    listed: Vec<Summary>,
}

impl RowsOfDigest {
    /// Begins with another digest, or none. Returns what there was of the one before.
    fn change_to(&mut self, digest: Option<Digest>) -> Self {
        std::mem::replace(self, digest.map_or(Self::default(), Self::from))
    }
}

impl From<Digest> for RowsOfDigest {
    fn from(digest: Digest) -> Self {
        Self { digest: Some(digest), listed: Vec::new() }
    }
}

impl Unknown {
    /// All of it is to be fetched.
    pub(super) fn all(range: Range) -> Self {
        Self { ranges: vec![range], ..Self::default() }
    }

    /// Another part is compared from now on: what lies between it and the one before was not listed.
    fn begin_part(&mut self) {
        self.before = self.ranges.len();
        self.apart = true;
    }

    /// What a digest stood for is forgotten, and done again as far as it is `wanted`.
    fn renew(&mut self, digest: Range, wanted: Range) {
        self.renewing.push(digest);
        self.ranges.extend(Range::new(digest.since().max(wanted.since()), digest.upto().min(wanted.upto())));
    }

    /// Takes in those of `listed` that are `new` and wanted.
    fn note_new(&mut self, listed: &[Summary], new: &[Summary], wanted: Range) {
        let mut new = new.iter().peekable();
        for activation in listed {
            if new.next_if_eq(&activation).is_none() {
                self.apart = true;
            } else if wanted.contains(activation.start) {
                self.note(activation.start);
            }
        }
    }

    /// Whether neighbours are fetched in one go from now on.
    fn is_crowded(&self) -> bool {
        self.ranges.len() >= MOST_RANGES
    }

    /// Takes in an unknown activation. Rows come newest first, so it lengthens the last range downwards, unless something known lies between.
    fn note(&mut self, start: u64) {
        let is_near = !self.apart || self.is_crowded();
        let of_this_part = self.ranges.len() > self.before;
        self.apart = false;
        match self.ranges.last_mut().filter(|last| is_near && of_this_part && start <= last.upto()) {
            Some(last) => *last = Range::new(start.min(last.since()), last.upto()).unwrap_or(*last),
            None => self.ranges.extend(Range::new(start, start)),
        }
    }
}
