//! The alarm of a trigger: an entry at the alarms provider, made and changed by a feed action (docs/facts/openwhisk.md 4).

use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};

use super::Schedule;
use super::platform::Platform;
use crate::http::error_text;

/// The feed, as an annotation of the trigger names it.
pub(super) const FEED: &str = "/whisk.system/alarms/alarm";
const PATH: &str = "whisk.system/actions/alarms/alarm";

/// How long to wait for a feed action that the API no longer waits for.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_secs(1);

/// What came of setting an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alarm {
    Unchanged,
    Changed,
    Created,
}

/// Makes the alarm of a trigger go off by the schedule. Errors are sentences without their full stop.
pub(super) async fn set(platform: &Platform, trigger: &str, schedule: &Schedule) -> Result<Alarm, String> {
    let cron = Some(schedule.cron());
    match call(platform, trigger, "READ", None).await? {
        Ok(known) if !known.is_active => {
            // What the provider has disabled, as after too many failures, begins anew.
            call(platform, trigger, "DELETE", None).await??;
        }
        Ok(known) if known.cron.as_deref() == Some(schedule.cron()) => return Ok(Alarm::Unchanged),
        Ok(_) => {
            call(platform, trigger, "UPDATE", cron).await??;
            return Ok(Alarm::Changed);
        }
        // It does not know the trigger, or is too old to be asked.
        Err(_) => {}
    }
    call(platform, trigger, "CREATE", cron).await??;
    Ok(Alarm::Created)
}

/// Takes the alarm of a trigger away; it is fine if there is none.
pub(super) async fn remove(platform: &Platform, trigger: &str) -> Result<(), String> {
    match call(platform, trigger, "DELETE", None).await? {
        Err(said) if !said.contains("could not find") => Err(said),
        _ => Ok(()),
    }
}

/// What the provider knows of an alarm.
pub(super) struct Known {
    pub(super) cron: Option<String>,
    pub(super) is_active: bool,
}

/// The alarm of a trigger, as it is.
pub(super) async fn read(platform: &Platform, trigger: &str) -> Result<Known, String> {
    call(platform, trigger, "READ", None).await?
}

/// The outer error: the feed could not be asked; the inner one: it would not.
async fn call(
    platform: &Platform,
    trigger: &str,
    event: &str,
    cron: Option<&str>,
) -> Result<Result<Known, String>, String> {
    let mut params = Map::new();
    params.insert("lifecycleEvent".to_owned(), event.into());
    params.insert("triggerName".to_owned(), format!("/_/{trigger}").into());
    params.extend(cron.map(|cron| ("cron".to_owned(), cron.into())));
    let mut answer = platform.invoke_feed(PATH, params).await?;
    if answer.status == StatusCode::NOT_FOUND {
        return Err(format!(
            "{}; this platform has no alarms package ({FEED}), so something else must fire the trigger",
            answer.refusal()
        ));
    }
    if answer.status == StatusCode::ACCEPTED {
        answer.body = finished(platform, &answer.body).await?;
    }
    let response = answer.body.get("response");
    let result = response.and_then(|response| response.get("result"));
    let succeeded = response.and_then(|response| response.get("success")) == Some(&Value::Bool(true));
    match result {
        Some(result) if succeeded => Ok(Ok(Known {
            cron: result.pointer("/config/cron").and_then(Value::as_str).map(str::to_owned),
            is_active: result.pointer("/status/active") != Some(&Value::Bool(false)),
        })),
        Some(result) => {
            let said = error_text(result).unwrap_or("nothing about the reason");
            Ok(Err(format!("the alarms feed says: {}", said.trim_end_matches('.'))))
        }
        None => Err(answer.refusal()),
    }
}

/// The record of a blocking invocation that took longer than the API waits.
async fn finished(platform: &Platform, accepted: &Value) -> Result<Value, String> {
    let id = accepted.get("activationId").and_then(Value::as_str).ok_or("the alarms feed gave no answer")?;
    let limit = Instant::now() + PATIENCE;
    while Instant::now() < limit {
        if let Some(record) = platform.activation(id).await? {
            return Ok(record);
        }
        sleep(PAUSE).await;
    }
    Err(format!("the alarms feed has not answered yet (activation {id})"))
}
