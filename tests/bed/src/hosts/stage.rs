//! The surroundings of a host: an API with the world that all hosts get, a receiver over TLS, and files.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use openwhisk_double::{Activation, Double, Options, Tls, demo};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Lines, Trusts};
use crate::{Certificates, Receiver, ReceiverOptions};

/// More than two pages, and with [`LINES`] more than two windows.
const BURST: i64 = 450;
const LINES: i64 = 9;

/// A stage of its own for each host.
#[derive(Debug)]
pub struct Stage {
    /// The API.
    pub api: Double,
    /// The receiver: with TLS and a certificate of [`Stage::certificates`], if the host can trust it.
    pub receiver: Receiver,
    /// A private authority, which also signed the API's certificate if it has one.
    pub certificates: Certificates,
    trusts: Trusts,
    directory: TempDir,
}

impl Stage {
    /// Sets the stage.
    pub(super) fn set(trusts: Trusts) -> Self {
        let certificates = Certificates::new();
        let https = || Tls::new(certificates.server_certificate.clone(), certificates.server_key.clone());
        let tls = trusts.api.then(https);
        let api = Double::start(Options { tls, ..Options::default() });
        api.world().add_all(world(begin()));
        let tls = trusts.receiver.then(|| certificates.server_tls());
        let receiver = Receiver::start(ReceiverOptions { tls, text: true, ..Default::default() });
        let directory = tempfile::tempdir().expect("a temporary directory");
        Self { api, receiver, certificates, trusts, directory }
    }

    /// The configuration.
    pub fn params(&self) -> Value {
        let mut actions: Vec<&str> = demo::ACTIONS.to_vec();
        actions.push("load/*");
        let mut logstash = json!({"host": "localhost", "port": self.receiver.port()});
        match self.trusts.receiver {
            true => logstash["ca"] = json!(self.certificates.ca),
            false => logstash["tls"] = json!(false),
        }
        json!({"actions": actions, "from": begin() - 1, "logstash": logstash})
    }

    /// The same for a host that reads the API's authority from it, too.
    pub fn params_with_api_ca(&self) -> Value {
        let mut params = self.params();
        params["api"] = json!({"ca": self.certificates.ca});
        params
    }

    /// `params` as a file.
    pub fn config(&self, params: &Value) -> PathBuf {
        let file = self.directory.path().join("config.json");
        fs::write(&file, params.to_string()).expect("a file in the temporary directory");
        file
    }

    /// A file for the checkpoint.
    pub fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    /// Whether the API's key is in `text`.
    pub fn shows_key(&self, text: &str) -> bool {
        self.api.key().split(':').any(|part| text.contains(part))
    }

    /// Every line of the monitored actions.
    pub(super) fn lines(&self) -> Lines {
        let mut lines = Lines::new();
        for record in self.api.world().records() {
            let package = record.package.as_deref();
            let name = package.map_or(record.name.clone(), |package| format!("{package}/{}", record.name));
            if package == Some("load") || demo::ACTIONS.contains(&name.as_str()) {
                for line in record.logs {
                    *lines.entry((record.id.clone(), line)).or_default() += 1;
                }
            }
        }
        lines
    }

    /// How many lists of whole records were asked for.
    pub(super) fn pages(&self) -> usize {
        self.api.requests().iter().filter(|request| request.param("docs") == Some("true")).count()
    }
}

/// When the world begins, in milliseconds since 1970: the same time for all hosts of this process, as it is in the documents.
fn begin() -> i64 {
    static BEGIN: OnceLock<i64> = OnceLock::new();
    *BEGIN.get_or_init(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
        i64::try_from(now.as_millis()).expect("a clock before the year 292278994") - 12 * 60_000
    })
}

/// Ids are given in the order in which activations are added, so this world is always the same.
fn world(begin: i64) -> Vec<Activation> {
    let mut all = demo::first_wave(begin + 11 * 60_000);
    all.extend(odd(begin + 30_000));
    for number in 0..BURST {
        // Three of them start in the same millisecond.
        let run = Activation::new("burst").package("load").start(begin + 60_000 + number / 3);
        let lines: Vec<String> = (0..LINES).map(|line| format!("request {number}, step {line}")).collect();
        all.push(run.stdout(&lines.join("\n")));
        all.push(Activation::new("burst").start(begin + 60_000 + number).stdout("not monitored"));
    }
    all
}

/// Lines that are easily damaged on their way.
fn odd(begin: i64) -> Vec<Activation> {
    let run = |number: i64| Activation::new("odd").package("load").start(begin + number);
    let trace =
        "TypeError: \"x\" is not a function\n    at main (/nodejsAction/index.js:3:9)\n\n\tat <anonymous>";
    vec![
        run(0).stdout("").stdout("\n\n").stderr(""),
        run(1).stderr(trace).stdout("same\nsame").stderr("same"),
        run(2)
            .stdout("Zürich 👩‍👩‍👧 \u{1b}[31mred\u{1b}[0m \\ \" / \u{0}\u{1f}\u{7f}\u{2028}\u{feff}\u{fffd}")
            .stdout("ありがとう"),
        run(3).stdout(&"long ".repeat(60_000)).stdout(&"長い".repeat(20_000)),
        run(4).raw_log("an entry without time or stream").raw_log(""),
        run(5),
        run(6).stdout(r#"{"json": [1.0, 1e400, 18446744073709551616, -0], "a": 1, "a": 2}"#),
    ]
}
