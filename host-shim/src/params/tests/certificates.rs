//! Certificates and their keys, in each form in which people give them.

use super::*;

#[test]
fn an_encrypted_key_is_opened_in_every_form_that_node_takes() {
    let cert = certificate();
    for logstash in [
        json!({"cert": cert, "key": ENCRYPTED, "passphrase": "sesame"}),
        json!({"cert": cert, "key": [ENCRYPTED], "passphrase": "sesame"}),
        json!({"cert": cert, "key": {"pem": ENCRYPTED, "passphrase": "sesame"}}),
        json!({"cert": [cert], "key": [{"pem": ENCRYPTED, "passphrase": "sesame"}], "passphrase": "another"}),
        json!({"cert": cert, "key": {"pem": ENCRYPTED}, "passphrase": "sesame"}),
        // Node does not look at one that is not needed.
        json!({"cert": cert, "key": include_str!("../../../tests/keys/ec.sec1.pem"), "passphrase": "any"}),
    ] {
        let mut params = json!({ "logstash": logstash });
        let host = take(&mut params);
        assert!(host.faults.is_empty(), "{:?}", host.faults);
        assert!(matches!(host.security, Security::Tls { shows_certificate: true, .. }));
        assert_eq!(params, json!({"logstash": {}}));
        assert!(!format!("{host:?}").contains("sesame"));
    }
}

#[test]
fn what_is_wrong_with_a_key_is_told_at_the_key_of_the_configuration_that_mends_it() {
    let cert = certificate();
    let camellia = include_str!("../../../tests/keys/ec.camellia.pem");
    for (logstash, key, part) in [
        (json!({"cert": cert, "key": ENCRYPTED}), "logstash.passphrase", "is missing"),
        (
            json!({"cert": cert, "key": ENCRYPTED, "passphrase": "wrong"}),
            "logstash.passphrase",
            "does not open",
        ),
        (
            json!({"cert": cert, "key": {"pem": ENCRYPTED, "passphrase": "wrong"}}),
            "logstash.key.passphrase",
            "does not open",
        ),
        (json!({"cert": cert, "key": ENCRYPTED, "passphrase": 7}), "logstash.passphrase", "must be text"),
        (
            json!({"cert": cert, "key": camellia, "passphrase": "sesame"}),
            "logstash.key",
            "openssl pkcs8 -topk8",
        ),
        (json!({"cert": cert, "key": "text"}), "logstash.key", "holds no private key"),
        (json!({"cert": cert, "key": ["a", "b"]}), "logstash.key", "of one key"),
        (json!({"cert": cert, "key": {"passphrase": "x"}}), "logstash.key", "of one key"),
        (json!({"cert": cert, "key": pair().1}), "logstash.key", "not the key of the certificate"),
        (
            json!({"cert": cert, "key": include_str!("../../../tests/keys/ed448.pem")}),
            "logstash.key",
            "kind that is not supported (Ed448)",
        ),
    ] {
        let host = take(&mut json!({ "logstash": logstash }));
        assert_eq!(keys(&host), [key], "{:?}", host.faults);
        assert!(host.faults[0].remedy.contains(part), "{:?}", host.faults);
        assert_eq!(host.faults[0].value, "");
    }
}

#[test]
fn a_certificate_that_is_none_inside_is_told_at_its_own_key() {
    let (cert, key) = pair();
    let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (logstash, expected) in [
        (json!({"ca": hollow, "cert": cert, "key": key}), "logstash.ca"),
        (json!({"ca": cert, "cert": hollow, "key": key}), "logstash.cert"),
        (json!({"ca": hollow}), "logstash.ca"),
    ] {
        assert_eq!(keys(&take(&mut json!({ "logstash": logstash }))), [expected]);
    }
}

#[test]
fn what_is_given_instead_of_a_certificate_is_told() {
    let (cert, key) = pair();
    for (ca, part) in [
        ("/etc/ssl/ca.pem".to_owned(), "is the name of a file"),
        ("ca.crt".to_owned(), "is the name of a file"),
        (cert.replace("CERTIFICATE", "PKCS7"), "openssl pkcs7 -print_certs"),
        (cert.replace("CERTIFICATE", "CERTIFICATE REQUEST"), "that was issued for it"),
        (key, "holds PRIVATE KEY and no certificate"),
        ("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t".to_owned(), "decode it once"),
        (cert.lines().skip(1).collect(), "holds no certificate"),
        (cert[..100].to_owned(), "from -----BEGIN to -----END"),
    ] {
        let host = take(&mut json!({"logstash": {"ca": ca}}));
        assert_eq!(keys(&host), ["logstash.ca"]);
        assert!(host.faults[0].remedy.contains(part), "{:?}", host.faults);
    }
}

#[test]
fn certificates_and_keys_are_read_as_editors_and_templates_leave_them() {
    let (cert, key) = pair();
    for change in [
        |pem: &str| format!("\u{feff}{}", pem.replace('\n', "\r\n")),
        |pem: &str| pem.lines().map(|line| format!("    {line}\n")).collect(),
        |pem: &str| pem.replace("BEGIN CERT", "BEGIN TRUSTED CERT").replace("END CERT", "END TRUSTED CERT"),
    ] {
        let params = json!({"ca": change(&cert), "cert": change(&cert), "key": change(&key)});
        let host = take(&mut json!({"logstash": params, "api": {"ca": [change(&cert)]}}));
        assert!(host.faults.is_empty(), "{:?}", host.faults);
    }
}
