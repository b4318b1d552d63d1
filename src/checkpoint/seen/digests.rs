//! Digests in JSON: each is `[first start, last start, count, ids]`. Those of version 1, which stand for a whole minute each, can be read too.

use super::{ActivationId, Digest, Map, Range};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serializer};
use std::fmt;

pub(super) fn serialize<S: Serializer>(digests: &Map<u64, Digest>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(
        digests.values().map(|digest| (digest.range.since(), digest.range.upto(), digest.count, digest.ids)),
    )
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<u64, Digest>, D::Error> {
    deserializer.deserialize_any(Digests)
}

struct Digests;

impl<'de> Visitor<'de> for Digests {
    type Value = Map<u64, Digest>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("digests")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut digests: Map<u64, Digest> = Map::new();
        while let Some((since, upto, count, ids)) = list.next_element::<(u64, u64, u64, ActivationId)>()? {
            let range =
                Range::new(since, upto).ok_or_else(|| A::Error::custom("a digest ends before it begins"))?;
            if digests.values().next_back().is_some_and(|last| last.range.upto() >= since) {
                return Err(A::Error::custom("digests overlap"));
            }
            digests.insert(since, Digest { range, count, ids });
        }
        Ok(digests)
    }

    fn visit_map<A: MapAccess<'de>>(self, minutes: A) -> Result<Self::Value, A::Error> {
        of_minutes(minutes)
    }
}

/// Width of a digest's starts in version 1, in milliseconds.
const MINUTE_MS: u64 = 60_000;

#[derive(Deserialize)]
struct Minute {
    count: u64,
    ids: ActivationId,
}

/// Reads digests of version 1, which are there by the first millisecond of their minutes, in any order.
fn of_minutes<'de, A: MapAccess<'de>>(mut minutes: A) -> Result<Map<u64, Digest>, A::Error> {
    let mut digests = Map::new();
    while let Some((since, Minute { count, ids })) = minutes.next_entry::<String, Minute>()? {
        let since: u64 = since.parse().map_err(A::Error::custom)?;
        let range = Range::new(since, since.saturating_add(MINUTE_MS - 1));
        if let Some(range) = range {
            digests.insert(since, Digest { range, count, ids });
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
