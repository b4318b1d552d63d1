//! Logstash's view: each kind of event after its `beats` input, as its source says (docs/facts/lumberjack.md 2.4 and 2.5).

use crate::events::all;
use serde_json::{Map, Value, json};

/// The input's setting `ecs_compatibility`. `v1` and `v8` are the same to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Compatibility {
    Disabled,
    V8,
}

/// The input, in version 7, with or without `codec_metadata` in its setting `enrich`.
#[derive(Clone, Copy)]
struct Input {
    compatibility: Compatibility,
    codec_metadata: bool,
}

impl Input {
    /// What goes through the pipeline for an event that was sent.
    fn hand_on(self, mut sent: Map<String, Value>) -> Value {
        let Some(text) = ["message", "line"].iter().find_map(|name| sent.remove(*name)) else {
            panic!("an event without a text takes another way");
        };
        let is_v8 = self.compatibility == Compatibility::V8;
        // The codec `plain`.
        let mut event = json!({"message": text});
        if is_v8 && self.codec_metadata {
            event["event"] = json!({"original": text});
        }
        let address = json!("192.0.2.7");
        sent["@metadata"].as_object_mut().unwrap().extend(match is_v8 {
            true => Map::from_iter([("input".to_owned(), json!({"beats": {"host": {"ip": address}}}))]),
            false => Map::from_iter([("ip_address".to_owned(), address)]),
        });
        for (name, value) in sent {
            match (event[&name].as_object_mut(), value) {
                (Some(there), Value::Object(members)) => there.extend(members),
                (_, value) => event[&name] = value,
            }
        }
        if self.codec_metadata {
            let tag = json!("beats_input_codec_plain_applied");
            match event["tags"].as_array_mut() {
                Some(tags) => tags.push(tag),
                None => event["tags"] = json!([tag]),
            }
        }
        event
    }
}

const WITH_ALL: Input = Input { compatibility: Compatibility::V8, codec_metadata: true };
const INPUTS: [(&str, Input); 3] = [
    ("v8", WITH_ALL),
    ("disabled", Input { compatibility: Compatibility::Disabled, ..WITH_ALL }),
    ("source-metadata", Input { codec_metadata: false, ..WITH_ALL }),
];

fn behind(input: Input, sent: &Value) -> Value {
    input.hand_on(sent.as_object().unwrap().clone())
}

#[test]
fn what_logstash_makes_of_an_event_is_kept_beside_it() {
    let kept = ["line", "line-2017", "added", "activation"];
    for (name, sent) in all().iter().filter(|(name, _)| kept.contains(name)) {
        for (setting, input) in INPUTS {
            let made = format!("{:#}\n", behind(input, sent));
            let path = format!("docs/events/behind-logstash/{name}-{setting}.json");
            crate::kept::compare_or_write(&path, &made, "Logstash makes", "logstash");
        }
    }
}

#[test]
fn behind_logstash_each_field_is_what_was_sent_but_for_those_that_the_page_names() {
    for (name, sent) in all() {
        for (setting, input) in INPUTS {
            let mut event = behind(input, &sent);
            let original = event["event"]["original"].clone();
            let text = sent.get("message").or(sent.get("line")).unwrap();
            let expected = match (&sent["event"]["original"], setting) {
                (Value::Null, "v8") => text,
                (own, _) => own,
            };
            assert_eq!((&event["message"], &original), (text, expected), "{name}, {setting}");
            assert!(event.get("line").is_none() && event.get("host").is_none(), "{name}, {setting}");
            let tags = event["tags"].take();
            let tags = tags.as_array().cloned().unwrap_or_default();
            assert_eq!(
                tags.iter().any(|tag| tag == "beats_input_codec_plain_applied"),
                setting != "source-metadata"
            );
            for (field, value) in sent.as_object().unwrap() {
                match field.as_str() {
                    "message" | "line" => {}
                    "tags" => assert!(tags.starts_with(value.as_array().unwrap()), "{name}, {setting}"),
                    "event" | "@metadata" => {
                        for (member, value) in value.as_object().unwrap() {
                            assert_eq!(event[field][member], *value, "{name}, {setting}: {field}.{member}");
                        }
                    }
                    _ => assert_eq!(event[field], *value, "{name}, {setting}: {field}"),
                }
            }
        }
    }
}
