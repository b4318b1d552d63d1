//! The component in every host: the same world gives the same documents, and errors say what to do.

mod components;
mod modules;
mod node_action;

use crate::support::{ACTIONS, SOON, Scene, now_ms, refused_port};
use openwhisk_double::{Activation, Double, Options, Tls};
use serde_json::{Value, json};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use whiskjack_testbed::hosts::{difference, hosts, observe, run_host};
use whiskjack_testbed::{
    Output, PASSPHRASE, Receiver, ReceiverOptions, Scripted, ScriptedOptions, Session, artifacts,
};

#[test]
fn every_host_forwards_the_same_documents_to_the_byte_and_nothing_twice() {
    let mut observed = hosts().into_iter().map(|host| (host.name, observe(&host)));
    let (_, first) = observed.next().unwrap();
    let differences: Vec<String> = observed
        .filter_map(|(name, other)| Some(format!("{name}: {}", difference(&first, &other)?)))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The examples as commands, on the built component.
fn examples() -> [(&'static str, Command); 3] {
    let artifacts = artifacts();
    [
        ("Node.js", artifacts.node_host(&artifacts.node_component())),
        ("Python", artifacts.python_host(&artifacts.component())),
        ("Rust", artifacts.rust_host(&artifacts.precompiled())),
    ]
}

/// Runs a host once, and checks that no key is in what it says.
#[track_caller]
fn run(mut host: Command, scene: &Scene, params: &Value) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    std::fs::write(file("config.json"), params.to_string()).unwrap();
    host.envs(scene.environment());
    host.arg("--config").arg(file("config.json")).arg("--state").arg(file("state"));
    let output = run_host(host);
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(!scene.shows_key(&said) && !said.contains("PRIVATE KEY") && !said.contains(PASSPHRASE), "{said}");
    output
}

/// What each example says and its exit status, for these parameters.
fn answers(scene: &Scene, params: &Value) -> Vec<(&'static str, Option<i32>, String)> {
    let answer = |(name, host)| {
        let output = run(host, scene, params);
        (name, output.status.code(), format!("{}{}", output.stdout, output.stderr))
    };
    examples().into_iter().map(answer).collect()
}

#[track_caller]
fn assert_all_say(answers: &[(&str, Option<i32>, String)], status: i32, words: &[&str]) {
    for (name, ended, said) in answers {
        assert_eq!(*ended, Some(status), "{name}: {said}");
        for word in words {
            assert!(said.contains(word), "{name} does not say {word:?}: {said}");
        }
        assert!(said.lines().count() <= 2 && !said.contains("Traceback"), "{name} says too much: {said}");
    }
}

#[test]
fn a_wrong_key_is_named_with_its_remedy() {
    let params = json!({"actions": ["a"], "logstash": {"host": "localhost", "porte": 1}});
    assert_all_say(&answers(&Scene::new(), &params), 2, &["logstash.porte", "did you mean `logstash.port`?"]);
}

#[test]
fn keys_that_a_host_cannot_honour_are_named_all_at_once() {
    let scene = Scene::new();
    let mut params = scene.params(1);
    params["logstash"]["leaf_sha256"] = json!("00");
    params["logstash"]["proxy_url"] = json!("socks4://me:hunter2@proxy:1080");
    params["api"] = json!({"ca": scene.certificates.ca, "rejectUnauthorized": false, "proxy_url": "http://me:hunter2@proxy"});
    let answers = answers(&scene, &params);
    assert_all_say(
        &answers,
        2,
        &["logstash.leaf_sha256", "logstash.proxy_url", "api.ca", "api.rejectUnauthorized", "api.proxy_url"],
    );
    assert!(answers.iter().all(|(_, _, said)| !said.contains("hunter2")), "{answers:?}");
}

#[test]
fn an_api_that_cannot_be_reached_is_named_with_the_key_to_look_at() {
    let scene = Scene::new();
    let mut params = scene.params(1);
    let api = format!("http://127.0.0.1:{}", refused_port());
    params["api"] = json!({"host": api});
    assert_all_say(&answers(&scene, &params), 1, &[&api, "`api.host`"]);
}

#[test]
fn an_api_that_is_not_trusted_is_not_asked() {
    let scene = Scene::new();
    let tls = Tls::new(scene.certificates.server_certificate.clone(), scene.certificates.server_key.clone());
    let api = Double::start(Options { tls: Some(tls), ..Options::default() });
    let mut params = scene.params(1);
    params["api"] = json!({"host": api.origin()});
    let answers = answers(&scene, &params);
    assert_all_say(&answers, 1, &[&api.origin(), "could not be asked", "certificate"]);
    assert!(answers.iter().any(|(name, _, said)| *name == "Node.js" && said.contains("NODE_EXTRA_CA_CERTS")));
    assert!(api.requests().is_empty());
}

#[test]
fn a_receiver_that_is_not_trusted_gets_nothing() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = scene.receiver();
    let mut params = scene.params(receiver.port());
    params["logstash"]["ca"] = json!(scene.certificates.other_ca);
    assert_all_say(&answers(&scene, &params), 1, &["TLS", "`logstash.ca`"]);
    assert!(receiver.events().is_empty());
}

#[test]
fn the_receivers_certificate_must_have_the_configured_name() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = scene.receiver();
    let mut params = scene.params(receiver.port());
    params["logstash"]["servername"] = json!("elsewhere.example");
    assert_all_say(&answers(&scene, &params), 1, &["TLS", "`logstash.servername`"]);
    assert!(receiver.events().is_empty());
    params["logstash"]["host"] = json!("127.0.0.1");
    params["logstash"]["servername"] = json!("localhost");
    assert_all_say(&answers(&scene, &params), 0, &["\"acknowledged\":"]);
    receiver.wait_for_events(3 * 6, SOON);
}

#[test]
fn certificates_are_read_as_editors_and_templates_leave_them_or_it_is_said() {
    let careless = |pem: &str| {
        let indented: String = pem.lines().map(|line| format!("    {line}\r\n")).collect();
        json!(format!("\u{feff}{indented}"))
    };
    let scene = Scene::new();
    scene.add_activations(1);
    for (name, host) in examples() {
        let receiver = Receiver::start(ReceiverOptions {
            tls: Some(scene.certificates.mutual_tls()),
            ..Default::default()
        });
        let mut params = scene.params(receiver.port());
        params["logstash"]["ca"] = careless(&scene.certificates.ca);
        params["logstash"]["cert"] = careless(&scene.certificates.client_certificate);
        params["logstash"]["key"] = careless(&scene.certificates.client_key);
        let output = run(host, &scene, &params);
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        receiver.wait_for_events(6, SOON);
    }
    let mut params = scene.params(1);
    params["logstash"]["ca"] = json!("nonsense");
    assert_all_say(&answers(&scene, &params), 2, &["logstash.ca: holds no certificate that can be read"]);
}

#[test]
fn a_receiver_that_is_not_there_is_named() {
    let scene = Scene::new();
    scene.add_activations(1);
    let port = refused_port();
    let mut params = scene.params(port);
    params["logstash"]["backoff"] = json!({"init": "10ms", "max": "10ms"});
    assert_all_say(&answers(&scene, &params), 1, &[&format!("localhost:{port}")]);
}

#[test]
fn a_receiver_that_asks_for_a_certificate_gets_it_and_says_if_it_is_missing() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = || {
        Receiver::start(ReceiverOptions { tls: Some(scene.certificates.mutual_tls()), ..Default::default() })
    };
    for (name, host) in examples() {
        let receiver = receiver();
        let mut params = scene.params(receiver.port());
        params["logstash"]["cert"] = json!(scene.certificates.client_certificate);
        params["logstash"]["key"] = json!(scene.certificates.client_key);
        let output = run(host, &scene, &params);
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        receiver.wait_for_events(6, SOON);
    }
    let receiver = receiver();
    assert_all_say(&answers(&scene, &scene.params(receiver.port())), 1, &["TLS", "`logstash.cert`"]);
}

#[test]
fn an_encrypted_key_is_opened_with_its_passphrase() {
    let scene = Scene::new();
    scene.add_activations(1);
    let key = &scene.certificates.client_key_encrypted;
    for form in [
        json!({"key": key, "passphrase": PASSPHRASE}),
        json!({"key": {"pem": key, "passphrase": PASSPHRASE}}),
    ] {
        for (name, host) in examples().into_iter().filter(|(name, _)| *name != "Rust") {
            let receiver = Receiver::start(ReceiverOptions {
                tls: Some(scene.certificates.mutual_tls()),
                ..Default::default()
            });
            let mut params = scene.params(receiver.port());
            params["logstash"]["cert"] = json!(scene.certificates.client_certificate);
            params["logstash"].as_object_mut().unwrap().extend(form.as_object().unwrap().clone());
            let output = run(host, &scene, &params);
            assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
            receiver.wait_for_events(6, SOON);
        }
    }
}

/// Runs each example against a receiver that follows `script`, over TLS; returns what each said.
fn scripted(
    lines: &str,
    timeout: &str,
    script: impl Fn(&mut Session) + Send + Sync + Clone + 'static,
) -> Vec<(&'static str, Option<i32>, String)> {
    let scene = Scene::new();
    scene.api.world().add(Activation::new(ACTIONS[0]).start(now_ms() - 60_000).stdout(lines));
    let answer = |(name, host)| {
        let tls = Some(scene.certificates.server_config());
        let receiver =
            Scripted::with(ScriptedOptions { tls, narrow: true, ..Default::default() }, script.clone());
        let mut params = scene.params(receiver.port());
        params["logstash"]["timeout"] = json!(timeout);
        params["logstash"]["compression_level"] = json!(0);
        params["logstash"]["backoff"] = json!({"init": "10ms", "max": "10ms"});
        let output = run(host, &scene, &params);
        receiver.settled(SOON);
        (name, output.status.code(), format!("{}{}", output.stdout, output.stderr))
    };
    examples().into_iter().map(answer).collect()
}

#[test]
fn a_connection_ends_with_a_goodbye_and_not_before_the_last_ack() {
    let ends = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ends);
    let answers = scripted("one\ntwo", "10s", move |session| {
        session.window();
        let early = session.ended_within(Duration::from_millis(200));
        session.ack(2);
        seen.lock().unwrap().push((early, session.ended_cleanly()));
    });
    assert_all_say(&answers, 0, &["\"acknowledged\":"]);
    assert_eq!(*ends.lock().unwrap(), [(false, true); 3]);
}

#[test]
fn a_window_that_the_receiver_takes_bit_by_bit_arrives_whole() {
    let answers = scripted(&"bulky ".repeat(100_000), "10s", Session::serve);
    assert_all_say(&answers, 0, &["\"acknowledged\":"]);
}

#[test]
fn a_connection_that_breaks_is_made_anew() {
    let answers = scripted("one\ntwo", "10s", |session| match session.number() {
        1 => session.reset(),
        2 => {
            session.window();
            session.close();
        }
        _ => session.serve(),
    });
    assert_all_say(&answers, 0, &["\"acknowledged\":"]);
}

#[test]
fn a_receiver_that_is_silent_is_left_after_its_timeout() {
    let answers = scripted("one\ntwo", "600ms", |session| {
        session.window();
        session.read_to_end();
    });
    assert_all_say(&answers, 1, &["nothing for 0.6 s", "`logstash.timeout`"]);
}
