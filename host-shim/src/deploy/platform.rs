//! The part of the OpenWhisk API that deploying needs (docs/facts/openwhisk.md 1.6, 4, 5).

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use crate::http::{Answer, Api};
use crate::origin::Origin;
use crate::said;
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

/// Most time that the API is left alone because it asks for that, each time; what takes longer is for people to wait for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// So often it is left alone for one request.
const PAUSES: usize = 3;

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

    /// Whether the API has refused the key.
    pub(super) fn has_refused_key(&self) -> bool {
        self.api.has_refused_key()
    }

    /// The key's namespaces: its own first.
    pub(super) async fn namespaces(&self) -> Result<Vec<String>, String> {
        let answer = self.ask(Method::GET, "/api/v1/namespaces", None).await?;
        let all = answer.body.as_array().map(Vec::as_slice).unwrap_or_default();
        let named: Vec<String> = all.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        match named.is_empty() {
            false if answer.status == StatusCode::OK => Ok(named),
            _ => Err(answer.refusal()),
        }
    }

    pub(super) async fn find(&self, kind: Kind, name: &str) -> Result<Found, String> {
        // The code would be megabytes.
        let query = if kind == Kind::Action { "?code=false" } else { "" };
        let answer = self.ask(Method::GET, &own(&format!("{}{query}", kind.path(name))), None).await?;
        match answer.status {
            _ if answer.is_missing() => Ok(Found::Nothing),
            StatusCode::OK if answer.is_entity() => {
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
            StatusCode::OK => Ok(()),
            _ if answer.is_missing() => Ok(()),
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

    /// The newest full records of `name`, newest first.
    pub(super) async fn newest(&self, name: &str, limit: u32) -> Result<Vec<Value>, String> {
        let path = own(&format!("activations?name={name}&limit={limit}&docs=true"));
        let answer = self.ask(Method::GET, &path, None).await?;
        match answer.body {
            Value::Array(records) if answer.status == StatusCode::OK => Ok(records),
            _ => Err(answer.refusal()),
        }
    }

    /// What the API shows of an entity, and whether a deployment has made it; nothing if there is none.
    pub(super) async fn shown(&self, kind: Kind, name: &str) -> Result<Option<(Value, bool)>, String> {
        match self.find(kind, name).await? {
            Found::Nothing => Ok(None),
            found => Ok(Some((self.stored(kind, name).await?, matches!(found, Found::Ours)))),
        }
    }

    /// One record, once there is one.
    pub(super) async fn activation(&self, id: &str) -> Result<Option<Value>, String> {
        let answer = self.ask(Method::GET, &own(&format!("activations/{id}")), None).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer.body)),
            _ if answer.is_missing() => Ok(None),
            _ => Err(answer.refusal()),
        }
    }

    /// What the platform tells of itself to everybody: its limits and kinds. Null if it does not.
    pub(super) async fn info(&self) -> Value {
        let answer = self.ask(Method::GET, "/", None).await;
        answer
            .ok()
            .filter(|answer| answer.status == StatusCode::OK)
            .map(|answer| answer.body)
            .unwrap_or_default()
    }

    /// Asks, again if the API is busy and says for how long.
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, String> {
        let body = body.map(|body| Bytes::from(body.to_string()));
        let mut pauses = 0;
        loop {
            let called = self.api.call(method.clone(), path, body.clone()).await;
            let called = called.map_err(|error| format!("the API at {error}"))?;
            let is_busy =
                [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&called.status);
            let pause = called.retry_after.filter(|pause| is_busy && *pause <= LONGEST_PAUSE);
            let Some(pause) = pause.filter(|_| pauses < PAUSES) else { return Ok(Answer::new(&called)) };
            pauses += 1;
            said::to_stderr(format_args!(
                "whiskjack: the API is busy (HTTP {}) and asks for a pause; trying again in {} s",
                called.status.as_u16(),
                pause.as_secs()
            ));
            sleep(pause).await;
        }
    }
}

fn own(rest: &str) -> String {
    format!("/api/v1/namespaces/_/{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Called, Pool, Way};
    use crate::tls::Trust;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    fn answer(status: u16, body: &'static str) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        Answer::new(&Called {
            status,
            body: Bytes::from_static(body.as_bytes()),
            retry_after: None,
            date: None,
        })
    }

    #[test]
    fn only_openwhisk_itself_can_say_that_there_is_nothing() {
        assert!(answer(404, r#"{"error":"The requested resource does not exist.","code":"x"}"#).is_missing());
        for body in ["", "<html>", "{}", r#"{"error":"not found"}"#, r#"{"code":5}"#, "[]"] {
            assert!(!answer(404, body).is_missing(), "{body}");
        }
        assert!(!answer(200, r#"{"error":"x","code":"x"}"#).is_missing());
    }

    #[test]
    fn an_answer_that_is_not_openwhisks_is_told_with_what_to_look_at() {
        for (status, body, part) in [
            (
                200,
                " <html>",
                "HTTP 200 with HTML is not an answer of the OpenWhisk API; give its own address as the API host (",
            ),
            (200, "{}", "HTTP 200 with other JSON is not an answer"),
            (204, "", "HTTP 204 with an empty body is not an answer"),
            (404, "nothing here", "HTTP 404 with a body that is not JSON is not an answer"),
            (404, r#"{"error":"gone","code":"x"}"#, "the API says: gone (HTTP 404)"),
            (
                302,
                "",
                "the answer leads elsewhere (HTTP 302); give the address that it leads to as the API host (__OW_API_HOST",
            ),
            (502, "<html>", "the API answered with HTTP 502; try again in a while"),
            (
                401,
                r#"{"error":"no.","code":"x"}"#,
                "this API key is not accepted: the API says: no (HTTP 401); give the right one as __OW_API_KEY",
            ),
            (403, "", "this API key may not do this: the API answered with HTTP 403; give one that may"),
        ] {
            let refusal = answer(status, body).refusal();
            assert!(refusal.starts_with(part), "{refusal}");
        }
    }

    /// A platform whose API gives these answers, one after the other, and the last one again and again.
    async fn platform(answers: &'static [&'static str]) -> Platform {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            let mut answers = answers.iter().chain(answers.last().into_iter().cycle());
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(socket.read_u8().await.unwrap());
                }
                let answer = answers.next().unwrap();
                socket.write_all(format!("HTTP/1.1 {answer}").as_bytes()).await.unwrap();
            }
        });
        let (pool, way, key) = (Pool::default(), Way::direct(Trust::Public), Secret::new("u:s"));
        let api = Api::new(&pool, &way, Some(origin.clone()), Some(&key), None).unwrap();
        Platform::new(api, origin, key)
    }

    #[tokio::test]
    async fn a_busy_api_is_asked_again_after_the_pause_that_it_asks_for_within_reason() {
        const BUSY: &str = "429 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        const DOWN: &str = "503 Down\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        const LONG: &str = "429 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        const GUEST: &str = "200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n[\"guest\"]";
        assert_eq!(
            platform(&[BUSY, DOWN, BUSY, GUEST]).await.namespaces().await,
            Ok(vec!["guest".to_owned()])
        );
        for (answers, status) in [(&[LONG, GUEST][..], "429"), (&[BUSY, BUSY, BUSY, DOWN], "503")] {
            let refused = platform(answers).await.namespaces().await.unwrap_err();
            assert!(refused.contains(status), "{refused}");
        }
    }
}
