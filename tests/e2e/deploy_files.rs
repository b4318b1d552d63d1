//! The files in `deploy/`: they have the shape that their programs expect and agree with each other, and the script does what its text
//! says.
//!
//! The script runs with a stand-in for `wsk` that is ours (`tests/peers/python/wsk.py`), as no registry has wsk itself. If `WHISKJACK_WSK`
//! names the real `wsk`, it runs with that.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use openwhisk_double::{Double, Fault, Matcher, Options};
use serde_json::{Map, Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use whiskjack::config::Config;

const CRON: &str = "* * * * *";
/// Commands of the script.
const GET: &str = "trigger get whiskjack-alarm";
const CREATE: &str =
    "trigger create whiskjack-alarm --feed /whisk.system/alarms/alarm --param cron * * * * *";
const RULE: [&str; 2] =
    ["rule update whiskjack-rule whiskjack-alarm whiskjack", "rule enable whiskjack-rule"];
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

/// An input as wskdeploy takes it: a text, number, switch or list stands alone; an object is the `value` of one with `type: json`, which is
/// no type for anything else. Variables are replaced in texts and members of objects, not in lists.
#[track_caller]
fn read_by_wskdeploy(key: &str, input: &Value) -> Value {
    match input {
        Value::Object(_) => {
            let typed = with_keys(input, &["type", "value"]);
            assert_eq!(typed["type"], "json", "{key}");
            assert!(typed["value"].is_object(), "{key}: wskdeploy refuses a `json` that is not an object");
            filled(&typed["value"])
        }
        Value::Array(elements) => {
            let variable = |element: &Value| element.as_str().is_some_and(|text| text.contains('$'));
            assert!(!elements.iter().any(variable), "{key}: wskdeploy replaces no variables in lists");
            input.clone()
        }
        alone => filled(alone),
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
    let value = |(key, input): (&String, &Value)| (key.clone(), read_by_wskdeploy(key, input));
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
        let real = std::env::var("WHISKJACK_WSK").map(|real| {
            let journal = self.path("journal");
            format!("#!/bin/sh\necho \"$*\" >> '{}'\nexec '{real}' \"$@\"\n", journal.display())
        });
        let script =
            real.unwrap_or_else(|_| format!("#!/bin/sh\nexec python3 '{}' \"$@\"\n", python.display()));
        std::fs::write(&wsk, script).unwrap();
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

    /// Makes the trigger with these annotations, and no alarm.
    fn make_trigger(&self, annotations: &Value) {
        let body = json!({"annotations": annotations}).to_string();
        let (key, length) = (BASE64_STANDARD.encode(self.api.key()), body.len());
        let mut stream = TcpStream::connect(self.api.address()).unwrap();
        let head =
            "PUT /api/v1/namespaces/_/triggers/whiskjack-alarm HTTP/1.1\r\nHost: api\r\nConnection: close";
        write!(stream, "{head}\r\nAuthorization: Basic {key}\r\nContent-Length: {length}\r\n\r\n{body}")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
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
    assert_eq!(bench.commands(), [&[action, GET, GET, CREATE], &RULE[..], &[GET, GET]].concat());
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
    assert_eq!(commands[2..5], ["trigger update whiskjack-alarm --param cron */5 * * * *", RULE[0], RULE[1]]);
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
        (&["--zip", "code.zip", "--timeout", "60001"], 2, "--timeout 60001: runs would overlap, as --cron"),
        (&["--cron", "0,1 3 * * *", "--timeout", "90000"], 2, "fires every 60 s; give 60000 at most"),
        (&["--cron", "*/30 * * * * *", "--timeout", "1000"], 2, "it fires every 30 s"),
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

/// The alarms package takes all of these but those with other characters, and a value out of range never fires.
#[test]
fn the_wsk_script_refuses_a_pattern_that_would_never_fire_or_not_when_it_is_meant() {
    let bench = Bench::new();
    for (cron, part) in [
        ("", "it has 0 fields; give five"),
        ("* * * *", "it has 4 fields"),
        ("@hourly", "it has 1 fields"),
        ("61 * * * *", "`61` is not a minute; give 0 to 59"),
        ("* 24 * * *", "`24` is not an hour"),
        ("* * 32 * *", "`32` is not a day"),
        ("* * 0 * *", "`0` is not a day"),
        ("0 0 1 12 *", "`12` is not a month; give JAN to DEC"),
        ("* * * * 7", "`7` is not a weekday"),
        ("* * * * SUN#1", "`SUN#1` is not a weekday"),
        ("* * ? * *", "`?` is not a day"),
        ("60 * * * * *", "`60` is not a second"),
        ("5-1 * * * *", "`5-1`: the range ends before it begins"),
        ("*/0 * * * *", "`*/0`: a step is a number from 1 to 59"),
        ("7/20 * * * *", "give `7-59/20`"),
        ("1,,3 * * * *", "`` is not a minute"),
        ("$(id) * * * *", "`$(id)` is not a minute"),
    ] {
        failed(&bench.run(&["--zip", "code.zip", "--cron", cron]), 2, part);
        assert_eq!(bench.commands(), Vec::<String>::new(), "{cron}");
    }
    for (cron, longest) in [
        ("*/5 * * * *", "300000"),
        (" 0  9-17 * * MON-FRI", "3600000"),
        ("0 0,23 1 jan,DEC *", "3600000"),
        ("59 23 * * 0-6/2", "86400000"),
        ("0 */2 * * * *", "120000"),
    ] {
        let longer = format!("{}1", &longest[..longest.len() - 1]);
        failed(&bench.run(&["--cron", cron, "--timeout", &longer]), 2, "runs would overlap");
        failed(&bench.run(&["--cron", cron, "--timeout", longest, "--zip", "none"]), 1, "--zip none");
    }
}

#[test]
fn the_wsk_script_gives_an_alarm_to_a_trigger_that_has_none() {
    let delete = "trigger delete whiskjack-alarm";
    // A trigger without a feed, and one that its feed does not know.
    for annotations in [json!([]), json!([{"key": "feed", "value": "/whisk.system/alarms/alarm"}])] {
        let bench = Bench::new();
        bench.make_trigger(&annotations);
        succeeded(&bench.run(&["--zip", "code.zip"]));
        assert_eq!(bench.commands()[1..], [&[GET, GET, delete, CREATE], &RULE[..], &[GET, GET]].concat());
        let world = bench.api.world();
        assert_eq!(world.alarm("whiskjack-alarm").unwrap()["cron"], CRON);
        assert!(world.ring("whiskjack-alarm").is_some(), "the rule is active");
    }
}

#[test]
fn the_wsk_script_fails_where_the_alarm_is_not_there_in_the_end() {
    let bench = Bench::new();
    // A feed that takes everything and keeps nothing.
    let taken = r#"{"activationId": "0", "response": {"result": {"status": "success"}, "success": true}}"#;
    let feed = Matcher::any().method("POST").path_part("/alarms/alarm");
    bench.api.fail_always(feed, Fault::reply(200, "application/json", taken));
    let output = bench.run(&["--zip", "code.zip"]);
    failed(
        &output,
        1,
        "the trigger whiskjack-alarm has no active alarm by \"* * * * *\", so nothing would run",
    );
}

#[test]
fn the_wsk_script_stops_at_the_command_that_fails() {
    let bench = Bench::new();
    bench.api.fail_always(Matcher::any().method("PUT").path_part("/triggers/"), Fault::status(403));
    failed(&bench.run(&["--zip", "code.zip"]), 1, "`wsk trigger create` failed");
    assert_eq!(bench.commands().len(), 4);
    assert_eq!(bench.api.world().rule("whiskjack-rule"), None);
    failed(&bench.run(&["--zip", "code.zip", "--kind", "rust:9"]), 1, "`wsk action update` failed");
    assert_eq!(bench.commands().len(), 1);
}
