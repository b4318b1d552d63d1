//! Packages, as far as one can serve as a small store: get, create, merge, delete.

use serde_json::{Map, Value, json};

use crate::journal::Request;
use crate::query::legal_name;
use crate::reply::Reply;
use crate::world::World;

/// A request to `…/packages/NAME`. `max_bytes` limits annotations and parameters, each as JSON.
pub(crate) fn answer(
    world: &World,
    namespace: &str,
    name: &str,
    request: &Request,
    max_bytes: usize,
) -> Reply {
    if !legal_name(name) {
        return Reply::error(400, "The name of the entity contains illegal characters.");
    }
    let key = (namespace.to_owned(), name.to_owned());
    match &*request.method {
        "GET" => world.store().packages.get(&key).map_or_else(Reply::no_resource, |stored| {
            let mut shown = stored.clone();
            shown["actions"] = json!([]);
            shown["feeds"] = json!([]);
            Reply::json(shown)
        }),
        "DELETE" => world.store().packages.remove(&key).map_or_else(Reply::no_resource, Reply::json),
        "PUT" => put(world, key, request, max_bytes).map_or_else(|refusal| refusal, Reply::json),
        _ => Reply::not_allowed("GET, PUT, DELETE"),
    }
}

fn put(world: &World, key: (String, String), request: &Request, max_bytes: usize) -> Result<Value, Reply> {
    let overwrite = matches!(request.param("overwrite"), Some("true" | "yes" | "on" | "1"));
    if key.1 == "default" {
        return Err(Reply::error(400, "Package name 'default' is reserved."));
    }
    let content = content(request, max_bytes)?;
    let updated = world.clock().now();
    let mut store = world.store();
    let old = store.packages.get(&key);
    if old.is_some() && !overwrite {
        return Err(Reply::error(409, "resource already exists"));
    }
    let package = merge(&key, old, content, updated);
    store.packages.insert(key, package.clone());
    Ok(package)
}

/// The body, if it is an object of the right shape and size.
fn content(request: &Request, max_bytes: usize) -> Result<Map<String, Value>, Reply> {
    let malformed = |why: &str| Reply::error(400, format!("The request content was malformed:\n{why}"));
    let content: Value =
        serde_json::from_slice(&request.body).map_err(|error| malformed(&error.to_string()))?;
    let Value::Object(content) = content else { return Err(malformed("Object expected")) };
    for field in ["annotations", "parameters"] {
        let Some(value) = content.get(field) else { continue };
        let pairs = value.as_array().is_some_and(|all| all.iter().all(|pair| pair["key"].is_string()));
        if !pairs {
            return Err(malformed("parameters malformed!"));
        }
        let size = value.to_string().len();
        if size > max_bytes {
            let text = format!("{field} larger than allowed: {size} > {max_bytes} bytes.");
            return Err(Reply::error(413, text));
        }
    }
    Ok(content)
}

/// What is stored: given fields replace old ones, the others stay.
fn merge(key: &(String, String), old: Option<&Value>, content: Map<String, Value>, updated: i64) -> Value {
    let mut package = old.cloned().unwrap_or_else(|| {
        json!({"namespace": key.0, "name": key.1, "publish": false, "binding": {}, "annotations": [], "parameters": []})
    });
    package["version"] = old.map_or_else(|| json!("0.0.1"), |old| json!(bumped(&old["version"])));
    for field in ["annotations", "parameters", "publish", "version"] {
        if let Some(value) = content.get(field) {
            package[field] = value.clone();
        }
    }
    package["updated"] = json!(updated);
    package
}

fn bumped(version: &Value) -> String {
    let version = version.as_str().unwrap_or("0.0.0");
    let (front, patch) = version.rsplit_once('.').unwrap_or(("0.0", version));
    format!("{front}.{}", patch.parse::<u64>().unwrap_or(0) + 1)
}
