//! `whiskjack check`: it reports a sound set-up step by step, and for a broken one the last line names the cause.

mod broken;

use self::broken::{BROKEN, Broken};
use crate::support::{ACTIONS, SOON, Scene};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use whiskjack_testbed::{Cli, Output, Receiver, Scripted, artifacts};

/// A set-up, sound until something is broken in it.
struct Setup {
    scene: Scene,
    receiver: Receiver,
    params: Value,
    environment: Vec<(&'static str, String)>,
    options: Vec<String>,
    /// What must live as long as the check.
    others: Vec<Box<dyn std::any::Any>>,
}

impl Setup {
    fn new() -> Self {
        let scene = Scene::new();
        for name in ACTIONS {
            let path = name.replace(' ', "%20").replace('&', "%26");
            if let Some((package, _)) = name.split_once('/') {
                scene.ask_api("PUT", &format!("_/packages/{package}"), "{}");
            }
            let action = json!({"exec": {"kind": "nodejs:20", "code": "x"}});
            scene.ask_api("PUT", &format!("_/actions/{path}"), &action.to_string());
        }
        scene.add_activations(2);
        let receiver = scene.receiver();
        let params = scene.params(receiver.port());
        let environment = scene.environment();
        Self { scene, receiver, params, environment, options: vec!["--send".to_owned()], others: Vec::new() }
    }

    fn set(&mut self, variable: &'static str, value: &str) {
        self.environment.retain(|(name, _)| *name != variable);
        self.environment.push((variable, value.to_owned()));
    }

    /// Sends to a receiver of our own instead, in the clear unless `tls`.
    fn send_to(&mut self, receiver: Scripted, tls: bool) {
        self.params["logstash"]["port"] = receiver.port().into();
        if !tls {
            self.params["logstash"] = json!({"host": "localhost", "port": receiver.port(), "tls": false});
        }
        self.others.push(Box::new(receiver));
        // The knock is what finds out about strangers.
        self.options.clear();
    }

    fn check(&self) -> Output {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.yaml");
        let text = self.params.as_str().map_or_else(|| self.params.to_string(), str::to_owned);
        std::fs::write(&config, text).unwrap();
        let mut arguments = vec!["check", "--config", config.to_str().unwrap()];
        arguments.extend(self.options.iter().map(String::as_str));
        let environment: Vec<(&str, &str)> =
            self.environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let output = Cli::call(&arguments, &environment);
        assert!(!self.scene.shows_key(&output.stdout) && !self.scene.shows_key(&output.stderr), "{output:?}");
        output
    }
}

fn told(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// What a step says; none if there is no such step.
fn step<'t>(told: &'t Value, name: &str) -> Option<&'t Value> {
    told["steps"].as_array().unwrap().iter().find(|step| step["step"].as_str().unwrap().starts_with(name))
}

#[test]
fn a_sound_set_up_is_told_step_by_step_and_only_the_test_document_arrives() {
    let setup = Setup::new();
    setup.scene.api.forget_requests();
    let output = setup.check();
    let told = told(&output);
    assert_eq!(output.status.code(), Some(0), "{told:#}");
    assert_eq!((&told["ok"], &told["cause"]), (&json!(true), &Value::Null), "{told:#}");
    let port = setup.receiver.port();
    for (name, part) in [
        ("configuration", "sound"),
        ("API name", "127.0.0.1"),
        ("API address", "accepts connections"),
        ("API key", "is of the namespace"),
        ("clock", "agrees"),
        ("right to read activations", "the key has it"),
        ("right to write the package", "the key has it"),
        ("checkpoint", "none yet in the package `whiskjack.cli`"),
        ("platform limits", "runs of "),
        ("logs", "are in the activation records"),
        (&format!("actions: {}", ACTIONS[1]), "1 action, "),
        (&format!("receiver localhost:{port}: address"), "accepts connections"),
        (&format!("receiver localhost:{port}: TLS"), "TLS 1.3, certificate issued by `whiskjack test CA`, "),
        (&format!("receiver localhost:{port}: test document"), "acknowledged"),
    ] {
        let step = step(&told, name).unwrap_or_else(|| panic!("{name} is not in {told:#}"));
        assert!(step["told"].as_str().unwrap().contains(part), "{name}: {step}");
        assert_ne!(step["state"], "bad", "{step}");
    }
    let events = setup.receiver.wait_for_events(1, SOON);
    assert!(events[0].event["line"].as_str().unwrap().contains("a test document"), "{:?}", events[0].event);
    assert!(
        setup.scene.api.world().package("whiskjack.cli").is_none(),
        "the right was tried, nothing was written"
    );
}

#[test]
fn without_send_no_receiver_gets_an_event_and_each_one_is_knocked_at() {
    let mut setup = Setup::new();
    setup.options.clear();
    let output = setup.check();
    let told = told(&output);
    assert_eq!(output.status.code(), Some(0), "{told:#}");
    let knock = format!("receiver localhost:{}: Lumberjack", setup.receiver.port());
    assert!(
        step(&told, &knock).unwrap()["told"].as_str().unwrap().contains("waits for an event"),
        "{told:#}"
    );
    // A run afterwards is as if nobody had been there.
    let environment: Vec<(&str, &str)> =
        setup.environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let run = Cli::run(&setup.params, None, &environment);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert_eq!(setup.receiver.wait_for_events(12, SOON).len(), 12);
}

#[test]
fn without_a_configuration_only_the_api_is_checked_and_with_a_name_the_actions_checkpoint() {
    let setup = Setup::new();
    let environment: Vec<(&str, &str)> =
        setup.environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let output = Cli::call(&["check"], &environment);
    let api = told(&output);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(step(&api, "API key").is_some() && step(&api, "checkpoint").is_none(), "{api:#}");
    assert!(step(&api, "receivers").unwrap()["told"].as_str().unwrap().contains("--config FILE"), "{api:#}");

    let mut named = Setup::new();
    named.options.extend(["--name".to_owned(), "forwarder".to_owned()]);
    let told = told(&named.check());
    assert!(
        step(&told, "checkpoint").unwrap()["told"].as_str().unwrap().contains("`whiskjack.forwarder`"),
        "{told:#}"
    );
}

#[test]
fn a_file_that_cannot_be_read_and_an_api_that_nobody_names_are_told_in_json_too() {
    for (arguments, cause) in [
        (
            &["check", "--config", "none.yaml"][..],
            "configuration: --config none.yaml: there is no such file; name one that is there",
        ),
        (
            &["check"],
            "API: __OW_API_HOST: there is no API host; give it in the environment as __OW_API_HOST, or in ~/.wskprops",
        ),
    ] {
        let output = Cli::call(arguments, &[("HOME", "/nonexistent")]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(told(&output)["cause"].as_str().unwrap().starts_with(cause), "{output:?}");
    }
}

#[test]
fn a_pattern_for_all_packages_that_selects_nothing_deserves_a_look() {
    let mut setup = Setup::new();
    for name in ACTIONS.iter().filter(|name| name.contains('/')) {
        let path = name.replace(' ', "%20").replace('&', "%26");
        setup.scene.ask_api("DELETE", &format!("_/actions/{path}"), "");
    }
    setup.params["actions"] = json!(["*", "*/*"]);
    setup.options.clear();
    let told = told(&setup.check());
    let all = step(&told, "actions: */*").unwrap();
    assert_eq!(all["state"], "doubtful", "{told:#}");
    assert!(all["told"].as_str().unwrap().starts_with("selects no action that is there now; "), "{all}");
}

#[test]
fn of_each_broken_set_up_the_last_line_names_the_cause() {
    assert!(BROKEN.len() >= 25);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let quarters = BROKEN.chunks(BROKEN.len().div_ceil(4));
        let threads: Vec<_> = quarters
            .map(|some| scope.spawn(|| some.iter().filter_map(unlike).collect::<Vec<String>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Why a broken set-up is not told as it should be.
fn unlike(&(name, spoil, status, parts): &Broken) -> Option<String> {
    let mut setup = Setup::new();
    spoil(&mut setup);
    let output = setup.check();
    let last = output.stderr.lines().last().unwrap_or_default();
    let is_named = parts.iter().all(|part| last.contains(part));
    // In its JSON as well, where nothing is above it.
    let cause = told(&output)["cause"].as_str().map(str::to_owned);
    let in_json = cause.is_some_and(|cause| last.ends_with(&cause) && !cause.contains("more above"));
    (output.status.code() != Some(status) || !is_named || !in_json)
        .then(|| format!("{name}: {:?}, {parts:?} is not in: {last}\n{}", output.status, output.stdout))
}

#[test]
fn all_faults_of_a_configuration_are_told_at_once_also_without_a_key() {
    let mut setup = Setup::new();
    setup.params = json!({"actoins": ["a"], "logstash": {"port": 0, "ca": "no PEM"}});
    setup.environment.clear();
    setup.set("HOME", "/nonexistent");
    let output = setup.check();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = told(&output)["steps"].to_string();
    for part in ["actoins: ", "logstash.port: ", "logstash.host: ", "logstash.ca: ", "there is no API key"] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
}

#[test]
fn a_person_sees_signs_and_colours_on_a_terminal_and_the_cause_at_the_end() {
    let mut setup = Setup::new();
    setup.params["actions"] = json!(["shop/check ou"]);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    std::fs::write(&config, setup.params.to_string()).unwrap();
    let on_terminal = |variables: &[(&str, &str)]| {
        let command =
            format!("{} check --send --config {}", artifacts().whiskjack().display(), config.display());
        let mut script = Command::new("script");
        script
            .args(["-qec", &command, "/dev/null"])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("TERM", "xterm");
        script.env("SHELL", "/bin/sh").envs(setup.environment.iter().map(|(name, value)| (name, value)));
        script.envs(variables.iter().copied()).stdin(Stdio::null());
        let output = script.output().unwrap();
        (String::from_utf8_lossy(&output.stdout).replace('\r', ""), output.status.code())
    };
    let (told, status) = on_terminal(&[]);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("\x1b[32m✓\x1b[0m \x1b[1mAPI key\x1b[0m: is of the namespace"), "{told}");
    assert!(told.contains("\n  → did you mean `shop/check out`?\n"), "{told}");
    let last = told.trim_end().lines().last().unwrap_or_default();
    assert!(last.starts_with("\x1b[31mactions: shop/check ou: ") && last.ends_with("\x1b[0m"), "{told}");
    let (plain, _) = on_terminal(&[("NO_COLOR", "1")]);
    assert!(plain.contains("✗ actions: shop/check ou: ") && !plain.contains('\x1b'), "{plain}");
}
