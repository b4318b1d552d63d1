//! `whiskjack check`: a sound set-up is told step by step, and of a broken one the last line names the cause.

use crate::support::{ACTIONS, SOON, Scene, refused_port};
use openwhisk_double::{Double, Fault, Matcher, Options, Tls};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use whiskjack_testbed::{
    CertificateFault, Cli, Output, Receiver, ReceiverOptions, Scripted, ScriptedOptions, artifacts,
};

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
        // The probe is what finds out about strangers.
        self.options.clear();
    }

    fn check(&self) -> Output {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.json");
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
fn without_send_no_receiver_gets_an_event_and_each_one_is_probed() {
    let mut setup = Setup::new();
    setup.options.clear();
    let output = setup.check();
    let told = told(&output);
    assert_eq!(output.status.code(), Some(0), "{told:#}");
    let probe = format!("receiver localhost:{}: Lumberjack", setup.receiver.port());
    assert!(
        step(&told, &probe).unwrap()["told"].as_str().unwrap().contains("waits for an event"),
        "{told:#}"
    );
    // A run afterwards is as if nobody had been there.
    let environment: Vec<(&str, &str)> =
        setup.environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let run = Cli::run(&setup.params, None, &environment);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert_eq!(setup.receiver.wait_for_events(12, SOON).len(), 12);
}

/// What is broken, the exit status, and parts of the last line.
type Broken = (&'static str, fn(&mut Setup), i32, &'static [&'static str]);

/// A certificate that has something wrong.
fn faulty(setup: &mut Setup, fault: CertificateFault) {
    let tls = Some(setup.scene.certificates.faulty_config(fault));
    setup.send_to(
        Scripted::with(
            ScriptedOptions { tls, ..ScriptedOptions::default() },
            whiskjack_testbed::Session::serve,
        ),
        true,
    );
}

const BROKEN: &[Broken] = &[
    (
        "a key is misspelt",
        |setup| setup.params["actoins"] = json!(["a"]),
        2,
        &["actoins", "did you mean `actions`?"],
    ),
    (
        "the port is none",
        |setup| setup.params["logstash"]["port"] = json!(0),
        2,
        &["logstash.port", "1 to 65535"],
    ),
    (
        "there is no receiver",
        |setup| _ = setup.params.as_object_mut().unwrap().remove("logstash"),
        2,
        &["logstash"],
    ),
    ("the file is not YAML", |setup| setup.params = json!("a: 1\n b: 2"), 2, &["is not YAML"]),
    (
        "a private key is none",
        |setup| setup.params["logstash"]["key"] = json!("no PEM"),
        2,
        &["logstash.key"],
    ),
    (
        "the proxy to receivers is none",
        |setup| setup.params["logstash"]["proxy_url"] = json!("gopher://p"),
        2,
        &["logstash.proxy_url"],
    ),
    (
        "there is no key",
        |setup| setup.environment.retain(|(name, _)| *name != "__OW_API_KEY"),
        1,
        &["API: ", "there is no API key"],
    ),
    (
        "there is no host",
        |setup| setup.environment.retain(|(name, _)| *name != "__OW_API_HOST"),
        1,
        &["API: ", "there is no API host"],
    ),
    ("the key is half a key", |setup| setup.set("__OW_API_KEY", "half"), 1, &["__OW_API_KEY"]),
    (
        "the API's name does not exist",
        |setup| setup.set("__OW_API_HOST", "https://no-such-host.invalid"),
        1,
        &["API name: the name no-such-host.invalid cannot be resolved"],
    ),
    (
        "nobody listens at the API's port",
        |setup| setup.set("__OW_API_HOST", &format!("http://127.0.0.1:{}", refused_port())),
        1,
        &["API address: ", "connection refused"],
    ),
    (
        "the API speaks no TLS",
        |setup| {
            let origin = setup.scene.api.origin().replace("http://", "https://");
            setup.set("__OW_API_HOST", &origin);
        },
        1,
        &["API TLS: "],
    ),
    (
        "the API's authority is not known",
        |setup| {
            let certificates = &setup.scene.certificates;
            let tls = Tls::new(certificates.server_certificate.clone(), certificates.server_key.clone());
            let api = Double::start(Options { tls: Some(tls), ..Options::default() });
            setup.set("__OW_API_HOST", &api.origin());
            setup.others.push(Box::new(api));
        },
        1,
        &["API TLS: ", "put the CA's certificate in `api.ca`"],
    ),
    (
        "the key is another one",
        |setup| setup.set("__OW_API_KEY", "00000000-0000-0000-0000-000000000000:wrong"),
        1,
        &["API key: ", "HTTP 401", "__OW_API_KEY"],
    ),
    (
        "something else answers for the API",
        |setup| setup.scene.api.fail_always(Matcher::any(), Fault::reply(200, "text/html", "<html>")),
        1,
        &["API key: ", "is not an answer of the OpenWhisk API"],
    ),
    (
        "the API is down",
        |setup| setup.scene.api.fail_always(Matcher::any(), Fault::status(503)),
        1,
        &["API key: ", "HTTP 503"],
    ),
    (
        "another namespace is named",
        |setup| setup.set("__OW_NAMESPACE", "elsewhere"),
        1,
        &["API key: ", "is not the namespace of the API key"],
    ),
    (
        "the key may not read activations",
        |setup| {
            setup.scene.api.fail_always(Matcher::any().path_part("activations"), Fault::status(403));
        },
        1,
        &["right to read activations: ", "403"],
    ),
    (
        "the key may not write packages",
        |setup| setup.scene.api.fail_always(Matcher::package().method("PUT"), Fault::status(403)),
        1,
        &["right to write the package: ", "--state FILE"],
    ),
    (
        "the checkpoint is damaged",
        |setup| {
            setup.scene.ask_api(
                "PUT",
                "_/packages/whiskjack.cli",
                r#"{"annotations":[{"key":"whiskjack-checkpoint","value":{"version":3}}]}"#,
            );
        },
        1,
        &["checkpoint: ", "it is damaged"],
    ),
    (
        "no action has the name",
        |setup| setup.params["actions"] = json!(["shop/check ou"]),
        1,
        &["actions: shop/check ou: ", "did you mean `shop/check out`?"],
    ),
    (
        "no action matches the pattern",
        |setup| setup.params["actions"] = json!(["nothing-*"]),
        1,
        &["actions: nothing-*: ", "no action matches this pattern"],
    ),
    (
        "nobody listens at the receiver's port",
        |setup| setup.params["logstash"]["port"] = refused_port().into(),
        1,
        &["receiver localhost:", ": address: ", "refused"],
    ),
    (
        "the receiver's name does not exist",
        |setup| setup.params["logstash"]["host"] = json!("no-such-host.invalid"),
        1,
        &["receiver no-such-host.invalid:", ": name: "],
    ),
    (
        "the receiver's authority is not known",
        |setup| setup.params["logstash"]["ca"] = json!(setup.scene.certificates.other_ca),
        1,
        &[": TLS: ", "logstash.ca"],
    ),
    (
        "the receiver's certificate has expired",
        |setup| faulty(setup, CertificateFault::Expired),
        1,
        &[": TLS: ", "has expired"],
    ),
    (
        "the receiver's certificate is for another name",
        |setup| faulty(setup, CertificateFault::WrongName),
        1,
        &[": TLS: ", "is for elsewhere.example"],
    ),
    (
        "the receiver wants a client certificate",
        |setup| {
            let tls = Some(setup.scene.certificates.mutual_config());
            let receiver = Scripted::with(
                ScriptedOptions { tls, ..ScriptedOptions::default() },
                whiskjack_testbed::Session::serve,
            );
            setup.send_to(receiver, true);
        },
        1,
        &["receiver localhost:", "`logstash.cert`"],
    ),
    (
        "the receiver speaks no TLS",
        |setup| setup.send_to(Scripted::good(), true),
        1,
        &[": TLS: ", "`logstash.tls`"],
    ),
    (
        "the receiver speaks TLS, and the configuration says that it does not",
        |setup| {
            setup.params["logstash"]["tls"] = json!(false);
            setup.params["logstash"].as_object_mut().unwrap().remove("ca");
            setup.options.clear();
        },
        1,
        &["receiver localhost:", "logstash.tls"],
    ),
    (
        "the receiver is a web server",
        |setup| {
            setup.send_to(
                Scripted::start(|session| {
                    session.bytes(6);
                    session.send(b"HTTP/1.1 400 Bad Request\r\n\r\n");
                }),
                false,
            )
        },
        1,
        &[": Lumberjack: it answers in HTTP, not Lumberjack"],
    ),
    (
        "the receiver closes at the begin of a window",
        |setup| {
            setup.send_to(
                Scripted::start(|session| {
                    session.bytes(6);
                    session.close();
                }),
                false,
            )
        },
        1,
        &[": Lumberjack: ", "closed the connection before it answered"],
    ),
    (
        "the receiver never acknowledges",
        |setup| {
            setup.send_to(
                Scripted::start(|session| {
                    session.window();
                    session.hang();
                }),
                false,
            );
            setup.params["logstash"]["timeout"] = json!("500ms");
            setup.options = vec!["--send".to_owned()];
        },
        1,
        &[": test document: "],
    ),
    (
        "one of two receivers is down",
        |setup| {
            let (up, down) = (setup.receiver.port(), refused_port());
            let ca = setup.scene.certificates.ca.clone();
            setup.params["logstash"] =
                json!({"hosts": [format!("localhost:{up}"), format!("localhost:{down}")], "ca": ca});
        },
        1,
        &["receiver localhost:", "refused"],
    ),
];

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
    // In its JSON as well, if the arguments and the file could be read.
    let in_json =
        output.stdout.is_empty() || told(&output)["cause"].as_str().is_some_and(|cause| last.contains(cause));
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
