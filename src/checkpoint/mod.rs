//! The checkpoint: what has been acknowledged and what is still owed, per source.
//!
//! It moves over acknowledged lines only. For each source it keeps `through`, up to which everything is done but the *owed* ranges; and the
//! *seen* activations of the look-back, because the API shows some activations late: they start before `through` and appear after
//! it. What is in the look-back but not among the seen is new.

mod lease;
mod merge;
mod records;
mod seen;
mod store;

pub use lease::Lease;
pub use records::{OwnRecords, STATE, read_records};
pub use seen::{Bucket, Digest, Seen};
pub use store::{ANNOTATION, Held, LEASE, Saved, Stored, load_package};

use crate::range::{self, Range};
use crate::record::Summary;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The only version so far.
const VERSION: u32 = 1;
/// Above this many bytes of JSON the oldest ids give way to digests.
const COMFORTABLE: usize = 256 << 10;
/// Largest checkpoint that is written, in bytes of JSON; an annotation holds 1 MB (facts/openwhisk.md 10).
const LARGEST: usize = 512 << 10;
/// About how many bytes of JSON an id takes.
const BYTES_PER_ID: usize = 50;

/// State of all sources, by their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    version: u32,
    /// When it was saved, milliseconds since 1970: tells the newest of several. 0 before the first run has ended.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub saved_ms: u64,
    /// By source, as configured.
    pub sources: BTreeMap<String, SourceState>,
}

/// State of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// First start that is of interest: nothing before it was ever asked for.
    pub origin: u64,
    /// Up to here everything is done, but for what is owed.
    pub through: u64,
    /// Ranges of which a part may not have been forwarded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owed: Vec<Owed>,
    /// Activations in the look-back or in an owed range that are done.
    #[serde(default, skip_serializing_if = "Seen::is_empty")]
    pub seen: Seen,
}

/// A range that is not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owed {
    /// Starts.
    pub range: Range,
    /// How to find what is missing.
    pub part: Part,
}

/// How a range is worked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Most of it is new: all records are fetched.
    Fresh,
    /// Most of it is seen already: what is new is looked for among counts and summaries first.
    Lookback,
}

/// Why a checkpoint cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCheckpoint {
    /// It is not what this program writes.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// A newer forwarder wrote it.
    #[error("it is of version {0} and this forwarder reads version {VERSION}: use the newer forwarder again")]
    Newer(u32),
    /// It would not fit where it is kept.
    #[error("it would take {0} bytes, more than {LARGEST}: monitor fewer actions with one forwarder")]
    TooLarge(usize),
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self { version: VERSION, saved_ms: 0, sources: BTreeMap::new() }
    }
}

impl Checkpoint {
    /// Reads what `encode` wrote.
    pub fn decode(json: &[u8]) -> Result<Self, BadCheckpoint> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_slice(json).map_err(damaged)?;
        if version > VERSION {
            return Err(BadCheckpoint::Newer(version));
        }
        serde_json::from_slice(json).map_err(damaged)
    }

    /// As JSON, at most 512 KiB: where the exact ids do not fit, digests stand for the oldest.
    pub fn encode(&self) -> Result<Vec<u8>, BadCheckpoint> {
        let mut fitting = self.clone();
        loop {
            let json = serde_json::to_vec(&fitting).map_err(damaged)?;
            let excess = json.len().saturating_sub(COMFORTABLE);
            if excess == 0 || !fitting.digest_oldest(excess / BYTES_PER_ID + 1) {
                return if json.len() <= LARGEST {
                    Ok(json)
                } else {
                    Err(BadCheckpoint::TooLarge(json.len()))
                };
            }
        }
    }

    /// Lets digests stand for at least `ids` of the oldest ids, if there are that many. Says whether there were any.
    fn digest_oldest(&mut self, ids: usize) -> bool {
        let mut starts: Vec<u64> = self.sources.values().flat_map(|state| state.seen.starts()).collect();
        starts.sort_unstable();
        let Some(&upto) = starts.get(ids).or(starts.last()) else { return false };
        for state in self.sources.values_mut() {
            state.seen.digest_upto(upto, &state.owed_ranges(Part::Fresh));
        }
        let left: usize = self.sources.values().map(|state| state.seen.starts().count()).sum();
        left < starts.len()
    }
}

impl SourceState {
    /// The state before the first run: everything from `origin` on is to come. Time begins at 1, so that something lies before it.
    pub fn new(origin: u64) -> Self {
        let origin = origin.max(1);
        Self { origin, through: origin - 1, owed: Vec::new(), seen: Seen::default() }
    }

    /// One state for several sources that become one: it has come as far as the last of them, and owes what any of them owes.
    pub fn together<'a>(states: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        states.into_iter().cloned().reduce(|mut all, state| {
            all.origin = all.origin.min(state.origin);
            all.through = all.through.min(state.through);
            all.owed.extend(state.owed);
            all.seen.unite(state.seen);
            all
        })
    }

    /// What is to be done for the source at `now`: new activations first, then what became visible late, then the backlog.
    pub fn work(&self, now: u64, lookback_ms: u64) -> Vec<Owed> {
        let backlog = self.owed_ranges(Part::Fresh);
        // An owed range that ends where the new one begins is one with it.
        let begin = backlog
            .iter()
            .rev()
            .find(|owed| owed.upto() >= self.through)
            .map_or(self.through.saturating_add(1), |owed| owed.since());
        let fresh = Range::new(begin.max(self.origin), now);
        let backlog = range::difference(backlog, fresh.as_slice());
        let recent = Range::new(self.look_back_from(now, lookback_ms), self.through);
        let again = self.owed_ranges(Part::Lookback).into_iter().chain(recent).collect();
        let lookback = range::difference(range::difference(range::union(again), &backlog), fresh.as_slice());
        let part =
            |part: Part, ranges: Vec<Range>| ranges.into_iter().rev().map(move |range| Owed { range, part });
        part(Part::Fresh, fresh.into_iter().collect())
            .chain(part(Part::Lookback, lookback))
            .chain(part(Part::Fresh, backlog))
            .collect()
    }

    /// Takes in what a run at `now` achieved: of its `work`, the `covered` ranges are finished.
    pub fn advance(&mut self, work: &[Owed], covered: &[Owed], now: u64, lookback_ms: u64) {
        let of = |part: Part, list: &[Owed]| -> Vec<Range> {
            list.iter().filter(|owed| owed.part == part).map(|owed| owed.range).collect()
        };
        let left = |part: Part| {
            let ranges = range::difference(of(part, work), &of(part, covered));
            ranges.into_iter().map(move |range| Owed { range, part })
        };
        self.owed = left(Part::Fresh).chain(left(Part::Lookback)).collect();
        let newest = work.iter().filter(|owed| owed.part == Part::Fresh).map(|owed| owed.range.upto()).max();
        self.through = self.through.max(newest.unwrap_or_default());
        let owed: Vec<Range> = self.owed.iter().map(|owed| owed.range).collect();
        self.seen.keep(self.look_back_from(now, lookback_ms), &owed);
    }

    /// Takes up activations that are done now.
    pub fn note(&mut self, done: impl IntoIterator<Item = Summary>) {
        done.into_iter().for_each(|activation| self.seen.insert(activation));
    }

    /// Where the look-back begins, at a whole minute, so that no digest's bucket is cut. A clock that was ahead once has left `through` in
    /// the future: then it reaches back from now.
    fn look_back_from(&self, now: u64, lookback_ms: u64) -> u64 {
        let end = self.through.min(now);
        Bucket::of(end.saturating_sub(lookback_ms)).since().max(self.origin)
    }

    fn owed_ranges(&self, part: Part) -> Vec<Range> {
        range::union(self.owed.iter().filter(|owed| owed.part == part).map(|owed| owed.range).collect())
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn damaged(error: serde_json::Error) -> BadCheckpoint {
    BadCheckpoint::Damaged(error.to_string())
}

#[cfg(test)]
mod tests;
