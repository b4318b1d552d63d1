//! Looks at the checkpoint, the selection and the receivers, which change nothing.

use crate::ports::Native;
use openwhisk_double::{Activation, Clock, Double, Options};
use serde_json::{Value, json};
use whiskjack::ports::{Http as _, Method, Request};
use whiskjack::run::look::{Subject, look};
use whiskjack::run::plan::{self, CheckpointKeeper, Context, OwnAction};

const MINUTE: i64 = 60_000;
/// 2023-11-14T22:13:20Z
const BEGIN: i64 = 1_700_000_000_000;

fn api(options: Options) -> Double {
    Double::start(Options { clock: Clock::fixed(BEGIN), ..options })
}

fn context(api: &Double) -> Context {
    Context {
        api_host: Some(api.origin()),
        authorized: true,
        own_action: Some(OwnAction { name: "/guest/fwd".into(), activation: Some(format!("{:032x}", 1)) }),
        ..Context::default()
    }
}

fn looked(api: &Double, context: &Context, params: &Value, subject: Subject) -> Value {
    let native = Native::new(api);
    let (config, _) = plan::configure(params.to_string().as_bytes(), context).unwrap();
    let writes = || api.requests().iter().filter(|request| request.method != "GET").count();
    let before = writes();
    let told = look(&config, context, native.ports(), subject).unwrap();
    assert_eq!(writes(), before, "a look writes nothing");
    serde_json::from_slice(&told).unwrap()
}

/// Creates an entity of the API.
fn put(api: &Double, path: &str, body: &Value) {
    let target = format!("/api/v1/namespaces/_/{path}");
    let request = Request { method: Method::Put, target, body: body.to_string().into_bytes() };
    assert_eq!(Native::new(api).send(&request).unwrap().status, 200, "{path}");
}

fn params(actions: &[&str]) -> Value {
    json!({"actions": actions, "logstash": {"host": "logstash", "port": 5044}})
}

#[test]
fn the_checkpoint_is_told_where_it_is_and_how_far_it_has_come() {
    let api = api(Options::default());
    api.world().add(Activation::new("a").start(BEGIN - MINUTE).stdout("hello"));
    let (context, params) = (context(&api), params(&["a"]));
    let none = looked(&api, &context, &params, Subject::Checkpoint);
    assert_eq!((&none["place"], &none["saved"]), (&json!("the package `whiskjack.fwd`"), &Value::Null));

    let native = Native::new(&api);
    let (config, _) = plan::configure(params.to_string().as_bytes(), &context).unwrap();
    whiskjack::run::run(&config, &context, native.ports()).unwrap();
    api.world().clock().advance(3 * MINUTE);
    let told = looked(&api, &context, &params, Subject::Checkpoint);
    assert!(told["saved"].as_str().unwrap().starts_with("2023-11-14T22:13:20."), "{told}");
    // A run waits a moment for the index, and the clock with it.
    let lag_ms = told["lag_ms"].as_i64().unwrap();
    assert!((3 * MINUTE..4 * MINUTE).contains(&lag_ms), "{told}");
    assert_eq!(told["lease"], Value::Null);
    let source = &told["sources"][0];
    assert_eq!((&source["source"], &source["owed_ranges"]), (&json!("a"), &json!(0)), "{told}");
    assert_eq!(source["complete_until"], "2023-11-14T22:13:20.000Z");
}

#[test]
fn what_is_owed_is_told_with_its_age_and_what_is_only_compared_again_is_no_lag() {
    let api = api(Options::default());
    let owed =
        |since: i64, upto: i64, part: &str| json!({"range": [BEGIN - since, BEGIN - upto], "part": part});
    let record = json!({"start": BEGIN - 40 * MINUTE, "id": format!("{:032x}", 7), "acknowledged": 5, "trouble": "too large"});
    let mut state = json!({"version": 3, "saved_ms": BEGIN - MINUTE, "sources": {"a": {
        "origin": 1, "through": BEGIN - MINUTE, "owed": [owed(30 * MINUTE, 2 * MINUTE, "lookback")], "records": [record]
    }}});
    let at = |state: &Value| {
        let keeper = CheckpointKeeper::Host(Some(state.to_string().into_bytes()));
        looked(&api, &Context { keeper, ..context(&api) }, &params(&["a"]), Subject::Checkpoint)
    };
    let told = at(&state);
    assert_eq!(told["lag_ms"], MINUTE, "{told}");
    let source = &told["sources"][0];
    assert_eq!((&source["owed_ranges"], &source["owed_age_ms"]), (&json!(1), &json!(30 * MINUTE)));
    assert_eq!((&source["owed_records"], &source["records_age_ms"]), (&json!(1), &json!(40 * MINUTE)));
    assert_eq!(source["records"][0]["trouble"], "too large");

    state["sources"]["a"]["owed"] = json!([owed(20 * MINUTE, 10 * MINUTE, "fresh")]);
    assert_eq!(at(&state)["lag_ms"], 20 * MINUTE + 1);
    let damaged = at(&json!("nonsense"));
    assert!(
        damaged["problem"].as_str().unwrap().contains("damaged") && damaged["saved"].is_null(),
        "{damaged}"
    );
}

#[test]
fn each_entry_is_told_with_its_actions_and_records() {
    let api = api(Options::default());
    put(&api, "packages/shop", &json!({}));
    for (package, name) in [(None, "a"), (Some("shop"), "one"), (Some("shop"), "two"), (Some("shop"), "out")]
    {
        let path = package.map_or(name.to_owned(), |package| format!("{package}/{name}"));
        put(&api, &format!("actions/{path}"), &json!({"exec": {"kind": "nodejs:20", "code": "x"}}));
        let activation = Activation::new(name).start(BEGIN - MINUTE).stdout("hello");
        api.world().add(match package {
            Some(package) => activation.package(package),
            None => activation,
        });
    }
    let told = looked(&api, &context(&api), &params(&["a", "shop/*", "!shop/out", "none"]), Subject::Sources);
    let entry =
        |name: &str| told["entries"].as_array().unwrap().iter().find(|one| one["entry"] == name).unwrap();
    assert_eq!((&entry("a")["actions"], &entry("a")["records"]), (&json!(1), &json!(1)), "{told}");
    let shop = entry("shop/*");
    assert_eq!((&shop["actions"], &shop["records"]), (&json!(2), &json!(2)), "{told}");
    assert_eq!(shop["names"], json!(["shop/one", "shop/two"]));
    assert_eq!(entry("none")["actions"], 0);
    assert!(told["warnings"].to_string().contains("`none`"), "{told}");
    assert_eq!((&told["logs"]["place"], &told["actions"]), (&json!("record"), &json!(4)));
    assert!(told["limits"]["max_action_duration_ms"].as_u64().unwrap() > 0, "{told}");
}

#[test]
fn lines_in_a_store_of_their_own_are_found_there() {
    let api = api(Options::default());
    let line = "2023-11-14T22:08:20.000000000Z stdout: hello";
    api.world().add(Activation::new("a").start(BEGIN - 5 * MINUTE).logs_elsewhere([line]));
    let told = looked(&api, &context(&api), &params(&["a"]), Subject::Sources);
    assert_eq!(told["logs"]["place"], "api", "{told}");
}

#[test]
fn each_receiver_acknowledges_a_document_of_its_own() {
    let api = api(Options::default());
    let mut params = params(&["a"]);
    params["logstash"] = json!({"hosts": ["one:1", "two:2"]});
    let told = looked(&api, &context(&api), &params, Subject::Receivers);
    let receivers: Vec<_> = told["receivers"].as_array().unwrap().iter().collect();
    assert_eq!(receivers.len(), 2);
    assert!(receivers.iter().all(|one| one["acknowledged"] == true), "{told}");
}
