//! The component in every host: the same world gives the same documents, and errors say what to do.

use crate::support::{ACTIONS, SOON, Scene, now_ms, refused_port};
use openwhisk_double::{Activation, Double, Options, Tls};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use whiskjack_testbed::hosts::{NodeRuntime, difference, hosts, observe, run_host};
use whiskjack_testbed::{Certificates, Output, PASSPHRASE, Receiver, ReceiverOptions, RunContext, artifacts};
use whiskjack_testbed::{Scripted, ScriptedOptions, Session};

#[test]
fn every_host_forwards_the_same_documents_to_the_byte_and_nothing_twice() {
    let mut observed = hosts().into_iter().map(|host| (host.name, observe(&host)));
    let (_, first) = observed.next().unwrap();
    let differences: Vec<String> = observed
        .filter_map(|(name, other)| Some(format!("{name}: {}", difference(&first, &other)?)))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The examples as commands, on the built component.
fn examples() -> [(&'static str, Command); 3] {
    let artifacts = artifacts();
    [
        ("Node.js", artifacts.node_host(&artifacts.node_component())),
        ("Python", artifacts.python_host(&artifacts.component())),
        ("Rust", artifacts.rust_host(&artifacts.precompiled())),
    ]
}

/// Runs a host once, and checks that no key is in what it says.
#[track_caller]
fn run(mut host: Command, scene: &Scene, params: &Value) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    std::fs::write(file("config.json"), params.to_string()).unwrap();
    host.envs(scene.environment());
    host.arg("--config").arg(file("config.json")).arg("--state").arg(file("state"));
    let output = run_host(host);
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(!scene.shows_key(&said) && !said.contains("PRIVATE KEY") && !said.contains(PASSPHRASE), "{said}");
    output
}

/// What each example says and its exit status, for these parameters.
fn answers(scene: &Scene, params: &Value) -> Vec<(&'static str, Option<i32>, String)> {
    let answer = |(name, host)| {
        let output = run(host, scene, params);
        (name, output.status.code(), format!("{}{}", output.stdout, output.stderr))
    };
    examples().into_iter().map(answer).collect()
}

#[track_caller]
fn assert_all_say(answers: &[(&str, Option<i32>, String)], status: i32, words: &[&str]) {
    for (name, ended, said) in answers {
        assert_eq!(*ended, Some(status), "{name}: {said}");
        for word in words {
            assert!(said.contains(word), "{name} does not say {word:?}: {said}");
        }
        assert!(said.lines().count() <= 2 && !said.contains("Traceback"), "{name} says too much: {said}");
    }
}

#[test]
fn a_wrong_key_is_named_with_its_remedy() {
    let params = json!({"actions": ["a"], "logstash": {"host": "localhost", "porte": 1}});
    assert_all_say(&answers(&Scene::new(), &params), 2, &["logstash.porte", "did you mean `logstash.port`?"]);
}

#[test]
fn keys_that_a_host_cannot_honour_are_named_all_at_once() {
    let scene = Scene::new();
    let mut params = scene.params(1);
    params["logstash"]["leaf_sha256"] = json!("00");
    params["logstash"]["proxy_url"] = json!("socks4://me:hunter2@proxy:1080");
    params["api"] = json!({"ca": scene.certificates.ca, "rejectUnauthorized": false, "proxy_url": "http://me:hunter2@proxy"});
    let answers = answers(&scene, &params);
    assert_all_say(
        &answers,
        2,
        &["logstash.leaf_sha256", "logstash.proxy_url", "api.ca", "api.rejectUnauthorized", "api.proxy_url"],
    );
    assert!(answers.iter().all(|(_, _, said)| !said.contains("hunter2")), "{answers:?}");
}

#[test]
fn an_api_that_cannot_be_reached_is_named_with_the_key_to_look_at() {
    let scene = Scene::new();
    let mut params = scene.params(1);
    let api = format!("http://127.0.0.1:{}", refused_port());
    params["api"] = json!({"host": api});
    assert_all_say(&answers(&scene, &params), 1, &[&api, "`api.host`"]);
}

#[test]
fn an_api_that_is_not_trusted_is_not_asked() {
    let scene = Scene::new();
    let tls = Tls::new(scene.certificates.server_certificate.clone(), scene.certificates.server_key.clone());
    let api = Double::start(Options { tls: Some(tls), ..Options::default() });
    let mut params = scene.params(1);
    params["api"] = json!({"host": api.origin()});
    let answers = answers(&scene, &params);
    assert_all_say(&answers, 1, &[&api.origin(), "could not be asked", "certificate"]);
    assert!(answers.iter().any(|(name, _, said)| *name == "Node.js" && said.contains("NODE_EXTRA_CA_CERTS")));
    assert!(api.requests().is_empty());
}

#[test]
fn a_receiver_that_is_not_trusted_gets_nothing() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = scene.receiver();
    let mut params = scene.params(receiver.port());
    params["logstash"]["ca"] = json!(scene.certificates.other_ca);
    assert_all_say(&answers(&scene, &params), 1, &["TLS", "`logstash.ca`"]);
    assert!(receiver.events().is_empty());
}

#[test]
fn the_receivers_certificate_must_have_the_configured_name() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = scene.receiver();
    let mut params = scene.params(receiver.port());
    params["logstash"]["servername"] = json!("elsewhere.example");
    assert_all_say(&answers(&scene, &params), 1, &["TLS", "`logstash.servername`"]);
    assert!(receiver.events().is_empty());
    params["logstash"]["host"] = json!("127.0.0.1");
    params["logstash"]["servername"] = json!("localhost");
    assert_all_say(&answers(&scene, &params), 0, &["\"acknowledged\":"]);
    receiver.wait_for_events(3 * 6, SOON);
}

#[test]
fn certificates_are_read_as_editors_and_templates_leave_them_or_it_is_said() {
    let careless = |pem: &str| {
        let indented: String = pem.lines().map(|line| format!("    {line}\r\n")).collect();
        json!(format!("\u{feff}{indented}"))
    };
    let scene = Scene::new();
    scene.add_activations(1);
    for (name, host) in examples() {
        let receiver = Receiver::start(ReceiverOptions {
            tls: Some(scene.certificates.mutual_tls()),
            ..Default::default()
        });
        let mut params = scene.params(receiver.port());
        params["logstash"]["ca"] = careless(&scene.certificates.ca);
        params["logstash"]["cert"] = careless(&scene.certificates.client_certificate);
        params["logstash"]["key"] = careless(&scene.certificates.client_key);
        let output = run(host, &scene, &params);
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        receiver.wait_for_events(6, SOON);
    }
    let mut params = scene.params(1);
    params["logstash"]["ca"] = json!("nonsense");
    assert_all_say(&answers(&scene, &params), 2, &["logstash.ca: holds no certificate that can be read"]);
}

#[test]
fn a_receiver_that_is_not_there_is_named() {
    let scene = Scene::new();
    scene.add_activations(1);
    let port = refused_port();
    let mut params = scene.params(port);
    params["logstash"]["backoff"] = json!({"init": "10ms", "max": "10ms"});
    assert_all_say(&answers(&scene, &params), 1, &[&format!("localhost:{port}")]);
}

#[test]
fn a_receiver_that_asks_for_a_certificate_gets_it_and_says_if_it_is_missing() {
    let scene = Scene::new();
    scene.add_activations(1);
    let receiver = || {
        Receiver::start(ReceiverOptions { tls: Some(scene.certificates.mutual_tls()), ..Default::default() })
    };
    for (name, host) in examples() {
        let receiver = receiver();
        let mut params = scene.params(receiver.port());
        params["logstash"]["cert"] = json!(scene.certificates.client_certificate);
        params["logstash"]["key"] = json!(scene.certificates.client_key);
        let output = run(host, &scene, &params);
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        receiver.wait_for_events(6, SOON);
    }
    let receiver = receiver();
    assert_all_say(&answers(&scene, &scene.params(receiver.port())), 1, &["TLS", "`logstash.cert`"]);
}

#[test]
fn an_encrypted_key_is_opened_with_its_passphrase() {
    let scene = Scene::new();
    scene.add_activations(1);
    let key = &scene.certificates.client_key_encrypted;
    for form in [
        json!({"key": key, "passphrase": PASSPHRASE}),
        json!({"key": {"pem": key, "passphrase": PASSPHRASE}}),
    ] {
        for (name, host) in examples().into_iter().filter(|(name, _)| *name != "Rust") {
            let receiver = Receiver::start(ReceiverOptions {
                tls: Some(scene.certificates.mutual_tls()),
                ..Default::default()
            });
            let mut params = scene.params(receiver.port());
            params["logstash"]["cert"] = json!(scene.certificates.client_certificate);
            params["logstash"].as_object_mut().unwrap().extend(form.as_object().unwrap().clone());
            let output = run(host, &scene, &params);
            assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
            receiver.wait_for_events(6, SOON);
        }
    }
}

/// Runs each example against a receiver that follows `script`, over TLS; returns what each said.
fn scripted(
    lines: &str,
    timeout: &str,
    script: impl Fn(&mut Session) + Send + Sync + Clone + 'static,
) -> Vec<(&'static str, Option<i32>, String)> {
    let scene = Scene::new();
    scene.api.world().add(Activation::new(ACTIONS[0]).start(now_ms() - 60_000).stdout(lines));
    let answer = |(name, host)| {
        let tls = Some(scene.certificates.server_config());
        let receiver =
            Scripted::with(ScriptedOptions { tls, narrow: true, ..Default::default() }, script.clone());
        let mut params = scene.params(receiver.port());
        params["logstash"]["timeout"] = json!(timeout);
        params["logstash"]["compression_level"] = json!(0);
        params["logstash"]["backoff"] = json!({"init": "10ms", "max": "10ms"});
        let output = run(host, &scene, &params);
        receiver.settled(SOON);
        (name, output.status.code(), format!("{}{}", output.stdout, output.stderr))
    };
    examples().into_iter().map(answer).collect()
}

#[test]
fn a_connection_ends_with_a_goodbye_and_not_before_the_last_ack() {
    let ends = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ends);
    let answers = scripted("one\ntwo", "10s", move |session| {
        session.window();
        let early = session.ended_within(Duration::from_millis(200));
        session.ack(2);
        seen.lock().unwrap().push((early, session.ended_cleanly()));
    });
    assert_all_say(&answers, 0, &["\"acknowledged\":"]);
    assert_eq!(*ends.lock().unwrap(), [(false, true); 3]);
}

#[test]
fn a_window_that_the_receiver_takes_bit_by_bit_arrives_whole() {
    let answers = scripted(&"bulky ".repeat(100_000), "10s", Session::serve);
    assert_all_say(&answers, 0, &["\"acknowledged\":"]);
}

#[test]
fn a_connection_that_breaks_is_made_anew() {
    let answers = scripted("one\ntwo", "10s", |session| match session.number() {
        1 => session.reset(),
        2 => {
            session.window();
            session.close();
        }
        _ => session.serve(),
    });
    assert_all_say(&answers, 0, &["\"acknowledged\":"]);
}

#[test]
fn a_receiver_that_is_silent_is_left_after_its_timeout() {
    let answers = scripted("one\ntwo", "600ms", |session| {
        session.window();
        session.read_to_end();
    });
    assert_all_say(&answers, 1, &["nothing for 0.6 s", "`logstash.timeout`"]);
}

/// Runs a line of JavaScript beside the example for Node.js; returns what it prints as JSON.
fn in_node(module: &str, code: &str) -> Value {
    let module = artifacts().example(&format!("node/{module}"));
    let mut node = Command::new("node");
    node.args(["--input-type=module", "--eval", &format!("import * as it from {module:?}; {code}")]);
    printed(node)
}

/// The same beside the example in Python.
fn in_python(module: &str, code: &str) -> Value {
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", artifacts().python_wasmtime()).env("PYTHONDONTWRITEBYTECODE", "1");
    let folder = artifacts().example("python/main.py").parent().unwrap().to_owned();
    python.args([
        "-c",
        &format!("import sys, json; sys.path.insert(0, {folder:?}); import {module} as it; {code}"),
    ]);
    printed(python)
}

#[track_caller]
fn printed(program: Command) -> Value {
    let output = run_host(program);
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn links_to_the_state_file_are_followed_and_those_beside_it_are_not() {
    let node = "const file = it.stateFile(at('link')); it.save(file, Buffer.from('new')); \
                let refused; try { it.stateFile('/dev/null'); } catch (error) { refused = error.message; } \
                console.log(JSON.stringify([String(it.load(file)), refused]));";
    let python = "file = it.state_file(at('link')); it.save(file, b'new')\n\
                  try: it.state_file(it.pathlib.Path('/dev/null'))\n\
                  except ValueError as error: print(json.dumps([it.load(file).decode(), str(error)]))";
    for host in ["Node.js", "Python"] {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("victim"), "precious").unwrap();
        // It is not there yet.
        std::os::unix::fs::symlink("state", at("link")).unwrap();
        std::os::unix::fs::symlink("victim", at("state.new")).unwrap();
        let root = folder.path();
        let said = match host {
            "Node.js" => {
                in_node("state.mjs", &format!("const at = (name) => `${{{root:?}}}/${{name}}`; {node}"))
            }
            _ => in_python("state", &format!("at = lambda name: it.pathlib.Path({root:?}) / name\n{python}")),
        };
        assert_eq!(said[0], "new", "{host}");
        assert_eq!(said[1], "--state /dev/null: is not a plain file; name another", "{host}");
        assert_eq!(std::fs::read(at("victim")).unwrap(), b"precious", "{host}");
        assert!(at("link").is_symlink() && at("state").is_file() && !at("state.new").exists(), "{host}");
    }
}

#[test]
fn a_port_that_the_configuration_does_not_name_is_refused() {
    let node = in_node(
        "transport.mjs",
        "try { it.transport(['one:5044'], null).Connection.connect('one', 22, 1000n); } catch (error) { console.log(JSON.stringify(error)); }",
    );
    let python = in_python(
        "forwarder",
        "host = it.Forwarder.__new__(it.Forwarder); host.receivers = ['one:5044']; \
         print(json.dumps(it.answered(host.connect)(None, 'one', 22, 1000).__dict__))",
    );
    for (name, error) in [("Node.js", node), ("Python", python)] {
        assert_eq!((&error["step"], &error["retryable"]), (&json!("permit"), &json!(false)), "{name}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("one:22") && message.contains("`logstash.port`"), "{name}: {message}");
    }
}

#[test]
fn keys_and_certificates_do_not_reach_the_component() {
    let certificates = Certificates::new();
    let params = json!({"actions": ["a"], "logstash": {
        "hosts": ["one", "Two:1", "[::1]:2", "::2"], "port": 7,
        "ca": certificates.ca, "cert": certificates.client_certificate,
        "key": certificates.client_key_encrypted, "passphrase": PASSPHRASE,
    }});
    let code = format!(
        "const p = {params}; const host = it.hostParams(p); console.log(JSON.stringify([p, host.receivers]));"
    );
    let node = in_node("params.mjs", &code);
    let code = format!(
        "p = json.loads({:?}); found = it.host_params(p); print(json.dumps([p, found[0]]))",
        params.to_string()
    );
    let python = in_python("params", &code);
    let left = json!({"actions": ["a"], "logstash": {"hosts": params["logstash"]["hosts"], "port": 7}});
    let receivers = json!(["one:7", "two:1", "::1:2", "::2:7"]);
    assert_eq!((node, python), (json!([left, receivers]), json!([left, receivers])));
}

#[test]
fn a_key_of_hosts_that_a_host_does_not_know_is_refused_and_not_passed_over() {
    let params =
        json!({"actions": ["a"], "api": {"new": ""}, "logstash": {"host": "one", "new": {"strict": true}}});
    let code =
        format!("console.log(JSON.stringify(it.hostParams({params}, ['api.new', 'logstash.new']).faults));");
    let node = in_node("params.mjs", &code);
    let code = format!(
        "\ntry: it.host_params(json.loads({:?}), ['api.new', 'logstash.new'])\n\
         except ValueError as error: print(json.dumps([str(error)]))",
        params.to_string()
    );
    let python = in_python("params", &code);
    for (host, faults) in [("Node.js", node), ("Python", python)] {
        let remedy = "remove it, or use the `whiskjack` binary";
        assert_eq!(faults, json!([format!("logstash.new: cannot be honoured in {host}; {remedy}")]));
    }
}

/// The built component with other names in it, of the same length.
struct Renamed {
    directory: TempDir,
}

impl Renamed {
    fn new(from: &str, to: &str) -> Self {
        let mut component = std::fs::read(artifacts().component()).unwrap();
        let found: Vec<usize> = component
            .windows(from.len())
            .enumerate()
            .filter(|(_, bytes)| *bytes == from.as_bytes())
            .map(|(at, _)| at)
            .collect();
        assert!(!found.is_empty() && from.len() == to.len());
        for at in found {
            component[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("whiskjack.wasm"), component).unwrap();
        Self { directory }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Each host on this component.
    fn hosts(&self) -> [(&'static str, Command); 3] {
        let component = self.file("whiskjack.wasm");
        let mut transpile = Command::new("node");
        transpile.arg(artifacts().example("node/transpile.mjs")).arg(&component).arg(self.file("node"));
        let native = self.file("whiskjack.cwasm");
        let mut compile = artifacts().precompiler();
        compile.arg(&component).arg(&native);
        for command in [transpile, compile] {
            let output = run_host(command);
            assert!(output.status.success(), "{output:?}");
        }
        [
            ("Node.js", artifacts().node_host(&self.file("node"))),
            ("Python", artifacts().python_host(&component)),
            ("Rust", artifacts().rust_host(&native)),
        ]
    }

    fn answers(&self) -> Vec<(&'static str, Option<i32>, String)> {
        let scene = Scene::new();
        let answer = |(name, host)| {
            let output = run(host, &scene, &scene.params(1));
            (name, output.status.code(), format!("{}{}", output.stdout, output.stderr))
        };
        self.hosts().into_iter().map(answer).collect()
    }
}

#[test]
fn a_component_of_another_version_is_refused_and_both_versions_are_named() {
    let other = Renamed::new("whiskjack:forwarder/forwarder@0.1.0", "whiskjack:forwarder/forwarder@0.2.0");
    assert_all_say(&other.answers(), 1, &["forwarder@0.2.0", "@0.1.0", "of the same release"]);
}

#[test]
fn an_import_that_a_host_does_not_have_is_named() {
    let other = Renamed::new("whiskjack:forwarder/transport@0.1.0", "whiskjack:forwarder/telegraph@0.1.0");
    assert_all_say(&other.answers(), 1, &["whiskjack:forwarder/telegraph", "of the same release"]);
}

#[test]
fn a_component_that_is_not_there_is_answered_with_how_to_get_one() {
    let scene = Scene::new();
    let nowhere = Path::new("/nowhere/whiskjack");
    let hosts = [
        ("Node.js", artifacts().node_host(nowhere), "npm run transpile"),
        ("Python", artifacts().python_host(nowhere), "cargo xtask build"),
        ("Rust", artifacts().rust_host(nowhere), "cargo xtask build"),
    ];
    for (name, host, remedy) in hosts {
        let output = run(host, &scene, &scene.params(1));
        assert_all_say(&[(name, output.status.code(), output.stderr)], 1, &["/nowhere/whiskjack", remedy]);
    }
}

#[test]
fn the_action_for_node_is_small_and_keeps_its_checkpoint_on_the_platform() {
    let bytes = std::fs::metadata(artifacts().node_action()).unwrap().len();
    assert!(bytes < 1 << 20, "{bytes} bytes");
    let scene = Scene::new();
    scene.add_activations(2);
    let receiver = scene.receiver();
    let context = || RunContext { api_key: Some(scene.api.key()), ..RunContext::default() };
    let params = scene.params(receiver.port());
    let first = NodeRuntime::start(&scene.api.origin()).run(&params, &context());
    assert_eq!(first["lines"]["acknowledged"], 12, "{first}");
    scene.api.world().add(Activation::new(ACTIONS[0]).start(now_ms() - 10).duration(5).stdout("one more"));
    // In another container, which knows nothing of the first.
    let second = NodeRuntime::start(&scene.api.origin()).run(&params, &context());
    assert_eq!(second["lines"]["sent"], 1, "{second}");
    assert!(scene.api.world().package("whiskjack.whiskjack").is_some());
}

#[test]
fn the_action_for_node_without_a_key_says_how_to_get_one() {
    let scene = Scene::new();
    let result = NodeRuntime::start(&scene.api.origin()).run(&scene.params(1), &RunContext::default());
    assert!(result["error"].as_str().unwrap().contains("provide-api-key"), "{result}");
    assert!(scene.api.requests().is_empty());
}
