//! The forwarder's rights on the platform, and the selection of the configuration: mostly as the component reports them.

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;

use super::{Step, Steps, told};
use crate::component::Subject;
use crate::http::Answer;
use crate::run::Sight;
use crate::status::ahead;
use whiskjack_settings::text::many;

const READ: &str = "right to read activations";
const WRITE: &str = "right to write the package";
const CHECKPOINT: &str = "checkpoint";
const LOGS: &str = "logs";

/// No package can have this for its annotations, so nothing is written: an API that may write says that it cannot read the body.
const UNREADABLE: &[u8] = br#"{"annotations":"whiskjack check: nothing is to be written"}"#;

pub(super) async fn steps(sight: &Sight<'_>, steps: &mut Steps<'_>) {
    steps.begin("the selected actions");
    let sources = told(sight, Subject::Sources, READ, steps).await;
    if sources.is_some() {
        steps.add(Step::good(READ, "the key has it"));
    }
    steps.begin("the checkpoint");
    if let Some(saved) = told(sight, Subject::Checkpoint, CHECKPOINT, steps).await {
        checkpoint(&saved, steps);
        let place = saved.get("place").and_then(Value::as_str).unwrap_or_default();
        if let Some(name) = place.strip_prefix("the package `").and_then(|rest| rest.strip_suffix('`')) {
            may_write(sight, name, steps).await;
        }
    }
    if let Some(sources) = sources {
        limits(&sources, steps);
        logs(&sources, steps);
        entries(&sources, steps);
    }
}

fn checkpoint(saved: &Value, steps: &mut Steps<'_>) {
    let text = |key: &str| saved.get(key).and_then(Value::as_str);
    let place = text("place").unwrap_or_default();
    steps.add(match (text("problem"), text("saved")) {
        (Some(problem), _) => Step::bad(
            CHECKPOINT,
            format!(
                "in {place}: {problem}; repair it, or set `on_missing_state` for one run (docs/guarantees.md)"
            ),
        ),
        (None, Some(_)) if let Some(ahead) = ahead(saved) => {
            Step::doubtful(CHECKPOINT, format!("in {place}: {ahead}"))
        }
        (None, Some(time)) => Step::good(CHECKPOINT, format!("in {place}, saved {time}")),
        (None, None) => Step::good(CHECKPOINT, format!("none yet in {place}; the first run begins one")),
    });
}

async fn may_write(sight: &Sight<'_>, package: &str, steps: &mut Steps<'_>) {
    let path = format!("/api/v1/namespaces/_/packages/{package}?overwrite=true");
    let body = Some(Bytes::from_static(UNREADABLE));
    let step = match sight.reach.api.call(Method::PUT, &path, body).await {
        Err(message) => Step::bad(WRITE, format!("the API at {message}")),
        Ok(called) => match called.status {
            StatusCode::BAD_REQUEST => Step::good(WRITE, format!("the key has it (`{package}`)")),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED => Step::bad(
                WRITE,
                format!(
                    "the key may not write `{package}` (HTTP {}); give a key that may, or keep the checkpoint in a file (--state FILE), or, of an \
                     action, in its records (`checkpoint.store: activation`)",
                    called.status.as_u16()
                ),
            ),
            _ => Step::doubtful(WRITE, format!("is not known: {}", Answer::new(&called).refusal())),
        },
    };
    steps.add(step);
}

fn limits(sources: &Value, steps: &mut Steps<'_>) {
    let limit = |name: &str| sources.get("limits")?.get(name)?.as_u64();
    let minutes = sources.get("lookback_ms").and_then(Value::as_u64).unwrap_or(0).div_ceil(60_000);
    let look_back = format!("a run looks {} back", many(minutes, "minute"));
    steps.add(match (limit("max_action_duration_ms"), limit("max_action_logs")) {
        (Some(duration), Some(logs)) => Step::good(
            "platform limits",
            format!("runs of {} s at most, logs of {} MB; {look_back}", duration / 1000, logs >> 20),
        ),
        _ => {
            let problem = sources.get("limits_problem").and_then(Value::as_str).unwrap_or("nothing is told");
            Step::doubtful(
                "platform limits",
                format!("are not known: {}; {look_back}", problem.trim_end_matches('.')),
            )
        }
    });
}

fn logs(sources: &Value, steps: &mut Steps<'_>) {
    let found = |name: &str| sources.get("logs")?.get(name)?.as_str();
    let seen = found("activation").map_or_else(String::new, |id| format!(", as of activation {id}"));
    steps.add(match found("place") {
        Some("record") => Step::good(LOGS, format!("are in the activation records{seen}")),
        Some("api") => Step::good(LOGS, format!("are in a store that `/logs` asks{seen}")),
        Some("nowhere") => Step::bad(
            LOGS,
            format!("are where the API does not reach{seen}; the platform's log driver sends them elsewhere, so ask its operator"),
        ),
        _ => Step::doubtful(LOGS, "nobody knows where they are, as no selected action has logged of late; run one and check again"),
    });
}

/// What each entry of `actions` selects.
fn entries(sources: &Value, steps: &mut Steps<'_>) {
    let mut warnings: Vec<&str> = sources
        .get("warnings")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut is_any = false;
    for entry in sources.get("entries").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        let number = |key: &str| entry.get(key).and_then(Value::as_u64);
        let Some(of) = text("entry") else { continue };
        let name = format!("actions: {of}");
        let records = number("records").unwrap_or(0);
        is_any |= records > 0;
        let records = match entry.get("records_are_all") == Some(&Value::Bool(true)) {
            true => many(records, "record"),
            false => format!("{} at least", many(records, "record")),
        };
        let warned = warnings.iter().position(|warning| warning.contains(&format!("`{of}`")));
        steps.add(match (warned, text("problem"), number("actions")) {
            (None, None, Some(0)) => Step::doubtful(
                name,
                "selects no action that is there now; mend it, or leave it if the actions are still to come",
            ),
            (Some(warned), _, _) => Step::bad(name, warnings.swap_remove(warned)),
            (_, Some(problem), _) => Step::bad(name, problem),
            (_, _, Some(actions)) => Step::good(name, format!("{}, {records}", many(actions, "action"))),
            (_, _, None) => Step::good(name, records),
        });
    }
    // Such as what an exclusion names, or that there is no action at all.
    let mark = if is_any { Step::doubtful } else { Step::bad };
    warnings.into_iter().for_each(|warning| steps.add(mark("actions", warning)));
}
