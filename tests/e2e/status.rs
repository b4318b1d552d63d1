//! `whiskjack status`, and the commands that only write something: `config`, `completions`.

use crate::support::{ACTIONS, SOON, Scene, now_ms, refused_port};
use serde_json::{Value, json};
use std::path::Path;
use whiskjack_testbed::{Cli, Output, zip_of};

fn call(scene: &Scene, arguments: &[&str]) -> Output {
    let environment = scene.environment();
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let output = Cli::call(arguments, &environment);
    assert!(!scene.shows_key(&output.stdout) && !scene.shows_key(&output.stderr), "{output:?}");
    output
}

fn told(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn an_action_that_is_named_and_not_there_is_told_and_no_other_checkpoint_is_shown() {
    let scene = Scene::new();
    let none = call(&scene, &["status", "--name", "nosuch"]);
    assert_eq!(none.status.code(), Some(1), "{none:?}");
    for said in [&none.stdout, &none.stderr] {
        assert!(said.contains("--name nosuch: the API has no such action"), "{none:?}");
    }
    let nothing = call(&scene, &["status"]);
    assert!(nothing.stderr.contains("there is no checkpoint in the package `whiskjack.cli`"), "{nothing:?}");
    let both = call(&scene, &["status", "--name", "nosuch", "--state", "s"]);
    assert!(both.status.code() == Some(2) && both.stderr.contains("exclude each other"), "{both:?}");
}

#[test]
fn the_state_in_a_file_is_told_and_a_lag_that_is_too_long_gives_status_1() {
    let scene = Scene::new();
    scene.add_activations(2);
    let receiver = scene.receiver();
    let folder = tempfile::tempdir().unwrap();
    let [state, old] = ["state.json", "old.json"].map(|name| folder.path().join(name));
    let environment = scene.environment();
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Cli::run(&scene.params(receiver.port()), Some(&state), &environment);
    receiver.wait_for_events(12, SOON);

    let output = call(&scene, &["status", "--state", text(&state), "--max-lag", "10m"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let sources = &told(&output)["checkpoint"]["sources"];
    assert_eq!(sources.as_array().unwrap().len(), ACTIONS.len(), "{sources}");
    assert!(sources[0]["lag_ms"].as_u64().unwrap() < 60_000, "{sources}");

    let through = now_ms() - 7_200_000;
    let checkpoint =
        json!({"version": 3, "saved_ms": through, "sources": {"a": {"origin": 1, "through": through}}});
    std::fs::write(&old, checkpoint.to_string()).unwrap();
    let late = call(&scene, &["status", "--state", text(&old), "--max-lag", "10m"]);
    assert_eq!(late.status.code(), Some(1), "{late:?}");
    assert!(late.stderr.contains("the lag is 2 h 0 min, longer than 10 min 0 s"), "{late:?}");
    assert_eq!(call(&scene, &["status", "--state", text(&old)]).status.code(), Some(0));

    for lag in [&["--max-lag", "10m"][..], &[]] {
        let missing = folder.path().join("none");
        let none = call(&scene, &[&["status", "--state", text(&missing)], lag].concat());
        assert_eq!((none.status.code(), &told(&none)["ok"]), (Some(1), &json!(false)), "{none:?}");
        assert!(none.stderr.contains("there is no checkpoint in --state "), "{none:?}");
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        3,
        "with the lock of the run, and no other file"
    );
}

#[test]
fn of_a_deployed_action_trigger_rule_alarm_and_runs_are_told_with_its_own_parameters() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = scene.receiver();
    let folder = tempfile::tempdir().unwrap();
    let [config, zip] = ["c.json", "code.zip"].map(|name| folder.path().join(name));
    let mut params = scene.params(receiver.port());
    params["checkpoint"] = json!({"package": "kept.there"});
    std::fs::write(&config, params.to_string()).unwrap();
    std::fs::write(&zip, zip_of(&[("exec", b"#!/bin/sh\n")])).unwrap();
    let deployed = call(&scene, &["deploy", "--config", text(&config), "--zip", text(&zip), "--wait", "0s"]);
    assert_eq!(deployed.status.code(), Some(0), "{deployed:?}");

    scene.api.forget_requests();
    let output = call(&scene, &["status"]);
    assert_eq!(output.status.code(), Some(1), "no run has saved one yet: {output:?}");
    let told = told(&output);
    assert_eq!(told["checkpoint"]["place"], "the package `kept.there`", "{told:#}");
    let action = &told["action"];
    assert_eq!(
        (&action["trigger"], &action["rule_is_active"]),
        (&json!("whiskjack-alarm"), &json!(true)),
        "{told:#}"
    );
    assert_eq!(action["alarm"]["cron"], "* * * * *");
    let next = action["alarm"]["next"].as_str().unwrap();
    assert!(next.ends_with(":00.000Z"), "{next}");
    // The feed is asked by a call of its action; all else is read.
    let writes = scene
        .api
        .requests()
        .iter()
        .filter(|request| request.method == "PUT" || request.method == "DELETE")
        .count();
    assert_eq!(writes, 0);

    scene.ask_api("POST", "_/rules/whiskjack-rule", r#"{"status":"inactive"}"#);
    let off = self::told(&call(&scene, &["status"]));
    assert_eq!(
        (&off["action"]["rule_is_active"], &off["action"]["alarm"]["next"]),
        (&json!(false), &Value::Null),
        "{off:#}"
    );
}

#[test]
fn what_is_wrong_with_the_arguments_or_the_api_is_told_with_its_status() {
    let scene = Scene::new();
    for (arguments, status, part) in [
        (&["status", "--max-lag", "10"][..], 2, "--max-lag 10: has no unit; give 10s, 10m, 10h or 10d"),
        (&["status", "--name", "a/b"], 2, "--name a/b: cannot be a name; give "),
        (&["completions", "csh"], 2, "SHELL csh: there are no completions for this shell"),
        (&["completions"], 2, "SHELL: is missing; give bash, zsh or fish"),
        (&["config"], 2, "config: does not say what is wanted; give one of `schema`"),
        (&["config", "migrate"], 2, "--config FILE: is missing; give "),
    ] {
        let output = call(&scene, arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {output:?}");
        assert!(output.stderr.contains(part), "{arguments:?}: {output:?}");
    }
    let origin = scene.api.origin();
    let key = "00000000-0000-0000-0000-000000000000:another";
    let output = Cli::call(&["status"], &[("__OW_API_HOST", &origin), ("__OW_API_KEY", key)]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stderr.contains("HTTP 401"), "{output:?}");
    let dead = format!("http://127.0.0.1:{}", crate::support::refused_port());
    let output = Cli::call(&["status"], &[("__OW_API_HOST", &dead), ("__OW_API_KEY", key)]);
    let problem =
        format!("the API at {dead}: it refuses the connection; check host and port, and that it runs");
    assert_eq!((output.status.code(), told(&output)["problem"].as_str()), (Some(1), Some(&*problem)));
    assert_eq!(output.stderr, format!("whiskjack: {problem}\n"));
}

#[test]
fn schema_example_and_completions_are_written_as_they_are_kept() {
    let scene = Scene::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (arguments, file) in [
        (&["config", "schema"][..], "docs/whiskjack.schema.json"),
        (&["completions", "bash"], "host-shim/made/whiskjack.bash"),
        (&["completions", "zsh"], "host-shim/made/_whiskjack"),
        (&["completions", "fish"], "host-shim/made/whiskjack.fish"),
    ] {
        let output = call(&scene, arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(output.stdout, std::fs::read_to_string(root.join(file)).unwrap(), "{file}");
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("c.yaml");
    std::fs::write(&config, call(&scene, &["config", "example"]).stdout).unwrap();
    let checked = call(&scene, &["deploy", "--dry-run", "--config", text(&config)]);
    assert!(!checked.stderr.contains("faults"), "{checked:?}");
}

#[test]
fn a_configuration_of_2017_runs_in_todays_keys_and_what_cannot_be_honoured_is_told() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = scene.receiver();
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["config.json", "c.yaml"].map(|name| folder.path().join(name));
    let mut params = scene.params(receiver.port());
    params["from"] = json!(0);
    params["logstash"]["port"] = json!(receiver.port().to_string());
    std::fs::write(&old, params.to_string()).unwrap();
    let migrated = call(&scene, &["config", "migrate", "--config", text(&old)]);
    assert_eq!(migrated.status.code(), Some(0), "{migrated:?}");
    std::fs::write(&new, &migrated.stdout).unwrap();
    let run = call(&scene, &["run", "--config", text(&new)]);
    assert_eq!(told(&run)["lines"]["acknowledged"], 6, "{run:?}\n{}", migrated.stdout);
    receiver.wait_for_events(6, SOON);

    params["logstash"]["ciphers"] = json!("ECDHE-RSA-AES128-SHA");
    params["logstash"]["pfx"] = json!("x");
    std::fs::write(&old, params.to_string()).unwrap();
    let migrated = call(&scene, &["config", "migrate", "--config", text(&old)]);
    assert_eq!(migrated.status.code(), Some(1), "{migrated:?}");
    for key in ["logstash.ciphers", "logstash.pfx"] {
        assert!(migrated.stdout.contains(&format!("# `{key}` was left out: ")), "{migrated:?}");
        assert!(migrated.stderr.contains(key), "{migrated:?}");
    }
}

#[test]
fn a_checkpoint_in_a_file_is_told_without_an_api_and_one_from_the_future_is_a_problem() {
    let scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    let [state, config] = ["state.json", "config.json"].map(|name| folder.path().join(name));
    std::fs::write(&config, scene.params(refused_port()).to_string()).unwrap();
    let save = |ahead_ms: i64| {
        let at = now_ms() + ahead_ms;
        let saved = json!({"version": 3, "saved_ms": at, "sources": {"a": {"origin": 1, "through": at}}});
        std::fs::write(&state, saved.to_string()).unwrap();
    };
    save(0);
    let local = Cli::call(&["status", "--state", text(&state)], &[]);
    assert_eq!((local.status.code(), &told(&local)["ok"]), (Some(0), &json!(true)), "{local:?}");
    save(86_400_000);
    for lag in [&["--max-lag", "10m"][..], &[]] {
        let ahead = Cli::call(&[&["status", "--state", text(&state)], lag].concat(), &[]);
        assert_eq!((ahead.status.code(), &told(&ahead)["ok"]), (Some(1), &json!(false)), "{ahead:?}");
        assert!(ahead.stderr.contains("which is in the future, as it is "), "{ahead:?}");
    }
    let checked = call(&scene, &["check", "--config", text(&config), "--state", text(&state)]);
    let told = told(&checked);
    let step = told["steps"].as_array().unwrap().iter().find(|step| step["step"] == "checkpoint").unwrap();
    assert_eq!(step["state"], "doubtful", "{step}");
    assert!(step["told"].as_str().unwrap().contains("which is in the future, as it is "), "{step}");
}
