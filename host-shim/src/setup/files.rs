//! The things that an engine gets. The files are those of `deploy/elastic`, `deploy/kibana` and `deploy/opensearch-dashboards`.

use serde_json::{Value, json};

use super::engine::Engine;

/// A thing with a name in an engine.
pub(super) struct Thing {
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    /// Where it is read and written.
    pub(super) path: &'static str,
    /// Where it is in the answer.
    pub(super) stored: &'static str,
    pub(super) body: Value,
    /// Made empty, and never changed.
    pub(super) is_for_people: bool,
}

impl Thing {
    pub(super) fn is_template(&self) -> bool {
        self.kind.ends_with("template")
    }
}

macro_rules! file {
    ($path:literal) => {
        include_str!(concat!("../../../deploy/", $path))
    };
}

/// All of them, in the order in which they need each other.
pub(super) fn things(engine: Engine) -> Vec<Thing> {
    let (policy, policy_index, mappings, settings, streams, plain, indices) = match engine {
        Engine::Elasticsearch => (
            file!("elastic/elasticsearch/lifecycle.json"),
            file!("elastic/elasticsearch/lifecycle-index.json"),
            file!("elastic/elasticsearch/mappings.json"),
            file!("elastic/elasticsearch/settings.json"),
            file!("elastic/elasticsearch/data-streams.json"),
            file!("elastic/elasticsearch/plain.json"),
            file!("elastic/elasticsearch/plain-index.json"),
        ),
        Engine::OpenSearch => (
            file!("elastic/opensearch/lifecycle.json"),
            file!("elastic/opensearch/lifecycle-index.json"),
            file!("elastic/opensearch/mappings.json"),
            file!("elastic/opensearch/settings.json"),
            file!("elastic/opensearch/data-streams.json"),
            file!("elastic/opensearch/plain.json"),
            file!("elastic/opensearch/plain-index.json"),
        ),
    };
    let policies = match engine {
        Engine::Elasticsearch => [
            ("whiskjack", "/_ilm/policy/whiskjack", "/whiskjack", policy),
            ("whiskjack-index", "/_ilm/policy/whiskjack-index", "/whiskjack-index", policy_index),
        ],
        Engine::OpenSearch => [
            ("whiskjack", "/_plugins/_ism/policies/whiskjack", "", policy),
            ("whiskjack-index", "/_plugins/_ism/policies/whiskjack-index", "", policy_index),
        ],
    };
    const COMPONENT: &str = "/component_templates/0/component_template";
    const INDEX: &str = "/index_templates/0/index_template";
    let thing = |kind, name, path, stored, text: &str| Thing {
        kind,
        name,
        path,
        stored,
        // A test reads them all.
        body: serde_json::from_str(text).unwrap_or_default(),
        is_for_people: false,
    };
    let mut things: Vec<Thing> = policies
        .into_iter()
        .map(|(name, path, stored, text)| thing("lifecycle policy", name, path, stored, text))
        .collect();
    things.extend([
        thing("component template", "whiskjack-mappings", "/_component_template/whiskjack-mappings", COMPONENT, mappings),
        thing("component template", "whiskjack-settings", "/_component_template/whiskjack-settings", COMPONENT, settings),
        thing("component template", "whiskjack-plain", "/_component_template/whiskjack-plain", COMPONENT, plain),
        Thing {
            kind: "component template",
            name: "whiskjack-custom",
            path: "/_component_template/whiskjack-custom",
            stored: COMPONENT,
            body: json!({"template": {}, "_meta": {"description": "fields and settings of this installation; whiskjack does not change them"}}),
            is_for_people: true,
        },
        thing(
            "ingest pipeline",
            "whiskjack-2017",
            "/_ingest/pipeline/whiskjack-2017",
            "/whiskjack-2017",
            file!("elastic/pipeline-2017.json"),
        ),
        thing("index template", "whiskjack-streams", "/_index_template/whiskjack-streams", INDEX, streams),
        thing("index template", "whiskjack-index", "/_index_template/whiskjack-index", INDEX, indices),
    ]);
    things
}

/// Files of saved objects: names and texts.
pub(super) fn dashboards(engine: Engine) -> [(&'static str, &'static str); 2] {
    match engine {
        Engine::Elasticsearch => [
            ("whiskjack.ndjson", file!("kibana/whiskjack.ndjson")),
            ("whiskjack-2017.ndjson", file!("kibana/whiskjack-2017.ndjson")),
        ],
        Engine::OpenSearch => [
            ("whiskjack.ndjson", file!("opensearch-dashboards/whiskjack.ndjson")),
            ("whiskjack-2017.ndjson", file!("opensearch-dashboards/whiskjack-2017.ndjson")),
        ],
    }
}
