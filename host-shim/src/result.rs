//! The result of a run: one JSON object, bounded, without secrets.

use serde_json::{Map, Value, json};

use crate::secret::Secret;
use whiskjack_settings::{Fault, text};

/// OpenWhisk takes results of up to 1 MiB; a little is left for what it wraps around them.
const LARGEST: usize = (1 << 20) - 4096;

/// What the component calls the checkpoint that it was handed.
const STATE: &str = "the state handed in";

/// What the component calls the place of the API's host.
const API_HOST: &str = "`api.host`";

/// What a result says of the checkpoint if it could not be saved; the component looks for it in the records of its runs.
const NOT_SAVED: &str = "not saved";

/// Shorter texts are not looked for: replacing them would garble the result and protect nothing.
const SHORTEST_SECRET: usize = 8;

/// A text of the component's with the name of what it only knows as [`STATE`].
pub(crate) fn with_state(text: &str, name: &str) -> String {
    // As the subject of a sentence it stands before a colon, as everywhere.
    text.replace(&format!("{STATE} is "), &format!("{name}: is ")).replace(STATE, name)
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that was asked for was read, acknowledged and saved.
    Complete,
    /// Something failed or is still owed; the next run continues from there.
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
    /// The faults of the configuration, if it has any.
    pub faults: Vec<Fault>,
}

impl RunResult {
    /// A run that achieved nothing, and why.
    pub(crate) fn error(message: impl Into<String>) -> Self {
        let mut object = Map::new();
        object.insert("error".to_owned(), Value::String(message.into()));
        Self { object, verdict: Verdict::Incomplete, faults: Vec::new() }
    }

    /// A run whose achievements are not saved, and why: the next one does the same again.
    pub(crate) fn unsaved(message: impl Into<String>) -> Self {
        let mut result = Self::error(message);
        result.object.insert("checkpoint".to_owned(), NOT_SAVED.into());
        result
    }

    /// The command was told to do what cannot be done, and why.
    pub(crate) fn misused(message: impl Into<String>) -> Self {
        Self { verdict: Verdict::InvalidConfig, ..Self::error(message) }
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
        let whose =
            if faults.iter().any(|fault| is_elsewhere(&fault.key)) { "" } else { "the configuration has " };
        object.insert("error".to_owned(), format!("{whose}{count}: {}", list.join("; ")).into());
        object.insert("faults".to_owned(), json!(faults));
        Self { object, verdict: Verdict::InvalidConfig, faults }
    }

    /// The error before there was a report: the log does not have it.
    pub fn untold(&self) -> Option<&str> {
        let is_report = |key: &String| key != "error" && key != "checkpoint";
        if self.object.keys().any(is_report) || !self.faults.is_empty() {
            return None;
        }
        self.object.get("error")?.as_str()
    }

    /// The component's own report, with what went wrong around it and what the host has to say besides.
    pub(crate) fn report(
        result: &[u8],
        complete: bool,
        saved: bool,
        problems: &[String],
        warnings: &[String],
    ) -> Self {
        let Ok(Value::Object(mut object)) = serde_json::from_slice(result) else {
            return Self::error(
                "the forwarder's report is not a JSON object; build again with `cargo xtask build`",
            );
        };
        if !saved {
            object.insert("checkpoint".to_owned(), NOT_SAVED.into());
        }
        if !problems.is_empty() {
            let own = object.get("error").and_then(Value::as_str).map(str::to_owned);
            let all: Vec<String> = own.into_iter().chain(problems.iter().cloned()).collect();
            object.insert("error".to_owned(), all.join("; ").into());
        }
        if !warnings.is_empty() {
            let all = object.entry("warnings").or_insert_with(|| json!([]));
            if let Value::Array(all) = all {
                all.extend(warnings.iter().cloned().map(Value::from));
            }
        }
        let complete = complete && !object.contains_key("error");
        let verdict = if complete { Verdict::Complete } else { Verdict::Incomplete };
        Self { object, verdict, faults: Vec::new() }
    }

    /// The same with the name of what the component only knows as [`STATE`].
    pub(crate) fn with_state(mut self, name: &str) -> Self {
        self.each_text(&|text| with_state(text, name));
        self
    }

    /// The same with the place that the API's host was given at, where that is not in the configuration.
    pub(crate) fn with_api_host(mut self, place: &str) -> Self {
        self.each_text(&|text| text.replace(API_HOST, &format!("`{place}`")));
        self
    }

    /// The same without secrets, and small enough. A guard only: none should have come this far. Only texts are looked at: a secret
    /// may be a word that the result has as a key or that stands in a number, and then it tells nothing there.
    pub(crate) fn sealed(mut self, secrets: &[Secret]) -> Self {
        let texts = long_ones(secrets);
        self.each_text(&|text| redacted(text, &texts));
        for fault in &mut self.faults {
            for text in [&mut fault.value, &mut fault.remedy] {
                *text = redacted(text, &texts);
            }
        }
        // With their keys as they are.
        if !self.faults.is_empty() {
            self.object.insert("faults".to_owned(), json!(self.faults));
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

    fn each_text(&mut self, change: &dyn Fn(&str) -> String) {
        self.object.values_mut().for_each(|value| text::change_each(value, change));
    }
}

/// Whether a fault is not of the configuration: of an option, of a variable, or of a line of another file.
pub fn is_elsewhere(key: &str) -> bool {
    let is_variable =
        |key: &str| key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    key.starts_with("--")
        || key.contains(", ")
        || is_variable(&key.to_ascii_uppercase()) && key.ends_with("_proxy")
        || is_variable(key)
}

/// The same text without secrets.
pub(crate) fn without(text: &str, secrets: &[Secret]) -> String {
    redacted(text, &long_ones(secrets))
}

fn long_ones(secrets: &[Secret]) -> Vec<&str> {
    let texts = secrets.iter().map(|secret| secret.expose().trim());
    texts.filter(|text| text.len() >= SHORTEST_SECRET).collect()
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
    fn a_fault_that_is_not_of_the_configuration_is_not_called_one_of_it() {
        for key in
            ["HTTPS_PROXY", "all_proxy", "__OW_API_KEY", "/home/me/.wskprops, line 2, AUTH", "--state s"]
        {
            let result = RunResult::invalid_config(vec![fault(key)]);
            assert_eq!(result.object["error"], format!("1 fault: {key}: fix it"));
        }
        for key in ["actions", "actions[0]", "logstash.proxy_url", "api.host", "index"] {
            let result = RunResult::invalid_config(vec![fault(key)]);
            assert_eq!(result.object["error"], format!("the configuration has 1 fault: {key}: fix it"));
        }
    }

    #[test]
    fn the_apis_host_is_called_by_the_place_that_it_was_given_at() {
        let result =
            RunResult::error("its name is not known; is `api.host` right?").with_api_host("WHISK_APIHOST");
        assert_eq!(result.object["error"], "its name is not known; is `WHISK_APIHOST` right?");
        let core = include_str!("../../src/component/http.rs");
        assert!(core.contains(&format!("is {API_HOST} right?")), "the component calls it so");
    }

    #[test]
    fn a_secret_is_replaced_in_every_text() {
        let report = br#"{"note":["key 0123456789:abcdef!"],"in":{"deep":[{"er":"0123456789:abcdef"}]}}"#;
        let result = RunResult::report(report, true, true, &[], &[])
            .sealed(&[Secret::new("0123456789:abcdef"), Secret::new("key")]);
        assert_eq!(
            Value::Object(result.object),
            json!({"note": ["key (not shown)!"], "in": {"deep": [{"er": "(not shown)"}]}})
        );
    }

    #[test]
    fn a_secret_that_is_also_a_key_or_a_number_of_the_result_leaves_both_as_they_are() {
        let report = json!({
            "activations": 12345678, "lines": {"acknowledged": 12345678}, "actions": {"checkout": {"lines": 3}},
            "checkpoint": "saved", "warnings": ["checkout acknowledged 12345678"]
        });
        let secrets = ["activations", "acknowledged", "checkout", "12345678", "warnings"].map(Secret::new);
        let bytes = serde_json::to_vec(&report).unwrap();
        let sealed = RunResult::report(&bytes, true, true, &[], &[]).sealed(&secrets);
        let mut expected = report;
        expected["warnings"] = json!(["(not shown) (not shown) (not shown)"]);
        assert_eq!(Value::Object(sealed.object), expected);
    }

    #[test]
    fn a_passphrase_that_is_a_word_of_a_key_leaves_the_keys_of_faults_as_they_are() {
        let result = RunResult::invalid_config(vec![fault("logstash.passphrase")])
            .sealed(&[Secret::new("passphrase")]);
        assert_eq!(result.faults[0].key, "logstash.passphrase");
        assert_eq!(result.object["faults"][0]["key"], "logstash.passphrase");
    }

    #[test]
    fn the_state_is_called_by_the_name_of_its_file() {
        let report = br#"{"warnings":["the checkpoint in the state handed in cannot be read"]}"#;
        let result = RunResult::report(report, true, true, &[], &[]).with_state("--state s.json");
        assert_eq!(result.object["warnings"][0], "the checkpoint in --state s.json cannot be read");
        let core = include_str!("../../src/run/plan/load.rs");
        assert!(core.contains(STATE), "the component calls it so");
    }

    #[test]
    fn what_the_host_has_to_say_follows_the_warnings_of_the_component() {
        let warnings = ["two".to_owned()];
        for (report, expected) in [(r#"{"warnings":["one"]}"#, json!(["one", "two"])), ("{}", json!(["two"]))]
        {
            let result = RunResult::report(report.as_bytes(), true, true, &[], &warnings);
            assert_eq!((&result.object["warnings"], result.verdict), (&expected, Verdict::Complete));
        }
    }

    #[test]
    fn only_what_no_report_tells_is_untold() {
        assert_eq!(RunResult::error("no API").untold(), Some("no API"));
        assert_eq!(RunResult::unsaved("was stopped").untold(), Some("was stopped"));
        assert_eq!(RunResult::report(br#"{"sent":1,"error":"x"}"#, true, true, &[], &[]).untold(), None);
        assert_eq!(RunResult::invalid_config(vec![fault("actions")]).untold(), None);
        assert_eq!(RunResult::misused("no folder").untold(), Some("no folder"));
    }

    #[test]
    fn a_problem_outside_the_component_joins_its_error_and_the_run_is_not_complete() {
        let result = RunResult::report(br#"{"sent":3,"error":"one"}"#, true, true, &["two".to_owned()], &[]);
        assert_eq!(Value::Object(result.object), json!({"sent": 3, "error": "one; two"}));
        assert_eq!(result.verdict, Verdict::Incomplete);
    }

    #[test]
    fn a_result_over_the_platforms_limit_becomes_an_error_within_it() {
        let report = serde_json::to_vec(&json!({"x": "y".repeat(1 << 20)})).unwrap();
        let result = RunResult::report(&report, true, true, &[], &[]).sealed(&[]);
        assert!(result.object.get("error").unwrap().as_str().unwrap().contains("too large"));
    }
}
