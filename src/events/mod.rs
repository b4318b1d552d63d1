//! Events: the messages that a receiver gets for log lines. They are written straight into frames, in the shape of [`Form`].

mod ecs;
mod flat;
mod form;
mod heartbeat;
mod id;
mod lines;
mod shape_2017;
mod summary;

pub use crate::fields::{FIELDS, Field, of_loggers};
pub use form::{Form, Styled};
pub use heartbeat::Heartbeat;
use id::id_but_number;
pub use id::{id, id_of_activation};
pub use lines::{Document, Parsed, Reading, Redactor, Spared, Take, Treatment};
pub use summary::Logs;
use summary::Summary;

use crate::checkpoint::OwedRecord;
use crate::config::Shape;
use crate::lumberjack::{Common, LARGEST_EVENT, Protocol, write_pairs};
use crate::openwhisk::record::{ActivationId, Details, Line, Record, Status, Stream};
use crate::time;
use serde::Serialize;
use std::borrow::Cow;
use std::rc::Rc;

/// The events of one record's lines.
///
/// They differ only in time, number and line. Everything else is made ready once, so that an event takes half a dozen copies.
#[derive(Debug)]
pub struct Events {
    protocol: Protocol,
    shape: Shape,
    /// An id but for its last part, the number of the entry.
    id: String,
    /// The time of lines that have none: the end of the run.
    end: String,
    /// Version 2: what is before, between and behind the two parts that a line has of its own.
    common: Rc<Common>,
    /// Version 1: what follows what a line has of its own.
    pairs: Vec<(String, String)>,
    /// How the activation ended, if that is known.
    status: Option<Status>,
    /// What the activation's own document says, if it has one.
    summary: Option<Summary>,
}

/// What all events of a record say.
struct Subject<'r> {
    id: ActivationId,
    namespace: &'r str,
    /// Simple name of the action.
    name: &'r str,
    start_ms: u64,
    end_ms: Option<u64>,
    details: Cow<'r, Details>,
}

impl Subject<'_> {
    /// The action's package, if it is in one: the middle of `namespace/package/action`.
    fn package(&self) -> Option<&str> {
        let (_, rest) = self.details.path.as_deref()?.split_once('/')?;
        rest.rsplit_once('/').map(|(package, _)| package)
    }

    /// The action's name with its package.
    fn full_name(&self) -> String {
        self.package().map_or_else(|| self.name.to_string(), |package| format!("{package}/{}", self.name))
    }
}

/// What an event has of its own.
#[derive(Clone, Copy)]
struct Own<'l> {
    /// Place of its first entry in the record, from 0.
    index: usize,
    /// The time that the entry begins with, or names.
    time: Option<&'l str>,
    stream: Option<Stream>,
    /// The entry as it is.
    line: Line<'l>,
    /// What of it the event shows.
    text: Line<'l>,
    /// What it says as JSON.
    parsed: Option<&'l Parsed>,
}

impl Own<'_> {
    /// Whether it says otherwise what all events of the record say.
    fn replaces(&self) -> bool {
        self.parsed.is_some_and(|parsed| !parsed.replaced.is_empty())
    }
}

/// What the flags add, at most.
const FLAGS: usize = 64;

impl Events {
    /// The events of `record`.
    pub fn of(record: &Record<'_>, form: &Form) -> Self {
        let details = form.details(record).unwrap_or_default();
        let subject = Subject {
            id: record.activation_id,
            namespace: &record.namespace,
            name: &record.name,
            start_ms: record.start,
            end_ms: record.end,
            details: Cow::Owned(details),
        };
        Self::new(form, form.style_of(record), &subject)
    }

    /// The same of a record that is owed by itself.
    pub fn of_owed(record: &OwedRecord, form: &Form) -> Self {
        let subject = Subject {
            id: record.id,
            namespace: &record.namespace,
            name: &record.name,
            start_ms: record.start,
            end_ms: record.end,
            details: record.details.as_ref().map_or_else(Cow::default, Cow::Borrowed),
        };
        Self::new(form, form.style_of_owed(record), &subject)
    }

    fn new(form: &Form, style: &Styled, subject: &Subject<'_>) -> Self {
        let status = subject.details.status;
        let id = id_but_number(subject.namespace, subject.id);
        let added = style.added();
        let (common, pairs) = match (form.protocol(), form.shape()) {
            (Protocol::V1, Shape::Of2017 { package, .. }) => {
                let mut pairs = shape_2017::pairs(subject, package);
                pairs.extend(flat::pairs(&flat::object(added)));
                (Common::default(), pairs)
            }
            (Protocol::V1, Shape::Ecs { .. }) => {
                (Common::default(), flat::pairs(&ecs::Parts::object(subject, form, added)))
            }
            (Protocol::V2, Shape::Of2017 { package, .. }) => {
                (shape_2017::common(subject, package, &id, added), Vec::new())
            }
            (Protocol::V2, Shape::Ecs { .. }) => {
                let ecs::Parts { head, middle, tail } = ecs::Parts::new(subject, form, &id);
                let tail = [&tail, added.as_bytes(), b"}"].concat();
                (Common::new(&head, &middle, &tail), Vec::new())
            }
        };
        Self {
            protocol: form.protocol(),
            shape: form.shape(),
            end: time::rfc3339(subject.end_ms.unwrap_or(subject.start_ms)),
            common: Rc::new(common),
            pairs,
            status,
            summary: style.summarizes(status).then(|| Summary::new(subject, form, style, &id)),
            id,
        }
    }

    /// How the activation ended, if that is known.
    pub fn status(&self) -> Option<Status> {
        self.status
    }

    /// Whether the activation has a document of its own.
    pub fn has_summary(&self) -> bool {
        self.summary.is_some()
    }

    /// Writes the activation's own document, if it has one, as payload of a frame.
    pub fn write_summary(&self, logs: &Logs, out: &mut Vec<u8>) {
        let Some(summary) = &self.summary else { return };
        let mut nested = Vec::new();
        summary.write(logs, &mut nested);
        flat::write_nested(&nested, &format!("{}{}", self.id, id::OF_ACTIVATION), self.protocol, out);
    }

    /// The part that all of them have in common.
    pub fn common(&self) -> &Rc<Common> {
        &self.common
    }

    /// Writes the event's own part for `document`, and returns how much of it comes before the middle of the common part. `None` if there
    /// is no such thing: in version 1, if it would be too large, if something was cut or it has flags behind all else, and if it says otherwise
    /// what is common.
    pub fn write_own(&self, document: Document<'_>, out: &mut Vec<u8>) -> Option<usize> {
        let own = self.own(document);
        let is_special = own.text.is_cut() || self.has_flags_last(&own) || own.replaces();
        if self.protocol == Protocol::V1 || is_special {
            return None;
        }
        let begin = out.len();
        self.write_first(&own, out);
        let split = out.len() - begin;
        self.write_second(&own, out);
        (out.len() - begin + self.common.len() <= LARGEST_EVENT).then_some(split)
    }

    /// Writes the event for `document` as payload of a frame. Returns whether the event is whole: a line that does not fit is cut, and the
    /// event says so.
    pub fn write(&self, document: Document<'_>, out: &mut Vec<u8>) -> bool {
        self.write_within(LARGEST_EVENT, document, out)
    }

    /// Like [`write`](Self::write) with another limit: at most `most` bytes, if the other fields leave room for the line.
    pub fn write_within(&self, most: usize, document: Document<'_>, out: &mut Vec<u8>) -> bool {
        let begin = out.len();
        let own = self.own(document);
        self.write_one(&own, out);
        let bytes = out.len() - begin;
        if bytes <= most {
            return !own.text.is_cut();
        }
        out.truncate(begin);
        let text = own.text.text();
        let room = most.saturating_sub(bytes - self.bytes_of(own.text) + FLAGS);
        let cut = prefix(&text, room, |c| self.width(c));
        self.write_one(&Own { text: own.text.cut_to(cut), ..own }, out);
        false
    }

    fn own<'l>(&self, Document { first, line, parsed, .. }: Document<'l>) -> Own<'l> {
        let time = line.time();
        let (stream, text) = match self.shape {
            Shape::Of2017 { .. } => (None, line),
            Shape::Ecs { .. } => line.behind(time),
        };
        let own = Own { index: first, time, stream, line, text, parsed };
        match parsed {
            None => own,
            Some(parsed) => {
                let message = &parsed.message;
                let text = if parsed.is_cut { text.cut_to(message) } else { text.with_text(message) };
                Own { time: parsed.time.as_deref().or(time), text, ..own }
            }
        }
    }

    fn write_one(&self, own: &Own<'_>, out: &mut Vec<u8>) {
        if self.protocol == Protocol::V1 {
            return self.write_flat(own, out);
        }
        if let Some(parsed) = own.parsed.filter(|_| own.replaces()) {
            let mut nested = Vec::new();
            self.write_one(&Own { parsed: Some(&parsed.without_replaced()), ..*own }, &mut nested);
            return flat::replace(&nested, &parsed.replaced, out);
        }
        out.extend_from_slice(self.common.head());
        self.write_first(own, out);
        out.extend_from_slice(self.common.middle());
        self.write_second(own, out);
        out.extend_from_slice(self.common.tail());
        if self.has_flags_last(own) {
            // Filebeat marks lines that it has cut in this way.
            out.pop();
            out.extend_from_slice(br#","log":{"flags":[""#);
            out.extend_from_slice(flags(own.text).join(r#"",""#).as_bytes());
            out.extend_from_slice(br#""]}}"#);
        }
    }

    /// Version 2: what an event has of its own before the middle.
    fn write_first(&self, own: &Own<'_>, out: &mut Vec<u8>) {
        let at = self.timestamp(own);
        match self.shape {
            Shape::Of2017 { .. } => out.extend_from_slice(at.as_bytes()),
            Shape::Ecs { .. } => ecs::write_first(own, &at, out),
        }
    }

    /// And behind it.
    fn write_second(&self, own: &Own<'_>, out: &mut Vec<u8>) {
        match self.shape {
            Shape::Of2017 { sequence, .. } => shape_2017::write_own(own, sequence, out),
            Shape::Ecs { original } => ecs::write_second(own, original, out),
        }
    }

    fn write_flat(&self, own: &Own<'_>, out: &mut Vec<u8>) {
        let (flags, text) = (flags(own.text).join(","), own.text.text());
        let (id, index) = (format!("{}{}", self.id, own.index), own.index.to_string());
        let timestamp = self.timestamp(own);
        let said = own.parsed.map(Parsed::pairs).unwrap_or_default();
        let mut pairs: Vec<(&str, &str)> = match self.shape {
            Shape::Of2017 { .. } => vec![("line", &text)],
            Shape::Ecs { .. } => vec![("@timestamp", &timestamp), ("message", &text)],
        };
        let is_replaced = |key: &String| said.iter().any(|(said, _)| said == key);
        pairs.extend(
            self.pairs
                .iter()
                .filter(|(key, _)| !is_replaced(key))
                .map(|(key, value)| (key.as_str(), value.as_str())),
        );
        pairs.extend(said.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        match self.shape {
            Shape::Of2017 { sequence, .. } => {
                pairs.push(("id", &id));
                pairs.extend(sequence.then_some(("sequence", index.as_str())));
            }
            Shape::Ecs { .. } => {
                pairs.extend([("id", id.as_str()), ("event.id", &id), ("event.sequence", &index)]);
                pairs.extend(own.stream.map(|stream| ("log.iostream", stream.name())));
            }
        }
        pairs.extend((!flags.is_empty()).then_some(("log.flags", &*flags)));
        write_pairs(out, &pairs);
    }

    /// Whether flags stand behind all that events have in common: the shape of 2017 has no place for them.
    fn has_flags_last(&self, own: &Own<'_>) -> bool {
        matches!(self.shape, Shape::Of2017 { .. }) && !flags(own.text).is_empty()
    }

    /// The line's own time; the end of the run for entries that have none.
    fn timestamp<'l>(&'l self, own: &Own<'l>) -> Cow<'l, str> {
        match own.time {
            // Some receivers want a fraction (docs/facts/lumberjack.md 4, row FD).
            Some(whole_seconds) if !whole_seconds.contains('.') => {
                Cow::Owned(format!("{}.000Z", whole_seconds.trim_end_matches('Z')))
            }
            Some(time) => Cow::Borrowed(time),
            None => Cow::Borrowed(&self.end),
        }
    }

    /// Bytes that a text takes in an event.
    fn bytes_of(&self, text: Line<'_>) -> usize {
        if self.protocol == Protocol::V1 {
            return text.text().len();
        }
        let mut json = Vec::new();
        text.write_json(&mut json);
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

fn write_number(number: impl Serialize, out: &mut Vec<u8>) {
    // Neither a number nor memory can fail.
    serde_json::to_writer(out, &number).ok();
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

#[cfg(test)]
mod tests;
