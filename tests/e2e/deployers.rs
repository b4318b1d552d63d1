//! The files of `deploy/` with programs that we did not write. `cargo xtask deployers` fetches those, 260 MB, and turns on the feature that this is built with.

use crate::support::{SOON, Scene, arrived};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use openwhisk_double::Activation;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use whiskjack_testbed::artifacts;

/// `serverless deploy` in `folder`, with the API of the scene.
#[track_caller]
fn serverless_deploy(scene: &Scene, folder: &Path) {
    let program = artifacts().directory().join("deployers/node_modules/serverless/bin/serverless.js");
    assert!(program.is_file(), "the Serverless framework is not there: run `cargo xtask deployers`");
    let output = Command::new("node")
        .arg(program)
        .arg("deploy")
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .envs([
            ("OW_APIHOST", scene.api.origin()),
            ("OW_AUTH", scene.api.key()),
            ("OW_NAMESPACE", scene.api.namespace()),
        ])
        .envs([("SLS_TELEMETRY_DISABLED", "1"), ("SLS_NOTIFICATIONS_MODE", "off"), ("CI", "1")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_serverless_framework_makes_an_action_that_forwards_by_alarm() {
    let scene = Scene::new();
    scene.add_activations(2);
    let receiver = scene.receiver();
    let root = tempfile::tempdir().unwrap();
    let deploy = root.path().join("deploy");
    for folder in ["deploy", "dist"] {
        std::fs::create_dir(root.path().join(folder)).unwrap();
    }
    std::fs::copy(artifacts().whiskjack(), root.path().join("dist/whiskjack")).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/serverless.yml");
    std::fs::copy(file, deploy.join("serverless.yml")).unwrap();
    std::fs::write(deploy.join("config.json"), scene.params(receiver.port()).to_string()).unwrap();
    // As if it had been installed there.
    let packages = artifacts().directory().join("deployers/node_modules");
    std::os::unix::fs::symlink(packages, deploy.join("node_modules")).unwrap();

    // Again, to see that it may be repeated.
    serverless_deploy(&scene, &deploy);
    serverless_deploy(&scene, &deploy);

    let world = scene.api.world();
    let action = world.action("whiskjack").expect("the action");
    assert_eq!(action["exec"]["image"], "openwhisk/dockerskeleton");
    assert!(
        action["annotations"].to_string().contains(r#"{"key":"provide-api-key","value":true}"#),
        "{}",
        action["annotations"]
    );
    assert_eq!(action["limits"]["timeout"], 60_000);
    let alarm = world.alarm("whiskjack-alarm").expect("the alarm");
    assert_eq!((&alarm["cron"], &alarm["payload"]), (&json!("* * * * *"), &json!({"payload": "{}"})));
    assert_eq!(world.rule("whiskjack-rule").expect("the rule")["status"], "active");

    let (sender, runs) = channel();
    world.run_actions_with(move |run| {
        sender.send(run.clone()).unwrap();
        Activation::new("handed on")
    });
    assert!(world.ring("whiskjack-alarm").is_some());
    let code = BASE64_STANDARD.decode(action["exec"]["code"].as_str().unwrap()).unwrap();
    let result = scene.invoke(&runs.recv_timeout(SOON).unwrap(), &code);
    assert_eq!(
        (&result["error"], &result["lines"]["acknowledged"]),
        (&Value::Null, &json!(12)),
        "{result:#}"
    );
    assert_eq!(arrived(&receiver.wait_for_events(12, SOON)), scene.lines());
}
