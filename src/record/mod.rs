//! Activation records as the API returns them (facts/openwhisk.md 1.3–1.5), read without copying what need not be copied.

mod entry;
mod id;
mod mend;
mod nesting;
mod outline;
mod reader;
mod splitter;

pub use entry::{Line, entry_time, write_json_string};
pub use id::ActivationId;
pub use reader::{Content, EntryReader};
pub use splitter::{SplitError, Splitter};

use entry::Entry;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A full record, as `docs=true` and GET by id return it. What is not needed is not read; unknown fields are fine.
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
    /// Begin of the run, milliseconds since 1970.
    pub start: u64,
    /// End of the run; triggers have none.
    #[serde(default)]
    pub end: Option<u64>,
    #[serde(borrow, default)]
    annotations: Vec<Annotation<'a>>,
    #[serde(borrow, default)]
    logs: Vec<Entry<'a>>,
}

/// What the list without `docs` tells of a record, as far as it is needed.
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
    /// What the parser says, without the record's text.
    pub reason: String,
}

impl<'a> Record<'a> {
    /// Parses one record.
    pub fn parse(json: &'a [u8]) -> Result<Self, UnreadableRecord> {
        serde_json::from_slice(json)
            .map_err(|error| UnreadableRecord { id: id_in(json), reason: describe(&error) })
    }

    /// The log entries, in order; none for sequences, compositions and triggers, whose `logs` hold ids and rule results instead.
    pub fn entries(&self) -> impl Iterator<Item = Line<'_>> {
        let entries = if self.has_log_lines() { self.logs.as_slice() } else { &[] };
        entries.iter().map(Entry::line)
    }

    /// Whether it has no log entries here but may have some in a store of their own: it ran, was allowed to log, and is no sequence,
    /// composition or trigger. What could not be run at all (kind `unknown`) never logged.
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
        self.logs.is_empty() && self.has_log_lines() && may_log && ran
    }

    /// The value of an annotation that is a string.
    pub fn annotation_text(&self, key: &str) -> Option<Cow<'a, str>> {
        let raw = self.annotation(key)?;
        serde_json::from_slice::<Text<'a>>(raw.get().as_bytes()).ok().map(|text| text.0)
    }

    fn annotation(&self, key: &str) -> Option<&'a RawValue> {
        self.annotations.iter().find(|annotation| annotation.key == key).map(|annotation| annotation.value)
    }

    /// Whether its `logs` are what was printed.
    pub fn has_log_lines(&self) -> bool {
        let sequence = self.annotation_text("kind").is_some_and(|kind| kind == "sequence");
        let conductor = self.annotation("conductor").is_some_and(|value| value.get() == "true");
        let trigger = self.end.is_none() && self.annotation("path").is_none();
        !(sequence || conductor || trigger)
    }
}

impl Summary {
    /// Parses id and start of a record, summary or full.
    pub fn parse(json: &[u8]) -> Result<Self, UnreadableRecord> {
        serde_json::from_slice(json)
            .map_err(|error| UnreadableRecord { id: id_in(json), reason: describe(&error) })
    }
}

/// The id in a record that cannot be parsed, as far as it can be seen.
fn id_in(json: &[u8]) -> String {
    const KEY: &[u8] = b"\"activationId\":\"";
    let begin = json.windows(KEY.len()).position(|window| window == KEY).map(|at| at + KEY.len());
    let text = begin.and_then(|begin| std::str::from_utf8(json.get(begin..begin + 32)?).ok());
    text.and_then(|text| text.parse::<ActivationId>().ok()).map_or("unknown".into(), |id| id.to_string())
}

/// The parser's complaint without the text it complains of: log text must not get into our own log.
fn describe(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Data => "a field is missing or of the wrong type",
        serde_json::error::Category::Eof => "it ends too early, or it is larger than 32 MiB",
        serde_json::error::Category::Io | serde_json::error::Category::Syntax => "it is not valid JSON",
    };
    format!("{kind} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(annotations: &str, end: &str) -> String {
        format!(
            r#"{{"activationId":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","annotations":{annotations},"namespace":"guest","name":"hello",
            "publish":false,"response":{{"result":[1,{{"logs":["no"]}}]}},"start":1700000000000{end},"logs":["one","t\twö"],"new":null}}"#
        )
    }

    #[test]
    fn a_full_record_gives_its_fields_and_entries() {
        let json = with(
            r#"[{"key":"path","value":"guest/hello"},{"key":"limits","value":{"logs":10}}]"#,
            ",\"end\":5",
        );
        let record = Record::parse(json.as_bytes()).unwrap();
        assert_eq!(record.activation_id.to_string(), "0a1b2c3d4e5f60718293a4b5c6d7e8f9");
        assert_eq!((record.start, record.end), (1_700_000_000_000, Some(5)));
        assert_eq!(record.entries().map(|line| line.text()).collect::<Vec<_>>(), ["one", "t\twö"]);
        assert_eq!(record.annotation_text("path").unwrap(), "guest/hello");
        assert_eq!(record.annotation_text("limits"), None);
    }

    #[test]
    fn sequences_compositions_and_triggers_have_no_entries() {
        for (annotations, end) in [
            (r#"[{"key":"path","value":"guest/s"},{"key":"kind","value":"sequence"}]"#, ",\"end\":5"),
            (r#"[{"key":"path","value":"guest/c"},{"key":"conductor","value":true}]"#, ",\"end\":5"),
            ("[]", ""),
        ] {
            let json = with(annotations, end);
            assert_eq!(Record::parse(json.as_bytes()).unwrap().entries().count(), 0, "{annotations}");
        }
    }

    #[test]
    fn only_what_ran_and_may_log_can_have_lines_elsewhere() {
        for (annotations, end, expected) in [
            (r#"[{"key":"path","value":"g/h"},{"key":"limits","value":{"logs":10}}]"#, ",\"end\":5", true),
            (r#"[{"key":"path","value":"g/h"}]"#, ",\"end\":5", true),
            (r#"[{"key":"path","value":"g/h"},{"key":"limits","value":"odd"}]"#, ",\"end\":5", true),
            (r#"[{"key":"path","value":"g/h"},{"key":"limits","value":{"logs":0}}]"#, ",\"end\":5", false),
            (r#"[{"key":"path","value":"g/h"},{"key":"kind","value":"sequence"}]"#, ",\"end\":5", false),
            (
                r#"[{"key":"path","value":"g/h"},{"key":"kind","value":"unknown"}]"#,
                ",\"end\":1700000000000",
                false,
            ),
            ("[]", "", false),
        ] {
            let inline = with(annotations, end);
            let empty = inline.replace(r#""logs":["one","t\twö"]"#, r#""logs":[]"#);
            assert_ne!(inline, empty);
            assert!(!Record::parse(inline.as_bytes()).unwrap().may_have_lines_elsewhere());
            let record = Record::parse(empty.as_bytes()).unwrap();
            assert_eq!(record.may_have_lines_elsewhere(), expected, "{annotations}");
        }
    }

    #[test]
    fn an_unreadable_record_is_named_by_its_id_and_its_text_is_not_repeated() {
        let json = br#"{"activationId":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","start":1,"logs":["secret", 3]}"#;
        let error = Record::parse(json).unwrap_err();
        assert_eq!(error.id, "0a1b2c3d4e5f60718293a4b5c6d7e8f9");
        assert!(error.reason.contains("wrong type"), "{}", error.reason);
        assert!(!error.to_string().contains("secret"));
    }
}
