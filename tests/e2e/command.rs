//! The forwarder as a command: `whiskjack run`, between the API double and Elastic's Lumberjack server over TLS.

mod api;

use crate::support::{ACTIONS, SOON, Scene, arrived, refused_port};
use openwhisk_double::{Activation, Fault, Matcher, Request};
use serde_json::{Value, json};
use std::path::Path;
use whiskjack_testbed::{Cli, Output, PASSPHRASE, Receiver, ReceiverOptions};

fn run(scene: &Scene, params: &Value, state: Option<&Path>) -> Output {
    let environment = scene.environment();
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let output = Cli::run(params, state, &environment);
    assert!(!scene.shows_key(&output.stdout) && !scene.shows_key(&output.stderr), "{output:?}");
    output
}

fn result(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn every_line_arrives_once_with_the_checkpoint_in_a_file() {
    let scene = Scene::new();
    scene.add_activations(10);
    let receiver = scene.receiver();
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state.json");
    let params = scene.params(receiver.port());

    let first = run(&scene, &params, Some(&state));
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    assert_eq!(result(&first)["lines"]["acknowledged"], 60);
    scene.api.world().add(Activation::new(ACTIONS[0]).stdout("one more"));
    let second = run(&scene, &params, Some(&state));
    assert_eq!(result(&second)["lines"]["acknowledged"], 1, "{second:?}");
    assert_eq!(arrived(&receiver.wait_for_events(61, SOON)), scene.lines());
    let packages = scene.api.requests().iter().filter(|request| request.path.contains("packages")).count();
    assert_eq!(packages, 1, "only a file that is new needs a look at the package, for an older checkpoint");
}

#[test]
fn a_log_that_cannot_be_written_stops_no_run_and_no_deployment() {
    let scene = Scene::new();
    scene.add_activations(2);
    let receiver = scene.receiver();
    let directory = tempfile::tempdir().unwrap();
    let [config, state, zip] = ["c.json", "state.json", "code.zip"].map(|name| directory.path().join(name));
    let mut params = scene.params(receiver.port());
    params["log_level"] = json!("debug");
    std::fs::write(&config, params.to_string()).unwrap();
    std::fs::write(&zip, whiskjack_testbed::zip_of(&[("exec", b"#!/bin/sh\n")])).unwrap();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let program = |arguments: &[&str]| {
        let mut program = std::process::Command::new(whiskjack_testbed::artifacts().whiskjack());
        program.args(arguments).arg("--config").arg(&config).envs(scene.environment());
        program
    };

    let state = state.to_str().unwrap();
    for run in 0..2 {
        let ran = program(&["run", "--state", state]).stderr(full()).output().unwrap();
        assert_eq!(ran.status.code(), Some(0), "{ran:?}");
        let result: Value = serde_json::from_slice(&ran.stdout).unwrap();
        assert_eq!(result["lines"]["acknowledged"], if run == 0 { 12 } else { 0 }, "{result}");
    }
    let wrong = program(&["run", "--state", state, "--nonsense"]).stderr(full()).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));

    let zip = zip.to_str().unwrap();
    let deploy = program(&["deploy", "--zip", zip, "--wait", "0s"]).stdout(full()).stderr(full()).status();
    assert_eq!(deploy.unwrap().code(), Some(0));
    assert!(
        scene.api.world().action("whiskjack").is_some() && scene.api.world().rule("whiskjack-rule").is_some()
    );
    let undeploy = program(&["undeploy"]).stdout(full()).stderr(full()).status();
    assert_eq!((undeploy.unwrap().code(), scene.api.world().action("whiskjack").is_some()), (Some(0), false));
}

#[test]
fn without_a_file_the_checkpoint_is_in_a_package() {
    let scene = Scene::new();
    scene.add_activations(2);
    let receiver = scene.receiver();
    let params = scene.params(receiver.port());
    assert_eq!(result(&run(&scene, &params, None))["lines"]["acknowledged"], 12);
    assert_eq!(result(&run(&scene, &params, None))["lines"]["read"], 0);
    let package = scene.api.world().package("whiskjack.cli").expect("the package of the command");
    assert!(package.to_string().contains("whiskjack-checkpoint"), "{package}");
}

/// Each has read the package before any of them may write it: first one that is not there yet, then one that is.
#[test]
fn of_commands_that_begin_at_once_one_forwards_each_line() {
    let scene = Scene::new();
    let receiver = scene.receiver();
    let params = scene.params(receiver.port());
    for round in 1..=2 {
        scene.add_activations(40);
        let so_far = scene.api.requests().len();
        let writes = scene.api.hold(Matcher::package().method("PUT"));
        let results: Vec<Value> = std::thread::scope(|scope| {
            let commands = [(); 4].map(|()| scope.spawn(|| result(&run(&scene, &params, None))));
            let waiting = |requests: &[Request]| {
                let puts = requests.iter().skip(so_far).filter(|request| request.method == "PUT");
                puts.count() == 4
            };
            assert!(scene.api.wait_until(SOON, waiting), "all of them want the lease");
            drop(writes);
            commands.map(|command| command.join().unwrap()).into()
        });
        let lines = |result: &Value| result["lines"]["acknowledged"].as_u64().unwrap();
        assert_eq!(results.iter().map(lines).sum::<u64>(), 240, "{results:?}");
        assert!(results.iter().all(|result| result["error"].is_null()), "{results:?}");
        let events = receiver.wait_for_events(round * 240, SOON);
        assert_eq!((events.len(), arrived(&events)), (round * 240, scene.lines()), "nothing came twice");
    }
}

#[test]
fn an_answer_that_breaks_off_is_reported_with_how_far_it_came() {
    let scene = Scene::new();
    scene.add_activations(3);
    scene.api.fail_always(Matcher::list(), Fault::truncate_after(100));
    let receiver = scene.receiver();
    let output = run(&scene, &scene.params(receiver.port()), None);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = "broke off in the middle of an answer: it ended after 100 bytes";
    assert!(result(&output).to_string().contains(said), "{output:?}");
}

#[test]
fn what_went_wrong_is_in_the_result_and_in_the_exit_code_and_the_next_run_delivers() {
    let scene = Scene::new();
    scene.add_activations(3);
    let receiver = scene.receiver();
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state.json");
    let refused = run(&scene, &scene.params(refused_port()), Some(&state));
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(result(&refused)["error"].as_str().unwrap().contains("refused"), "{refused:?}");

    let mended = run(&scene, &scene.params(receiver.port()), Some(&state));
    assert_eq!(mended.status.code(), Some(0), "{mended:?}");
    assert_eq!(arrived(&receiver.wait_for_events(18, SOON)), scene.lines());
}

#[test]
fn faults_of_the_configuration_are_listed_one_a_line_on_stderr() {
    let scene = Scene::new();
    let output = run(&scene, &json!({"actoins": ["a"], "logstash": {"port": 0}}), None);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    for expected in [
        "actoins: there is no such key; did you mean `actions`?",
        "logstash.port: give a port from 1 to 65535 (it is 0)",
        "logstash.host: ",
        "actions: ",
    ] {
        assert!(
            output.stderr.lines().any(|line| line.contains(expected)),
            "{expected} is not in:\n{}",
            output.stderr
        );
    }
}

#[test]
fn a_person_is_told_in_text_what_came_of_a_run_and_of_each_action() {
    let scene = Scene::new();
    scene.add_activations(2);
    let receiver = scene.receiver();
    let directory = tempfile::tempdir().unwrap();
    let [config, state] = ["c.json", "state.json"].map(|name| directory.path().join(name));
    let mut params = scene.params(receiver.port());
    params["actions"].as_array_mut().unwrap().push(json!("payments"));
    scene.ask_api("PUT", "_/actions/other", r#"{"exec":{"kind":"nodejs:20","code":"x"}}"#);
    std::fs::write(&config, params.to_string()).unwrap();
    let on_terminal = |more: &str| {
        let program = whiskjack_testbed::artifacts().whiskjack();
        let [program, config, state] = [&program, &config, &state].map(|path| path.display());
        let command = format!("{program} run --config {config} --state {state} {more}");
        let mut script = std::process::Command::new("script");
        script.args(["-qec", &command, "/dev/null"]).env_clear().env("PATH", "/usr/bin:/bin");
        script.env("SHELL", "/bin/sh").env("NO_COLOR", "1").envs(scene.environment());
        let output = script.stdin(std::process::Stdio::null()).output().unwrap();
        (String::from_utf8_lossy(&output.stdout).replace('\r', ""), output.status.code())
    };
    let (told, status) = on_terminal("");
    assert_eq!(status, Some(0), "{told}");
    let first = told.lines().next().unwrap_or_default();
    assert!(first.starts_with("✓ 4 new activations, 12 lines acknowledged, nothing owed, "), "{told}");
    assert!(
        told.contains(&format!("\n  {}: 2 activations, 10 lines, 10 acknowledged\n", ACTIONS[0])),
        "{told}"
    );
    assert!(
        told.contains("\n! `actions` lists `payments`, but there is no such action; mend it, "),
        "{told}"
    );
    let (json, status) = on_terminal("--json");
    let last = json.lines().last().unwrap_or_default();
    assert_eq!(
        (status, serde_json::from_str::<Value>(last).unwrap()["activations"].as_u64()),
        (Some(0), Some(0))
    );
    receiver.wait_for_events(12, SOON);
}

#[test]
fn a_damaged_state_file_is_reported_and_kept_from_being_taken_for_a_first_run() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = scene.receiver();
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state.json");
    std::fs::write(&state, "{\"version\":1,").unwrap();
    let mut params = scene.params(receiver.port());
    params["on_missing_state"] = json!("fail");
    let output = run(&scene, &params, Some(&state));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(result(&output)["error"].as_str().unwrap().contains("on_missing_state"), "{output:?}");
    assert_eq!(
        std::fs::read_to_string(&state).unwrap(),
        "{\"version\":1,",
        "it is still there to be repaired"
    );

    let none = directory.path().join("none.json");
    let output = run(&scene, &params, Some(&none));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = format!(
        "there is no checkpoint in --state {}, and `on_missing_state` is `fail`. To begin, set it to",
        none.display()
    );
    assert!(result(&output)["error"].as_str().unwrap().starts_with(&told), "{output:?}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no lock is left behind");

    params["on_missing_state"] = json!("lookback");
    let output = run(&scene, &params, Some(&state));
    assert!(result(&output)["warnings"][0].as_str().unwrap().contains("began anew at"), "{output:?}");
    receiver.wait_for_events(6, SOON);
}

#[test]
fn the_file_of_the_state_is_named_by_what_goes_wrong_with_it_on_stderr_too() {
    let scene = Scene::new();
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state.json");
    std::fs::write(&state, "{\"mine\":1}").unwrap();
    let mut params = scene.params(refused_port());
    let output = run(&scene, &params, Some(&state));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = format!("--state {}: is not a checkpoint", state.display());
    assert!(result(&output)["error"].as_str().unwrap().starts_with(&told), "{output:?}");
    assert!(output.stderr.contains(&format!("whiskjack: {told}")), "{output:?}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no lock is left behind");

    params["checkpoint"] = json!({"store": "package"});
    let output = run(&scene, &params, Some(&state));
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let unused = format!("checkpoint.store: the file of --state {} would not be used", state.display());
    assert!(output.stderr.contains(&unused), "{output:?}");
}

#[test]
fn a_state_that_cannot_be_a_file_is_wrong_usage() {
    let scene = Scene::new();
    let directory = tempfile::tempdir().unwrap();
    for (state, part) in [
        (directory.path().to_owned(), "is a folder; name a file in it"),
        (directory.path().join("none/state.json"), "its folder is not there"),
        ("/dev/null".into(), "is not a plain file"),
    ] {
        let output = run(&scene, &scene.params(5044), Some(&state));
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let told = format!("--state {}: {part}", state.display());
        assert!(result(&output)["error"].as_str().unwrap().starts_with(&told), "{output:?}");
        assert!(output.stderr.starts_with(&format!("whiskjack: {told}")), "{output:?}");
    }
    assert!(scene.api.requests().is_empty());
}

#[test]
fn a_state_of_the_same_host_without_tls_is_told_with_what_to_write() {
    let scene = Scene::new();
    let receiver = scene.receiver();
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state.json");
    run(&scene, &scene.params(receiver.port()), Some(&state));
    let (origin, key) = (scene.api.origin(), scene.api.key());
    let bare = origin.trim_start_matches("http://");
    let environment = [("__OW_API_HOST", bare), ("__OW_API_KEY", &key)];
    let output = Cli::run(&scene.params(receiver.port()), Some(&state), &environment);
    let told = format!(
        "and this one asks https://{bare}. A host without a scheme means https, so write {origin} if that is meant: "
    );
    assert!(result(&output)["error"].as_str().unwrap().contains(&told), "{output:?}");
}

#[test]
fn a_receiver_that_is_down_is_told_though_another_one_got_the_lines() {
    let scene = Scene::new();
    let receiver = scene.receiver();
    let (directory, dead) = (tempfile::tempdir().unwrap(), refused_port());
    let mut params = scene.params(receiver.port());
    params["logstash"] = json!({
        "hosts": [format!("localhost:{dead}"), format!("localhost:{}", receiver.port())], "loadbalance": true, "ca": scene.certificates.ca
    });
    scene.add_activations(3);
    let output = run(&scene, &params, Some(&directory.path().join("state.json")));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(arrived(&receiver.wait_for_events(18, SOON)), scene.lines());
    let warnings = result(&output)["warnings"].to_string();
    let told = format!("a receiver failed, and another one got its lines: localhost:{dead}: not connected: ");
    assert_eq!(warnings.matches(&told).count(), 1, "{warnings}");
}

#[test]
fn settings_without_effect_are_a_warning_in_the_result() {
    let scene = Scene::new();
    let receiver = scene.receiver();
    let mut params = scene.params(receiver.port());
    params["logstash"]["tls"] = json!(false);
    params["logstash"]["rejectUnauthorized"] = json!(false);
    let output = run(&scene, &params, None);
    let result = result(&output);
    let warnings: Vec<&str> =
        result["warnings"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let idle = "`logstash.tls` is false, so `logstash.rejectUnauthorized`, `logstash.ca` have no effect; remove `logstash.tls` or these";
    assert_eq!(warnings.iter().filter(|warning| **warning == idle).count(), 1, "{output:?}");
    assert!(!warnings.iter().any(|warning| warning.contains("anybody")), "{output:?}");
}

#[test]
fn a_plain_receiver_needs_an_explicit_choice_and_leaves_a_warning() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = Receiver::start(ReceiverOptions::default());
    let mut params = scene.params(receiver.port());
    params["logstash"] = json!({"host": "127.0.0.1", "port": receiver.port()});
    let tls = run(&scene, &params, None);
    assert_eq!(tls.status.code(), Some(1), "{tls:?}");
    params["logstash"]["tls"] = json!(false);
    let plain = result(&run(&scene, &params, None));
    assert_eq!(plain["lines"]["acknowledged"], 6, "{plain}");
    assert!(plain["warnings"][0].as_str().unwrap().contains("in the clear"), "{plain}");
}

/// A receiver that wants a client certificate.
fn demanding(scene: &Scene) -> Receiver {
    let tls = Some(scene.certificates.mutual_tls());
    Receiver::start(ReceiverOptions { tls, ..ReceiverOptions::default() })
}

#[test]
fn a_receiver_that_demands_a_client_certificate_gets_it() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = demanding(&scene);
    let mut params = scene.params(receiver.port());
    let without = result(&run(&scene, &params, None));
    assert!(without["error"].as_str().unwrap().contains("`logstash.cert`"), "{without}");
    params["logstash"]["cert"] = json!(scene.certificates.client_certificate);
    params["logstash"]["key"] = json!(scene.certificates.client_key);
    let with = run(&scene, &params, None);
    assert_eq!(result(&with)["lines"]["acknowledged"], 6, "{with:?}");
}

#[test]
fn certificates_and_an_encrypted_key_may_stay_in_files_of_their_own() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = demanding(&scene);
    let mut params = scene.params(receiver.port());
    params["logstash"]["ca"].take();
    let directory = tempfile::tempdir().unwrap();
    let files = [
        ("--ca", &scene.certificates.ca),
        ("--cert", &scene.certificates.client_certificate),
        ("--key", &scene.certificates.client_key_encrypted),
        ("--passphrase-file", &format!("{PASSPHRASE}\n")),
    ]
    .map(|(option, text)| {
        let file = directory.path().join(option);
        std::fs::write(&file, text).unwrap();
        (option, file)
    });
    let options = files.each_ref().map(|(option, file)| (*option, file.as_path()));
    let environment = scene.environment();
    let mut environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();

    let locked = Cli::run_with(&params, &options[..3], &environment);
    assert_eq!(locked.status.code(), Some(2), "{locked:?}");
    assert!(locked.stderr.contains("line 1: logstash.passphrase: is missing"), "{locked:?}");

    let output = Cli::run_with(&params, &options, &environment);
    assert_eq!(result(&output)["lines"]["acknowledged"], 6, "{output:?}");

    environment.push(("WHISKJACK_PASSPHRASE", "the wrong one"));
    let output = Cli::run_with(&params, &options[..3], &environment);
    assert!(output.stderr.contains("logstash.passphrase: does not open"), "{output:?}");
    assert!(!format!("{output:?}").contains("the wrong one"), "{output:?}");
}

#[test]
fn an_authority_in_the_systems_bundle_is_trusted_without_further_words() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = scene.receiver();
    let mut params = scene.params(receiver.port());
    params["logstash"]["ca"].take();
    let untrusted = result(&run(&scene, &params, None));
    assert!(untrusted["error"].as_str().unwrap().contains("`logstash.ca`"), "{untrusted}");

    let with = |bundle: String| {
        let mut environment = scene.environment();
        environment.push(("SSL_CERT_FILE", bundle));
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Cli::run(&params, None, &environment)
    };
    let output = with("/no/bundle".to_owned());
    let trouble =
        "SSL_CERT_FILE: /no/bundle cannot be read: no such file or directory; correct or unset the variable";
    assert!(result(&output)["error"].as_str().unwrap().contains(trouble), "{output:?}");
    assert_eq!(output.stderr.matches(&format!("whiskjack: {trouble}")).count(), 1, "{output:?}");
    let output = with(scene.certificates.ca_file().display().to_string());
    assert_eq!(result(&output)["lines"]["acknowledged"], 6, "{output:?}");
}

#[test]
fn lines_that_a_receiver_took_but_did_not_acknowledge_come_again_with_the_same_ids() {
    let scene = Scene::new();
    scene.add_activations(2);
    let receiver = Receiver::start(ReceiverOptions {
        tls: Some(scene.certificates.server_tls()),
        close_instead_of_ack: 1,
        ..ReceiverOptions::default()
    });
    let output = result(&run(&scene, &scene.params(receiver.port()), None));
    let lines = scene.lines().values().sum::<usize>();
    assert_eq!(output["lines"]["acknowledged"], lines, "{output}");
    assert_eq!(output["lines"]["resent"].as_u64().unwrap() > 0, receiver.events().len() > lines, "{output}");
    let events = receiver.wait_for_events(lines, SOON);
    let ids: std::collections::BTreeSet<_> =
        events.iter().map(|received| received.event["@metadata"]["_id"].to_string()).collect();
    assert_eq!(ids.len(), lines);
}
