//! Events: what a receiver gets for one log line. Written straight into frames, in the shape of the 2017 tool.

use crate::checkpoint::OwedRecord;
use crate::lumberjack::{Common, LARGEST_EVENT, Protocol, write_pairs};
use crate::openwhisk::record::{ActivationId, Line, Record, write_json_string};
use crate::time;
use std::borrow::Cow;
use std::io::Write;
use std::rc::Rc;

/// The events of one record's lines, with the four fields of the 2017 tool. Version 2 of the protocol adds `@timestamp` and `@metadata`, version 1 `id`.
///
/// They differ in time, number and line only. All else is made ready once: an event is then half a dozen copies.
#[derive(Debug)]
pub struct Events<'r> {
    /// Simple name of the action.
    name: &'r str,
    namespace: &'r str,
    protocol: Protocol,
    /// An id but for its last part, the number of the entry.
    id: String,
    activation: String,
    /// The time of lines that have none: the end of the run.
    end: String,
    /// Version 2: what is before the time, what between it and the number, and what follows the line.
    common: Rc<Common>,
}

/// What the flags add, at most.
const FLAGS: usize = 64;

impl<'r> Events<'r> {
    /// The events of `record`, as payloads of that version's frames.
    pub fn of(record: &'r Record<'r>, protocol: Protocol) -> Self {
        let end = record.end.unwrap_or(record.start);
        Self::new(&record.namespace, &record.name, record.activation_id, end, protocol)
    }

    /// The same of a record that is owed by itself.
    pub fn of_owed(record: &'r OwedRecord, protocol: Protocol) -> Self {
        let end = record.end.unwrap_or(record.start);
        Self::new(&record.namespace, &record.name, record.id, end, protocol)
    }

    fn new(namespace: &'r str, name: &'r str, id: ActivationId, end_ms: u64, protocol: Protocol) -> Self {
        let activation = id.to_string();
        let id = id_but_number(namespace, id);
        let (mut before_number, mut after_line) = (Vec::new(), Vec::new());
        if protocol == Protocol::V2 {
            // `beat` and `version` are in the index name of usual pipelines, `_id` serves as document id (docs/facts/lumberjack.md 4).
            const METADATA: &str = concat!(
                r#"","@metadata":{"beat":""#,
                env!("CARGO_PKG_NAME"),
                r#"","version":""#,
                env!("CARGO_PKG_VERSION"),
                r#"","_id":""#
            );
            before_number.extend_from_slice(METADATA.as_bytes());
            before_number.extend_from_slice(id.as_bytes());
            after_line.extend_from_slice(br#","activation":""#);
            after_line.extend_from_slice(activation.as_bytes());
            after_line.extend_from_slice(br#"","action":"#);
            write_json_string(name, &mut after_line);
            after_line.extend_from_slice(br#","namespace":"#);
            write_json_string(namespace, &mut after_line);
        }
        let end = time::rfc3339(end_ms);
        after_line.push(b'}');
        let common = Rc::new(Common::new(br#"{"@timestamp":""#, &before_number, &after_line));
        Self { name, namespace, protocol, id, activation, end, common }
    }

    /// What all of them have in common.
    pub fn common(&self) -> &Rc<Common> {
        &self.common
    }

    /// Writes what the event for the entry at `index` (from 0) has of its own, and says how much of that comes before the middle of what is common.
    /// `None` if there is no such thing: in version 1, if it would be too large, and if it has flags.
    pub fn write_own(&self, index: usize, line: Line<'_>, out: &mut Vec<u8>) -> Option<usize> {
        if self.protocol == Protocol::V1 || !flags(line).is_empty() {
            return None;
        }
        let begin = out.len();
        out.extend_from_slice(self.timestamp(line).as_bytes());
        let split = out.len() - begin;
        write_after_middle(index, line, out);
        (out.len() - begin + self.common.len() <= LARGEST_EVENT).then_some(split)
    }

    /// Writes the event for the entry at `index` (from 0) as payload of a frame. Returns whether it is whole: a line that does not fit is cut, and
    /// the event says so.
    pub fn write(&self, index: usize, line: Line<'_>, out: &mut Vec<u8>) -> bool {
        self.write_within(LARGEST_EVENT, index, line, out)
    }

    /// Like [`write`](Self::write) with another limit: at most `most` bytes, if the fields besides the line leave room for it.
    pub fn write_within(&self, most: usize, index: usize, line: Line<'_>, out: &mut Vec<u8>) -> bool {
        let begin = out.len();
        let time = self.timestamp(line);
        self.write_one(index, &time, line, out);
        let bytes = out.len() - begin;
        if bytes <= most {
            return !line.is_cut();
        }
        out.truncate(begin);
        let (text, bytes_of_line) = (line.text(), self.bytes_of(line));
        let room = most.saturating_sub(bytes - bytes_of_line + FLAGS);
        let cut = prefix(&text, room, |c| self.width(c));
        self.write_one(index, &time, line.cut_to(cut), out);
        false
    }

    fn write_one(&self, index: usize, time: &str, line: Line<'_>, out: &mut Vec<u8>) {
        if self.protocol == Protocol::V1 {
            return self.write_flat(index, line, out);
        }
        out.extend_from_slice(self.common.head());
        out.extend_from_slice(time.as_bytes());
        out.extend_from_slice(self.common.middle());
        write_after_middle(index, line, out);
        out.extend_from_slice(self.common.tail());
        let flags = flags(line);
        if !flags.is_empty() {
            // Filebeat marks lines that it has cut in this way.
            out.pop();
            out.extend_from_slice(br#","log":{"flags":[""#);
            out.extend_from_slice(flags.join(r#"",""#).as_bytes());
            out.extend_from_slice(br#""]}}"#);
        }
    }

    fn write_flat(&self, index: usize, line: Line<'_>, out: &mut Vec<u8>) {
        let flags = flags(line).join(",");
        let mut id = self.id.clone().into_bytes();
        write_number(index, &mut id);
        let (id, line) = (String::from_utf8_lossy(&id), line.text());
        let mut pairs = vec![
            ("line", &*line),
            ("activation", &self.activation),
            ("action", self.name),
            ("namespace", self.namespace),
            ("id", &id),
        ];
        pairs.extend((!flags.is_empty()).then_some(("log.flags", &*flags)));
        write_pairs(out, &pairs);
    }

    /// The line's own time; the end of the run for entries that have none.
    fn timestamp<'l>(&'l self, line: Line<'l>) -> Cow<'l, str> {
        match line.time() {
            // Some receivers want a fraction (docs/facts/lumberjack.md 4, row FD).
            Some(whole_seconds) if !whole_seconds.contains('.') => {
                Cow::Owned(format!("{}.000Z", whole_seconds.trim_end_matches('Z')))
            }
            Some(time) => Cow::Borrowed(time),
            None => Cow::Borrowed(&self.end),
        }
    }

    /// Bytes that the line takes in an event.
    fn bytes_of(&self, line: Line<'_>) -> usize {
        if self.protocol == Protocol::V1 {
            return line.text().len();
        }
        let mut json = Vec::new();
        line.write_json(&mut json);
        json.len().saturating_sub(2)
    }

    fn width(&self, c: char) -> usize {
        if self.protocol == Protocol::V2 { width_in_json(c) } else { c.len_utf8() }
    }
}

/// What is to be said of a line that does not arrive as it was printed.
fn flags(line: Line<'_>) -> &'static [&'static str] {
    match (line.is_cut(), line.is_mended()) {
        (false, false) => &[],
        (true, false) => &["truncated"],
        (false, true) => &["mended"],
        (true, true) => &["truncated", "mended"],
    }
}

/// Version 2: what an event has of its own behind the middle.
fn write_after_middle(index: usize, line: Line<'_>, out: &mut Vec<u8>) {
    write_number(index, out);
    out.extend_from_slice(br#""},"line":"#);
    line.write_json(out);
}

fn write_number(number: usize, out: &mut Vec<u8>) {
    // Memory cannot fail.
    write!(out, "{number}").ok();
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

/// A line's stable id: a function of namespace, activation and index only, so that a repeat overwrites its document, and equal lines do not.
pub fn id(namespace: &str, activation: ActivationId, index: u64) -> String {
    format!("{}{index}", id_but_number(namespace, activation))
}

fn id_but_number(namespace: &str, activation: ActivationId) -> String {
    format!("{:08x}-{activation}-", fnv1a(namespace.as_bytes()))
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
            .map(|(index, line)| {
                let mut event = Vec::new();
                assert!(Events::of(&record, Protocol::V2).write(index, line, &mut event));
                serde_json::from_slice(&event).unwrap()
            })
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
    fn a_time_that_does_not_exist_gives_way_to_the_end_of_the_run() {
        let odd = ["2023-02-31T00:00:00Z", "2023-11-14T23:59:60Z", "0000-01-01T00:00:00Z"];
        let lines = odd.map(|time| format!("{time} stdout: x"));
        for event in events("guest", &lines.each_ref().map(String::as_str)) {
            assert_eq!(event["@timestamp"], "1970-01-01T00:00:02.000Z", "{event}");
        }
    }

    #[test]
    fn a_line_without_a_time_gets_the_end_of_its_run_and_a_whole_second_a_fraction() {
        let events = events("guest", &["no prefix", "2023-11-14T22:13:20Z           stderr: x"]);
        assert_eq!(events[0]["@timestamp"], "1970-01-01T00:00:02.000Z");
        assert_eq!(events[1]["@timestamp"], "2023-11-14T22:13:20.000Z");
    }
}
