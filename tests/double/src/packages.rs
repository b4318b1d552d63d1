//! Packages, as far as one can serve as a small store: get, create, merge, delete.

use serde_json::{Value, json};

use crate::entities::{check_name, content, exists_already, merge, overwrites};
use crate::journal::Request;
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
    if let Err(refusal) = check_name(name) {
        return refusal;
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
    if key.1 == "default" {
        return Err(Reply::error(400, "Package name 'default' is reserved."));
    }
    let overwrites = overwrites(request)?;
    let content = content(request, max_bytes)?;
    let updated = world.clock().now();
    let mut store = world.store();
    let old = store.packages.get(&key);
    if old.is_some() && !overwrites {
        return Err(exists_already());
    }
    let mut package = merge(&key, old, &content, &["parameters"], updated);
    package["binding"] = json!({});
    store.packages.insert(key, package.clone());
    Ok(package)
}
