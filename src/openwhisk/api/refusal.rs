//! Reasons why the API refused a request: OpenWhisk's own words, if the answer is OpenWhisk's, and advice for the status.

use super::patience::Answer;
use super::read_body;
use crate::ports::Failure;
use serde::Deserialize;
use serde_json::Value;

/// How much of an error's body is read, in bytes.
const ERROR_BODY: usize = 8 << 10;

/// What OpenWhisk said, if the answer is its own.
pub(super) fn said(response: &mut Answer<'_>) -> Option<String> {
    read_body(response, ERROR_BODY).ok().and_then(|body| api_message(&body))
}

/// Why a request was refused. What is not `said` by OpenWhisk decides nothing: it may be another answer the next time.
pub(super) fn refused(status: u16, said: Option<String>, what: &str) -> Failure {
    const LATER: &str = "the next run continues from here";
    let (cause, remedy) = match status {
        401 => ("the API does not accept this API key", "give the present key of a subject of this platform"),
        403 => (
            "this API key has no right to this namespace",
            "give a key of the namespace whose logs are meant",
        ),
        404 => ("there is no such thing", "is `api.host` right, and an OpenWhisk API?"),
        408 | 429 => ("the API is rate-limiting requests", LATER),
        409 => ("the API is at work on it for somebody else", LATER),
        413 => ("the API finds it too large", "ask its operator for the limit"),
        300..=399 => ("the API sends us elsewhere", "give the final address as `api.host`"),
        500.. => ("the API fails", LATER),
        _ => ("the API does not accept the request", "is `api.host` right?"),
    };
    let foreign = said.is_none() && matches!(status, 400..=407 | 409..=428 | 430..=499);
    // What to do comes last.
    let message = match said {
        _ if foreign => {
            format!("{what}: HTTP {status}, but the answer is not from OpenWhisk; is `api.host` right?")
        }
        Some(said) => {
            format!("{what}: HTTP {status}, {cause} (it says: {}); {remedy}", said.trim_end_matches('.'))
        }
        None => format!("{what}: HTTP {status}, {cause}; {remedy}"),
    };
    Failure { message, retryable: foreign || matches!(status, 408 | 429 | 500..) }
}

/// The `error` of a controller's answer, shortened. OpenWhisk gives a `code` with it, which names the transaction (docs/facts/openwhisk.md 1.6). What
/// has no such code, or the HTTP status in its place, is of something in between, as HTML is.
fn api_message(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct ErrorBody {
        error: String,
        /// A text, or a number as older controllers give it.
        code: Value,
    }
    // serde would take an array for an object too.
    let object = body.trim_ascii_start().starts_with(b"{").then_some(body)?;
    let ErrorBody { error, code } = serde_json::from_slice(object).ok()?;
    let number = match &code {
        Value::String(text) if text.is_empty() => return None,
        Value::String(text) => text.parse().ok(),
        number => Some(number.as_u64()?),
    };
    if number.is_some_and(|number| (300..600).contains(&number)) {
        return None;
    }
    Some(error.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_with_a_transaction_is_the_controllers() {
        assert_eq!(api_message(br#"{"code":"x","error":"bad\nthing"}"#), Some("bad thing".into()));
        assert_eq!(
            api_message(br#"{"error":"of an old controller","code":81374}"#),
            Some("of an old controller".into())
        );
        for foreign in [
            "<html>",
            r#"{"status":404,"error":"Not Found"}"#,
            r#"{"code":404,"error":"Not Found"}"#,
            r#"{"code":"404","error":"Not Found"}"#,
            r#"{"code":"","error":"Not Found"}"#,
            r#"{"code":"x","error":{"text":"Not Found"}}"#,
            r#"{"code":null,"error":"Not Found"}"#,
            r#"["x","y"]"#,
        ] {
            assert_eq!(api_message(foreign.as_bytes()), None, "{foreign}");
        }
    }

    #[test]
    fn what_openwhisk_did_not_say_is_tried_again_and_reported_as_such() {
        for status in [400, 401, 403, 404, 409, 413] {
            let foreign = refused(status, None, "it");
            assert!(foreign.retryable && foreign.message.contains("not from OpenWhisk"), "{foreign}");
            let own = refused(status, Some("no".into()), "it");
            assert!(!own.retryable && own.message.contains(" (it says: no); "), "{own}");
        }
        let missing = refused(404, Some("gone".into()), "it").message;
        assert_eq!(
            missing,
            "it: HTTP 404, there is no such thing (it says: gone); is `api.host` right, and an OpenWhisk API?"
        );
        assert!(refused(503, None, "it").message.contains("the API fails"));
    }
}
