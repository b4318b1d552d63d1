//! The files that are made from tables.

use serde_json::{Value, json};

use crate::Engine;
use crate::dashboards;
use crate::saved_objects;
use crate::templates;

/// What the ingest pipeline for documents of 2017 does.
const OF_2017: &str = include_str!("../../../deploy/elastic/2017.painless");

/// Paths below `deploy`, and contents.
pub fn made() -> Vec<(String, String)> {
    let mut files = vec![("elastic/pipeline-2017.json".to_owned(), text(&pipeline()))];
    for engine in Engine::ALL {
        let (folder, boards) = match engine {
            Engine::Elastic => ("elastic/elasticsearch", "kibana"),
            Engine::OpenSearch => ("elastic/opensearch", "opensearch-dashboards"),
        };
        for (name, json) in [
            ("mappings", templates::mappings(engine)),
            ("settings", templates::settings(engine)),
            ("data-streams", templates::streams()),
            ("plain", templates::plain(engine)),
            ("plain-index", templates::indices()),
        ] {
            files.push((format!("{folder}/{name}.json"), text(&json)));
        }
        for dashboard in dashboards::ALL {
            files.push((format!("{boards}/{}.ndjson", dashboard.id), saved_objects::file(dashboard, engine)));
        }
    }
    files
}

fn pipeline() -> Value {
    json!({
        "description": "made by whiskjack: documents of 2017 get the fields that ECS has for them; others stay as they are",
        "processors": [{"script": {"lang": "painless", "source": OF_2017}}],
    })
}

fn text(json: &Value) -> String {
    format!("{json:#}\n")
}
