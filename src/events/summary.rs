//! An activation's own document: how it ended, and how much it logged.

use super::Subject;
use super::ecs::{self, Members};
use super::form::Form;
use crate::openwhisk::record::{Line, Status};
use crate::time;

/// In place of a line's number, in the document's id.
pub(super) const NUMBER: &str = "activation";

/// What was seen of an activation's log.
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

/// Writes it. `id` is that of lines, but for their number.
pub(super) fn write(subject: &Subject<'_>, form: &Form, id: &str, logs: &Logs, out: &mut Vec<u8>) {
    let end_ms = subject.end_ms.unwrap_or(subject.start_ms);
    let id = format!("{id}{NUMBER}");
    let begin = out.len();
    let mut own = Members::within(out);
    own.text("@timestamp", &time::rfc3339(end_ms));
    own.raw(
        "@metadata",
        &format!(
            r#"{{"beat":"{}","version":"{}","_id":"{id}","dataset":"{}"}}"#,
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            ecs::ACTIVATION
        ),
    );
    own.text("message", &message(subject));
    if let Some(error) = &subject.details.error {
        let mut members = Members::begin("error", out);
        members.text("message", &error.message);
        members.optional("type", error.kind.as_deref());
        members.end();
    }
    let mut event = Members::begin("event", out);
    event.text("id", &id);
    ecs::write_event(subject, form, ecs::ACTIVATION, &mut event);
    event.end();
    let incomplete = if logs.is_incomplete { r#","log_incomplete":true"# } else { "" };
    let more = format!(r#","log_lines":{},"log_bytes":{}{incomplete}"#, logs.lines, logs.bytes);
    ecs::write_activation(subject, form, ecs::ACTIVATION, &more, out);
    out.extend_from_slice(form.added().as_bytes());
    out.push(b'}');
    if let Some(first) = out.get_mut(begin) {
        *first = b'{';
    }
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
