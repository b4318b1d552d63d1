//! OpenWhisk's invoker: its requests to any container (docs/facts/openwhisk.md 3.1).

use std::fs;
use std::io::{Cursor, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::shared::Shared;

/// What a container writes after a run, once on stdout and once on stderr.
pub(crate) const END_OF_LOGS: &str = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n";
/// How long the platform may wait for any answer in a test.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// How long the end of a run's logs may lag behind its answer.
const LOGS_WITHIN: Duration = Duration::from_secs(10);

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

/// The body of `/init`; without code if the image is the action.
pub(crate) fn init_body(code: Option<&[u8]>, env: &[(&str, &str)]) -> Value {
    let env: Map<String, Value> =
        env.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let mut value = json!({"name": "whiskjack", "main": "main", "binary": code.is_some(), "env": env});
    if let Some(code) = code {
        value["code"] = json!(BASE64_STANDARD.encode(code));
    }
    json!({ "value": value })
}

/// Posts `body` and returns status and answer. A connection for each request, as the invoker does.
#[track_caller]
pub(crate) fn post(address: SocketAddr, path: &str, body: &Value) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(ANSWER_WITHIN))
        .build()
        .into();
    let mut response = agent
        .post(format!("http://{address}{path}"))
        .send_json(body)
        .unwrap_or_else(|error| panic!("{path} got no answer: {error}"));
    let status = response.status().as_u16();
    let length =
        response.headers().get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    let text = response
        .body_mut()
        .with_config()
        .limit(64 * 1024 * 1024)
        .read_to_string()
        .unwrap_or_else(|error| panic!("{path} answered {status} and broke off: {error}"));
    assert_eq!(length, Some(text.len()), "the invoker takes no answer without its length");
    let value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{path} answered {status} without JSON: {error}: {text}"));
    (status, value)
}

/// Waits until `count` ends of logs are in `log`.
#[track_caller]
pub(crate) fn wait_for_ends(log: &Shared<Vec<u8>>, count: usize) {
    let seen = log.wait_for(LOGS_WITHIN, |bytes| {
        (String::from_utf8_lossy(bytes).matches(END_OF_LOGS).count() >= count).then_some(())
    });
    assert!(seen.is_ok(), "the end of the run's logs was not marked; they are:\n{}", log.text());
}

/// An action's code: a zip with `executable` as `exec` at its root, mode 0755.
#[track_caller]
pub fn action_zip(executable: &Path) -> Vec<u8> {
    let bytes = fs::read(executable).unwrap_or_else(|error| panic!("{}: {error}", executable.display()));
    zip_of(&[("exec", &bytes)])
}

/// A zip with these files, mode 0755.
pub fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // Not compressed: that takes seconds in a debug build, and nobody looks at the size.
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o755);
    for (name, bytes) in files {
        zip.start_file(*name, options).expect("a new entry");
        zip.write_all(bytes).expect("the entry's bytes");
    }
    zip.finish().expect("a whole archive").into_inner()
}
