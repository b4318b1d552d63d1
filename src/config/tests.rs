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
    assert_eq!(config.output.receivers, [Endpoint { host: "logs.example.com".into(), port: 5000 }]);
    assert!(config.warnings[0].contains("rejectUnauthorized"), "{:?}", config.warnings);
}

#[test]
fn a_pinned_receiver_is_not_said_to_be_anybody() {
    let warnings = |logstash: Value| parse(json!({"actions": ["a"], "logstash": logstash})).unwrap().warnings;
    let pinned = json!({"host": "l", "port": 1, "rejectUnauthorized": false, "leaf_sha256": "00"});
    assert!(warnings(pinned)[0].contains("nothing but `logstash.leaf_sha256`"));
    let open = json!({"host": "l", "port": 1, "rejectUnauthorized": false});
    assert!(warnings(open)[0].contains("anybody"));
}

#[test]
fn all_faults_are_listed_with_key_value_and_remedy() {
    let found = faults(json!({
        "actions": ["good", "/guest/bad", "a?"], "from": "yesterday", "logstash": {"port": 70000, "hoost": "x"}, "log_level": "loud"
    }));
    let expected = [
        ("logstash.hoost", "did you mean `logstash.host`?"),
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
fn sending_is_configured_as_in_filebeat() {
    let parsed = parse(json!({"actions": ["a"], "logstash": {
        "hosts": ["one:5044", "two", "one:5044"], "loadbalance": true, "worker": 2, "bulk_max_size": 500, "compression_level": 6,
        "pipelining": 2, "timeout": "45s", "ttl": "5m", "slow_start": true, "backoff": {"init": "250ms", "max": "10 s"}
    }}))
    .unwrap();
    let output = &parsed.output;
    assert_eq!(
        output.receivers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["one:5044", "two:5044"]
    );
    assert!(parsed.warnings[0].contains("`one:5044` twice"), "{:?}", parsed.warnings);
    assert_eq!((output.loadbalance, output.workers()), (true, 4));
    let sending = &output.sending;
    assert_eq!((sending.window_events, sending.compression_level, sending.in_flight), (500, 6, 2));
    assert_eq!((sending.timeout_ms, sending.ttl_ms, sending.slow_start), (45_000, 300_000, true));
    assert_eq!((sending.backoff.init_ms, sending.backoff.max_ms), (250, 10_000));
}

#[test]
fn what_is_wrong_with_sending_is_named_with_its_remedy() {
    let found = faults(json!({"actions": ["a"], "logstash": {
        "host": "h", "hosts": ["https://one", 5], "loadbalance": "yes", "bulk_max_size": 0, "pipelining": 3, "protocol": 3, "timeout": 30,
        "ttl": "5 days", "backoff": {"first": "1s", "init": "1ms"}
    }}));
    let expected = [
        ("logstash.backoff.first", "did you mean"),
        ("logstash.host", "either `logstash.host` or `logstash.hosts`"),
        ("logstash.hosts", "give the receivers as"),
        ("logstash.loadbalance", "true or false"),
        ("logstash.protocol", "from 1 to 2"),
        ("logstash.pipelining", "from 0 to 2"),
        ("logstash.backoff.init", "from 10ms to 1h"),
        ("logstash.bulk_max_size", "from 1 to 10000"),
        ("logstash.timeout", "as \"30s\""),
        ("logstash.ttl", "from 0s to 24h"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (fault, (key, remedy)) in found.iter().zip(expected) {
        assert!(fault.starts_with(&format!("{key}: ")) && fault.contains(remedy), "{fault}");
    }
    let found = faults(
        json!({"actions": ["a"], "logstash": {"hosts": ["u:p@one"], "protocol": 1, "pipelining": 2, "backoff": 3}}),
    );
    assert!(found.iter().any(|fault| fault.starts_with("logstash.hosts[0]: ")), "{found:?}");
    assert!(found.iter().any(|fault| fault.starts_with("logstash.pipelining: ")), "{found:?}");
    assert!(found.iter().any(|fault| fault == "logstash.backoff: give an object"), "{found:?}");
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
