//! Lines that are JSON objects, as structured loggers print them, read into fields of the Elastic Common Schema.
//!
//! A field must have one type in all documents of an index. So only fields whose type the schema defines keep their names, if the value has
//! that type. Everything else becomes a text of `labels` or a number of `numeric_labels`, flat, as with Elastic's own agents.

mod leaf;
mod read;
mod tree;

use self::leaf::{Leaf, beginning, in_utc, level};
use self::read::read;
use self::tree::Tree;
use super::redact::Redactor;
use crate::config::{Json, is_stream_name};
use crate::events::flat;
use crate::fields::{MESSAGES, REPLACEABLE, known_as};
use crate::openwhisk::record::write_json_string;
use crate::sorted;
use serde_json::{Map, Value};
use std::iter;
use whiskjack_settings::text;

/// Longest text of a label or another keyword, in bytes: receivers refuse longer ones.
const LONGEST_KEYWORD: usize = 8 << 10;

/// Longest name of a label, in bytes. With its value it is one word in some indices, which refuse a word of more than 32766 bytes.
const LONGEST_NAME: usize = 256;

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
    /// A value or a name was too long for an index, and lacks its end.
    pub(in crate::events) is_cut: bool,
    /// It had halves of characters.
    pub(super) is_mended: bool,
}

impl Parsed {
    /// Reads `text`, if it is an object. Secrets are made unreadable.
    pub(super) fn of(text: &str, json: &Json, redactor: &Redactor) -> Option<Self> {
        // Some programs begin what they print with a mark of its encoding.
        let trimmed = text.trim_start_matches('\u{feff}').trim();
        if !trimmed.starts_with('{') {
            return None;
        }
        match read(trimmed) {
            Ok((object, is_mended)) => {
                let message = message_path(&object, json);
                // The line itself, for one that has no message.
                let shown = match message.is_some_and(|path| has_text(&object, path)) {
                    true => String::new(),
                    false => without_secrets(&object, text, redactor),
                };
                Some(Self { is_mended, ..Fields::of(object, message, json, redactor).parsed(shown, json) })
            }
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

/// The members of a line, each in its place.
#[derive(Default)]
struct Fields<'k> {
    message_path: Option<&'k str>,
    message: Option<String>,
    time: Option<String>,
    level: Option<String>,
    /// Fields of the schema by their paths, as JSON.
    known: sorted::Map<String, String>,
    labels: sorted::Map<String, String>,
    numeric_labels: sorted::Map<String, String>,
    replaced: Vec<(String, String)>,
    is_cut: bool,
}

/// Where a member stands.
#[derive(Default)]
struct Place {
    path: String,
    /// The path without secrets, if there are some in it.
    clean: Option<String>,
}

impl Place {
    fn member(&self, name: &str, redactor: &Redactor) -> Self {
        let within = |path: &str, name: &str| {
            if self.path.is_empty() { name.to_owned() } else { [path, ".", name].concat() }
        };
        let clean = match (&self.clean, redactor.redact(name)) {
            (None, None) => None,
            (above, own) => {
                Some(within(above.as_ref().unwrap_or(&self.path), own.as_deref().unwrap_or(name)))
            }
        };
        Self { path: within(&self.path, name), clean }
    }
}

impl<'k> Fields<'k> {
    fn of(object: Map<String, Value>, message: Option<&'k str>, json: &Json, redactor: &Redactor) -> Self {
        let mut fields = Self { message_path: message, ..Self::default() };
        fields.take(&Place::default(), object, json, redactor);
        // Serilog leaves this one out.
        if fields.level.is_none() && matches!(message, Some("@m" | "@mt")) {
            fields.level = Some("information".into());
        }
        fields
    }

    fn take(&mut self, above: &Place, mut object: Map<String, Value>, json: &Json, redactor: &Redactor) {
        // An error's `type` is its type, and its `name` only without one.
        let name = object.remove_entry("name");
        for (name, value) in object.into_iter().chain(name) {
            let place = above.member(&name, redactor);
            let leaf = match (redactor.hides(&above.path, &name, &value), value) {
                (_, Value::Null) => continue,
                (Some(hidden), _) => Leaf::Text(hidden.into()),
                (None, Value::Object(inner)) => {
                    self.take(&place, inner, json, redactor);
                    continue;
                }
                (None, Value::Number(number)) => match redactor.redact(&number.to_string()) {
                    Some(clean) => Leaf::Text(clean),
                    None => Leaf::Number(number),
                },
                (None, Value::String(text)) => Leaf::Text(redactor.redact(&text).unwrap_or(text)),
                (None, Value::Bool(is)) => Leaf::Text(is.to_string()),
                (None, list) => Leaf::Text(text::json(&clean(list, &place.path, redactor))),
            };
            self.put(&place, leaf, json, name.contains('.'));
        }
    }

    fn put(&mut self, place: &Place, leaf: Leaf, json: &Json, has_dots: bool) {
        let path = place.path.as_str();
        let is_expanded = json.expand_keys || !has_dots;
        if self.message_path == Some(path) && self.message.is_none() {
            self.message = Some(leaf.text());
            return;
        }
        let known = match &leaf {
            // .NET writes the stack behind the message, others the message alone.
            Leaf::Text(text) if is_expanded && path.eq_ignore_ascii_case("exception") => {
                if text.contains('\n') { "error.stack_trace" } else { "error.message" }
            }
            _ if is_expanded => known_as(path),
            _ => path,
        };
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
                if is_expanded && json.overwrite_keys && self.may_replace(known, text) =>
            {
                self.replaced.push((known.into(), text.clone()));
                return;
            }
            (known, leaf) if is_expanded && !self.known.contains_key(known) => {
                if let Some((json, is_cut)) = leaf.of_schema(known) {
                    self.is_cut |= is_cut;
                    self.known.insert(known.into(), json);
                    return;
                }
            }
            _ => {}
        }
        self.label(place, leaf);
    }

    /// Whether the forwarder's own field of that name may say this instead.
    fn may_replace(&self, name: &str, text: &str) -> bool {
        REPLACEABLE.contains(&name)
            && text.len() <= LONGEST_KEYWORD
            && (!name.starts_with("data_stream.") || is_stream_name(text))
            && self.replaced.iter().all(|(replaced, _)| replaced != name)
    }

    /// A member without a field of its own.
    fn label(&mut self, place: &Place, leaf: Leaf) {
        let path = place.clean.as_ref().unwrap_or(&place.path).trim_start_matches("labels.");
        let (begin, is_cut) = beginning(path, LONGEST_NAME);
        self.is_cut |= is_cut;
        let mut name = begin.replace(['.', '*', '"'], "_");
        // Indices refuse a field without a name.
        if name.trim().is_empty() {
            name = "_".into();
        }
        let labels =
            if matches!(leaf, Leaf::Number(_)) { &mut self.numeric_labels } else { &mut self.labels };
        let mut end = String::new();
        while labels.contains_key(&[name.as_str(), &end].concat()) {
            end.push('_');
            let (begin, is_cut) = beginning(&name, LONGEST_NAME.saturating_sub(end.len()));
            self.is_cut |= is_cut;
            name = begin.to_owned();
        }
        name.push_str(&end);
        let (json, is_cut) = leaf.json(LONGEST_KEYWORD);
        self.is_cut |= is_cut;
        labels.insert(name, json);
    }

    /// `shown` is the message of a line that has none.
    fn parsed(self, shown: String, json: &Json) -> Parsed {
        let Self { message_path: _, message, time, level, known, labels, numeric_labels, replaced, is_cut } =
            self;
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
        let message = message.unwrap_or(shown);
        Parsed { message, time, level, log, event, members, replaced, is_cut, is_mended: false }
    }
}

/// Where the message of a line stands.
fn message_path<'k>(object: &Map<String, Value>, json: &'k Json) -> Option<&'k str> {
    json.message_key.as_deref().or_else(|| MESSAGES.into_iter().find(|path| has_text(object, path)))
}

/// Whether something that can be a message stands there.
fn has_text(object: &Map<String, Value>, path: &str) -> bool {
    let inner = || path.split_once('.').and_then(|(group, name)| object.get(group)?.get(name));
    object.get(path).or_else(inner).is_some_and(|value| !value.is_null() && !value.is_object())
}

/// The line without secrets. If one of its members has a secret, it is written anew, as an escape may hide that in the text.
fn without_secrets(object: &Map<String, Value>, text: &str, redactor: &Redactor) -> String {
    if redactor.is_idle() {
        return text.to_owned();
    }
    let whole = Value::Object(object.clone());
    let clean = clean(whole.clone(), "", redactor);
    let text = if clean == whole { text.to_owned() } else { text::json(&clean) };
    redactor.redact(&text).unwrap_or(text)
}

/// A value and what is in it, without secrets; `above` is its name.
fn clean(value: Value, above: &str, redactor: &Redactor) -> Value {
    match value {
        Value::String(text) => redactor.redact(&text).unwrap_or(text).into(),
        Value::Number(number) => {
            redactor.redact(&number.to_string()).map_or(Value::Number(number), Into::into)
        }
        Value::Array(items) => {
            let hidden: Vec<_> =
                items.windows(2).map(|pair| redactor.hides_behind(pair.first()?, pair.last()?)).collect();
            let hidden = iter::once(None).chain(hidden);
            let cleaned = |(item, hidden): (Value, Option<&str>)| {
                hidden.map_or_else(|| clean(item, above, redactor), Into::into)
            };
            items.into_iter().zip(hidden).map(cleaned).collect()
        }
        Value::Object(members) => {
            let mut cleaned = Map::new();
            for (index, (name, value)) in members.into_iter().enumerate() {
                let hidden = redactor.hides(above, &name, &value);
                let value = hidden.map_or_else(|| clean(value, &name, redactor), Into::into);
                let mut name = redactor.redact(&name).unwrap_or(name);
                if cleaned.contains_key(&name) {
                    name = format!("{name}_{index}");
                }
                cleaned.insert(name, value);
            }
            Value::Object(cleaned)
        }
        other => other,
    }
}

fn quoted(text: &str) -> String {
    // A text cannot fail.
    serde_json::to_string(text).unwrap_or_default()
}

fn text_of(json: Vec<u8>) -> String {
    String::from_utf8(json).unwrap_or_default()
}
