//! How a command finds the API: host, key, namespace, certificates, gateways.

use super::{result, run};
use crate::support::{SOON, Scene, arrived, refused_port};
use openwhisk_double::{Double, Gateway, Options, Request};
use serde_json::{Value, json};
use whiskjack_testbed::{Certificates, Cli};

#[test]
fn an_api_that_is_not_there_is_told_with_the_place_that_its_host_was_given_at() {
    let scene = Scene::new();
    let (mut params, key) = (scene.params(5044), scene.api.key());
    let nowhere = format!("http://127.0.0.1:{}", refused_port());
    let error = |params: &Value, host: &str| {
        let output = Cli::run(params, None, &[("WHISK_APIHOST", host), ("__OW_API_KEY", &key)]);
        result(&output)["error"].as_str().unwrap().to_owned()
    };
    let told = error(&params, &nowhere);
    assert!(told.contains("is `WHISK_APIHOST` right, and does the API run?"), "{told}");
    params["api"] = json!({"host": nowhere});
    let told = error(&params, "https://elsewhere");
    assert!(told.contains("is `api.host` right, and does the API run?"), "{told}");
}

#[test]
fn an_api_with_a_certificate_of_its_own_ca_needs_that_ca() {
    let scene = Scene::over_tls();
    scene.add_activations(1);
    let receiver = scene.receiver();
    let mut params = scene.params(receiver.port());
    let refused = run(&scene, &params, None);
    assert!(result(&refused)["error"].as_str().unwrap().contains("`api.ca`"), "{refused:?}");
    params["api"] = json!({"ca": scene.certificates.ca});
    assert_eq!(result(&run(&scene, &params, None))["lines"]["acknowledged"], 6);
}

#[test]
fn the_api_of_the_configuration_comes_before_that_of_the_environment() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = scene.receiver();
    let mut params = scene.params(receiver.port());
    params["api"] = json!({"host": scene.api.origin()});
    let key = scene.api.key();
    let output = Cli::run(&params, None, &[("__OW_API_HOST", "http://127.0.0.1:1"), ("__OW_API_KEY", &key)]);
    assert_eq!(result(&output)["lines"]["acknowledged"], 6, "{output:?}");
}

#[test]
fn host_and_key_count_without_line_ends_and_quotes_around_them() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = scene.receiver();
    let (origin, key) = (format!("{}\n", scene.api.origin()), format!("\"{}\"\r\n", scene.api.key()));
    let environment = [("__OW_API_HOST", &*origin), ("__OW_API_KEY", &*key)];
    let output = Cli::run(&scene.params(receiver.port()), None, &environment);
    assert_eq!(result(&output)["lines"]["acknowledged"], 6, "{output:?}");
}

#[test]
fn what_the_file_of_wsk_lacks_or_has_wrong_is_told_with_its_line_before_any_request() {
    let scene = Scene::new();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("wskprops");
    let name = file.display().to_string();
    let origin = scene.api.origin();
    for (text, fault) in [
        (format!("APIHOST={origin}\n"), format!("{name}, AUTH: there is no API key")),
        (format!("APIHOST={origin}\r\nAUTH=sesame\r\n"), format!("{name}, line 2, AUTH: the API key is not")),
        ("AUTH=u:sesame\n".to_owned(), format!("{name}, APIHOST: there is no API host")),
    ] {
        std::fs::write(&file, text).unwrap();
        let output = Cli::run(&scene.params(5044), None, &[("WSK_CONFIG_FILE", &name)]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(
            output.stderr.starts_with(&format!("whiskjack: {fault}"))
                && !output.stderr.contains("__OW_API_KEY: "),
            "{output:?}"
        );
        assert!(!format!("{output:?}").contains("sesame"), "{output:?}");
    }
    assert!(scene.api.requests().is_empty());
}

#[test]
fn a_key_that_the_api_refuses_is_told_with_the_place_it_is_from() {
    let scene = Scene::new();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("wskprops").display().to_string();
    std::fs::write(&file, format!("APIHOST={}\nAUTH: mine\nAUTH=u:sesame\n", scene.api.origin())).unwrap();
    let run = |variables: &[(&str, &str)]| {
        let variables = [&[("WSK_CONFIG_FILE", file.as_str())], variables].concat();
        let output = Cli::run(&scene.params(5044), None, &variables);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(!format!("{output:?}").contains("sesame"), "{output:?}");
        let error = result(&output)["error"].as_str().unwrap().to_owned();
        assert!(error.contains("HTTP 401"), "{error}");
        (error, output.stderr)
    };
    let (error, stderr) = run(&[]);
    let key = format!("HTTP 401, the API does not accept the API key from {file}, line 3, AUTH (it says: ");
    assert!(error.contains(&key), "{error}");
    assert!(error.ends_with("; give the present key of a subject of this platform"), "{error}");
    let note = format!("whiskjack: the command skips line 2 of {file}: the form is not NAME=value; ");
    assert!(stderr.starts_with(&note), "{stderr}");
    let (error, _) = run(&[("WHISK_AUTH", "u:sesame")]);
    assert!(error.contains("the API key from WHISK_AUTH (it says: "), "{error}");
}

#[test]
fn a_namespace_that_is_not_the_keys_is_a_fault_and_no_record_is_read() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = scene.receiver();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("wskprops").display().to_string();
    let (origin, key, own) = (scene.api.origin(), scene.api.key(), scene.api.namespace());
    let run = |namespace: &str, variables: &[(&str, &str)]| {
        let text = format!("APIHOST={origin}\nAUTH={key}\nNAMESPACE={namespace}\n");
        std::fs::write(&file, text).unwrap();
        let variables = [&[("WSK_CONFIG_FILE", file.as_str())], variables].concat();
        Cli::run(&scene.params(receiver.port()), None, &variables)
    };
    for (output, place) in [
        (run("team", &[]), format!("{file}, line 3, NAMESPACE")),
        (run(&own, &[("__OW_NAMESPACE", "team")]), "__OW_NAMESPACE".to_owned()),
    ] {
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let fault = format!("{place}: is not the namespace of the API key, which is {own}, ");
        assert!(
            output.stderr.starts_with(&format!("whiskjack: {fault}"))
                && output.stderr.contains("(it is \"team\")"),
            "{output:?}"
        );
    }
    assert!(scene.api.requests().iter().all(|request| request.path.ends_with("/namespaces")));
    // A key of the environment has a namespace of its own, whatever the file says beside another key.
    for output in [run(&own, &[]), run("_", &[]), run("team", &[("__OW_API_KEY", &key)])] {
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
}

#[test]
fn an_api_behind_a_gateway_with_a_path_and_compression_or_from_before_counts_gives_every_line() {
    let all = Gateway { base: "/openwhisk/west".into(), compresses: true, knows_no_count: true };
    for gateway in [
        Gateway { compresses: true, ..Gateway::default() },
        Gateway { base: "/openwhisk".into(), ..Gateway::default() },
        Gateway { knows_no_count: true, ..Gateway::default() },
        all,
    ] {
        let what = format!("{gateway:?}");
        let api = Double::start(Options { gateway, ..Options::default() });
        let scene = Scene { api, certificates: Certificates::new() };
        scene.add_activations(40);
        let receiver = scene.receiver();
        let params = scene.params(receiver.port());
        let first = result(&run(&scene, &params, None));
        assert_eq!(first["lines"]["acknowledged"], 240, "{what}: {first}");
        let second = result(&run(&scene, &params, None));
        assert_eq!((&second["lines"]["read"], second.get("error")), (&json!(0), None), "{what}: {second}");
        assert_eq!(arrived(&receiver.wait_for_events(240, SOON)), scene.lines(), "{what}");
        let encoding = |request: &Request| request.header("accept-encoding") == Some("identity");
        assert!(scene.api.requests().iter().all(encoding), "{what}");
    }
}
