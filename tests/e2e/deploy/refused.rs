//! What `whiskjack deploy` and `undeploy` refuse, and tell, before they change anything.

use super::*;

#[test]
fn a_faulty_configuration_is_reported_as_for_a_run_before_anything_is_asked() {
    let scene = Scene::new();
    let params =
        json!({"actoins": ["a"], "logstash": {"host": "l", "port": 0, "key": "no PEM, and a secret"}});
    let deployer = Deployer::new(&scene, &params);
    let output = deployer.deploy(&[]);
    assert!(!output.stderr.contains("a secret"), "{output:?}");
    failed(
        output,
        2,
        &[
            "actoins: there is no such key; did you mean `actions`?",
            "logstash.port: ",
            "logstash.key: ",
            "nothing was changed",
        ],
    );
    assert_eq!(scene.api.requests().len(), 0);
}

#[test]
fn runs_that_would_overlap_are_refused() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    let output = deployer.deploy(&["--timeout", "61s"]);
    failed(output, 2, &["--timeout: a run may last 61 s", "every 60 s"]);
    assert_eq!(scene.api.requests().len(), 0);
}

#[test]
fn what_the_platform_would_refuse_is_told_in_a_dry_run_too_with_what_it_allows() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    for (options, words) in [
        (
            &["--kind", "rust:9"][..],
            "--kind rust:9: this platform has no such kind; give --kind go:1.20 or rust:1.34",
        ),
        (&["--memory", "1024"], "--memory 1024: this platform gives an action 128 to 512 MB"),
        (
            &["--schedule", "0 3 * * *", "--timeout", "10m"],
            "--timeout 600s: this platform lets an action run for 0.1 to 300 s",
        ),
    ] {
        for mode in [&["--wait", "0s"][..], &["--dry-run"]] {
            failed(deployer.deploy(&[mode, options].concat()), 2, &[words]);
        }
    }
    assert_eq!(changes(&scene.api), Vec::<String>::new());
}

#[test]
fn what_the_platform_refuses_is_told_in_its_words() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    // Which kind that is, only the platform knows.
    let output = deployer.deploy(&["--wait", "0s", "--kind", "swift:default"]);
    failed(output, 1, &["the action: the API says: ", "kind 'swift:default' not in Set("]);
}

#[test]
fn a_schedule_that_means_something_else_to_the_feed_is_refused_and_six_fields_are_explained() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    for (schedule, part) in [
        ("61 * * * *", "--schedule \"61 * * * *\": `61` is not a minute"),
        ("* * * 13 *", "`13` is not a month"),
        ("* * * * * *", "would fire every 1 s"),
    ] {
        failed(deployer.deploy(&["--dry-run", "--schedule", schedule]), 2, &[part]);
    }
    assert_eq!(scene.api.requests().len(), 0);
    let said = succeeded(deployer.deploy(&["--dry-run", "--schedule", "0 3 * * * *"]));
    assert!(said.contains("so the first is the second: it fires every 3600 s"), "{said}");
}

#[test]
fn an_action_has_no_file_for_its_checkpoint() {
    let scene = Scene::new();
    let mut params = scene.params(5044);
    params["checkpoint"] = json!({"store": "host"});
    let output = Deployer::new(&scene, &params).deploy(&["--dry-run"]);
    failed(
        output,
        2,
        &["checkpoint.store: only the command", "choose `package` or `activation`", "nothing was changed"],
    );
    assert_eq!(scene.api.requests().len(), 0);
}

#[test]
fn settings_without_effect_are_named_before_anything_is_made() {
    let scene = Scene::new();
    let mut params = scene.params(5044);
    params["logstash"]["tls"] = json!(false);
    params["logstash"]["servername"] = json!("logs.example.com");
    let said = succeeded(Deployer::new(&scene, &params).deploy(&["--dry-run"]));
    let warning = "warning: `logstash.tls` is false, so `logstash.ca`, `logstash.servername` have no effect";
    assert!(said.lines().any(|line| line.starts_with(warning)), "{said}");
}

#[test]
fn an_answer_that_is_not_openwhisks_is_told_with_the_key_of_the_api_host() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    let page = "<!doctype html><title>Welcome</title>";
    for (fault, part) in [
        (Fault::reply(200, "text/html", page), "HTTP 200 with HTML is not an answer of the OpenWhisk API"),
        (Fault::reply(200, "application/json", "{\"ok\":true}"), "HTTP 200 with other JSON is not"),
        (Fault::reply(404, "text/html", page), "HTTP 404 with HTML is not"),
        (
            Fault::reply(404, "application/json", "{\"error\":\"not found\"}"),
            "HTTP 404 with other JSON is not",
        ),
        (Fault::redirect(301, "https://elsewhere.example.com/"), "the answer leads elsewhere (HTTP 301)"),
    ] {
        for arguments in
            [&["deploy", "--dry-run", "--config", deployer.config().to_str().unwrap()][..], &["undeploy"]]
        {
            scene.api.fail_always(Matcher::any(), fault.clone());
            failed(deployer.call(arguments), 1, &[part, "__OW_API_HOST, or APIHOST in ~/.wskprops"]);
            scene.api.clear_faults();
        }
    }
}

#[test]
fn a_file_without_a_certificate_is_told_before_anything_is_deleted() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "nothing of the kind\n").unwrap();
    let name = file.path().to_str().unwrap();
    let output = deployer.call(&["undeploy", "--api-ca", name]);
    failed(output, 2, &[&format!("--api-ca {name}: api.ca: holds no certificate"), "nothing was changed"]);
    assert_eq!(scene.api.requests().len(), 0);
}

#[test]
fn an_api_that_cannot_be_used_is_told_before_anything_is_sent() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    let config = deployer.config();
    let arguments = ["deploy", "--config", config.to_str().unwrap(), "--wait", "0s"];
    let nowhere = format!("http://127.0.0.1:{}", refused_port());
    let key = scene.api.key();
    for (environment, status, part) in [
        (vec![], 2, "__OW_API_HOST: there is no API host"),
        (vec![("__OW_API_HOST", nowhere.as_str())], 2, "there is no API key"),
        (
            vec![("__OW_API_HOST", "ftp://wrong-wrong"), ("__OW_API_KEY", &key)],
            2,
            "__OW_API_HOST: is not an API host",
        ),
        (
            vec![("__OW_API_HOST", nowhere.as_str()), ("__OW_API_KEY", "wrong-wrong")],
            2,
            "__OW_API_KEY: the API key is not of the form",
        ),
        (
            vec![("__OW_API_HOST", nowhere.as_str()), ("__OW_API_KEY", &key)],
            1,
            "it refuses the connection; check host and port",
        ),
        (
            vec![("__OW_API_HOST", &scene.api.origin()), ("WHISK_AUTH", "wrong:wrong-wrong")],
            1,
            "the API key from WHISK_AUTH is not accepted: the API says: ",
        ),
    ] {
        let output = Cli::call(&arguments, &environment);
        assert!(!output.stderr.contains("wrong-wrong"), "{output:?}");
        failed(output, status, &[part]);
    }
}

#[test]
fn what_cannot_run_whiskjack_is_refused_before_anything_is_asked() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    let text = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(text.path(), "exec").unwrap();
    let file = text.path().to_str().unwrap();
    for (options, part) in [
        (
            ["--kind", "nodejs:20"],
            "--kind nodejs:20: starts no program of a zip; give a kind that speaks ActionLoop",
        ),
        (["--zip", file], "is not a zip; give the one that `cargo xtask dist` makes"),
        (["--zip", "none.zip"], "--zip none.zip: "),
    ] {
        failed(deployer.deploy(&[&options[..], &["--dry-run"]].concat()), 2, &[part]);
    }
    assert_eq!(scene.api.requests().len(), 0);
}

#[test]
fn a_namespace_that_is_not_the_keys_is_a_fault_as_for_a_run() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    let config = deployer.config();
    let (origin, key) = (scene.api.origin(), scene.api.key());
    let named = |name: &str| {
        let environment = [("__OW_API_HOST", &*origin), ("__OW_API_KEY", &key), ("__OW_NAMESPACE", name)];
        Cli::call(&["deploy", "--config", config.to_str().unwrap(), "--dry-run"], &environment)
    };
    let fault = "__OW_NAMESPACE: is not the namespace of the API key, which is guest, ";
    failed(named("team"), 2, &[fault, "whiskjack: nothing was changed"]);
    for own in ["guest", "_"] {
        assert_eq!(named(own).status.code(), Some(0));
    }
}

#[test]
fn an_api_host_of_the_configuration_that_is_not_a_text_is_told_as_such() {
    let scene = Scene::new();
    let mut params = scene.params(5044);
    params["api"] = json!({"host": ["x"]});
    let deployer = Deployer::new(&scene, &params);
    failed(deployer.deploy(&["--dry-run"]), 2, &["api.host: must be text; give one such as"]);
    let config = deployer.config();
    let output = Cli::call(&["deploy", "--config", config.to_str().unwrap()], &[]);
    failed(output, 2, &["api.host: must be text", "__OW_API_HOST: there is no API host"]);
    let output = Cli::call(&["run", "--config", config.to_str().unwrap()], &[("__OW_API_KEY", "u:s")]);
    assert!(!output.stderr.contains("__OW_API_HOST"), "{output:?}");
    failed(output, 2, &["api.host: must be text"]);
}
