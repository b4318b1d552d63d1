//! Actions: create, update, get, delete, invoke.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Map, Value, json};

use crate::entities::{Name, check_name, content, exists_already, malformed, merge, overwrites, pair};
use crate::invoker;
use crate::journal::Request;
use crate::limits::{KINDS, MEMORY_MB, MIN_DURATION_MS};
use crate::options::Limits;
use crate::query::flag;
use crate::reply::Reply;
use crate::world::World;

/// Largest code, in bytes of base64.
const MAX_CODE: usize = 48 << 20;

/// A request to `…/actions/NAME` or `…/actions/PACKAGE/NAME`.
pub(crate) fn answer(world: &World, limits: &Limits, name: Name, request: &Request) -> Result<Reply, Reply> {
    name.1.split('/').try_for_each(check_name)?;
    let stored = || world.store().entities.actions.get(&name).cloned().ok_or_else(Reply::no_resource);
    match &*request.method {
        "GET" => {
            let with_code = flag(request, "code", true)?;
            let mut action = stored()?;
            if !with_code && let Some(exec) = action["exec"].as_object_mut() {
                exec.remove("code");
            }
            if world.store().encrypts_parameters {
                conceal(&mut action["parameters"]);
            }
            Ok(Reply::json(action))
        }
        "DELETE" => {
            let removed = world.store().entities.actions.remove(&name);
            Ok(Reply::json(removed.ok_or_else(Reply::no_resource)?))
        }
        "PUT" => put(world, limits, name, request).map(Reply::json),
        "POST" => invoke(world, &name, &stored()?, request),
        _ => Err(Reply::not_allowed("GET, PUT, DELETE, POST")),
    }
}

/// Whoever waits for the end of a run is answered with its record, or with its result alone, if it has ended at once. One that somebody runs
/// lasts longer than the platform lets anybody wait.
fn invoke(world: &World, name: &Name, action: &Value, request: &Request) -> Result<Reply, Reply> {
    let (blocking, result) = (flag(request, "blocking", false)?, flag(request, "result", false)?);
    let payload = invoker::payload(request)?;
    let at_once = blocking && world.store().invoker.is_none();
    let id = invoker::invoke(world, name, action, payload);
    let ended = world.store().get(&name.0, &id, i64::MAX).filter(|_| at_once);
    let Some(record) = ended else {
        return Ok(Reply::accepted(&json!({"activationId": id})));
    };
    let mut body: Value = serde_json::from_str(record.full()).unwrap_or_default();
    let status = if body["response"]["success"] == true { 200 } else { 502 };
    if result {
        body = body["response"]["result"].take();
    }
    Ok(Reply::raw(status, "application/json", body.to_string().into_bytes()))
}

/// What reading shows of encrypted parameters. Only the answer to the request that stores them shows them as they came.
fn conceal(parameters: &mut Value) {
    for parameter in parameters.as_array_mut().into_iter().flatten() {
        let sealed = vec![0x5a; parameter["value"].to_string().len() + 16];
        parameter["value"] = json!(BASE64_STANDARD.encode(sealed));
        parameter["encryption"] = json!("aes-128");
    }
}

fn put(world: &World, limits: &Limits, name: Name, request: &Request) -> Result<Value, Reply> {
    let overwrites = overwrites(request)?;
    let content = content(request, limits.max_parameters_bytes)?;
    let updated = world.clock().now();
    let mut store = world.store();
    if let Some((package, _)) = name.1.split_once('/')
        && !store.packages.contains_key(&(name.0.clone(), package.to_owned()))
    {
        return Err(Reply::no_resource());
    }
    let old = store.entities.actions.get(&name);
    if old.is_some() && !overwrites {
        return Err(exists_already());
    }
    check_limits(&content, limits)?;
    let mut action = merge(&name, old, &content, &["parameters", "limits"], updated);
    if let Some(exec) = content.get("exec") {
        action["exec"] = checked_exec(exec)?;
    } else if old.is_none() {
        return Err(Reply::error(400, "exec undefined"));
    }
    action["limits"] = with_defaults(&action["limits"]);
    annotate(&mut action, old.is_none());
    store.entities.actions.insert(name, action.clone());
    Ok(action)
}

/// Code, image and kind, as the platform accepts them.
fn checked_exec(exec: &Value) -> Result<Value, Reply> {
    let text = |field: &str| exec[field].as_str();
    let kind = text("kind").ok_or_else(|| malformed("'kind' must be a string defined in 'exec'"))?;
    if !["blackbox", "sequence"].contains(&kind) && !KINDS.contains(&kind) {
        return Err(malformed(&format!(
            "kind '{kind}' not in Set({}, blackbox, sequence)",
            KINDS.join(", ")
        )));
    }
    if kind == "blackbox" && text("image").is_none() {
        return Err(malformed("'image' must be a string defined in 'exec' for 'blackbox' actions"));
    }
    if !["blackbox", "sequence"].contains(&kind) && text("code").is_none() {
        return Err(malformed(&format!(
            "'code' must be a string or attachment object defined in 'exec' for '{kind}' actions"
        )));
    }
    let code = text("code").unwrap_or_default();
    if code.len() > MAX_CODE {
        return Err(Reply::error(
            413,
            format!("exec larger than allowed: {} > {MAX_CODE} bytes.", code.len()),
        ));
    }
    let mut exec = exec.clone();
    if kind != "sequence" {
        exec["binary"] = json!(is_base64(code));
    }
    Ok(exec)
}

/// The platform's own guess, which the client's `binary` does not change.
fn is_base64(code: &str) -> bool {
    let body = code.trim_end_matches('=');
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    !code.is_empty()
        && code.len().is_multiple_of(4)
        && code.len() - body.len() <= 2
        && body.bytes().all(legal)
}

fn check_limits(content: &Map<String, Value>, limits: &Limits) -> Result<(), Reply> {
    let Some(given) = content.get("limits") else { return Ok(()) };
    let max_logs = limits.max_action_logs_bytes >> 20;
    for (field, what, unit, range) in [
        ("timeout", "duration", " milliseconds", MIN_DURATION_MS..=limits.max_action_duration_ms),
        ("memory", "memory", " MB", MEMORY_MB),
        ("logs", "logs", " MB", 0..=max_logs),
    ] {
        let Some(value) = given.get(field).filter(|value| !value.is_null()) else { continue };
        let number =
            value.as_u64().ok_or_else(|| malformed(&format!("{what} limit must be whole number")))?;
        let (sense, bound) = if number < *range.start() {
            ("below", range.start())
        } else if number > *range.end() {
            ("exceeds", range.end())
        } else {
            continue;
        };
        return Err(malformed(&format!(
            "requirement failed: {what} {number}{unit} {sense} allowed threshold of {bound}{unit}"
        )));
    }
    Ok(())
}

fn with_defaults(given: &Value) -> Value {
    let mut limits = json!({"timeout": 60_000, "memory": 256, "logs": 10, "concurrency": 1});
    for (field, value) in given.as_object().into_iter().flatten() {
        if !value.is_null() {
            limits[field] = value.clone();
        }
    }
    limits
}

/// What the platform adds: the kind, and for new actions that no key is provided unless somebody asked for it.
fn annotate(action: &mut Value, created: bool) {
    let kind = action["exec"]["kind"].clone();
    let Some(annotations) = action["annotations"].as_array() else { return };
    let mut annotations: Vec<Value> =
        annotations.iter().filter(|pair| pair["key"] != "exec").cloned().collect();
    if created && pair(&action["annotations"], "provide-api-key").is_none() {
        annotations.push(json!({"key": "provide-api-key", "value": false}));
    }
    annotations.push(json!({"key": "exec", "value": kind}));
    action["annotations"] = json!(annotations);
}
