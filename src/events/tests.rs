use super::*;
use crate::config::Config;
use crate::config::{Documents, Style};
use serde_json::{Value, json};

mod keys;
mod said;

fn events(namespace: &str, logs: &[&str]) -> Vec<Value> {
    let json = json!({"activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "namespace": namespace, "name": "hello", "start": 1, "end": 2000,
        "annotations": [{"key": "path", "value": "guest/pkg/hello"}], "logs": logs})
    .to_string();
    let record = Record::parse(json.as_bytes()).unwrap();
    record
        .entries()
        .enumerate()
        .map(|(index, line)| {
            let mut event = Vec::new();
            assert!(
                Events::of(&record, &Form::new(Protocol::V2)).write(Document::plain(index, line), &mut event)
            );
            serde_json::from_slice(&event).unwrap()
        })
        .collect()
}

#[test]
fn an_event_has_the_shape_of_the_2017_tool_plus_time_and_metadata() {
    let line = "2023-11-14T22:13:20.010000001Z stdout: hi";
    assert_eq!(
        events("guest", &[line]),
        [json!({
            "@timestamp": "2023-11-14T22:13:20.010000001Z",
            "@metadata": {"beat": "whiskjack", "version": "0.1.0", "_id": "be5cdbf3-0a1b2c3d4e5f60718293a4b5c6d7e8f9-0"},
            "line": line, "activation": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "action": "hello", "namespace": "guest"
        })]
    );
}

#[test]
fn equal_lines_have_different_ids_and_the_same_line_ever_the_same() {
    let ids = |namespace: &str| -> Vec<String> {
        events(namespace, &["a", "a"])
            .iter()
            .map(|e| e["@metadata"]["_id"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = ids("guest");
    assert_ne!(first[0], first[1]);
    assert_eq!(first, ids("guest"));
    assert_ne!(first, ids("other"));
}

#[test]
fn a_time_that_does_not_exist_gives_way_to_the_end_of_the_run() {
    let odd = ["2023-02-31T00:00:00Z", "2023-11-14T23:59:60Z", "0000-01-01T00:00:00Z"];
    let lines = odd.map(|time| format!("{time} stdout: x"));
    for event in events("guest", &lines.each_ref().map(String::as_str)) {
        assert_eq!(event["@timestamp"], "1970-01-01T00:00:02.000Z", "{event}");
    }
}

#[test]
fn a_line_without_a_time_gets_the_end_of_its_run_and_a_whole_second_a_fraction() {
    let events = events("guest", &["no prefix", "2023-11-14T22:13:20Z           stderr: x"]);
    assert_eq!(events[0]["@timestamp"], "1970-01-01T00:00:02.000Z");
    assert_eq!(events[1]["@timestamp"], "2023-11-14T22:13:20.000Z");
}

const ID: &str = "be5cdbf3-0a1b2c3d4e5f60718293a4b5c6d7e8f9-";

fn shaped(documents: &Documents, protocol: Protocol, logs: &[&str]) -> Vec<Vec<u8>> {
    let json = json!({"activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "namespace": "guest", "name": "hello", "start": 1, "end": 2000,
        "version": "0.0.1", "annotations": [{"key": "path", "value": "guest/pkg/hello"}], "logs": logs, "response": {"status": "success"}})
    .to_string();
    let record = Record::parse(json.as_bytes()).unwrap();
    let events = Events::of(&record, &Form::of(documents, protocol, Some("/guest/tools/forwarder"), 3_000));
    let write = |(index, line)| {
        let mut whole = Vec::new();
        assert!(events.write(Document::plain(index, line), &mut whole));
        let mut own = Vec::new();
        if let Some(split) = events.write_own(Document::plain(index, line), &mut own) {
            let (common, (before, after)) = (events.common(), own.split_at(split));
            assert_eq!([common.head(), before, common.middle(), after, common.tail()].concat(), whole);
        }
        whole
    };
    record.entries().enumerate().map(write).collect()
}

fn ecs() -> Documents {
    Documents { shape: Shape::Ecs { original: false }, ..Documents::default() }
}

#[test]
fn an_ecs_event_has_time_stream_and_message_apart_and_tells_the_order_of_printing() {
    let lines = [
        "2023-11-14T22:13:20.010000001Z stdout: hi \"you\"",
        "2023-11-14T22:13:20.01Z           stderr: ",
        "no prefix",
    ];
    let events: Vec<Value> = shaped(&ecs(), Protocol::V2, &lines)
        .iter()
        .map(|event| serde_json::from_slice(event).unwrap())
        .collect();
    let found = |event: &Value| {
        json!([
            event["@timestamp"],
            event["message"],
            event["log"],
            event["event"]["sequence"],
            event["event"]["id"],
            event["@metadata"]["_id"]
        ])
    };
    let id = |index| format!("{ID}{index}");
    assert_eq!(
        events.iter().map(found).collect::<Vec<_>>(),
        [
            json!(["2023-11-14T22:13:20.010000001Z", "hi \"you\"", {"iostream": "stdout"}, 0, id(0), id(0)]),
            json!(["2023-11-14T22:13:20.01Z", "", {"iostream": "stderr"}, 1, id(1), id(1)]),
            json!(["1970-01-01T00:00:02.000Z", "no prefix", null, 2, id(2), id(2)]),
        ]
    );
    assert_eq!(events[0]["event"]["created"], "1970-01-01T00:00:03.000Z");
    assert_eq!(events[0]["agent"]["name"], "guest/tools/forwarder");
}

#[test]
fn a_line_that_is_cut_or_mended_says_so_beside_its_stream() {
    let line = "2023-11-14T22:13:20.01Z stdout: a long line";
    let json = json!({"activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "start": 1, "logs": [line, 7]})
        .to_string();
    let record = Record::parse(json.as_bytes()).unwrap();
    let events = Events::of(&record, &Form::of(&ecs(), Protocol::V2, None, 0));
    let mut lines = record.entries();
    let mut cut = Vec::new();
    assert!(!events.write_within(100, Document::plain(0, lines.next().unwrap()), &mut cut));
    let cut: Value = serde_json::from_slice(&cut).unwrap();
    assert_eq!(
        (&cut["message"], &cut["log"]),
        (&json!(""), &json!({"iostream": "stdout", "flags": ["truncated"]}))
    );
    assert_eq!(cut["@timestamp"], "2023-11-14T22:13:20.01Z");
    let mut own = Vec::new();
    assert!(events.write_own(Document::plain(1, lines.next().unwrap()), &mut own).is_some());
    assert!(String::from_utf8(own).unwrap().contains(r#""log":{"flags":["mended"]}"#));
}

#[test]
fn version_1_has_the_same_with_dots_in_the_names() {
    let common = Style {
        fields: r#"{"team":{"name":"a"}}"#.into(),
        tags: vec!["x".into(), "y".into()],
        ..Style::default()
    };
    let documents = Documents { common, ..ecs() };
    let events = shaped(&documents, Protocol::V1, &["2023-11-14T22:13:20.01Z stdout: hi"]);
    let text = String::from_utf8_lossy(&events[0]).into_owned();
    for (key, value) in [
        ("message", "hi"),
        ("log.iostream", "stdout"),
        ("faas.name", "hello"),
        ("event.dataset", "openwhisk.log"),
        ("event.outcome", "success"),
        ("tags", "x,y"),
        ("fields.team.name", "a"),
        ("orchestrator.resource.name", "pkg/hello"),
    ] {
        let mut pair = Vec::new();
        write_pairs(&mut pair, &[(key, value)]);
        assert!(text.contains(&*String::from_utf8_lossy(&pair[4..])), "{key}: {text}");
    }
}

#[test]
fn lines_and_the_forwarders_own_documents_go_to_the_namespace_that_is_configured() {
    let params = json!({
        "actions": ["a"], "logstash.host": "h:1", "events": {"shape": "ecs", "namespace": "production"}
    });
    let documents = Config::parse(params.to_string().as_bytes(), None).unwrap().documents;
    let line = shaped(&documents, Protocol::V2, &["hi"]).remove(0);
    let mut heartbeat = Vec::new();
    let (at_ms, began_ms, owner) = (1, 0, String::new());
    let of_run = Heartbeat {
        at_ms,
        began_ms,
        forwarder: None,
        owner,
        lag_ms: 0,
        owed_ranges: 0,
        acknowledged_lines: 0,
        errors: 0,
    };
    of_run.write(Protocol::V2, &documents, &mut heartbeat);
    for (dataset, document) in [("openwhisk.log", line), ("openwhisk.forwarder", heartbeat)] {
        let document: Value = serde_json::from_slice(&document).unwrap();
        assert_eq!(
            document["data_stream"],
            json!({"type": "logs", "dataset": dataset, "namespace": "production"})
        );
    }
}

#[test]
fn the_shape_of_2017_takes_package_sequence_tags_and_fields_on_request() {
    let documents = Documents {
        shape: Shape::Of2017 { package: true, sequence: true },
        common: Style {
            tags: vec!["x".into()],
            fields: r#"{"team":"a"}"#.into(),
            fields_under_root: true,
            ..Style::default()
        },
        ..Documents::default()
    };
    let events = shaped(&documents, Protocol::V2, &["hi"]);
    let event: Value = serde_json::from_slice(&events[0]).unwrap();
    assert_eq!(
        json!([event["package"], event["sequence"], event["tags"], event["team"], event["line"]]),
        json!(["pkg", 0, ["x"], "a", "hi"])
    );
    let pairs = shaped(&documents, Protocol::V1, &["hi"]);
    assert!(String::from_utf8_lossy(&pairs[0]).contains("\x07package\0\0\0\x03pkg"));
}
