//! A document that arrived, as Elasticsearch would keep it.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

/// One document in the shape of ECS, as far as the demo looks at it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Document {
    /// RFC 3339, UTC, up to nine fraction digits.
    #[serde(rename = "@timestamp")]
    pub(crate) timestamp: String,
    #[serde(rename = "@metadata")]
    pub(crate) metadata: Metadata,
    /// The text as the action printed it.
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) log: Log,
    pub(crate) faas: Faas,
    /// All of it.
    #[serde(skip)]
    pub(crate) whole: Value,
}

/// What Logstash keeps beside the document.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Metadata {
    #[serde(rename = "_id")]
    pub(crate) id: String,
}

/// Where the line was printed.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Log {
    /// `stdout` or `stderr`; absent if the platform does not say it.
    pub(crate) iostream: Option<String>,
}

/// Who printed it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Faas {
    /// The activation's id.
    pub(crate) execution: String,
    /// Simple name, without the package.
    pub(crate) name: String,
}

impl Document {
    pub(crate) fn new(event: &Value) -> Result<Self> {
        let document =
            Self::deserialize(event).with_context(|| format!("the receiver got something else: {event}"))?;
        Ok(Self { whole: event.clone(), ..document })
    }

    /// For sorting by time: unlike the text itself right for any number of fraction digits.
    pub(crate) fn instant(&self) -> &str {
        self.timestamp.trim_end_matches('Z')
    }

    /// `stdout`, `stderr` or nothing.
    pub(crate) fn stream(&self) -> &str {
        self.log.iostream.as_deref().unwrap_or_default()
    }
}

/// Stream and text of a log entry as the platform has it. Entries without time and stream are all text.
pub(crate) fn stream_and_text(entry: &str) -> (&str, &str) {
    let tagged = || {
        let (time, rest) = entry.split_once(' ')?;
        let (stream, text) = rest.trim_start_matches(' ').split_once(':')?;
        let known = time.ends_with('Z') && matches!(stream, "stdout" | "stderr");
        known.then(|| (stream, text.strip_prefix(' ').unwrap_or(text)))
    };
    tagged().unwrap_or(("", entry))
}

/// `HH:MM:SS.mmm` of an RFC 3339 time.
pub(crate) fn time_of_day(timestamp: &str) -> String {
    let time = timestamp.split_once('T').map_or(timestamp, |(_, time)| time).trim_end_matches('Z');
    let (seconds, fraction) = time.split_once('.').unwrap_or((time, ""));
    format!("{seconds}.{:0<3.3}", fraction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn stream_and_text_come_from_the_entry_and_indentation_stays() {
        for (line, expected) in [
            ("2023-11-14T22:13:20.01Z        stdout:   indented: yes", ("stdout", "  indented: yes")),
            ("2023-11-14T22:13:20.010000001Z stderr: ", ("stderr", "")),
            ("2023-11-14T22:13:20.010000001Z stderr:", ("stderr", "")),
            ("2023-11-14T22:13:20Z no tag", ("", "2023-11-14T22:13:20Z no tag")),
            ("somebody said stdout: hi", ("", "somebody said stdout: hi")),
        ] {
            assert_eq!(stream_and_text(line), expected);
        }
    }

    #[test]
    fn times_have_three_fraction_digits_and_sort_with_any_number() {
        for (time, expected) in [
            ("2023-11-14T22:13:20Z", "22:13:20.000"),
            ("2023-11-14T22:13:20.01Z", "22:13:20.010"),
            ("2023-11-14T22:13:20.010999999Z", "22:13:20.010"),
        ] {
            assert_eq!(time_of_day(time), expected);
        }
        let event = json!({"@timestamp": "2023-11-14T22:13:20.01Z", "@metadata": {"_id": "x"}, "message": "m",
            "faas": {"execution": "a", "name": "b"}});
        let early = Document::new(&event).unwrap();
        let late = Document { timestamp: "2023-11-14T22:13:20.010000001Z".to_owned(), ..early.clone() };
        assert!(early.instant() < late.instant());
    }
}
