//! Documents as odd as loggers and configurations can make them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

/// Each kind of document in the folder of examples, and odd ones made of the first; by name.
pub(crate) fn documents(examples: &Path) -> Result<Vec<(String, Value)>> {
    let mut documents = Vec::new();
    for entry in fs::read_dir(examples)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let mut document: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
            document.as_object_mut().context("an object")?.remove("@metadata");
            documents.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), document));
        }
    }
    let (_, line) = documents.iter().find(|(name, _)| name == "line.json").context("line.json")?;
    let odd: Vec<_> =
        odd().into_iter().map(|(name, more)| (name.to_owned(), with(line.clone(), &more))).collect();
    documents.extend(odd);
    Ok(documents)
}

fn odd() -> Vec<(&'static str, Value)> {
    let long = |length: usize| "x".repeat(length);
    let many = |count: usize, value: Value| -> Value {
        (0..count).map(|number| (format!("name{number}"), value.clone())).collect::<Map<_, _>>().into()
    };
    let mut deep = json!(1);
    for _ in 0..16 {
        deep = json!({"a": deep});
    }
    vec![
        (
            "labels",
            json!({"labels": {"customer_group": "new", "_": "a", "a=b": "c=d", "é": "", "ok": "true"}}),
        ),
        ("numbers", json!({"numeric_labels": {"took": 12.5, "_": -1, "large": u64::MAX, "huge": 1e300}})),
        ("the longest label", json!({"labels": {long(256): long(8 << 10)}})),
        ("many labels", json!({"labels": many(3_000, json!("x"))})),
        ("many numbers", json!({"numeric_labels": many(3_000, json!(1))})),
        ("a number that is too large", json!({"http": {"response": {"body": {"bytes": u64::MAX}}}})),
        (
            "an address that is none",
            json!({"client": {"ip": "localhost"}, "source": {"ip": "10.0.0.1, 10.0.0.2"}}),
        ),
        (
            "long words",
            json!({"user": {"name": long(100_000)}, "log": {"logger": long(100_000)}, "url": {"path": long(100_000), "full": long(100_000)}}),
        ),
        (
            "a long error",
            json!({"error": {"stack_trace": long(250_000), "message": long(250_000), "type": long(100_000)}}),
        ),
        ("a long line of one word", json!({"message": long(10 << 20)})),
        ("a long line of many words", json!({"message": "word ".repeat(2 << 20)})),
        ("a long original", json!({"event": {"original": long(10 << 20)}})),
        ("fields", json!({"fields": {"a": 1, "b": {"c": true}}})),
        ("other fields", json!({"fields": {"a": {"x": "y"}, "b": "text", "c": [1, {"d": 2}]}})),
        ("deep fields", json!({"fields": deep})),
        ("a field at the root", json!({"team": "payment"})),
        ("the same as an object", json!({"squad": {"name": "payment"}, "place": 1})),
        ("the same as other things", json!({"squad": "payment", "place": {"x": 1}})),
        ("labels elsewhere", json!({"app": {"labels": {"a": "b"}, "numeric_labels": {"a": 1}}})),
        ("tags", json!({"tags": ["production", long(40_000)]})),
        ("the last time", json!({"@timestamp": "9999-12-31T23:59:59.999999999Z"})),
        ("the first time", json!({"@timestamp": "0001-01-01T00:00:00.000Z"})),
    ]
}

/// One object with the members of another.
fn with(mut document: Value, more: &Value) -> Value {
    match (document.as_object_mut(), more) {
        (Some(members), Value::Object(more)) => {
            for (name, value) in more {
                let inner = members.remove(name).unwrap_or(Value::Null);
                members.insert(name.clone(), with(inner, value));
            }
            document
        }
        _ => more.clone(),
    }
}

/// Pointers to all values that are not objects, and these.
pub(crate) fn leaves(value: &Value) -> Vec<(String, Value)> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| {
                leaves(value).into_iter().map(move |(pointer, value)| (format!("/{name}{pointer}"), value))
            })
            .collect(),
        other => vec![(String::new(), other.clone())],
    }
}
