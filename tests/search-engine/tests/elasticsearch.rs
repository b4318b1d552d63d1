//! What Elasticsearch gets is what Elastic's clients send, and has the types that they have: those of the oldest version that `whiskjack
//! setup` takes, and of a new one. Elastic makes both from the specification of its API.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails"
)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use whiskjack_search_engine::{dashboards, query};
use whiskjack_testbed::{Asked, EmptyEngine, artifacts};

/// Packages of `npm/package.json`.
const CLIENTS: [&str; 2] = ["elasticsearch-8.14", "elasticsearch-9.4"];

/// Kinds of things: the path before the name, the client's part, its methods that read and write, their parameter with the name, and the
/// type of what is written.
const KINDS: [[&str; 6]; 5] = [
    ["/_ilm/policy/", "ilm", "getLifecycle", "putLifecycle", "name", "es.IlmPutLifecycleRequest"],
    [
        "/_component_template/",
        "cluster",
        "getComponentTemplate",
        "putComponentTemplate",
        "name",
        "ComponentTemplate",
    ],
    [
        "/_index_template/",
        "indices",
        "getIndexTemplate",
        "putIndexTemplate",
        "name",
        "es.IndicesPutIndexTemplateRequest",
    ],
    ["/_ingest/pipeline/", "ingest", "getPipeline", "putPipeline", "id", "es.IngestPutPipelineRequest"],
    ["/_data_stream/", "indices", "getDataStream", "", "name", ""],
];

/// The specification leaves settings open; these types do not.
const TYPES: &str = "
type Settings = es.IndicesIndexSettingsKeys & { query?: { default_field: string[] } };
type Template = { mappings?: es.MappingTypeMapping, settings?: { index: Settings } };
type ComponentTemplate = Omit<es.ClusterPutComponentTemplateRequest, 'template'> & { template: Template };
";

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("npm");
    for package in CLIENTS.iter().chain(&["typescript"]) {
        assert!(
            folder.join("node_modules").join(package).is_dir(),
            "{package} is not installed: run `cargo xtask setup`"
        );
    }
    folder
}

/// What `whiskjack setup` asks of an Elasticsearch that has an older template.
fn asked() -> Vec<Asked> {
    let engine = EmptyEngine::answering(|method, path| {
        let older = json!({"component_templates": [{"component_template": {"template": {}}}]});
        (method == "GET" && path == "/_component_template/whiskjack-settings").then_some((200, older))
    });
    let output = Command::new(artifacts().whiskjack())
        .args(["setup", "--elasticsearch", &engine.origin()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    engine.asked()
}

/// The kind of a request, and the name in its path.
fn kind(asked: &Asked) -> Option<(&'static [&'static str; 6], &str)> {
    KINDS.iter().find_map(|kind| Some((kind, asked.path.strip_prefix(kind[0])?)))
}

/// The parameters of a client's method for a request.
fn parameters(asked: &Asked) -> Value {
    let (kind, name) = kind(asked).unwrap_or_else(|| panic!("{} is of a new kind", asked.path));
    let mut all = asked.body.clone().unwrap_or_else(|| json!({}));
    all[kind[4]] = json!(name);
    all
}

#[test]
fn setup_sends_the_requests_that_elastics_clients_send() {
    let asked = asked();
    let calls: Vec<Value> = asked
        .iter()
        .map(|asked| match kind(asked) {
            None => json!(["info", {}]),
            Some((kind, _)) => {
                let method = if asked.method == "GET" { kind[2] } else { kind[3] };
                json!([format!("{}.{method}", kind[1]), parameters(asked)])
            }
        })
        .collect();
    assert!(calls.iter().any(|call| call[0] == "indices.getDataStream"), "{calls:?}");
    for client in CLIENTS {
        let output = node(&["requests.mjs", client], &json!(calls).to_string());
        assert!(output.status.success(), "{client}: {}", String::from_utf8_lossy(&output.stderr));
        let sent: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(sent.len(), asked.len(), "{client}");
        for (sent, asked) in sent.iter().zip(&asked) {
            let ours = json!({"method": asked.method, "path": asked.path, "body": asked.body});
            assert_eq!(*sent, ours, "{client}");
        }
    }
}

fn node(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new("node")
        .args(arguments)
        .current_dir(folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node is there");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// All that is written and searched: what it is called, its type, itself.
fn typed() -> Vec<(String, &'static str, Value)> {
    let mut all = Vec::new();
    for asked in asked().iter().filter(|asked| asked.method != "GET") {
        let (kind, name) = kind(asked).unwrap();
        all.push((name.to_owned(), kind[5], parameters(asked)));
    }
    for dashboard in dashboards::ALL {
        for panel in dashboard.panels() {
            let body = query::of_panel(panel, "10m");
            all.push((format!("{} {}", dashboard.id, panel.id), "es.SearchRequest", body));
        }
        for search in dashboard.searches() {
            let body = query::of_search(search, Some(("faas.execution", "0a1b")), 10);
            all.push((format!("{} {}", dashboard.id, search.id), "es.SearchRequest", body));
        }
    }
    all
}

/// What the compiler says to expressions, with the types of a client.
fn compiled(client: &str, expressions: &[String]) -> Result<(), String> {
    let place = tempfile::tempdir().unwrap();
    let types = folder().join("node_modules").join(client).join("lib/api/types.js");
    let head = format!("import type * as es from {};\n{TYPES}", json!(types));
    let file = place.path().join("requests.ts");
    fs::write(&file, head + &expressions.join("\n")).unwrap();
    let options = ["--strict", "--noEmit", "--skipLibCheck", "--pretty", "--module", "nodenext"];
    let compiler = ["node_modules/typescript/bin/tsc", file.to_str().unwrap()];
    let output = node(&[&compiler[..], &options[..]].concat(), "");
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{client}:\n{}", String::from_utf8_lossy(&output.stdout))),
    }
}

#[test]
fn what_elasticsearch_gets_has_the_types_that_elastic_publishes() {
    let typed = typed();
    assert!(typed.len() > 25, "{typed:?}");
    for client in CLIENTS {
        let expressions: Vec<String> = typed
            .iter()
            .map(|(name, kind, value)| format!("// {name}\n({value:#}) satisfies {kind};"))
            .collect();
        compiled(client, &expressions).unwrap_or_else(|said| panic!("{said}"));
    }
}

/// Things, pointers into them, and values that are wrong there.
fn mistakes() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("whiskjack-mappings", "/template/mappings/dynamik", json!(false)),
        ("whiskjack-mappings", "/template/mappings/dynamic", json!("sometimes")),
        ("whiskjack-mappings", "/template/mappings/properties/message/type", json!("match_text")),
        ("whiskjack-mappings", "/template/mappings/properties/labels/dynamic", json!(1)),
        ("whiskjack-mappings", "/template/mappings/dynamic_templates/0/labels/path", json!("labels.*")),
        ("whiskjack-settings", "/template/settings/index/codecs", json!("best_compression")),
        ("whiskjack-settings", "/template/settings/index/lifecycle/named", json!("whiskjack")),
        (
            "whiskjack-settings",
            "/template/settings/index/mapping/total_fields/ignore_dynamic_beyond_limits",
            json!(true),
        ),
        ("whiskjack-settings", "/template/aliasses", json!({})),
        ("whiskjack-streams", "/priority", json!("high")),
        ("whiskjack-streams", "/data_streams", json!({})),
        ("whiskjack", "/policy/phases/warmer", json!({})),
        ("whiskjack", "/policy/phases/hot/actions/rollover/max_primary_shard_sizes", json!("50gb")),
        ("whiskjack-2017", "/processors/0/scripts", json!({})),
        ("whiskjack-2017", "/processors/0/script/sources", json!("")),
        ("whiskjack lines-by-action", "/aggs/time/date_histogram/fixed_intervals", json!("10m")),
        ("whiskjack newest-lines", "/sort/0/@timestamp/order", json!("down")),
    ]
}

#[test]
fn a_mistake_in_what_elasticsearch_gets_is_told() {
    let typed = typed();
    let expressions: Vec<String> = mistakes()
        .into_iter()
        .map(|(name, pointer, wrong)| {
            let (_, kind, value) =
                typed.iter().find(|(other, ..)| other == name).unwrap_or_else(|| panic!("no {name}"));
            let mut value = value.clone();
            let (outer, member) = pointer.rsplit_once('/').unwrap();
            value.pointer_mut(outer).unwrap_or_else(|| panic!("{name}: no {outer}"))[member] = wrong;
            // The compiler complains about a line of which it was said that it is wrong, and is not.
            format!("// @ts-expect-error {name} {pointer}\n({value}) satisfies {kind};")
        })
        .collect();
    // The types of older clients are wider.
    compiled(CLIENTS[1], &expressions).unwrap_or_else(|said| panic!("not refused: {said}"));
}
