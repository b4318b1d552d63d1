//! Modules of the examples for Node.js and Python, each by itself.

use serde_json::{Value, json};
use std::process::Command;
use whiskjack_testbed::hosts::run_host;
use whiskjack_testbed::{Certificates, PASSPHRASE, artifacts};

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
