//! Log entries: the elements of a record's `logs`, one for each line of output (docs/facts/openwhisk.md 1.8).

use super::mend::mended;
use crate::time;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A log entry. Most go from record to event as they are in JSON, so they are not even unescaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    text: &'a str,
    /// The text is what stands between the quotes of a sound JSON string.
    is_json: bool,
    is_mended: bool,
    is_cut: bool,
}

/// Where a line was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// As OpenWhisk and OpenTelemetry write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// What an element of `logs` becomes: each becomes a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry<'a> {
    /// A sound JSON string, with its quotes.
    Sound(&'a str),
    /// What else was there, as a text.
    Mended(Box<str>),
}

impl<'a> Line<'a> {
    /// All of it, as a text.
    pub fn text(&self) -> Cow<'a, str> {
        // Borrowed unless something is escaped. It was checked when the record was read.
        if !self.is_json || memchr::memchr(b'\\', self.text.as_bytes()).is_none() {
            return Cow::Borrowed(self.text);
        }
        let quoted = ["\"", self.text, "\""].concat();
        Cow::Owned(serde_json::from_slice(quoted.as_bytes()).unwrap_or_default())
    }

    /// The time it begins with, if it has one.
    pub fn time(&self) -> Option<&'a str> {
        entry_time(self.text)
    }

    /// The part after `time`, with which it begins: the stream, if it is named, and the text.
    pub fn behind(&self, time: Option<&str>) -> (Option<Stream>, Self) {
        let Some(rest) = time.and_then(|time| self.text.get(time.len()..)) else { return (None, *self) };
        // Some stores pad the time with blanks (docs/facts/openwhisk.md 1.8).
        let padded = rest.trim_start_matches(' ');
        for stream in [Stream::Stdout, Stream::Stderr] {
            let behind = padded.strip_prefix(stream.name()).and_then(|rest| rest.strip_prefix(':'));
            if let Some(text) = behind {
                return (Some(stream), Self { text: text.strip_prefix(' ').unwrap_or(text), ..*self });
            }
        }
        (None, Self { text: rest.strip_prefix(' ').unwrap_or(rest), ..*self })
    }

    /// Whether it is a notice of the platform rather than output of the action: such entries are in the record wherever the lines are.
    pub fn is_notice(&self) -> bool {
        let time = self.time();
        let (stream, message) = self.behind(time);
        if time.is_some() && stream != Some(Stream::Stderr) {
            return false;
        }
        let message = message.text();
        NOTICES.iter().any(|notice| message.starts_with(notice))
    }

    /// Appends it as JSON.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        if self.is_json {
            out.reserve(self.text.len() + 2);
            out.push(b'"');
            out.extend_from_slice(self.text.as_bytes());
            out.push(b'"');
        } else {
            write_json_string(self.text, out);
        }
    }

    /// Whether it was unsound text that was mended.
    pub fn is_mended(&self) -> bool {
        self.is_mended
    }

    /// Whether its end is missing: it is longer than any event, so not all of it was read.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// A text that stands for several lines, or for one that was changed.
    pub fn of_text(text: &'a str, is_mended: bool, is_cut: bool) -> Self {
        Self { text, is_json: false, is_mended, is_cut }
    }

    /// The same with another text.
    pub fn with_text<'t>(&self, text: &'t str) -> Line<'t> {
        Line { text, is_json: false, ..*self }
    }

    /// The same as one that was mended.
    pub(crate) fn mended(self) -> Self {
        Self { is_mended: true, ..self }
    }

    /// Its beginning, which says that it is not all.
    pub(crate) fn cut_to<'t>(&self, beginning: &'t str) -> Line<'t> {
        Line { text: beginning, is_json: false, is_cut: true, ..*self }
    }
}

impl<'a> Entry<'a> {
    /// An element of `logs`: its JSON, as far as it is that.
    pub(crate) fn of(json: &'a [u8]) -> Self {
        match serde_json::from_slice(json) {
            Ok(sound) => sound,
            Err(_) => Self::Mended(mended(json).0),
        }
    }

    /// As a line.
    pub(crate) fn line(&self) -> Line<'_> {
        match self {
            Self::Sound(json) => Line { text: inside(json), is_json: true, is_mended: false, is_cut: false },
            Self::Mended(text) => Line { text, is_json: false, is_mended: true, is_cut: false },
        }
    }

    /// Hands an entry of which only these first bytes were kept to `visit`, as a line.
    pub(crate) fn cut(json: &[u8], visit: impl FnOnce(Line<'_>) -> bool) -> bool {
        let (text, sound) = mended(json);
        visit(Line { text: &text, is_json: false, is_mended: !sound, is_cut: true })
    }
}

/// What the platform adds to the lines of a run, on stderr (docs/facts/openwhisk.md 1.8).
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

/// A line on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedLine {
    text: String,
    is_mended: bool,
    is_cut: bool,
}

impl OwnedLine {
    /// The line itself.
    pub fn line(&self) -> Line<'_> {
        Line { text: &self.text, is_json: false, is_mended: self.is_mended, is_cut: self.is_cut }
    }

    /// Whether it reads like the other one.
    pub fn reads_like(&self, other: Line<'_>) -> bool {
        self.text == other.text()
    }
}

impl From<Line<'_>> for OwnedLine {
    fn from(line: Line<'_>) -> Self {
        Self { text: line.text().into_owned(), is_mended: line.is_mended, is_cut: line.is_cut }
    }
}

impl<'a> From<&'a str> for Line<'a> {
    fn from(text: &'a str) -> Self {
        Self { text, is_json: false, is_mended: false, is_cut: false }
    }
}

/// Sound strings only: what else there is, [`Entry::of`] mends.
impl<'de: 'a, 'a> Deserialize<'de> for Entry<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        if !json.starts_with('"') {
            return Err(D::Error::custom("a log entry is not a text"));
        }
        // Half a surrogate pair is not a character, and a raw value may hold one.
        if may_hold_surrogates(json.as_bytes()) {
            serde_json::from_slice::<String>(json.as_bytes()).map_err(D::Error::custom)?;
        }
        Ok(Self::Sound(json))
    }
}

/// The time an entry begins with, if it has one: `2023-11-14T22:13:20.010000001Z stdout: hi`.
///
/// Some entries have no prefix: notices of the platform, and entries that a log store adds.
pub fn entry_time(entry: &str) -> Option<&str> {
    let first = entry.split(' ').next()?;
    time::is_rfc3339_utc(first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Entry<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_line_goes_on_as_it_came_and_can_be_read() {
        for (json, text) in [
            (r#""""#, ""),
            (r#""plain wö""#, "plain wö"),
            (r#""a \"quoted\" \t\\ \u00e9 \ud83d\udc4b""#, "a \"quoted\" \t\\ é 👋"),
            (r#""not a surrogate: \\ud83d""#, "not a surrogate: \\ud83d"),
        ] {
            let entry = read(json);
            let line = entry.line();
            assert_eq!(line.text(), text);
            let mut out = Vec::new();
            line.write_json(&mut out);
            assert_eq!(out, json.as_bytes());
            out.clear();
            Line::from(text).write_json(&mut out);
            assert_eq!(read(std::str::from_utf8(&out).unwrap()).line().text(), text);
        }
        let entry = read(r#""2023-11-14T22:13:20.1Z stdout: \t""#);
        assert_eq!(entry.line().time(), Some("2023-11-14T22:13:20.1Z"));
    }

    #[test]
    fn what_is_not_a_sound_text_becomes_a_line_too_and_is_known_by_it() {
        for (json, text) in [
            (&b"1"[..], "1"),
            (b"null", "null"),
            (b"[\"a\"]", "[\"a\"]"),
            (br#""half a pair: \ud83d""#, "half a pair: \u{fffd}"),
            (br#""\uDC4B""#, "\u{fffd}"),
            (b"\"\x01 caf\xe9\"", "\u{1} caf\u{fffd}"),
        ] {
            let entry = Entry::of(json);
            assert_eq!(entry.line().text(), text);
            assert!(entry.line().is_mended() && !entry.line().is_cut());
        }
        assert!(!Entry::of(b"\"sound\"").line().is_mended());
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
