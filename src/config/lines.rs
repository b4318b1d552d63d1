//! The treatment of lines on their way into documents: `lines`. The keys have the names that they have in Filebeat.

use super::reader::Reader;
use crate::fields::{is_metadata, is_taken};
use regex_lite::Regex;
use serde::Serialize;
use serde_json::{Map, Value};

/// Most entries that one document joins, unless configured; as in Filebeat.
const MAX_LINES: u32 = 500;
/// Most bytes of entries that one document joins, unless configured.
const MAX_BYTES: u32 = 1 << 20;
/// Most bytes that may be configured: a document holds 10 MiB.
const LARGEST_MAX_BYTES: u64 = 8 << 20;
/// Longest pattern, in bytes.
const LONGEST_PATTERN: usize = 2_000;

/// The treatment of lines. The default leaves all lines as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// If there are some, one of these patterns must match.
    pub include: Vec<String>,
    /// None of these patterns may match.
    pub exclude: Vec<String>,
    /// Only lines of this stream.
    pub stream: Option<Channel>,
    /// Only lines of activations that failed.
    pub only_failed: bool,
    /// Which entries make one document.
    pub multiline: Option<Multiline>,
    /// How lines that are JSON objects are read.
    pub json: Option<Json>,
    /// What is made unreadable.
    pub redact: Vec<Redaction>,
}

/// One of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Channel {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Which entries make one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Multiline {
    /// How those that belong together are recognised.
    pub by: By,
    /// Most entries of a document.
    pub max_lines: u32,
    /// Most bytes of what was printed in a document's entries, together.
    pub max_bytes: u32,
}

/// How entries that belong together are recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum By {
    /// As stack traces of the usual languages.
    Auto,
    /// By a pattern.
    Pattern {
        /// The pattern.
        pattern: String,
        /// Those that it does not match belong to others.
        negate: bool,
        /// They belong to the one after them, not to the one before.
        before: bool,
    },
}

/// How lines that are JSON objects are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Json {
    /// The object that holds members without a field of their own, instead of `labels` and `numeric_labels`.
    pub target: Option<String>,
    /// Whether they may replace the forwarder's own fields.
    pub overwrite_keys: bool,
    /// Whether the document says why a line that looks like JSON is not read.
    pub add_error_key: bool,
    /// The member that is the message.
    pub message_key: Option<String>,
    /// Whether dots in names mean objects.
    pub expand_keys: bool,
}

/// What is made unreadable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Redaction {
    /// Something that is known by its form.
    Known(Secret),
    /// Text that a pattern matches.
    Pattern {
        /// The pattern.
        pattern: String,
        /// The text that replaces it.
        with: String,
    },
}

/// Secrets that are known by their form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Secret {
    /// E-mail addresses.
    Email,
    /// IP addresses.
    Ip,
    /// The text after `Bearer` or `Basic`.
    Bearer,
    /// JSON web tokens.
    Jwt,
    /// Numbers of payment cards.
    Card,
    /// Values of names such as `password` and `api_key`.
    Key,
}

impl Secret {
    const ALL: [(&str, Self); 6] = [
        ("email", Self::Email),
        ("ip", Self::Ip),
        ("bearer", Self::Bearer),
        ("jwt", Self::Jwt),
        ("card", Self::Card),
        ("key", Self::Key),
    ];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, secret)| *secret == self).map_or("", |(name, _)| name)
    }
}

impl Lines {
    /// Reads it; faults are noted.
    pub(super) fn read(reader: &mut Reader, is_ecs: bool) -> Self {
        let lines = Self {
            include: patterns(reader, "lines.include"),
            exclude: patterns(reader, "lines.exclude"),
            stream: stream(reader),
            only_failed: reader.choice("lines.only", &[("failed", true)]).unwrap_or(false),
            multiline: multiline(reader),
            json: json(reader, is_ecs),
            redact: redact(reader),
        };
        if let Some(both) = lines.include.iter().find(|pattern| lines.exclude.contains(pattern)) {
            let remedy = format!(
                "`lines.include` has the pattern `{both}`, too, so no line is left: remove one of the two"
            );
            reader.fault("lines.exclude", remedy);
        }
        if !lines.redact.is_empty() && reader.is_true("events.original") {
            // Named by the key that an action may have of its own.
            let remedy = "`events.original` would show what it makes unreadable: remove one of the two";
            reader.fault("lines.redact", remedy);
        }
        lines
    }
}

/// Texts with each kind of place that a pattern can match without a character: begins and ends of texts, lines and words, and none of these. No
/// character is in all of them.
const SAMPLES: [&str; 6] = ["", "\u{1}", "Qz", " \n ", "~ 7_ ~", "\nk\n"];

/// Whether the pattern can match nothing, and so is found between any two characters.
fn matches_nothing(pattern: &str) -> bool {
    let is_empty = |regex: &Regex, text: &str| regex.find_iter(text).any(|found| found.is_empty());
    Regex::new(pattern).is_ok_and(|regex| SAMPLES.iter().any(|text| is_empty(&regex, text)))
}

/// Checks a pattern. The error says where the fault begins.
fn check(pattern: &str) -> Result<(), String> {
    if pattern.is_empty() {
        return Err("the pattern is empty and matches everything: remove it".into());
    }
    if pattern.len() > LONGEST_PATTERN {
        return Err(format!("the pattern is longer than {LONGEST_PATTERN} bytes: shorten it"));
    }
    let error = match Regex::new(pattern) {
        Ok(regex) if SAMPLES.iter().all(|text| regex.is_match(text)) => {
            return Err(
                "the pattern matches every line, as a part of it may be nothing: make it match something"
                    .into(),
            );
        }
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    // Behind the longest beginning that is a pattern.
    let mut ends = pattern.char_indices().map(|(end, _)| end);
    let sound = ends.rfind(|end| pattern.get(..*end).is_some_and(|begin| Regex::new(begin).is_ok()));
    let place = sound.and_then(|end| pattern.get(..end)).map_or(0, |begin| begin.chars().count()) + 1;
    Err(format!("from character {place} on it is not a regular expression ({error}): mend it"))
}

fn patterns(reader: &mut Reader, path: &str) -> Vec<String> {
    const REMEDY: &str = "give an array of regular expressions, such as [\"^DEBUG\"]";
    let patterns = reader.some_texts(path, REMEDY);
    for (index, pattern) in &patterns {
        if let Err(remedy) = check(pattern) {
            reader.fault_at(format!("{path}[{index}]"), &Value::String(pattern.clone()), remedy);
        }
    }
    patterns.into_iter().map(|(_, pattern)| pattern).collect()
}

fn stream(reader: &mut Reader) -> Option<Channel> {
    const REMEDY: &str = "give `stdout`, `stderr`, or both in an array";
    let read = |value: &Value| {
        let names = match value {
            Value::Array(names) => names.as_slice(),
            one => std::slice::from_ref(one),
        };
        let is = |name: &str| names.iter().any(|value| value.as_str() == Some(name));
        let known = names.iter().all(|value| matches!(value.as_str(), Some("stdout" | "stderr")));
        match (is("stdout"), is("stderr")) {
            _ if !known => None,
            (true, true) => Some(None),
            (true, false) => Some(Some(Channel::Stdout)),
            (false, true) => Some(Some(Channel::Stderr)),
            (false, false) => None,
        }
    };
    reader.read("lines.streams", REMEDY, read).flatten()
}

fn multiline(reader: &mut Reader) -> Option<Multiline> {
    const PATH: &str = "lines.multiline";
    const REMEDY: &str = "give `auto`, or an object such as {\"pattern\": \"^\\\\s\", \"match\": \"after\"}";
    let limits = |by, max_lines: Option<u64>, max_bytes: Option<u64>| Multiline {
        by,
        max_lines: small(max_lines).unwrap_or(MAX_LINES),
        max_bytes: small(max_bytes).unwrap_or(MAX_BYTES),
    };
    match reader.get(PATH)? {
        Value::Bool(false) => return None,
        Value::String(word) if word == "auto" => return Some(limits(By::Auto, None, None)),
        Value::Object(_) => {}
        _ => {
            reader.fault(PATH, REMEDY);
            return None;
        }
    }
    let max_lines = reader.integer("lines.multiline.max_lines", 2..=10_000, "entries");
    let max_bytes = reader.integer("lines.multiline.max_bytes", 1_024..=LARGEST_MAX_BYTES, "bytes");
    const PATTERN: &str = "give `auto`, or a regular expression";
    // Blanks count.
    let pattern = reader.required("lines.multiline.pattern", PATTERN, |reader, path| {
        reader.read(path, PATTERN, |value| value.as_str().map(String::from))
    })?;
    if pattern == "auto" {
        return Some(limits(By::Auto, max_lines, max_bytes));
    }
    if let Err(remedy) = check(&pattern) {
        reader.fault("lines.multiline.pattern", remedy);
    }
    let negate = reader.switch("lines.multiline.negate").unwrap_or(false);
    let before =
        reader.choice("lines.multiline.match", &[("after", false), ("before", true)]).unwrap_or(false);
    Some(limits(By::Pattern { pattern, negate, before }, max_lines, max_bytes))
}

fn json(reader: &mut Reader, is_ecs: bool) -> Option<Json> {
    const PATH: &str = "lines.json";
    const REMEDY: &str = "give true, or an object such as {\"message_key\": \"msg\"}";
    match reader.get(PATH)? {
        Value::Bool(false) => return None,
        Value::Bool(true) | Value::Object(_) => {}
        _ => {
            reader.fault(PATH, REMEDY);
            return None;
        }
    }
    if !is_ecs {
        reader
            .fault(PATH, "only the shape `ecs` has fields for it: set `events.shape` to `ecs`, or remove it");
    }
    let is_group = reader.get(PATH).is_some_and(Value::is_object);
    let mut switch = |path: &str| is_group.then(|| reader.switch(path)).flatten();
    let overwrite_keys = switch("lines.json.overwrite_keys").unwrap_or(false);
    let add_error_key = switch("lines.json.add_error_key").unwrap_or(false);
    let expand_keys = switch("lines.json.expand_keys").unwrap_or(true);
    let target = if is_group { reader.text("lines.json.target") } else { None };
    let message_key = if is_group { reader.text("lines.json.message_key") } else { None };
    let is_refused = |target: &str| is_taken(target, true) || is_metadata(target) || target.contains('.');
    if target.as_deref().is_some_and(is_refused) {
        reader.fault(
            "lines.json.target",
            "documents may have a field of this name, Elasticsearch has one of its own, or it has a dot: choose another name, or leave it out for `labels`",
        );
    }
    Some(Json { target, overwrite_keys, add_error_key, message_key, expand_keys })
}

/// How a pattern of one's own is redacted.
const PATTERN_FORM: &str = "{\"pattern\": \"…\", \"with\": \"…\"}";

fn redact(reader: &mut Reader) -> Vec<Redaction> {
    const PATH: &str = "lines.redact";
    let names: Vec<String> = Secret::ALL.iter().map(|(name, _)| format!("`{name}`")).collect();
    let names = names.join(", ");
    let of_array = format!("give an array of {names}, or {PATTERN_FORM}");
    let items = reader.read(PATH, &of_array, |value| value.as_array().cloned()).unwrap_or_default();
    let mut redactions = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match redaction(item) {
            Ok(redaction) => redactions.push(redaction),
            Err(remedy) => {
                let unknown = || match item {
                    Value::String(_) => {
                        format!(
                            "nothing has this name that could be redacted: give one of {names}, or a pattern of your own, {PATTERN_FORM}"
                        )
                    }
                    _ => format!("give one of {names}, or {PATTERN_FORM}"),
                };
                reader.fault_at(format!("{PATH}[{index}]"), item, remedy.unwrap_or_else(unknown));
            }
        }
    }
    redactions
}

fn redaction(item: &Value) -> Result<Redaction, Option<String>> {
    if let Some(name) = item.as_str() {
        let known = Secret::ALL.iter().find(|(known, _)| *known == name);
        return known.map(|(_, secret)| Redaction::Known(*secret)).ok_or(None);
    }
    let members: &Map<String, Value> = item.as_object().ok_or(None)?;
    if let Some(name) = members.keys().find(|name| *name != "pattern" && *name != "with") {
        return Err(Some(format!("it has no member `{name}`: give {PATTERN_FORM}")));
    }
    let text = |name: &str| members.get(name).filter(|value| !value.is_null());
    let of = |name: &str| format!("its `{name}` is not a text: give {PATTERN_FORM}");
    let pattern = text("pattern").ok_or_else(|| format!("it has no `pattern`: give {PATTERN_FORM}"))?;
    let pattern = pattern.as_str().ok_or_else(|| of("pattern"))?;
    if matches_nothing(pattern) {
        let remedy = "the pattern can match nothing, which is found between any two characters: make it match something";
        return Err(Some(remedy.into()));
    }
    check(pattern)?;
    let with = match members.get("with") {
        None => "[redacted]",
        Some(with) => with.as_str().ok_or_else(|| of("with"))?,
    };
    Ok(Redaction::Pattern { pattern: pattern.into(), with: with.into() })
}

fn small(number: Option<u64>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok())
}
