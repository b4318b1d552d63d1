//! How a checkpoint is made to fit its store: digests replace the oldest ids, and in the end one range replaces many.

use super::grain::Grain;
use super::{BadCheckpoint, Checkpoint, Owed, Part, SourceState, damaged};
use crate::openwhisk::record::Details;
use crate::range::Range;

/// Above this many bytes of JSON the oldest ids give way to digests.
pub(super) const COMFORTABLE: usize = 256 << 10;
/// Largest checkpoint that is written, in bytes of JSON; an annotation holds 1 MB (docs/facts/openwhisk.md 10).
pub(super) const LARGEST: usize = 512 << 10;
/// About how many bytes of JSON an id takes.
const BYTES_PER_ID: usize = 50;
/// The most ids that a checkpoint keeps. A run has no use for more of them either.
pub const MOST_IDS: usize = COMFORTABLE / BYTES_PER_ID;

impl Checkpoint {
    /// The checkpoint as JSON, at most 512 KiB: if the exact ids do not fit, digests stand for the oldest, and coarser digests if those do
    /// not fit. At worst, activations that are forgotten in this way are sent again.
    pub fn encode(&self) -> Result<Vec<u8>, BadCheckpoint> {
        let mut fitting = self.clone();
        // Not written first to see that it is too long.
        let ids: usize = fitting.sources.values().map(|state| state.seen.starts().count()).sum();
        if ids > MOST_IDS {
            fitting.digest_oldest(ids - MOST_IDS);
        }
        let mut times = 1;
        loop {
            let json = fitting.json()?;
            let excess = json.len().saturating_sub(COMFORTABLE);
            if excess == 0 {
                return Ok(json);
            }
            // A digest of two is not much shorter than they are, and those that have no neighbours stay: so more of them each time.
            if !fitting.digest_oldest((excess / BYTES_PER_ID + 1) * times) {
                break;
            }
            times *= 2;
        }
        fitting.sources.values_mut().for_each(|state| state.doubtful.fit(1));
        for grain in Grain::FROM_FINE_TO_COARSE {
            fitting.digest(u64::MAX, grain);
            let json = fitting.json()?;
            if json.len() <= LARGEST {
                return Ok(json);
            }
        }
        // Now only the work itself is left, and ids inside of it.
        let mut json = Vec::new();
        for coarsen in [SourceState::coarsen as fn(&mut SourceState), SourceState::owe_ranges_only] {
            fitting.sources.values_mut().for_each(coarsen);
            json = fitting.json()?;
            if json.len() <= LARGEST {
                return Ok(json);
            }
        }
        Err(BadCheckpoint::TooLarge(json.len()))
    }

    fn json(&self) -> Result<Vec<u8>, BadCheckpoint> {
        serde_json::to_vec(self).map_err(damaged)
    }

    /// Replaces the oldest ids, `ids` or a few more, by digests where they have neighbours. Returns false if those were all, and nothing
    /// changed.
    fn digest_oldest(&mut self, ids: usize) -> bool {
        let mut starts: Vec<u64> = self.sources.values().flat_map(|state| state.seen.starts()).collect();
        crate::sorted::sort(&mut starts);
        let Some(&upto) = starts.get(ids).or(starts.last()) else { return false };
        self.digest(upto, Grain::FINEST);
        let left: usize = self.sources.values().map(|state| state.seen.starts().count()).sum();
        ids < starts.len() || left < starts.len()
    }

    fn digest(&mut self, upto: u64, grain: Grain) {
        for state in self.sources.values_mut() {
            state.seen.digest(upto, grain, &state.not_digested());
        }
    }
}

impl SourceState {
    /// Gives up precision for room: the owed ranges become one range of each kind, and activations that are done inside are forgotten.
    fn coarsen(&mut self) {
        let whole = |ranges: Vec<Range>| Range::new(ranges.first()?.since(), ranges.last()?.upto());
        let parts = [Part::Fresh, Part::Lookback];
        self.owed = parts
            .into_iter()
            .filter_map(|part| whole(self.owed_ranges(part)).map(|range| Owed { range, part }))
            .collect();
        self.coarsen_settling();
        let fresh = self.owed_ranges(Part::Fresh);
        self.records.iter_mut().for_each(|record| {
            record.trouble = None;
            record.details = record.details.as_ref().map(Details::essential);
        });
        self.seen.forget(&fresh);
        self.seen.digest_upto(u64::MAX, u64::MAX, &fresh);
    }

    /// Also gives up the records that are owed by themselves, and their numbers of acknowledged entries: their milliseconds are owed
    /// instead.
    fn owe_ranges_only(&mut self) {
        let starts = self.records.drain(..).filter_map(|record| Range::new(record.start, record.start));
        self.owed.extend(starts.map(|range| Owed { range, part: Part::Fresh }));
        self.coarsen();
    }
}
