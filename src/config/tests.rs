use super::*;
use serde_json::json;

fn parse(params: Value) -> Result<Config, Faults> {
    Config::parse(params.to_string().as_bytes(), Some("/guest/tools/forwarder"))
}

fn faults(params: Value) -> Vec<String> {
    parse(params).unwrap_err().0.iter().map(ToString::to_string).collect()
}

#[test]
fn a_configuration_of_the_2017_tool_works_unchanged() {
    let config = parse(json!({
        "actions": ["a", "pkg/b"], "from": 0,
        "logstash": {"host": "logs.example.com", "port": "5000", "rejectUnauthorized": false}
    }))
    .unwrap();
    assert_eq!(config.sources.iter().map(Source::name).collect::<Vec<_>>(), ["a", "pkg/b"]);
    assert_eq!(config.from, Some(0));
    assert_eq!(config.receiver, Endpoint { host: "logs.example.com".into(), port: 5000 });
    assert!(config.warnings[0].contains("rejectUnauthorized"), "{:?}", config.warnings);
}

#[test]
fn all_faults_are_listed_with_key_value_and_remedy() {
    let found = faults(json!({
        "actions": ["good", "/guest/bad", "a?"], "from": "yesterday", "logstash": {"port": 70000, "hots": "x"}, "log_level": "loud"
    }));
    let expected = [
        ("logstash.hots", "did you mean `logstash.host`?"),
        ("actions[1]", "leave the namespace out"),
        ("actions[2]", "(it is \"a?\")"),
        ("logstash.host", "give the receiver's name"),
        ("logstash.port", "(it is 70000)"),
        ("from", "whole number"),
        ("log_level", "`info`, `debug`"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (fault, (key, remedy)) in found.iter().zip(expected) {
        assert!(fault.starts_with(&format!("{key}: ")) && fault.contains(remedy), "{fault}");
    }
}

#[test]
fn missing_keys_are_asked_for() {
    let found = faults(json!({}));
    assert!(found[0].starts_with("actions: give the names"), "{found:?}");
    assert!(found[1].starts_with("logstash: say where"), "{found:?}");
    assert_eq!(found.len(), 2);
    assert_eq!(faults(json!({"actions": [], "logstash": 5})).len(), 2);
}

#[test]
fn what_openwhisk_adds_is_ignored() {
    let params = json!({"actions": ["a"], "logstash": {"host": "h", "port": 1}, "__ow_headers": {"authorization": "x"}, "payload": "{}"});
    assert_eq!(parse(params).unwrap().warnings, Vec::<String>::new());
}

#[test]
fn an_unknown_key_never_shows_its_value() {
    let found = faults(
        json!({"actions": ["a"], "logstash": {"host": "h", "port": 1, "pasphrase": "hunter2"}, "zzz": "hunter2"}),
    );
    assert!(found[0].contains("`logstash.passphrase`"), "{found:?}");
    assert!(found[1].contains("the README lists all keys"), "{found:?}");
    assert!(!found.concat().contains("hunter2"), "{found:?}");
}

#[test]
fn a_url_with_a_password_is_not_shown() {
    for params in [
        json!({"actions": ["a"], "logstash": {"host": "h", "port": 1}, "api": {"host": "https://user:hunter2@h"}}),
        json!({"actions": ["a"], "logstash": "https://user:hunter2@h"}),
        json!("https://user:hunter2@h"),
    ] {
        assert!(!faults(params.clone()).concat().contains("hunter2"), "{params}");
    }
}

#[test]
fn an_option_of_node_that_cannot_be_honoured_says_why() {
    let found = faults(json!({"actions": ["a"], "logstash": {"host": "h", "port": 1, "pfx": "x"}}));
    assert!(found[0].contains("PKCS#12 is not supported"), "{found:?}");
}

#[test]
fn the_forwarder_itself_and_repeated_names_are_left_out_with_a_warning() {
    let config =
        parse(json!({"actions": ["a", "tools/forwarder", "a"], "logstash": {"host": "h", "port": 1}}))
            .unwrap();
    assert_eq!(config.sources.len(), 1);
    assert_eq!(config.warnings.len(), 2);
    let found = faults(json!({"actions": ["tools/forwarder"], "logstash": {"host": "h", "port": 1}}));
    assert!(found[0].contains("other than this forwarder"), "{found:?}");
}

#[test]
fn a_pattern_makes_one_source_of_all_so_that_no_record_belongs_to_two() {
    let config = parse(json!({"actions": ["a", "*", "!b"], "logstash": {"host": "h", "port": 1}})).unwrap();
    assert_eq!(config.sources.iter().map(Source::name).collect::<Vec<_>>(), ["*"]);
    let found = faults(json!({"actions": ["a", "!b"], "logstash": {"host": "h", "port": 1}}));
    assert!(found[0].contains("needs a pattern"), "{found:?}");
}

#[test]
fn what_is_no_json_object_is_refused() {
    for bytes in [&b"[]"[..], b"{", b"\xff", b""] {
        let error = Config::parse(bytes, None).unwrap_err();
        assert!(error.to_string().contains("JSON object"), "{error}");
    }
}

#[test]
fn starting_anew_at_from_needs_a_from() {
    let found =
        faults(json!({"actions": ["a"], "logstash": {"host": "h", "port": 1}, "on_missing_state": "from"}));
    assert!(found[0].contains("`from` is not given"), "{found:?}");
}

#[test]
fn look_back_and_log_store_are_left_to_the_platform_unless_they_are_given() {
    let parse = |more: &str| {
        let json = format!(r#"{{"actions":["a"],"logstash":{{"host":"h","port":1}}{more}}}"#);
        Config::parse(json.as_bytes(), None).map(|config| (config.lookback_ms, config.logs))
    };
    assert_eq!(parse(""), Ok((None, None)));
    assert_eq!(parse(r#","logs":"auto""#), Ok((None, None)));
    assert_eq!(
        parse(r#","logs":"record","lookback_minutes":2"#),
        Ok((Some(120_000), Some(LogPlace::Record)))
    );
    assert_eq!(parse(r#","logs":"api""#), Ok((None, Some(LogPlace::Api))));
    assert!(parse(r#","logs":"splunk""#).unwrap_err().to_string().contains("`auto`, `record`, `api`"));
}
