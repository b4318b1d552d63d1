//! Actions, triggers and rules as they are stored, and what their calls share: names, shapes, versions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::journal::Request;
use crate::query::{Rows, flag, legal_name};
use crate::reply::Reply;
use crate::rules;
use crate::store::Store;

/// Namespace and name; the name of an action in a package is `package/action`.
pub(crate) type Name = (String, String);

/// All that a deployer makes, and what the alarms provider keeps.
#[derive(Debug, Default)]
pub(crate) struct Entities {
    pub(crate) actions: BTreeMap<Name, Value>,
    pub(crate) triggers: BTreeMap<Name, Trigger>,
    pub(crate) rules: BTreeMap<Name, Rule>,
    /// By trigger.
    pub(crate) alarms: BTreeMap<Name, Alarm>,
}

/// A trigger; the rules know of it, as the stored one knows of its rules.
#[derive(Debug, Clone)]
pub(crate) struct Trigger {
    pub(crate) stored: Value,
    /// Its rules by name; nothing before the first one. A trigger that is deleted and made again knows none.
    pub(crate) rules: Option<BTreeMap<String, Link>>,
}

/// What a trigger knows of a rule.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) action: Name,
    pub(crate) active: bool,
}

/// A rule.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) stored: Value,
    pub(crate) trigger: Name,
    pub(crate) action: Name,
}

/// What the alarms provider keeps of a trigger.
#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    /// `name`, `namespace`, `payload` and `cron`, `minutes` or `date`.
    pub(crate) config: Map<String, Value>,
    /// Key of whoever made it.
    pub(crate) key: String,
    /// When it was made or changed, in milliseconds since 1970.
    pub(crate) changed: i64,
}

/// The list of a namespace's entities, or how many there are.
pub(crate) fn list(store: &Store, kind: &str, namespace: &str, Rows { skip, limit, count }: Rows) -> Value {
    let rows = all(store, kind, namespace);
    if count {
        return json!({kind: rows.len().saturating_sub(skip)});
    }
    rows.into_iter().skip(skip).take(limit).collect()
}

/// The rows of a list: what is too long for one is left out.
fn all(store: &Store, kind: &str, namespace: &str) -> Vec<Value> {
    let own = |name: &Name| name.0 == namespace;
    let listed: Vec<Value> = match kind {
        "packages" => {
            store.packages.iter().filter(|(name, _)| own(name)).map(|(_, one)| one.clone()).collect()
        }
        "actions" => {
            store.entities.actions.iter().filter(|(name, _)| own(name)).map(|(_, one)| one.clone()).collect()
        }
        "triggers" => store
            .entities
            .triggers
            .iter()
            .filter(|(name, _)| own(name))
            .map(|(_, one)| one.stored.clone())
            .collect(),
        _ => store
            .entities
            .rules
            .keys()
            .filter(|name| own(name))
            .filter_map(|name| rules::shown(store, name))
            .collect(),
    };
    let short = |mut entity: Value| {
        if let Some(fields) = entity.as_object_mut() {
            fields.remove("parameters");
            if kind == "actions" {
                fields.insert("exec".into(), json!({"binary": fields["exec"]["binary"]}));
            }
        }
        entity
    };
    listed.into_iter().map(short).collect()
}

/// Whether a PUT may replace what is there.
pub(crate) fn overwrites(request: &Request) -> Result<bool, Reply> {
    flag(request, "overwrite", false)
}

pub(crate) fn exists_already() -> Reply {
    Reply::error(409, "resource already exists")
}

pub(crate) fn malformed(why: &str) -> Reply {
    Reply::error(400, format!("The request content was malformed:\n{why}"))
}

/// The refusal of a name that no entity may have.
pub(crate) fn check_name(name: &str) -> Result<(), Reply> {
    if legal_name(name) {
        return Ok(());
    }
    Err(Reply::error(400, "The name of the entity contains illegal characters."))
}

/// The body, if it is an object of the right shape; `annotations` and `parameters` of at most `max_bytes` each, as JSON.
pub(crate) fn content(request: &Request, max_bytes: usize) -> Result<Map<String, Value>, Reply> {
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

/// What is stored after a PUT: given fields replace old ones, the others stay; the version counts up.
pub(crate) fn merge(
    name: &Name,
    old: Option<&Value>,
    content: &Map<String, Value>,
    fields: &[&str],
    updated: i64,
) -> Value {
    let mut entity = old.cloned().unwrap_or_else(|| {
        let simple = name.1.rsplit('/').next().unwrap_or_default();
        let namespace = match name.1.split_once('/') {
            Some((package, _)) => format!("{}/{package}", name.0),
            None => name.0.clone(),
        };
        json!({"namespace": namespace, "name": simple, "publish": false, "annotations": []})
    });
    entity["version"] = old.map_or_else(|| json!("0.0.1"), |old| json!(bumped(&old["version"])));
    for field in ["annotations", "publish", "version"].iter().chain(fields) {
        if let Some(value) = content.get(*field) {
            entity[*field] = value.clone();
        } else if entity.get(*field).is_none() {
            entity[*field] = if *field == "limits" { json!({}) } else { json!([]) };
        }
    }
    entity["updated"] = json!(updated);
    entity
}

fn bumped(version: &Value) -> String {
    let version = version.as_str().unwrap_or("0.0.0");
    let (front, patch) = version.rsplit_once('.').unwrap_or(("0.0", version));
    format!("{front}.{}", patch.parse::<u64>().unwrap_or(0) + 1)
}

/// The value of an annotation or a parameter.
pub(crate) fn pair<'a>(pairs: &'a Value, key: &str) -> Option<&'a Value> {
    let found = pairs.as_array()?.iter().find(|pair| pair["key"] == key)?;
    Some(&found["value"])
}

/// The full name in a body: a text of two segments or more, or an object with `path` and `name`.
pub(crate) fn full_name(value: &Value, own: &str) -> Result<Name, Reply> {
    let path = match value {
        Value::String(path) => path.clone(),
        Value::Object(parts) => match (&parts.get("path"), &parts.get("name")) {
            (Some(Value::String(path)), Some(Value::String(name))) => format!("{path}/{name}"),
            _ => return Err(malformed("fully qualified name malformed")),
        },
        _ => return Err(malformed("fully qualified name malformed")),
    };
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let Some((first, rest)) = segments.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Err(malformed(
            "requirement failed: The fully qualified name of the entity must contain at least the namespace and the name of the entity.",
        ));
    };
    Ok(((if *first == "_" { own } else { first }).to_owned(), rest.join("/")))
}

/// Reads `/namespace/[package/]name`, `namespace/name` or `name`; `_` and no namespace mean `own`.
pub(crate) fn resolve(text: &str, own: &str) -> Name {
    let (namespace, name) = match text.strip_prefix('/') {
        Some(rest) => rest.split_once('/').unwrap_or((own, rest)),
        None => text.split_once('/').unwrap_or((own, text)),
    };
    let namespace = if namespace == "_" { own } else { namespace };
    (namespace.to_owned(), name.to_owned())
}
