//! Looking for activations that became visible late: they start in a range that is done, and are not among those that were seen.

use crate::api::Api;
use crate::checkpoint::{Bucket, Digest, Seen};
use crate::fetch::{Edge, Visited, Walk};
use crate::ports::Failure;
use crate::range::{self, Range};
use crate::record::Summary;
use std::collections::BTreeMap;

/// Most ranges that are fetched one by one; beyond that, neighbours are fetched in one go, and what is known among them is left out.
const MOST_RANGES: usize = 64;

/// Where something unknown is.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    /// Ranges to fetch, newest first.
    pub(super) ranges: Vec<Range>,
    /// Minutes that are fetched whole, as only a digest of them was known.
    pub(super) renewing: Vec<Bucket>,
    /// The start down to which it was looked, if the time did not suffice for all of it.
    pub(super) reached: Option<u64>,
}

/// Asks for the number of activations first: in the steady state that one small answer says that there is nothing new. It also refreshes a
/// stale index, so that the list a moment later is current (facts/openwhisk.md 1.7). Where the range is not `recent` it says nothing: one
/// that was removed makes up for one that is new.
pub(super) fn unknown(
    api: &Api<'_>,
    name: Option<&str>,
    range: Range,
    seen: &Seen,
    recent: bool,
    in_time: impl Fn() -> bool,
) -> Result<Unknown, Failure> {
    // A digest stands for its whole minute only.
    let whole = widened(range, seen);
    if recent && api.count(name, whole)? == seen.count(whole) {
        return Ok(Unknown::default());
    }
    let mut found = Unknown::default();
    let mut minutes: BTreeMap<Bucket, Digest> =
        seen.digested(whole).map(|bucket| (bucket, Digest::default())).collect();
    let mut edge = Edge::default();
    let mut known_since_last = true;
    let walked = Walk::new(api, name, false).over(whole, |json| {
        let Ok(summary) = Summary::parse(json) else {
            return Visited { summary: None, go_on: in_time() };
        };
        let new = edge.first_time(summary);
        if seen.contains(summary) {
            known_since_last = true;
        } else if let Some(digest) = minutes.get_mut(&Bucket::of(summary.start)) {
            if new {
                digest.add(summary.activation_id);
            }
        } else if range.contains(summary.start) {
            found.note(summary.start, known_since_last);
            known_since_last = false;
        }
        Visited { summary: Some(summary), go_on: in_time() }
    });
    if let Some(failure) = walked.failure {
        return Err(failure);
    }
    // A minute of which only a part was listed cannot be compared: it belongs to what is left.
    let cut = walked.reached.filter(|reached| minutes.contains_key(&Bucket::of(*reached)));
    found.reached = cut.map(|reached| Bucket::of(reached).upto().min(range.upto())).or(walked.reached);
    for (bucket, listed) in minutes {
        if found.reached.is_some_and(|reached| bucket.since() <= reached) {
            continue;
        }
        if seen.digest(bucket) != Some(listed) {
            found.renewing.push(bucket);
            found
                .ranges
                .extend(Range::new(bucket.since().max(range.since()), bucket.upto().min(range.upto())));
        }
    }
    found.ranges = range::union(std::mem::take(&mut found.ranges));
    found.ranges.reverse();
    Ok(found)
}

/// The range, lengthened to whole minutes where it begins or ends in a minute of which only a digest is known.
fn widened(range: Range, seen: &Seen) -> Range {
    let (first, last) = (Bucket::of(range.since()), Bucket::of(range.upto()));
    let since = if seen.digest(first).is_some() { first.since() } else { range.since() };
    let upto = if seen.digest(last).is_some() { last.upto() } else { range.upto() };
    Range::new(since, upto).unwrap_or(range)
}

impl Unknown {
    /// All of it is to be fetched.
    pub(super) fn all(range: Range) -> Self {
        Self { ranges: vec![range], ..Self::default() }
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
