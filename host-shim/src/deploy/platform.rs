//! The part of the OpenWhisk API that deploying needs (docs/facts/openwhisk.md 1.6, 4, 5).

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::http::Api;
use crate::origin::Origin;
use crate::secret::Secret;

use super::MARK;

/// The API, with the key of whoever deploys.
pub(super) struct Platform {
    api: Api,
    origin: Origin,
    key: Secret,
}

/// What an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Action,
    Trigger,
    Rule,
}

/// What is there under a name.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    /// Made by a deployment; with what the API shows of it.
    Ours,
    /// Made by somebody else.
    Foreign,
}

/// The API's answer, with a body that is JSON if it could be read as such.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Trigger => "trigger",
            Self::Rule => "rule",
        }
    }

    fn path(self, name: &str) -> String {
        format!("{}s/{name}", self.word())
    }
}

impl Platform {
    pub(super) fn new(api: Api, origin: Origin, key: Secret) -> Self {
        Self { api, origin, key }
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The key's namespace.
    pub(super) async fn namespace(&self) -> Result<String, String> {
        let answer = self.ask(Method::GET, "/api/v1/namespaces", None).await?;
        let named = answer.body.get(0).and_then(Value::as_str).map(str::to_owned);
        match named {
            Some(namespace) if answer.status == StatusCode::OK => Ok(namespace),
            _ => Err(answer.refusal()),
        }
    }

    pub(super) async fn find(&self, kind: Kind, name: &str) -> Result<Found, String> {
        // The code would be megabytes.
        let query = if kind == Kind::Action { "?code=false" } else { "" };
        let answer = self.ask(Method::GET, &own(&format!("{}{query}", kind.path(name))), None).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(Found::Nothing),
            StatusCode::OK => {
                let annotations = answer.body.get("annotations").and_then(Value::as_array);
                let marked = annotations
                    .is_some_and(|all| all.iter().any(|one| one.get("key").is_some_and(|key| key == MARK)));
                Ok(if marked { Found::Ours } else { Found::Foreign })
            }
            _ => Err(answer.refusal()),
        }
    }

    /// What the API shows of an entity. Its answer to [`Self::put`] shows parameters as they came, not as they are stored.
    pub(super) async fn stored(&self, kind: Kind, name: &str) -> Result<Value, String> {
        let answer = self.ask(Method::GET, &own(&format!("{}?code=false", kind.path(name))), None).await?;
        if answer.status == StatusCode::OK { Ok(answer.body) } else { Err(answer.refusal()) }
    }

    /// Creates or replaces; gives what the API shows of it then.
    pub(super) async fn put(&self, kind: Kind, name: &str, body: &Value) -> Result<Value, String> {
        let path = own(&format!("{}?overwrite=true", kind.path(name)));
        let answer = self.ask(Method::PUT, &path, Some(body)).await?;
        if answer.status == StatusCode::OK { Ok(answer.body) } else { Err(answer.refusal()) }
    }

    /// Deletes; it is fine if there is nothing.
    pub(super) async fn delete(&self, kind: Kind, name: &str) -> Result<(), String> {
        let answer = self.ask(Method::DELETE, &own(&kind.path(name)), None).await?;
        match answer.status {
            StatusCode::OK | StatusCode::NOT_FOUND => Ok(()),
            _ => Err(answer.refusal()),
        }
    }

    /// Switches a rule on.
    pub(super) async fn activate(&self, rule: &str) -> Result<(), String> {
        let body = json!({"status": "active"});
        let answer = self.ask(Method::POST, &own(&Kind::Rule.path(rule)), Some(&body)).await?;
        if answer.status.is_success() { Ok(()) } else { Err(answer.refusal()) }
    }

    /// Fires a trigger. False if no active rule hangs on it.
    pub(super) async fn fire(&self, trigger: &str) -> Result<bool, String> {
        let answer = self.ask(Method::POST, &own(&Kind::Trigger.path(trigger)), Some(&json!({}))).await?;
        match answer.status {
            StatusCode::NO_CONTENT => Ok(false),
            status if status.is_success() => Ok(true),
            _ => Err(answer.refusal()),
        }
    }

    /// Lets the feed at `path`, as `whisk.system/actions/alarms/alarm`, do something, and waits for it.
    pub(super) async fn invoke_feed(
        &self,
        path: &str,
        mut params: Map<String, Value>,
    ) -> Result<Answer, String> {
        params.insert("authKey".to_owned(), self.key.expose().into());
        let path = format!("/api/v1/namespaces/{path}?blocking=true");
        self.ask(Method::POST, &path, Some(&Value::Object(params))).await
    }

    /// Full records of the oldest of the newest ten activations of `name` since then, oldest first.
    pub(super) async fn activations(&self, name: &str, since_ms: u64) -> Result<Vec<Value>, String> {
        let path = own(&format!("activations?name={name}&since={since_ms}&limit=10&docs=true"));
        let answer = self.ask(Method::GET, &path, None).await?;
        match answer.body {
            Value::Array(mut records) if answer.status == StatusCode::OK => {
                records.reverse();
                Ok(records)
            }
            _ => Err(answer.refusal()),
        }
    }

    /// One record, once there is one.
    pub(super) async fn activation(&self, id: &str) -> Result<Option<Value>, String> {
        let answer = self.ask(Method::GET, &own(&format!("activations/{id}")), None).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer.body)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(answer.refusal()),
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, String> {
        let body = body.map(|body| body.to_string().into_bytes());
        let (status, bytes) = self.api.call(method, path, body).await?;
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or_default() })
    }
}

impl Answer {
    /// Why the API would not, as a sentence without its full stop.
    pub(super) fn refusal(&self) -> String {
        let status = self.status.as_u16();
        let said = match error_text(&self.body) {
            Some(text) => format!(
                "the API says: {} (HTTP {status})",
                text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.')
            ),
            None => format!("the API answered with HTTP {status}"),
        };
        match status {
            401 => format!("{said}; give it the right key (__OW_API_KEY, or AUTH in ~/.wskprops)"),
            403 => format!("{said}; the key may not do this"),
            413 => format!("{said}; code or parameters are too large"),
            429 => format!("{said}; wait a minute"),
            _ => said,
        }
    }
}

/// The text of an error, however deep it lies: the alarms feed wraps it once more (docs/facts/openwhisk.md 4).
pub(super) fn error_text(body: &Value) -> Option<&str> {
    let mut error = body.get("error")?;
    while let Some(inner) = error.get("error") {
        error = inner;
    }
    error.as_str()
}

fn own(rest: &str) -> String {
    format!("/api/v1/namespaces/_/{rest}")
}
