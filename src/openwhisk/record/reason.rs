//! Why an activation failed: what `error` in its result says, whatever it is.

use super::Record;
use super::details::{Reason, Status, object};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use whiskjack_settings::text::json;

/// Longest text that is taken over, in bytes.
const LONGEST: usize = 512;
/// Errors within errors.
const DEEPEST: usize = 4;

/// Members of an error that tell what went wrong, the best first.
const MESSAGES: [&str; 11] = [
    "message",
    "errorMessage",
    "error_message",
    "error_description",
    "msg",
    "error",
    "description",
    "reason",
    "detail",
    "title",
    "body",
];

/// Members that tell what kind of error it is, the best first.
const KINDS: [&str; 9] =
    ["name", "type", "errorType", "error_type", "code", "errorCode", "error_code", "statusCode", "status"];

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Failed<'a> {
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl Record<'_> {
    /// Why it failed, if it did and its result says so. The rest of a result is nobody's business. Each text goes through `clean`, which gives it
    /// without secrets if it has some, and is cut only then: no half of a secret is left.
    pub fn reason(&self, clean: &dyn Fn(&str) -> Option<String>) -> Option<Reason> {
        if !matches!(self.status(), Some(status) if status != Status::Success) {
            return None;
        }
        let response: Response<'_> = object(self.response?)?;
        let result: Failed<'_> = object(response.result?)?;
        let error = serde_json::from_slice(result.error?.get().as_bytes()).ok()?;
        let tidy = |text: String| {
            let mut text = clean(&text).unwrap_or(text);
            text.truncate(text.floor_char_boundary(LONGEST));
            text
        };
        let Reason { message, kind } = Reason::of(error, DEEPEST);
        let reason = Reason { message: message.map(tidy), kind: kind.map(tidy) };
        (reason != Reason::default()).then_some(reason)
    }
}

impl Reason {
    fn of(error: Value, depth: usize) -> Self {
        match error {
            Value::Object(members) => Self::of_object(members, depth),
            other => Self { message: text(&other), kind: None },
        }
    }

    fn of_object(mut members: Map<String, Value>, depth: usize) -> Self {
        let is_one = |value: &&Value| !value.is_object() && !value.is_array();
        let kind = KINDS.iter().find_map(|name| members.get(*name).filter(is_one).and_then(text));
        let told = MESSAGES.iter().find(|name| members.get(**name).and_then(text).is_some());
        if let Some(told) = told.filter(|_| depth > 0)
            && let Some(inner) = members.remove(*told)
        {
            let inner = Self::of(inner, depth - 1);
            return Self { kind: kind.or(inner.kind), ..inner };
        }
        let message = if kind.is_none() { text(&Value::Object(members)) } else { None };
        Self { message, kind }
    }
}

/// A value as a text, if it says anything.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Array(items) if items.is_empty() => None,
        Value::Object(members) if members.is_empty() => None,
        other => Some(json(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of_result(result: &Value) -> Value {
        let record = json!({"activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "start": 1,
            "response": {"status": "application error", "result": result}});
        let record = record.to_string();
        let reason = Record::parse(record.as_bytes()).unwrap().reason(&|_| None);
        reason.map_or(Value::Null, |reason| json!([reason.message, reason.kind]))
    }

    #[test]
    fn an_error_is_told_whatever_form_it_has() {
        for (error, expected) in [
            (json!("boom"), json!(["boom", null])),
            (json!({"message": "m", "name": "E"}), json!(["m", "E"])),
            (json!({"statusCode": 500, "body": "b"}), json!(["b", "500"])),
            (json!({"code": "E_FAIL"}), json!([null, "E_FAIL"])),
            (json!({"errorMessage": "m", "errorType": "T"}), json!(["m", "T"])),
            (json!({"error": {"code": 7, "msg": "m"}}), json!(["m", "7"])),
            (
                json!({"statusCode": 502, "body": {"error": {"message": "m", "type": "T"}}}),
                json!(["m", "502"]),
            ),
            (json!({"message": null, "name": "", "error": "m"}), json!(["m", null])),
            (json!({"message": "", "code": "E"}), json!([null, "E"])),
            (json!(12), json!(["12", null])),
            (json!(true), json!(["true", null])),
            (json!(["a", {"b": 1}]), json!([r#"["a",{"b":1}]"#, null])),
            (json!({"errors": [1]}), json!([r#"{"errors":[1]}"#, null])),
        ] {
            assert_eq!(of_result(&json!({"error": error, "more": "x"})), expected, "{error}");
        }
        for nothing in [json!(null), json!(""), json!({}), json!([])] {
            assert_eq!(of_result(&json!({"error": nothing})), Value::Null, "{nothing}");
        }
        let deep = (0..100).fold(json!("m"), |error, _| json!({"error": error}));
        assert!(of_result(&deep)[0].as_str().unwrap().starts_with(r#"{"error":{"error":"#));
    }

    #[test]
    fn of_a_result_without_an_error_nothing_is_told() {
        for result in
            [json!(["a"]), json!([["a"]]), json!("a"), json!({"message": "a"}), json!([{"error": "a"}])]
        {
            assert_eq!(of_result(&result), Value::Null, "{result}");
        }
        let of_list = json!({"activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "start": 1, "statusCode": 1, "response": [{"error": "a"}]});
        let of_list = of_list.to_string();
        assert_eq!(Record::parse(of_list.as_bytes()).unwrap().reason(&|_| None), None);
    }

    #[test]
    fn a_text_is_cut_behind_a_whole_character_and_after_it_was_cleaned() {
        let record = json!({"activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "start": 1,
            "response": {"status": "application error", "result": {"error": format!("{}é secret", "x".repeat(507))}}});
        let record = record.to_string();
        let record = Record::parse(record.as_bytes()).unwrap();
        let message = |clean: &dyn Fn(&str) -> Option<String>| record.reason(clean).unwrap().message.unwrap();
        assert_eq!(message(&|_| None), format!("{}é se", "x".repeat(507)));
        assert_eq!(message(&|text| Some(text.replace("secret", "-"))), format!("{}é -", "x".repeat(507)));
        assert_eq!(
            message(&|text| Some(text.replace('x', "").replace("secret", &"ä".repeat(300)))).len(),
            511
        );
    }
}
