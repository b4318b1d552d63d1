//! Invocation of an action: it runs, and leaves a record.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::activation::Activation;
use crate::entities::{Name, malformed, pair};
use crate::journal::Request;
use crate::reply::Reply;
use crate::triggers::pairs;
use crate::world::World;

/// One run of an action, as an invoker gets it.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// `/namespace/[package/]action`.
    pub action_name: String,
    /// The action as it is stored, with its code.
    pub action: Value,
    /// Its parameters, with those of the invocation.
    pub params: Map<String, Value>,
    /// Id of the record to come.
    pub activation_id: String,
    /// The key, if the action's annotations let it have one.
    pub api_key: Option<String>,
}

/// Runs actions. What it returns becomes the record; name, id, kind and times are filled in.
pub(crate) type Invoker = Arc<dyn Fn(&Invocation) -> Activation + Send + Sync>;

/// Lets an action run and returns the activation's id. Without an invoker it is done at once, and does nothing.
pub(crate) fn invoke(world: &World, name: &Name, action: &Value, payload: Map<String, Value>) -> String {
    let id = world.store().new_id();
    let mut params = pairs(&action["parameters"]);
    params.extend(payload);
    let invocation = Invocation {
        action_name: format!("/{}/{}", name.0, name.1),
        action: action.clone(),
        params,
        activation_id: id.clone(),
        api_key: provides_key(&action["annotations"]).then(|| world.key_of(&name.0)).flatten(),
    };
    let (invoker, start) = (world.store().invoker.clone(), world.clock().now());
    match invoker {
        None => record(world, name, &invocation, start, Activation::new(simple(name))),
        Some(invoker) => {
            // A run asks the API, which this thread may be serving.
            let (world, name) = (world.clone(), name.clone());
            std::thread::spawn(move || record(&world, &name, &invocation, start, invoker(&invocation)));
        }
    }
    id
}

/// Keeps the record of a run that has begun at `start` and has just ended.
fn record(world: &World, name: &Name, invocation: &Invocation, start: i64, activation: Activation) {
    let kind = invocation.action["exec"]["kind"].as_str().unwrap_or("unknown");
    let mut activation = activation.id(&invocation.activation_id).namespace(&name.0).runtime(kind);
    activation = activation.start(start).duration(world.clock().now() - start);
    if let Some((package, _)) = name.1.split_once('/') {
        activation = activation.package(package);
    }
    world.add(activation);
}

fn simple(name: &Name) -> &str {
    name.1.rsplit('/').next().unwrap_or_default()
}

/// What is not false counts as true, the text "false" too; without the annotation the key is given (docs/facts/openwhisk.md 3.5).
fn provides_key(annotations: &Value) -> bool {
    match pair(annotations, "provide-api-key") {
        Some(Value::Bool(provides)) => *provides,
        Some(Value::Null) => false,
        _ => true,
    }
}

/// The body of an invocation or of a fired trigger: an object, or nothing.
pub(crate) fn payload(request: &Request) -> Result<Map<String, Value>, Reply> {
    if request.body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(payload)) => Ok(payload),
        Ok(_) => Err(malformed("Object expected")),
        Err(error) => Err(malformed(&error.to_string())),
    }
}
