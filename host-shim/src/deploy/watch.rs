//! Waiting for the first run and its result.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::Deployment;
use super::platform::Platform;
use crate::doing::Doing;
use crate::http::error_text;
use whiskjack_settings::text::many;

/// An alarm that goes off less often is not waited for; the trigger is fired by hand instead.
const LONGEST_PERIOD: Duration = Duration::from_secs(300);

/// Time for queues, log collection and the list's index, beside the alarm's and the run's own.
const SETTLING: Duration = Duration::from_secs(60);

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Waits for a run that starts after `since_ms`, milliseconds since 1970 by the platform's clock, and tells what came of it. The error is a
/// sentence without its full stop.
pub(super) async fn first_run(
    deployment: &Deployment,
    platform: &Platform,
    since_ms: Option<u64>,
    doing: &Doing,
    say: &mut dyn FnMut(&str),
) -> Result<(), String> {
    let since_ms = since_ms.unwrap_or_else(now_ms);
    let (action, trigger) = (&deployment.names.action, &deployment.names.trigger);
    let period = deployment.schedule.period();
    let by_hand = period > LONGEST_PERIOD;
    let mut patience = deployment.timeout + SETTLING;
    if by_hand {
        if !platform.fire(trigger).await? {
            return Err(format!("the trigger {trigger} was fired, and no active rule hangs on it"));
        }
        say(&format!(
            "the trigger was fired once by hand, as its alarm waits for \"{}\"",
            deployment.schedule.cron()
        ));
    } else {
        patience += period;
    }
    let patience = deployment.wait.unwrap_or(patience);
    say(&format!("waiting for the first run, {} s at most", patience.as_secs_f64()));
    doing.begin_limited("the first run", Some(patience));
    let limit = Instant::now() + patience;
    let mut pause = FIRST_PAUSE;
    loop {
        if let Some(record) = platform.activations(action, since_ms).await?.first() {
            return told(record, say);
        }
        if Instant::now() >= limit {
            break;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Err(missing(platform, trigger, since_ms, patience).await)
}

/// Why there may be no run.
async fn missing(platform: &Platform, trigger: &str, since_ms: u64, patience: Duration) -> String {
    let fired = platform.activations(trigger, since_ms).await.is_ok_and(|records| !records.is_empty());
    let seconds = patience.as_secs_f64();
    if fired {
        format!(
            "the trigger {trigger} has fired, but after {seconds} s there is no record of a run: it may still be running, or the platform does \
             not keep records of successful runs; look again with `wsk activation list`"
        )
    } else {
        format!(
            "the trigger {trigger} has not fired within {seconds} s: the alarms provider may be down or slow, or the platform keeps no \
             records; look at `wsk trigger get {trigger}` and `wsk activation list`"
        )
    }
}

/// The result of a run in a sentence.
fn told(record: &Value, say: &mut dyn FnMut(&str)) -> Result<(), String> {
    let text = |path: &str| record.pointer(path).and_then(Value::as_str);
    let number = |path: &str| record.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    let id = text("/activationId").unwrap_or("without an id");
    if let Some(error) = record.pointer("/response/result").and_then(error_text) {
        return Err(format!("it has failed (activation {id}): {}", error.trim_end_matches('.')));
    }
    if record.pointer("/response/success") != Some(&Value::Bool(true)) {
        let status = text("/response/status").unwrap_or("no success");
        return Err(format!("it has failed (activation {id}): {status}"));
    }
    match text("/response/result/skipped") {
        Some(skipped) => say(&format!("the first run had nothing to do: {skipped} (activation {id})")),
        None if record.pointer("/response/result/lines/acknowledged").is_none() => {
            return Err(format!(
                "its result is not one of whiskjack (activation {id}); does the image or the zip hold whiskjack, and does the platform start it?"
            ));
        }
        None => say(&format!(
            "the first run took {} ms: {}, {} read, {} acknowledged, {} left (activation {id})",
            number("/duration"),
            many(number("/response/result/activations"), "new activation"),
            many(number("/response/result/lines/read"), "line"),
            number("/response/result/lines/acknowledged"),
            many(number("/response/result/left/ranges"), "range"),
        )),
    }
    let warnings = record.pointer("/response/result/warnings").and_then(Value::as_array);
    for warning in warnings.into_iter().flatten().filter_map(Value::as_str) {
        say(&format!("warning: {warning}"));
    }
    Ok(())
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
