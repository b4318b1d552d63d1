//! Version 1 of the protocol: pairs of texts, with dots in their names where version 2 has objects.

use crate::lumberjack::{Protocol, write_pairs};
use serde_json::{Map, Value};
use whiskjack_settings::text::json;

/// Writes a whole document as payload of a frame. In version 1 the id is a pair, as there is no metadata.
pub(super) fn write_nested(nested: &[u8], id: &str, protocol: Protocol, out: &mut Vec<u8>) {
    if protocol == Protocol::V2 {
        return out.extend_from_slice(nested);
    }
    let pairs = pairs(&String::from_utf8_lossy(nested));
    let own = pairs.iter().filter(|(key, _)| !key.starts_with("@metadata"));
    let own = own.map(|(key, value)| (key.as_str(), value.as_str()));
    write_pairs(out, &own.chain([("id", id)]).collect::<Vec<_>>());
}

/// The pairs of an object.
pub(super) fn pairs(object: &str) -> Vec<(String, String)> {
    let members: Map<String, Value> = serde_json::from_slice(object.as_bytes()).unwrap_or_default();
    let mut pairs = Vec::new();
    flatten("", members, &mut pairs);
    pairs
}

/// The object of members that follow others: `,"a":1`.
pub(super) fn object(members: &str) -> String {
    format!("{{{}}}", members.strip_prefix(',').unwrap_or(members))
}

/// Writes the object `document` with other texts at some paths.
pub(super) fn replace(document: &[u8], texts: &[(String, String)], out: &mut Vec<u8>) {
    let mut object: Value = serde_json::from_slice(document).unwrap_or_default();
    for (path, text) in texts {
        let place = path.split('.').try_fold(&mut object, |value, name| {
            let members = value.as_object_mut()?;
            Some(members.entry(name).or_insert_with(|| Value::Object(Map::new())))
        });
        if let Some(place) = place {
            *place = Value::String(text.clone());
        }
    }
    out.extend_from_slice(json(&object).as_bytes());
}

fn flatten(prefix: &str, members: Map<String, Value>, pairs: &mut Vec<(String, String)>) {
    for (name, value) in members {
        let name = format!("{prefix}{name}");
        match value {
            Value::Object(members) => flatten(&format!("{name}."), members, pairs),
            Value::String(text) => pairs.push((name, text)),
            Value::Null => {}
            Value::Array(items) => {
                let texts: Vec<String> = items.iter().map(as_text).collect();
                pairs.push((name, texts.join(",")));
            }
            other => pairs.push((name, json(&other))),
        }
    }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| json(value), Into::into)
}
