//! The form of a run's documents.

use super::lines::Treatment;
use crate::checkpoint::OwedRecord;
use crate::config::{Documents, Namespace, Shape, Style, Summaries};
use crate::lumberjack::Protocol;
use crate::openwhisk::record::{Details, Record, Status, write_json_string};
use crate::openwhisk::source::Source;
use crate::time;

/// The form that all documents of a run share: their protocol and the configuration.
#[derive(Debug)]
pub struct Form {
    protocol: Protocol,
    shape: Shape,
    namespace: Namespace,
    /// When the run began, which is when its records were read.
    created: String,
    /// The forwarder's name; if it is an action, its full name.
    agent: String,
    common: Styled,
    /// As configured for some actions.
    special: Vec<(Source, Option<Styled>)>,
}

/// The style of an action's documents, made ready.
#[derive(Debug)]
pub struct Styled {
    activations: Summaries,
    treatment: Treatment,
    /// The last members: tags and fields, each with a comma before it.
    added: String,
}

impl Styled {
    fn new(style: &Style) -> Self {
        Self { activations: style.activations, treatment: Treatment::new(&style.lines), added: added(style) }
    }

    /// Distinguishes this treatment of lines from others; `None` if lines stay as they are.
    pub fn sign(&self) -> Option<u32> {
        self.treatment.sign()
    }

    /// The treatment of lines.
    pub fn treatment(&self) -> &Treatment {
        &self.treatment
    }

    /// Whether an activation that ended so has a document of its own.
    pub(super) fn summarizes(&self, status: Option<Status>) -> bool {
        match self.activations {
            Summaries::None => false,
            Summaries::Failed => status.is_some_and(|status| status != Status::Success),
            Summaries::All => true,
        }
    }

    pub(super) fn added(&self) -> &str {
        &self.added
    }
}

impl Form {
    /// The shape of 2017, with nothing added.
    pub fn new(protocol: Protocol) -> Self {
        Self::of(&Documents::default(), protocol, None, 0)
    }

    /// As configured, for a run that began at `began_ms`, of the forwarder that is the action `own_action`, if it is one.
    pub fn of(documents: &Documents, protocol: Protocol, own_action: Option<&str>, began_ms: u64) -> Self {
        let special = documents.special.iter();
        Self {
            protocol,
            shape: documents.shape,
            namespace: documents.namespace.clone(),
            created: time::rfc3339(began_ms),
            agent: own_action.unwrap_or(env!("CARGO_PKG_NAME")).trim_start_matches('/').to_owned(),
            common: Styled::new(&documents.common),
            special: special
                .map(|(source, style)| (source.clone(), style.as_ref().map(Styled::new)))
                .collect(),
        }
    }

    /// The style for `record`.
    pub fn style_of(&self, record: &Record<'_>) -> &Styled {
        if self.special.is_empty() {
            return &self.common;
        }
        let [path, binding] = ["path", "binding"].map(|key| record.annotation_text(key));
        self.style(&record.name, path.as_deref(), binding.as_deref())
    }

    /// The style for a record that is owed by itself.
    pub fn style_of_owed(&self, record: &OwedRecord) -> &Styled {
        let details = record.details.as_ref();
        let path = details.and_then(|details| details.path.as_deref());
        self.style(&record.name, path, details.and_then(|details| details.binding.as_deref()))
    }

    fn style(&self, name: &str, path: Option<&str>, binding: Option<&str>) -> &Styled {
        let special = self.special.iter().find(|(source, _)| source.chooses(name, path, binding));
        special.and_then(|(_, style)| style.as_ref()).unwrap_or(&self.common)
    }

    /// The protocol of the documents.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Details of `record` for documents, besides name, namespace and times, if documents have them.
    pub fn details(&self, record: &Record<'_>) -> Option<Details> {
        let is_bare = matches!(self.shape, Shape::Of2017 { package: false, .. }) && self.special.is_empty();
        if is_bare && self.common.treatment.is_plain() {
            return None;
        }
        let style = self.style_of(record);
        let redactor = style.treatment.redactor();
        let has_one = style.activations != Summaries::None;
        let error = if has_one { record.reason(&|text| redactor.redact(text)) } else { None };
        Some(Details { error, ..record.details() })
    }

    /// Whether the activation of `record` has one.
    pub fn summarizes(&self, record: &Record<'_>) -> bool {
        self.has_summaries() && self.style_of(record).summarizes(record.status())
    }

    /// Whether any activation may have a document of its own.
    pub fn has_summaries(&self) -> bool {
        let mut all = self.special.iter().filter_map(|(_, style)| style.as_ref()).chain([&self.common]);
        all.any(|style| style.activations != Summaries::None)
    }

    pub(super) fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    pub(super) fn created(&self) -> &str {
        &self.created
    }

    pub(super) fn agent(&self) -> &str {
        &self.agent
    }
}

pub(super) fn added(style: &Style) -> String {
    let mut added = Vec::new();
    if !style.tags.is_empty() {
        added.extend_from_slice(br#","tags":["#);
        for (index, tag) in style.tags.iter().enumerate() {
            added.extend_from_slice(if index > 0 { b"," } else { b"" });
            write_json_string(tag, &mut added);
        }
        added.push(b']');
    }
    let mut added = String::from_utf8(added).unwrap_or_default();
    // An object without members is `{}`.
    if style.fields.len() > 2 {
        if style.fields_under_root {
            added.push(',');
            added.push_str(style.fields.get(1..style.fields.len() - 1).unwrap_or_default());
        } else {
            added.push_str(r#","fields":"#);
            added.push_str(&style.fields);
        }
    }
    added
}
