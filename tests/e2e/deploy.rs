//! `whiskjack deploy` and `undeploy` against the API double: what they make, what they leave alone, and how they fail.

mod refused;

use crate::support::{SOON, Scene, arrived, refused_port};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use openwhisk_double::{Activation, Double, Fault, Invocation, Matcher, Request, Status};
use serde_json::{Value, json};
use std::path::PathBuf;
use whiskjack_testbed::{Certificates, Cli, Output};

/// A configuration in a file, for the scene's API.
struct Deployer<'a> {
    scene: &'a Scene,
    folder: tempfile::TempDir,
}

impl<'a> Deployer<'a> {
    fn new(scene: &'a Scene, params: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), params.to_string()).unwrap();
        Self { scene, folder }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("config.json")
    }

    /// `whiskjack deploy --config FILE …`
    #[track_caller]
    fn deploy(&self, options: &[&str]) -> Output {
        let config = self.config();
        self.call(&[&["deploy", "--config", config.to_str().unwrap()], options].concat())
    }

    #[track_caller]
    fn call(&self, arguments: &[&str]) -> Output {
        let environment = self.scene.environment();
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let output = Cli::call(arguments, &environment);
        assert!(!self.scene.shows_key(&output.stdout) && !self.scene.shows_key(&output.stderr), "{output:?}");
        output
    }
}

#[track_caller]
fn succeeded(output: Output) -> String {
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), ""), "{}", output.stdout);
    output.stdout
}

#[track_caller]
fn failed(output: Output, status: i32, parts: &[&str]) {
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    for part in parts {
        assert!(output.stderr.contains(part), "{part} is not in:\n{}", output.stderr);
    }
}

fn annotation(entity: &Value, key: &str) -> Value {
    let all = entity["annotations"].as_array().unwrap();
    all.iter().find(|pair| pair["key"] == key).map_or(Value::Null, |pair| pair["value"].clone())
}

/// Requests that may have changed anything.
fn changes(api: &Double) -> Vec<String> {
    let changes = |request: &Request| match request.method.as_str() {
        "GET" => None,
        method => Some(format!("{method} {}", request.path)),
    };
    api.requests().iter().filter_map(changes).collect()
}

/// Runs an invocation with the code that was deployed; the result decides how it ended.
fn in_container(origin: &str, run: &Invocation) -> Activation {
    let code = BASE64_STANDARD.decode(run.action["exec"]["code"].as_str().unwrap()).unwrap();
    let result = crate::support::invoke(origin, run, &code);
    let status = if result.get("error").is_some() { Status::ApplicationError } else { Status::Success };
    Activation::new("whiskjack").status(status).result(result)
}

#[test]
fn one_command_makes_an_action_that_an_alarm_runs_and_tells_what_its_first_run_did() {
    let scene = Scene::new();
    scene.add_activations(2);
    let receiver = scene.receiver();
    let origin = scene.api.origin();
    scene.api.world().run_actions_with(move |run| in_container(&origin, run));
    let deployer = Deployer::new(&scene, &scene.params(receiver.port()));
    let output = std::thread::scope(|scope| {
        let deploying = scope.spawn(|| deployer.deploy(&[]));
        // Before anything is made, activations are counted.
        let is_made = |request: &&Request| request.method == "PUT" && request.path.contains("/rules/");
        let awaited = |requests: &[Request]| {
            let after = requests.iter().skip_while(|request| !is_made(request));
            after.into_iter().any(|request| request.path.ends_with("/activations"))
        };
        assert!(scene.api.wait_until(SOON, awaited), "{:?}", changes(&scene.api));
        assert!(scene.api.world().ring("whiskjack-alarm").is_some(), "alarm, trigger and rule are there");
        deploying.join().unwrap()
    });
    let said = succeeded(output);
    for part in [
        "action /guest/whiskjack (rust:1.34, 60 s, 256 MB, ",
        "trigger /guest/whiskjack-alarm by \"* * * * *\": created, alarm set",
        "rule /guest/whiskjack-rule: created, active",
        ": 4 new activations, 12 lines read, 12 acknowledged, 0 ranges left",
    ] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
    assert_eq!(arrived(&receiver.wait_for_events(12, SOON)), scene.lines());

    let world = scene.api.world();
    let action = world.action("whiskjack").unwrap();
    assert_eq!(annotation(&action, "provide-api-key"), json!(true));
    assert_eq!(annotation(&action, "whiskjack-deployed"), env!("CARGO_PKG_VERSION"));
    assert_eq!(action["limits"], json!({"timeout": 60_000, "memory": 256, "logs": 10, "concurrency": 1}));
    let trigger = world.trigger("whiskjack-alarm").unwrap();
    assert_eq!(annotation(&trigger, "feed"), "/whisk.system/alarms/alarm");
    assert_eq!(world.alarm("whiskjack-alarm").unwrap()["cron"], "* * * * *");
}

#[test]
fn deploying_again_brings_what_is_there_to_what_is_asked_for() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    succeeded(deployer.deploy(&["--wait", "0s"]));
    let code = scene.api.world().action("whiskjack").unwrap()["exec"]["code"].clone();
    let again = succeeded(deployer.deploy(&["--wait", "0s"]));
    assert!(again.contains("alarm unchanged") && again.contains("updated, active"), "{again}");
    let world = scene.api.world();
    assert_eq!(world.action("whiskjack").unwrap()["exec"]["code"], code, "the zip is the same each time");

    let changed = succeeded(deployer.deploy(&[
        "--wait",
        "0s",
        "--schedule",
        "*/5 * * * *",
        "--timeout",
        "5m",
        "--memory",
        "512",
        "--native",
    ]));
    assert!(changed.contains("alarm changed"), "{changed}");
    let action = world.action("whiskjack").unwrap();
    assert_eq!((&action["limits"]["timeout"], &action["limits"]["memory"]), (&json!(300_000), &json!(512)));
    assert_eq!(action["exec"]["image"], "openwhisk/dockerskeleton");
    assert_eq!(world.alarm("whiskjack-alarm").unwrap()["cron"], "*/5 * * * *");

    scene.ask_api("DELETE", "_/triggers/whiskjack-alarm", "");
    let healed = succeeded(deployer.deploy(&["--wait", "0s"]));
    assert!(healed.contains("whiskjack-alarm by \"* * * * *\": created"), "{healed}");
    assert_eq!(
        world.rule("whiskjack-rule").unwrap()["status"],
        "active",
        "a trigger made anew knows no rules"
    );
}

#[test]
fn an_image_with_whiskjack_inside_is_deployed_without_code() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    succeeded(deployer.deploy(&["--wait", "0s", "--docker", "me/whiskjack:1", "--name", "logs"]));
    let action = scene.api.world().action("logs").unwrap();
    assert_eq!((&action["exec"]["image"], &action["exec"]["code"]), (&json!("me/whiskjack:1"), &Value::Null));
    assert!(scene.api.world().rule("logs-rule").is_some());
}

#[test]
fn a_rare_alarm_is_not_waited_for_and_the_trigger_is_fired_by_hand() {
    let scene = Scene::new();
    let result = json!({"activations": 1, "lines": {"read": 1, "acknowledged": 1}, "left": {"ranges": 1}});
    scene.api.world().run_actions_with(move |_| Activation::new("whiskjack").result(result.clone()));
    let deployer = Deployer::new(&scene, &scene.params(5044));
    let said = succeeded(deployer.deploy(&["--schedule", "0 3 * * *"]));
    assert!(said.contains("fired once by hand") && said.contains("the first run took"), "{said}");
    assert!(said.contains(" ms: 1 new activation, 1 line read, 1 acknowledged, 1 range left"), "{said}");
}

#[test]
fn a_first_run_of_something_else_is_told_as_such() {
    let scene = Scene::new();
    scene.api.world().run_actions_with(|_| Activation::new("whiskjack").result(json!({"ok": true})));
    let deployer = Deployer::new(&scene, &scene.params(5044));
    let output = deployer.deploy(&["--schedule", "0 3 * * *", "--docker", "me/hello"]);
    assert!(
        output.stdout.contains("warning: --docker me/hello: nothing tells before the first run"),
        "{output:?}"
    );
    failed(output, 1, &["the first run: its result is not one of whiskjack (activation "]);
}

#[test]
fn a_first_run_that_fails_is_told_with_its_error() {
    let scene = Scene::new();
    let origin = scene.api.origin();
    scene.add_activations(1);
    scene.api.world().run_actions_with(move |run| in_container(&origin, run));
    let port = refused_port();
    let deployer = Deployer::new(&scene, &scene.params(port));
    let output = deployer.deploy(&["--schedule", "0 3 * * *"]);
    failed(
        output,
        1,
        &[
            "the first run: it has failed (activation ",
            &format!("localhost:{port}"),
            "refused",
            "There are now the action",
        ],
    );
}

#[test]
fn nothing_is_changed_by_a_dry_run() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    let said = succeeded(deployer.deploy(&["--dry-run"]));
    assert!(said.contains("rule /guest/whiskjack-rule would be created"), "{said}");
    assert_eq!(changes(&scene.api), Vec::<String>::new());
    succeeded(deployer.deploy(&["--wait", "0s"]));
    scene.api.forget_requests();
    let said = succeeded(deployer.call(&["undeploy", "--dry-run"]));
    assert!(said.contains("action whiskjack would be deleted"), "{said}");
    assert_eq!(changes(&scene.api), Vec::<String>::new());
}

#[test]
fn where_a_private_key_comes_to_stand_is_said() {
    let scene = Scene::new();
    let certificates = Certificates::new();
    let mut params = scene.params(5044);
    params["logstash"]["tls"] = json!(true);
    params["logstash"]["cert"] = json!(certificates.client_certificate);
    params["logstash"]["key"] = json!(certificates.client_key_encrypted);
    params["logstash"]["passphrase"] = json!(whiskjack_testbed::PASSPHRASE);
    let deployer = Deployer::new(&scene, &params);
    let secrets = "logstash.passphrase and logstash.key";
    for (options, encrypted, said) in [
        (
            &["--dry-run"][..],
            false,
            format!("warning: {secrets} would be stored in a parameter of the action;"),
        ),
        (
            &["--wait", "0s"],
            false,
            format!("warning: {secrets}: stored in the clear in a parameter of the action,"),
        ),
        (
            &["--wait", "0s"],
            true,
            format!("{secrets}: stored in a parameter that the platform encrypts (aes-128)"),
        ),
    ] {
        scene.api.world().encrypt_parameters(encrypted);
        let output = succeeded(deployer.deploy(options));
        assert!(output.lines().any(|line| line.starts_with(&said)), "{said} is not in:\n{output}");
        assert!(!output.contains(whiskjack_testbed::PASSPHRASE) && !output.contains("PRIVATE"), "{output}");
    }
    let deployer = Deployer::new(&scene, &scene.params(5044));
    assert!(!succeeded(deployer.deploy(&["--wait", "0s"])).contains("warning: logstash"));
}

#[test]
fn what_a_run_would_warn_of_is_told_before_anything_is_made() {
    let scene = Scene::new();
    for name in ["hello", "other"] {
        let action = json!({"exec": {"kind": "nodejs:20", "code": "x"}});
        scene.ask_api("PUT", &format!("_/actions/{name}"), &action.to_string());
    }
    scene.api.forget_requests();
    let mut params = scene.params(5044);
    params["actions"] = json!(["hello", "helo", "hello", "*"]);
    params["from"] = json!(1);
    params["checkpoint"] = json!({"package": "p"});
    let deployer = Deployer::new(&scene, &params);
    let said = succeeded(deployer.deploy(&["--dry-run"]));
    let warnings: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("warning: ")).collect();
    assert_eq!(
        warnings,
        [
            "`actions` lists `hello` twice",
            "`actions` lists `helo`, but there is no such action; did you mean `hello`?",
        ]
    );
    assert_eq!(changes(&scene.api), Vec::<String>::new());
    let said = succeeded(deployer.deploy(&["--wait", "0s"]));
    assert!(said.contains(warnings[1]), "{said}");
    assert_eq!(scene.api.world().package("p"), None, "no checkpoint was written");
}

#[test]
fn what_begins_with_two_underscores_does_not_become_a_parameter_and_its_value_is_not_shown() {
    let scene = Scene::new();
    let mut params = scene.params(5044);
    params["__OW_API_KEY"] = json!("u:open-sesame");
    params["__OW_API_HOST"] = json!("https://open-sesame");
    let deployer = Deployer::new(&scene, &params);
    for options in [&["--dry-run"][..], &["--wait", "0s"]] {
        let said = succeeded(deployer.deploy(options));
        let told = "warning: left out of the action's parameters: `__OW_API_HOST`, `__OW_API_KEY`; what begins with `__` comes from the platform. ";
        assert!(said.lines().any(|line| line.starts_with(told)) && !said.contains("sesame"), "{said}");
    }
    let stored = scene.api.world().action("whiskjack").unwrap();
    assert!(!stored.to_string().contains("sesame"), "{stored}");
    assert!(stored["parameters"].to_string().contains("logstash"), "the others are there");
}

#[test]
fn what_somebody_else_made_is_left_alone() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    scene.ask_api("PUT", "_/triggers/whiskjack-alarm", "{}");
    let output = deployer.deploy(&["--wait", "0s"]);
    failed(output, 1, &["which `whiskjack deploy` has not made", "`wsk trigger delete whiskjack-alarm`"]);
    let said = succeeded(deployer.call(&["undeploy"]));
    assert!(said.contains("trigger whiskjack-alarm: left alone"), "{said}");
    assert!(
        scene.api.world().trigger("whiskjack-alarm").is_some()
            && scene.api.world().action("whiskjack").is_none()
    );
}

#[test]
fn undeploying_takes_away_what_was_made_and_may_be_repeated() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    succeeded(deployer.deploy(&["--wait", "0s"]));
    let said = succeeded(deployer.call(&["undeploy"]));
    assert!(
        said.contains(
            "rule whiskjack-rule: deleted\ntrigger whiskjack-alarm: deleted\naction whiskjack: deleted"
        ),
        "{said}"
    );
    let world = scene.api.world();
    assert_eq!(
        [
            world.action("whiskjack"),
            world.trigger("whiskjack-alarm"),
            world.rule("whiskjack-rule"),
            world.alarm("whiskjack-alarm")
        ],
        [const { None }; 4]
    );
    assert!(succeeded(deployer.call(&["undeploy"])).contains("action whiskjack: is not there"));
}

#[test]
fn a_step_that_fails_says_what_is_there_and_the_same_command_goes_on() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    for (method, part, step, there) in [
        ("PUT", "/actions/whiskjack", "the action: ", "Nothing was changed"),
        ("PUT", "/triggers/", "the trigger: ", "There are now the action whiskjack. "),
        (
            "POST",
            "/alarms/alarm",
            "the trigger's alarm: ",
            "the action whiskjack, the trigger whiskjack-alarm. ",
        ),
        ("PUT", "/rules/", "the rule: ", "the action whiskjack, the trigger whiskjack-alarm. "),
    ] {
        scene.api.fail_next(Matcher::any().method(method).path_part(part), Fault::status(500));
        failed(deployer.deploy(&["--wait", "0s"]), 1, &[step, there, "HTTP 500", "goes on from there"]);
    }
    let said = succeeded(deployer.deploy(&["--wait", "0s"]));
    assert!(said.contains("rule /guest/whiskjack-rule: created, active"), "{said}");
}

#[test]
fn a_busy_api_is_left_alone_for_as_long_as_it_asks() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    for status in [429, 503] {
        scene.api.fail_next(Matcher::any().method("PUT").path_part("/actions/"), Fault::busy(status, "0"));
        let output = deployer.deploy(&["--wait", "0s"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let pause = format!("the API is busy (HTTP {status}) and asks for a pause; trying again in 0 s");
        assert!(output.stderr.contains(&pause), "{output:?}");
    }
    scene.api.fail_next(Matcher::any().method("PUT").path_part("/actions/"), Fault::busy(429, "3600"));
    failed(deployer.deploy(&["--wait", "0s"]), 1, &["the action: ", "HTTP 429", "wait a minute"]);
}

#[test]
fn an_api_with_a_certificate_of_its_own_is_reached_with_its_ca() {
    let scene = Scene::over_tls();
    let mut params = scene.params(5044);
    let refused = Deployer::new(&scene, &params).deploy(&["--wait", "0s"]);
    failed(refused, 1, &["api.ca"]);
    params["api"] = json!({"ca": scene.certificates.ca});
    succeeded(Deployer::new(&scene, &params).deploy(&["--wait", "0s"]));
    let parameters = scene.api.world().action("whiskjack").unwrap()["parameters"].to_string();
    assert!(parameters.contains("BEGIN CERTIFICATE"), "the action needs it, too");

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &scene.certificates.ca).unwrap();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    succeeded(deployer.call(&["undeploy", "--api-ca", file.path().to_str().unwrap()]));
    assert_eq!(scene.api.world().action("whiskjack"), None);
}

#[test]
fn a_run_that_never_comes_is_told_with_what_was_seen() {
    let scene = Scene::new();
    let deployer = Deployer::new(&scene, &scene.params(5044));
    let output = deployer.deploy(&["--wait", "500ms"]);
    failed(
        output,
        1,
        &["the trigger whiskjack-alarm has not fired within 0.5 s", "wsk trigger get whiskjack-alarm"],
    );

    // Fired, but the run does not end for as long as the test.
    let (ends, end) = std::sync::mpsc::channel::<()>();
    let end = std::sync::Mutex::new(end);
    scene.api.world().run_actions_with(move |_| {
        let _ = end.lock().unwrap().recv();
        Activation::new("whiskjack")
    });
    let output = deployer.deploy(&["--wait", "500ms", "--schedule", "0 3 * * *"]);
    failed(
        output,
        1,
        &["the trigger whiskjack-alarm has fired, but after 0.5 s there is no record of a run"],
    );
    drop(ends);
}
