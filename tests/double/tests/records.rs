//! What records look like (checklist 17–20).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use openwhisk_double::{Activation, Double, Status, log};
use serde_json::{Value, json};
use support::{NOW, double, get, list};

/// The full record and the summary of one activation.
fn faces(activation: Activation) -> (Value, Value) {
    let double = double();
    double.world().add(activation);
    (list(&double, "docs=true")[0].clone(), list(&double, "")[0].clone())
}

fn annotation(record: &Value, key: &str) -> Value {
    let all = record["annotations"].as_array().unwrap();
    all.iter().find(|annotation| annotation["key"] == key).map_or(Value::Null, |found| found["value"].clone())
}

fn logs(double: &Double, id: &str) -> (Value, Value) {
    let record = get(double, &format!("_/activations/{id}")).json()["logs"].clone();
    (record, get(double, &format!("_/activations/{id}/logs")).json()["logs"].clone())
}

#[test]
fn every_outcome_has_its_status() {
    let cases = [
        (Status::Success, "success", 0),
        (Status::ApplicationError, "application error", 1),
        (Status::DeveloperError, "action developer error", 2),
        (Status::WhiskError, "whisk internal error", 3),
    ];
    for (status, text, code) in cases {
        let (full, summary) = faces(Activation::new("hello").status(status).result(json!({"a": 1})));
        assert_eq!(full["response"]["status"], text);
        assert_eq!(full["response"]["success"], code == 0);
        assert_eq!(full["response"]["size"], 7);
        assert_eq!(summary["statusCode"], code);
        assert!(full.get("statusCode").is_none());
    }
}

#[test]
fn results_may_be_arrays_missing_or_of_unknown_size() {
    let (array, _) = faces(Activation::new("hello").result(json!([1, 2])));
    assert_eq!(array["response"]["result"], json!([1, 2]));
    let (none, _) = faces(Activation::new("hello").no_result());
    assert!(none["response"].get("result").is_none());
    let (unsized_, _) = faces(Activation::new("hello").no_size());
    assert!(unsized_["response"].get("size").is_none());
}

#[test]
fn runs_are_annotated() {
    let (warm, _) = faces(Activation::new("hello").package("p"));
    assert_eq!(annotation(&warm, "path"), "guest/p/hello");
    assert_eq!(annotation(&warm, "kind"), "nodejs:20");
    assert_eq!(annotation(&warm, "timeout"), false);
    assert!(annotation(&warm, "waitTime").is_i64());
    assert!(annotation(&warm, "limits").is_object());
    assert_eq!(annotation(&warm, "initTime"), Value::Null);
    let (cold, _) = faces(Activation::new("hello").cold(41).timed_out());
    assert_eq!(annotation(&cold, "initTime"), 41);
    assert_eq!(annotation(&cold, "timeout"), true);
    let (bound, _) = faces(Activation::new("hello").package("p").binding("b").owner("provider"));
    assert_eq!(annotation(&bound, "binding"), "guest/b");
    assert_eq!(annotation(&bound, "path"), "provider/p/hello");
    assert_eq!(bound["namespace"], "guest");
}

#[test]
fn a_fallback_record_has_only_path_and_kind() {
    let (full, summary) = faces(Activation::fallback("hello").start(NOW));
    assert_eq!(full["annotations"].as_array().unwrap().len(), 2);
    assert_eq!((&full["duration"], &full["logs"]), (&json!(0), &json!([])));
    assert_eq!(summary["end"], NOW);
}

#[test]
fn a_trigger_record_has_no_end_and_json_for_logs() {
    let fired = Activation::trigger("t").rule("r", "guest/a", &"ab".repeat(16)).inactive_rule("q", "guest/b");
    let (full, summary) = faces(fired);
    for record in [&full, &summary] {
        assert!(record.get("end").is_none() && record.get("duration").is_none());
        assert_eq!(record["annotations"], json!([]));
    }
    assert!(summary.get("statusCode").is_none());
    assert!(full["response"].get("size").is_none());
    let first: Value = serde_json::from_str(full["logs"][0].as_str().unwrap()).unwrap();
    assert_eq!((&first["rule"], &first["success"]), (&json!("r"), &json!(true)));
    let second: Value = serde_json::from_str(full["logs"][1].as_str().unwrap()).unwrap();
    assert!(second["error"].as_str().unwrap().contains("inactive"));
}

#[test]
fn sequences_and_conductors_log_ids_and_their_components_name_the_cause() {
    let id = "ab".repeat(16);
    let sequence = Activation::sequence("s").duration(500).component_time(420).component(&id);
    let (full, summary) = faces(sequence);
    assert_eq!(full["logs"], json!([id]));
    assert_eq!((&full["duration"], &summary["duration"]), (&json!(420), &json!(500)));
    assert_eq!(annotation(&full, "kind"), "sequence");
    assert_eq!(annotation(&full, "topmost"), true);
    let (conductor, _) = faces(Activation::conductor("c").component(&id));
    assert_eq!(annotation(&conductor, "conductor"), true);
    let (component, summary) = faces(Activation::new("a").cause(&id));
    assert_eq!((&component["cause"], &summary["cause"]), (&json!(id), &json!(id)));
    assert_eq!(annotation(&component, "causedBy"), "sequence");
}

#[test]
fn unknown_fields_and_annotations_are_carried() {
    let run = Activation::new("hello").extra("shard", json!(7)).annotation("color", json!({"a": [1]}));
    let (full, summary) = faces(run);
    assert_eq!(full["shard"], 7);
    assert!(summary.get("shard").is_none());
    assert_eq!(annotation(&full, "color"), json!({"a": [1]}));
}

#[test]
fn each_output_line_is_an_entry_with_a_padded_time_and_its_stream() {
    let start = NOW - 1_000;
    let run = Activation::new("hello").start(start).duration(9);
    let (full, _) = faces(run.stdout("one\n  two\t\u{1b}[1m\u{1f600}").stderr("").at(5_000).stdout("late"));
    let logs: Vec<&str> = full["logs"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
    assert_eq!(logs.len(), 4);
    for entry in &logs {
        assert!(entry.starts_with("2023-11-14T22:13:19.00"), "{entry}");
        assert_eq!(&entry[30..31], " ", "{entry}");
    }
    assert_eq!(&logs[0][31..], "stdout: one");
    assert_eq!(&logs[1][31..], "stdout:   two\t\u{1b}[1m\u{1f600}");
    assert_eq!(&logs[2][31..], "stderr: ");
    assert!(logs[3].starts_with("2023-11-14T22:13:19.009"), "after the end: {}", logs[3]);
}

#[test]
fn entries_of_other_stores_and_of_the_platform_can_be_told() {
    let nanos = i128::from(NOW) * 1_000_000;
    let raw = [
        log::untagged(nanos, "no stream"),
        log::entry(nanos, "stderr", &log::truncated(1_024)),
        log::LOG_FAILURE.to_owned(),
        "LAST_ACTIVATION hello 1".to_owned(),
    ];
    let run = raw.iter().fold(Activation::new("hello"), |run, entry| run.raw_log(entry));
    let (full, _) = faces(run);
    assert_eq!(full["logs"], json!(raw));
    assert_eq!(raw[0], "2023-11-14T22:13:20Z no stream");
    assert!(raw[1].starts_with("2023-11-14T22:13:20Z           stderr: Logs were truncated"), "{}", raw[1]);
}

#[test]
fn logs_kept_elsewhere_come_by_the_logs_call_only() {
    let double = double();
    let elsewhere = double.world().add(Activation::new("hello").logs_elsewhere(["a", "b"]));
    assert_eq!(logs(&double, &elsewhere), (json!([]), json!(["a", "b"])));
    let driver = double.world().add(Activation::new("hello").logs_elsewhere([log::NOT_AVAILABLE]));
    assert_eq!(logs(&double, &driver).1, json!(["Logs are not available."]));
    let inline = double.world().add(Activation::new("hello").raw_log("x"));
    assert_eq!(logs(&double, &inline), (json!(["x"]), json!(["x"])));
}

#[test]
fn ids_are_32_hex_digits_unique_and_the_same_in_every_world() {
    let ids = || double().world().add_all((0..100).map(|_| Activation::new("hello")));
    let (mut one, two) = (ids(), ids());
    assert_eq!(one, two);
    assert!(
        one.iter().all(|id| id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
    );
    one.sort();
    one.dedup();
    assert_eq!(one.len(), 100);
}
