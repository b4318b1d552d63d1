//! Dashboards, over the import of saved objects that Kibana and OpenSearch Dashboards have in common.

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;
use whiskjack_settings::text::many;

use super::engine::Engine;
use super::{Server, Setup, SetupError, files};

/// Between the parts of the form; no file has it.
const BOUNDARY: &str = "whiskjack-saved-objects";

/// Whether it is there.
pub(super) async fn find(server: &Server) -> Result<(), SetupError> {
    let answer = server.ask(Method::GET, "/api/status", None).await?;
    match answer.status == StatusCode::OK && answer.body.is_object() {
        true => Ok(()),
        false => Err(server.refusal(&"GET /api/status", &answer)),
    }
}

pub(super) async fn import(
    server: &Server,
    engine: Engine,
    setup: &Setup,
    say: &mut dyn FnMut(&str),
) -> Result<(), SetupError> {
    for (name, text) in files::dashboards(engine) {
        setup.doing.begin(format!("dashboard {name}"));
        let count = u64::try_from(text.lines().count()).unwrap_or(u64::MAX);
        if setup.dry_run {
            say(&format!("dashboard {name}: {} would be imported", many(count, "saved object")));
        } else {
            say(&format!("dashboard {name}: {}", import_one(server, name, text, setup.overwrite).await?));
        }
    }
    Ok(())
}

/// Imports a file; says what came of it.
async fn import_one(server: &Server, name: &str, text: &str, overwrite: bool) -> Result<String, SetupError> {
    let form = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: application/ndjson\r\n\r\n{text}\r\n--{BOUNDARY}--\r\n"
    );
    let content = format!("multipart/form-data; boundary={BOUNDARY}");
    let content = HeaderValue::from_str(&content).map_err(|error| server.failed(&error.to_string()))?;
    let yes = || HeaderValue::from_static("true");
    let api = server.api.clone().with(CONTENT_TYPE, content);
    // Each takes its own only.
    let api =
        api.with(HeaderName::from_static("kbn-xsrf"), yes()).with(HeaderName::from_static("osd-xsrf"), yes());
    let path = format!("/api/saved_objects/_import?overwrite={overwrite}");
    let answer = server.answer(&api, Method::POST, &path, Some(form.into_bytes())).await?;
    if answer.status != StatusCode::OK {
        return Err(server.refusal(&format!("dashboard {name}"), &answer));
    }
    let imported = answer.body.get("successCount").and_then(Value::as_u64).unwrap_or(0);
    let errors = answer.body.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |error: &Value, pointer: &str| {
        error.pointer(pointer).and_then(Value::as_str).unwrap_or("unknown").to_owned()
    };
    let (there, others): (Vec<&Value>, Vec<&Value>) =
        errors.iter().partition(|error| text(error, "/error/type").ends_with("conflict"));
    if let Some(error) = others.first() {
        return Err(server.failed(&format!(
            "dashboard {name}: {} {} is not imported: {}; see the server's log",
            text(error, "/type"),
            text(error, "/id"),
            text(error, "/error/type")
        )));
    }
    let imported = many(imported, "saved object");
    Ok(match there.len() {
        0 => format!("{imported} imported"),
        1 => format!("{imported} imported, 1 was there and is left as it is; --overwrite replaces it"),
        left => format!(
            "{imported} imported, {left} were there and are left as they are; --overwrite replaces them"
        ),
    })
}
