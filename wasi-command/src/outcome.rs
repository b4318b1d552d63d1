//! The result line: one JSON object, as the action returns it.

use std::path::Path;

use serde_json::{Map, Value, json};

use whiskjack_config_file::Source;

use whiskjack_settings::{Fault, text};

/// Shorter texts are not looked for: replacing them would garble the result and protect nothing.
const SHORTEST_SECRET: usize = 8;

/// What came of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// It has the key `error` if anything failed.
    pub object: Map<String, Value>,
    /// Whether all that was asked for was read, acknowledged and saved.
    pub complete: bool,
    /// What is wrong with the configuration, if it is.
    pub faults: Vec<Fault>,
}

impl Outcome {
    /// A run that achieved nothing, and why.
    pub fn error(message: impl Into<String>) -> Self {
        let object = Map::from_iter([("error".to_owned(), Value::String(message.into()))]);
        Self { object, complete: false, faults: Vec::new() }
    }

    /// A configuration that cannot be used; each key is named once.
    pub fn invalid_config(mut faults: Vec<Fault>) -> Self {
        let mut keys = std::collections::HashSet::new();
        faults.retain(|fault| keys.insert(fault.key.clone()));
        let list: Vec<String> =
            faults.iter().map(|fault| format!("{}: {}", fault.key, fault.remedy)).collect();
        let count = match faults.len() {
            1 => "1 fault".to_owned(),
            count => format!("{count} faults"),
        };
        let mut outcome = Self::error(format!("the configuration has {count}: {}", list.join("; ")));
        outcome.object.insert("faults".to_owned(), json!(faults));
        Self { faults, ..outcome }
    }

    /// The forwarder's own report; `saved` says why the checkpoint could not be saved, `warning` what the command has to say besides.
    pub fn report(result: &[u8], complete: bool, saved: Result<(), String>, warning: Option<String>) -> Self {
        let Ok(Value::Object(mut object)) = serde_json::from_slice(result) else {
            return Self::error(
                "the forwarder's report is not a JSON object; build again with `cargo xtask build`",
            );
        };
        if let Some(warning) = warning
            && let Value::Array(all) = object.entry("warnings").or_insert_with(|| json!([]))
        {
            all.push(warning.into());
        }
        if let Err(problem) = saved {
            let own = object.get("error").and_then(Value::as_str).map(|own| format!("{own}; "));
            object.insert("error".to_owned(), format!("{}{problem}", own.unwrap_or_default()).into());
            object.insert("checkpoint".to_owned(), "not saved".into());
        }
        let complete = complete && !object.contains_key("error");
        Self { object, complete, faults: Vec::new() }
    }

    /// The same with what the file shows in the place of a variable's value.
    pub fn as_written(mut self, source: &Source) -> Self {
        for fault in self.faults.iter_mut().filter(|fault| !fault.value.is_empty()) {
            if let Some(variable) = source.variable(&fault.key) {
                fault.value = variable.to_owned();
            }
        }
        if !self.faults.is_empty() {
            self.object.insert("faults".to_owned(), json!(self.faults));
        }
        self
    }

    /// The same with the name of the file that the forwarder only knows as the state handed in.
    pub fn with_state(mut self, state: Option<&Path>) -> Self {
        if let Some(state) = state {
            let name = format!("--state {}", state.display());
            self.object.values_mut().for_each(|value| {
                text::change_each(value, &|text| text.replace("the state handed in", &name))
            });
        }
        self
    }

    /// The object on one line, its texts without the API key. A guard only: it should not have come this far.
    pub fn line(&self, key: Option<&str>) -> String {
        let mut object = self.object.clone();
        object.values_mut().for_each(|value| text::change_each(value, &|text| redacted(text, key)));
        Value::Object(object).to_string()
    }
}

/// The text without the API key and its second half.
pub fn redacted(text: &str, key: Option<&str>) -> String {
    let password = key.and_then(|key| Some(key.split_once(':')?.1));
    let secrets = key.into_iter().chain(password).filter(|secret| secret.len() >= SHORTEST_SECRET);
    secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "(not shown)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_command_and_forwarder_make_one_error_that_names_each_key_once() {
        let fault =
            |key: &str| Fault { key: key.to_owned(), value: "1".to_owned(), remedy: "fix it".to_owned() };
        let outcome =
            Outcome::invalid_config(vec![fault("logstash.port"), fault("actions"), fault("actions")]);
        let error = "the configuration has 2 faults: logstash.port: fix it; actions: fix it";
        assert_eq!(outcome.object.get("error"), Some(&json!(error)));
        assert_eq!((outcome.faults.len(), outcome.complete), (2, false));
    }

    #[test]
    fn a_checkpoint_that_was_not_saved_joins_the_forwarders_error() {
        let outcome = Outcome::report(br#"{"sent":3,"error":"one"}"#, true, Err("two".to_owned()), None);
        assert_eq!(
            Value::Object(outcome.object),
            json!({"sent": 3, "error": "one; two", "checkpoint": "not saved"})
        );
        assert!(!outcome.complete);
        assert!(Outcome::report(b"{}", true, Ok(()), None).complete);
        assert!(!Outcome::report(b"[]", true, Ok(()), None).complete);
    }

    #[test]
    fn a_warning_joins_those_of_the_forwarder_and_the_state_is_called_by_its_file() {
        let report = br#"{"warnings":["the checkpoint in the state handed in cannot be read"]}"#;
        let outcome = Outcome::report(report, true, Ok(()), Some("two".to_owned()));
        let named = outcome.with_state(Some(Path::new("s.json")));
        let expected = json!(["the checkpoint in --state s.json cannot be read", "two"]);
        assert_eq!(named.object["warnings"], expected);
        assert!(named.complete);
    }

    #[test]
    fn a_key_of_the_result_stays_though_the_secret_is_the_same_word() {
        let outcome = Outcome::report(br#"{"a":"activations","activations":3}"#, true, Ok(()), None);
        assert_eq!(outcome.line(Some("u:activations")), r#"{"a":"(not shown)","activations":3}"#);
    }

    #[test]
    fn the_key_is_not_in_the_line() {
        let outcome = Outcome::error("abc:secret-of-mine, then secret-of-mine, then abc");
        let line = outcome.line(Some("abc:secret-of-mine"));
        assert_eq!(line, r#"{"error":"(not shown), then (not shown), then abc"}"#);
    }
}
