use super::*;
use serde_json::json;

#[path = "../../tests/docs/schema/accepts.rs"]
mod accepts;
mod documents;
mod handed_over;
mod times;

/// Parses parameters. The schema must say the same of them.
fn parse(params: Value) -> Result<Config, Faults> {
    let parsed = Config::parse(params.to_string().as_bytes(), Some("/guest/tools/forwarder"));
    let faults = parsed.as_ref().err().map(|faults| faults.0.clone()).unwrap_or_default();
    let remedies: Vec<String> = faults.into_iter().map(|fault| fault.remedy).collect();
    let mut tried = params;
    if remedies.is_empty() {
        // The host's keys need not be sound here; its own tests try them.
        let of_host = KEYS.iter().filter(|key| key.reader == KeyReader::Host).map(|key| key.path);
        accepts::remove(&mut tried, "", &of_host.collect::<Vec<_>>());
    }
    accepts::agrees(&tried, &remedies);
    parsed
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
        ("from", "give milliseconds since 1970"),
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
    let mut params = json!({
        "actions": ["a"], "logstash": {"host": "h", "port": 1}, "__ow_headers": {"authorization": "hunter2", "x.y": 1}, "payload": "{}",
        "__bx_creds": {"key": "hunter2"}, "__ow_method": "post", "__ow_path": "", "__ow_query": "a=b", "__ow_body": "", "__ow_user": "u",
        "lastModified": 1_700_000_000_000_u64, "__next.year": null,
    });
    assert_eq!(parse(params.clone()).unwrap().warnings, Vec::<String>::new());
    params["log_level"] = json!("debug");
    assert_eq!(
        parse(params).unwrap().warnings,
        [
            "ignored, as the platform adds them: `__bx_creds`, `__next.year`, `__ow_body`, `__ow_headers`, `__ow_method`, `__ow_path`, \
          `__ow_query`, `__ow_user`, `lastModified`, `payload`"
        ]
    );
    // In a group they are nobody's but the writer's.
    let found = faults(json!({"actions": ["a"], "logstash": {"host": "h", "port": 1, "__key": "hunter2"}}));
    assert!(
        found.len() == 1 && found[0].starts_with("logstash.__key: ") && !found[0].contains("hunter2"),
        "{found:?}"
    );
}

#[test]
fn an_unknown_key_never_shows_its_value() {
    let found = faults(
        json!({"actions": ["a"], "logstash": {"host": "h", "port": 1, "pasphrase": "hunter2"}, "zzz": "hunter2"}),
    );
    assert!(found[0].contains("`logstash.passphrase`"), "{found:?}");
    assert!(found[1].contains("docs/configuration.md lists all keys"), "{found:?}");
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
        ("logstash.backoff.first", "docs/configuration.md lists all keys"),
        ("logstash.host", "either `logstash.host` or `logstash.hosts`"),
        ("logstash.hosts[1]", "this item is not a text; give the receivers as"),
        ("logstash.hosts[0]", "leave the scheme out"),
        ("logstash.loadbalance", "must be true or false; write true"),
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
    assert!(
        found
            .iter()
            .any(|fault| fault
                == "logstash.backoff: give an object, such as {\"init\": \"1s\", \"max\": \"60s\"}"),
        "{found:?}"
    );
}

#[test]
fn a_first_pause_that_is_longer_than_the_longest_is_a_fault_with_both_values() {
    let params =
        |backoff: Value| json!({"actions": ["a"], "logstash": {"host": "h", "port": 1, "backoff": backoff}});
    for (backoff, expected) in [
        (
            json!({"init": "90s", "max": "2s"}),
            "logstash.backoff.init: longer than `logstash.backoff.max`, which is 2s: give a shorter first pause, or a longer \
             `logstash.backoff.max` (it is \"90s\")",
        ),
        (
            json!({"init": "2m"}),
            "logstash.backoff.init: longer than `logstash.backoff.max`, which is 1m unless it is given: give a shorter first pause, or a \
             longer `logstash.backoff.max` (it is \"2m\")",
        ),
        (
            json!({"max": "500ms"}),
            "logstash.backoff.max: shorter than `logstash.backoff.init`, which is 1s unless it is given: give `logstash.backoff.init` \
             too, not longer than this (it is \"500ms\")",
        ),
    ] {
        assert_eq!(faults(params(backoff)), [expected]);
    }
    for sound in [json!({"init": "2s", "max": "2s"}), json!({"init": "60s"}), json!({"max": "1s"})] {
        assert!(parse(params(sound.clone())).is_ok(), "{sound}");
    }
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

#[test]
fn dotted_keys_are_the_keys_in_their_groups_and_checked_alike() {
    let nested = json!({
        "actions": ["a"], "logstash": {"host": "h", "port": 1, "bulk_max_size": 1, "backoff": {"init": "2s"}}, "checkpoint": {"store": "activation"},
        "api": {"host": "https://api"}
    });
    for dotted in [
        json!({"actions": ["a"], "logstash.host": "h", "logstash.port": 1, "logstash.bulk_max_size": 1, "logstash.backoff.init": "2s",
               "checkpoint.store": "activation", "api.host": "https://api"}),
        json!({"actions": ["a"], "logstash": {"host": "h", "port": 1, "backoff.init": "2s"}, "logstash.bulk_max_size": 1,
               "checkpoint.store": "activation", "api.host": "https://api"}),
    ] {
        assert_eq!(parse(dotted), parse(nested.clone()));
    }
    let found = faults(json!({
        "actions": ["a"], "logstash.bulk_max_size": 0, "logstash": {"host": "h", "port": 1, "backoff.init": "nonsense"},
        "checkpoint.store": "nowhere", "logstash.hoost": "hunter2"
    }));
    let keys: Vec<&str> = found.iter().filter_map(|fault| fault.split(": ").next()).collect();
    assert_eq!(
        keys,
        ["logstash.hoost", "logstash.backoff.init", "logstash.bulk_max_size", "checkpoint.store"]
    );
}

#[test]
fn a_key_given_dotted_and_nested_is_a_fault_that_shows_neither_value() {
    let found =
        faults(json!({"actions": ["a"], "logstash": {"host": "h", "port": 1, "passphrase": "hunter2"},
        "logstash.passphrase": "hunter2", "logstash.port": 1}));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("logstash.passphrase: it is given twice"), "{found:?}");
    assert!(found[1].starts_with("logstash.port: it is given twice"), "{found:?}");
    assert!(!found.concat().contains("hunter2"), "{found:?}");
}

#[test]
fn a_host_may_name_its_port_and_is_checked_as_those_of_several_are() {
    let receiver = |logstash: Value| {
        parse(json!({"actions": ["a"], "logstash": logstash})).unwrap().output.receivers[0].to_string()
    };
    for (logstash, expected) in [
        (json!({"host": "logs:5044"}), "logs:5044"),
        (json!({"host": "logs:5044", "port": "5044"}), "logs:5044"),
        (json!({"host": "[::1]:5044"}), "[::1]:5044"),
        (json!({"host": "[::1]", "port": 5044.0}), "[::1]:5044"),
        (json!({"host": "::1", "port": 5044}), "[::1]:5044"),
        (json!({"hosts": ["logs"], "port": 5044.0}), "logs:5044"),
    ] {
        assert_eq!(receiver(logstash.clone()), expected, "{logstash}");
    }
    for (logstash, key, remedy) in [
        (
            json!({"host": "user:secret@logs.example.com", "port": 1}),
            "logstash.host",
            "leave user and password out",
        ),
        (
            json!({"host": "https://user:secret@logs.example.com/", "port": 1}),
            "logstash.host",
            "leave user and password out",
        ),
        (json!({"host": "https://logs.example.com", "port": 1}), "logstash.host", "leave the scheme out"),
        (json!({"host": "logs.example.com/", "port": 1}), "logstash.host", "leave the slash out"),
        (json!({"host": "logs:5044", "port": 5045}), "logstash.port", "says port 5044"),
        (json!({"hosts": ["a:1,b:1"]}), "logstash.hosts[0]", "each as an item"),
        (json!({"hosts": ["user:secret@a:1"]}), "logstash.hosts[0]", "leave user and password out"),
        (json!({"hosts": ["a:1", ["user:secret@a:1"]]}), "logstash.hosts[1]", "give the receivers as"),
        (json!({"hosts": ["a:1", null]}), "logstash.hosts[1]", "this item is not a text"),
        (json!({"hosts": []}), "logstash.hosts", "give the receivers as"),
        (json!({"host": "h", "port": "user:secret@h:1"}), "logstash.port", "from 1 to 65535"),
        (
            json!({"host": "h", "port": 1, "servername": "user:secret@h"}),
            "logstash.servername",
            "leave user and password out",
        ),
        (
            json!({"host": "h", "port": 1, "servername": "logs.example.com:5044"}),
            "logstash.servername",
            "without a port",
        ),
        (
            json!({"host": "h", "port": 1, "servername": "[::1]:5044"}),
            "logstash.servername",
            "without a port",
        ),
        (
            json!({"host": "h", "port": 1, "servername": "https://logs"}),
            "logstash.servername",
            "leave the scheme out",
        ),
    ] {
        let found = faults(json!({"actions": ["a"], "logstash": logstash}));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&format!("{key}: ")) && found[0].contains(remedy), "{found:?}");
        assert!(!found[0].contains("secret"), "{found:?}");
    }
}

#[test]
fn what_people_bring_from_filebeat_and_logstash_is_told_by_our_key_or_by_why_there_is_none() {
    let found = faults(json!({
        "actions": ["a"],
        "logstash": {
            "host": "h", "port": 1, "ssl": {"certificate_authorities": ["/etc/ca.crt"], "verification_mode": "none", "odd": 1},
            "proxy": "socks5://user:hunter2@proxy", "index": "logs", "queue": {"mem": {"events": 4096}}, "username": "hunter2",
            "ssl_certificate_authorities": [], "url": "h"
        },
        "ssl.certificate_authorities": ["ca"], "output.logstash.hosts": ["a"], "processors": [], "ssl.enabled": true
    }));
    let expected = [
        ("logstash.index", "Logstash chooses the index"),
        ("logstash.proxy", "give `logstash.proxy_url`"),
        ("logstash.queue", "owed in the checkpoint"),
        ("logstash.ssl.certificate_authorities", "give `logstash.ca`"),
        ("logstash.ssl.odd", "the keys of `logstash` that are about TLS"),
        ("logstash.ssl.verification_mode", "give `logstash.rejectUnauthorized`"),
        ("logstash.ssl_certificate_authorities", "give `logstash.ca`"),
        ("logstash.url", "give `logstash.host`"),
        ("logstash.username", "a client certificate"),
        ("output.logstash", "below `logstash`"),
        ("processors", "filters"),
        ("ssl.certificate_authorities", "give `logstash.ca`"),
        ("ssl.enabled", "give `logstash.tls`"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (fault, (key, remedy)) in found.iter().zip(expected) {
        assert!(fault.starts_with(&format!("{key}: ")) && fault.contains(remedy), "{fault}");
        assert!(!fault.contains("did you mean") && !fault.contains("hunter2"), "{fault}");
    }
}

#[test]
fn the_proxy_keys_of_filebeat_are_ours_too() {
    let params = json!({
        "actions": ["a"], "api.proxy_url": "http://proxy:3128",
        "logstash": {"host": "h", "port": 1, "proxy_url": "socks5://proxy:1080", "proxy_use_local_resolver": true}
    });
    assert!(parse(params).is_ok());
    let found = faults(
        json!({"actions": ["a"], "https_proxy": "http://me:hunter2@proxy", "logstash": {"host": "h", "port": 1}}),
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("`api.proxy_url`") && !found[0].contains("hunter2"), "{found:?}");
}

#[test]
fn an_item_that_is_not_a_text_is_named_by_its_index_and_the_others_are_checked_all_the_same() {
    let found = faults(json!({"actions": ["a", 5, "b?"], "logstash": {"hosts": ["h:1", true, "user@h"]}}));
    let keys: Vec<&str> = found.iter().filter_map(|fault| fault.split(": ").next()).collect();
    assert_eq!(keys, ["actions[1]", "actions[2]", "logstash.hosts[1]", "logstash.hosts[2]"], "{found:?}");
    assert!(found[0].contains("this item is not a text; give the names") && found[0].ends_with("(it is 5)"));
}

#[test]
fn what_stands_in_the_place_of_a_group_is_told_by_the_object_to_give() {
    let groups = KEYS.iter().filter_map(|key| key.path.rsplit_once('.')).map(|(group, _)| group);
    for group in std::collections::BTreeSet::from_iter(groups) {
        let mut params = json!({"actions": ["a"], "logstash.host": "h:1"});
        if group == "logstash" {
            params = json!({"actions": ["a"]});
        }
        params[group] = json!("localhost");
        let found = faults(params);
        let is_told = |fault: &String| {
            fault.starts_with(&format!("{group}: give "))
                && fault.contains("an object")
                && fault.contains("such as {\"")
        };
        assert!(found.iter().any(is_told), "{group}: {found:?}");
    }
}

#[test]
fn without_tls_nothing_is_said_of_a_verification_that_there_is_not() {
    let logstash = json!({"host": "h", "port": 1, "tls": false, "rejectUnauthorized": false});
    let warnings = parse(json!({"actions": ["a"], "logstash": logstash})).unwrap().warnings;
    assert_eq!(warnings, ["`logstash.tls` is false: the logs go to the receiver in the clear"]);
}

#[test]
fn an_empty_group_that_nobody_knows_is_a_fault_too() {
    let found = faults(
        json!({"actions": ["a"], "logstash": {"host": "h", "port": 1, "ssl": {}}, "output": {}, "": 1}),
    );
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("\"\": there is no such key"), "{found:?}");
}

#[test]
fn a_heartbeat_is_sent_only_if_it_is_asked_for() {
    let heartbeat = |value: Value| {
        let params =
            json!({"actions": ["a"], "logstash": {"host": "h", "port": 1}, "monitoring.heartbeat": value});
        parse(params).map(|config| config.heartbeat).map_err(|faults| faults.to_string())
    };
    assert_eq!((heartbeat(json!(null)), heartbeat(json!(true))), (Ok(false), Ok(true)));
    assert!(heartbeat(json!("yes")).unwrap_err().starts_with("monitoring.heartbeat: "));
}
