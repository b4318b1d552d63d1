//! The alarms feed: the action `/whisk.system/alarms/alarm` that a deployer calls, and the provider behind it (docs/facts/openwhisk.md 4).

use serde_json::{Map, Value, json};

use crate::entities::{Alarm, Name, resolve};
use crate::invoker;
use crate::journal::Request;
use crate::query::flag;
use crate::reply::Reply;
use crate::triggers;
use crate::world::World;

/// What went wrong, as the feed's web action says it.
type Refusal = (u16, String);

/// A request to an action in `whisk.system`; `path` is `package/action`.
pub(crate) fn answer(world: &World, own: &str, path: &str, request: &Request) -> Result<Reply, Reply> {
    let feed = match path {
        "alarms/alarm" => Feed::Cron,
        "alarms/interval" => Feed::Interval,
        _ => return Err(Reply::no_resource()),
    };
    if request.method != "POST" {
        return Err(Reply::forbidden(&format!("whisk.system/{path}")));
    }
    let params = invoker::payload(request)?;
    let (blocking, result_only) = (flag(request, "blocking", false)?, flag(request, "result", false)?);
    let id = world.store().new_id();
    let outcome = feed.handle(world, own, &params);
    if !blocking {
        return Ok(Reply::accepted(&json!({"activationId": id})));
    }
    // An application error of a blocking invocation comes with status 502, and the record.
    let (status, word, result) = match outcome {
        Ok(result) => (200, "success", result),
        Err((_, error)) => (502, "application error", json!({"error": {"error": error}})),
    };
    let body = if result_only {
        result
    } else {
        let response = json!({"status": word, "success": status == 200, "result": result});
        json!({"activationId": id, "namespace": own, "name": feed.name(), "response": response, "logs": []})
    };
    Ok(Reply::raw(status, "application/json", body.to_string().into_bytes()))
}

/// The time has come: fires the trigger with the key of whoever made the alarm.
pub(crate) fn ring(world: &World, name: &Name) -> Option<String> {
    let alarm = world.store().entities.alarms.get(name)?.clone();
    if world.key_of(&name.0)? != alarm.key {
        return None;
    }
    let mut payload = alarm.config.get("payload").and_then(Value::as_object).cloned().unwrap_or_default();
    // The provider's own headers, its authorization among them, come along (docs/facts/openwhisk.md 3.5).
    payload.insert(
        "__ow_headers".into(),
        json!({"authorization": "Basic an-invented-value", "host": "controllers"}),
    );
    triggers::fire(world, name, payload).flatten()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feed {
    Cron,
    Interval,
}

impl Feed {
    fn name(self) -> &'static str {
        match self {
            Feed::Cron => "alarm",
            Feed::Interval => "interval",
        }
    }

    fn handle(self, world: &World, own: &str, params: &Map<String, Value>) -> Result<Value, Refusal> {
        let text = |key: &str| params.get(key).and_then(Value::as_str);
        let bad = |what: &str| (400, what.to_owned());
        let key = text("authKey").ok_or_else(|| bad("no authKey parameter was provided"))?;
        let trigger = text("triggerName").ok_or_else(|| bad("no trigger name parameter was provided"))?;
        let name = (own.to_owned(), resolve(trigger, own).1);
        let event = text("lifecycleEvent").unwrap_or("CREATE");
        self.verify(world, &name, key, event == "DELETE")?;
        let changed = world.clock().now();
        let missing = || (404, format!("could not find trigger /{}/{} in the database", name.0, name.1));
        match event {
            "CREATE" => {
                let config = self.config(&name, params)?;
                // One that is there is replaced.
                world.store().entities.alarms.insert(name, Alarm { config, key: key.to_owned(), changed });
            }
            "UPDATE" => {
                let mut store = world.store();
                let alarm = store.entities.alarms.get_mut(&name).ok_or_else(missing)?;
                // Which feed is asked does not matter: it stays what it was made as.
                let kind = if alarm.config.contains_key("minutes") { Feed::Interval } else { Feed::Cron };
                let new = kind.updated(params)?;
                alarm.config.extend(new);
                alarm.changed = changed;
            }
            "DELETE" => {
                world.store().entities.alarms.remove(&name).ok_or_else(missing)?;
            }
            "READ" => {
                let alarm = world.store().entities.alarms.get(&name).cloned().ok_or_else(missing)?;
                let status = json!({"active": true, "dateChanged": alarm.changed});
                let mut config = alarm.config;
                config.insert("strict".into(), json!(false));
                return Ok(json!({"config": config, "status": status}));
            }
            _ => return Err(bad("unsupported lifecycleEvent")),
        }
        Ok(json!({"status": "success"}))
    }

    /// The provider asks for the trigger with the key it was given.
    fn verify(self, world: &World, name: &Name, key: &str, deleting: bool) -> Result<(), Refusal> {
        let failed = |status| Err((status, "Trigger authentication request failed.".to_owned()));
        if world.key_of(&name.0).as_deref() != Some(key) {
            return failed(401);
        }
        if !deleting && !world.store().entities.triggers.contains_key(name) {
            return failed(404);
        }
        Ok(())
    }

    fn config(self, name: &Name, params: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
        let mut config = Map::new();
        config.insert("name".into(), json!(name.1));
        config.insert("namespace".into(), json!(name.0));
        config.insert("payload".into(), payload(params).unwrap_or_else(|| json!({})));
        let (key, value) = self.schedule(params);
        let missing = match self {
            Feed::Cron => "alarms trigger feed is missing the cron parameter",
            Feed::Interval => "interval trigger feed is missing the minutes parameter",
        };
        let value = value.ok_or_else(|| (400, missing.to_owned()))?;
        config.insert(key.into(), value?);
        Ok(config)
    }

    /// What an update changes: something at least.
    fn updated(self, params: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
        let mut new = Map::new();
        new.extend(payload(params).map(|payload| ("payload".to_owned(), payload)));
        let (key, value) = self.schedule(params);
        new.extend(value.transpose()?.map(|value| (key.to_owned(), value)));
        if new.is_empty() {
            return Err((400, "no updatable parameters were specified".to_owned()));
        }
        Ok(new)
    }

    /// The parameter that says when, and what it says, if it is there.
    fn schedule(self, params: &Map<String, Value>) -> (&'static str, Option<Result<Value, Refusal>>) {
        match self {
            Feed::Cron => ("cron", given(params, "cron").map(cron)),
            Feed::Interval => ("minutes", given(params, "minutes").map(minutes)),
        }
    }
}

/// A parameter that is neither missing nor empty, zero or false.
fn given<'p>(params: &'p Map<String, Value>, key: &str) -> Option<&'p Value> {
    params
        .get(key)
        .filter(|value| !matches!(value, Value::Null) && **value != json!("") && **value != json!(0))
}

fn payload(params: &Map<String, Value>) -> Option<Value> {
    match params.get("trigger_payload") {
        Some(Value::String(text)) if !text.is_empty() => Some(json!({"payload": text})),
        Some(payload @ Value::Object(_)) => Some(payload.clone()),
        _ => None,
    }
}

/// What the feed takes for a pattern: values that are too large or too small are taken, and so are a field too few or too many.
fn cron(value: &Value) -> Result<Value, Refusal> {
    let cron = value.as_str().unwrap_or_default();
    if !cron.split_whitespace().all(|field| field.split(',').all(is_part)) {
        return Err((400, format!("cron pattern '{cron}' is not valid")));
    }
    Ok(json!(cron))
}

/// A value, a range or `*`, each with or without a step; names are numbers too.
fn is_part(part: &str) -> bool {
    const NAMES: &str = "jan feb mar apr may jun jul aug sep oct nov dec sun mon tue wed thu fri sat";
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = |text: &str| digits(text) || NAMES.split(' ').any(|name| name.eq_ignore_ascii_case(text));
    let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    let ranges = match range.split_once('-') {
        Some((first, last)) => value(first) && value(last),
        None => range == "*" || value(range),
    };
    ranges && step.is_none_or(digits)
}

fn minutes(value: &Value) -> Result<Value, Refusal> {
    let number = match value {
        Value::String(text) => text.parse::<i64>().ok(),
        other => other.as_i64(),
    };
    match number {
        Some(minutes) if minutes > 0 => Ok(json!(minutes)),
        Some(_) => Err((400, "the minutes parameter must be an integer greater than zero".to_owned())),
        None => Err((400, "the minutes parameter must be an integer".to_owned())),
    }
}
