//! Looking without forwarding: at the checkpoint, at the configuration's selection, and at the receivers. The answer is JSON for people and
//! for monitoring. A look saves nothing and takes no lease, and only a look at the receivers sends something: a document to each.

mod receivers;
mod saved;
mod sources;

use super::plan::{Context, PlanError};
use crate::config::Config;
use crate::openwhisk::api::Api;
use crate::ports::Ports;
use serde_json::{Map, Value};
use whiskjack_settings::text;

/// The subject of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The checkpoint, where it is kept.
    Checkpoint,
    /// The actions that the configuration selects, and their records.
    Sources,
    /// The receivers: each gets a document that says that it is a test.
    Receivers,
}

/// Time that a look may take if the host sets no deadline, in milliseconds.
const PATIENCE_MS: u64 = 60_000;

/// Looks, and reports the finds as a JSON object.
pub fn look(
    config: &Config,
    context: &Context,
    ports: Ports<'_>,
    subject: Subject,
) -> Result<Vec<u8>, PlanError> {
    let now_ms = ports.clock.now_ms();
    let stop_ms = context.deadline_ms.unwrap_or(u64::MAX).min(now_ms.saturating_add(PATIENCE_MS));
    let api = Api::new(ports, stop_ms);
    let found = match subject {
        Subject::Checkpoint => saved::look(config, context, ports, &api, stop_ms)?,
        Subject::Sources => sources::look(config, context, &api)?,
        Subject::Receivers => receivers::look(config, context, ports, stop_ms),
    };
    Ok(text::json(&found).into_bytes())
}

/// A time as people read it, and nothing for none.
fn time(ms: u64) -> Value {
    if ms == 0 { Value::Null } else { crate::time::rfc3339(ms).into() }
}

/// An object of members that are JSON already; `json!` takes more code for each of them.
fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    with(Value::Object(Map::new()), members)
}

/// The object with more members.
fn with<const N: usize>(mut object: Value, more: [(&str, Value); N]) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    object
}
