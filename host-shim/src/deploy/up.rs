//! Deploying, step by step.

use std::time::Duration;

use serde_json::{Value, json};

use super::code::Code;
use super::feed::{self, Alarm, FEED};
use super::platform::{Found, Kind, Platform};
use super::{DeployError, Deployment, MARK, Reached, limits, secrets, watch};
use crate::run::{RunContext, Shim, other_namespace};

/// Largest log of one run, in megabytes: the platform's default, and more than a line a run will ever need.
const LOGS_MB: u32 = 10;

pub(super) async fn up(
    deployment: &Deployment,
    context: &RunContext,
    reached: &Reached,
    say: &mut dyn FnMut(&str),
) -> Result<(), DeployError> {
    let Reached { platform, secret_keys, warnings, .. } = reached;
    let doing = &context.attached.doing;
    let code = Code::new(&deployment.runtime, deployment.zip.as_ref()).map_err(DeployError::Misused)?;
    let shim = Shim::new().map_err(|error| DeployError::Refused(error.to_string()))?;
    check(deployment, context, &shim).await?;
    doing.begin("the API");
    let namespaces = platform.namespaces().await;
    let namespaces =
        namespaces.map_err(|reason| DeployError::Refused(format!("{}: {reason}", platform.origin())))?;
    if let Some(fault) = other_namespace(context, &namespaces) {
        return Err(DeployError::Config(vec![fault]));
    }
    let namespace = namespaces.into_iter().next().unwrap_or_default();
    limits::check(&platform.info().await, deployment).map_err(DeployError::Misused)?;
    let known = Known::of(deployment, platform, &namespace).await?;
    let shown = Shown::new(deployment, &namespace, code.bytes);
    if platform.origin().is_exposed() {
        say(&secrets::exposed(platform.origin(), secret_keys));
    }
    doing.begin("a plan of the first run");
    let foreseen = shim.foresee(deployment.params.clone(), &as_action(deployment, context)).await;
    let foreseen = foreseen.into_iter().filter(|warning| !secrets::says_that_it_is_exposed(warning));
    let all = warnings
        .iter()
        .cloned()
        .chain(foreseen)
        .chain(code.notes.clone())
        .chain(left_out(&deployment.params));
    all.for_each(|warning| say(&format!("warning: {warning}")));
    if let Some(note) = deployment.schedule.note() {
        say(&note);
    }
    if deployment.dry_run {
        for (known, what) in
            [(&known.action, &shown.action), (&known.trigger, &shown.trigger), (&known.rule, &shown.rule)]
        {
            say(&format!("{what} would be {}", done(known)));
        }
        secrets::planned(secret_keys).iter().for_each(|line| say(line));
        say("nothing was changed");
        return Ok(());
    }
    let mut made = Made::default();
    let body = action_body(deployment, code);
    doing.begin("the action");
    made.step("the action", platform.put(Kind::Action, &deployment.names.action, &body).await)?;
    made.add("action", &deployment.names.action);
    say(&format!("{}: {}", shown.action, done(&known.action)));
    if !secret_keys.is_empty() {
        let stored = platform.stored(Kind::Action, &deployment.names.action).await;
        say(&secrets::stored(secret_keys, &made.step("how the action's parameters are stored", stored)?));
    }

    doing.begin("the trigger");
    let alarm = set_trigger(deployment, platform, &mut made).await?;
    say(&format!("{}: {}, {alarm}", shown.trigger, done(&known.trigger)));

    doing.begin("the rule");
    let stored = set_rule(deployment, platform, &namespace, &mut made).await?;
    say(&format!("{}: {}, active", shown.rule, done(&known.rule)));
    if deployment.wait == Some(Duration::ZERO) {
        return Ok(());
    }
    // By the platform's clock, not ours.
    let since_ms = stored.get("updated").and_then(Value::as_u64);
    made.step("the first run", watch::first_run(deployment, platform, since_ms, doing, say).await)
}

/// The trigger with its alarm; tells what became of the alarm.
async fn set_trigger(
    deployment: &Deployment,
    platform: &Platform,
    made: &mut Made,
) -> Result<&'static str, DeployError> {
    let name = &deployment.names.trigger;
    let body = json!({"annotations": [mark(), {"key": "feed", "value": FEED}]});
    made.step("the trigger", platform.put(Kind::Trigger, name, &body).await)?;
    made.add("trigger", name);
    let alarm = made.step("the trigger's alarm", feed::set(platform, name, &deployment.schedule).await)?;
    Ok(match alarm {
        Alarm::Unchanged => "alarm unchanged",
        Alarm::Changed => "alarm changed",
        Alarm::Created => "alarm set",
    })
}

/// The rule, switched on; gives what the API shows of it.
async fn set_rule(
    deployment: &Deployment,
    platform: &Platform,
    namespace: &str,
    made: &mut Made,
) -> Result<Value, DeployError> {
    let names = &deployment.names;
    let full = |name: &str| format!("/{namespace}/{name}");
    let body = json!({
        "trigger": full(&names.trigger), "action": full(&names.action), "annotations": [mark()],
    });
    let stored = made.step("the rule", platform.put(Kind::Rule, &names.rule, &body).await)?;
    made.add("rule", &names.rule);
    if stored.get("status").is_none_or(|status| status != "active") {
        // A trigger that was made again has forgotten its rules.
        made.step("switching the rule on", platform.activate(&names.rule).await)?;
    }
    Ok(stored)
}

/// What is made, in words.
struct Shown {
    action: String,
    trigger: String,
    rule: String,
}

impl Shown {
    fn new(deployment: &Deployment, namespace: &str, code_bytes: usize) -> Self {
        let names = &deployment.names;
        let code = match code_bytes {
            0 => String::new(),
            bytes => format!(", {} KiB of code", bytes.div_ceil(1024)),
        };
        Self {
            action: format!(
                "action /{namespace}/{} ({}, {} s, {} MB{code})",
                names.action,
                deployment.runtime.name(),
                deployment.timeout.as_secs_f64(),
                deployment.memory_mb,
            ),
            trigger: format!("trigger /{namespace}/{} by \"{}\"", names.trigger, deployment.schedule.cron()),
            rule: format!("rule /{namespace}/{}", names.rule),
        }
    }
}

/// The context in which the action will run.
fn as_action(deployment: &Deployment, context: &RunContext) -> RunContext {
    let namespace = context.namespace.as_deref().unwrap_or("_");
    let action_name = Some(format!("/{namespace}/{}", deployment.names.action));
    RunContext { action_name, ..context.clone() }
}

async fn check(deployment: &Deployment, context: &RunContext, shim: &Shim) -> Result<(), DeployError> {
    match shim.check(deployment.params.clone(), &as_action(deployment, context)).await {
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
                DeployError::Refused(format!(
                    "the actions, triggers and rules of /{namespace} cannot be read: {reason}"
                ))
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
    let params = deployment.params.as_object().into_iter().flatten().filter(|(key, _)| !is_platforms(key));
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

/// Whether the platform gives a parameter of this name to each run. One of the file would be stored, a key for everybody to read, and never be used.
fn is_platforms(key: &str) -> bool {
    key.starts_with("__")
}

/// What is not made a parameter of the action. Values are not shown: one may be a key.
fn left_out(params: &Value) -> Option<String> {
    let names = params.as_object()?.keys().filter(|key| is_platforms(key));
    let names: Vec<String> = names.map(|key| format!("`{key}`")).collect();
    (!names.is_empty()).then(|| {
        format!(
            "left out of the action's parameters: {}; what begins with `__` comes from the platform. Host and key of the API belong into the \
             environment or ~/.wskprops",
            names.join(", ")
        )
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
