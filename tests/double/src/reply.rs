//! Replies of the API: JSON, or the platform's error object.

use serde_json::json;

/// A reply before it knows its request id.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(String, String)>,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Bytes(Vec<u8>),
    Error(String),
}

impl Reply {
    /// Status 200 with a JSON text.
    pub(crate) fn json(body: impl ToString) -> Self {
        Self::raw(200, "application/json", body.to_string().into_bytes())
    }

    /// Status 202 with a JSON text: it will be done.
    pub(crate) fn accepted(body: &serde_json::Value) -> Self {
        Self::raw(202, "application/json", body.to_string().into_bytes())
    }

    /// The platform's error object.
    pub(crate) fn error(status: u16, text: impl Into<String>) -> Self {
        let content = Content::Error(text.into());
        Self { status, content_type: "application/json".into(), headers: Vec::new(), content }
    }

    /// Any other body.
    pub(crate) fn raw(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self { status, content_type: content_type.into(), headers: Vec::new(), content: Content::Bytes(body) }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn forbidden(resource: &str) -> Self {
        Self::error(403, format!("The supplied authentication is not authorized to access '{resource}'."))
    }

    pub(crate) fn no_resource() -> Self {
        Self::error(404, "The requested resource does not exist.")
    }

    pub(crate) fn no_route() -> Self {
        Self::error(404, "The requested resource could not be found.")
    }

    pub(crate) fn not_allowed(methods: &str) -> Self {
        let text = format!("HTTP method not allowed, supported methods: {methods}");
        Self::error(405, text).with("allow", methods)
    }

    pub(crate) fn server_error() -> Self {
        Self::error(500, "There was an internal server error.")
    }

    /// The bytes to send; an error object carries the request id as its code.
    pub(crate) fn body(&self, request_id: &str) -> Vec<u8> {
        match &self.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Error(text) => json!({"error": text, "code": request_id}).to_string().into_bytes(),
        }
    }
}
