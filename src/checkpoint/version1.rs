//! Checkpoints of version 1: their digests stand for a whole minute each. The rest reads like that of today.

use super::{Checkpoint, Digest, VERSION};
use crate::range::Range;
use crate::record::ActivationId;
use serde::Deserialize;
use serde::de::{Error, MapAccess};
use std::collections::BTreeMap;

/// Width of a digest's starts, in milliseconds.
const MINUTE_MS: u64 = 60_000;

#[derive(Deserialize)]
struct Minute {
    count: u64,
    ids: ActivationId,
}

/// Reads digests, which are there by the first millisecond of their minutes, in any order.
pub(super) fn digests<'de, A: MapAccess<'de>>(mut minutes: A) -> Result<BTreeMap<u64, Digest>, A::Error> {
    let mut digests = BTreeMap::new();
    while let Some((since, Minute { count, ids })) = minutes.next_entry::<String, Minute>()? {
        let since: u64 = since.parse().map_err(A::Error::custom)?;
        let range = Range::new(since, since.saturating_add(MINUTE_MS - 1));
        if let Some(range) = range {
            digests.insert(since, Digest::new(range, count, ids));
        }
    }
    // Minutes that overlap are damage: what is not known is sent again.
    let mut last: Option<Range> = None;
    digests.retain(|since, digest| {
        let apart = last.is_none_or(|last| last.upto() < *since);
        last = last.filter(|_| !apart).or(Some(digest.range()));
        apart
    });
    Ok(digests)
}

/// What was read, as a checkpoint of today.
pub(super) fn settled(mut old: Checkpoint) -> Checkpoint {
    old.version = VERSION;
    for state in old.sources.values_mut() {
        state.origin = state.origin.max(1);
        state.seen.forget_digested();
    }
    old
}
