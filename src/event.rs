//! Events: what a receiver gets for one log line. Written straight into frames, in the shape of the 2017 tool.

use crate::lumberjack::{LARGEST_EVENT, Protocol, write_pairs};
use crate::record::{ActivationId, Record, entry_time};
use crate::time;
use serde::Serialize;
use std::borrow::Cow;

/// One log line on its way, with the four fields of the 2017 tool. Version 2 of the protocol adds `@timestamp` and `@metadata`, version 1 `id`.
#[derive(Debug, Serialize)]
pub struct Event<'a> {
    #[serde(rename = "@timestamp")]
    timestamp: Cow<'a, str>,
    #[serde(rename = "@metadata")]
    metadata: Metadata,
    /// The entry as the platform has it, time and stream included.
    line: &'a str,
    activation: ActivationId,
    /// The action's simple name.
    action: &'a str,
    namespace: &'a str,
    /// Only in a line that was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<Log>,
}

/// What Logstash keeps beside the event. `beat` and `version` are in the index name of usual pipelines, `_id` serves as document id
/// (facts/lumberjack.md 4).
#[derive(Debug, Serialize)]
struct Metadata {
    beat: &'static str,
    version: &'static str,
    #[serde(rename = "_id")]
    id: String,
}

/// Filebeat marks lines that it has cut in this way.
#[derive(Debug, Serialize)]
struct Log {
    flags: [&'static str; 1],
}

const TRUNCATED: &str = "truncated";
/// More than the marker takes.
const MARKER: usize = 64;

impl<'a> Event<'a> {
    /// The event for the entry at `index` (from 0) of `record`.
    pub fn new(record: &'a Record<'_>, index: usize, entry: &'a str) -> Self {
        Self {
            timestamp: timestamp(record, entry),
            metadata: Metadata {
                beat: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
                id: id(&record.namespace, record.activation_id, index as u64),
            },
            line: entry,
            activation: record.activation_id,
            action: &record.name,
            namespace: &record.namespace,
            log: None,
        }
    }

    /// Writes the event as payload of a frame. Returns whether it is whole: a line that does not fit is cut, and the event says so.
    pub fn write(&self, protocol: Protocol, out: &mut Vec<u8>) -> Result<bool, serde_json::Error> {
        self.write_within(LARGEST_EVENT, protocol, out)
    }

    /// Like [`write`](Self::write) with another limit: at most `most` bytes, if the fields besides the line leave room for it.
    pub fn write_within(
        &self,
        most: usize,
        protocol: Protocol,
        out: &mut Vec<u8>,
    ) -> Result<bool, serde_json::Error> {
        let begin = out.len();
        self.write_whole(protocol, out)?;
        let bytes = out.len() - begin;
        if bytes <= most {
            return Ok(true);
        }
        out.truncate(begin);
        let width = |c| if protocol == Protocol::V2 { width_in_json(c) } else { char::len_utf8(c) };
        let line: usize = self.line.chars().map(width).sum();
        let room = most.saturating_sub(bytes - line + MARKER);
        let cut = Event {
            timestamp: Cow::Borrowed(&self.timestamp),
            metadata: Metadata { id: self.metadata.id.clone(), ..self.metadata },
            line: prefix(self.line, room, width),
            log: Some(Log { flags: [TRUNCATED] }),
            ..*self
        };
        cut.write_whole(protocol, out).map(|()| false)
    }

    fn write_whole(&self, protocol: Protocol, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        if protocol == Protocol::V2 {
            return serde_json::to_writer(out, self);
        }
        let activation = self.activation.to_string();
        let mut pairs = vec![
            ("line", self.line),
            ("activation", &activation),
            ("action", self.action),
            ("namespace", self.namespace),
            ("id", &self.metadata.id),
        ];
        pairs.extend(self.log.as_ref().map(|_| ("log.flags", TRUNCATED)));
        write_pairs(out, &pairs);
        Ok(())
    }
}

/// Bytes that a character takes in JSON.
fn width_in_json(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\x1f' => 6,
        _ => c.len_utf8(),
    }
}

/// The longest beginning of `text` that takes at most `room`.
fn prefix(text: &str, room: usize, width: impl Fn(char) -> usize) -> &str {
    let mut taken = 0;
    let end = text.char_indices().find(|(_, c)| {
        taken += width(*c);
        taken > room
    });
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// The line's own time; the end of the run for entries that have none.
fn timestamp<'a>(record: &Record<'_>, entry: &'a str) -> Cow<'a, str> {
    match entry_time(entry) {
        // Some receivers want a fraction (facts/lumberjack.md 4, row FD).
        Some(whole_seconds) if !whole_seconds.contains('.') => {
            Cow::Owned(format!("{}.000Z", whole_seconds.trim_end_matches('Z')))
        }
        Some(time) => Cow::Borrowed(time),
        None => Cow::Owned(time::rfc3339(record.end.unwrap_or(record.start))),
    }
}

/// A line's stable id: a function of namespace, activation and index only, so that a repeat overwrites its document, and equal lines do not.
pub fn id(namespace: &str, activation: ActivationId, index: u64) -> String {
    format!("{:08x}-{activation}-{index}", fnv1a(namespace.as_bytes()))
}

/// FNV-1a, 32 bits. The activation id is unique already; this only keeps two installations apart that would count their ids alike.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn events(namespace: &str, logs: &[&str]) -> Vec<Value> {
        let json = json!({"activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "namespace": namespace, "name": "hello", "start": 1, "end": 2000,
            "annotations": [{"key": "path", "value": "guest/pkg/hello"}], "logs": logs})
        .to_string();
        let record = Record::parse(json.as_bytes()).unwrap();
        record
            .entries()
            .enumerate()
            .map(|(index, entry)| serde_json::to_value(Event::new(&record, index, entry)).unwrap())
            .collect()
    }

    #[test]
    fn an_event_has_the_shape_of_the_2017_tool_plus_time_and_metadata() {
        let line = "2023-11-14T22:13:20.010000001Z stdout: hi";
        assert_eq!(
            events("guest", &[line]),
            [json!({
                "@timestamp": "2023-11-14T22:13:20.010000001Z",
                "@metadata": {"beat": "whiskjack", "version": "0.1.0", "_id": "be5cdbf3-0a1b2c3d4e5f60718293a4b5c6d7e8f9-0"},
                "line": line, "activation": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "action": "hello", "namespace": "guest"
            })]
        );
    }

    #[test]
    fn equal_lines_have_different_ids_and_the_same_line_ever_the_same() {
        let ids = |namespace: &str| -> Vec<String> {
            events(namespace, &["a", "a"])
                .iter()
                .map(|e| e["@metadata"]["_id"].as_str().unwrap().to_owned())
                .collect()
        };
        let first = ids("guest");
        assert_ne!(first[0], first[1]);
        assert_eq!(first, ids("guest"));
        assert_ne!(first, ids("other"));
    }

    #[test]
    fn a_line_without_a_time_gets_the_end_of_its_run_and_a_whole_second_a_fraction() {
        let events = events("guest", &["no prefix", "2023-11-14T22:13:20Z           stderr: x"]);
        assert_eq!(events[0]["@timestamp"], "1970-01-01T00:00:02.000Z");
        assert_eq!(events[1]["@timestamp"], "2023-11-14T22:13:20.000Z");
    }
}
