//! The file of `--config`: YAML or JSON, filled from the environment.
//!
//! ```text
//! bytes → yaml or json → a value, and the line of each key → fill → parameters, as an action gets them
//! ```
//!
//! | module | purpose |
//! |---|---|
//! | [`yaml`] | YAML 1.2, in which only JSON's words and numbers are not texts |
//! | [`json`] | JSON, and the lines of its keys |
//! | [`fill`] | `${NAME}`, as in Beats |
//! | [`forms`] | the keys that are not texts, so that a variable can hold them |
//!
//! A fault names line and key, and shows nothing of the file but its keys and the names of variables: any value may be a secret.

mod fill;
mod forms;
mod json;
mod places;
mod yaml;

use std::fmt;

use serde_json::{Map, Value};
use whiskjack_settings::text;

pub use forms::{Form, form};
pub use places::Source;

/// The contents of a configuration file.
#[derive(Debug)]
pub struct ConfigFile {
    /// The parameters, as an action gets them.
    pub params: Map<String, Value>,
    /// Their source.
    pub source: Source,
}

/// One thing wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The first line is 1.
    line: Option<usize>,
    /// Path of the key; empty if it is none's.
    key: String,
    /// What is wrong; what to do.
    what: String,
}

impl Fault {
    fn new(line: Option<usize>, key: &str, what: impl Into<String>) -> Self {
        Self { line, key: key.to_owned(), what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)
    }
}

/// A file that was read, before it is filled.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Document {
    value: Value,
    /// Path and line of each key and each item, in the order of the file.
    places: Vec<(String, usize)>,
}

/// Reads a file. `name` is its name in faults, and the ending of the name distinguishes YAML from JSON if the text does not. The error has
/// all faults, a sentence for each.
///
/// `environment` gives the value of a variable; an empty one counts as not set.
pub fn read(
    name: &str,
    bytes: &[u8],
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<ConfigFile, String> {
    read_keys(name, bytes, environment, |_| true)
}

/// Reads one group of a file, such as `api`, and nothing else: variables of other keys need not be set. The file as a whole must be sound all the same.
pub fn read_group(
    name: &str,
    bytes: &[u8],
    environment: &dyn Fn(&str) -> Option<String>,
    group: &str,
) -> Result<ConfigFile, String> {
    let belongs =
        |key: &str| key.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    read_keys(name, bytes, environment, belongs)
}

fn read_keys(
    name: &str,
    bytes: &[u8],
    environment: &dyn Fn(&str) -> Option<String>,
    wanted: impl Fn(&str) -> bool,
) -> Result<ConfigFile, String> {
    let said = |faults: &[Fault]| {
        let list: Vec<String> = faults.iter().map(Fault::to_string).collect();
        format!("{name}: {}", list.join("; "))
    };
    let mut document = decoded(bytes)
        .map_err(|what| Fault::new(None, "", what))
        .and_then(|text| parse(name, &text))
        .map_err(|fault| said(&[fault]))?;
    if let Value::Object(params) = &mut document.value {
        params.retain(|key, _| wanted(key));
    }
    let mut filling = fill::Filling::new(environment, &document.places);
    filling.fill(&mut document.value, "");
    if !filling.faults.is_empty() {
        return Err(said(&filling.faults));
    }
    let filled = filling.filled;
    let source = Source::new(name, document.places, filled);
    match document.value {
        Value::Object(params) => Ok(ConfigFile { params, source }),
        Value::Null => Err(said(&[Fault::new(
            None,
            "",
            "it is empty; give `actions` and `logstash`, the README shows an example",
        )])),
        _ if is_wide(bytes) => Err(said(&[Fault::new(None, "", NOT_UTF_8)])),
        _ => Err(said(&[Fault::new(
            None,
            "",
            "it does not hold keys with values; give `actions` and `logstash`, the README shows an example",
        )])),
    }
}

const NOT_UTF_8: &str = "it is not UTF-8 text; save it as UTF-8";

/// Whether it begins like UTF-16, which is read as well. Almost any bytes are some text in that.
fn is_wide(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff])
}

/// The text of a file, without a mark of its encoding.
fn decoded(bytes: &[u8]) -> Result<String, &'static str> {
    if !is_wide(bytes) && std::str::from_utf8(bytes).is_err() {
        return Err(NOT_UTF_8);
    }
    Ok(text::decoded(bytes))
}

/// JSON begins with a bracket; so may YAML, which is not meant unless the file's name says so.
fn parse(name: &str, text: &str) -> Result<Document, Fault> {
    let named = |endings: &[&str]| {
        let name = name.to_ascii_lowercase();
        endings.iter().any(|ending| name.ends_with(ending))
    };
    let is_json = text.trim_start().starts_with(['{', '[']) || named(&[".json"]) && !text.trim().is_empty();
    if !is_json {
        return yaml::parse(text);
    }
    match json::parse(text) {
        Err(json::Error::NotJson(_)) if named(&[".yaml", ".yml"]) => yaml::parse(text),
        Err(json::Error::NotJson(fault) | json::Error::Twice(fault)) => Err(fault),
        Ok(document) => Ok(document),
    }
}

#[cfg(test)]
mod tests;
