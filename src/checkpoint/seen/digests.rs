//! Digests in JSON: each is `[first start, last start, count, ids]`; also those of version 1 can be read.

use super::super::version1;
use super::{ActivationId, BTreeMap, Digest, Range};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, Serializer};
use std::fmt;

pub(super) fn serialize<S: Serializer>(
    digests: &BTreeMap<u64, Digest>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(
        digests.values().map(|digest| (digest.range.since(), digest.range.upto(), digest.count, digest.ids)),
    )
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<u64, Digest>, D::Error> {
    deserializer.deserialize_any(Digests)
}

struct Digests;

impl<'de> Visitor<'de> for Digests {
    type Value = BTreeMap<u64, Digest>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("digests")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut digests: BTreeMap<u64, Digest> = BTreeMap::new();
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
        version1::digests(minutes)
    }
}
