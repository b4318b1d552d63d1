//! The form of a run's documents.

use super::lines::Treatment;
use crate::config::{Documents, Shape, Summaries};
use crate::lumberjack::Protocol;
use crate::openwhisk::record::{Details, Reason, Record, Status, write_json_string};
use crate::time;

/// What all documents of a run have: the protocol that they are written for, the configured shape, and what is added to each.
#[derive(Debug, Clone)]
pub struct Form {
    protocol: Protocol,
    shape: Shape,
    /// When the run began, which is when its records were read.
    created: String,
    /// The forwarder: as an action its full name.
    agent: String,
    activations: Summaries,
    treatment: Treatment,
    /// Members behind all others: tags and fields, each with a comma before it.
    added: String,
}

impl Form {
    /// The shape of 2017, with nothing added.
    pub fn new(protocol: Protocol) -> Self {
        Self::of(&Documents::default(), protocol, None, 0)
    }

    /// As configured, for a run that began at `began_ms`, of the forwarder that is the action `own_action`, if it is one.
    pub fn of(documents: &Documents, protocol: Protocol, own_action: Option<&str>, began_ms: u64) -> Self {
        Self {
            protocol,
            shape: documents.shape,
            created: time::rfc3339(began_ms),
            agent: own_action.unwrap_or(env!("CARGO_PKG_NAME")).trim_start_matches('/').to_owned(),
            activations: documents.activations,
            treatment: Treatment::new(&documents.lines),
            added: added(documents),
        }
    }

    /// What documents are written for.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// What becomes of lines.
    pub fn treatment(&self) -> &Treatment {
        &self.treatment
    }

    /// What documents tell of `record` besides name, namespace and times, if they do.
    pub fn details(&self, record: &Record<'_>) -> Option<Details> {
        let needed =
            !matches!(self.shape, Shape::Of2017 { package: false, .. }) || !self.treatment.is_plain();
        needed.then(|| {
            let error = if self.activations == Summaries::None { None } else { record.reason() };
            Details { error: error.map(|reason| self.clean(reason)), ..record.details() }
        })
    }

    /// Whether an activation that ended so may have a document of its own.
    pub fn summarizes(&self, status: Option<Status>) -> bool {
        match self.activations {
            Summaries::None => false,
            Summaries::Failed => status.is_some_and(|status| status != Status::Success),
            Summaries::All => true,
        }
    }

    /// Whether any activation may.
    pub fn has_summaries(&self) -> bool {
        self.activations != Summaries::None
    }

    /// A reason without secrets.
    fn clean(&self, Reason { message, kind }: Reason) -> Reason {
        let clean = |text: String| self.treatment.redactor().redact(&text).unwrap_or(text);
        Reason { message: clean(message), kind: kind.map(clean) }
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

    pub(super) fn added(&self) -> &str {
        &self.added
    }
}

fn added(documents: &Documents) -> String {
    let mut added = Vec::new();
    if !documents.tags.is_empty() {
        added.extend_from_slice(br#","tags":["#);
        for (index, tag) in documents.tags.iter().enumerate() {
            added.extend_from_slice(if index > 0 { b"," } else { b"" });
            write_json_string(tag, &mut added);
        }
        added.push(b']');
    }
    let mut added = String::from_utf8(added).unwrap_or_default();
    // An object without members is `{}`.
    if documents.fields.len() > 2 {
        if documents.fields_under_root {
            added.push(',');
            added.push_str(documents.fields.get(1..documents.fields.len() - 1).unwrap_or_default());
        } else {
            added.push_str(r#","fields":"#);
            added.push_str(&documents.fields);
        }
    }
    added
}
