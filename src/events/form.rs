//! The form of a run's documents.

use crate::config::{Documents, Shape};
use crate::lumberjack::Protocol;
use crate::openwhisk::record::write_json_string;
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
            added: added(documents),
        }
    }

    /// What documents are written for.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Whether documents say more of a record than name and namespace.
    pub fn has_details(&self) -> bool {
        !matches!(self.shape, Shape::Of2017 { package: false, .. })
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
