//! An activation's own document: how it ended, and how much it logged.

use super::Subject;
use super::ecs::{self, Members};
use super::form::{Form, Styled};
use super::id::OF_ACTIVATION;
use crate::openwhisk::record::{Line, Status};
use crate::time;
use std::io::Write;

/// Figures about an activation's log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Logs {
    /// Entries.
    pub lines: u64,
    /// Bytes of their texts.
    pub bytes: u64,
    /// The platform says that it has cut the log, or may lack some of it.
    pub is_incomplete: bool,
}

impl Logs {
    /// Takes in the next entry.
    pub fn add(&mut self, line: Line<'_>) {
        self.lines += 1;
        self.bytes += line.text().len() as u64;
        self.is_incomplete |= line.is_notice();
    }
}

/// The document, except for the figures about the log.
#[derive(Debug)]
pub(super) struct Summary {
    before: Vec<u8>,
    after: Vec<u8>,
}

/// The place for the number of lines. It is not a character of JSON.
const GAP: u8 = 0;

impl Summary {
    /// That of `subject`; `id` is that of its lines, but for their number.
    pub(super) fn new(subject: &Subject<'_>, form: &Form, style: &Styled, id: &str) -> Self {
        let mut all = write(subject, form, style, &format!("{id}{OF_ACTIVATION}"));
        let gap = all.iter().position(|byte| *byte == GAP).unwrap_or(all.len());
        let after = all.split_off(gap).into_iter().skip(1).collect();
        Self { before: all, after }
    }

    /// Writes it.
    pub(super) fn write(&self, logs: &Logs, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.before);
        // Memory cannot fail.
        write!(out, r#"{},"log_bytes":{}"#, logs.lines, logs.bytes).ok();
        if logs.is_incomplete {
            out.extend_from_slice(br#","log_incomplete":true"#);
        }
        out.extend_from_slice(&self.after);
    }
}

fn write(subject: &Subject<'_>, form: &Form, style: &Styled, id: &str) -> Vec<u8> {
    let end_ms = subject.end_ms.unwrap_or(subject.start_ms);
    let [mut out, middle, tail] = ecs::members(subject, form, ecs::ACTIVATION, ",\"log_lines\":\0");
    ecs::write_begin(&time::rfc3339(end_ms), ecs::ACTIVATION, id, &mut out);
    Members::within(&mut out).text("message", &message(subject));
    if let Some(error) = &subject.details.error {
        let mut members = Members::begin("error", &mut out);
        members.optional("message", error.message.as_deref());
        members.optional("type", error.kind.as_deref());
        members.end();
    }
    out.extend_from_slice(&middle);
    Members::within(&mut out).text("id", id);
    out.extend_from_slice(&tail);
    out.extend_from_slice(style.added().as_bytes());
    out.push(b'}');
    if let Some(first) = out.first_mut() {
        *first = b'{';
    }
    out
}

/// `shop/checkout: application error after 120 ms`.
fn message(subject: &Subject<'_>) -> String {
    let name = subject.full_name();
    if subject.details.is_trigger {
        return format!("{name}: fired");
    }
    let status = subject.details.status.map_or("unknown status", Status::name);
    match subject.end_ms {
        Some(end_ms) => format!("{name}: {status} after {} ms", end_ms.saturating_sub(subject.start_ms)),
        None => format!("{name}: {status}"),
    }
}
