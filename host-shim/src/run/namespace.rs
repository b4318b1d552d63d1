//! The namespace that a person names beside an API key. Every request is for the key's own namespace, as OpenWhisk refuses all others
//! (docs/facts/openwhisk.md 1.1). So another name would have no effect, and the run would read other records than that person expects.

use std::time::Duration;

use http::{Method, StatusCode};
use tokio::time::timeout;

use super::RunContext;
use crate::http::{Api, Called};
use crate::said;
use whiskjack_settings::Fault;

/// How long the API may take to name the key's namespaces. Without an answer the run goes on, and has a sentence for what is wrong.
const ANSWER: Duration = Duration::from_secs(10);

/// Most names that a fault shows.
const SHOWN: usize = 3;

/// The fault of a namespace that a person has named, if it is not among the key's `own`.
pub(crate) fn other(context: &RunContext, own: &[String]) -> Option<Fault> {
    let place = context.given.namespace.as_ref().filter(|_| context.api_key.is_some())?;
    // `_` is the key's own, whatever it is called.
    let named = context.namespace.as_deref().filter(|named| *named != "_")?;
    if own.iter().any(|own| own == named) {
        return None;
    }
    let shown: Vec<&str> = own.iter().take(SHOWN).map(String::as_str).collect();
    Some(Fault {
        key: place.clone(),
        value: serde_json::Value::from(named).to_string(),
        remedy: format!(
            "is not the namespace of the API key, which is {}, and a key reads no other; give the key of this namespace, or take the name out",
            shown.join(", ")
        ),
    })
}

/// What is wrong with the namespace that a person has named, if that is not one of the key's.
pub(super) async fn check(api: &Api, context: &RunContext) -> Option<Fault> {
    let place = context.given.namespace.as_ref().filter(|_| context.api_key.is_some())?;
    let named = context.namespace.as_deref().filter(|named| *named != "_")?;
    let answer = timeout(ANSWER, api.call(Method::GET, "/api/v1/namespaces", None)).await;
    let Called { status, body, .. } = answer.ok()?.ok()?;
    match serde_json::from_slice::<Vec<String>>(&body) {
        Ok(own) if status == StatusCode::OK && !own.is_empty() => other(context, &own),
        _ => {
            said::to_stderr(format_args!(
                "whiskjack: {place}: the API does not tell the key's namespaces (HTTP {}), so {named} cannot be compared with them; the \
                 run reads the namespace of the key",
                status.as_u16()
            ));
            None
        }
    }
}
