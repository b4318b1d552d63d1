//! The search engine that answers, and its contents.

use std::fmt;

use http::{Method, StatusCode};
use serde_json::Value;

use super::{Server, SetupError};

/// A search engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Elasticsearch,
    OpenSearch,
}

impl Engine {
    /// The oldest version that knows all that the templates say: of Elasticsearch the setting `ignore_dynamic_beyond_limit`, of OpenSearch
    /// the type `wildcard`.
    fn oldest(self) -> (u32, u32) {
        match self {
            Self::Elasticsearch => (8, 14),
            Self::OpenSearch => (2, 15),
        }
    }

    /// The one that answers, and its version.
    pub(super) async fn of(server: &Server) -> Result<(Self, String), SetupError> {
        let answer = server.ask(Method::GET, "/", None).await?;
        if answer.status != StatusCode::OK {
            return Err(server.refusal(&"GET /", &answer));
        }
        let version = answer.body.get("version");
        let text = |name: &str| version?.get(name)?.as_str();
        let number = text("number").ok_or_else(|| {
            server.failed(
                "neither Elasticsearch nor OpenSearch answers there; give the address of its HTTP API",
            )
        })?;
        let engine = match text("distribution") {
            Some("opensearch") => Self::OpenSearch,
            _ => Self::Elasticsearch,
        };
        let (major, minor) = engine.oldest();
        let mut parts = number.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        if found < (major, minor) {
            return Err(server.failed(&format!(
                "{engine} {number} is too old for the templates; install {major}.{minor} or later"
            )));
        }
        Ok((engine, number.to_owned()))
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Elasticsearch => "Elasticsearch",
            Self::OpenSearch => "OpenSearch",
        })
    }
}

/// The data streams of our documents.
pub(super) async fn streams(server: &Server) -> Result<Vec<String>, SetupError> {
    let answer = server.ask(Method::GET, "/_data_stream/logs-openwhisk.*-*", None).await?;
    let streams = answer.body.get("data_streams").and_then(Value::as_array).into_iter().flatten();
    Ok(streams.filter_map(|stream| stream.get("name")?.as_str().map(str::to_owned)).collect())
}
