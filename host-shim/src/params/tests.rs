use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::json;

use super::*;

#[allow(dead_code, reason = "the schema's own test uses all of it")]
#[path = "../../../tests/docs/schema/accepts.rs"]
mod accepts;
mod certificates;

/// Takes what is the host's. The schema must say the same of it, in a configuration of which the rest is sound.
fn take(params: &mut Value) -> HostParams {
    let mut whole = params.clone();
    let host = HostParams::take(params.as_object_mut().unwrap());
    whole["actions"] = json!(["a"]);
    // Most examples say nothing of where the receiver is.
    if whole.get("logstash.host").is_none()
        && let Some(Value::Object(logstash)) = whole.get_mut("logstash")
    {
        logstash.entry("host").or_insert(json!("l:1"));
    }
    let remedies: Vec<String> = host.faults.iter().map(|fault| fault.remedy.clone()).collect();
    // What is no group of keys is a fault that the component finds.
    if whole.get("logstash").is_some_and(Value::is_object) {
        accepts::agrees(&whole, &remedies);
    }
    host
}

fn keys(host: &HostParams) -> Vec<&str> {
    host.faults.iter().map(|fault| fault.key.as_str()).collect()
}

fn pair() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let cert = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    (cert.pem(), key.serialize_pem())
}

#[test]
fn tls_is_on_and_verifies_unless_told_otherwise() {
    let host = take(&mut json!({"logstash": {"host": "l", "port": 5044}}));
    assert!(host.faults.is_empty(), "{:?}", host.faults);
    assert!(matches!(host.security, Security::Tls { server_name: None, .. }));
    assert_eq!(host.api_trust, Trust::Public);
}

#[test]
fn all_faults_are_collected_at_once() {
    let host = take(&mut json!({
        "logstash": {
            "host": "l", "port": 1, "tls": "no", "rejectUnauthorized": 0, "ca": "nonsense", "servername": "no name",
            "cert": 7, "minVersion": "TLS1", "maxVersion": "SSLv3", "ca_sha256": 1, "leaf_sha256": 2,
        },
        "api": {"ca": [], "rejectUnauthorized": "false"},
    }));
    assert_eq!(
        keys(&host),
        [
            "logstash.tls",
            "logstash.rejectUnauthorized",
            "logstash.ca",
            "logstash.cert",
            "logstash.servername",
            "logstash.minVersion",
            "logstash.maxVersion",
            "logstash.ca_sha256",
            "logstash.leaf_sha256",
            "api.rejectUnauthorized",
            "api.ca",
        ]
    );
}

#[test]
fn a_certificate_that_is_out_of_date_leaves_a_warning_with_its_name_and_day() {
    use crate::testing::Authority;
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 31);
    let old = Authority::named_with("Old CA", expired);
    let early = Authority::named_with("New CA", |params| params.not_before = date_time_ymd(2999, 1, 1));
    let client = early.issue_with("client", |params| {
        expired(params);
        params.distinguished_name.push(rcgen::DnType::CommonName, "shipper");
    });
    let sound = Authority::new().pem();
    let host = take(&mut json!({
        "logstash": {"host": "l", "port": 1, "ca": [&sound, old.pem(), early.pem()], "cert": client.cert, "key": client.key},
        "api": {"ca": old.pem().repeat(5)},
    }));
    assert!(host.faults.is_empty(), "{:?}", host.faults);
    let expected = [
        "`logstash.ca[1]`: the certificate of `Old CA` expired on 2020-01-31; give a new one",
        "`logstash.ca[2]`: the certificate of `New CA` is not valid before 2999-01-01; give a new one",
        "`logstash.cert`: the certificate of `shipper` expired on 2020-01-31; give a new one",
        "`api.ca`: the certificate of `Old CA` expired on 2020-01-31; give a new one",
        "`api.ca`: the certificate of `Old CA` expired on 2020-01-31; give a new one",
        "`api.ca`: the certificate of `Old CA` expired on 2020-01-31; give a new one",
        "`api.ca`: 2 more certificates are out of date; give new ones",
    ];
    assert_eq!(host.warnings, expected);
    let host = take(&mut json!({"logstash": {"host": "l", "port": 1, "ca": sound}}));
    assert_eq!(host.warnings, Vec::<String>::new());
}

#[test]
fn keys_and_certificates_leave_the_parameters_and_the_rest_stays() {
    let (cert, key) = pair();
    let mut params = json!({
        "actions": ["a"],
        "logstash": {"host": "l", "port": "5044", "ca": cert, "cert": cert, "key": key, "rejectUnauthorized": true},
        "api": {"ca": [cert]},
    });
    let host = take(&mut params);
    assert!(host.faults.is_empty(), "{:?}", host.faults);
    assert_eq!(
        params,
        json!({
            "actions": ["a"],
            "logstash": {"host": "l", "port": "5044", "rejectUnauthorized": true},
            "api": {},
        })
    );
    assert!(host.secrets.iter().any(|secret| secret.expose() == key));
}

#[test]
fn no_fault_and_no_debug_output_shows_a_key() {
    let (cert, key) = pair();
    let (_, other) = pair();
    let host = take(&mut json!({
        "logstash": {"host": "l", "port": 1, "cert": cert, "key": other, "ca": key, "passphrase": "open sesame"},
        "api": {"ca": key},
    }));
    assert_eq!(keys(&host), ["logstash.ca", "logstash.key", "api.ca"]);
    let shown = format!("{host:?}");
    for secret in [key.lines().nth(1).unwrap(), other.lines().nth(1).unwrap(), "open sesame"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_certificate_without_its_key_is_a_fault_and_the_other_way_round() {
    let (cert, key) = pair();
    assert_eq!(keys(&take(&mut json!({"logstash": {"cert": cert}}))), ["logstash.key"]);
    assert_eq!(keys(&take(&mut json!({"logstash": {"key": key}}))), ["logstash.cert"]);
}

const ENCRYPTED: &str = include_str!("../../tests/keys/ec.aes256.pem");

/// Client certificate for the key in `ec.pkcs8.pem`.
fn certificate() -> String {
    let key = KeyPair::from_pem(include_str!("../../tests/keys/ec.pkcs8.pem")).unwrap();
    CertificateParams::new(vec!["client".to_owned()]).unwrap().self_signed(&key).unwrap().pem()
}

#[test]
fn pins_must_be_fingerprints_and_must_have_an_effect() {
    let hex = "00".repeat(32);
    for (logstash, expected) in [
        (
            json!({"ca_sha256": hex, "leaf_sha256": [hex, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]}),
            &[][..],
        ),
        (
            json!({"ca_sha256": "nonsense", "leaf_sha256": []}),
            &["logstash.ca_sha256", "logstash.leaf_sha256"],
        ),
        (
            json!({"ca_sha256": 7, "leaf_sha256": [hex, "0", 1]}),
            &["logstash.ca_sha256", "logstash.leaf_sha256[1]", "logstash.leaf_sha256[2]"],
        ),
        (json!({"rejectUnauthorized": false, "ca_sha256": hex, "leaf_sha256": hex}), &["logstash.ca_sha256"]),
        (
            json!({"tls": false, "ca_sha256": hex, "leaf_sha256": hex}),
            &["logstash.ca_sha256", "logstash.leaf_sha256"],
        ),
    ] {
        let mut params = json!({"logstash": logstash});
        assert_eq!(keys(&take(&mut params)), expected, "{params}");
    }
}

#[test]
fn a_lower_minimum_than_what_is_safe_is_honoured_and_a_lower_maximum_is_not() {
    for (logstash, expected) in [
        (json!({"minVersion": "TLSv1"}), &[][..]),
        (json!({"minVersion": "TLSv1.1", "maxVersion": "TLSv1.2"}), &[]),
        (json!({"maxVersion": "TLSv1.1"}), &["logstash.maxVersion"]),
        (json!({"minVersion": "TLSv1", "maxVersion": "TLSv1"}), &["logstash.maxVersion"]),
        (json!({"minVersion": "TLSv1.3", "maxVersion": "TLSv1.2"}), &["logstash.minVersion"]),
        (json!({"minVersion": 1.2, "maxVersion": "1.3"}), &["logstash.minVersion", "logstash.maxVersion"]),
    ] {
        let mut params = json!({"logstash": logstash});
        assert_eq!(keys(&take(&mut params)), expected, "{params}");
    }
}

#[test]
fn a_section_of_the_wrong_type_does_not_break_the_rest() {
    assert!(take(&mut json!({"logstash": 7})).faults.is_empty());
    assert_eq!(keys(&take(&mut json!({"api": [1]}))), ["api"]);
}

#[test]
fn dotted_keys_leave_the_parameters_as_nested_ones_do() {
    let (cert, key) = pair();
    let mut params = json!({
        "logstash.host": "l:5044", "logstash.ca": cert, "logstash": {"cert": cert, "key.pem": key}, "logstash.tls": true, "api.ca": [cert],
    });
    let host = take(&mut params);
    assert!(host.faults.is_empty(), "{:?}", host.faults);
    assert_eq!(params, json!({"logstash": {"host": "l:5044", "tls": true}, "api": {}}));
    assert!(matches!(host.security, Security::Tls { shows_certificate: true, .. }));
    assert!(host.secrets.iter().any(|secret| secret.expose() == key));
    assert!(host.receivers.permits("l", 5044).is_some());
}

#[test]
fn a_key_given_twice_is_a_fault_and_leaves_the_parameters() {
    let (_, key) = pair();
    let mut params = json!({"logstash.passphrase": "sesame", "logstash": {"passphrase": "sesame", "key": key}, "logstash.key": key});
    let host = take(&mut params);
    assert_eq!(keys(&host)[..2], ["logstash.key", "logstash.passphrase"]);
    let left = format!("{params} {:?}", host.faults);
    assert!(!left.contains("sesame") && !left.contains("PRIVATE"), "{left}");
}

#[test]
fn an_item_without_a_certificate_is_named_among_those_that_have_one() {
    let (cert, _) = pair();
    let host = take(&mut json!({"logstash": {"ca": [cert, "nonsense", 7]}, "api": {"ca": ["", cert]}}));
    assert_eq!(keys(&host), ["logstash.ca[1]", "logstash.ca[2]", "api.ca[0]"], "{:?}", host.faults);
    assert!(host.faults[0].remedy.contains("holds no certificate"), "{:?}", host.faults);
    let host = take(&mut json!({"logstash": {"ca": [cert, cert.repeat(2)]}}));
    assert!(host.faults.is_empty(), "{:?}", host.faults);
}

#[test]
fn what_a_keys_object_does_not_take_is_a_fault_that_names_what_is_meant_and_hides_the_value() {
    let cert = certificate();
    for (logstash, key, part) in [
        (
            json!({"cert": cert, "key": {"pem": ENCRYPTED, "pasphrase": "open sesame"}}),
            "logstash.key.pasphrase",
            "did you mean `passphrase`?",
        ),
        (
            json!({"cert": cert, "key": {"pem": ENCRYPTED, "password": "open sesame"}}),
            "logstash.key.password",
            "did you mean `passphrase`?",
        ),
        (
            json!({"cert": cert, "key": [{"key": "open sesame", "passphrase": "x"}]}),
            "logstash.key[0].key",
            "did you mean `pem`?",
        ),
        (
            json!({"cert": cert, "key.pem": ENCRYPTED, "key.zzz": "open sesame"}),
            "logstash.key.zzz",
            "takes `pem` and `passphrase`",
        ),
    ] {
        let host = take(&mut json!({ "logstash": logstash }));
        assert_eq!(keys(&host), [key], "{:?}", host.faults);
        assert!(host.faults[0].remedy.contains(part), "{:?}", host.faults);
        assert!(!format!("{:?}", host.faults).contains("sesame"), "{:?}", host.faults);
        assert!(host.secrets.iter().any(|secret| secret.expose() == "open sesame"));
    }
}

#[test]
fn what_is_about_tls_and_has_no_effect_without_it_is_named_once() {
    let (cert, key) = pair();
    for (logstash, expected) in [
        (json!({"tls": false}), None),
        (json!({"tls": false, "ca": "", "cert": null, "timeout": "5s"}), None),
        (json!({"tls": true, "ca": cert, "servername": "l"}), None),
        (
            json!({"tls": false, "servername": "l"}),
            Some("`logstash.tls` is false, so `logstash.servername` has no effect; remove one of the two"),
        ),
        (
            json!({"tls": false, "rejectUnauthorized": false, "ca": cert, "cert": cert, "key.pem": key, "minVersion": "TLSv1.2"}),
            Some(
                "`logstash.tls` is false, so `logstash.rejectUnauthorized`, `logstash.ca`, `logstash.cert`, `logstash.key`, \
                 `logstash.minVersion` have no effect; remove `logstash.tls` or these",
            ),
        ),
    ] {
        let host = take(&mut json!({ "logstash": logstash }));
        assert!(host.faults.is_empty(), "{:?}", host.faults);
        assert_eq!(host.warnings, Vec::from_iter(expected), "{logstash}");
    }
}

#[test]
fn a_proxy_is_hidden_only_where_it_names_a_user() {
    for (url, hidden) in [("http://proxy.example.com:3128", false), ("socks5://me:sesame@proxy:1080", true)] {
        let host = take(&mut json!({"logstash": {"proxy_url": url}, "api": {"proxy_url": url}}));
        let is_hidden = host.secrets.iter().any(|secret| secret.expose() == url);
        assert_eq!(is_hidden, hidden, "{url}");
    }
}

#[test]
fn a_word_of_yaml_that_is_a_text_there_is_told_by_what_to_write() {
    let host = take(
        &mut json!({"logstash": {"tls": "off", "rejectUnauthorized": "false"}, "api": {"rejectUnauthorized": "no"}}),
    );
    let told: Vec<String> = host.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "logstash.tls: must be true or false; write false (it is \"off\")",
            "logstash.rejectUnauthorized: must be true or false, without quotes (it is \"false\")",
            "api.rejectUnauthorized: must be true or false; write false (it is \"no\")",
        ]
    );
}

#[test]
fn user_information_is_not_shown() {
    for text in ["user:secret@logs", "user:secret%40logs"] {
        for value in [json!(text), json!([text])] {
            let host = take(&mut json!({"logstash": {"servername": value, "tls": value}}));
            assert_eq!(keys(&host), ["logstash.tls", "logstash.servername"]);
            assert!(!format!("{:?}", host.faults).contains("secret"), "{:?}", host.faults);
        }
    }
}

#[test]
fn a_passphrase_that_opens_nothing_is_told_to_have_no_effect() {
    let (cert, key) = pair();
    let warnings = |mut logstash: Value| {
        logstash["host"] = json!("l:1");
        let host = take(&mut json!({"logstash": logstash}));
        assert!(host.faults.is_empty(), "{:?}", host.faults);
        host.warnings
    };
    let idle = |why: &str| {
        format!(
            "the passphrase (`logstash.passphrase`, `--passphrase-file` or WHISKJACK_PASSPHRASE) has no effect, because {why}; remove it"
        )
    };
    assert_eq!(warnings(json!({"passphrase": "sesame"})), [idle("there is no `logstash.key`")]);
    let clear = [idle("the key in `logstash.key` is not encrypted")];
    assert_eq!(warnings(json!({"cert": cert, "key": key, "passphrase": "sesame"})), clear);
    assert_eq!(warnings(json!({"cert": cert, "key": {"pem": key, "passphrase": "sesame"}})), clear);
    assert_eq!(warnings(json!({"cert": cert, "key": key})), Vec::<String>::new());
    let plain = warnings(json!({"tls": false, "passphrase": "sesame"}));
    assert!(
        plain.len() == 1 && plain[0].starts_with("`logstash.tls` is false, so `logstash.passphrase`"),
        "{plain:?}"
    );
}

#[test]
fn an_api_host_that_is_not_a_text_is_a_fault_of_its_own_key() {
    for host in [json!(["x"]), json!(5), json!({"a": 1})] {
        let found = take(&mut json!({"logstash": {"host": "l:1"}, "api": {"host": host}}));
        assert!(found.names_api && keys(&found) == ["api.host"], "{found:?}");
    }
    let found = take(&mut json!({"logstash": {"host": "l:1"}, "api": {"host": null}}));
    assert!(!found.names_api && found.faults.is_empty(), "{found:?}");
}

#[test]
fn a_file_in_the_place_of_a_certificate_is_told_with_the_option_that_takes_it() {
    let found = take(
        &mut json!({"logstash": {"host": "l:1", "ca": "ca.pem", "cert": ["client.crt"]}, "api": {"ca": "a/ca.pem"}}),
    );
    let remedy = |key: &str| found.faults.iter().find(|fault| fault.key == key).unwrap().remedy.clone();
    assert!(remedy("logstash.ca").ends_with("give the file to the command with `--ca`"));
    assert!(remedy("logstash.cert[0]").ends_with("give the file to the command with `--cert`"));
    assert!(remedy("api.ca").ends_with("fill it in from a variable with `${NAME}`"));
}

#[test]
fn a_key_beside_one_that_takes_its_effect_is_told() {
    let (cert, _) = pair();
    let warnings = |mut params: Value| {
        params["logstash"]["host"] = json!("l:1");
        take(&mut params).warnings
    };
    let idle = |section: &str| {
        format!(
            "`{section}.ca` has no effect, because `{section}.rejectUnauthorized` is false; remove one of the two"
        )
    };
    let open = json!({"rejectUnauthorized": false, "ca": cert});
    assert_eq!(warnings(json!({"logstash": open})), [idle("logstash")]);
    assert_eq!(warnings(json!({"logstash": {}, "api": open})), [idle("api")]);
    let plain = warnings(json!({"logstash": {"tls": false, "rejectUnauthorized": false, "ca": cert}}));
    assert!(plain.len() == 1 && plain[0].starts_with("`logstash.tls` is false, so"), "{plain:?}");
    assert_eq!(
        warnings(json!({"logstash": {"proxy_use_local_resolver": true}})),
        [
            "`logstash.proxy_use_local_resolver` has no effect, because there is no `logstash.proxy_url`; remove it"
        ]
    );
    let used = json!({"logstash": {"proxy_use_local_resolver": true, "proxy_url": "socks5://p"}});
    assert_eq!(warnings(used), Vec::<String>::new());
}
