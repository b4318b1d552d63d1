//! Templates and policies. A template maps exactly the fields of the documents; other fields are kept but not indexed, so that no field
//! from a logger or a configuration can make an engine refuse a document.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use whiskjack::events::{FIELDS, of_loggers};

use crate::Engine;

/// Longest text that is indexed as one word, in characters; longer ones are kept. Lucene refuses words of more than 32766 bytes.
const IGNORE_ABOVE: u32 = 1024;
/// What a heartbeat has.
const HEARTBEAT: [&str; 4] =
    ["whiskjack.acknowledged_lines", "whiskjack.errors", "whiskjack.lag_ms", "whiskjack.owed_ranges"];
/// Of the names of plain indices: `[@metadata][beat]`.
const INDICES: &str = "whiskjack-*";
const STREAMS: &str = "logs-openwhisk.*-*";
/// Above that of the templates that Elasticsearch brings along for `logs-*-*`.
const PRIORITY: u32 = 200;

/// Name in the engine of the component template with the fields.
const MAPPINGS: &str = "whiskjack-mappings";
const SETTINGS: &str = "whiskjack-settings";
const PLAIN: &str = "whiskjack-plain";
/// The component template for what an installation adds.
const CUSTOM: &str = "whiskjack-custom";

/// The component template with all fields.
pub(crate) fn mappings(engine: Engine) -> Value {
    let mut fields: BTreeMap<&str, &str> = of_loggers().collect();
    fields.extend(HEARTBEAT.map(|name| (name, "long")));
    fields.extend(FIELDS.iter().map(|field| (field.name, field.kind)));
    let mut properties = Map::new();
    for (name, kind) in fields {
        if let Some((name, mapping)) = field(engine, name, kind) {
            insert(&mut properties, name, mapping);
        }
    }
    let mut mappings = json!({"dynamic": false, "date_detection": false, "properties": properties});
    if engine == Engine::Elastic {
        mappings["dynamic_templates"] = json!([
            {"labels": {"path_match": "labels.*", "match_mapping_type": "*", "mapping": keyword()}},
            {"numeric_labels": {"path_match": "numeric_labels.*", "match_mapping_type": "*", "mapping": {"type": "double"}}},
        ]);
    }
    json!({"template": {"mappings": mappings}, "_meta": meta("the fields of whiskjack's documents")})
}

/// A field's path and its mapping, if it is stored.
fn field(engine: Engine, name: &'static str, kind: &str) -> Option<(&'static str, Value)> {
    let mapping = match (name, kind) {
        (_, "–") => return None,
        ("fields.*", _) => return Some(("fields", any_object(engine))),
        // Names without end would be fields without end, of which an index takes a thousand.
        ("labels.*", _) if engine == Engine::OpenSearch => return Some(("labels", any_object(engine))),
        ("numeric_labels.*", _) if engine == Engine::OpenSearch => {
            return Some(("numeric_labels", json!({"type": "object", "dynamic": false})));
        }
        ("labels.*", _) => return Some(("labels", json!({"type": "object", "dynamic": true}))),
        ("numeric_labels.*", _) => {
            return Some(("numeric_labels", json!({"type": "object", "dynamic": true})));
        }
        // Data streams do not take a document without a time.
        ("@timestamp", _) => json!({"type": "date", "ignore_malformed": false}),
        // Dashboards count them.
        ("error.message", kind) => json!({"type": kind, "fields": {"keyword": keyword()}}),
        // OpenSearch wants to know its value beforehand.
        (_, "constant_keyword") if engine == Engine::OpenSearch => keyword(),
        (_, "keyword") => keyword(),
        (_, "keyword, not indexed") => json!({"type": "keyword", "index": false, "doc_values": false}),
        (_, kind) => json!({"type": kind}),
    };
    Some((name, mapping))
}

fn keyword() -> Value {
    json!({"type": "keyword", "ignore_above": IGNORE_ABOVE})
}

/// An object whose members may be anything.
fn any_object(engine: Engine) -> Value {
    match engine {
        Engine::Elastic => json!({"type": "flattened", "ignore_above": IGNORE_ABOVE}),
        Engine::OpenSearch => json!({"type": "flat_object"}),
    }
}

fn insert(properties: &mut Map<String, Value>, path: &str, mapping: Value) {
    match path.split_once('.') {
        None => {
            properties.insert(path.into(), mapping);
        }
        Some((group, rest)) => {
            let group = properties.entry(group).or_insert_with(|| json!({"properties": {}}));
            if let Some(inner) = group["properties"].as_object_mut() {
                insert(inner, rest, mapping);
            }
        }
    }
}

/// The component template with the settings of indices.
pub(crate) fn settings(engine: Engine) -> Value {
    let mut mapping = json!({"ignore_malformed": true});
    if engine == Engine::Elastic {
        mapping["total_fields"] = json!({"ignore_dynamic_beyond_limit": true});
    }
    let mut index = json!({"codec": "best_compression", "mapping": mapping, "query": {"default_field": ["message", "error.message"]}});
    if engine == Engine::Elastic {
        index["lifecycle"] = json!({"name": "whiskjack"});
    }
    json!({"template": {"settings": {"index": index}}, "_meta": meta("the settings of whiskjack's indices")})
}

/// The index template of the data streams of lines, activations and heartbeats. It has nothing of its own, which would win over [`CUSTOM`].
pub(crate) fn streams() -> Value {
    json!({
        "index_patterns": [STREAMS],
        "data_stream": {},
        "priority": PRIORITY,
        "composed_of": [MAPPINGS, SETTINGS, CUSTOM],
        "_meta": meta("data streams of whiskjack's documents"),
    })
}

/// The component template with what is different in plain indices. There, lines and activations are in one index.
pub(crate) fn plain(engine: Engine) -> Value {
    let stream = json!({"properties": {"dataset": keyword(), "namespace": keyword(), "type": keyword()}});
    // Of the shape of 2017.
    let mut properties =
        json!({"data_stream": stream, "sequence": {"type": "long"}, "line": {"type": "match_only_text"}});
    for name in ["activation", "action", "namespace", "package"] {
        properties[name] = keyword();
    }
    let mut template = json!({"mappings": {"properties": properties}});
    if engine == Engine::Elastic {
        template["settings"] = json!({"index": {"lifecycle": {"name": "whiskjack-index"}}});
    }
    json!({"template": template, "_meta": meta("what is different in plain indices")})
}

/// The index template of plain indices.
pub(crate) fn indices() -> Value {
    json!({
        "index_patterns": [INDICES],
        "priority": PRIORITY,
        "composed_of": [MAPPINGS, SETTINGS, PLAIN, CUSTOM],
        "_meta": meta("plain indices of whiskjack's documents"),
    })
}

fn meta(what: &str) -> Value {
    json!({"description": format!("made by whiskjack: {what}")})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_of_a_document_is_mapped_and_no_other() {
        for engine in Engine::ALL {
            let template = mappings(engine);
            let properties = &template["template"]["mappings"]["properties"];
            let mapped = |name: &str| {
                let pointer = name.replace('.', "/properties/");
                properties.pointer(&format!("/{pointer}")).cloned()
            };
            for field in FIELDS.iter().filter(|field| field.kind != "–") {
                let name = field.name.trim_end_matches(".*");
                let mapping = mapped(name).unwrap_or_else(|| panic!("{name} is not mapped"));
                if !field.name.ends_with('*') {
                    let kind = match (engine, field.kind) {
                        (Engine::OpenSearch, "constant_keyword") | (_, "keyword, not indexed") => "keyword",
                        (_, kind) => kind,
                    };
                    assert_eq!(mapping["type"], kind, "{name}");
                }
            }
            assert_eq!(mapped("@metadata"), None);
            assert_eq!(mapped("client.ip").unwrap()["type"], "ip");
        }
    }
}
