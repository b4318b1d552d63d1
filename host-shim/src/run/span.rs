//! How far a run is.

use serde_json::{Map, Value};

use crate::attached::Advance;

/// The part of its ranges that a checkpoint says is done, from 0 to 1: all but what is owed. 1 only if nothing is owed.
pub(crate) fn done(checkpoint: &[u8]) -> Option<f64> {
    let sources = sources(checkpoint)?;
    let (mut all, mut left, mut is_owed) = (0, 0, false);
    for source in sources.values().filter_map(Value::as_object) {
        all += length(time(source, "origin")?, time(source, "through")?);
        left += each(source, "owed").filter_map(range).sum::<u64>();
        is_owed |= owes(source);
    }
    (!sources.is_empty()).then(|| part(all, left, is_owed))
}

/// The same of what the run had to do: what was owed before it, and what started since the run before. None if nobody can say.
pub(crate) fn done_since(Advance { before, now }: Advance<'_>) -> Option<f64> {
    let (sources, before) = (sources(now)?, before.and_then(sources).unwrap_or_default());
    // A look-back is no part of it: it asks again for what is done.
    let fresh = |source: &Map<String, Value>| -> u64 {
        let owed = each(source, "owed").filter(|owed| owed.get("part").is_none_or(|part| part == "fresh"));
        owed.filter_map(range).sum()
    };
    let (mut all, mut left, mut is_owed) = (0, 0, false);
    for (name, source) in sources.iter().filter_map(|(name, source)| Some((name, source.as_object()?))) {
        let through = time(source, "through")?;
        all += match before.get(name).and_then(Value::as_object) {
            None => length(time(source, "origin")?, through),
            Some(known) => match through.checked_sub(time(known, "through")?) {
                // The run has nothing to do with it.
                None | Some(0) => continue,
                Some(new) => new + fresh(known),
            },
        };
        left += fresh(source);
        is_owed |= owes(source);
    }
    (all > 0).then(|| part(all, left, is_owed))
}

fn sources(checkpoint: &[u8]) -> Option<Map<String, Value>> {
    let mut checkpoint: Value = serde_json::from_slice(checkpoint).ok()?;
    match checkpoint.get_mut("sources")?.take() {
        Value::Object(sources) => Some(sources),
        _ => None,
    }
}

fn part(all: u64, left: u64, is_owed: bool) -> f64 {
    let done = 1.0 - left as f64 / all.max(1) as f64;
    if is_owed { done.clamp(0.0, NEARLY) } else { 1.0 }
}

fn owes(source: &Map<String, Value>) -> bool {
    each(source, "owed").chain(each(source, "records")).next().is_some()
}

fn time(source: &Map<String, Value>, key: &str) -> Option<u64> {
    source.get(key).and_then(Value::as_u64)
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

    #[test]
    fn what_a_run_has_done_is_what_it_has_found_and_does_not_owe_any_more() {
        let of = |before: Option<&Value>, now: &Value| {
            let (before, now) = (before.map(checkpoint), checkpoint(now));
            done_since(Advance { before: before.as_deref(), now: &now })
        };
        let a = |through: u64, owed: Value| json!({"a": {"origin": 1, "through": through, "owed": owed}});
        let begun =
            a(1000, json!([{"range": [801, 900], "part": "fresh"}, {"range": [1, 800], "part": "lookback"}]));
        let now = |owed: Value| of(Some(&begun), &a(1100, owed));
        // 100 were owed, and 100 are new.
        assert_eq!(
            now(json!([{"range": [801, 900], "part": "fresh"}, {"range": [1001, 1100], "part": "fresh"}])),
            Some(0.0)
        );
        assert_eq!(now(json!([{"range": [801, 850], "part": "fresh"}])), Some(0.75));
        assert_eq!(
            now(json!([{"range": [1, 800], "part": "lookback"}])),
            Some(NEARLY),
            "it is owed all the same"
        );
        assert_eq!(now(json!([])), Some(1.0));
        assert_eq!(of(Some(&begun), &begun), None, "of others");
        assert_eq!(
            of(None, &a(100, json!([{"range": [1, 25], "part": "fresh"}]))),
            Some(0.75),
            "the very first run"
        );
    }
}
