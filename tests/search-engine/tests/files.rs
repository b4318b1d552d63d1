//! The files of `deploy` that are made from tables are current and sound.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use whiskjack_search_engine::dashboards;
use whiskjack_search_engine::files;

/// Set, it makes the test write the files instead of comparing them.
const UPDATE: &str = "WHISKJACK_UPDATE";

fn place(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(path)
}

#[test]
fn the_files_are_what_the_tables_say() {
    for (path, made) in files::made() {
        if std::env::var_os(UPDATE).is_some() {
            std::fs::write(place(&path), &made).unwrap();
        }
        let kept = std::fs::read_to_string(place(&path)).unwrap_or_default();
        assert!(
            kept == made,
            "deploy/{path} is not current: run `{UPDATE}=1 cargo test -p whiskjack-search-engine`"
        );
    }
}

#[test]
fn each_json_file_is_json() {
    for folder in ["elastic", "elastic/elasticsearch", "elastic/opensearch"] {
        for entry in std::fs::read_dir(place(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let text = std::fs::read_to_string(&path).unwrap();
                let read: Result<Value, _> = serde_json::from_str(&text);
                assert!(read.is_ok(), "{}: {read:?}", path.display());
            }
        }
    }
}

fn saved_objects() -> Vec<(String, Vec<Value>)> {
    let files = files::made().into_iter().filter(|(path, _)| path.ends_with(".ndjson"));
    files
        .map(|(path, text)| (path, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()))
        .collect()
}

fn key(object: &Value) -> (String, String) {
    (object["type"].as_str().unwrap().to_owned(), object["id"].as_str().unwrap().to_owned())
}

#[test]
fn each_saved_object_has_an_id_of_its_own_and_all_that_it_refers_to_is_in_its_file() {
    let mut by_folder: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for (path, objects) in saved_objects() {
        let here: BTreeSet<_> = objects.iter().map(key).collect();
        let folder = by_folder.entry(path.split('/').next().unwrap().to_owned()).or_default();
        for object in &objects {
            assert!(folder.insert(key(object)), "{path}: {:?} twice", key(object));
            let references = object["references"].as_array().unwrap();
            for reference in references {
                assert!(here.contains(&key(reference)), "{path}: {reference} is not there");
            }
            // Each name that is used is among them.
            let names: BTreeSet<_> =
                references.iter().map(|reference| reference["name"].as_str().unwrap().to_owned()).collect();
            let mut used = BTreeSet::new();
            inner(object, &mut used);
            assert_eq!(used, names, "{path}: {}", object["id"]);
        }
    }
    assert_eq!(by_folder["kibana"], by_folder["opensearch-dashboards"]);
}

/// Reads the JSON in texts, and collects the names of references.
fn inner(value: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name.ends_with("JSON") || name == "visState" => {
                        inner(
                            &serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}")),
                            used,
                        );
                    }
                    Value::String(text) if name.ends_with("RefName") || name == "indexRefName" => {
                        used.insert(text.clone());
                    }
                    value => inner(value, used),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| inner(item, used)),
        _ => {}
    }
}

/// A name, and whether a value is right.
type Attribute = (&'static str, fn(&Value) -> bool);

/// Attributes that Kibana takes, by kind of saved object; it refuses an import with others. As its server's source has them (version 8); no
/// registry has a schema.
const ATTRIBUTES: [(&str, &[Attribute]); 4] = [
    (
        "index-pattern",
        &[
            ("title", Value::is_string),
            ("name", Value::is_string),
            ("timeFieldName", Value::is_string),
            ("fields", Value::is_string),
            ("fieldFormatMap", Value::is_string),
        ],
    ),
    (
        "visualization",
        &[
            ("title", Value::is_string),
            ("description", Value::is_string),
            ("version", Value::is_number),
            ("kibanaSavedObjectMeta", has_search_source),
            ("uiStateJSON", Value::is_string),
            ("visState", Value::is_string),
        ],
    ),
    (
        "search",
        &[
            ("title", Value::is_string),
            ("description", Value::is_string),
            ("hits", Value::is_number),
            ("version", Value::is_number),
            ("columns", Value::is_array),
            ("sort", Value::is_array),
            ("kibanaSavedObjectMeta", has_search_source),
        ],
    ),
    (
        "dashboard",
        &[
            ("title", Value::is_string),
            ("description", Value::is_string),
            ("hits", Value::is_number),
            ("version", Value::is_number),
            ("panelsJSON", Value::is_string),
            ("optionsJSON", Value::is_string),
            ("timeRestore", Value::is_boolean),
            ("timeFrom", Value::is_string),
            ("timeTo", Value::is_string),
            ("kibanaSavedObjectMeta", has_search_source),
        ],
    ),
];

fn has_search_source(value: &Value) -> bool {
    let members = value.as_object().unwrap();
    members.len() == 1 && members["searchSourceJSON"].is_string()
}

#[test]
fn saved_objects_have_no_attributes_that_kibana_would_refuse() {
    for (path, objects) in saved_objects() {
        for object in objects {
            let (_, allowed) = ATTRIBUTES.iter().find(|(kind, _)| object["type"] == *kind).unwrap();
            for (name, value) in object["attributes"].as_object().unwrap() {
                let is_right = allowed.iter().any(|(other, is)| other == name && is(value));
                assert!(is_right, "{path}: {}: {name}: {value}", object["id"]);
            }
        }
    }
}

#[test]
fn the_panels_of_a_dashboard_do_not_overlap_and_fill_its_width() {
    for (path, objects) in saved_objects() {
        for dashboard in objects.iter().filter(|object| object["type"] == "dashboard") {
            let panels: Vec<Value> =
                serde_json::from_str(dashboard["attributes"]["panelsJSON"].as_str().unwrap()).unwrap();
            let mut taken = BTreeSet::new();
            let mut bottom = 0;
            for panel in &panels {
                let at = |name: &str| panel["gridData"][name].as_u64().unwrap();
                assert_eq!(panel["gridData"]["i"], panel["panelIndex"]);
                for (x, y) in (at("x")..at("x") + at("w"))
                    .flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
                {
                    assert!(x < 48 && taken.insert((x, y)), "{path}: {panel}");
                    bottom = bottom.max(y + 1);
                }
            }
            assert_eq!(taken.len() as u64, 48 * bottom, "{path}");
        }
    }
}

#[test]
fn panels_and_searches_ask_for_fields_that_the_template_has() {
    for (path, made) in files::made().iter().filter(|(path, _)| path.ends_with(".ndjson")) {
        let folder = if path.starts_with("kibana") { "elasticsearch" } else { "opensearch" };
        let mapped = |name: &str| {
            let text = std::fs::read_to_string(place(&format!("elastic/{folder}/{name}.json"))).unwrap();
            let template: Value = serde_json::from_str(&text).unwrap();
            template["template"]["mappings"]["properties"].as_object().cloned().unwrap_or_default()
        };
        let (common, plain) = (mapped("mappings"), mapped("plain"));
        for object in made.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
            let mut fields = BTreeSet::new();
            named(&object, &mut fields);
            for field in fields {
                let is_mapped = [&common, &plain].iter().any(|properties| has(properties, &field));
                assert!(is_mapped, "{path}: {}: {field} is not mapped", object["id"]);
            }
        }
    }
}

/// Fields that aggregations, columns and sorts name.
fn named(value: &Value, fields: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("field", Value::String(field)) => drop(fields.insert(field.clone())),
                    ("columns", Value::Array(names)) => {
                        fields.extend(names.iter().map(|name| name.as_str().unwrap().to_owned()));
                    }
                    ("sort", Value::Array(sorts)) => {
                        fields.extend(sorts.iter().map(|sort| sort[0].as_str().unwrap().to_owned()));
                    }
                    ("visState", Value::String(text)) => named(&serde_json::from_str(text).unwrap(), fields),
                    (_, value) => named(value, fields),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named(item, fields)),
        _ => {}
    }
}

fn has(properties: &Map<String, Value>, field: &str) -> bool {
    let (group, rest) = field.split_once('.').unwrap_or((field, ""));
    let Some(mapping) = properties.get(group) else { return false };
    let inner = |name: &str| mapping[name].as_object().is_some_and(|inner| has(inner, rest));
    rest.is_empty() || inner("properties") || inner("fields")
}

#[test]
fn the_picture_of_the_dashboard_has_all_its_panels_and_says_that_it_is_not_kibana() {
    let picture = std::fs::read_to_string(place("../docs/dashboard.svg")).unwrap();
    let dashboard = dashboards::ALL[0];
    let panels = dashboard.panels().map(|panel| panel.title);
    let shown = dashboard.rows.iter().flat_map(|row| row.1).filter_map(|part| match part {
        dashboards::Part::Search(search) => Some(search.title),
        dashboards::Part::Panel(_) => None,
    });
    for title in panels.chain(shown) {
        assert!(
            picture.contains(&format!(">{title}</text>")),
            "{title}: draw it anew with `cargo xtask search-engine --picture`"
        );
    }
    assert!(picture.contains("not a picture of Kibana") && picture.len() < 100_000);
}
