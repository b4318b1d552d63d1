//! The forwarder as an OpenWhisk action: the built binary, with its component inside, under the ActionLoop protocol, between the API
//! double and Elastic's Lumberjack server over TLS.

use crate::support::{ACTIONS, SOON, Scene, arrived, now_ms, refused_port};
use openwhisk_double::{Activation, Fault, Limits, Matcher, Options, Request};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use whiskjack_testbed::{ActionLoop, ActionLoopOptions, RunContext, action_zip, artifacts};

#[test]
fn every_line_arrives_once_and_the_next_run_sends_only_what_is_new() {
    let scene = Scene::new();
    scene.add_activations(30);
    let receiver = scene.receiver();
    let container = scene.container();
    let params = scene.params(receiver.port());

    let result = scene.run(&container, &params);
    let lines = scene.lines();
    let count: usize = lines.values().sum();
    assert_eq!(count, 30 * 6);
    assert_eq!(arrived(&receiver.wait_for_events(count, SOON)), lines);
    assert_eq!(
        result["lines"],
        json!({"read": count, "sent": count, "resent": 0, "acknowledged": count, "unacknowledged": 0})
    );
    assert_eq!(result["activations"], 60);
    assert_eq!(result["error"], Value::Null);

    let result = scene.run(&container, &params);
    assert_eq!(result["lines"]["read"], 0, "{result}");

    scene.api.world().add(Activation::new(ACTIONS[0]).stdout("one more"));
    let result = scene.run(&container, &params);
    assert_eq!(result["lines"]["acknowledged"], 1, "{result}");
    assert_eq!(arrived(&receiver.wait_for_events(count + 1, SOON)), scene.lines());
    assert_eq!(receiver.events().len(), count + 1, "nothing came twice");
}

#[test]
fn a_container_that_is_warm_remembers_its_last_run_and_a_new_one_does_not() {
    let scene = Scene::new();
    scene.add_activations(2);
    let receiver = scene.receiver();
    let params = scene.params(receiver.port());
    let container = scene.container();
    (0..3).for_each(|_| drop(scene.run(&container, &params)));
    let asks_for_own_runs = |container: &ActionLoop| {
        scene.api.forget_requests();
        scene.run(container, &params);
        scene.api.requests().iter().any(|request| request.param("name") == Some("whiskjack"))
    };
    assert!(asks_for_own_runs(&container));
    assert!(!asks_for_own_runs(&scene.container()));
}

#[test]
fn an_event_has_the_fields_of_the_2017_tool_and_a_stable_id() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = scene.receiver();
    scene.run(&scene.container(), &scene.params(receiver.port()));
    let events = receiver.wait_for_events(6, SOON);

    let record = scene.api.world().records().into_iter().find(|record| record.name == ACTIONS[0]).unwrap();
    let of_record: Vec<&Value> = events
        .iter()
        .map(|received| &received.event)
        .filter(|event| event["activation"] == record.id.as_str())
        .collect();
    assert_eq!(of_record.len(), record.logs.len());
    for (event, line) in of_record.iter().zip(&record.logs) {
        assert_eq!(event["line"], line.as_str());
        assert_eq!(event["action"], ACTIONS[0]);
        assert_eq!(event["namespace"], "guest");
        assert_eq!(event["@timestamp"], line.split(' ').next().unwrap());
        assert_eq!(event["@metadata"]["beat"], "whiskjack");
        let keys: Vec<&String> = event.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["@metadata", "@timestamp", "action", "activation", "line", "namespace"]);
    }
    let ids: BTreeSet<&str> =
        events.iter().map(|received| received.event["@metadata"]["_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 6, "equal lines have ids of their own");
}

#[test]
fn a_run_that_started_early_and_ended_late_is_found() {
    let scene = Scene::new();
    scene.add_activations(3);
    let receiver = scene.receiver();
    let container = scene.container();
    let params = scene.params(receiver.port());
    scene.run(&container, &params);

    let start = now_ms() - 240_000;
    scene.api.world().add(
        Activation::new("check out").package("shop").start(start).visible_at(now_ms()).stdout("at last"),
    );
    let result = scene.run(&container, &params);
    assert_eq!(result["lines"]["acknowledged"], 1, "{result}");
    assert_eq!(arrived(&receiver.wait_for_events(19, SOON)), scene.lines());
}

#[test]
fn the_result_and_the_log_never_show_the_key_and_the_log_is_one_line_a_run() {
    let scene = Scene::new();
    scene.add_activations(2);
    let receiver = scene.receiver();
    let container = scene.container();
    let mut params = scene.params(receiver.port());
    params["__ow_headers"] = json!({"authorization": format!("Basic {}", scene.api.key())});
    params["payload"] = json!("{}");
    let results = [scene.run(&container, &params), scene.run(&container, &scene.params(refused_port()))];
    for text in results.iter().map(Value::to_string).chain([container.log()]) {
        assert!(!scene.shows_key(&text), "{text}");
    }
    let log = container.log();
    assert_eq!(log.lines().count(), 2, "{log}");
    assert!(
        log.starts_with("whiskjack: 2 actions, 4 new activations, 12 lines read, 12 acknowledged"),
        "{log}"
    );
}

#[test]
fn without_logs_there_is_no_connection() {
    let scene = Scene::new();
    scene.api.world().add(Activation::new(ACTIONS[0]));
    // Whether it has none, or they are not there yet, is not known where logs may be in a store of their own.
    for (logs, activations) in [("auto", 0), ("record", 1)] {
        let mut params = scene.params(refused_port());
        params["logs"] = json!(logs);
        let result = scene.run(&scene.container(), &params);
        assert_eq!(
            (&result["activations"], &result["error"]),
            (&json!(activations), &Value::Null),
            "{result}"
        );
        assert_eq!(result["left"], json!({"ranges": 0}), "{result}");
    }
}

/// The fault gives an error that a person can act on; when it is gone, the next run delivers everything once.
fn nothing_is_lost(scene: &Scene, faulty: &Value, expected: &[&str]) {
    scene.add_activations(5);
    let receiver = scene.receiver();
    let container = scene.container();
    let mut faulty = faulty.clone();
    if faulty["logstash"]["port"].is_null() {
        faulty["logstash"]["port"] = json!(receiver.port());
    }
    let result = scene.run(&container, &faulty);
    let error = result["error"].as_str().unwrap_or_else(|| panic!("no error in {result}"));
    assert!(expected.iter().all(|part| error.contains(part)), "{error}");
    assert!(!scene.shows_key(error), "{error}");

    let result = scene.run(&container, &scene.params(receiver.port()));
    assert_eq!(result["error"], Value::Null);
    let lines = scene.lines();
    assert_eq!(arrived(&receiver.wait_for_events(lines.values().sum(), SOON)), lines);
}

#[test]
fn a_wrong_ca_is_named_and_nothing_is_lost() {
    let scene = Scene::new();
    let mut params = scene.params(0);
    params["logstash"] = json!({"host": "localhost", "ca": scene.certificates.other_ca});
    nothing_is_lost(&scene, &params, &["localhost:", "`logstash.ca`"]);
}

#[test]
fn a_refused_port_is_named_and_nothing_is_lost() {
    let scene = Scene::new();
    let port = refused_port();
    nothing_is_lost(&scene, &scene.params(port), &[&format!("localhost:{port}"), "refused"]);
}

#[test]
fn a_key_that_the_api_refuses_is_named_and_nothing_is_lost() {
    let scene = Scene::new();
    let mut params = scene.params(0);
    params["logstash"]["port"] = Value::Null;
    scene.api.fail_next(Matcher::any(), Fault::status(401));
    nothing_is_lost(&scene, &params, &["401", "API key"]);
}

#[test]
fn without_a_key_the_error_says_how_to_get_one() {
    let scene = Scene::new();
    let (status, result) = scene.container().run(&scene.params(1), &RunContext::default());
    assert_eq!(status, 200);
    let error = result["error"].as_str().unwrap();
    assert!(
        error.contains("wsk action update /guest/whiskjack --annotation provide-api-key true"),
        "{error}"
    );
}

#[test]
fn all_faults_of_a_configuration_come_at_once_with_key_value_and_remedy() {
    let scene = Scene::new();
    let params = json!({"actions": ["/guest/a"], "logstash": {"hoost": "x", "port": "abc", "ca": "no PEM", "rejectUnauthorized": "yes"}});
    let result = scene.run(&scene.container(), &params);
    let faults = result["faults"].as_array().unwrap();
    let keys: BTreeSet<&str> = faults.iter().map(|fault| fault["key"].as_str().unwrap()).collect();
    let expected = [
        "actions[0]",
        "logstash.ca",
        "logstash.host",
        "logstash.hoost",
        "logstash.port",
        "logstash.rejectUnauthorized",
    ];
    assert_eq!(keys, BTreeSet::from(expected), "{result:#}");
    assert_eq!(faults.len(), expected.len(), "{result:#}");
    assert!(faults.iter().all(|fault| !fault["remedy"].as_str().unwrap().is_empty()));
    assert!(result["error"].as_str().unwrap().contains("did you mean `logstash.host`?"), "{result:#}");
    assert_eq!(scene.api.requests().len(), 0, "nothing is asked with a faulty configuration");
}

#[test]
fn patterns_choose_among_the_namespace_and_the_rest_is_left_alone() {
    let scene = Scene::new();
    scene.add_activations(3);
    let receiver = scene.receiver();
    let container = scene.container();
    let mut params = scene.params(receiver.port());
    params["actions"] = json!(["*", "shop/*", "!check *"]);
    let result = scene.run(&container, &params);
    assert_eq!(result["lines"]["acknowledged"], 18, "{result}");
    assert_eq!(arrived(&receiver.wait_for_events(18, SOON)), scene.lines());
    assert_eq!(scene.run(&container, &params)["lines"]["read"], 0);
}

#[test]
fn names_may_become_patterns_and_back_without_a_loss_or_a_repeat() {
    let scene = Scene::new();
    let receiver = scene.receiver();
    let container = scene.container();
    let mut params = scene.params(receiver.port());
    for (round, actions) in [json!(ACTIONS), json!(["R*", "shop/*"]), json!(ACTIONS)].into_iter().enumerate()
    {
        scene.add_activations(2);
        params["actions"] = actions;
        let result = scene.run(&container, &params);
        assert_eq!(result["lines"]["acknowledged"], 12, "round {round}: {result}");
    }
    assert_eq!(arrived(&receiver.wait_for_events(36, SOON)), scene.lines());
}

#[test]
fn a_backlog_is_drained_over_several_runs_each_within_its_time() {
    let limits = Limits { max_list: 30, ..Limits::default() };
    let scene = Scene::with(Options { limits, ..Options::default() });
    scene.add_activations(150);
    scene.api.set_latency(Duration::from_millis(100));
    let receiver = scene.receiver();
    let container =
        ActionLoop::start(ActionLoopOptions { deadline_kill: true, ..ActionLoopOptions::default() });
    let zip = action_zip(&artifacts().whiskjack());
    assert_eq!(container.init(&zip, &[("__OW_API_HOST", &scene.api.origin())]).0, 200);
    let params = scene.params(receiver.port());
    let mut left = Vec::new();
    while left.last() != Some(&0) {
        assert!(left.len() < 20, "it does not end: {left:?}");
        let context =
            RunContext { api_key: Some(scene.api.key()), ..RunContext::within(Duration::from_secs(4)) };
        let (status, result) = container.run(&params, &context);
        assert_eq!((status, &result["error"]), (200, &Value::Null), "{result}");
        left.push(result["left"]["ranges"].as_u64().unwrap());
    }
    assert!(left.len() > 1, "one run did it all, so nothing was shown");
    assert_eq!(arrived(&receiver.wait_for_events(900, SOON)), scene.lines());
}

#[test]
fn a_run_that_finds_another_one_at_work_leaves_it_alone() {
    let scene = Scene::new();
    let receiver = scene.receiver();
    let (first, second) = (scene.container(), scene.container());
    let params = scene.params(receiver.port());
    scene.run(&first, &params);
    scene.api.forget_requests();
    scene.add_activations(2);
    let hold = scene.api.hold(Matcher::list());
    std::thread::scope(|scope| {
        let at_work = scope.spawn(|| scene.run(&first, &params));
        let leased = |requests: &[Request]| requests.iter().any(|request| request.method == "PUT");
        assert!(scene.api.wait_until(SOON, leased));
        let result = scene.run(&second, &params);
        assert!(result["skipped"].as_str().unwrap().contains("another run"), "{result}");
        assert_eq!((&result["lines"]["read"], &result["error"]), (&json!(0), &Value::Null));
        drop(hold);
        assert_eq!(at_work.join().unwrap()["lines"]["acknowledged"], 12);
    });
    assert_eq!(scene.run(&second, &params)["lines"]["read"], 0);
    assert_eq!(receiver.events().len(), 12);
}

#[test]
fn an_api_that_gives_smaller_pages_is_understood() {
    let limits = Limits { max_list: 50, ..Limits::default() };
    let scene = Scene::with(Options { limits, ..Options::default() });
    scene.add_activations(120);
    let receiver = scene.receiver();
    let result = scene.run(&scene.container(), &scene.params(receiver.port()));
    assert_eq!((&result["lines"]["acknowledged"], &result["error"]), (&json!(720), &Value::Null));
    assert_eq!(arrived(&receiver.wait_for_events(720, SOON)), scene.lines());
}

#[test]
fn an_image_that_waits_for_an_ack_gets_one() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = scene.receiver();
    let container =
        ActionLoop::start(ActionLoopOptions { wait_for_ack: true, ..ActionLoopOptions::default() });
    let (status, body) =
        container.init(&action_zip(&artifacts().whiskjack()), &[("__OW_API_HOST", &scene.api.origin())]);
    assert_eq!(status, 200, "{body}");
    assert_eq!(scene.run(&container, &scene.params(receiver.port()))["lines"]["acknowledged"], 6);
}

#[test]
fn a_new_container_goes_on_where_the_last_one_stopped() {
    let scene = Scene::new();
    scene.add_activations(2);
    let receiver = scene.receiver();
    let params = scene.params(receiver.port());
    scene.run(&scene.container(), &params);
    let result = scene.run(&scene.container(), &params);
    assert_eq!(
        (&result["lines"]["read"], &result["checkpoint"]),
        (&json!(0), &json!("unchanged")),
        "{result}"
    );
    assert_eq!(receiver.events().len(), 12);
}
