//! A configuration of the forwarder of 2017 works unchanged: the files that its users have, end to end through the built binary
//! (docs/facts/openwhisk.md 6.3).

use crate::support::{SOON, Scene, now_ms};
use openwhisk_double::Activation;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::mpsc::channel;
use whiskjack_testbed::{Certificates, PASSPHRASE, Receiver, ReceiverOptions, action_zip, artifacts};

/// Its sample configuration, for a receiver at this port.
fn config_json(port: &Value) -> Value {
    json!({
        "actions": ["sample_action"],
        "from": 0,
        "logstash": {"host": "localhost", "port": port, "rejectUnauthorized": false},
    })
}

/// An activation from long ago: with `from` 0 it is wanted, too.
fn add_samples(scene: &Scene) {
    let world = scene.api.world();
    world.add(Activation::new("sample_action").start(now_ms() - 86_400_000).stdout("long ago"));
    world.add(Activation::new("sample_action").start(now_ms() - 5_000).stdout("one\ntwo"));
    world.add(Activation::new("another").stdout("not asked for"));
}

fn lines(receiver: &Receiver, count: usize) -> BTreeSet<String> {
    let events = receiver.wait_for_events(count, SOON);
    assert_eq!(events.len(), count, "each line once");
    events
        .iter()
        .map(|event| event.event["line"].as_str().unwrap().split(": ").last().unwrap().to_owned())
        .collect()
}

fn acknowledged(result: &Value) -> &Value {
    assert_eq!(result["error"], Value::Null, "{result:#}");
    &result["lines"]["acknowledged"]
}

#[test]
fn its_config_json_forwards_everything_from_then_on() {
    for port_as_text in [false, true] {
        let scene = Scene::new();
        add_samples(&scene);
        let receiver = scene.receiver();
        let port = if port_as_text { json!(receiver.port().to_string()) } else { json!(receiver.port()) };
        let container = scene.container();
        let result = scene.run(&container, &config_json(&port));
        assert_eq!(acknowledged(&result), 3);
        assert_eq!(lines(&receiver, 3), BTreeSet::from(["long ago", "one", "two"].map(str::to_owned)));
        assert!(result["warnings"].to_string().contains("rejectUnauthorized"), "{result:#}");
        assert_eq!(acknowledged(&scene.run(&container, &config_json(&port))), 0);
    }
}

#[test]
fn from_leaves_out_what_started_then_or_before() {
    let scene = Scene::new();
    let from = now_ms() - 60_000;
    for (start, text) in [(from - 1, "before"), (from, "then"), (from + 1, "after")] {
        scene.api.world().add(Activation::new("sample_action").start(start).stdout(text));
    }
    let receiver = scene.receiver();
    let mut params = config_json(&json!(receiver.port()));
    params["from"] = json!(from);
    assert_eq!(acknowledged(&scene.run(&scene.container(), &params)), 1);
    assert_eq!(lines(&receiver, 1), BTreeSet::from(["after".to_owned()]));
}

/// The parameters as its `serverless.yml` names them one by one, and what the alarm adds: the plugin sends a trigger payload that is text, and
/// the platform the headers of whoever fired the trigger (docs/facts/openwhisk.md 3.5, 4).
#[test]
fn its_serverless_yml_and_the_alarm_that_the_plugin_makes_work() {
    let scene = Scene::new();
    add_samples(&scene);
    let receiver = scene.receiver();
    let config = config_json(&json!(receiver.port()));
    let parameters: Vec<Value> =
        ["actions", "from", "logstash"].map(|key| json!({"key": key, "value": config[key]})).to_vec();
    let world = scene.api.world();
    let exec = json!({"kind": "blackbox", "image": "openwhisk/dockerskeleton", "code": "AAAA"});
    let annotations = json!([{"key": "provide-api-key", "value": true}]);
    let names = ("logging_logstash-forwarder", "logging_logstash-forwarder_schedule_trigger");
    let put = |kind: &str, name: &str, body: &Value| {
        scene.ask_api("PUT", &format!("_/{kind}/{name}"), &body.to_string());
    };
    put("actions", names.0, &json!({"exec": exec, "parameters": parameters, "annotations": annotations}));
    put(
        "triggers",
        names.1,
        &json!({"annotations": [{"key": "feed", "value": "/whisk.system/alarms/alarm"}]}),
    );
    let feed = json!({
        "lifecycleEvent": "CREATE", "triggerName": format!("/_/{}", names.1), "authKey": scene.api.key(),
        "cron": "* * * * *", "trigger_payload": "{}",
    });
    scene.ask_api("POST", "whisk.system/actions/alarms/alarm?blocking=true", &feed.to_string());
    let rule = json!({"trigger": format!("/_/{}", names.1), "action": format!("/_/{}", names.0)});
    put("rules", "logging_logstash-forwarder_schedule_rule", &rule);

    let (sender, runs) = channel();
    world.run_actions_with(move |run| {
        sender.send(run.clone()).unwrap();
        Activation::new("handed on")
    });
    assert!(world.ring(names.1).is_some());
    let run = runs.recv_timeout(SOON).unwrap();
    let extra: Vec<&String> = run.params.keys().filter(|key| config.get(key.as_str()).is_none()).collect();
    assert_eq!(extra, ["__ow_headers", "payload"]);
    assert_eq!(run.params["payload"], "{}");

    let result = scene.invoke(&run, &action_zip(&artifacts().whiskjack()));
    assert_eq!(acknowledged(&result), 3);
    assert_eq!(lines(&receiver, 3).len(), 3);
}

#[test]
fn options_of_nodes_tls_that_it_passed_on_keep_their_meaning() {
    let scene = Scene::new();
    add_samples(&scene);
    let Certificates { ca, other_ca, client_certificate, client_key, client_key_encrypted, .. } =
        &scene.certificates;
    let tls = Some(scene.certificates.mutual_tls());
    let receiver = Receiver::start(ReceiverOptions { tls, ..ReceiverOptions::default() });
    for options in [
        json!({"ca": ca, "cert": client_certificate, "key": client_key}),
        json!({"ca": [other_ca, ca], "cert": client_certificate, "key": client_key_encrypted, "passphrase": PASSPHRASE}),
        json!({"ca": [ca], "cert": client_certificate, "key": {"pem": client_key_encrypted, "passphrase": PASSPHRASE}}),
        json!({"ca": ca, "cert": client_certificate, "key": client_key, "minVersion": "TLSv1.2", "maxVersion": "TLSv1.2"}),
        json!({"ca": ca, "cert": client_certificate, "key": client_key, "minVersion": "TLSv1"}),
        json!({"rejectUnauthorized": false, "cert": client_certificate, "key": client_key}),
    ] {
        scene.api.world().add(Activation::new("sample_action").stdout("again"));
        let mut logstash: Map<String, Value> = options.as_object().unwrap().clone();
        logstash
            .extend([("host".to_owned(), json!("localhost")), ("port".to_owned(), json!(receiver.port()))]);
        let shown: Vec<&String> = logstash.keys().collect();
        let result = scene
            .run(&scene.container(), &json!({"actions": ["sample_action"], "from": 0, "logstash": logstash}));
        assert!(acknowledged(&result).as_u64().unwrap() > 0, "{shown:?}: {result:#}");
    }
    let mut named = json!({"actions": ["sample_action"], "logstash": {"host": "127.0.0.1", "port": receiver.port(), "ca": ca}});
    named["logstash"]["servername"] = json!("localhost");
    named["logstash"]["cert"] = json!(client_certificate);
    named["logstash"]["key"] = json!(client_key);
    scene.api.world().add(Activation::new("sample_action").stdout("by another name"));
    assert_eq!(acknowledged(&scene.run(&scene.container(), &named)), 1);
}

#[test]
fn options_that_cannot_be_honoured_are_named_all_at_once_with_what_to_do() {
    let scene = Scene::new();
    let refused = [
        "ALPNProtocols",
        "ciphers",
        "crl",
        "ecdhCurve",
        "family",
        "path",
        "pfx",
        "secureProtocol",
        "sigalgs",
    ];
    let mut params = config_json(&json!(5000));
    for option in refused {
        params["logstash"][option] = json!("x");
    }
    let result = scene.run(&scene.container(), &params);
    let faults = result["faults"].as_array().unwrap();
    let keys: Vec<&str> = faults.iter().map(|fault| fault["key"].as_str().unwrap()).collect();
    for option in refused {
        assert!(keys.contains(&format!("logstash.{option}").as_str()), "{option} is not in {keys:?}");
    }
    assert_eq!(keys.len(), refused.len(), "{keys:?}");
}

/// Its own records say where it stopped; it counts on from there if the new action has the same name.
#[test]
fn what_it_had_forwarded_is_not_sent_again() {
    let scene = Scene::new();
    let last = now_ms() - 120_000;
    let world = scene.api.world();
    world.add(Activation::new("sample_action").start(last).stdout("forwarded in its time"));
    world.add(Activation::new("sample_action").start(last + 1).stdout("new"));
    let state = format!("LAST_ACTIVATION sample_action {last}");
    world.add(Activation::new("whiskjack").start(now_ms() - 60_000).stdout(&state).result(json!({})));
    let receiver = scene.receiver();
    let result = scene.run(&scene.container(), &config_json(&json!(receiver.port())));
    assert_eq!(acknowledged(&result), 1, "{result:#}");
    assert_eq!(lines(&receiver, 1), BTreeSet::from(["new".to_owned()]));
}
