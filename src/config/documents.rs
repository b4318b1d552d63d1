//! The form of documents: `events`, `fields` and `tags`. The keys for fields and tags have the names that they have in Filebeat.

use super::lines::Lines;
use super::reader::Reader;
use super::strangers;
use crate::fields::{is_metadata, is_taken};
use crate::openwhisk::source::{Entry, Source};
use serde_json::{Map, Value};
use whiskjack_settings::keys;
use whiskjack_settings::text::json;

/// The documents that receivers get.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Documents {
    /// Names and places of their fields.
    pub shape: Shape,
    /// Namespace of their data stream.
    pub namespace: Namespace,
    /// The style for all actions.
    pub common: Style,
    /// The styles for some actions instead: the first entry that selects an action counts, and `None` means the common style.
    pub special: Vec<(Source, Option<Style>)>,
}

/// The last part of a data stream's name: `logs-openwhisk.log-NAMESPACE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace(String);

impl Namespace {
    /// Its text: 1 to 100 bytes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self("default".into())
    }
}

/// The treatment of an action's lines, and the further contents of its documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// The activations that have a document besides those of their lines.
    pub activations: Summaries,
    /// The treatment of lines.
    pub lines: Lines,
    /// Tags of each document.
    pub tags: Vec<String>,
    /// Fields of each document: a JSON object, as text.
    pub fields: String,
    /// Whether these are beside the other fields, rather than in `fields`.
    pub fields_under_root: bool,
}

/// Names and places of a document's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The four fields of the forwarder of 2017.
    Of2017 {
        /// Whether there is a field `package`.
        package: bool,
        /// Whether there is a field `sequence`.
        sequence: bool,
    },
    /// Those of the Elastic Common Schema.
    Ecs {
        /// Whether `event.original` holds the entry as the platform has it.
        original: bool,
    },
}

/// The activations that have a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Summaries {
    /// Of none.
    #[default]
    None,
    /// Of those that failed.
    Failed,
    /// Of all.
    All,
}

impl Default for Shape {
    fn default() -> Self {
        Self::Of2017 { package: false, sequence: false }
    }
}

impl Default for Style {
    fn default() -> Self {
        Self {
            activations: Summaries::None,
            lines: Lines::default(),
            tags: Vec::new(),
            fields: "{}".into(),
            fields_under_root: false,
        }
    }
}

/// Keys that an entry of `actions` may have besides its name.
const OF_SOME: [&str; 5] = ["events", "fields", "fields_under_root", "lines", "tags"];

/// An entry of `actions`, with its place there, and what is done for it.
pub(super) struct Chosen {
    pub(super) index: usize,
    pub(super) source: Source,
    pub(super) entry: Entry,
    /// Keys of its own, if it has some.
    pub(super) own: Option<Map<String, Value>>,
}

impl Documents {
    /// Reads it; faults are noted, also those of `spare`, which selects nothing.
    pub(super) fn read(
        reader: &mut Reader,
        chosen: Vec<Chosen>,
        spare: Vec<(usize, Map<String, Value>)>,
        warnings: &mut Vec<String>,
    ) -> Self {
        let is_ecs = is_ecs(reader);
        let original = only_in(reader, is_ecs, "events.original", true);
        let package = only_in(reader, is_ecs, "events.package", false);
        let sequence = only_in(reader, is_ecs, "events.sequence", false);
        let namespace = namespace(reader, is_ecs);
        let common = Style::read(reader, is_ecs);
        // An action may have keys of its own that make use of it.
        if chosen.iter().all(|chosen| chosen.own.is_none()) {
            warnings.extend(common.useless(""));
        }
        let special = if chosen.iter().any(|chosen| chosen.own.is_some()) {
            chosen
                .into_iter()
                .map(|Chosen { index, source, own, .. }| {
                    let style = own.map(|own| {
                        let is_own = own.contains_key("fields_under_root") || own.contains_key("fields");
                        let style = Style::of_some(reader, index, own, is_ecs);
                        warnings.extend(style.useless(&format!("actions[{index}].")).filter(|_| is_own));
                        style
                    });
                    (source, style)
                })
                .collect()
        } else {
            Vec::new()
        };
        for (index, own) in spare {
            Style::of_some(reader, index, own, is_ecs);
        }
        let shape = if is_ecs { Shape::Ecs { original } } else { Shape::Of2017 { package, sequence } };
        Self { shape, namespace, common, special }
    }
}

impl Style {
    fn read(reader: &mut Reader, is_ecs: bool) -> Self {
        let fields_under_root = reader.switch("fields_under_root").unwrap_or(false);
        let activations = activations(reader, is_ecs);
        let lines = Lines::read(reader, is_ecs);
        let tags = tags(reader);
        let fields = fields(reader, fields_under_root, is_ecs);
        let target = lines.json.as_ref().and_then(|json| json.target.as_deref());
        if fields_under_root && target.is_some_and(|target| fields.contains_key(target)) {
            let remedy = "`fields` has this name, too, and `fields_under_root` is true: choose another name";
            reader.fault("lines.json.target", remedy);
        }
        Self { activations, lines, tags, fields: json(&Value::Object(fields)), fields_under_root }
    }

    /// A warning, if a key has no effect.
    fn useless(&self, place: &str) -> Option<String> {
        (self.fields_under_root && self.fields == "{}").then(|| {
            format!("`{place}fields_under_root` is true, and there are no `fields`: it has no effect; give `fields`, or remove it")
        })
    }

    /// That of an entry of `actions` whose own keys take the place of the common ones.
    fn of_some(reader: &mut Reader, index: usize, mut own: Map<String, Value>, is_ecs: bool) -> Self {
        let place = format!("actions[{index}].");
        for name in take_strange(&mut own) {
            const REMEDY: &str = "an action has `name` and, of its own, keys of `lines`, `events.activations`, `fields`, `fields_under_root`, `tags`: \
                give this one for all actions, or remove it";
            // Some write without the group what belongs into it.
            let is_own = |known: &&str| known.split('.').next().is_some_and(|group| OF_SOME.contains(&group));
            let meant = if keys::is_key(&name) { None } else { strangers::meant(&name).filter(is_own) };
            let remedy = meant.map_or_else(
                || REMEDY.into(),
                |known| format!("there is no such key; did you mean `{known}`?"),
            );
            reader.fault_at(format!("{place}{name}"), &Value::Null, remedy);
        }
        reader.beside(&place, own, |reader| Self::read(reader, is_ecs))
    }
}

/// Takes out the keys that an entry of `actions` may not have.
fn take_strange(own: &mut Map<String, Value>) -> Vec<String> {
    let is_strange = |name: &&String| !OF_SOME.contains(&name.as_str());
    let mut strange: Vec<String> = own.keys().filter(is_strange).cloned().collect();
    strange.iter().for_each(|name| drop(own.remove(name)));
    if let Some(Value::Object(events)) = own.get_mut("events") {
        let others: Vec<String> = events.keys().filter(|name| *name != "activations").cloned().collect();
        others.iter().for_each(|name| drop(events.remove(name)));
        strange.extend(others.iter().map(|name| format!("events.{name}")));
    }
    strange
}

fn activations(reader: &mut Reader, is_ecs: bool) -> Summaries {
    const PATH: &str = "events.activations";
    let read = |value: &Value| match value {
        Value::Bool(true) => Some(Summaries::All),
        Value::Bool(false) => Some(Summaries::None),
        Value::String(word) if word == "failed" => Some(Summaries::Failed),
        _ => None,
    };
    let summaries = reader.read(PATH, "give true, false or `failed`", read).unwrap_or_default();
    if summaries != Summaries::None && !is_ecs {
        reader.fault(
            PATH,
            "only the shape `ecs` has such documents: set `events.shape` to `ecs`, or remove it",
        );
    }
    summaries
}

/// A year is a number to who writes YAML.
fn is_ecs(reader: &mut Reader) -> bool {
    const REMEDY: &str = "give `ecs` or `2017`";
    let read = |value: &Value| match value {
        Value::String(text) if text == "ecs" => Some(true),
        Value::String(text) if text == "2017" => Some(false),
        Value::Number(number) if number.as_f64() == Some(2017.0) => Some(false),
        _ => None,
    };
    reader.read("events.shape", REMEDY, read).unwrap_or(false)
}

fn namespace(reader: &mut Reader, is_ecs: bool) -> Namespace {
    const PATH: &str = "events.namespace";
    const REMEDY: &str = "give 1 to 100 bytes without capitals, spaces, and the characters - , # : \\ / * ? \" < > |, such as `production`";
    let read =
        |value: &Value| value.as_str().filter(|text| is_stream_name(text)).map(|text| Namespace(text.into()));
    let given = reader.read(PATH, REMEDY, read);
    if given.is_some() && !is_ecs {
        reader.fault(PATH, "only the shape `ecs` has it: set `events.shape` to `ecs`, or remove it");
    }
    given.unwrap_or_default()
}

/// What Elasticsearch allows in each part of a data stream's name.
pub fn is_stream_name(text: &str) -> bool {
    let is_part = |c: char| !c.is_uppercase() && !c.is_whitespace() && !"\\/*?\"<>|,#:-".contains(c);
    (1..=100).contains(&text.len()) && text.chars().all(is_part)
}

/// A switch that the other shape has no use for.
fn only_in(reader: &mut Reader, is_ecs: bool, path: &str, ecs: bool) -> bool {
    let on = reader.switch(path).unwrap_or(false);
    if on && is_ecs != ecs {
        let remedy = match ecs {
            true => "only the shape `ecs` has it: set `events.shape` to `ecs`, or remove it",
            false => "the shape `ecs` always has it, under another name: remove it",
        };
        reader.fault(path, remedy);
    }
    on
}

fn tags(reader: &mut Reader) -> Vec<String> {
    const REMEDY: &str = "give the tags as an array of texts, such as [\"production\"]";
    let tags = reader.some_texts("tags", REMEDY);
    let empty = tags.iter().find(|(_, tag)| tag.is_empty()).map(|(index, _)| *index);
    if let Some(index) = empty {
        reader.fault_at(format!("tags[{index}]"), &Value::String(String::new()), "it is empty; remove it");
    }
    tags.into_iter().map(|(_, tag)| tag).collect()
}

fn fields(reader: &mut Reader, under_root: bool, is_ecs: bool) -> Map<String, Value> {
    const REMEDY: &str = "give an object, such as {\"environment\": \"production\"}";
    let fields = reader.read("fields", REMEDY, |value| value.as_object().cloned()).unwrap_or_default();
    let mut faults = Vec::new();
    name_faults("fields", &fields, &mut faults);
    for (name, value) in fields.iter().filter(|_| under_root) {
        let remedy = if is_metadata(name) {
            "Elasticsearch has a field of its own of this name: choose another name, or remove `fields_under_root`"
        } else if is_taken(name, is_ecs) {
            "documents may have a field of this name: choose another name, or remove `fields_under_root`"
        } else {
            continue;
        };
        faults.push((member("fields", name), value.clone(), remedy));
    }
    for (place, value, remedy) in faults {
        reader.fault_at(place, &value, remedy);
    }
    fields
}

/// What is wrong with the names of fields, those of inner objects too: place, value and remedy.
fn name_faults(place: &str, fields: &Map<String, Value>, faults: &mut Vec<(String, Value, &'static str)>) {
    const REMEDY: &str = "Elasticsearch refuses a field whose name, or a part of it between dots, is empty or blank: choose another name";
    for (name, value) in fields {
        let place = member(place, name);
        if name.split('.').any(|part| part.trim().is_empty()) {
            faults.push((place.clone(), value.clone(), REMEDY));
        }
        in_lists(&place, value, faults);
    }
}

fn in_lists(place: &str, value: &Value, faults: &mut Vec<(String, Value, &'static str)>) {
    match value {
        Value::Object(inner) => name_faults(place, inner, faults),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| in_lists(&format!("{place}[{index}]"), item, faults));
        }
        _ => {}
    }
}

/// The path of a member. A name that is none for a path stands in brackets.
fn member(place: &str, name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-@".contains(c);
    match !name.is_empty() && name.chars().all(is_plain) {
        true => format!("{place}.{name}"),
        false => format!("{place}[{}]", json(&Value::from(name))),
    }
}
