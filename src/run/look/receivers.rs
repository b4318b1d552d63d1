//! Sends a document to each receiver through the sender that forwards, and checks whether it is acknowledged.

use super::object;
use crate::config::{Config, Output};
use crate::events::{Document, Events, Form};
use crate::lumberjack::{Backoff, Goal, Options};
use crate::openwhisk::record::Record;
use crate::output::Delivery;
use crate::ports::{Failure, Ports};
use crate::run::plan::Context;
use serde_json::{Value, json};
use whiskjack_settings::{Endpoint, text};

/// Longest time for one receiver, in milliseconds. Those that send signs of life do so each five seconds at least.
const PATIENCE_MS: u64 = 15_000;
/// Pause between two attempts, in milliseconds: somebody waits.
const PAUSE_MS: u64 = 100;

/// What the document says, for people and for filters.
pub(super) const TEXT: &str = "whiskjack check: a test document, not a log line";

pub(super) fn look(config: &Config, context: &Context, ports: Ports<'_>, stop_ms: u64) -> Value {
    let now_ms = ports.clock.now_ms();
    // Beyond all doubt not that of an activation: nothing began then. The id is its own each time, so that no receiver takes it for a repeat.
    let id = format!("{:016x}{:016x}", now_ms, ports.clock.random());
    let record = text::json(&json!({
        "activationId": id, "namespace": "_", "name": "whiskjack-check", "version": "0.0.0",
        "start": now_ms, "end": now_ms, "duration": 0, "annotations": [], "response": {"status": "success", "result": {}},
        "logs": [format!("{} stdout: {TEXT}", crate::time::rfc3339(now_ms))],
    }));
    let receivers = config.output.receivers.iter().map(|receiver| {
        let answer = send(config, context, ports, receiver, record.as_bytes(), stop_ms);
        object([
            ("receiver", receiver.to_string().into()),
            ("acknowledged", answer.is_ok().into()),
            ("problem", answer.err().map(|failure| failure.message).into()),
        ])
    });
    let receivers = receivers.collect();
    object([("text", TEXT.into()), ("activation", id.into()), ("receivers", receivers)])
}

fn send(
    config: &Config,
    context: &Context,
    ports: Ports<'_>,
    receiver: &Endpoint,
    record: &[u8],
    stop_ms: u64,
) -> Result<(), Failure> {
    let now_ms = ports.clock.now_ms();
    let stop_ms = stop_ms.min(now_ms.saturating_add(PATIENCE_MS));
    let sending = Options {
        backoff: Backoff { init_ms: PAUSE_MS, max_ms: PAUSE_MS },
        slow_start: false,
        ..config.output.sending.clone()
    };
    let output = Output { receivers: vec![receiver.clone()], sending, ..config.output.clone() };
    let protocol = output.sending.protocol;
    let mut delivery = Delivery::new(output, 0, ports.clock.random());
    let own = context.own_action.as_ref().map(|own| own.name.as_str());
    let form = Form::of(&config.documents, protocol, own, now_ms);
    let record = Record::parse(record).map_err(|error| Failure::lasting(error.to_string()))?;
    let events = Events::of(&record, &form);
    let Some(line) = record.entries().next() else {
        return Err(Failure::lasting("there is nothing to send"));
    };
    delivery.push(&events, Document::plain(0, line));
    let settled = delivery.work(ports, Goal::Settled, stop_ms);
    if let Some(failure) = delivery.given_up() {
        return Err(failure.clone());
    }
    match (settled.events, settled.set_aside.as_slice()) {
        (1, []) => Ok(()),
        (1, _) => Err(Failure::lasting(format!(
            "{receiver}: closes the connection each time when it gets a document, without an acknowledgement; see the receiver's log"
        ))),
        _ => Err(Failure::passing(format!(
            "{receiver}: took the document, but did not acknowledge it within {} s; see whether its pipeline is blocked",
            stop_ms.saturating_sub(now_ms).div_ceil(1000)
        ))),
    }
}
