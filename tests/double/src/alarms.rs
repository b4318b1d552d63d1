//! The alarms feed: the action `/whisk.system/alarms/alarm` that a deployer calls, and the provider behind it (docs/facts/openwhisk.md 4).

use serde_json::{Map, Value, json};

use crate::entities::{Alarm, Name, resolve};
use crate::invoker;
use crate::journal::Request;
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
    let flag = |name| request.param(name) == Some("true");
    let id = world.store().new_id();
    let outcome = feed.handle(world, own, &params);
    if !flag("blocking") {
        return Ok(Reply::accepted(&json!({"activationId": id})));
    }
    // An application error of a blocking invocation comes with status 502, and the record.
    let (status, word, result) = match outcome {
        Ok(result) => (200, "success", result),
        Err((_, error)) => (502, "application error", json!({"error": {"error": error}})),
    };
    let body = if flag("result") {
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
                let mut store = world.store();
                if store.entities.alarms.contains_key(&name) {
                    return Err((409, "error creating alarm trigger.".to_owned()));
                }
                store.entities.alarms.insert(name, Alarm { config, key: key.to_owned(), changed });
            }
            "UPDATE" => {
                let config = self.config(&name, params)?;
                let mut store = world.store();
                let alarm = store.entities.alarms.get_mut(&name).ok_or_else(missing)?;
                alarm.config.extend(config);
                alarm.changed = changed;
            }
            "DELETE" => {
                world.store().entities.alarms.remove(&name).ok_or_else(missing)?;
            }
            "READ" => {
                let alarm = world.store().entities.alarms.get(&name).cloned().ok_or_else(missing)?;
                let status = json!({"active": true, "dateChanged": alarm.changed});
                return Ok(json!({"config": alarm.config, "status": status}));
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
        let payload = match params.get("trigger_payload") {
            Some(Value::String(text)) => json!({"payload": text}),
            Some(payload @ Value::Object(_)) => payload.clone(),
            _ => json!({}),
        };
        config.insert("payload".into(), payload);
        let (key, value) = match self {
            Feed::Cron => ("cron", cron(params)?),
            Feed::Interval => ("minutes", minutes(params)?),
        };
        config.insert(key.into(), value);
        Ok(config)
    }
}

fn cron(params: &Map<String, Value>) -> Result<Value, Refusal> {
    let Some(cron) = params.get("cron").and_then(Value::as_str) else {
        return Err((400, "alarms trigger feed is missing the cron parameter".to_owned()));
    };
    let field = |field: &str| field.chars().all(|c| c.is_ascii_alphanumeric() || "*,-/".contains(c));
    let fields: Vec<&str> = cron.split_whitespace().collect();
    if !(5..=6).contains(&fields.len()) || !fields.iter().all(|text| field(text)) {
        return Err((400, format!("cron pattern '{cron}' is not valid")));
    }
    Ok(json!(cron))
}

fn minutes(params: &Map<String, Value>) -> Result<Value, Refusal> {
    match params.get("minutes") {
        Some(Value::Number(minutes)) if minutes.as_u64().is_some_and(|minutes| minutes > 0) => {
            Ok(json!(minutes))
        }
        Some(_) => Err((400, "the minutes parameter must be an integer greater than zero".to_owned())),
        None => Err((400, "interval trigger feed is missing the minutes parameter".to_owned())),
    }
}
