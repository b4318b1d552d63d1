//! Lines that are JSON objects, as structured loggers print them, read into fields of the Elastic Common Schema.
//!
//! A field must have one type in all documents of an index. So only fields whose type the schema defines keep their names, if the value has
//! that type. Everything else becomes a text of `labels` or a number of `numeric_labels`, flat, as with Elastic's own agents.

mod tree;

use self::tree::Tree;
use super::redact::Redactor;
use crate::config::{Json, is_stream_name};
use crate::events::flat;
use crate::openwhisk::record::write_json_string;
use crate::sorted;
use crate::time;
use serde_json::{Map, Number, Value};
use whiskjack_settings::text;

/// Longest line that is read, in bytes.
const LARGEST: usize = 256 << 10;
/// Most members, those of inner objects included.
const MOST_MEMBERS: usize = 256;
/// Objects within objects.
const DEEPEST: usize = 16;
/// Longest text of a label, in bytes: receivers refuse longer ones as keywords.
const LONGEST_LABEL: usize = 8 << 10;

/// Longest name of a label, in bytes. With its value it is one word in some indices, which refuse a word of more than 32766 bytes.
const LONGEST_NAME: usize = 256;

/// Fields of the schema that loggers write, and whose values are texts.
pub(in crate::events) const TEXTS: [&str; 31] = [
    "client.ip",
    "error.code",
    "error.id",
    "error.message",
    "error.stack_trace",
    "error.type",
    "event.action",
    "event.code",
    "event.reason",
    "http.request.id",
    "http.request.method",
    "http.version",
    "log.logger",
    "log.origin.file.name",
    "log.origin.function",
    "process.name",
    "process.thread.name",
    "source.ip",
    "span.id",
    "trace.id",
    "transaction.id",
    "url.domain",
    "url.full",
    "url.original",
    "url.path",
    "url.query",
    "user.email",
    "user.id",
    "user.name",
    "user_agent.original",
    "url.scheme",
];

/// Those whose values are whole numbers.
pub(in crate::events) const NUMBERS: [&str; 7] = [
    "http.request.body.bytes",
    "http.response.body.bytes",
    "http.response.status_code",
    "log.origin.file.line",
    "process.pid",
    "process.thread.id",
    "url.port",
];

/// The forwarder's own fields that a logger may replace.
pub(in crate::events) const REPLACEABLE: [&str; 8] = [
    "data_stream.dataset",
    "data_stream.namespace",
    "event.dataset",
    "service.environment",
    "service.id",
    "service.name",
    "service.node.name",
    "service.version",
];

/// The usual loggers' names for fields of the schema, compared without regard to case.
const OTHER_NAMES: [(&str, &str); 22] = [
    ("level", "log.level"),
    ("severity", "log.level"),
    ("levelname", "log.level"),
    ("lvl", "log.level"),
    ("loglevel", "log.level"),
    ("logger", "log.logger"),
    ("logger_name", "log.logger"),
    ("loggername", "log.logger"),
    ("thread_name", "process.thread.name"),
    ("thread", "process.thread.name"),
    ("pid", "process.pid"),
    ("stack", "error.stack_trace"),
    ("stack_trace", "error.stack_trace"),
    ("stacktrace", "error.stack_trace"),
    ("exc_info", "error.stack_trace"),
    ("trace_id", "trace.id"),
    ("span_id", "span.id"),
    ("error", "error.message"),
    ("err", "error.message"),
    // Where slog says that a line was printed.
    ("source.file", "log.origin.file.name"),
    ("source.function", "log.origin.function"),
    ("source.line", "log.origin.file.line"),
];

/// Members of the objects `err` and `error`, as pino and others write them.
const OF_ERROR: [(&str, &str); 3] =
    [("type", "error.type"), ("message", "error.message"), ("stack", "error.stack_trace")];

/// The contents of a line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// The message; the line itself, if it has none.
    pub(in crate::events) message: String,
    /// Its own time, RFC 3339 in UTC.
    pub(in crate::events) time: Option<String>,
    /// `debug`, `info`, `warn`, `error` and the like.
    pub(in crate::events) level: Option<String>,
    /// Members of `log`, each with a comma before it.
    pub(in crate::events) log: String,
    /// Members of `event`, each with a comma before it.
    pub(in crate::events) event: String,
    /// Other members of the document, each with a comma before it.
    pub(in crate::events) members: String,
    /// Fields that take the place of the forwarder's own, by their paths.
    pub(in crate::events) replaced: Vec<(String, String)>,
}

impl Parsed {
    /// Reads `text`, if it is an object. Secrets are made unreadable.
    pub(super) fn of(text: &str, json: &Json, redactor: &Redactor) -> Option<Self> {
        let trimmed = text.trim();
        if !trimmed.starts_with('{') {
            return None;
        }
        let read = if trimmed.len() > LARGEST {
            Err(format!("it has more than {LARGEST} bytes"))
        } else {
            read(trimmed)
        };
        match read {
            Ok(object) => Some(Fields::of(object, json, redactor).parsed(text, json, redactor)),
            Err(reason) if json.add_error_key => {
                let mut members = Vec::from(br#","error":{"type":"json","message":"#.as_slice());
                write_json_string(&format!("the line is not read as JSON: {reason}"), &mut members);
                members.push(b'}');
                let message = redactor.redact(text).unwrap_or_else(|| text.into());
                Some(Self { message, members: text_of(members), ..Self::default() })
            }
            Err(_) => None,
        }
    }
}

impl Parsed {
    /// The same without fields that replace the forwarder's own.
    pub(in crate::events) fn without_replaced(&self) -> Self {
        Self { replaced: Vec::new(), ..self.clone() }
    }

    /// For version 1: all but message and time, as pairs of texts.
    pub(in crate::events) fn pairs(&self) -> Vec<(String, String)> {
        let Self { level, log, event, members, replaced, .. } = self;
        let group = |name: &str, members: &str| match members.strip_prefix(',') {
            Some(members) => format!(",\"{name}\":{{{members}}}"),
            None => String::new(),
        };
        let object = [&group("log", log), &group("event", event), members].map(String::as_str).concat();
        let mut pairs = flat::pairs(&flat::object(&object));
        pairs.extend(level.iter().map(|level| ("log.level".to_owned(), level.clone())));
        pairs.extend(replaced.iter().cloned());
        pairs
    }
}

fn read(text: &str) -> Result<Map<String, Value>, String> {
    let object: Map<String, Value> = serde_json::from_slice(text.as_bytes())
        .map_err(|error| format!("column {} is not JSON", error.column()))?;
    let mut members = 0;
    if !is_within(&object, 1, &mut members) {
        return Err(format!(
            "it has more than {MOST_MEMBERS} members, or more than {DEEPEST} objects in each other"
        ));
    }
    Ok(object)
}

fn is_within(object: &Map<String, Value>, depth: usize, members: &mut usize) -> bool {
    *members += object.len();
    *members <= MOST_MEMBERS
        && depth <= DEEPEST
        && object
            .values()
            .all(|value| value.as_object().is_none_or(|inner| is_within(inner, depth + 1, members)))
}

/// The members of a line, each in its place.
#[derive(Default)]
struct Fields {
    message: Option<String>,
    time: Option<String>,
    level: Option<String>,
    /// Fields of the schema by their paths, as JSON.
    known: sorted::Map<String, String>,
    labels: sorted::Map<String, String>,
    numeric_labels: sorted::Map<String, String>,
    replaced: Vec<(String, String)>,
}

/// A value without inner objects.
enum Leaf {
    Text(String),
    Number(Number),
}

impl Fields {
    fn of(object: Map<String, Value>, json: &Json, redactor: &Redactor) -> Self {
        let mut fields = Self::default();
        fields.take("", object, json, redactor);
        fields
    }

    fn take(&mut self, prefix: &str, object: Map<String, Value>, json: &Json, redactor: &Redactor) {
        for (name, value) in object {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            let leaf = match (redactor.hides(&name), value) {
                (_, Value::Null) => continue,
                (Some(hidden), _) => Leaf::Text(hidden.into()),
                (None, Value::Object(inner)) => {
                    self.take(&path, inner, json, redactor);
                    continue;
                }
                (None, Value::Number(number)) => match redactor.redact(&number.to_string()) {
                    Some(clean) => Leaf::Text(clean),
                    None => Leaf::Number(number),
                },
                (None, Value::String(text)) => Leaf::Text(redactor.redact(&text).unwrap_or(text)),
                (None, Value::Bool(is)) => Leaf::Text(is.to_string()),
                (None, list) => Leaf::Text(text::json(&clean(list, redactor))),
            };
            self.put(&path, leaf, json, name.contains('.'));
        }
    }

    fn put(&mut self, path: &str, leaf: Leaf, json: &Json, has_dots: bool) {
        let is_expanded = json.expand_keys || !has_dots;
        let is_message = match &json.message_key {
            Some(key) => path == key,
            None => path == "message" || path == "msg",
        };
        if is_message && self.message.is_none() {
            self.message = Some(leaf.text());
            return;
        }
        let known = if is_expanded { known_as(path) } else { path };
        match (known, &leaf) {
            ("ecs.version", _) => return,
            ("@timestamp", Leaf::Text(text)) if self.time.is_none() => {
                if let Some(time) = in_utc(text) {
                    self.time = Some(time);
                    return;
                }
            }
            ("log.level", leaf) if self.level.is_none() => {
                self.level = level(leaf);
                if self.level.is_some() {
                    return;
                }
            }
            (known, Leaf::Text(text))
                if is_expanded && json.overwrite_keys && is_replaceable(known, text) =>
            {
                self.replaced.push((known.into(), text.clone()));
                return;
            }
            (known, leaf) if is_expanded && !self.known.contains_key(known) => {
                if let Some(json) = leaf.of_schema(known) {
                    self.known.insert(known.into(), json);
                    return;
                }
            }
            _ => {}
        }
        self.label(path, leaf);
    }

    /// A member without a field of its own.
    fn label(&mut self, path: &str, leaf: Leaf) {
        let path = path.trim_start_matches("labels.");
        let mut name = beginning(path, LONGEST_NAME).replace(['.', '*', '"'], "_");
        // Indices refuse a field without a name.
        if name.trim().is_empty() {
            name = "_".into();
        }
        let labels =
            if matches!(leaf, Leaf::Number(_)) { &mut self.numeric_labels } else { &mut self.labels };
        while labels.contains_key(&name) {
            name.push('_');
        }
        labels.insert(name, leaf.json(LONGEST_LABEL));
    }

    fn parsed(self, text: &str, json: &Json, redactor: &Redactor) -> Parsed {
        let Self { message, time, level, known, labels, numeric_labels, replaced } = self;
        let mut tree = Tree::default();
        known.into_iter().for_each(|(path, json)| tree.insert(&path, json));
        let mut of_group = |name: &str| tree.take_members(name);
        let (log, event) = (of_group("log"), of_group("event"));
        let mut members = tree.members();
        let [texts, numbers] = match &json.target {
            None => ["labels".to_owned(), "numeric_labels".to_owned()],
            Some(target) => [format!("{target}.labels"), format!("{target}.numeric_labels")],
        };
        let mut rest = Tree::default();
        for (group, entries) in [(texts, labels), (numbers, numeric_labels)] {
            if !entries.is_empty() {
                let mut object = Tree::default();
                entries.into_iter().for_each(|(name, json)| {
                    object.put(name, json);
                });
                rest.insert(&group, object.object());
            }
        }
        members.push_str(&rest.members());
        // What has no message is shown as it is.
        let message = message.unwrap_or_else(|| redactor.redact(text).unwrap_or_else(|| text.into()));
        Parsed { message, time, level, log, event, members, replaced }
    }
}

/// A list and what is in it, without secrets.
fn clean(value: Value, redactor: &Redactor) -> Value {
    match value {
        Value::String(text) => redactor.redact(&text).unwrap_or(text).into(),
        Value::Number(number) => {
            redactor.redact(&number.to_string()).map_or(Value::Number(number), Into::into)
        }
        Value::Array(items) => items.into_iter().map(|item| clean(item, redactor)).collect(),
        Value::Object(mut members) => {
            for (name, value) in &mut members {
                *value = match redactor.hides(name) {
                    Some(hidden) => hidden.into(),
                    None => clean(value.take(), redactor),
                };
            }
            Value::Object(members)
        }
        other => other,
    }
}

impl Leaf {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }

    /// As JSON, if the schema's field of that name takes it.
    fn of_schema(&self, name: &str) -> Option<String> {
        if TEXTS.contains(&name) {
            return Some(match self {
                Self::Text(text) => quoted(text),
                Self::Number(number) => quoted(&number.to_string()),
            });
        }
        match self {
            // No more than the `long` of an index holds.
            Self::Number(number) if NUMBERS.contains(&name) && number.as_i64().is_some_and(|n| n >= 0) => {
                Some(number.to_string())
            }
            _ => None,
        }
    }

    fn json(self, longest: usize) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => quoted(beginning(&text, longest)),
        }
    }
}

/// At most so many bytes of a text, and no part of a character.
fn beginning(text: &str, longest: usize) -> &str {
    text.get(..text.floor_char_boundary(longest)).unwrap_or(text)
}

/// The name of the schema for one that a logger has.
fn known_as(path: &str) -> &str {
    if let Some((group, member)) = path.split_once('.')
        && matches!(group, "err" | "error" | "exception")
    {
        let known = OF_ERROR.iter().find(|(name, _)| *name == member);
        return known.map_or(path, |(_, known)| *known);
    }
    let known = OTHER_NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(path));
    known.map_or(path, |(_, known)| *known)
}

/// A level in small letters. pino and bunyan write numbers.
fn level(leaf: &Leaf) -> Option<String> {
    match leaf {
        Leaf::Text(text) if !text.is_empty() && text.len() <= 32 => Some(text.to_ascii_lowercase()),
        Leaf::Text(_) => None,
        Leaf::Number(number) => {
            let names =
                [(10, "trace"), (20, "debug"), (30, "info"), (40, "warn"), (50, "error"), (60, "fatal")];
            names.iter().find(|(level, _)| number.as_u64() == Some(*level)).map(|(_, name)| (*name).into())
        }
    }
}

/// A time as documents have it, if it is one.
fn in_utc(text: &str) -> Option<String> {
    if time::is_rfc3339_utc(text) && text.contains('.') {
        return Some(text.into());
    }
    time::epoch_ms(text).map(time::rfc3339)
}

/// Whether the forwarder's own field of that name may say this instead.
fn is_replaceable(name: &str, text: &str) -> bool {
    REPLACEABLE.contains(&name) && (!name.starts_with("data_stream.") || is_stream_name(text))
}

fn quoted(text: &str) -> String {
    let mut json = Vec::new();
    write_json_string(text, &mut json);
    text_of(json)
}

fn text_of(json: Vec<u8>) -> String {
    String::from_utf8(json).unwrap_or_default()
}
