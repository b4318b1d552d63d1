//! One activation as OpenWhisk gives it: parameters and context.

use serde_json::{Map, Value};

use crate::params::ProxyVariables;
use crate::run::RunContext;
use crate::secret::Secret;

const ARRAY: &str = "the parameters are an array; give an object with the keys `actions` and `logstash`";

/// Parameters and context of the body of `/run` (docs/facts/openwhisk.md 3.1). What it does not say is looked up in the environment.
///
/// Errors are sentences; they never show the body, which holds keys.
pub(super) fn of_body(
    body: &[u8],
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(Value, RunContext), String> {
    let mut activation = match serde_json::from_slice(body) {
        Ok(Value::Object(activation)) => activation,
        _ => {
            return Err(
                "the activation is not a JSON object; only OpenWhisk's runtimes may start this action"
                    .to_owned(),
            );
        }
    };
    let params = parameters(activation.remove("value"))?;
    let mut text = |key: &str| match activation.remove(key) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    let context = RunContext {
        api_host: text("api_host").or_else(|| environment("__OW_API_HOST")),
        // The environment keeps the key of the first activation, so the body's comes first.
        api_key: text("api_key").or_else(|| environment("__OW_API_KEY")).and_then(|key| Secret::key(&key)),
        namespace: text("namespace").or_else(|| environment("__OW_NAMESPACE")),
        action_name: text("action_name"),
        activation_id: text("activation_id"),
        deadline_ms: activation.get("deadline").and_then(milliseconds),
        proxies: ProxyVariables::read(environment),
        ..RunContext::default()
    };
    Ok((params, context))
}

/// The context when a process is one activation: all of it is in the environment (docs/facts/openwhisk.md 3.3).
pub(super) fn of_environment(environment: &dyn Fn(&str) -> Option<String>) -> RunContext {
    RunContext {
        api_host: environment("__OW_API_HOST"),
        api_key: environment("__OW_API_KEY").and_then(|key| Secret::key(&key)),
        namespace: environment("__OW_NAMESPACE"),
        action_name: environment("__OW_ACTION_NAME"),
        activation_id: environment("__OW_ACTIVATION_ID"),
        deadline_ms: environment("__OW_DEADLINE").and_then(|text| milliseconds(&Value::String(text))),
        proxies: ProxyVariables::read(environment),
        ..RunContext::default()
    }
}

/// Parameters are an object. The platform lets them be an array too.
pub(super) fn parameters(value: Option<Value>) -> Result<Value, String> {
    match value {
        Some(params @ Value::Object(_)) => Ok(params),
        Some(Value::Array(_)) => Err(ARRAY.to_owned()),
        _ => {
            Err("the activation has no parameters; only OpenWhisk's runtimes may start this action"
                .to_owned())
        }
    }
}

/// A result that only says what went wrong.
pub(super) fn failure(message: impl Into<String>) -> Map<String, Value> {
    Map::from_iter([("error".to_owned(), Value::String(message.into()))])
}

/// The documentation says number, the invoker sends text.
fn milliseconds(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_u64(),
    }
}
