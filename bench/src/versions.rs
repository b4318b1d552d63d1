//! The programs that were measured and compared: versions, and the size of an event.

use std::collections::BTreeMap;

use anyhow::Result;
use openwhisk_double::{Double, Options};
use serde_json::{Value, json};
use whiskjack::events::{Document, Events, Form};
use whiskjack::lumberjack::Protocol;
use whiskjack::openwhisk::record::Record;

use crate::node;
use crate::world::{Shape, recorded};

/// Versions by name, from the lock files.
pub fn all() -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([("whiskjack".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    for name in ["wasmtime", "miniz_oxide"] {
        if let Some(version) = locked(include_str!("../../Cargo.lock"), name) {
            all.insert(name.into(), version.into());
        }
    }
    let go = include_str!("../../tests/peers/go.mod").lines();
    let lumber = go.filter_map(|line| {
        line.trim().trim_start_matches("require ").strip_prefix("github.com/elastic/go-lumber v")
    });
    all.extend(lumber.map(|version| ("go-lumber".to_owned(), version.to_owned())));
    all.extend(node::version().map(|version| ("Node".to_owned(), version)));
    let packages: Value = serde_json::from_str(include_str!("../node/package.json")).unwrap_or_default();
    for (name, version) in packages["dependencies"].as_object().into_iter().flatten() {
        all.insert(name.clone(), version.as_str().unwrap_or_default().into());
    }
    all
}

/// The version that a lock file of cargo names.
fn locked<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    rest.split('"').next()
}

/// Bytes of an event on average.
pub fn world() -> Result<BTreeMap<String, f64>> {
    let shape = Shape { actions: 10, records: 300, lines: 20, span_ms: 60_000 };
    let api = Double::start(Options::default());
    api.world().add_all(shape.activations(api.world().clock().now()));
    let (mut line_bytes, mut old, mut ours) = (0, 0, 0);
    for json in recorded(&api)? {
        let record = Record::parse(&json)?;
        let events = Events::of(&record, &Form::new(Protocol::V2));
        for (index, line) in record.entries().enumerate() {
            let text = line.text();
            let fields = json!({"line": text, "activation": record.activation_id.to_string(), "action": record.name, "namespace": record.namespace});
            let mut event = Vec::new();
            events.write(Document::plain(index, line), &mut event);
            line_bytes += text.len();
            old += fields.to_string().len();
            ours += event.len();
        }
    }
    let each = |bytes: usize| bytes as f64 / shape.events() as f64;
    Ok(BTreeMap::from([
        ("bytes a line".to_owned(), each(line_bytes)),
        ("bytes an event of 2017 as JSON".to_owned(), each(old)),
        ("bytes an event of ours as JSON".to_owned(), each(ours)),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_about_280_bytes_in_the_shape_of_the_2017_tool() {
        let world = world().unwrap();
        let [line, old, ours] =
            ["bytes a line", "bytes an event of 2017 as JSON", "bytes an event of ours as JSON"]
                .map(|name| world[name]);
        assert!((260.0..300.0).contains(&old) && line < old && old < ours, "{world:?}");
    }

    #[test]
    fn every_version_is_known() {
        let all = all();
        for name in ["whiskjack", "wasmtime", "miniz_oxide", "go-lumber", "openwhisk", "lumberjack-protocol"]
        {
            assert!(all.get(name).is_some_and(|version| version.contains('.')), "{name}: {all:?}");
        }
    }
}
