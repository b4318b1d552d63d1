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
}

/// Asks for the number of activations first: in the steady state that one small answer says that there is nothing new. It also refreshes a
/// stale index, so that the list a moment later is current (facts/openwhisk.md 1.7).
pub(super) fn unknown(
    api: &Api<'_>,
    name: Option<&str>,
    range: Range,
    seen: &Seen,
) -> Result<Unknown, Failure> {
    if api.count(name, range)? == seen.count(range) {
        return Ok(Unknown::default());
    }
    let mut found = Unknown::default();
    let mut minutes: BTreeMap<Bucket, Digest> =
        seen.digested(range).map(|(bucket, _)| (bucket, Digest::default())).collect();
    let mut edge = Edge::default();
    let mut known_since_last = true;
    let walked = Walk::new(api, name, false).over(range, |json| {
        let Ok(summary) = Summary::parse(json) else {
            return Ok(Visited { summary: None, new: false, go_on: true });
        };
        let new = edge.first_time(summary);
        if let Some(digest) = minutes.get_mut(&Bucket::of(summary.start)) {
            if new {
                digest.add(summary.activation_id);
            }
        } else if seen.contains(summary) {
            known_since_last = true;
        } else {
            found.note(summary.start, known_since_last);
            known_since_last = false;
        }
        Ok(Visited { summary: Some(summary), new, go_on: true })
    });
    if let Some(failure) = walked.failure {
        return Err(failure);
    }
    for (bucket, listed) in minutes {
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

impl Unknown {
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
