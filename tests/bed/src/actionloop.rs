//! An OpenWhisk container with the ActionLoop proxy, started for one test.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::artifacts;
use crate::process::Peer;

/// What the proxy writes after a run, once for stdout and once for stderr.
const END_OF_LOGS: &str = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n";
/// How long the platform may wait for any answer in a test.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// How long the end of a run's logs may lag behind its answer.
const LOGS_WITHIN: Duration = Duration::from_secs(10);

/// How the container behaves. The default: as the Rust and base images.
#[derive(Clone, Copy, Debug, Default)]
pub struct ActionLoopOptions {
    /// As the Go images: the action must acknowledge that it has started, before its first run.
    pub wait_for_ack: bool,
    /// The action is killed when a run passes its deadline.
    pub deadline_kill: bool,
}

/// What the platform tells about an activation. The default: made-up values, 60 s, no key.
#[derive(Clone, Debug)]
pub struct RunContext {
    /// Namespace of the activation.
    pub namespace: String,
    /// `/namespace/[package/]action`.
    pub action_name: String,
    /// 32 hexadecimal digits.
    pub activation_id: String,
    /// 32 alphanumeric characters.
    pub transaction_id: String,
    /// Milliseconds since 1970, as text.
    pub deadline: String,
    /// `uuid:secret`; absent unless the action is annotated with `provide-api-key`.
    pub api_key: Option<String>,
}

impl RunContext {
    /// The default with a deadline that is `limit` from now.
    pub fn within(limit: Duration) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
        Self {
            namespace: "guest".to_owned(),
            action_name: "/guest/whiskjack".to_owned(),
            activation_id: format!("{:032x}", now.as_nanos()),
            transaction_id: format!("{:032}", now.as_nanos()),
            deadline: (now + limit).as_millis().to_string(),
            api_key: None,
        }
    }

    /// The body of a `/run`.
    pub(crate) fn body(&self, params: &Value) -> Value {
        let mut body = json!({
            "value": params,
            "namespace": self.namespace,
            "action_name": self.action_name,
            "action_version": "0.0.1",
            "activation_id": self.activation_id,
            "transaction_id": self.transaction_id,
            "deadline": self.deadline,
        });
        if let Some(key) = &self.api_key {
            body["api_key"] = json!(key);
        }
        body
    }
}

impl Default for RunContext {
    fn default() -> Self {
        Self::within(Duration::from_secs(60))
    }
}

/// A running container.
#[derive(Debug)]
pub struct ActionLoop {
    peer: Peer,
    // How many ends of logs have been written: two for each run.
    ends: AtomicUsize,
}

impl ActionLoop {
    /// Starts the proxy; it accepts requests when this returns.
    ///
    /// `WHISKJACK_ACTIONLOOP_PROXY` may name another executable that prints the same first line, takes the same flags
    /// and puts the action's output on stderr.
    #[track_caller]
    pub fn start(options: ActionLoopOptions) -> Self {
        let proxy = env::var_os("WHISKJACK_ACTIONLOOP_PROXY")
            .unwrap_or_else(|| OsString::from(artifacts().actionloop_proxy()));
        let mut command = Command::new(proxy);
        // The proxy hands these on: a container has none but the platform's.
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("__OW_") {
                command.env_remove(name);
            }
        }
        if options.wait_for_ack {
            command.arg("-wait-for-ack");
        }
        if options.deadline_kill {
            command.arg("-deadline-kill");
        }
        Self { peer: Peer::start("actionloop-proxy", command, |_| ()), ends: AtomicUsize::new(0) }
    }

    /// `/init`: unpacks and starts the action. `env` is all that the action sees of an environment; the API host is in
    /// `__OW_API_HOST`. Returns status and body.
    #[track_caller]
    pub fn init(&self, zip: &[u8], env: &[(&str, &str)]) -> (u16, Value) {
        let env: Map<String, Value> =
            env.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let code = BASE64_STANDARD.encode(zip);
        let body =
            json!({"value": {"name": "whiskjack", "main": "main", "binary": true, "code": code, "env": env}});
        self.post("/init", &body)
    }

    /// `/run`: one activation. Returns status and body, when the logs of the run are complete.
    #[track_caller]
    pub fn run(&self, params: &Value, context: &RunContext) -> (u16, Value) {
        let answer = self.post("/run", &context.body(params));
        // With 500 there was nothing to run.
        if answer.0 != 500 {
            let ends = self.ends.fetch_add(2, Ordering::SeqCst) + 2;
            self.wait_for_ends(ends);
        }
        answer
    }

    /// What the action has printed so far on stdout and stderr, in the order in which it came. Complete after each run.
    pub fn log(&self) -> String {
        self.peer.stderr().text().replace(END_OF_LOGS, "")
    }

    #[track_caller]
    fn wait_for_ends(&self, count: usize) {
        let seen = self.peer.stderr().wait_for(LOGS_WITHIN, |bytes| {
            (String::from_utf8_lossy(bytes).matches(END_OF_LOGS).count() >= count).then_some(())
        });
        assert!(seen.is_ok(), "the proxy did not mark the end of the run's logs");
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        // A connection for each request, as the invoker does.
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_WITHIN))
            .build()
            .into();
        let mut response = agent
            .post(format!("http://{}{path}", self.peer.address()))
            .send_json(body)
            .unwrap_or_else(|error| panic!("{path} got no answer: {error}"));
        let status = response.status().as_u16();
        let value = response
            .body_mut()
            .with_config()
            .limit(64 * 1024 * 1024)
            .read_json()
            .unwrap_or_else(|error| panic!("{path} answered {status} without JSON: {error}"));
        (status, value)
    }
}

/// An action's code: a zip with `executable` as `exec` at its root, mode 0755.
#[track_caller]
pub fn action_zip(executable: &Path) -> Vec<u8> {
    let bytes = fs::read(executable).unwrap_or_else(|error| panic!("{}: {error}", executable.display()));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // Not compressed: that takes seconds in a debug build, and nobody looks at the size.
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o755);
    zip.start_file("exec", options).expect("a new entry");
    zip.write_all(&bytes).expect("the entry's bytes");
    zip.finish().expect("a whole archive").into_inner()
}
