//! Output of programs with the usual libraries for logging, from their own runtimes into documents: `tests/loggers`.

use crate::support::{SOON, Scene};
use openwhisk_double::Activation;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use whiskjack_testbed::{Cli, artifacts};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/loggers").join(name)
}

/// A program of `tests/loggers`, ready to run.
#[track_caller]
fn program(path: &str) -> Command {
    let mut command = match path.rsplit_once('.') {
        Some((_, "js")) => Command::new("node"),
        Some((_, "py")) => Command::new("python3"),
        _ => Command::new(artifacts().directory().join(path)),
    };
    if path.contains('.') {
        command.arg(folder(path));
    }
    let installed = [folder("node/node_modules"), artifacts().directory().join("python-loggers")];
    for packages in &installed {
        assert!(packages.is_dir(), "{} is missing: run `cargo xtask setup`", packages.display());
    }
    command.env("PYTHONPATH", &installed[1]).env_remove("FORCE_COLOR");
    command
}

/// An activation of an action of this name, with what the program prints.
#[track_caller]
fn activation(name: &str, path: &str) -> Activation {
    let output = program(path).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    let mut activation = Activation::new(name);
    if !stdout.is_empty() {
        activation = activation.stdout(stdout.trim_end_matches('\n'));
    }
    if !stderr.is_empty() {
        activation = activation.stderr(stderr.trim_end_matches('\n'));
    }
    activation
}

#[test]
fn what_loggers_of_node_python_and_go_print_becomes_messages_with_levels_errors_and_whole_traces() {
    let programs = [
        ("pino", "node/pino.js"),
        ("ecs-pino", "node/ecs-pino.js"),
        ("winston", "node/winston.js"),
        ("ecs", "python/ecs.py"),
        ("json_logger", "python/json_logger.py"),
        ("slog", "logger-slog"),
        ("zap", "logger-zap"),
        ("uncaught", "uncaught.js"),
        ("rejection", "rejection.js"),
        ("traces", "traces.py"),
    ];
    let scene = Scene::new();
    for (name, path) in programs {
        scene.api.world().add(activation(name, path));
    }
    let receiver = scene.receiver();
    let mut params = scene.params(receiver.port());
    params["actions"] = json!(["*"]);
    params["events"] = json!({"shape": "ecs"});
    params["lines"] = json!({"multiline": "auto", "json": true});
    let environment = scene.environment();
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let output = Cli::run(&params, None, &environment);
    let result: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(result["error"], Value::Null, "{result:#}");
    let count = usize::try_from(result["lines"]["acknowledged"].as_u64().unwrap()).unwrap();
    let events = receiver.wait_for_events(count, SOON);

    let of = |name: &str| -> Vec<&Value> {
        events.iter().map(|received| &received.event).filter(|event| event["faas"]["name"] == name).collect()
    };
    let failed = "it failed: order 4001 is not paid";
    let order = "order 4001 is not paid";
    for (name, said) in [
        ("pino", vec![("info", "paid"), ("warn", "slow"), ("error", "it failed")]),
        ("ecs-pino", vec![("info", "paid"), ("error", "it failed")]),
        ("winston", vec![("info", "paid"), ("error", failed), ("error", order)]),
        ("ecs", vec![("info", "paid"), ("error", "it failed")]),
        ("json_logger", vec![("info", "paid"), ("error", "it failed")]),
        ("slog", vec![("info", "paid"), ("error", "it failed"), ("warn", "once more")]),
        ("zap", vec![("info", "paid"), ("error", "it failed")]),
    ] {
        let documents = of(name);
        let seen: Vec<(&str, &str)> = documents
            .iter()
            .map(|it| (it["log"]["level"].as_str().unwrap(), it["message"].as_str().unwrap()))
            .collect();
        assert_eq!(seen, said, "{name}");
        let (_, failed) = said.iter().zip(&documents).find(|((level, _), _)| *level == "error").unwrap();
        let error = &failed["error"];
        let is_text = |member: &str| error[member].as_str().is_some_and(|text| !text.is_empty());
        assert!(is_text("message") || is_text("stack_trace"), "{name}: {documents:#?}");
    }
    assert!(of("ecs-pino")[1]["error"]["stack_trace"].as_str().unwrap().contains("\n    at JSON.parse"));
    assert!(of("json_logger")[1]["error"]["stack_trace"].as_str().unwrap().contains("\nKeyError: "));
    assert_eq!(of("ecs")[1]["error"]["type"], "KeyError");
    assert_eq!(of("slog")[1]["error"]["message"], "order 4001 is not paid: no money");
    assert!(of("zap")[1]["error"]["stack_trace"].as_str().unwrap().starts_with("main.main\n"));

    let message = |document: &Value| document["message"].as_str().unwrap().to_owned();
    let uncaught: Vec<String> = of("uncaught").into_iter().map(message).collect();
    assert_eq!(uncaught.len(), 2, "{uncaught:#?}");
    assert!(uncaught[1].contains("TypeError: boom") && uncaught[1].contains("[cause]: Error: inner"));
    assert_eq!(of("rejection").len(), 1);
    let traces: Vec<String> = of("traces").into_iter().map(message).collect();
    assert_eq!(traces.len(), 2, "{traces:#?}");
    assert!(traces[0].starts_with("ERROR:root:it failed\nTraceback (most recent call last):\n"));
    assert!(traces[1].contains("During handling of the above exception"), "{traces:#?}");
}
