//! Reads a record with faults, so that no line is lost because of them. This is slower than the strict way, which is tried first.

use super::entry::Entry;
use super::mend::mended;
use super::outline::{Outline, Part};
use super::{ActivationId, Annotation, Record, Summary, Text};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// In place of a namespace or a name that nobody tells; the API's own sign for "that of the key".
const NOBODY_KNOWS: &str = "_";

/// The members of a record that somebody wants, as they stand in its JSON: of several with one key the first.
#[derive(Debug, Default)]
pub(super) struct Members<'a> {
    activation_id: Option<&'a [u8]>,
    namespace: Option<&'a [u8]>,
    name: Option<&'a [u8]>,
    start: Option<&'a [u8]>,
    end: Option<&'a [u8]>,
    annotations: Option<&'a [u8]>,
    version: Option<&'a [u8]>,
    cause: Option<&'a [u8]>,
    response: Option<&'a [u8]>,
    status_code: Option<&'a [u8]>,
    logs: Vec<&'a [u8]>,
    is_complete: bool,
}

impl<'a> Members<'a> {
    /// Those of the object, up to the first place that is not JSON.
    pub(super) fn of(json: &'a [u8]) -> Self {
        let (mut outline, mut members, mut has_logs) = (Outline::default(), Self::default(), false);
        let fed = outline.feed(json, |key, part| {
            match part {
                Part::Logs => has_logs = true,
                Part::Entry { bytes, last: true } => members.logs.push(bytes),
                Part::Member { bytes, last: true } if key == b"logs" => {
                    members.logs.extend((!has_logs && bytes != b"null").then_some(bytes));
                    has_logs = true;
                }
                Part::Member { bytes, last: true } => {
                    if let Some(member) = members.named(key) {
                        member.get_or_insert(bytes);
                    }
                }
                Part::Entry { .. } | Part::Member { .. } => {}
            }
            true
        });
        members.is_complete = fed.and_then(|_| outline.finish()).is_ok();
        members
    }

    fn named(&mut self, key: &[u8]) -> Option<&mut Option<&'a [u8]>> {
        match key {
            b"activationId" => Some(&mut self.activation_id),
            b"namespace" => Some(&mut self.namespace),
            b"name" => Some(&mut self.name),
            b"start" => Some(&mut self.start),
            b"end" => Some(&mut self.end),
            b"annotations" => Some(&mut self.annotations),
            b"version" => Some(&mut self.version),
            b"cause" => Some(&mut self.cause),
            b"response" => Some(&mut self.response),
            b"statusCode" => Some(&mut self.status_code),
            _ => None,
        }
    }

    /// Its id, also of a record that is not complete.
    pub(super) fn id(&self) -> Option<ActivationId> {
        serde_json::from_slice(self.activation_id?).ok()
    }

    /// Id and start, without which a record has no place.
    pub(super) fn summary(&self) -> Option<Summary> {
        let start = milliseconds(self.start?).filter(|_| self.is_complete)?;
        Some(Summary { activation_id: self.id()?, start })
    }

    /// The record, if it has id and start.
    pub(super) fn record(self) -> Option<Record<'a>> {
        let Summary { activation_id, start } = self.summary()?;
        let annotations = self.annotations.map(annotations).unwrap_or_default();
        let end = self.end.filter(|end| *end != b"null");
        let mut record = Record {
            activation_id,
            namespace: self.namespace.and_then(text).unwrap_or(NOBODY_KNOWS.into()),
            name: NOBODY_KNOWS.into(),
            is_unnamed: false,
            start,
            // Of what has ended at a time that cannot be read the start is known.
            end: end.map(|end| milliseconds(end).unwrap_or(start)),
            annotations,
            logs: self.logs.into_iter().map(Entry::of).collect(),
            version: sound(self.version),
            cause: sound(self.cause),
            response: sound(self.response),
            status_code: sound(self.status_code),
        };
        match self.name.and_then(text).or_else(|| last_of_path(&record)) {
            Some(name) => record.name = name,
            None => record.is_unnamed = true,
        }
        Some(record)
    }
}

fn last_of_path(record: &Record<'_>) -> Option<Cow<'static, str>> {
    let path = record.annotation_text("path")?;
    path.rsplit('/').next().filter(|name| !name.is_empty()).map(|name| name.to_owned().into())
}

/// A value that is sound JSON.
fn sound(json: Option<&[u8]>) -> Option<&RawValue> {
    serde_json::from_slice(json?).ok()
}

/// A string, mended if it has to be.
fn text(json: &[u8]) -> Option<Cow<'_, str>> {
    let sound = serde_json::from_slice::<Text<'_>>(json).ok().map(|text| text.0);
    let text = sound.or_else(|| json.starts_with(b"\"").then(|| String::from(mended(json).0).into()));
    text.filter(|text| !text.is_empty())
}

/// A time as a whole number, as one with a fraction, or either as a string.
fn milliseconds(json: &[u8]) -> Option<u64> {
    /// No platform's clock gets to the year 10000.
    const MOST: f64 = 253_402_300_800_000.0;
    let number = std::str::from_utf8(json).ok()?.trim_matches('"');
    number.parse().ok().or_else(|| {
        let number = serde_json::from_slice::<Value>(number.as_bytes()).ok()?.as_f64()?;
        (0.0..MOST).contains(&number).then_some(number as u64)
    })
}

/// Those that have a key and a value.
fn annotations(json: &[u8]) -> Vec<Annotation<'_>> {
    let (mut outline, mut found) = (Outline::default(), Vec::new());
    let mut take = |part| {
        if let Part::Entry { bytes, last: true } = part {
            found.extend(serde_json::from_slice::<Annotation<'_>>(bytes));
        }
        true
    };
    // The outline cuts the array that it finds there. If it is none, there are no annotations.
    if outline.feed(b"{\"logs\":", |_, _| true).is_ok() {
        outline.feed(json, |_, part| take(part)).ok();
    }
    found
}
