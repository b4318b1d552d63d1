//! Checkpoints of version 1: their digests stand for a whole minute each.

use super::{Checkpoint, Owed, Seen, SourceState};
use crate::range::Range;
use crate::record::ActivationId;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Width of a digest's starts, in milliseconds.
const MINUTE_MS: u64 = 60_000;

#[derive(Deserialize)]
struct Old {
    #[serde(default)]
    saved_ms: u64,
    sources: BTreeMap<String, OldState>,
}

#[derive(Deserialize)]
struct OldState {
    origin: u64,
    through: u64,
    #[serde(default)]
    owed: Vec<Owed>,
    #[serde(default)]
    seen: OldSeen,
}

#[derive(Default, Deserialize)]
struct OldSeen {
    #[serde(default)]
    ids: BTreeSet<(u64, ActivationId)>,
    /// By the first millisecond of the minute.
    #[serde(default)]
    digests: BTreeMap<u64, OldDigest>,
}

#[derive(Deserialize)]
struct OldDigest {
    count: u64,
    ids: ActivationId,
}

/// Reads a checkpoint of version 1.
pub(super) fn decode(json: &[u8]) -> Result<Checkpoint, serde_json::Error> {
    let Old { saved_ms, sources } = serde_json::from_slice(json)?;
    let sources = sources.into_iter().map(|(name, state)| (name, state.into())).collect();
    Ok(Checkpoint { saved_ms, sources, ..Checkpoint::default() })
}

impl From<OldState> for SourceState {
    fn from(old: OldState) -> Self {
        Self {
            through: old.through,
            owed: old.owed,
            seen: old.seen.into(),
            kept_from: 0,
            ..Self::new(old.origin)
        }
    }
}

impl From<OldSeen> for Seen {
    fn from(old: OldSeen) -> Self {
        let mut digests: Vec<(Range, u64, ActivationId)> = Vec::new();
        for (since, OldDigest { count, ids }) in old.digests {
            let range = Range::new(since, since.saturating_add(MINUTE_MS - 1));
            // Minutes that overlap are damage: what is not known is sent again.
            let apart = digests.last().is_none_or(|(last, ..)| last.upto() < since);
            digests.extend(range.filter(|_| apart).map(|range| (range, count, ids)));
        }
        Self::from_parts(old.ids, digests)
    }
}
