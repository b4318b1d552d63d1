//! Any entries, however they are treated: each is in one document or left out and counted, each document is sound JSON with fields of one
//! type, and a record that is read again makes the same documents.

use crate::script::Script;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use whiskjack::config::Config;
use whiskjack::events::{Document, Events, Form, Reading, Spared};
use whiskjack::lumberjack::Protocol;
use whiskjack::openwhisk::record::Record;

const MOST_LINES: usize = 12;

/// Tries them as choices of the configuration, and as entries.
pub fn try_with(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let Some(config) = config(&mut script) else { return };
    let mut entries = Vec::new();
    while !script.is_over() && entries.len() < MOST_LINES {
        let stream = script.one_of(["stdout", "stderr", ""]);
        let text = script.text();
        let times = script.one_of([1, 1, 1, 200]);
        let text = text.repeat(times);
        entries.push(if stream.is_empty() {
            text
        } else {
            format!("2023-11-14T22:13:20.01Z {stream}: {text}")
        });
    }
    let status = script.one_of(["success", "application error"]);
    let json = json!({"activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "namespace": "guest", "name": "hello", "start": 1, "end": 2,
        "annotations": [{"key": "path", "value": "guest/hello"}], "logs": entries, "response": {"status": status}})
    .to_string();
    let record = Record::parse(json.as_bytes()).unwrap();
    for protocol in [Protocol::V2, Protocol::V1] {
        let form = Form::of(&config.documents, protocol, None, 0);
        let (all, spared) = read(&record, &form, 0);
        let told: u64 = all.iter().map(|(_, entries, _)| entries).sum();
        assert_eq!(told + spared.filtered, entries.len() as u64);
        assert_eq!(told - all.len() as u64, spared.joined);
        let middle = entries.len() / 2;
        let rest: Vec<_> = all.iter().filter(|(first, ..)| *first >= middle).cloned().collect();
        assert_eq!(read(&record, &form, middle).0, rest);
        if protocol == Protocol::V2 {
            let mut kinds = BTreeMap::new();
            all.iter()
                .for_each(|(_, _, json)| note_kinds("", &serde_json::from_slice(json).unwrap(), &mut kinds));
        }
    }
}

fn config(script: &mut Script<'_>) -> Option<Config> {
    let mut params = json!({"actions": ["hello"], "logstash.host": "h:1"});
    if script.flag() {
        params["events.shape"] = json!("ecs");
        if script.flag() {
            params["lines.json"] = json!({"overwrite_keys": script.flag(), "add_error_key": script.flag(), "expand_keys": script.flag()});
        }
    }
    match script.below(4) {
        0 => params["lines.multiline"] = json!("auto"),
        1 => {
            let matched = script.one_of(["after", "before"]);
            params["lines.multiline"] =
                json!({"pattern": script.text(), "negate": script.flag(), "match": matched, "max_lines": 3});
        }
        _ => {}
    }
    if script.flag() {
        params["lines.exclude"] = json!([script.text()]);
    }
    if script.flag() {
        params["lines.redact"] = json!(["email", "ip", "bearer", "jwt", "card", "key", {"pattern": script.text(), "with": script.text()}]);
    } else if script.flag() {
        params["lines.redact"] = json!(["email", "ip", "bearer", "jwt", "card", "key"]);
    }
    if script.flag() {
        params["lines.streams"] = json!("stderr");
    }
    Config::parse(params.to_string().as_bytes(), None).ok()
}

/// A document: its first entry, how many there are, its payload.
type Made = (usize, u64, Vec<u8>);

fn read(record: &Record<'_>, form: &Form, from: usize) -> (Vec<Made>, Spared) {
    let events = Events::of(record, form);
    let mut reading = Reading::new(form.style_of(record).treatment(), events.status(), from, true);
    let mut made = Vec::new();
    let mut take = |document: Document<'_>| {
        let mut payload = Vec::new();
        assert!(events.write(document, &mut payload));
        let mut own = Vec::new();
        if let Some(split) = events.write_own(document, &mut own) {
            let (common, (before, after)) = (events.common(), own.split_at(split));
            assert_eq!([common.head(), before, common.middle(), after, common.tail()].concat(), payload);
        }
        made.push((document.first, document.entries, payload));
        true
    };
    for (index, line) in record.entries().enumerate() {
        assert!(reading.entry(index, line, &mut take));
    }
    assert!(reading.finish(&mut take));
    let spared = reading.take_spared();
    (made, spared)
}

fn note_kinds(path: &str, value: &Value, seen: &mut BTreeMap<String, &'static str>) {
    let kind = match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| note_kinds(&format!("{path}.{name}"), value, seen));
            "object"
        }
        Value::Array(_) => "list",
        Value::Bool(_) => "boolean",
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Null => panic!("{path} is null"),
    };
    assert_eq!(*seen.entry(path.to_owned()).or_insert(kind), kind, "{path}");
}
