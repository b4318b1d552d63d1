//! The state of a deployment, read without changing it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::feed;
use super::platform::{Kind, Platform};
use super::{DeployError, Names, Schedule, reach};
use crate::http::error_text;
use crate::result;
use crate::run::RunContext;

/// Runs that are told.
const RUNS: u32 = 5;

/// A deployed action.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// Its parameters, which hold secrets.
    pub(crate) params: Map<String, Value>,
    /// Action, trigger, rule, alarm and last runs, without secrets.
    pub(crate) told: Value,
}

/// The action of that name, if there is one; `params` say how the API is reached.
pub(crate) async fn state(
    names: &Names,
    params: &Value,
    context: &RunContext,
) -> Result<Option<State>, DeployError> {
    let reached = reach(params, context)?;
    if !reached.faults.is_empty() {
        return Err(DeployError::Config(reached.faults));
    }
    let found = of(names, &reached.platform).await;
    let found = found.map_err(DeployError::Refused);
    let found = found.map_err(|error| error.with_key_place(&reached, context).sealed(&reached.secrets))?;
    Ok(found.map(|state| State {
        told: serde_json::from_str(&result::without(&state.told.to_string(), &reached.secrets))
            .unwrap_or_default(),
        ..state
    }))
}

async fn of(names: &Names, platform: &Platform) -> Result<Option<State>, String> {
    let Some((action, is_deployed)) = platform.shown(Kind::Action, &names.action).await? else {
        return Ok(None);
    };
    let pairs = action.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let params =
        pairs.filter_map(|pair| Some((pair.get("key")?.as_str()?.to_owned(), pair.get("value")?.clone())));
    let trigger = platform.shown(Kind::Trigger, &names.trigger).await?;
    let rule = platform.shown(Kind::Rule, &names.rule).await?;
    let runs = platform.newest(&names.action, RUNS).await?;
    let alarm = match &trigger {
        Some(_) => feed::read(platform, &names.trigger).await,
        None => Err("there is no trigger".to_owned()),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let rule_is_active =
        rule.as_ref().map(|(rule, _)| rule.get("status").is_some_and(|status| status == "active"));
    Ok(Some(State {
        params: params.collect(),
        told: json!({
            "name": names.action,
            "deployed_by_whiskjack": is_deployed,
            "version": action.get("version"),
            "kind": action.pointer("/exec/kind"),
            "limits": action.get("limits"),
            "trigger": trigger.as_ref().map(|_| &names.trigger),
            "rule": rule.as_ref().map(|_| &names.rule),
            "rule_is_active": rule_is_active,
            "alarm": alarm_told(&alarm, rule_is_active == Some(true)),
            "runs": runs.iter().map(|run| run_told(run, now)).collect::<Vec<Value>>(),
        }),
    }))
}

/// The alarm: how often, and when next, if anything comes of that.
fn alarm_told(alarm: &Result<feed::Known, String>, leads_to_a_run: bool) -> Value {
    match alarm {
        Err(problem) => json!({"problem": problem}),
        Ok(known) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let schedule = known.cron.as_deref().and_then(|cron| Schedule::parse(cron).ok());
            let next = schedule.filter(|_| known.is_active && leads_to_a_run);
            let next = next.and_then(|schedule| schedule.next(now)).map(rfc3339);
            json!({"cron": known.cron, "is_active": known.is_active, "next": next})
        }
    }
}

/// One run, by its record.
fn run_told(record: &Value, now: Duration) -> Value {
    let start = record.get("start").and_then(Value::as_u64).map(Duration::from_millis);
    let result = |path: &str| record.pointer(&format!("/response/result/{path}"));
    let error = record.pointer("/response/result").and_then(error_text);
    json!({
        "activation": record.get("activationId"),
        "start": start.map(rfc3339),
        "age_ms": start.map(|start| u64::try_from(now.saturating_sub(start).as_millis()).unwrap_or(u64::MAX)),
        "duration_ms": record.get("duration"),
        "success": record.pointer("/response/success"),
        "error": error,
        "skipped": result("skipped"),
        "rested": result("checkpoint").is_some_and(|said| said == "unchanged") && result("skipped").is_none() && error.is_none(),
        "lines": result("lines/acknowledged"),
        "left_ranges": result("left/ranges"),
        "left_records": result("left/records"),
        "put_off": result("left/activations"),
    })
}

/// A time since 1970, as the component writes it.
fn rfc3339(time: Duration) -> String {
    let date = pkcs8::der::DateTime::from_unix_duration(Duration::from_secs(time.as_secs()));
    // `2023-11-14T22:13:20Z`; the milliseconds stand before the last letter.
    let whole = date.map(|date| date.to_string()).unwrap_or_default();
    format!("{}.{:03}Z", whole.trim_end_matches('Z'), time.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_the_component_writes_it() {
        assert_eq!(rfc3339(Duration::from_millis(1_700_000_000_042)), "2023-11-14T22:13:20.042Z");
    }

    #[test]
    fn a_run_is_told_by_its_result_or_by_its_error() {
        let good = json!({"activationId": "a1", "start": 0, "duration": 12, "response": {"success": true, "result": {
            "lines": {"acknowledged": 7}, "left": {"ranges": 1, "activations": 2}
        }}});
        let now = Duration::from_secs(60);
        let told = run_told(&good, now);
        assert_eq!((&told["start"], &told["age_ms"]), (&json!("1970-01-01T00:00:00.000Z"), &json!(60_000)));
        assert_eq!(
            (&told["lines"], &told["left_ranges"], &told["put_off"]),
            (&json!(7), &json!(1), &json!(2))
        );
        let bad = json!({"response": {"success": false, "result": {"error": {"error": "no receiver"}}}});
        assert_eq!(run_told(&bad, now)["error"], "no receiver");
        let rested =
            |result: Value| run_told(&json!({"response": {"result": result}}), now)["rested"].clone();
        assert_eq!(rested(json!({"checkpoint": "unchanged"})), true);
        assert_eq!(rested(json!({"checkpoint": "unchanged", "skipped": "another run"})), false);
        assert_eq!([rested(json!({"checkpoint": "saved"})), rested(json!({}))], [json!(false), json!(false)]);
    }

    #[test]
    fn an_alarm_that_leads_to_no_run_has_no_next_time() {
        let known = |is_active| Ok(feed::Known { cron: Some("* * * * *".to_owned()), is_active });
        assert!(alarm_told(&known(true), true)["next"].is_string());
        assert!(alarm_told(&known(true), false)["next"].is_null());
        assert!(alarm_told(&known(false), true)["next"].is_null());
    }
}
