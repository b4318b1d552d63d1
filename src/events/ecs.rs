//! The shape of the Elastic Common Schema, version 8.11 (docs/facts/lumberjack.md 5).

use super::form::Form;
use super::{Own, Subject, flags, flat, write_number};
use crate::config::Namespace;
use crate::openwhisk::record::{Details, Status, Stream, write_json_string};
use crate::time;

/// Version of the schema.
const VERSION: &str = "8.11.0";

/// What all documents of a record say, in the order that takes the fewest bytes behind deflate (docs/decisions/sending.md, SEND-12): a match has 258
/// bytes at most, so each of three long parts stands between two values that differ from line to line.
pub(super) struct Parts {
    /// Up to the number in the document's id.
    pub(super) head: Vec<u8>,
    /// From behind the message up to the number in the event's id.
    pub(super) middle: Vec<u8>,
    /// Behind the sequence.
    pub(super) tail: Vec<u8>,
}

impl Parts {
    /// `id` is that of the lines, but for their number.
    pub(super) fn new(subject: &Subject<'_>, form: &Form, id: &str) -> Self {
        let [mut head, middle, tail] = members(subject, form, LOG, "");
        metadata(LOG, id, &mut head);
        let middle = [&middle, &br#","id":""#[..], id.as_bytes()].concat();
        if let Some(first) = head.first_mut() {
            *first = b'{';
        }
        Self { head, middle, tail }
    }

    /// The same as one object, without what names a line.
    pub(super) fn object(subject: &Subject<'_>, form: &Form, added: &str) -> String {
        let all = [members(subject, form, LOG, "").concat().as_slice(), added.as_bytes()].concat();
        flat::object(&String::from_utf8_lossy(&all))
    }
}

/// The members of a document of that dataset: those before its id, those between its message and the id of its event, and the others. `more` are
/// further ones of `openwhisk`. Each has a comma before it.
pub(super) fn members(subject: &Subject<'_>, form: &Form, dataset: &str, more: &str) -> [Vec<u8>; 3] {
    let [mut head, mut middle, mut tail] = [(); 3].map(|()| Vec::with_capacity(PART));
    write_data_stream(dataset, form.namespace(), &mut head);
    write_openwhisk(subject, more, &mut head);
    write_agent(form.agent(), &mut head);
    write_faas(subject, &mut middle);
    write_event(subject, form, dataset, &mut Members::begin("event", &mut middle));
    tail.push(b'}');
    write_origin(subject, &mut tail);
    write_version(&mut tail);
    [head, middle, tail]
}

/// Writes the first part that differs from line to line: from the number in the id on, up to the message and what belongs to it.
pub(super) fn write_first(own: &Own<'_>, at: &str, out: &mut Vec<u8>) {
    write_number(own.index, out);
    out.extend_from_slice(br#""},"@timestamp":""#);
    out.extend_from_slice(at.as_bytes());
    out.extend_from_slice(br#"","message":"#);
    own.text.write_json(out);
    let flags = flags(own.text);
    let said = own.parsed;
    if own.stream.is_some() || !flags.is_empty() || said.is_some() {
        let mut log = Members::begin("log", out);
        log.optional("iostream", own.stream.map(Stream::name));
        if let Some(said) = said {
            log.optional("level", said.level.as_deref());
            log.members(&said.log);
        }
        if !flags.is_empty() {
            log.raw("flags", &format!(r#"["{}"]"#, flags.join(r#"",""#)));
        }
        log.end();
    }
    out.extend_from_slice(said.map_or("", |said| &said.members).as_bytes());
}

/// Writes the second part: from the number in the event's id on.
pub(super) fn write_second(own: &Own<'_>, original: bool, out: &mut Vec<u8>) {
    write_number(own.index, out);
    out.extend_from_slice(br#"","sequence":"#);
    write_number(own.index, out);
    if original {
        out.extend_from_slice(br#","original":"#);
        own.line.write_json(out);
    }
    out.extend_from_slice(own.parsed.map_or("", |said| &said.event).as_bytes());
}

/// Most parts have fewer bytes.
const PART: usize = 640;

/// Dataset of lines.
const LOG: &str = "openwhisk.log";
/// Dataset of activations.
pub(super) const ACTIVATION: &str = "openwhisk.activation";
/// Dataset of the forwarder's runs.
pub(super) const FORWARDER: &str = "openwhisk.forwarder";

/// Members of `event` that are of the activation.
pub(super) fn write_event(subject: &Subject<'_>, form: &Form, dataset: &str, event: &mut Members<'_>) {
    event.text("kind", "event");
    event.text("module", "openwhisk");
    event.text("dataset", dataset);
    event.text("outcome", outcome(subject.details.status));
    event.text("created", form.created());
    let took_ms = subject.end_ms.map(|end_ms| end_ms.saturating_sub(subject.start_ms));
    event.number("duration", took_ms.map(|ms| ms.saturating_mul(1_000_000)));
    event.text("start", &time::rfc3339(subject.start_ms));
    event.optional("end", subject.end_ms.map(time::rfc3339).as_deref());
}

/// Writes what runs, and this run of it.
fn write_faas(subject: &Subject<'_>, out: &mut Vec<u8>) {
    let Details { path, version, cause, init_ms, .. } = &*subject.details;
    let mut faas = Members::begin("faas", out);
    faas.text("name", subject.name);
    faas.optional("id", path.as_ref().map(|path| format!("/{path}")).as_deref());
    faas.optional("version", version.as_deref());
    if path.is_some() {
        faas.raw("coldstart", if init_ms.is_some() { "true" } else { "false" });
    }
    if let Some(cause) = cause {
        faas.raw("trigger", &format!(r#"{{"type":"other","request_id":"{cause}"}}"#));
    }
    faas.text("execution", &subject.id.to_string());
    faas.end();
}

/// Writes where it runs.
fn write_origin(subject: &Subject<'_>, out: &mut Vec<u8>) {
    let full_name = subject.full_name();
    let mut orchestrator = Members::begin("orchestrator", out);
    orchestrator.text("type", "openwhisk");
    orchestrator.text("namespace", subject.namespace);
    let mut resource = orchestrator.group("resource");
    resource.text("type", if subject.details.is_trigger { "trigger" } else { "action" });
    resource.text("name", &full_name);
    resource.end();
    orchestrator.end();

    let mut service = Members::begin("service", out);
    service.text("name", &full_name);
    service.end();
}

/// Writes what only OpenWhisk has; `more` are further members, each with a comma before it.
fn write_openwhisk(subject: &Subject<'_>, more: &str, out: &mut Vec<u8>) {
    let Details {
        path, binding, kind, caused_by, status, wait_ms, init_ms, limits, timed_out, causes, ..
    } = &*subject.details;
    let mut openwhisk = Members::begin("openwhisk", out);
    openwhisk.optional("package", subject.package());
    openwhisk.optional("path", path.as_deref());
    openwhisk.optional("binding", binding.as_deref());
    openwhisk.optional("kind", kind.as_deref());
    openwhisk.optional("status", status.map(Status::name));
    openwhisk.number("status_code", status.map(|status| u64::from(status.code())));
    openwhisk.number("memory_mb", limits.and_then(|limits| limits.memory));
    openwhisk.number("timeout_ms", limits.and_then(|limits| limits.timeout));
    if *timed_out == Some(true) {
        openwhisk.raw("timed_out", "true");
    }
    openwhisk.optional("caused_by", caused_by.as_deref());
    if !causes.is_empty() {
        let ids: Vec<String> = causes.iter().map(|id| format!("\"{id}\"")).collect();
        openwhisk.raw("causes", &format!("[{}]", ids.join(",")));
    }
    openwhisk.number("init_time_ms", *init_ms);
    openwhisk.number("wait_time_ms", *wait_ms);
    openwhisk.members(more);
    openwhisk.end();
}

/// The data stream that documents of that dataset go to.
pub(super) fn write_data_stream(dataset: &str, namespace: &Namespace, out: &mut Vec<u8>) {
    let mut stream = Members::begin("data_stream", out);
    stream.text("type", "logs");
    stream.text("dataset", dataset);
    stream.text("namespace", namespace.as_str());
    stream.end();
}

/// Writes the begin of `@metadata`, up to the id, of which more may follow.
pub(super) fn metadata(dataset: &str, id: &str, out: &mut Vec<u8>) {
    const BEAT: &str = env!("CARGO_PKG_NAME");
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    let begin =
        format!(r#","@metadata":{{"beat":"{BEAT}","version":"{VERSION}","dataset":"{dataset}","_id":"{id}"#);
    out.extend_from_slice(begin.as_bytes());
}

/// Writes the id and the time of a document that is not that of a line.
pub(super) fn write_begin(at: &str, dataset: &str, id: &str, out: &mut Vec<u8>) {
    metadata(dataset, id, out);
    out.extend_from_slice(b"\"}");
    Members::within(out).text("@timestamp", at);
}

/// Writes who made the document.
pub(super) fn write_agent(name: &str, out: &mut Vec<u8>) {
    let mut agent = Members::begin("agent", out);
    agent.text("type", env!("CARGO_PKG_NAME"));
    agent.text("version", env!("CARGO_PKG_VERSION"));
    agent.text("name", name);
    agent.end();
}

/// Writes the version of the schema.
pub(super) fn write_version(out: &mut Vec<u8>) {
    let mut ecs = Members::begin("ecs", out);
    ecs.text("version", VERSION);
    ecs.end();
}

pub(super) fn outcome(status: Option<Status>) -> &'static str {
    match status {
        None => "unknown",
        Some(Status::Success) => "success",
        Some(_) => "failure",
    }
}

/// Writes the members of an object.
pub(super) struct Members<'o> {
    out: &'o mut Vec<u8>,
    begin: usize,
    is_first: bool,
}

impl<'o> Members<'o> {
    /// Those of an object that is itself a member, after others; none if it stays empty.
    pub(super) fn begin(name: &str, out: &'o mut Vec<u8>) -> Self {
        let begin = out.len();
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":{");
        Self { out, begin, is_first: true }
    }

    /// More of those of an object that has some.
    pub(super) fn within(out: &'o mut Vec<u8>) -> Self {
        Self { begin: out.len(), out, is_first: false }
    }

    fn group(&mut self, name: &str) -> Members<'_> {
        self.is_first = false;
        Members::begin(name, self.out)
    }

    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(if self.is_first { b"\"" } else { b",\"" });
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.is_first = false;
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        write_json_string(text, self.out);
    }

    pub(super) fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    pub(super) fn number(&mut self, name: &str, number: Option<u64>) {
        if let Some(number) = number {
            self.name(name);
            write_number(number, self.out);
        }
    }

    pub(super) fn raw(&mut self, name: &str, json: &str) {
        self.name(name);
        self.out.extend_from_slice(json.as_bytes());
    }

    /// Takes over members that are written already, each with a comma before it.
    pub(super) fn members(&mut self, members: &str) {
        let members = if self.is_first { members.strip_prefix(',').unwrap_or(members) } else { members };
        self.is_first &= members.is_empty();
        self.out.extend_from_slice(members.as_bytes());
    }

    pub(super) fn end(self) {
        if self.is_first {
            self.out.truncate(self.begin);
        } else {
            self.out.push(b'}');
        }
    }
}
