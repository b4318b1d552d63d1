//! Making it so, step by step.

use std::time::Duration;

use serde_json::{Value, json};

use super::code::Code;
use super::feed::{self, Alarm, FEED};
use super::platform::{Found, Kind, Platform};
use super::{DeployError, Deployment, MARK, watch};
use crate::run::{RunContext, Shim};

/// Largest log of one run, in megabytes: the platform's default, and more than a line a run will ever need.
const LOGS_MB: u32 = 10;

pub(super) async fn up(
    deployment: &Deployment,
    context: &RunContext,
    platform: &Platform,
    say: &mut dyn FnMut(&str),
) -> Result<(), DeployError> {
    let names = &deployment.names;
    let code = prepared(deployment)?;
    check(deployment, context).await?;
    let namespace = platform
        .namespace()
        .await
        .map_err(|reason| DeployError::Refused(format!("{}: {reason}", platform.origin())))?;
    let known = Known::of(deployment, platform, &namespace).await?;
    let full = |name: &str| format!("/{namespace}/{name}");
    let mut made = Made::default();

    let action = format!(
        "{} ({}, {} s, {} MB{})",
        full(&names.action),
        deployment.runtime.name(),
        deployment.timeout.as_secs_f64(),
        deployment.memory_mb,
        match code.bytes {
            0 => String::new(),
            bytes => format!(", {} KiB of code", bytes.div_ceil(1024)),
        }
    );
    let trigger = format!("{} by \"{}\"", full(&names.trigger), deployment.schedule.cron());
    let rule = full(&names.rule);
    if deployment.dry_run {
        for (known, kind, what) in [
            (&known.action, Kind::Action, &action),
            (&known.trigger, Kind::Trigger, &trigger),
            (&known.rule, Kind::Rule, &rule),
        ] {
            say(&format!("{} {what} would be {}", kind.word(), done(known)));
        }
        say("nothing was changed");
        return Ok(());
    }

    made.step("the action", platform.put(Kind::Action, &names.action, &action_body(deployment, code)).await)?;
    say(&format!("action {action}: {}", done(&known.action)));
    made.add("action", &names.action);

    let body = json!({"annotations": [mark(), {"key": "feed", "value": FEED}]});
    made.step("the trigger", platform.put(Kind::Trigger, &names.trigger, &body).await)?;
    made.add("trigger", &names.trigger);
    let alarm =
        made.step("the trigger's alarm", feed::set(platform, &names.trigger, &deployment.schedule).await)?;
    let alarm = match alarm {
        Alarm::Unchanged => "alarm unchanged",
        Alarm::Changed => "alarm changed",
        Alarm::Created => "alarm set",
    };
    say(&format!("trigger {trigger}: {}, {alarm}", done(&known.trigger)));

    let body = json!({
        "trigger": full(&names.trigger), "action": full(&names.action), "annotations": [mark()],
    });
    let stored = made.step("the rule", platform.put(Kind::Rule, &names.rule, &body).await)?;
    if stored.get("status").is_none_or(|status| status != "active") {
        // A trigger that was made again has forgotten its rules.
        made.step("switching the rule on", platform.activate(&names.rule).await)?;
    }
    say(&format!("rule {rule}: {}, active", done(&known.rule)));
    made.add("rule", &names.rule);

    if deployment.wait == Some(Duration::ZERO) {
        return Ok(());
    }
    let since_ms = stored.get("updated").and_then(Value::as_u64);
    let outcome = watch::first_run(deployment, platform, since_ms, say).await;
    made.step("the first run", outcome)?;
    Ok(())
}

/// What can be said without asking anybody.
fn prepared(deployment: &Deployment) -> Result<Code, DeployError> {
    let (timeout, period) = (deployment.timeout, deployment.schedule.period());
    if timeout > period {
        return Err(DeployError::Refused(format!(
            "--timeout: a run may last {} s, but --schedule \"{}\" starts one every {} s, so that runs would overlap; give a shorter \
             time, or a schedule with a longer period",
            timeout.as_secs_f64(),
            deployment.schedule.cron(),
            period.as_secs(),
        )));
    }
    Code::new(&deployment.runtime, deployment.zip.as_ref()).map_err(DeployError::Refused)
}

async fn check(deployment: &Deployment, context: &RunContext) -> Result<(), DeployError> {
    let shim = Shim::new().map_err(|error| DeployError::Refused(error.to_string()))?;
    let namespace = context.namespace.as_deref().unwrap_or("_");
    let context = RunContext {
        action_name: Some(format!("/{namespace}/{}", deployment.names.action)),
        ..context.clone()
    };
    match shim.check(deployment.params.clone(), &context).await {
        faults if faults.is_empty() => Ok(()),
        faults => Err(DeployError::Config(faults)),
    }
}

/// What was there before.
struct Known {
    action: Found,
    trigger: Found,
    rule: Found,
}

impl Known {
    /// Fails if anything of these names is somebody else's.
    async fn of(deployment: &Deployment, platform: &Platform, namespace: &str) -> Result<Self, DeployError> {
        let names = &deployment.names;
        let mut foreign = Vec::new();
        let mut find = async |kind: Kind, name: &str| {
            let found = platform.find(kind, name).await;
            if let Ok(Found::Foreign) = found {
                foreign.push(format!("`wsk {} delete {name}`", kind.word()));
            }
            found.map_err(|reason| {
                DeployError::Refused(format!("what there is in /{namespace} cannot be read: {reason}"))
            })
        };
        let known = Self {
            action: find(Kind::Action, &names.action).await?,
            trigger: find(Kind::Trigger, &names.trigger).await?,
            rule: find(Kind::Rule, &names.rule).await?,
        };
        if foreign.is_empty() {
            return Ok(known);
        }
        Err(DeployError::Refused(format!(
            "there is something of that name in /{namespace} which `whiskjack deploy` has not made, and it is left alone; give another \
             --name, or delete it: {}",
            foreign.join(", ")
        )))
    }
}

fn done(before: &Found) -> &'static str {
    if matches!(before, Found::Nothing) { "created" } else { "updated" }
}

fn mark() -> Value {
    json!({"key": MARK, "value": env!("CARGO_PKG_VERSION")})
}

fn action_body(deployment: &Deployment, code: Code) -> Value {
    let params = deployment.params.as_object().into_iter().flatten();
    let parameters: Vec<Value> = params.map(|(key, value)| json!({"key": key, "value": value})).collect();
    json!({
        "exec": code.exec,
        "parameters": parameters,
        "annotations": [{"key": "provide-api-key", "value": true}, mark()],
        "limits": {
            "timeout": u64::try_from(deployment.timeout.as_millis()).unwrap_or(u64::MAX),
            "memory": deployment.memory_mb,
            "logs": LOGS_MB,
        },
    })
}

/// What has been made so far, to say so when a step fails.
#[derive(Default)]
struct Made(Vec<String>);

impl Made {
    fn add(&mut self, what: &str, name: &str) {
        self.0.push(format!("the {what} {name}"));
    }

    fn step<T>(&self, step: &'static str, outcome: Result<T, String>) -> Result<T, DeployError> {
        outcome.map_err(|reason| {
            let there = match self.0.as_slice() {
                [] => "Nothing was changed".to_owned(),
                there => format!("There are now {}", there.join(", ")),
            };
            let left = format!(
                "{there}. The same command goes on from there when that is mended; `whiskjack undeploy` takes away what it made"
            );
            DeployError::Step { step, reason, left }
        })
    }
}
