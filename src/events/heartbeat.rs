//! A run's own document: how far the forwarder has come. It has one shape, whatever shape other documents have.

use super::ecs::{self, Members};
use super::form::added;
use super::{flat, id};
use crate::config::Documents;
use crate::lumberjack::Protocol;
use crate::time;

/// The contents of a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat<'a> {
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// When the run began, milliseconds since 1970.
    pub began_ms: u64,
    /// The forwarder's full name, if it is an action.
    pub forwarder: Option<&'a str>,
    /// Whose checkpoint it is: no two forwarders share it.
    pub owner: String,
    /// Time since the oldest start that is not forwarded yet, or else since the run asked.
    pub lag_ms: u64,
    /// Ranges that the next run continues with.
    pub owed_ranges: u64,
    /// Lines that receivers have acknowledged in this run.
    pub acknowledged_lines: u64,
    /// Things that went wrong in this run.
    pub errors: u64,
}

impl Heartbeat<'_> {
    /// Writes it as payload of a frame.
    pub fn write(&self, protocol: Protocol, documents: &Documents, out: &mut Vec<u8>) {
        let nested = self.nested(documents);
        flat::write_nested(&nested, &self.id(), protocol, out);
    }

    /// One id for each run, and the same if the document is sent again.
    fn id(&self) -> String {
        format!("{:08x}-{:013}-heartbeat", id::fnv1a(self.owner.as_bytes()), self.began_ms)
    }

    fn message(&self) -> String {
        let count = |number: u64, what: &str| whiskjack_settings::text::many(number, what);
        format!(
            "{} acknowledged, {} owed, {}, {} ms behind",
            count(self.acknowledged_lines, "line"),
            count(self.owed_ranges, "range"),
            count(self.errors, "error"),
            self.lag_ms
        )
    }

    fn nested(&self, documents: &Documents) -> Vec<u8> {
        let (mut out, id, at) = (Vec::new(), self.id(), time::rfc3339(self.at_ms));
        ecs::write_begin(&at, ecs::FORWARDER, &id, &mut out);
        let mut own = Members::within(&mut out);
        own.text("message", &self.message());
        let mut event = Members::begin("event", &mut out);
        event.text("id", &id);
        event.text("kind", "metric");
        event.text("module", "openwhisk");
        event.text("dataset", ecs::FORWARDER);
        event.text("created", &time::rfc3339(self.began_ms));
        event.end();
        ecs::write_data_stream(ecs::FORWARDER, &documents.namespace, &mut out);
        let name = self.forwarder.unwrap_or(env!("CARGO_PKG_NAME"));
        ecs::write_agent(name.trim_start_matches('/'), &mut out);
        ecs::write_version(&mut out);
        let mut whiskjack = Members::begin("whiskjack", &mut out);
        whiskjack.number("lag_ms", Some(self.lag_ms));
        whiskjack.number("owed_ranges", Some(self.owed_ranges));
        whiskjack.number("acknowledged_lines", Some(self.acknowledged_lines));
        whiskjack.number("errors", Some(self.errors));
        whiskjack.end();
        out.extend_from_slice(added(&documents.common).as_bytes());
        out.push(b'}');
        if let Some(first) = out.first_mut() {
            *first = b'{';
        }
        out
    }
}
