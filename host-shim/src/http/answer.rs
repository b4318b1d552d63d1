//! What the OpenWhisk API has answered, and why it would not.

use http::StatusCode;
use serde_json::Value;

use super::Called;

/// The API key in a sentence; whoever knows where it comes from puts that in its place.
pub(crate) const THIS_KEY: &str = "this API key";

/// The API's answer, with a body that is JSON if it could be read as such.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    /// What the body is, for people who have to find out who answers.
    form: &'static str,
}

impl Answer {
    pub(crate) fn new(called: &Called) -> Self {
        let parsed = serde_json::from_slice(&called.body);
        let form = match (&parsed, called.body.trim_ascii_start().first()) {
            (Ok(_), _) => "other JSON",
            (Err(_), None) => "an empty body",
            (Err(_), Some(b'<')) => "HTML",
            (Err(_), Some(_)) => "a body that is not JSON",
        };
        Self { status: called.status, body: parsed.unwrap_or_default(), form }
    }

    /// Whether OpenWhisk shows an action, a trigger or a rule: each has these.
    pub(crate) fn is_entity(&self) -> bool {
        ["namespace", "name", "version"].iter().all(|key| self.body.get(key).is_some())
    }

    /// Whether OpenWhisk says that there is no such thing; a 404 of anybody else tells nothing about that.
    pub(crate) fn is_missing(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
            && error_text(&self.body).is_some()
            && self.body.get("code").is_some()
    }

    /// Why the API would not, as a sentence without its full stop.
    pub(crate) fn refusal(&self) -> String {
        const HOST: &str = "__OW_API_HOST, or APIHOST in ~/.wskprops";
        let status = self.status.as_u16();
        let is_strangers = match status {
            200..=299 => true,
            404 => !self.is_missing(),
            _ => false,
        };
        if is_strangers {
            return format!(
                "HTTP {status} with {} is not an answer of the OpenWhisk API; give its own address as the API host ({HOST})",
                self.form
            );
        }
        if self.status.is_redirection() {
            return format!(
                "the answer leads elsewhere (HTTP {status}); give the address that it leads to as the API host ({HOST})"
            );
        }
        let said = match error_text(&self.body) {
            Some(text) => format!(
                "the API says: {} (HTTP {status})",
                text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.')
            ),
            None => format!("the API answered with HTTP {status}"),
        };
        let remedy = match status {
            401 => {
                return format!(
                    "{THIS_KEY} is not accepted: {said}; give the right one as __OW_API_KEY, or as AUTH in ~/.wskprops"
                );
            }
            403 => return format!("{THIS_KEY} may not do this: {said}; give one that may"),
            413 => "make code or parameters smaller",
            429 => "wait a minute",
            500..=599 => "try again in a while",
            409 => "wait until nobody else changes it, and try again",
            _ => "see whether this platform has what is asked for",
        };
        format!("{said}; {remedy}")
    }
}

/// The text of an error, however deep it lies: the alarms feed wraps it once more (docs/facts/openwhisk.md 4).
pub(crate) fn error_text(body: &Value) -> Option<&str> {
    let mut error = body.get("error")?;
    while let Some(inner) = error.get("error") {
        error = inner;
    }
    error.as_str()
}
