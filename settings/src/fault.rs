//! Faults of a configuration: key, value and remedy.

use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Path of the key, such as `logstash.port`; empty for the whole object.
    pub key: String,
    /// The value as JSON, shortened; empty if there is none, or if it may be a secret, such as a text before an `@`.
    pub value: String,
    /// What is wrong and what to do.
    pub remedy: String,
}

/// All faults of a configuration; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

/// Longest value shown, in characters.
const SHOWN: usize = 60;

impl Fault {
    /// A fault of the value at `key`.
    pub fn new(key: impl Into<String>, value: &Value, remedy: impl Into<String>) -> Self {
        Self { key: key.into(), value: shown(Some(value)), remedy: remedy.into() }
    }
}

impl Faults {
    /// A list of one fault.
    pub fn one(key: &str, value: &Value, remedy: impl Into<String>) -> Self {
        Self(vec![Fault::new(key, value, remedy)])
    }
}

/// A value as JSON, short enough for a message, without possible secrets.
pub fn shown(value: Option<&Value>) -> String {
    let Some(value) = value.filter(|value| !value.is_null() && !is_user_information(value)) else {
        return String::new();
    };
    let json = crate::text::json(&without_members(value));
    match json.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", json.get(..end).unwrap_or_default()),
        None => json,
    }
}

/// The value without the contents of objects: one of them may be a password in the wrong place.
fn without_members(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut names = Map::new();
            names.extend(object.keys().map(|name| (name.clone(), Value::from("…"))));
            Value::Object(names)
        }
        Value::Array(array) => array.iter().map(without_members).collect(),
        other if is_user_information(other) => Value::from("…"),
        other => other.clone(),
    }
}

/// Whether a value may begin with a user and a password, as `user:password@host` does, even if it is encoded as in a URL.
pub fn is_user_information(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains('@') || text.contains("%40"))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.key.as_str(), self.value.as_str()) {
            ("", _) => f.write_str(&self.remedy),
            (key, "") => write!(f, "{key}: {}", self.remedy),
            (key, value) => write!(f, "{key}: {} (it is {value})", self.remedy),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "{}", list.join("; "))
    }
}

impl std::error::Error for Faults {}
