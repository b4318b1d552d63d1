use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::testing::{Authority, acceptor};

/// A request as it came: its first line, its head in small letters, its body.
type Request = (String, String, String);
type Script = fn(&str, &str) -> (u16, Value);

/// A server that answers by a script, and remembers what it was asked.
async fn server(script: Script) -> (Origin, Arc<Mutex<Vec<Request>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = Origin::parse(&format!("http://{}/base", listener.local_addr().unwrap())).unwrap();
    let asked: Arc<Mutex<Vec<Request>>> = Arc::default();
    let journal = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, script, Arc::clone(&journal)));
        }
    });
    (origin, asked)
}

async fn serve(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    script: Script,
    journal: Arc<Mutex<Vec<Request>>>,
) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = socket.read_u8().await else { return };
            head.push(byte);
        }
        let head = String::from_utf8(head).unwrap();
        let lower = head.to_ascii_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        socket.read_exact(&mut body).await.unwrap();
        let first = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
        let body = String::from_utf8(body).unwrap();
        let (status, answer) = script(&first, &body);
        journal.lock().unwrap().push((first, lower, body));
        let answer = answer.to_string();
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        socket.write_all(answer.as_bytes()).await.unwrap();
    }
}

fn setup(engine: &Origin, dashboards: Option<&Origin>) -> Setup {
    Setup {
        doing: Doing::default(),
        engine: engine.clone(),
        dashboards: dashboards.cloned(),
        login: Some(Login::ApiKey(Secret::new("id:very-secret"))),
        ca: None,
        proxies: ProxyVariables::read(&|_| None),
        overwrite: false,
        dry_run: false,
    }
}

/// What is said, and what came of it.
async fn told(setup: &Setup) -> (String, Result<(), String>) {
    let mut text = String::new();
    let outcome = up(setup, &mut |line| {
        text.push_str(line);
        text.push('\n');
    })
    .await;
    (text, outcome.map_err(|error| error.to_string()))
}

/// Elasticsearch with nothing in it.
fn empty(first: &str, _: &str) -> (u16, Value) {
    match first {
        "GET /base/" => (200, json!({"version": {"number": "8.17.0"}, "tagline": "You Know, for Search"})),
        first if first.starts_with("PUT ") => (200, json!({"acknowledged": true})),
        _ => (404, json!({"error": {"type": "resource_not_found_exception"}, "status": 404})),
    }
}

#[tokio::test]
async fn elasticsearch_gets_policies_templates_and_pipeline_with_the_key() {
    let (engine, asked) = server(empty).await;
    let (said, outcome) = told(&setup(&engine, None)).await;
    assert_eq!(outcome, Ok(()));
    let asked = asked.lock().unwrap();
    let put: Vec<&str> = asked.iter().filter_map(|(first, ..)| first.strip_prefix("PUT /base/")).collect();
    let expected = [
        "_ilm/policy/whiskjack",
        "_ilm/policy/whiskjack-index",
        "_component_template/whiskjack-mappings",
        "_component_template/whiskjack-settings",
        "_component_template/whiskjack-plain",
        "_component_template/whiskjack-custom",
        "_ingest/pipeline/whiskjack-2017",
        "_index_template/whiskjack-streams",
        "_index_template/whiskjack-index",
    ];
    assert_eq!(put, expected);
    assert_eq!(said.matches(": created").count(), expected.len(), "{said}");
    // base64 of `id:very-secret`.
    assert!(asked.iter().all(|(_, head, _)| head.contains("authorization: apikey awq6dmvyes1zzwnyzxq=")));
    assert!(
        asked
            .iter()
            .all(|(first, _, body)| !first.starts_with("PUT") || body.starts_with('{') && body.len() > 20)
    );
}

#[tokio::test]
async fn a_dry_run_asks_and_changes_nothing() {
    let (engine, asked) = server(empty).await;
    let (said, outcome) = told(&Setup { dry_run: true, ..setup(&engine, None) }).await;
    assert_eq!((outcome, said.matches(": would be created").count()), (Ok(()), 9), "{said}");
    assert!(asked.lock().unwrap().iter().all(|(first, ..)| first.starts_with("GET ")));
}

#[tokio::test]
async fn an_engine_that_is_too_old_or_another_program_is_told() {
    for (script, part) in [
        (
            (|_: &str, _: &str| (200, json!({"version": {"number": "8.13.4"}}))) as Script,
            "Elasticsearch 8.13.4 is too old for the templates; install 8.14 or later",
        ),
        (
            |_, _| (200, json!({"version": {"number": "2.9.0", "distribution": "opensearch"}})),
            "OpenSearch 2.9.0 is too old",
        ),
        (|_, _| (200, json!({"name": "kibana"})), "neither Elasticsearch nor OpenSearch answers there"),
        (
            |_, _| {
                (
                    401,
                    json!({"error": {"reason": "very-secret is not known", "type": "security_exception"}, "status": 401}),
                )
            },
            "GET /: (not shown) is not known (HTTP 401); check the API key, or the user and the password",
        ),
        (
            |_, _| (403, json!({"error": "no", "status": 403})),
            "no (HTTP 403); give a key or user that may manage templates",
        ),
    ] {
        let (engine, asked) = server(script).await;
        let (_, outcome) = told(&setup(&engine, None)).await;
        let message = outcome.unwrap_err();
        assert!(message.starts_with("--elasticsearch http://") && message.contains(part), "{message}");
        assert_eq!(asked.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn over_tls_the_given_certificates_are_trusted_and_no_others() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority.issue("localhost"), None, &crate::tls::VERSIONS);
    let listener = TcpListener::bind("localhost:0").await.unwrap();
    let origin = format!("https://localhost:{}/base", listener.local_addr().unwrap().port());
    let origin = Origin::parse(&origin).unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(socket).await {
                    serve(stream, empty, Arc::default()).await;
                }
            });
        }
    });
    let with = |ca: Option<String>| Setup { ca, ..setup(&origin, None) };
    assert_eq!(told(&with(Some(authority.pem()))).await.1, Ok(()));
    for other in [None, Some(Authority::named("Other CA").pem())] {
        let message = told(&with(other)).await.1.unwrap_err();
        assert!(
            message.starts_with("--elasticsearch https://localhost:")
                && message.contains("certificate into the file of `--ca`")
                && !message.contains("api.ca"),
            "{message}"
        );
    }
    let message = told(&with(Some("no PEM".to_owned()))).await.1.unwrap_err();
    assert_eq!(message, "--ca: has no certificate that can be read; give PEM");
}

/// OpenSearch in which a policy is an older one, and data streams exist.
fn older(first: &str, _: &str) -> (u16, Value) {
    match first {
        "GET /base/" => (200, json!({"version": {"number": "2.19.6", "distribution": "opensearch"}})),
        "GET /base/_plugins/_ism/policies/whiskjack" => (
            200,
            json!({"_id": "whiskjack", "_seq_no": 7, "_primary_term": 2, "policy": {"description": "old"}}),
        ),
        "GET /base/_plugins/_ism/policies/whiskjack-index" => (
            400,
            json!({"error": "no handler found for uri [/_plugins/_ism/policies/whiskjack-index] and method [GET]"}),
        ),
        "GET /base/_component_template/whiskjack-mappings" => (
            200,
            json!({"component_templates": [{"name": "whiskjack-mappings", "component_template": {"template": {"mappings": {}}}}]}),
        ),
        "GET /base/_component_template/whiskjack-custom" => (
            200,
            json!({"component_templates": [{"component_template": {"template": {"mappings": {"properties": {}}}}}]}),
        ),
        "GET /base/_data_stream/logs-openwhisk.*-*" => {
            (200, json!({"data_streams": [{"name": "logs-openwhisk.log-default"}]}))
        }
        first if first.starts_with("PUT ") => (200, json!({"acknowledged": true})),
        _ => (404, json!({"status": 404})),
    }
}

#[tokio::test]
async fn what_is_older_is_changed_what_is_unknown_left_out_and_what_people_fill_left_alone() {
    let (engine, asked) = server(older).await;
    let (said, outcome) = told(&setup(&engine, None)).await;
    assert_eq!(outcome, Ok(()), "{said}");
    for line in [
        "lifecycle policy whiskjack: changed\n",
        "lifecycle policy whiskjack-index: left out: this engine does not have index state management",
        "component template whiskjack-mappings: changed\n",
        "component template whiskjack-settings: created\n",
        "component template whiskjack-custom: left as it is\n",
        "data stream logs-openwhisk.log-default: has the old fields until it begins a new index; let it do so with POST /logs-openwhisk.log-default/_rollover\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let asked = asked.lock().unwrap();
    assert!(asked.iter().any(
        |(first, ..)| first == "PUT /base/_plugins/_ism/policies/whiskjack?if_seq_no=7&if_primary_term=2"
    ));
    assert!(!asked.iter().any(|(first, ..)| first.starts_with("PUT") && first.contains("custom")));
}

/// Kibana, to which the dashboard of 2017 was brought before.
fn kibana(first: &str, body: &str) -> (u16, Value) {
    match first {
        "POST /base/api/saved_objects/_import?overwrite=true" => {
            (200, json!({"success": true, "successCount": 9}))
        }
        "POST /base/api/saved_objects/_import?overwrite=false"
            if body.contains("filename=\"whiskjack-2017.ndjson\"") =>
        {
            let conflict = |id: &str| json!({"id": id, "type": "dashboard", "error": {"type": "conflict"}});
            (200, json!({"success": false, "successCount": 4, "errors": [conflict("a"), conflict("b")]}))
        }
        "POST /base/api/saved_objects/_import?overwrite=false" => {
            (200, json!({"success": true, "successCount": 19}))
        }
        "GET /base/api/status" => (200, json!({"name": "kibana"})),
        _ => (404, json!({"statusCode": 404, "error": "Not Found", "message": "Not Found"})),
    }
}

#[tokio::test]
async fn dashboards_are_imported_as_a_form_and_those_that_are_there_stay() {
    let (engine, _) = server(empty).await;
    let (dashboards, asked) = server(kibana).await;
    let (said, outcome) = told(&setup(&engine, Some(&dashboards))).await;
    assert_eq!(outcome, Ok(()), "{said}");
    assert!(said.contains("dashboard whiskjack.ndjson: 19 saved objects imported\n"), "{said}");
    assert!(
        said.contains("whiskjack-2017.ndjson: 4 saved objects imported, 2 were there and are left as they are; --overwrite replaces them"),
        "{said}"
    );
    assert_eq!(asked.lock().unwrap()[0].0, "GET /base/api/status");
    let (_, head, body) = asked.lock().unwrap()[1].clone();
    for part in [
        "content-type: multipart/form-data; boundary=whiskjack-saved-objects",
        "kbn-xsrf: true",
        "osd-xsrf: true",
        "authorization: apikey ",
    ] {
        assert!(head.contains(part), "{part}: {head}");
    }
    // As RFC 7578 has it: a head, an empty line, the file as it is.
    let (head, rest) = body.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with(
        "--whiskjack-saved-objects\r\ncontent-disposition: form-data; name=\"file\"; filename=\""
    ));
    let file = rest.strip_suffix("\r\n--whiskjack-saved-objects--\r\n").unwrap();
    assert_eq!(file, include_str!("../../../deploy/kibana/whiskjack.ndjson"));

    let (said, _) = told(&Setup { overwrite: true, ..setup(&engine, Some(&dashboards)) }).await;
    assert_eq!(said.matches("9 saved objects imported\n").count(), 2, "{said}");
    let (said, _) = told(&Setup { dry_run: true, ..setup(&engine, Some(&dashboards)) }).await;
    assert_eq!(said.matches("saved objects would be imported").count(), 2, "{said}");
}

#[tokio::test]
async fn an_import_that_fails_is_told_with_the_object() {
    fn missing(first: &str, _: &str) -> (u16, Value) {
        if first == "GET /base/api/status" {
            return (200, json!({}));
        }
        (
            200,
            json!({"success": false, "errors": [{"id": "x", "type": "search", "error": {"type": "missing_references"}}]}),
        )
    }
    let (engine, _) = server(empty).await;
    let (dashboards, _) = server(missing).await;
    let message = told(&setup(&engine, Some(&dashboards))).await.1.unwrap_err();
    assert!(
        message.ends_with(
            "dashboard whiskjack.ndjson: search x is not imported: missing_references; see the server's log"
        ),
        "{message}"
    );
}

#[tokio::test]
async fn dashboards_that_are_not_there_are_told_before_anything_is_changed() {
    for (dashboards, parts) in [
        (
            server(|_, _| (404, json!({}))).await.0,
            [
                "--kibana http://",
                "check that this is the address of Kibana or OpenSearch Dashboards, with its path",
            ],
        ),
        (
            Origin::parse("http://127.0.0.1:1").unwrap(),
            ["--kibana http://127.0.0.1:1: ", "check host and port"],
        ),
    ] {
        let (engine, asked) = server(empty).await;
        let (said, outcome) = told(&setup(&engine, Some(&dashboards))).await;
        let message = outcome.unwrap_err();
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        let asked = asked.lock().unwrap();
        assert!(
            said.is_empty() && asked.iter().all(|(first, ..)| first.starts_with("GET ")),
            "{said} {asked:?}"
        );
    }
}

#[tokio::test]
async fn each_refusal_of_a_server_says_what_to_do() {
    macro_rules! answering {
        ($($status:literal => $remedy:literal,)*) => {
            [$((server(|_, _| ($status, json!({}))).await.0, format!("GET /: HTTP {}; {}", $status, $remedy)),)*]
        };
    }
    for (engine, expected) in answering! {
        400 => "see the log of the server",
        404 => "check that this is the address of Elasticsearch or OpenSearch, with its path",
        429 => "try again in a while",
        501 => "check that this is the address of Elasticsearch or OpenSearch, with its path",
        503 => "try again in a while",
    } {
        let message = told(&setup(&engine, None)).await.1.unwrap_err();
        assert_eq!(message, format!("--elasticsearch {engine}: {expected}"));
    }
}

#[tokio::test]
async fn without_a_login_a_refusal_asks_for_one() {
    let (engine, _) = server(|_, _| (401, json!({}))).await;
    let message = told(&Setup { login: None, ..setup(&engine, None) }).await.1.unwrap_err();
    assert_eq!(
        message,
        format!(
            "--elasticsearch {engine}: GET /: HTTP 401; give an API key or a user with --api-key-file, or --user and --password-file"
        )
    );
}

#[test]
fn what_an_engine_shows_of_a_thing_holds_what_was_stored() {
    let wanted = json!({"settings": {"index": {"a": "true", "n": 5}}, "list": [{"x": 1}], "empty": {}});
    let shown = json!({"settings": {"index": {"a": true, "n": "5", "more": 1}}, "list": [{"x": 1, "y": 2}], "other": 1});
    assert!(holds(&shown, &wanted));
    for (pointer, other) in [
        ("/settings/index/a", json!("false")),
        ("/list", json!([])),
        ("/list/0", json!(1)),
        ("/settings", json!({})),
    ] {
        let mut changed = shown.clone();
        *changed.pointer_mut(pointer).unwrap() = other;
        assert!(!holds(&changed, &wanted), "{pointer}");
    }
}

#[test]
fn each_file_can_be_read() {
    for engine in [Engine::Elasticsearch, Engine::OpenSearch] {
        assert!(files::things(engine).iter().all(|thing| thing.body.is_object()), "{engine}");
    }
}
