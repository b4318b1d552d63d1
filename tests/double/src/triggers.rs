//! Triggers: create, update, get, delete, fire.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::activation::Activation;
use crate::entities::{Link, Name, Trigger, check_name, content, exists_already, merge, overwrites, pair};
use crate::invoker;
use crate::journal::Request;
use crate::query::legal_name;
use crate::reply::Reply;
use crate::rules::path;
use crate::world::World;

/// A request to `…/triggers/NAME`.
pub(crate) fn answer(world: &World, max_bytes: usize, name: Name, request: &Request) -> Result<Reply, Reply> {
    check_name(&name.1)?;
    match &*request.method {
        "GET" => {
            let store = world.store();
            store.entities.triggers.get(&name).map(shown).map(Reply::json).ok_or_else(Reply::no_resource)
        }
        "DELETE" => {
            let removed = world.store().entities.triggers.remove(&name);
            removed.as_ref().map(shown).map(Reply::json).ok_or_else(Reply::no_resource)
        }
        "PUT" => put(world, max_bytes, name, request).map(Reply::json),
        "POST" => {
            let mut payload = invoker::payload(request)?;
            // Whoever fires it hands over his headers, with what is in them (docs/facts/openwhisk.md 3.5).
            payload.insert("__ow_headers".into(), headers(request));
            let fired = fire(world, &name, payload).ok_or_else(Reply::no_resource)?;
            Ok(match fired {
                Some(id) => Reply::accepted(&json!({"activationId": id})),
                None => Reply::raw(204, "application/json", Vec::new()),
            })
        }
        _ => Err(Reply::not_allowed("GET, PUT, DELETE, POST")),
    }
}

fn put(world: &World, max_bytes: usize, name: Name, request: &Request) -> Result<Value, Reply> {
    let overwrites = overwrites(request)?;
    let content = content(request, max_bytes)?;
    let updated = world.clock().now();
    let mut store = world.store();
    let old = store.entities.triggers.get(&name);
    if old.is_some() && !overwrites {
        return Err(exists_already());
    }
    let stored = merge(&name, old.map(|old| &old.stored), &content, &["parameters", "limits"], updated);
    let feed = pair(&stored["annotations"], "feed");
    let legal = |feed: &str| feed.trim_start_matches('/').split('/').all(legal_name);
    if old.is_none() && feed.is_some_and(|feed| !feed.as_str().is_some_and(legal)) {
        return Err(Reply::error(400, "Feed name is not valid"));
    }
    let rules = old.and_then(|old| old.rules.clone());
    let trigger = Trigger { stored, rules };
    let reply = shown(&trigger);
    store.entities.triggers.insert(name, trigger);
    Ok(reply)
}

/// Fires a trigger: `None` if there is none, else the activation's id, unless no active rule hangs on it.
pub(crate) fn fire(world: &World, name: &Name, payload: Map<String, Value>) -> Option<Option<String>> {
    let (trigger, rules) = {
        let store = world.store();
        let trigger = store.entities.triggers.get(name)?.clone();
        // It goes by what it knows of its rules, and asks nobody else.
        let rules: Vec<_> = trigger
            .links()
            .iter()
            .map(|(rule, Link { action, active })| {
                let stored = store.entities.actions.get(action).cloned();
                (rule.clone(), *active, action.clone(), stored)
            })
            .collect();
        (trigger, rules)
    };
    if !rules.iter().any(|(_, active, ..)| *active) {
        return Some(None);
    }
    let mut record = Activation::trigger(&name.1).namespace(&name.0).result(Value::Object(payload.clone()));
    for (rule, active, action_name, action) in rules {
        let (rule, path) = (format!("{}/{rule}", name.0), format!("{}/{}", action_name.0, action_name.1));
        record = match action {
            _ if !active => record.inactive_rule(&rule, &path),
            None => {
                let error = "The requested resource does not exist.";
                record.raw_log(
                    json!({"rule": rule, "action": path, "statusCode": 1, "success": false, "error": error})
                        .to_string(),
                )
            }
            Some(action) => {
                let mut args = pairs(&trigger.stored["parameters"]);
                args.extend(payload.clone());
                let id = invoker::invoke(world, &action_name, &action, args);
                record.rule(&rule, &path, &id)
            }
        };
    }
    Some(Some(world.add(record)))
}

/// Parameters as an object.
pub(crate) fn pairs(parameters: &Value) -> Map<String, Value> {
    let all = parameters.as_array().into_iter().flatten();
    all.filter_map(|pair| Some((pair["key"].as_str()?.to_owned(), pair["value"].clone()))).collect()
}

/// As the platform shows it, with its rules.
pub(crate) fn shown(trigger: &Trigger) -> Value {
    let mut shown = trigger.stored.clone();
    if let Some(rules) = &trigger.rules {
        let namespace = shown["namespace"].as_str().unwrap_or_default().to_owned();
        let reduced = |(name, link): (&String, &Link)| {
            let status = rule_status(link.active);
            (format!("{namespace}/{name}"), json!({"action": path(&link.action), "status": status}))
        };
        shown["rules"] = Value::Object(rules.iter().map(reduced).collect());
    }
    shown
}

impl Trigger {
    /// Its rules; none before the first.
    pub(crate) fn links(&self) -> &BTreeMap<String, Link> {
        static NONE: BTreeMap<String, Link> = BTreeMap::new();
        self.rules.as_ref().unwrap_or(&NONE)
    }

    /// Takes a rule in.
    pub(crate) fn link(&mut self, rule: &str, link: Link) {
        self.rules.get_or_insert_default().insert(rule.to_owned(), link);
    }

    /// Takes a rule out.
    pub(crate) fn forget(&mut self, rule: &str) {
        if let Some(rules) = &mut self.rules {
            rules.remove(rule);
        }
    }
}

pub(crate) fn rule_status(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}

fn headers(request: &Request) -> Value {
    Value::Object(request.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect())
}
