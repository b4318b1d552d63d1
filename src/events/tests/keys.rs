//! No document has a key twice, whatever is configured.

use super::*;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;

/// Any JSON in which no object has a key twice.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some((key, _)) = members.next_entry::<String, Self>()? {
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format!("`{key}` is there twice")));
            }
        }
        Ok(self)
    }
}

#[track_caller]
fn has_no_key_twice(document: &[u8], protocol: Protocol, of: &Value) {
    if protocol == Protocol::V2 {
        let told = serde_json::from_slice::<Unique>(document).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(told, Ok(()), "{of}: {}", String::from_utf8_lossy(document));
        return;
    }
    let mut rest = &document[4..];
    let mut texts = Vec::new();
    while let Some((length, more)) = rest.split_at_checked(4) {
        let (text, more) = more.split_at(u32::from_be_bytes(length.try_into().unwrap()) as usize);
        texts.push(String::from_utf8_lossy(text).into_owned());
        rest = more;
    }
    let mut keys = BTreeSet::new();
    for key in texts.into_iter().step_by(2) {
        assert!(keys.insert(key.clone()), "{of}: `{key}` is there twice");
    }
}

/// A line with each field that a JSON line may fill, one with all of them twice, one that is too large in parts, and one that is not JSON.
fn lines() -> Vec<String> {
    let all: serde_json::Map<String, Value> = of_loggers()
        .map(|(name, kind)| (name.to_owned(), if kind == "long" { json!(7) } else { json!("10.0.0.1") }))
        .chain([("level".into(), json!("info")), ("x".into(), json!("y")), ("n".into(), json!(1))])
        .collect();
    let mut twice = all.clone();
    twice.extend([
        ("http".into(), json!({"version": "2", "request": {"method": "GET"}})),
        ("service".into(), json!({"name": "a", "version": "1"})),
        ("error".into(), json!({"type": "T", "name": "N", "message": "m"})),
        ("labels".into(), json!({"x": "z"})),
        ("host".into(), json!({"name": "h"})),
    ]);
    let long = json!({"a": "x".repeat(10_000), "service.name": "x".repeat(10_000)});
    let all = [Value::Object(all), Value::Object(twice), long].map(|line| line.to_string());
    all.into_iter().chain(["{".to_owned(), "text".to_owned()]).collect()
}

/// Whether the configuration is taken; if so, all that is written with it is looked at.
fn is_taken_and_sound(configuration: &Value, lines: &[String]) -> bool {
    let mut params = json!({"actions": ["hello"], "logstash.host": "h:1"});
    params.as_object_mut().unwrap().extend(configuration.as_object().unwrap().clone());
    let Ok(config) = Config::parse(params.to_string().as_bytes(), None) else { return false };
    let record = json!({"activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "namespace": "guest", "name": "hello", "start": 1, "end": 2000,
        "annotations": [{"key": "path", "value": "guest/pkg/hello"}], "logs": lines,
        "response": {"status": "application error", "result": {"error": {"code": 1, "message": "m"}}}})
    .to_string();
    let record = Record::parse(record.as_bytes()).unwrap();
    for protocol in [Protocol::V2, Protocol::V1] {
        let form = Form::of(&config.documents, protocol, None, 1);
        let events = Events::of(&record, &form);
        let mut reading = Reading::new(form.style_of(&record).treatment(), None, 0, true);
        let mut take = |document: Document<'_>| {
            let mut out = Vec::new();
            events.write(document, &mut out);
            has_no_key_twice(&out, protocol, configuration);
            out.clear();
            events.write_within(900, document, &mut out);
            has_no_key_twice(&out, protocol, configuration);
            true
        };
        for (index, line) in record.entries().enumerate() {
            assert!(reading.entry(index, line, &mut take));
        }
        assert!(reading.finish(&mut take));
        let mut out = Vec::new();
        if events.has_summary() {
            events.write_summary(&Logs::default(), &mut out);
            has_no_key_twice(&out, protocol, configuration);
        }
        let (owner, at_ms, began_ms) = (String::new(), 1, 0);
        let counts = (0, 0, 0, 0);
        let (lag_ms, owed_ranges, acknowledged_lines, errors) = counts;
        let beat = Heartbeat {
            at_ms,
            began_ms,
            forwarder: None,
            owner,
            lag_ms,
            owed_ranges,
            acknowledged_lines,
            errors,
        };
        out.clear();
        beat.write(protocol, &config.documents, &mut out);
        has_no_key_twice(&out, protocol, configuration);
    }
    true
}

#[test]
fn no_document_has_a_key_twice_whatever_names_are_configured() {
    let known = FIELDS.iter().map(|field| field.name).chain(of_loggers().map(|(name, _)| name));
    let tops = known.map(|name| name.split('.').next().unwrap());
    let others = [
        "line",
        "activation",
        "action",
        "namespace",
        "package",
        "sequence",
        "id",
        "http.version",
        "team",
        "a.b",
        "host",
        "with \" sign",
    ];
    let names: BTreeSet<&str> = tops.chain(others).collect();
    let lines = lines();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for name in names {
        let of_2017 = json!({"events": {"package": true, "sequence": true}});
        let ecs = |json: Value| json!({"events": {"shape": "ecs", "activations": true, "original": true}, "tags": ["x"], "lines": {"json": json}});
        let reading = |overwrite: bool| json!({"overwrite_keys": overwrite, "add_error_key": true, "expand_keys": !overwrite || name < "m"});
        let with = |mut shape: Value, keys: Value| {
            shape.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
            shape
        };
        let under_root = json!({"fields": {name: 1}, "fields_under_root": true});
        let target = |overwrite: bool| with(json!({"target": name}), reading(overwrite));
        for configuration in [
            with(of_2017, under_root.clone()),
            with(ecs(reading(false)), under_root.clone()),
            with(ecs(reading(true)), under_root.clone()),
            with(ecs(json!(false)), under_root.clone()),
            with(ecs(reading(true)), json!({"fields": {name: 1}})),
            ecs(target(false)),
            ecs(target(true)),
            with(ecs(target(true)), under_root),
            with(ecs(target(false)), json!({"fields": {name: 1}})),
        ] {
            if is_taken_and_sound(&configuration, &lines) && name != "with \" sign" {
                taken.insert(name);
            }
        }
    }
    assert!(["team", "host", "a.b"].iter().all(|name| taken.contains(name)), "{taken:?}");
}
