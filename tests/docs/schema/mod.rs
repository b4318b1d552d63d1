//! `docs/whiskjack.schema.json` is made from the table of keys, and judges a configuration as the forwarder does.
//!
//! The tests of the core (`src/config/tests.rs`) and of the host (`host-shim/src/params/tests.rs`) try it with each of their examples.

mod accepts;
#[path = "../../../fuzz/corpus/read.rs"]
mod corpus;
mod made;
mod patterns;

use accepts::{agrees, refusals};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use whiskjack::config::{Config, KEYS, KeyReader};
use whiskjack_config_file::{Form, form};

const SCHEMA: &str = "docs/whiskjack.schema.json";

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_schema_is_made_from_the_table_of_keys() {
    crate::kept::compare_or_write(SCHEMA, &made::text(), "the keys say", "schema");
}

#[test]
fn the_schema_is_one_of_draft_2020_12() {
    let schema: Value = serde_json::from_str(&text(SCHEMA)).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
}

/// A variable holds text: a key whose value is none must be known to what fills it in.
#[test]
fn a_variable_can_hold_each_key_whose_value_is_not_a_text() {
    for key in KEYS.iter().filter(|key| key.reader != KeyReader::Ignored) {
        let is_number =
            key.form.starts_with(|c: char| c.is_ascii_digit()) || key.form.contains("milliseconds");
        let expected = match key.form {
            "boolean" => Form::Switch,
            form if form.starts_with("array of ") => Form::List,
            _ if is_number => Form::Number,
            _ => Form::Text,
        };
        assert_eq!(form(key.path), expected, "{}", key.path);
    }
}

/// What the forwarder says of parameters, and the schema, which must agree. Tells whether they are sound.
#[track_caller]
fn check(mut params: Value) -> bool {
    let remedies: Vec<String> = match Config::parse(params.to_string().as_bytes(), None) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0.into_iter().map(|fault| fault.remedy).collect(),
    };
    if remedies.is_empty() {
        // The host's own tests try its keys.
        let of_host = KEYS.iter().filter(|key| key.reader == KeyReader::Host).map(|key| key.path);
        accepts::remove(&mut params, "", &of_host.collect::<Vec<_>>());
    }
    agrees(&params, &remedies);
    remedies.is_empty()
}

#[test]
fn the_examples_of_the_pages_and_of_the_deployment_files_are_sound() {
    let variables = |name: &str| (name == "LOGSTASH_HOST").then(|| "logs.example.com".to_owned());
    let mut examples = 0;
    for page in ["README.md", "docs/configuration.md", "docs/deploying.md"] {
        let page = text(page);
        for (language, file) in [("json", "c.json"), ("yaml", "c.yaml")] {
            for block in page.split(&format!("```{language}\n")).skip(1) {
                let example = block.split("```").next().unwrap();
                let read = whiskjack_config_file::read(file, example.as_bytes(), &variables).unwrap();
                assert!(check(Value::Object(read.params)), "{example}");
                // An editor sees the file before it is filled.
                let file: Value = serde_saphyr::from_str(example).unwrap();
                assert_eq!(refusals(&file), [], "{example}");
                examples += 1;
            }
        }
    }
    assert!(examples >= 2, "there is one of each language");
    let manifest: Value = serde_saphyr::from_str(&text("deploy/manifest.yaml")).unwrap();
    let mut inputs = manifest["packages"]["default"]["actions"]["whiskjack"]["inputs"].clone();
    for (name, input) in inputs.as_object_mut().unwrap() {
        // A list stands alone, as it is not wskdeploy's `json`.
        let value = input.get("value").unwrap_or(input);
        let json = value.to_string().replace("$LOGSTASH_HOST", "logs").replace("$LOGSTASH_PORT", "5044");
        *input = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    assert!(check(inputs), "the manifest");
}

#[test]
fn the_schema_and_the_forwarder_agree_about_all_that_was_ever_tried() {
    let (mut sound, mut faulty) = (0, 0);
    for (_, bytes) in corpus::inputs(&text("fuzz/corpus/config.txt")).unwrap() {
        let Ok(params @ Value::Object(_)) = serde_json::from_slice(&bytes) else { continue };
        *(if check(params) { &mut sound } else { &mut faulty }) += 1;
    }
    assert!(sound > 5 && faulty > 20, "{sound} {faulty}");
}

#[test]
fn the_hosts_of_the_examples_know_which_keys_are_a_hosts() {
    let keys: Vec<&str> =
        KEYS.iter().filter(|key| key.reader == KeyReader::Host).map(|key| key.path).collect();
    let made = serde_json::to_string_pretty(&keys).unwrap() + "\n";
    for example in ["node", "python"] {
        let path = format!("examples/{example}/host-keys.json");
        crate::kept::compare_or_write(&path, &made, "settings/src/keys.rs says", "schema");
    }
}

#[test]
fn a_variable_may_stand_for_any_value_in_an_editor() {
    for key in KEYS.iter().filter(|key| key.reader != KeyReader::Ignored) {
        let mut params = json!({"actions": "${ACTIONS}", "logstash.host": "${HOST}", "logstash.cert": "c", "logstash.key": "k"});
        if key.path == "logstash.hosts" {
            params.as_object_mut().unwrap().remove("logstash.host");
        }
        params[key.path] = json!("${NAME:default}");
        assert_eq!(refusals(&params), [], "{params}");
    }
}

#[test]
fn a_number_in_a_text_is_in_its_range_or_not() {
    let matcher = |pattern: &str| {
        let matches = jsonschema::draft202012::new(&json!({"type": "string", "pattern": pattern})).unwrap();
        move |text: &str| matches.is_valid(&json!(text))
    };
    for (least, most) in [(0, 0), (1, 9), (0, 10), (7, 60), (100, 101), (1, 65_535), (99, 1_000)] {
        let matches = matcher(&patterns::whole(&patterns::number(least, most)));
        let near = |number: u64| number.saturating_sub(12)..=number + 12;
        for number in near(least).chain(near(most)).chain((0..most).step_by(97)) {
            let is_in = (least..=most).contains(&number);
            assert_eq!(
                (matches(&number.to_string()), matches(&format!("00{number}"))),
                (is_in, is_in),
                "{number}"
            );
        }
    }
    let matches = matcher(&patterns::time(10, 3_600_000));
    for (text, expected) in [
        ("9ms", false),
        ("10ms", true),
        ("3600000 ms", true),
        ("3600001ms", false),
        ("0s", false),
        ("1h", true),
        ("2h", false),
        ("60m", true),
    ] {
        assert_eq!(matches(text), expected, "{text}");
    }
}
