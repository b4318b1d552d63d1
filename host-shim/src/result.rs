//! What a run hands back: one JSON object, bounded, without secrets.

use serde_json::{Map, Value, json};

use crate::secret::Secret;
use whiskjack_settings::Fault;

/// OpenWhisk takes results of up to 1 MiB; a little is left for what it wraps around them.
const LARGEST: usize = (1 << 20) - 4096;

/// Shorter texts are not looked for: replacing them would garble the result and protect nothing.
const SHORTEST_SECRET: usize = 8;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All that was asked for was read, acknowledged and saved.
    Complete,
    /// Something failed or is still owed; the next run goes on from there.
    Incomplete,
    /// The configuration is wrong. Nothing was read or sent.
    InvalidConfig,
}

/// The result of a run.
#[derive(Clone, Debug)]
pub struct RunResult {
    /// A JSON object below 1 MiB. It has the key `error` if anything failed.
    pub object: Map<String, Value>,
    /// How the run ended.
    pub verdict: Verdict,
    /// What is wrong with the configuration, if it is.
    pub faults: Vec<Fault>,
}

impl RunResult {
    /// A run that achieved nothing, and why.
    pub(crate) fn error(message: impl Into<String>) -> Self {
        let mut object = Map::new();
        object.insert("error".to_owned(), Value::String(message.into()));
        Self { object, verdict: Verdict::Incomplete, faults: Vec::new() }
    }

    /// A configuration that cannot be used; each key is named once.
    pub(crate) fn invalid_config(mut faults: Vec<Fault>) -> Self {
        let mut keys = std::collections::HashSet::new();
        faults.retain(|fault| keys.insert(fault.key.clone()));
        let count = match faults.len() {
            1 => "1 fault".to_owned(),
            count => format!("{count} faults"),
        };
        let list: Vec<String> =
            faults.iter().map(|fault| format!("{}: {}", fault.key, fault.remedy)).collect();
        let mut object = Map::new();
        object
            .insert("error".to_owned(), format!("the configuration has {count}: {}", list.join("; ")).into());
        object.insert("faults".to_owned(), json!(faults));
        Self { object, verdict: Verdict::InvalidConfig, faults }
    }

    /// The component's own report, with what went wrong around it.
    pub(crate) fn report(result: &[u8], complete: bool, saved: bool, problems: &[String]) -> Self {
        let Ok(Value::Object(mut object)) = serde_json::from_slice(result) else {
            return Self::error(
                "the forwarder's report is not a JSON object; build again with `cargo xtask build`",
            );
        };
        if !saved {
            object.insert("checkpoint".to_owned(), "not saved".into());
        }
        if !problems.is_empty() {
            let own = object.get("error").and_then(Value::as_str).map(str::to_owned);
            let all: Vec<String> = own.into_iter().chain(problems.iter().cloned()).collect();
            object.insert("error".to_owned(), all.join("; ").into());
        }
        let complete = complete && !object.contains_key("error");
        let verdict = if complete { Verdict::Complete } else { Verdict::Incomplete };
        Self { object, verdict, faults: Vec::new() }
    }

    /// The same without secrets, and small enough. A guard only: none should have come this far.
    pub(crate) fn sealed(mut self, secrets: &[Secret]) -> Self {
        let texts = long_ones(secrets);
        let object = std::mem::take(&mut self.object);
        self.object =
            object.into_iter().map(|(key, value)| (redacted(&key, &texts), clean(value, &texts))).collect();
        for fault in &mut self.faults {
            for text in [&mut fault.key, &mut fault.value, &mut fault.remedy] {
                *text = redacted(text, &texts);
            }
        }
        let size = serde_json::to_string(&self.object).map_or(usize::MAX, |text| text.len());
        if size > LARGEST {
            let (verdict, faults) = (self.verdict, self.faults);
            let done = if verdict == Verdict::Complete { "; the run itself was complete" } else { "" };
            return Self {
                verdict,
                faults,
                ..Self::error(format!("the result was too large to be returned ({size} bytes){done}"))
            };
        }
        self
    }
}

/// The same text without secrets.
pub(crate) fn without(text: &str, secrets: &[Secret]) -> String {
    redacted(text, &long_ones(secrets))
}

fn long_ones(secrets: &[Secret]) -> Vec<&str> {
    let texts = secrets.iter().map(|secret| secret.expose().trim());
    texts.filter(|text| text.len() >= SHORTEST_SECRET).collect()
}

fn clean(value: Value, secrets: &[&str]) -> Value {
    match value {
        Value::String(text) => Value::String(redacted(&text, secrets)),
        Value::Array(items) => items.into_iter().map(|item| clean(item, secrets)).collect(),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(key, value)| (redacted(&key, secrets), clean(value, secrets)))
                .collect(),
        ),
        other => other,
    }
}

fn redacted(text: &str, secrets: &[&str]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "(not shown)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(key: &str) -> Fault {
        Fault { key: key.to_owned(), value: "1".to_owned(), remedy: "fix it".to_owned() }
    }

    #[test]
    fn faults_of_host_and_component_make_one_error_that_names_each_key_once() {
        let result =
            RunResult::invalid_config(vec![fault("logstash.port"), fault("actions"), fault("logstash.port")]);
        assert_eq!(
            result.object.get("error").unwrap(),
            "the configuration has 2 faults: logstash.port: fix it; actions: fix it"
        );
        assert_eq!(
            result.object.get("faults").unwrap()[1],
            json!({"key": "actions", "value": "1", "remedy": "fix it"})
        );
    }

    #[test]
    fn a_secret_is_replaced_wherever_it_stands() {
        let result = RunResult::report(
            br#"{"note":["key 0123456789:abcdef!"],"0123456789:abcdef":1}"#,
            true,
            true,
            &[],
        )
        .sealed(&[Secret::new("0123456789:abcdef"), Secret::new("key")]);
        assert_eq!(Value::Object(result.object), json!({"note": ["key (not shown)!"], "(not shown)": 1}));
    }

    #[test]
    fn a_problem_outside_the_component_joins_its_error_and_the_run_is_not_complete() {
        let result = RunResult::report(br#"{"sent":3,"error":"one"}"#, true, true, &["two".to_owned()]);
        assert_eq!(Value::Object(result.object), json!({"sent": 3, "error": "one; two"}));
        assert_eq!(result.verdict, Verdict::Incomplete);
    }

    #[test]
    fn a_result_over_the_platforms_limit_becomes_an_error_within_it() {
        let report = serde_json::to_vec(&json!({"x": "y".repeat(1 << 20)})).unwrap();
        let result = RunResult::report(&report, true, true, &[]).sealed(&[]);
        assert!(result.object.get("error").unwrap().as_str().unwrap().contains("too large"));
    }
}
