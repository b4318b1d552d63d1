//! Common parts of the end-to-end tests: an API double, certificates, and the configuration that ties them to a receiver.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use base64::prelude::{BASE64_STANDARD, Engine as _};
use openwhisk_double::{Activation, Double, Invocation, Options, Tls};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use whiskjack_testbed::{
    ActionLoop, ActionLoopOptions, Certificates, Received, Receiver, ReceiverOptions, RunContext,
};
use whiskjack_testbed::{action_zip, artifacts};

/// How long anything may take that ought to be there at once.
pub const SOON: Duration = Duration::from_secs(20);

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// An API with a few activations of two actions, and a receiver's certificates.
pub struct Scene {
    pub api: Double,
    pub certificates: Certificates,
}

/// The monitored actions: one has every odd character that a name may have, one is in a package.
pub const ACTIONS: [&str; 2] = ["R&D my-action.v2@eu", "shop/check out"];

impl Scene {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        Self { api: Double::start(options), certificates: Certificates::new() }
    }

    /// With an API over TLS, with the same certificate as the receiver.
    pub fn over_tls() -> Self {
        let certificates = Certificates::new();
        let tls = Tls::new(&certificates.server_certificate, &certificates.server_key);
        Self { api: Double::start(Options { tls: Some(tls), ..Options::default() }), certificates }
    }

    /// A run of each monitored action and of one that nobody asked for; equal lines, both streams, a long stack trace.
    pub fn add_activations(&self, how_many: i64) {
        let begin = now_ms() - 60_000;
        for number in 0..how_many {
            let start = begin + number * 10;
            self.api.world().add(
                Activation::new(ACTIONS[0])
                    .start(start)
                    .stdout("same\nsame")
                    .stderr(&format!("Error: {number}\n    at main (index.js:1:2)\n    at run (\"x\")")),
            );
            self.api.world().add(
                Activation::new("check out")
                    .package("shop")
                    .start(start)
                    .stdout("Zürich 👋 \u{1b}[33mwarn\u{1b}[0m"),
            );
            self.api.world().add(Activation::new("check out").start(start).stdout("of another package"));
            self.api.world().add(Activation::new("quiet").start(start));
        }
    }

    /// Every line of the monitored actions that the world holds: activation id and text, with how often it is there.
    pub fn lines(&self) -> BTreeMap<(String, String), usize> {
        let mut lines = BTreeMap::new();
        for record in self.api.world().records() {
            let name = match &record.package {
                Some(package) => format!("{package}/{}", record.name),
                None => record.name.clone(),
            };
            if ACTIONS.contains(&name.as_str()) {
                for line in &record.logs {
                    *lines.entry((record.id.clone(), line.clone())).or_default() += 1;
                }
            }
        }
        lines
    }

    /// A receiver with this scene's certificate.
    pub fn receiver(&self) -> Receiver {
        Receiver::start(ReceiverOptions {
            tls: Some(self.certificates.server_tls()),
            ..ReceiverOptions::default()
        })
    }

    /// The parameters that send the monitored actions to `port`.
    pub fn params(&self, port: u16) -> Value {
        json!({"actions": ACTIONS, "logstash": {"host": "localhost", "port": port, "ca": self.certificates.ca}})
    }

    /// The action in its container, initialized.
    pub fn container(&self) -> ActionLoop {
        let container = ActionLoop::start(ActionLoopOptions::default());
        let zip = action_zip(&artifacts().whiskjack());
        let (status, body) = container.init(&zip, &[("__OW_API_HOST", &self.api.origin())]);
        assert_eq!(status, 200, "{body}");
        container
    }

    /// One activation of the action.
    pub fn run(&self, container: &ActionLoop, params: &Value) -> Value {
        let context = RunContext { api_key: Some(self.api.key()), ..RunContext::default() };
        let (status, result) = container.run(params, &context);
        assert_eq!(status, 200, "{result}\n{}", container.log());
        result
    }

    /// One request to the API with its key, to a path below the namespaces; it must succeed.
    #[track_caller]
    pub fn ask_api(&self, method: &str, path: &str, body: &str) {
        let key = BASE64_STANDARD.encode(self.api.key());
        let mut stream = TcpStream::connect(self.api.address()).unwrap();
        let head = format!("{method} /api/v1/namespaces/{path} HTTP/1.1\r\nHost: api\r\nConnection: close");
        let length = body.len();
        write!(stream, "{head}\r\nAuthorization: Basic {key}\r\nContent-Length: {length}\r\n\r\n{body}")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
    }

    /// Runs an invocation of the API's as its platform would: in a container, with `zip` as the code.
    pub fn invoke(&self, run: &Invocation, zip: &[u8]) -> Value {
        invoke(&self.api.origin(), run, zip)
    }

    /// The environment of the command.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("__OW_API_HOST", self.api.origin()),
            ("__OW_API_KEY", self.api.key()),
            ("__OW_NAMESPACE", self.api.namespace()),
        ]
    }

    /// Whether the secret part of the key is in `text`.
    pub fn shows_key(&self, text: &str) -> bool {
        let key = self.api.key();
        key.split(':').any(|part| text.contains(part))
    }
}

/// Runs an invocation of the API at `origin` as its platform would: in a container, with `zip` as the code.
pub fn invoke(origin: &str, run: &Invocation, zip: &[u8]) -> Value {
    let container = ActionLoop::start(ActionLoopOptions::default());
    let (status, body) = container.init(zip, &[("__OW_API_HOST", origin)]);
    assert_eq!(status, 200, "{body}");
    let context = RunContext {
        action_name: run.action_name.clone(),
        activation_id: run.activation_id.clone(),
        api_key: run.api_key.clone(),
        ..RunContext::default()
    };
    let (status, result) = container.run(&Value::Object(run.params.clone()), &context);
    assert_eq!(status, 200, "{result}\n{}", container.log());
    result
}

/// A port that nobody listens on.
pub fn refused_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The lines that arrived: activation id and text, with how often.
pub fn arrived(events: &[Received]) -> BTreeMap<(String, String), usize> {
    let text = |event: &Value, key: &str| event[key].as_str().unwrap().to_owned();
    let mut lines = BTreeMap::new();
    for Received { event, .. } in events {
        *lines.entry((text(event, "activation"), text(event, "line"))).or_default() += 1;
    }
    lines
}
