//! Details of an activation in its record, besides name, times and lines (docs/facts/openwhisk.md 1.4).

use super::{ActivationId, Record};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Most activations of a sequence that are listed.
const MOST_CAUSES: usize = 50;

/// Longest text that is taken over, in bytes: names in OpenWhisk are shorter, and the checkpoint may have to keep it.
const LONGEST: usize = 1_024;

/// Details of an activation for its documents. A field that the record does not have, or that is odd in it, is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Details {
    /// Full name of the action without a leading slash: `namespace/[package/]action`, with its owner's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The binding through which it was invoked, `namespace/binding`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding: Option<String>,
    /// The runtime, such as `nodejs:20`; or `blackbox`, `sequence`, `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Version of the action, `1.2.3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The sequence's or composition's activation that it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<ActivationId>,
    /// The kind of its cause: `sequence`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<String>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Time that it waited for a container, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
    /// Time that the container's initialisation took, in milliseconds; only cold starts have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_ms: Option<u64>,
    /// The limits that it ran with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Whether the platform ended it at its time limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timed_out: Option<bool>,
    /// The activations that a sequence or composition consisted of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<ActivationId>,
    /// Whether it is an activation of a trigger.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_trigger: bool,
    /// The reason of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Reason>,
}

/// Why an activation failed, from its result's `error`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What kind it is: a name, a code or a status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// Limits of an action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory, in megabytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Time, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
}

/// How an activation ended. The numbers are those of a list's `statusCode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 0.
    Success,
    /// 1: the action said that it failed.
    ApplicationError,
    /// 2: the action crashed, hung or did not start.
    DeveloperError,
    /// 3: the platform failed.
    InternalError,
}

impl Status {
    const ALL: [Self; 4] = [Self::Success, Self::ApplicationError, Self::DeveloperError, Self::InternalError];

    /// The name in a record's `response.status`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::ApplicationError => "application error",
            Self::DeveloperError => "action developer error",
            Self::InternalError => "whisk internal error",
        }
    }

    /// As the checkpoint has it.
    fn key(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::ApplicationError => "application-error",
            Self::DeveloperError => "developer-error",
            Self::InternalError => "internal-error",
        }
    }

    fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.key() == key)
    }

    /// The number in a list's `statusCode`.
    pub fn code(self) -> u8 {
        self as u8
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.key())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Response<'a> {
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    success: Option<bool>,
}

/// From the checkpoint, and so rarely: by way of a JSON value, which takes a sixth of the derived code.
impl<'de> Deserialize<'de> for Details {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(|fields| Self::kept(&fields))
    }
}

impl Details {
    fn kept(fields: &Map<String, Value>) -> Self {
        let text = |name: &str| Some(fields.get(name)?.as_str()?.to_owned());
        let number = |name: &str| fields.get(name)?.as_u64();
        let switch = |name: &str| fields.get(name)?.as_bool();
        let ids = |id: &Value| id.as_str()?.parse().ok();
        let limits = fields.get("limits").and_then(Value::as_object);
        let error = fields.get("error").and_then(Value::as_object);
        Self {
            path: text("path"),
            binding: text("binding"),
            kind: text("kind"),
            version: text("version"),
            cause: fields.get("cause").and_then(ids),
            caused_by: text("caused_by"),
            status: text("status").and_then(|name| Status::of_key(&name)),
            wait_ms: number("wait_ms"),
            init_ms: number("init_ms"),
            limits: limits.map(|limits| Limits {
                memory: limits.get("memory").and_then(Value::as_u64),
                timeout: limits.get("timeout").and_then(Value::as_u64),
            }),
            timed_out: switch("timed_out"),
            causes: fields
                .get("causes")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(ids)
                .collect(),
            is_trigger: switch("is_trigger").unwrap_or_default(),
            error: error.map(|error| {
                let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
                Reason { message: text("message"), kind: text("kind") }
            }),
        }
    }

    /// The details on which the treatment of lines depends.
    pub fn essential(&self) -> Self {
        let Self { path, binding, status, .. } = self.clone();
        Self { path, binding, status, ..Self::default() }
    }
}

impl Record<'_> {
    /// The details of its activation.
    pub fn details(&self) -> Details {
        Details {
            path: self.text("path"),
            binding: self.text("binding"),
            kind: self.text("kind"),
            version: bounded(self.version),
            cause: read(self.cause),
            caused_by: self.text("causedBy"),
            status: self.status(),
            wait_ms: read(self.annotation("waitTime")),
            init_ms: read(self.annotation("initTime")),
            limits: self.annotation("limits").and_then(object),
            timed_out: read(self.annotation("timeout")),
            causes: self.causes(),
            is_trigger: self.is_trigger(),
            error: None,
        }
    }

    /// How it ended, if it says so. A response with another status still says whether it was a success.
    pub fn status(&self) -> Option<Status> {
        let response: Response<'_> = self.response.and_then(object).unwrap_or_default();
        let named = bounded(response.status).and_then(|name| Status::of_name(&name));
        let coded = || read(self.status_code).and_then(Status::of_code);
        let known =
            response.success.map(|success| if success { Status::Success } else { Status::ApplicationError });
        named.or_else(coded).or(known)
    }

    fn causes(&self) -> Vec<ActivationId> {
        if self.has_log_lines() || self.is_trigger() {
            return Vec::new();
        }
        self.logs.iter().filter_map(|entry| entry.line().text().parse().ok()).take(MOST_CAUSES).collect()
    }

    fn text(&self, key: &str) -> Option<String> {
        bounded(self.annotation(key))
    }
}

fn bounded(json: Option<&RawValue>) -> Option<String> {
    read::<String>(json).filter(|text| !text.is_empty() && text.len() <= LONGEST)
}

/// What an object holds. A list is none, though it would be read member by member.
pub(super) fn object<'a, T: Deserialize<'a>>(json: &'a RawValue) -> Option<T> {
    json.get().starts_with('{').then(|| serde_json::from_slice(json.get().as_bytes()).ok())?
}

/// What it holds, if it is that.
fn read<T: DeserializeOwned>(json: Option<&RawValue>) -> Option<T> {
    serde_json::from_slice(json?.get().as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn details(record: Value) -> Details {
        Record::parse(record.to_string().as_bytes()).unwrap().details()
    }

    #[test]
    fn what_is_there_is_read_and_what_is_odd_is_left_out() {
        let record = |annotations: Value, rest: Value| {
            let mut record = json!({"activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "namespace": "guest", "name": "hello", "start": 1,
                "end": 2000, "annotations": annotations, "logs": []});
            record.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            record
        };
        let full = details(record(
            json!([{"key": "path", "value": "guest/pkg/hello"}, {"key": "kind", "value": "nodejs:20"},
                {"key": "limits", "value": {"memory": 256, "timeout": 60000, "logs": 10}}, {"key": "waitTime", "value": 12},
                {"key": "initTime", "value": 340}, {"key": "timeout", "value": false}, {"key": "causedBy", "value": "sequence"},
                {"key": "binding", "value": "guest/bound"}]),
            json!({"version": "0.0.3", "cause": "ffffffffffffffffffffffffffffffff", "response": {"status": "action developer error", "result": {"error": "x"}}}),
        ));
        assert_eq!(
            full,
            Details {
                path: Some("guest/pkg/hello".into()),
                binding: Some("guest/bound".into()),
                kind: Some("nodejs:20".into()),
                version: Some("0.0.3".into()),
                cause: "ffffffffffffffffffffffffffffffff".parse().ok(),
                caused_by: Some("sequence".into()),
                status: Some(Status::DeveloperError),
                wait_ms: Some(12),
                init_ms: Some(340),
                limits: Some(Limits { memory: Some(256), timeout: Some(60_000) }),
                timed_out: Some(false),
                causes: Vec::new(),
                is_trigger: false,
                error: None,
            }
        );
        assert_eq!(
            details(record(json!([{"key": "limits", "value": [256, 1]}]), json!({}))),
            Details::default()
        );
        let odd = details(record(
            json!([{"key": "path", "value": 7}, {"key": "kind", "value": "x".repeat(2_000)}, {"key": "limits", "value": 5},
                {"key": "waitTime", "value": -1}, {"key": "initTime", "value": "1"}]),
            json!({"version": ["1"], "cause": "no id", "response": {"status": "well"}, "statusCode": 9}),
        ));
        assert_eq!(odd, Details::default());
    }

    #[test]
    fn the_checkpoint_keeps_them_under_the_names_that_it_always_had() {
        let all = json!({
            "path": "guest/pkg/hello", "binding": "guest/bound", "kind": "nodejs:20", "version": "0.0.3",
            "cause": "ffffffffffffffffffffffffffffffff", "caused_by": "sequence", "status": "developer-error", "wait_ms": 12, "init_ms": 340,
            "limits": {"memory": 256, "timeout": 60_000}, "timed_out": false, "causes": ["0a1b2c3d4e5f60718293a4b5c6d7e8f9"],
            "is_trigger": true, "error": {"message": "no money", "kind": "PaymentError"}
        });
        for kept in [
            json!({}),
            all,
            json!({"limits": {}, "error": {"message": "x"}}),
            json!({"error": {"kind": "500"}}),
        ] {
            let read: Details = serde_json::from_value(kept.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), kept);
        }
        for status in Status::ALL {
            assert_eq!(Status::of_key(status.key()), Some(status));
        }
        let odd = json!({"path": 7, "status": "well", "wait_ms": "1", "causes": ["no id"], "later": []});
        assert_eq!(serde_json::from_value::<Details>(odd).unwrap(), Details::default());
    }

    #[test]
    fn the_status_is_found_in_records_summaries_and_bare_responses() {
        let status = |rest: Value| {
            let mut record = json!({"activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "start": 1});
            record.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            details(record).status
        };
        for known in Status::ALL {
            assert_eq!(status(json!({"response": {"status": known.name()}})), Some(known));
            assert_eq!(status(json!({"statusCode": known.code()})), Some(known));
        }
        assert_eq!(status(json!({"response": {"success": true}})), Some(Status::Success));
        assert_eq!(
            status(json!({"response": {"status": "odd", "success": false}})),
            Some(Status::ApplicationError)
        );
        assert_eq!(status(json!({"response": null})), None);
        assert_eq!(status(json!({"response": "odd"})), None);
    }
}
