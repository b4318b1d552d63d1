//! The double as the official OpenWhisk client sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};

use openwhisk_double::Activation;
use serde_json::{Value, json};
use support::{NOW, column, double};

/// What `check.mjs` got for each of its questions.
fn answers(origin: &str, key: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("npm");
    assert!(
        folder.join("node_modules/openwhisk").is_dir(),
        "the official client is not installed: run `cargo xtask setup`"
    );
    let mut command = Command::new("node");
    command.arg("check.mjs").args([origin, key]).current_dir(folder).stdin(Stdio::null());
    // A proxy or an action's environment must not lead the client elsewhere.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("__OW_") || name.to_ascii_lowercase().ends_with("_proxy") {
            command.env_remove(&*name);
        }
    }
    let output = command.output().expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[test]
fn the_official_client_finds_what_the_facts_say() {
    let double = double();
    let world = double.world();
    let run =
        |n: i64| Activation::new("hello").start(NOW - 1_000 + n).duration(10).stdout(&format!("line {n}"));
    let ids = world.add_all((0..70).map(run));
    world.add(Activation::new("checkout").package("shop").start(NOW - 5_000));
    let answers = answers(&double.origin(), &double.key());

    let starts = |question: &str| -> Vec<i64> {
        column(&answers[question], "start")
            .iter()
            .map(|start| start.as_i64().unwrap() - NOW + 1_000)
            .collect()
    };
    assert_eq!(starts("list"), (40..70).rev().collect::<Vec<_>>());
    assert_eq!(starts("most").len(), 71);
    assert_eq!(starts("pages"), (0..70).rev().collect::<Vec<_>>());
    assert_eq!(starts("range"), [12, 11, 10]);
    assert_eq!(column(&answers["packaged"], "name"), ["checkout"]);
    assert_eq!(answers["unpackaged"], json!([]));

    assert!(answers["list"][0].get("logs").is_none());
    assert_eq!(answers["list"][0]["statusCode"], 0);
    assert!(answers["docs"][0]["logs"][0].as_str().unwrap().ends_with(" stdout: line 69"));
    assert_eq!(answers["docs"][0], answers["record"]);
    assert_eq!(answers["record"]["activationId"], ids[69]);
    assert_eq!(answers["logs"]["logs"], answers["record"]["logs"]);
    assert_eq!(answers["result"], answers["record"]["response"]);
    assert_eq!(answers["count"], json!({"activations": 70}));

    assert_eq!(answers["missing"]["status"], 404);
    assert_eq!(answers["missing"]["error"], "The requested resource does not exist.");
    assert_eq!(answers["refused"]["status"], 401);

    assert_eq!(answers["created"]["version"], "0.0.1");
    assert_eq!(answers["conflict"]["status"], 409);
    assert_eq!(answers["updated"]["version"], "0.0.2");
    assert_eq!(answers["stored"]["annotations"], json!([{"key": "state", "value": {"through": 2}}]));
    assert_eq!(answers["removed"]["status"], 404);

    assert_eq!(answers["action"]["exec"]["binary"], true);
    assert_eq!(answers["action"]["limits"]["timeout"], 50_000);
    assert_eq!(answers["actionAgain"]["status"], 409);
    assert_eq!(answers["actionUpdated"]["version"], "0.0.2");
    assert_eq!(answers["trigger"]["name"], "tick");
    assert_eq!(answers["feed"]["response"]["success"], true);
    assert_eq!(answers["feedRead"]["response"]["result"]["config"]["cron"], "* * * * *");
    assert_eq!(answers["feedAgain"]["response"]["success"], true);
    assert_eq!(answers["rule"]["status"], "active");
    assert_eq!(answers["ruleDisabled"]["status"], "inactive");
    let fired = answers["firedRecord"]["logs"][0].as_str().unwrap();
    assert!(fired.contains("\"rule\":\"guest/each\""), "{fired}");
    assert_eq!(answers["undeployed"], json!([404, 404, 404]));
}
