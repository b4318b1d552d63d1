//! How far a run is.

use serde_json::{Map, Value};

/// The part of its ranges that a checkpoint says is done, from 0 to 1: all but what is owed. 1 only if nothing is owed.
pub(crate) fn done(checkpoint: &[u8]) -> Option<f64> {
    let checkpoint: Value = serde_json::from_slice(checkpoint).ok()?;
    let sources = checkpoint.get("sources").and_then(Value::as_object)?;
    if sources.is_empty() {
        return None;
    }
    let (mut all, mut left, mut is_owed) = (0, 0, false);
    for source in sources.values().filter_map(Value::as_object) {
        let time = |key: &str| source.get(key).and_then(Value::as_u64);
        all += length(time("origin")?, time("through")?);
        let owed: Vec<u64> = each(source, "owed").filter_map(range).collect();
        left += owed.iter().sum::<u64>();
        is_owed |= !owed.is_empty() || each(source, "records").next().is_some();
    }
    let done = 1.0 - left as f64 / all.max(1) as f64;
    Some(if is_owed { done.clamp(0.0, NEARLY) } else { 1.0 })
}

/// A record that is owed by itself is no part of a range that counts, and still not done.
const NEARLY: f64 = 0.9999;

fn each<'v>(source: &'v Map<String, Value>, key: &str) -> impl Iterator<Item = &'v Value> {
    source.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// Milliseconds of an owed range.
fn range(owed: &Value) -> Option<u64> {
    let range = owed.get("range")?;
    Some(length(range.get(0)?.as_u64()?, range.get(1)?.as_u64()?))
}

fn length(since: u64, upto: u64) -> u64 {
    upto.saturating_sub(since).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checkpoint(sources: &Value) -> Vec<u8> {
        json!({"version": 3, "sources": sources}).to_string().into_bytes()
    }

    #[test]
    fn what_is_done_is_what_the_checkpoint_does_not_owe() {
        let owing = |owed: &Value| checkpoint(&json!({"a": {"origin": 1, "through": 100, "owed": owed}}));
        assert_eq!(done(&owing(&json!([]))), Some(1.0));
        assert_eq!(done(&owing(&json!([{"range": [1, 50], "part": "fresh"}]))), Some(0.5));
        assert_eq!(
            done(&owing(&json!([{"range": [1, 100], "part": "fresh"}]))),
            Some(0.0),
            "a dead receiver"
        );
        let two = json!({"a": {"origin": 1, "through": 100, "owed": [{"range": [1, 50]}]}, "b": {"origin": 1, "through": 100}});
        assert_eq!(done(&checkpoint(&two)), Some(0.75));
        let record = json!({"a": {"origin": 1, "through": 100, "records": [{"start": 5, "id": "x"}]}});
        assert_eq!(done(&checkpoint(&record)), Some(NEARLY), "a record is owed");
        assert_eq!(done(&checkpoint(&json!({}))), None);
        assert_eq!(done(b"{"), None);
    }
}
