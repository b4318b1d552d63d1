//! The page about events is true: its table is that of the code, and each kind of event has a document in `docs/events`.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use whiskjack::config::{Config, Documents};
use whiskjack::events::{Document, Events, FIELDS, Form, Heartbeat, Logs, Reading};
use whiskjack::lumberjack::Protocol;
use whiskjack::openwhisk::record::Record;

/// The documents that a record makes, with this configuration besides action and receiver; its own document last.
fn documents(configuration: Value, record: &Value) -> Vec<Value> {
    let mut params = json!({"actions": ["checkout"], "logstash": {"hosts": ["logs.example.com"]}});
    params.as_object_mut().unwrap().extend(configuration.as_object().unwrap().clone());
    let config = Config::parse(params.to_string().as_bytes(), None).unwrap();
    let form = Form::of(&config.documents, Protocol::V2, Some("/guest/logs/forwarder"), 1_795_961_820_000);
    let json = record.to_string();
    let record = Record::parse(json.as_bytes()).unwrap();
    let events = Events::of(&record, &form);
    let (mut payloads, mut logs) = (Vec::new(), Logs::default());
    let mut reading = Reading::new(form.style_of(&record).treatment(), events.status(), 0, true);
    let mut take = |document: Document<'_>| {
        let mut payload = Vec::new();
        assert!(events.write(document, &mut payload));
        payloads.push(payload);
        true
    };
    for (index, line) in record.entries().enumerate() {
        logs.add(line);
        assert!(reading.entry(index, line, &mut take));
    }
    assert!(reading.finish(&mut take));
    let mut payload = Vec::new();
    events.write_summary(&logs, &mut payload);
    payloads.extend((!payload.is_empty()).then_some(payload));
    payloads.iter().map(|payload| serde_json::from_slice(payload).unwrap()).collect()
}

fn record(logs: &[&str]) -> Value {
    json!({
        "activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "namespace": "guest", "name": "checkout", "version": "0.0.7", "subject": "guest",
        "start": 1_795_961_764_300_u64, "end": 1_795_961_764_420_u64, "duration": 120, "cause": "ffffffffffffffffffffffffffffffff",
        "annotations": [
            {"key": "path", "value": "guest/shop/checkout"}, {"key": "kind", "value": "nodejs:20"}, {"key": "waitTime", "value": 11},
            {"key": "initTime", "value": 31}, {"key": "limits", "value": {"logs": 10, "memory": 256, "timeout": 60000, "concurrency": 1}},
            {"key": "timeout", "value": true}, {"key": "causedBy", "value": "sequence"}, {"key": "binding", "value": "guest/bound"}
        ],
        "logs": logs, "response": {"status": "action developer error", "result": {"error": {"message": "no money", "name": "PaymentError"}}}
    })
}

/// Each kind of document, with its name.
pub(crate) fn all() -> Vec<(&'static str, Value)> {
    let ecs = json!({"events.shape": "ecs"});
    let line = "2026-11-29T14:16:04.418000000Z stdout: order 4000: paid";
    let first = |configuration: &Value, record: &Value| documents(configuration.clone(), record).remove(0);
    let trace = [
        "2026-11-29T14:16:04.418000000Z stderr: java.lang.IllegalStateException: no money",
        "2026-11-29T14:16:04.418000001Z stderr: \tat shop.Checkout.pay(Checkout.java:12)",
        "2026-11-29T14:16:04.418000002Z stderr: Caused by: java.io.IOException: disk full",
        "2026-11-29T14:16:04.418000003Z stderr: \t... 3 more",
    ];
    let said = json!({
        "@timestamp": "2026-11-29T14:16:04.417Z", "log.level": "ERROR", "message": "not paid", "log.logger": "shop.Checkout",
        "process.thread.name": "main", "trace.id": "4bf92f3577b34da6", "span_id": "00f067aa0ba902b7", "transaction.id": "1", "order": 4000,
        "customer": {"group": "new"}, "error": {"type": "PaymentError", "message": "no money", "stack_trace": "PaymentError: no money"},
        "event": {"action": "pay"}, "http.response.status_code": 402
    });
    let json_line = format!("2026-11-29T14:16:04.418000000Z stdout: {said}");
    let summaries = json!({"events": {"shape": "ecs", "activations": true}});
    let cut = "2026-11-29T14:16:04.419000000Z stderr: Logs were truncated because the total bytes size exceeds the limit of 10485760 bytes.";
    let mut sequence = record(&["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"]);
    sequence["name"] = json!("order");
    sequence["annotations"] = json!([{"key": "path", "value": "guest/shop/order"}, {"key": "kind", "value": "sequence"}, {"key": "topmost", "value": true}]);
    sequence["response"] = json!({"status": "success", "result": {}});
    let trigger = json!({
        "activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "namespace": "guest", "name": "checkout", "version": "0.0.1", "subject": "guest",
        "start": 1_795_961_764_300_u64, "annotations": [], "logs": ["{\"statusCode\":0,\"success\":true}"],
        "response": {"status": "success", "result": {}}
    });
    let added = json!({"events": {"shape": "ecs", "original": true}, "tags": ["production"], "fields": {"team": "payment"}});
    let mut odd = record(&[]);
    odd["logs"] = json!([7]);
    let heartbeat = Heartbeat {
        at_ms: 1_795_961_822_000,
        began_ms: 1_795_961_820_000,
        forwarder: Some("/guest/logs/forwarder"),
        owner: "the action `/guest/logs/forwarder` at https://openwhisk.example.com".to_owned(),
        lag_ms: 2_000,
        owed_ranges: 0,
        acknowledged_lines: 367,
        errors: 0,
    };
    let mut beat = Vec::new();
    heartbeat.write(Protocol::V2, &Documents::default(), &mut beat);
    let of_2017 = json!({"events": {"package": true, "sequence": true}});
    vec![
        ("line", first(&ecs, &record(&[line]))),
        ("line-2017", first(&of_2017, &record(&[line]))),
        ("trace", first(&json!({"events.shape": "ecs", "lines.multiline": "auto"}), &record(&trace))),
        ("json", first(&json!({"events.shape": "ecs", "lines.json": true}), &record(&[&json_line]))),
        ("added", first(&added, &record(&[line]))),
        ("mended", first(&ecs, &odd)),
        ("activation", documents(summaries.clone(), &record(&[line, cut])).remove(2)),
        ("sequence", first(&summaries, &sequence)),
        ("trigger", first(&summaries, &trigger)),
        ("heartbeat", serde_json::from_slice(&beat).unwrap()),
    ]
}

#[test]
fn each_kind_of_event_has_a_document() {
    for (name, document) in all() {
        let made = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
        crate::kept::compare_or_write(
            &format!("docs/events/{name}.json"),
            &made,
            "the core writes",
            "events",
        );
    }
}

#[test]
fn the_table_of_fields_has_each_field_of_the_documents_and_no_other() {
    let mut met = BTreeSet::new();
    for (_, document) in all().iter().filter(|(name, _)| !name.ends_with("2017")) {
        paths("", document, &mut met);
    }
    let of_table = |path: &String| {
        let is_one =
            |name: &str| name == path || name.strip_suffix('*').is_some_and(|group| path.starts_with(group));
        FIELDS.iter().find(|field| is_one(field.name)).map(|field| field.name)
    };
    let unknown: Vec<&String> = met.iter().filter(|path| of_table(path).is_none()).collect();
    assert!(unknown.is_empty(), "add to src/fields.rs: {unknown:?}");
    let known: BTreeSet<&str> = met.iter().filter_map(of_table).collect();
    let unmet: Vec<&str> =
        FIELDS.iter().map(|field| field.name).filter(|name| !known.contains(name)).collect();
    assert!(unmet.is_empty(), "no document in docs/events has {unmet:?}");
}

fn paths(prefix: &str, value: &Value, met: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                paths(&if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") }, value, met);
            }
        }
        _ => {
            met.insert(prefix.to_owned());
        }
    }
}

#[test]
fn the_page_about_events_has_the_table_of_fields() {
    let mut table = String::from("| field | type | value | absent |\n|---|---|---|---|\n");
    for field in FIELDS {
        let absent = if field.absent.is_empty() { "–" } else { field.absent };
        table.push_str(&format!("| `{}` | {} | {} | {absent} |\n", field.name, field.kind, field.source));
    }
    crate::kept::compare_or_write_part("docs/events.md", "fields", &table, "the fields say", "events");
}

/// `@timestamp` first, then `event.sequence`: Elasticsearch keeps milliseconds of a `date`.
#[test]
fn time_and_sequence_tell_the_order_of_printing() {
    let logs: Vec<String> =
        (0..300).map(|n| format!("2026-11-29T14:16:04.{:03}{n:06}Z stdout: {n}", 400 + n / 50)).collect();
    let logs: Vec<&str> = logs.iter().map(String::as_str).collect();
    let mut documents = documents(json!({"events.shape": "ecs"}), &record(&logs));
    let printed: Vec<Value> = documents.iter().map(|document| document["message"].clone()).collect();
    documents.reverse();
    documents.sort_by_key(|document| {
        let millisecond = document["@timestamp"].as_str().unwrap()[..23].to_owned();
        (millisecond, document["event"]["sequence"].as_u64().unwrap())
    });
    assert_eq!(documents.iter().map(|document| document["message"].clone()).collect::<Vec<_>>(), printed);
}
