//! Log entries: what `logs` of a record holds, one entry a line of output (facts/openwhisk.md 1.8).

use crate::time;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A log entry. Most go from record to event as they are in JSON, so they are not even unescaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a>(Form<'a>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form<'a> {
    /// A sound JSON string with its quotes.
    Json(&'a str),
    Text(&'a str),
}

impl<'a> Line<'a> {
    /// What was printed.
    pub fn text(&self) -> Cow<'a, str> {
        match self.0 {
            Form::Text(text) => Cow::Borrowed(text),
            // Borrowed unless something is escaped. It was checked when the record was read.
            Form::Json(json) => match inside(json) {
                plain if !plain.contains('\\') => Cow::Borrowed(plain),
                _ => Cow::Owned(serde_json::from_slice(json.as_bytes()).unwrap_or_default()),
            },
        }
    }

    /// The time it begins with, if it has one.
    pub fn time(&self) -> Option<&'a str> {
        match self.0 {
            Form::Json(json) => entry_time(inside(json)),
            Form::Text(text) => entry_time(text),
        }
    }

    /// Whether it is a notice of the platform rather than something that was printed: such entries stand in the record wherever the lines are.
    pub fn is_notice(&self) -> bool {
        let text = self.text();
        let message = match self.time() {
            Some(time) => {
                let rest = text.get(time.len()..).unwrap_or_default().trim_start();
                rest.strip_prefix("stderr: ").unwrap_or_default()
            }
            None => &text,
        };
        NOTICES.iter().any(|notice| message.starts_with(notice))
    }

    /// Appends it as JSON.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self.0 {
            Form::Json(json) => out.extend_from_slice(json.as_bytes()),
            Form::Text(text) => write_json_string(text, out),
        }
    }
}

/// What the platform adds to the lines of a run, on stderr (facts/openwhisk.md 1.8).
const NOTICES: [&str; 3] = [
    "Logs were truncated because the total bytes size exceeds the limit",
    "There was an issue while collecting your logs.",
    "The action did not initialize or run as expected.",
];

/// Appends a text as JSON.
pub fn write_json_string(text: &str, out: &mut Vec<u8>) {
    // Neither a text nor memory can fail.
    serde_json::to_writer(out, text).ok();
}

fn inside(json: &str) -> &str {
    json.get(1..json.len().saturating_sub(1)).unwrap_or_default()
}

/// Whether an escape may stand for half of a pair: `\ud800` to `\udfff`.
fn may_hold_surrogates(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        if matches!(rest.get(at + 1..at + 3), Some([b'u', b'd' | b'D'])) {
            return true;
        }
        // What is escaped may be a backslash.
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}

impl<'a> From<&'a str> for Line<'a> {
    fn from(text: &'a str) -> Self {
        Self(Form::Text(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Line<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        if !json.starts_with('"') {
            return Err(D::Error::custom("a log entry is no text"));
        }
        // Half a surrogate pair is no character, and a raw value may hold one.
        if may_hold_surrogates(json.as_bytes()) {
            serde_json::from_slice::<String>(json.as_bytes()).map_err(D::Error::custom)?;
        }
        Ok(Self(Form::Json(json)))
    }
}

/// The time an entry begins with, if it has one: `2023-11-14T22:13:20.010000001Z stdout: hi`.
///
/// Entries without a prefix exist: notices of the platform, and whatever a log store puts there.
pub fn entry_time(entry: &str) -> Option<&str> {
    let first = entry.split(' ').next()?;
    time::is_rfc3339_utc(first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Line<'_>, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_line_goes_on_as_it_came_and_can_be_read() {
        for (json, text) in [
            (r#""""#, ""),
            (r#""plain wö""#, "plain wö"),
            (r#""a \"quoted\" \t\\ \u00e9 \ud83d\udc4b""#, "a \"quoted\" \t\\ é 👋"),
            (r#""not a surrogate: \\ud83d""#, "not a surrogate: \\ud83d"),
        ] {
            let line = read(json).unwrap();
            assert_eq!(line.text(), text);
            let mut out = Vec::new();
            line.write_json(&mut out);
            assert_eq!(out, json.as_bytes());
            out.clear();
            Line::from(text).write_json(&mut out);
            assert_eq!(read(std::str::from_utf8(&out).unwrap()).unwrap().text(), text);
        }
        assert_eq!(
            read(r#""2023-11-14T22:13:20.1Z stdout: \t""#).unwrap().time(),
            Some("2023-11-14T22:13:20.1Z")
        );
    }

    #[test]
    fn what_is_no_text_is_no_line() {
        for json in ["1", "null", "[\"a\"]", r#""half a pair: \ud83d""#, r#""\uDC4B""#, "\"\u{1}\""] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn the_time_is_found_in_every_variant_that_has_one() {
        for (entry, time) in [
            ("2023-11-14T22:13:20.010000001Z stdout: hi", Some("2023-11-14T22:13:20.010000001Z")),
            ("2023-11-14T22:13:20.01000000Z  stderr: two spaces", Some("2023-11-14T22:13:20.01000000Z")),
            ("2023-11-14T22:13:20Z           stderr: no fraction", Some("2023-11-14T22:13:20Z")),
            ("2023-11-14T22:13:20.1Z stdout: not padded", Some("2023-11-14T22:13:20.1Z")),
            ("2023-11-14T22:13:20.5Z no stream", Some("2023-11-14T22:13:20.5Z")),
            ("2023-11-14T22:13:20.010000001Z stdout: ", Some("2023-11-14T22:13:20.010000001Z")),
            ("There was an issue while collecting your logs. Data might be missing.", None),
            ("", None),
        ] {
            assert_eq!(entry_time(entry), time, "{entry}");
        }
    }
}
