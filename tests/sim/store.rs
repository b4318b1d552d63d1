//! A forwarder's checkpoint outside packages, and the last one that it kept.

use serde_json::{Value, json};
use whiskjack::checkpoint::{Checkpoint, SourceState};
use whiskjack::range::Range;

/// Bytes that a checkpoint may take.
const LARGEST: usize = 512 << 10;
/// What a checkpoint and a source's state held in version 2.
const VERSION_2: [&[&str]; 2] = [
    &["version", "saved_ms", "platform", "sources"],
    &["origin", "through", "kept_from", "compared_ms", "owed", "seen"],
];

/// What is kept, by whomever.
#[derive(Debug, Default)]
pub struct Kept {
    /// What the host was handed.
    pub host: Option<Vec<u8>>,
    /// What was kept last, wherever.
    pub last: Option<Vec<u8>>,
    /// Size of the largest checkpoint so far, in bytes.
    pub largest: usize,
}

impl Kept {
    /// Takes what a host was handed.
    pub fn hand(&mut self, checkpoint: Vec<u8>) {
        self.take(&checkpoint);
        self.host = Some(checkpoint);
    }

    /// Takes what was kept somewhere.
    pub fn take(&mut self, checkpoint: &[u8]) {
        assert!(checkpoint.len() <= LARGEST, "a checkpoint of {} bytes", checkpoint.len());
        Checkpoint::decode(checkpoint).expect("a checkpoint that was stored can be read");
        self.largest = self.largest.max(checkpoint.len());
        self.last = Some(checkpoint.to_vec());
    }

    /// The checkpoint as it stands.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        Checkpoint::decode(self.last.as_deref()?).ok()
    }
}

/// A checkpoint as the version before would have written it; `None` if it holds what that did not know.
pub fn older(checkpoint: &[u8]) -> Option<Value> {
    let mut json: Value = serde_json::from_slice(checkpoint).ok()?;
    if Checkpoint::decode(checkpoint).ok()?.sources.values().any(doubts_what_is_forgotten) {
        return None;
    }
    let empty = |value: &Value| {
        value.as_array().is_none_or(Vec::is_empty) && value.as_object().is_none_or(|map| map.is_empty())
    };
    let states = json["sources"].as_object_mut()?;
    for state in states.values_mut() {
        let state = state.as_object_mut()?;
        if ["settling", "records", "admissions"]
            .iter()
            .any(|key| state.get(*key).is_some_and(|value| !empty(value)))
        {
            return None;
        }
        state.retain(|key, _| VERSION_2[1].contains(&key.as_str()));
    }
    let json = json.as_object_mut()?;
    if json.get("parked").is_some_and(|value| !empty(value)) {
        return None;
    }
    json.retain(|key, _| VERSION_2[0].contains(&key.as_str()));
    json.insert("version".into(), json!(2));
    Some(Value::Object(json.clone()))
}

/// Whether a record is doubtful that is not among the done ones any more: who knew of no doubts never knew that.
fn doubts_what_is_forgotten(state: &SourceState) -> bool {
    let digests = state.doubtful.digests_in(Range::new(0, u64::MAX).expect("a range"));
    let mut starts = state.doubtful.starts().chain(digests.map(|digest| digest.range().since()));
    starts.any(|start| start < state.kept_from)
}

/// A checkpoint as a newer program would have written it.
pub fn newer(checkpoint: &[u8]) -> Option<Value> {
    let mut json: Value = serde_json::from_slice(checkpoint).ok()?;
    json["version"] = json!(99);
    json["what_is_new"] = json!({"a": [1, 2]});
    Some(json)
}
