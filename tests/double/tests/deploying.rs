//! What a deployer makes: actions, triggers, rules, and the alarm that fires a trigger.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use openwhisk_double::{Activation, Double};
use serde_json::{Value, json};
use support::{Answer, PATIENCE, ask, double, get, list};

const ALARM: &str = "whisk.system/actions/alarms/alarm?blocking=true";

fn put(double: &Double, path: &str, body: &Value) -> Answer {
    ask(double, "PUT", path, body.to_string().as_bytes()).unwrap()
}

fn post(double: &Double, path: &str, body: &Value) -> Answer {
    ask(double, "POST", path, body.to_string().as_bytes()).unwrap()
}

fn native() -> Value {
    json!({"exec": {"kind": "blackbox", "image": "openwhisk/dockerskeleton", "code": "UEsDBA=="}})
}

fn feed(double: &Double, event: &str, extra: &Value) -> Answer {
    let mut params = json!({"lifecycleEvent": event, "triggerName": "/_/tick", "authKey": double.key()});
    params.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    post(double, ALARM, &params)
}

/// An action, a trigger with an alarm, and a rule.
fn deployed() -> Double {
    let double = double();
    let mut action = native();
    action["parameters"] = json!([{"key": "a", "value": 1}, {"key": "b", "value": 2}]);
    assert_eq!(put(&double, "_/actions/fwd", &action).status, 200);
    assert_eq!(put(&double, "_/triggers/tick", &json!({})).status, 200);
    assert_eq!(feed(&double, "CREATE", &json!({"cron": "* * * * *", "trigger_payload": "{}"})).status, 200);
    assert_eq!(put(&double, "_/rules/each", &json!({"trigger": "/_/tick", "action": "/_/fwd"})).status, 200);
    double
}

#[test]
fn an_action_is_created_once_then_updated_on_demand_and_read_without_its_code() {
    let double = double();
    let created = put(&double, "_/actions/fwd", &native()).json();
    assert_eq!(created["version"], "0.0.1");
    assert_eq!(created["exec"]["binary"], true, "the platform finds out that the code is base64");
    assert_eq!(created["limits"], json!({"timeout": 60_000, "memory": 256, "logs": 10, "concurrency": 1}));
    let again = put(&double, "_/actions/fwd", &native());
    assert_eq!((again.status, again.error()), (409, "resource already exists".to_owned()));
    let limits = json!({"limits": {"timeout": 1_000}, "parameters": [{"key": "a", "value": 1}]});
    let updated = put(&double, "_/actions/fwd?overwrite=true", &limits).json();
    assert_eq!((&updated["version"], &updated["limits"]["timeout"]), (&json!("0.0.2"), &json!(1_000)));
    let read = get(&double, "_/actions/fwd?code=false").json();
    assert_eq!((&read["exec"]["code"], &read["exec"]["kind"]), (&Value::Null, &json!("blackbox")));
    assert_eq!(ask(&double, "DELETE", "_/actions/fwd", b"").unwrap().status, 200);
    assert_eq!(get(&double, "_/actions/fwd").status, 404);
}

#[test]
fn an_action_that_the_platform_would_refuse_is_refused_with_its_words() {
    let double = double();
    for (change, status, words) in [
        (json!({"exec": {"kind": "rust:9", "code": "x"}}), 400, "kind 'rust:9' not in Set("),
        (json!({"exec": {"kind": "blackbox"}}), 400, "'image' must be a string"),
        (json!({"exec": {"kind": "rust:1.34"}}), 400, "'code' must be a string"),
        (json!({"exec": null}), 400, "'kind' must be a string"),
        (
            json!({"limits": {"timeout": 300_001}}),
            400,
            "duration 300001 milliseconds exceeds allowed threshold",
        ),
        (json!({"limits": {"memory": 64}}), 400, "memory 64 MB below allowed threshold of 128 MB"),
        (json!({"limits": {"logs": 11}}), 400, "logs 11 MB exceeds"),
        (json!({"parameters": {"a": 1}}), 400, "parameters malformed!"),
    ] {
        let mut action = native();
        action.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = put(&double, "_/actions/fwd", &action);
        assert_eq!(answer.status, status, "{change}");
        assert!(answer.error().contains(words), "{}", answer.error());
    }
    assert_eq!(put(&double, "_/actions/fwd", &json!({})).error(), "exec undefined");
    assert_eq!(put(&double, "_/actions/none/fwd", &native()).status, 404, "there is no such package");
    assert_eq!(put(&double, "other/actions/fwd", &native()).status, 403);
}

#[test]
fn encrypted_parameters_are_shown_so_by_all_but_the_answer_that_stores_them() {
    let double = deployed();
    double.world().encrypt_parameters(true);
    let mut action = native();
    action["parameters"] = json!([{"key": "a", "value": "secret"}]);
    assert_eq!(
        put(&double, "_/actions/fwd?overwrite=true", &action).json()["parameters"],
        action["parameters"]
    );
    let shown = get(&double, "_/actions/fwd").json()["parameters"][0].clone();
    assert_eq!((&shown["key"], &shown["encryption"]), (&json!("a"), &json!("aes-128")));
    assert!(!shown.to_string().contains("secret"), "{shown}");
}

#[test]
fn a_new_action_gets_no_key_unless_it_asks_for_one() {
    let double = double();
    put(&double, "_/actions/fwd", &native());
    let annotations = |double: &Double| double.world().action("fwd").unwrap()["annotations"].to_string();
    assert!(annotations(&double).contains(r#"{"key":"provide-api-key","value":false}"#));
    let asks = json!({"annotations": [{"key": "provide-api-key", "value": true}]});
    put(&double, "_/actions/fwd?overwrite=true", &asks);
    assert!(annotations(&double).contains(r#"{"key":"provide-api-key","value":true}"#));
}

#[test]
fn a_rule_wants_both_its_ends_and_forgets_its_status_with_its_trigger() {
    let double = double();
    let rule = json!({"trigger": "/_/tick", "action": "/guest/fwd"});
    let missing = put(&double, "_/rules/each", &rule);
    assert_eq!((missing.status, missing.error()), (400, "trigger /guest/tick does not exist".to_owned()));
    put(&double, "_/triggers/tick", &json!({}));
    assert_eq!(put(&double, "_/rules/each", &rule).error(), "action /guest/fwd does not exist");
    put(&double, "_/actions/fwd", &native());
    assert_eq!(put(&double, "_/rules/each", &rule).json()["status"], "active");
    assert_eq!(put(&double, "_/rules/each", &rule).status, 409);

    ask(&double, "DELETE", "_/triggers/tick", b"").unwrap();
    put(&double, "_/triggers/tick", &json!({}));
    assert_eq!(get(&double, "_/rules/each").json()["status"], "inactive");
    assert_eq!(put(&double, "_/rules/each?overwrite=true", &rule).json()["status"], "inactive");
    assert_eq!(post(&double, "_/rules/each", &json!({"status": "active"})).status, 200);
    assert_eq!(double.world().rule("each").unwrap()["status"], "active");
    assert_eq!(ask(&double, "DELETE", "_/rules/each", b"").unwrap().json()["status"], "inactive");
}

#[test]
fn the_alarms_feed_keeps_one_alarm_a_trigger_and_says_what_is_wrong() {
    let double = double();
    let error = |answer: &Answer| {
        let body = answer.json();
        (answer.status, body["response"]["result"]["error"]["error"].as_str().unwrap_or_default().to_owned())
    };
    let cron = json!({"cron": "* * * * *"});
    let unverified = error(&feed(&double, "CREATE", &cron));
    assert_eq!(unverified, (502, "Trigger authentication request failed.".to_owned()));
    put(&double, "_/triggers/tick", &json!({}));
    assert_eq!(
        error(&feed(&double, "READ", &json!({}))).1,
        "could not find trigger /guest/tick in the database"
    );
    assert_eq!(
        error(&feed(&double, "CREATE", &json!({}))).1,
        "alarms trigger feed is missing the cron parameter"
    );
    assert_eq!(
        error(&feed(&double, "CREATE", &json!({"cron": "nonsense"}))).1,
        "cron pattern 'nonsense' is not valid"
    );
    let missing = "could not find trigger /guest/tick in the database".to_owned();
    assert_eq!(error(&feed(&double, "UPDATE", &json!({"cron": "nonsense"}))), (502, missing.clone()));
    assert_eq!(error(&feed(&double, "DELETE", &json!({}))), (502, missing.clone()));
    assert_eq!(feed(&double, "CREATE", &cron).status, 200);
    assert_eq!(error(&feed(&double, "UPDATE", &json!({}))).1, "no updatable parameters were specified");
    assert_eq!(feed(&double, "UPDATE", &json!({"cron": "*/5 * * * *"})).status, 200);
    let read = feed(&double, "READ", &json!({})).json();
    assert_eq!(read["response"]["result"]["config"]["cron"], "*/5 * * * *");
    assert_eq!(feed(&double, "CREATE", &json!({"cron": "0 * * * *"})).status, 200, "it is replaced");
    assert_eq!(double.world().alarm("tick").unwrap()["cron"], "0 * * * *");
    assert_eq!(feed(&double, "DELETE", &json!({})).status, 200);
    assert_eq!(double.world().alarm("tick"), None);
    ask(&double, "DELETE", "_/triggers/tick", b"").unwrap();
    assert_eq!(error(&feed(&double, "DELETE", &json!({}))), (502, missing), "without its trigger too");
}

#[test]
fn the_alarms_feed_takes_patterns_that_never_fire_and_refuses_what_it_cannot_read() {
    let double = double();
    put(&double, "_/triggers/tick", &json!({}));
    for cron in
        ["61 * * * *", "* 24 * * *", "* * * * 7", "0 0 1 13 *", "* * * *", "*/0 * * * *", "* * * JAN *"]
    {
        assert_eq!(feed(&double, "CREATE", &json!({"cron": cron})).status, 200, "{cron}");
    }
    for cron in ["@hourly", "* * * * SUNDAY", "* * * * SUN#1", "0 0 ? * *", "1,,3 * * * *", "-1 * * * *"] {
        assert_eq!(feed(&double, "CREATE", &json!({"cron": cron})).status, 502, "{cron}");
    }
}

#[test]
fn the_interval_feed_wants_whole_minutes_as_a_number_or_a_text() {
    let double = double();
    put(&double, "_/triggers/tick", &json!({}));
    let create = |minutes: Value| {
        let path = "whisk.system/actions/alarms/interval?blocking=true";
        let params = json!({"triggerName": "/_/tick", "authKey": double.key(), "minutes": minutes});
        let answer = post(&double, path, &params);
        let error = answer.json()["response"]["result"]["error"]["error"].as_str().map(str::to_owned);
        (answer.status, error.unwrap_or_default())
    };
    assert_eq!(create(json!(1)), (200, String::new()));
    assert_eq!(create(json!("5")), (200, String::new()));
    assert_eq!(double.world().alarm("tick").unwrap()["minutes"], 5);
    assert_eq!(create(json!("1.5")), (502, "the minutes parameter must be an integer".to_owned()));
    assert_eq!(create(json!(0)).1, "interval trigger feed is missing the minutes parameter");
    assert_eq!(create(json!(-1)).1, "the minutes parameter must be an integer greater than zero");
}

#[test]
fn a_rule_names_its_ends_with_their_namespace() {
    let double = double();
    put(&double, "_/triggers/tick", &json!({}));
    put(&double, "_/actions/fwd", &native());
    let short = "The request content was malformed:\nrequirement failed: The fully qualified name of the entity must contain at least the \
                 namespace and the name of the entity.";
    for (trigger, action) in [("tick", "/_/fwd"), ("/tick", "/_/fwd"), ("/_/tick", "fwd")] {
        let answer = put(&double, "_/rules/each", &json!({"trigger": trigger, "action": action}));
        assert_eq!((answer.status, answer.error()), (400, short.to_owned()), "{trigger} {action}");
    }
    let whole = json!({"trigger": "_/tick", "action": {"path": "guest", "name": "fwd"}});
    assert_eq!(
        put(&double, "_/rules/each", &whole).json()["action"],
        json!({"path": "guest", "name": "fwd"})
    );
}

#[test]
fn a_rule_is_switched_by_a_status_that_it_knows() {
    let double = deployed();
    let error = |body: Value| post(&double, "_/rules/each", &body).error();
    let malformed = |why: &str| format!("The request content was malformed:\n{why}");
    let unknown = "requirement failed: on is not a recognized rule state";
    assert_eq!(error(json!({"status": "on"})), malformed(unknown));
    assert_eq!(error(json!({})), malformed("key not found: status"));
}

#[test]
fn a_trigger_tells_what_its_rules_start_and_that_it_had_some() {
    let double = double();
    put(&double, "_/triggers/tick", &json!({}));
    assert_eq!(get(&double, "_/triggers/tick").json().get("rules"), None, "it never had one");
    put(&double, "_/actions/fwd", &native());
    put(&double, "_/rules/each", &json!({"trigger": "/_/tick", "action": "/_/fwd"}));
    let link = json!({"guest/each": {"action": {"path": "guest", "name": "fwd"}, "status": "active"}});
    assert_eq!(get(&double, "_/triggers/tick").json()["rules"], link);
    ask(&double, "DELETE", "_/rules/each", b"").unwrap();
    assert_eq!(get(&double, "_/triggers/tick").json()["rules"], json!({}));
}

#[test]
fn lists_of_what_was_made_have_pages_and_bounds_like_that_of_activations() {
    let double = deployed();
    put(&double, "_/triggers/tock", &json!({}));
    put(&double, "_/packages/shop", &json!({}));
    for kind in ["actions", "packages", "triggers", "rules"] {
        for (query, why) in [
            ("limit=201", format!("The value '201' is not in the range of 0 to 200 for {kind}.")),
            ("skip=x", format!("The value 'x' is not an integer for {kind}.")),
            ("skip=-1", format!("The value '-1' is not greater than or equal to 0 for {kind}.")),
        ] {
            let parameter = query.split('=').next().unwrap();
            let answer = get(&double, &format!("_/{kind}?{query}"));
            let error = format!("The query parameter '{parameter}' was malformed:\n{why}");
            assert_eq!((answer.status, answer.error()), (400, error));
        }
    }
    let names = |query: &str| support::column(&get(&double, &format!("_/triggers?{query}")).json(), "name");
    assert_eq!((names("limit=1").len(), names("limit=0").len(), names("skip=1").len()), (1, 2, 1));
    assert_eq!(get(&double, "_/triggers?count=true").json(), json!({"triggers": 2}));
    assert_eq!(get(&double, "_/triggers?count=true&skip=1").json(), json!({"triggers": 1}));
}

#[test]
fn an_action_that_is_waited_for_answers_with_its_record_or_its_result() {
    let double = deployed();
    let record = post(&double, "_/actions/fwd?blocking=true", &json!({}));
    assert_eq!((record.status, &record.json()["name"]), (200, &json!("fwd")));
    let result = post(&double, "_/actions/fwd?blocking=true&result=true", &json!({}));
    assert_eq!((result.status, result.json()), (200, record.json()["response"]["result"].clone()));
    assert_eq!(post(&double, "_/actions/fwd", &json!({})).status, 202);
    assert_eq!(post(&double, "_/actions/fwd?blocking=maybe", &json!({})).status, 400);
    double.world().run_actions_with(|_| Activation::new("fwd"));
    assert_eq!(post(&double, "_/actions/fwd?blocking=true", &json!({})).status, 202, "it takes too long");
}

#[test]
fn what_was_made_is_listed_without_what_is_long() {
    let double = deployed();
    for (kind, name) in [("actions", "fwd"), ("triggers", "tick"), ("rules", "each")] {
        let listed = get(&double, &format!("_/{kind}")).json();
        assert_eq!((&listed[0]["name"], &listed[0]["parameters"]), (&json!(name), &Value::Null));
    }
    assert_eq!(get(&double, "_/actions").json()[0]["exec"], json!({"binary": true}));
    assert_eq!(get(&double, "_/packages").json(), json!([]));
}

#[test]
fn a_fired_trigger_leaves_a_record_of_its_own_and_one_of_each_action() {
    let double = deployed();
    let answer = post(&double, "_/triggers/tick", &json!({"b": 3}));
    assert_eq!(answer.status, 202);
    let id = answer.json()["activationId"].as_str().unwrap().to_owned();
    let record = get(&double, &format!("_/activations/{id}")).json();
    assert_eq!(record["name"], "tick");
    assert_eq!(list(&double, "name=fwd")[0]["name"], "fwd");
    post(&double, "_/rules/each", &json!({"status": "inactive"}));
    assert_eq!(post(&double, "_/triggers/tick", &json!({})).status, 204, "no active rule, no record");
    assert_eq!(post(&double, "_/triggers/none", &json!({})).status, 404);
}

#[test]
fn an_alarm_hands_the_action_its_parameters_the_payload_and_headers() {
    let double = deployed();
    let (sender, runs) = std::sync::mpsc::channel();
    double.world().run_actions_with(move |run| {
        sender.send(run.clone()).unwrap();
        Activation::new("fwd").result(json!({"done": true}))
    });
    assert!(double.world().ring("tick").is_some());
    let run = runs.recv_timeout(PATIENCE).unwrap();
    assert_eq!(run.action_name, "/guest/fwd");
    assert_eq!((&run.params["a"], &run.params["payload"]), (&json!(1), &json!("{}")));
    assert!(run.params["__ow_headers"]["authorization"].is_string());
    assert_eq!(run.api_key, None, "the action did not ask for it");
    assert_eq!(double.world().ring("none"), None);
}
