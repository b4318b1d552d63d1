//! What is in `deploy/`: the files have the shape that their programs want and agree with each other, and the script makes what it says.
//!
//! The script runs with a stand-in for `wsk` that is ours (`tests/peers/python/wsk.py`): wsk itself cannot be had from a registry.

use openwhisk_double::{Double, Options};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use whiskjack::config::Config;

const CRON: &str = "* * * * *";
/// How often that is, in milliseconds.
const PERIOD_MS: u64 = 60_000;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(file(name)).unwrap()).unwrap()
}

/// The object, if it has these keys and no others; those that end with `?` may be missing.
#[track_caller]
fn with_keys<'a>(value: &'a Value, keys: &[&str]) -> &'a Map<String, Value> {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    let known = |key: &String| keys.iter().any(|known| known.trim_end_matches('?') == key);
    assert!(object.keys().all(known), "{:?} of {keys:?}", object.keys());
    let missing: Vec<_> =
        keys.iter().filter(|key| !key.ends_with('?') && !object.contains_key(**key)).collect();
    assert!(missing.is_empty(), "{missing:?} missing in {value}");
    object
}

/// Replaces `$NAME` as wskdeploy does.
fn filled(value: &Value) -> Value {
    match value {
        Value::String(text) if text == "$LOGSTASH_HOST" => json!("logs.example.com"),
        Value::String(text) if text == "$LOGSTASH_PORT" => json!("5044"),
        Value::String(text) => {
            assert!(!text.starts_with('$'), "{text} is not explained");
            value.clone()
        }
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), filled(value))).collect(),
        other => other.clone(),
    }
}

#[test]
fn the_wskdeploy_manifest_has_the_shape_that_wskdeploy_reads() {
    let manifest = yaml("manifest.yaml");
    let package = &with_keys(&manifest, &["packages"])["packages"];
    let package = &with_keys(package, &["default"])["default"];
    with_keys(package, &["actions", "triggers", "rules"]);
    let action = &with_keys(&package["actions"], &["whiskjack"])["whiskjack"];
    with_keys(action, &["function", "runtime", "limits", "annotations", "inputs"]);
    assert_eq!(action["function"], "../dist/whiskjack-action.zip");
    assert_eq!(action["runtime"], "rust:1.34");
    assert_eq!(action["annotations"], json!({"provide-api-key": true}));
    assert_eq!(action["limits"], json!({"timeout": 60_000, "memorySize": 256, "logSize": 10}));
    assert!(action["limits"]["timeout"].as_u64().unwrap() <= PERIOD_MS);

    let trigger = &with_keys(&package["triggers"], &["whiskjack-alarm"])["whiskjack-alarm"];
    assert_eq!(*trigger, json!({"feed": "/whisk.system/alarms/alarm", "inputs": {"cron": CRON}}));
    let rule = &with_keys(&package["rules"], &["whiskjack-rule"])["whiskjack-rule"];
    assert_eq!(*rule, json!({"trigger": "whiskjack-alarm", "action": "whiskjack"}));
}

#[test]
fn the_parameters_of_the_wskdeploy_manifest_are_a_sound_configuration() {
    let manifest = yaml("manifest.yaml");
    let inputs = &manifest["packages"]["default"]["actions"]["whiskjack"]["inputs"];
    let value = |(key, input): (&String, &Value)| {
        assert_eq!(with_keys(input, &["type", "value"])["type"], "json", "{key}");
        (key.clone(), filled(&input["value"]))
    };
    let params = Value::Object(inputs.as_object().unwrap().iter().map(value).collect());
    Config::parse(params.to_string().as_bytes(), Some("/guest/whiskjack")).unwrap();
}

#[test]
fn the_serverless_file_has_the_shape_that_its_plugin_reads() {
    let file = yaml("serverless.yml");
    with_keys(&file, &["service", "frameworkVersion", "provider", "functions", "package", "plugins"]);
    assert_eq!(file["provider"], json!({"name": "openwhisk"}));
    assert_eq!(file["plugins"], json!(["serverless-openwhisk"]));
    let function = &with_keys(&file["functions"], &["forwarder"])["forwarder"];
    let keys = ["name", "handler", "runtime", "timeout", "memory", "annotations", "parameters", "events"];
    with_keys(function, &keys);
    assert_eq!((&function["name"], &function["runtime"]), (&json!("whiskjack"), &json!("binary")));
    assert_eq!(function["handler"], "../dist/whiskjack");
    assert_eq!(file["package"]["patterns"], json!(["!./**", function["handler"]]), "nothing else is packed");
    assert_eq!(function["annotations"], json!({"provide-api-key": true}));
    // The plugin wants seconds here.
    assert!(function["timeout"].as_u64().unwrap() * 1_000 <= PERIOD_MS);
    assert_eq!((&function["timeout"], &function["memory"]), (&json!(60), &json!(256)));
    assert_eq!(function["parameters"], "${file(./config.json)}");
    let schedule =
        json!({"rate": format!("cron({CRON})"), "trigger": "whiskjack-alarm", "rule": "whiskjack-rule"});
    assert_eq!(function["events"], json!([{"schedule": schedule}]));
}

/// An API, and a folder with what the script wants.
struct Bench {
    api: Double,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let (api, folder) = (Double::start(Options::default()), tempfile::tempdir().unwrap());
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("props", &format!("APIHOST={}\nAUTH={}\n", api.origin(), api.key()));
        write("config.json", r#"{"actions": ["a"], "logstash": {"host": "l", "port": 5044}}"#);
        write("code.zip", "PK not looked into here");
        Self { api, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the script with the stand-in.
    fn run(&self, options: &[&str]) -> Output {
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/python/wsk.py");
        let wsk = self.path("wsk");
        std::fs::write(&wsk, format!("#!/bin/sh\nexec python3 '{}' \"$@\"\n", python.display())).unwrap();
        let mut permissions = std::fs::metadata(&wsk).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
        std::fs::set_permissions(&wsk, permissions).unwrap();
        self.run_with(&wsk, options)
    }

    fn run_with(&self, wsk: &Path, options: &[&str]) -> Output {
        Command::new(file("wsk.sh"))
            .args(options)
            .current_dir(self.folder.path())
            .env("WSK", wsk)
            .env("WSK_CONFIG_FILE", self.path("props"))
            .env("WSK_JOURNAL", self.path("journal"))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The commands since the last time.
    fn commands(&self) -> Vec<String> {
        let journal = std::fs::read_to_string(self.path("journal")).unwrap_or_default();
        let _ = std::fs::remove_file(self.path("journal"));
        journal.lines().map(str::to_owned).collect()
    }
}

#[track_caller]
fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn failed(output: &Output, status: i32, part: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{stderr}");
    assert!(stderr.contains(part), "{part} is not in:\n{stderr}");
}

#[test]
fn the_wsk_script_makes_action_trigger_and_rule_and_may_be_repeated() {
    let bench = Bench::new();
    succeeded(&bench.run(&["--zip", "code.zip"]));
    let action = "action update whiskjack code.zip --kind rust:1.34 --annotation provide-api-key true --param-file config.json \
                  --timeout 60000 --memory 256 --logsize 10";
    let rule = ["rule update whiskjack-rule whiskjack-alarm whiskjack", "rule enable whiskjack-rule"];
    let get = "trigger get whiskjack-alarm";
    let create = "trigger create whiskjack-alarm --feed /whisk.system/alarms/alarm --param cron * * * * *";
    assert_eq!(bench.commands(), [action, get, create, rule[0], rule[1]]);
    let world = bench.api.world();
    let made = world.action("whiskjack").unwrap();
    assert_eq!(made["limits"], json!({"timeout": 60_000, "memory": 256, "logs": 10, "concurrency": 1}));
    assert!(made["annotations"].to_string().contains(r#"{"key":"provide-api-key","value":true}"#), "{made}");
    assert_eq!(
        (&made["exec"]["kind"], &made["parameters"][0]["key"]),
        (&json!("rust:1.34"), &json!("actions"))
    );
    assert_eq!(world.alarm("whiskjack-alarm").unwrap()["cron"], CRON);
    assert!(world.ring("whiskjack-alarm").is_some(), "the rule is active");

    succeeded(&bench.run(&["--zip", "code.zip", "--cron", "*/5 * * * *", "--timeout", "300000", "--native"]));
    let commands = bench.commands();
    assert!(
        commands[0].starts_with("action update whiskjack code.zip --native --annotation"),
        "{commands:?}"
    );
    assert_eq!(commands[2], "trigger update whiskjack-alarm --param cron */5 * * * *");
    assert_eq!(world.alarm("whiskjack-alarm").unwrap()["cron"], "*/5 * * * *");
    assert_eq!(world.action("whiskjack").unwrap()["exec"]["image"], "openwhisk/dockerskeleton");
}

#[test]
fn the_wsk_script_says_what_is_missing_before_anything_is_made() {
    let bench = Bench::new();
    for (options, status, part) in [
        (&["--zip", "none.zip"][..], 1, "--zip none.zip: cannot be read; make it with `cargo xtask dist`"),
        (&["--zip", "code.zip", "--config", "none.json"], 1, "--config none.json: cannot be read"),
        (&["--zip", "code.zip", "--timeout", "60s"], 2, "60s: --timeout and --memory want whole numbers"),
        (&["--kind", "rust:1.34", "--native"], 2, "exclude each other"),
        (&["--memory"], 2, "--memory: a value is missing"),
        (&["--force"], 2, "--force: no such option"),
    ] {
        failed(&bench.run(options), status, part);
        assert_eq!(bench.commands(), Vec::<String>::new(), "{options:?}");
    }
    failed(
        &bench.run_with(Path::new("no-such-wsk"), &["--zip", "code.zip"]),
        1,
        "no-such-wsk is not there; install",
    );
    let help = bench.run(&["--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).starts_with("usage: wsk.sh"));
}

#[test]
fn the_wsk_script_stops_at_the_command_that_fails() {
    let bench = Bench::new();
    failed(&bench.run(&["--zip", "code.zip", "--cron", "nonsense"]), 1, "`wsk trigger create` failed");
    assert_eq!(bench.commands().len(), 3);
    assert_eq!(bench.api.world().rule("whiskjack-rule"), None);
    failed(&bench.run(&["--zip", "code.zip", "--kind", "rust:9"]), 1, "`wsk action update` failed");
    assert_eq!(bench.commands().len(), 1);
}
