//! TLS of the composed command, in a host that trusts the test's authority.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use openwhisk_double::{Activation, Double, Options};
use serde_json::{Value, json};
use whiskjack_testbed::{
    Certificates, Receiver, ReceiverOptions, Scripted, ScriptedOptions, Session, artifacts,
};
use whiskjack_tls_host::{Ran, run};

const SOON: Duration = Duration::from_secs(20);

/// An API with one activation of eight lines, and what receivers show.
struct Scene {
    api: Double,
    certificates: Certificates,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { api: Double::start(Options::default()), certificates: Certificates::new() };
        scene.add((1..=8).map(|number| format!("timber {number}")));
        scene
    }

    fn add(&self, lines: impl Iterator<Item = String>) {
        self.api.world().add(Activation::new("hello").stdout(&lines.collect::<Vec<_>>().join("\n")));
    }

    /// A run with `logstash`, which asks for TLS by not saying anything about it.
    fn run(&self, logstash: Value) -> Ran {
        let config = json!({"actions": ["hello"], "logstash": logstash});
        let environment = [
            ("__OW_API_HOST", self.api.origin()),
            ("__OW_API_KEY", self.api.key()),
            ("WHISKJACK_CONFIG", config.to_string()),
        ];
        run(&artifacts().compiled_command(), &self.certificates.ca, &["run"], &environment)
    }

    fn secured(&self, script: impl Fn(&mut Session) + Send + Sync + 'static) -> Scripted {
        let tls = Some(self.certificates.server_config());
        Scripted::with(ScriptedOptions { tls, ..ScriptedOptions::default() }, script)
    }
}

fn result(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

#[test]
fn every_line_arrives_over_tls() {
    let scene = Scene::new();
    // Some windows, more than a socket takes at once.
    for _ in 0..5 {
        scene.add((0..1000).map(|number| format!("{number} {}", "sawdust ".repeat(60))));
    }
    let tls = Some(scene.certificates.server_tls());
    let receiver = Receiver::start(ReceiverOptions { tls, ..ReceiverOptions::default() });
    let ran = scene.run(json!({"host": "localhost", "port": receiver.port(), "compression_level": 0}));
    assert!(ran.ok, "{ran:?}");
    assert_eq!(result(&ran)["lines"]["acknowledged"], 5008);
    assert_eq!(receiver.wait_for_events(5008, SOON).len(), 5008);
}

#[test]
fn tls_says_goodbye_after_the_last_ack_and_nothing_is_half_closed() {
    let scene = Scene::new();
    let ends = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ends);
    let receiver = scene.secured(move |session| {
        session.window();
        // A client that is done with writing, but not with reading, shows itself here.
        let early = session.ended_within(Duration::from_millis(200));
        session.ack(8);
        let clean = session.ended_cleanly();
        seen.lock().unwrap().push((early, clean));
    });
    let ran = scene.run(json!({"host": "localhost", "port": receiver.port()}));
    assert!(ran.ok, "{ran:?}");
    receiver.settled(SOON);
    assert_eq!(*ends.lock().unwrap(), [(false, true)]);
}

#[test]
fn the_certificate_is_checked_for_the_servername_that_is_given() {
    let scene = Scene::new();
    let receiver = scene.secured(Session::serve);
    let wrong =
        scene.run(json!({"host": "localhost", "port": receiver.port(), "servername": "elsewhere.example"}));
    assert!(!wrong.ok, "{wrong:?}");
    assert!(result(&wrong)["error"].as_str().unwrap().contains("`logstash.servername`"), "{wrong:?}");
    let right = scene.run(json!({"host": "127.0.0.1", "port": receiver.port(), "servername": "localhost"}));
    assert!(right.ok, "{right:?}");
}

#[test]
fn a_receiver_that_demands_a_client_certificate_is_told_apart() {
    let scene = Scene::new();
    let tls = Some(scene.certificates.mutual_tls());
    let receiver = Receiver::start(ReceiverOptions { tls, ..ReceiverOptions::default() });
    let ran = scene.run(json!({"host": "localhost", "port": receiver.port()}));
    assert!(!ran.ok, "{ran:?}");
    assert!(result(&ran)["error"].as_str().unwrap().contains("client certificate"), "{ran:?}");
    assert!(receiver.events().is_empty());
}
