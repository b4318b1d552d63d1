//! Rules: create, update, get, delete, switch on and off.

use serde_json::{Value, json};

use crate::entities::{
    Link, Name, Rule, check_name, content, exists_already, full_name, malformed, merge, overwrites,
};
use crate::journal::Request;
use crate::reply::Reply;
use crate::store::Store;
use crate::triggers::rule_status;
use crate::world::World;

/// A request to `…/rules/NAME`.
pub(crate) fn answer(world: &World, max_bytes: usize, name: Name, request: &Request) -> Result<Reply, Reply> {
    check_name(&name.1)?;
    let mut store = world.store();
    match &*request.method {
        "GET" => shown(&store, &name).map(Reply::json).ok_or_else(Reply::no_resource),
        "DELETE" => {
            let mut deleted = shown(&store, &name).ok_or_else(Reply::no_resource)?;
            deleted["status"] = json!("inactive");
            let rule = store.entities.rules.remove(&name).ok_or_else(Reply::no_resource)?;
            if let Some(trigger) = store.entities.triggers.get_mut(&rule.trigger) {
                trigger.forget(&name.1);
            }
            Ok(Reply::json(deleted))
        }
        "PUT" => put(&mut store, max_bytes, &name, request, world.clock().now()).map(Reply::json),
        "POST" => switch(&mut store, &name, request),
        _ => Err(Reply::not_allowed("GET, PUT, DELETE, POST")),
    }
}

fn put(
    store: &mut Store,
    max_bytes: usize,
    name: &Name,
    request: &Request,
    updated: i64,
) -> Result<Value, Reply> {
    let overwrites = overwrites(request)?;
    let content = content(request, max_bytes)?;
    let named = |field: &str| content.get(field).map(|value| full_name(value, &name.0)).transpose();
    let (trigger, action) = (named("trigger")?, named("action")?);
    let old = store.entities.rules.get(name).cloned();
    if old.is_some() && !overwrites {
        return Err(exists_already());
    }
    let trigger = trigger.or_else(|| old.as_ref().map(|old| old.trigger.clone()));
    let action = action.or_else(|| old.as_ref().map(|old| old.action.clone()));
    let (Some(trigger), Some(action)) = (trigger, action) else {
        return Err(Reply::error(400, "rule requires a valid trigger and a valid action"));
    };
    for (what, known, named) in [
        ("trigger", store.entities.triggers.contains_key(&trigger), &trigger),
        ("action", store.entities.actions.contains_key(&action), &action),
    ] {
        if !known {
            return Err(Reply::error(400, format!("{what} /{}/{} does not exist", named.0, named.1)));
        }
    }
    let mut stored = merge(name, old.as_ref().map(|old| &old.stored), &content, &[], updated);
    stored["trigger"] = path(&trigger);
    stored["action"] = path(&action);
    // An update keeps the status that the old trigger has; one that was made again has none.
    let active = old.as_ref().is_none_or(|old| is_active(store, old, name));
    if let Some(old) = old.filter(|old| old.trigger != trigger)
        && let Some(left) = store.entities.triggers.get_mut(&old.trigger)
    {
        left.forget(&name.1);
    }
    if let Some(trigger) = store.entities.triggers.get_mut(&trigger) {
        trigger.link(&name.1, Link { action: action.clone(), active });
    }
    store.entities.rules.insert(name.clone(), Rule { stored, trigger, action });
    shown(store, name).ok_or_else(Reply::server_error)
}

fn switch(store: &mut Store, name: &Name, request: &Request) -> Result<Reply, Reply> {
    let rule = store.entities.rules.get(name).cloned().ok_or_else(Reply::no_resource)?;
    let body: Value = serde_json::from_slice(&request.body).map_err(|error| malformed(&error.to_string()))?;
    let active = match (body.get("status"), body["status"].as_str()) {
        (_, Some("active")) => true,
        (_, Some("inactive")) => false,
        (_, Some(other)) => {
            return Err(malformed(&format!("requirement failed: {other} is not a recognized rule state")));
        }
        (None, _) => return Err(malformed("key not found: status")),
        (Some(other), _) => return Err(malformed(&format!("{other} (not a text)"))),
    };
    let Some(trigger) = store.entities.triggers.get_mut(&rule.trigger) else {
        return Err(Reply::error(404, "Only rules with existing triggers can be activated"));
    };
    trigger.link(&name.1, Link { action: rule.action, active });
    Ok(Reply::raw(200, "text/plain; charset=UTF-8", b"OK".to_vec()))
}

/// As the platform shows it, with its status.
pub(crate) fn shown(store: &Store, name: &Name) -> Option<Value> {
    let rule = store.entities.rules.get(name)?;
    let mut shown = rule.stored.clone();
    shown["status"] = json!(rule_status(is_active(store, rule, name)));
    Some(shown)
}

/// A full name as the platform shows it.
pub(crate) fn path((namespace, name): &Name) -> Value {
    match name.split_once('/') {
        Some((package, name)) => json!({"path": format!("{namespace}/{package}"), "name": name}),
        None => json!({"path": namespace, "name": name}),
    }
}

fn is_active(store: &Store, rule: &Rule, name: &Name) -> bool {
    let trigger = store.entities.triggers.get(&rule.trigger);
    trigger.and_then(|trigger| trigger.links().get(&name.1)).is_some_and(|link| link.active)
}
