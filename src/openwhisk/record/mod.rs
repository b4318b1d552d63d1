//! Activation records as the API returns them (docs/facts/openwhisk.md 1.3–1.5), read without needless copies.
//!
//! A record is read strictly first. If that fails, it is read once more (`lenient.rs`), so that its oddities lose no line:
//!
//! | field | missing or `null` | odd |
//! |---|---|---|
//! | `activationId` | the record is unreadable: nothing else identifies it | the same |
//! | `start` | the record is unreadable: the API lists by it, so it has one | a fraction is cut off, a number in a string counts; else unreadable |
//! | `end` | the run has none; with no annotations and nothing but rule results in `logs` it is a trigger, which has no lines | as with `start`; else it is the start. 0 is none |
//! | `namespace` | `_` | `_`, unless it is a string that can be mended |
//! | `name` | the last part of `path`; else `_`, and every source that asked for it takes it | the same |
//! | `annotations` | there are none | those with a key and a value count |
//! | `path` among them | the package is not known: see [`Source::matches`](crate::openwhisk::source::Source::matches) | the same |
//! | `kind`, `conductor`, `limits` | it may have log lines | the same |
//! | `logs` | there are none here, perhaps elsewhere | a value that is not a list is one line |
//! | an element of `logs` | `null` is a line | it is mended ([`Line::is_mended`]) |
//!
//! Otherwise a record is unreadable only if it is not a JSON object, or ends too early.

mod details;
mod entry;
mod hollow;
mod id;
mod lenient;
mod mend;
mod nesting;
mod outline;
mod reader;
mod reason;
mod splitter;

pub use details::{Details, Reason, Status};
pub use entry::{Line, OwnedLine, Stream, entry_time, write_json_string};
pub use id::ActivationId;
pub use nesting::SplitError;
pub use reader::{Content, EntryReader};
pub use splitter::{LARGEST_ELEMENT, Row, Splitter};

use entry::Entry;
use lenient::Members;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A full record, as `docs=true` and GET by id return it. Fields that are not needed are not read; unknown fields are allowed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    /// Globally unique.
    pub activation_id: ActivationId,
    /// Namespace of the invoker.
    #[serde(borrow)]
    pub namespace: Cow<'a, str>,
    /// Simple name of the action, without its package.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Nothing tells its name.
    #[serde(skip)]
    pub(crate) is_unnamed: bool,
    /// Begin of the run, milliseconds since 1970.
    pub start: u64,
    /// End of the run, milliseconds since 1970; triggers have none.
    #[serde(default)]
    pub end: Option<u64>,
    #[serde(borrow, default)]
    annotations: Vec<Annotation<'a>>,
    #[serde(borrow, default)]
    logs: Vec<Entry<'a>>,
    /// From here on what [`Record::details`] alone reads, whatever it is.
    #[serde(borrow, default)]
    version: Option<&'a RawValue>,
    #[serde(borrow, default)]
    cause: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
    /// Only in a list's summaries.
    #[serde(borrow, default)]
    status_code: Option<&'a RawValue>,
}

/// The needed part of a record's row in the list without `docs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Globally unique.
    pub activation_id: ActivationId,
    /// Begin of the run, milliseconds since 1970.
    pub start: u64,
}

#[derive(Debug, Deserialize)]
struct Annotation<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// A string that is borrowed unless it holds escapes.
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A record that could not be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("activation record {id} could not be read: {reason}")]
pub struct UnreadableRecord {
    /// Its id, or `unknown`.
    pub id: String,
    /// The parser's message, without the record's text.
    pub reason: String,
}

impl<'a> Record<'a> {
    /// Parses one record.
    pub fn parse(json: &'a [u8]) -> Result<Self, UnreadableRecord> {
        let strict = serde_json::from_slice(json);
        let mut record: Self = strict.or_else(|error| {
            let members = Members::of(json);
            let id = members.id();
            members.record().ok_or_else(|| UnreadableRecord::new(id, &error))
        })?;
        // Nothing ended in 1970: stores have a 0 for "not at all".
        record.end = record.end.filter(|end| *end > 0);
        Ok(record)
    }

    /// The log entries, in order; none for sequences, compositions and triggers, whose `logs` hold ids and rule results instead.
    pub fn entries(&self) -> impl Iterator<Item = Line<'_>> {
        let entries = if self.has_log_lines() { self.logs.as_slice() } else { &[] };
        entries.iter().map(Entry::line)
    }

    /// Whether it has no log entries here, or only notices of the platform, but may have some in a store of their own: it ran, was allowed
    /// to log, and is not a sequence, composition or trigger. An action that could not run at all (kind `unknown`) never logged.
    pub fn may_have_lines_elsewhere(&self) -> bool {
        #[derive(Deserialize)]
        struct Limits {
            logs: Option<u64>,
        }
        let limits = self
            .annotation("limits")
            .and_then(|raw| serde_json::from_slice::<Limits>(raw.get().as_bytes()).ok());
        let may_log = limits.and_then(|limits| limits.logs) != Some(0);
        let ran =
            self.annotation_text("kind").is_none_or(|kind| kind != "unknown") || self.end != Some(self.start);
        self.logs.iter().all(|entry| entry.line().is_notice()) && self.has_log_lines() && may_log && ran
    }

    /// The value of an annotation that is a string.
    pub fn annotation_text(&self, key: &str) -> Option<Cow<'a, str>> {
        let raw = self.annotation(key)?;
        serde_json::from_slice::<Text<'a>>(raw.get().as_bytes()).ok().map(|text| text.0)
    }

    fn annotation(&self, key: &str) -> Option<&'a RawValue> {
        self.annotations.iter().find(|annotation| annotation.key == key).map(|annotation| annotation.value)
    }

    /// Whether its `logs` hold log lines, if they hold anything: those of sequences, compositions and triggers hold ids and rule results.
    pub fn has_log_lines(&self) -> bool {
        let sequence = self.annotation_text("kind").is_some_and(|kind| kind == "sequence");
        let conductor = self.annotation("conductor").is_some_and(|value| value.get() == "true");
        !(sequence || conductor || self.is_trigger())
    }

    /// Whether a trigger left it: that has no end, no place and no kind, and its `logs` hold rule results, which are JSON.
    pub(crate) fn is_trigger(&self) -> bool {
        self.end.is_none()
            && self.annotation("path").is_none()
            && self.annotation("kind").is_none()
            && self.logs.iter().all(|entry| entry.line().text().starts_with('{'))
    }
}

impl Summary {
    /// Parses id and start of a record, summary or full.
    pub fn parse(json: &[u8]) -> Result<Self, UnreadableRecord> {
        serde_json::from_slice(json).or_else(|error| {
            let members = Members::of(json);
            members.summary().ok_or_else(|| UnreadableRecord::new(members.id(), &error))
        })
    }
}

impl UnreadableRecord {
    fn new(id: Option<ActivationId>, error: &serde_json::Error) -> Self {
        Self { id: id.map_or("unknown".into(), |id| id.to_string()), reason: describe(error) }
    }
}

/// The parser's complaint without the text it complains of: log text must not get into our own log.
fn describe(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Data => "a field is missing or of the wrong type",
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Io | serde_json::error::Category::Syntax => "it is not valid JSON",
    };
    format!("{kind} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests;
