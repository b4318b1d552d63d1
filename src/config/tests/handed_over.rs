//! A configuration on its way from instance to instance.

use super::*;
use crate::handover;

#[test]
fn a_configuration_is_handed_over_as_it_was_given_and_read_again() {
    let params = json!({"actions": ["a", "tools/forwarder"], "from": 7, "lines.redact": ["email"], "logstash": {"host": "h", "port": 1, "worker": 3}});
    let config = Config::parse(params.to_string().as_bytes(), Some("/guest/tools/forwarder")).unwrap();
    assert_eq!(config.sources.len(), 1, "it does not monitor itself");
    assert_eq!(handover::read::<Config>(&handover::write(&config)).unwrap(), config);
}

#[test]
fn what_only_the_host_reads_is_not_handed_over() {
    let logstash = json!({"host": "h", "port": 1, "key": "SECRET-1", "passphrase": "SECRET-2", "proxy_url": "http://u:SECRET-3@p:1"});
    let params = json!({"actions": ["a"], "logstash": logstash, "api": {"ca": "SECRET-4"}, "logstash.cert": "SECRET-5"});
    let config = Config::parse(params.to_string().as_bytes(), None).unwrap();
    let handed = handover::write(&config);
    assert!(!String::from_utf8_lossy(&handed).contains("SECRET"), "{config:?}");
    assert_eq!(handover::read::<Config>(&handed).unwrap().output, config.output);
}

#[test]
fn what_was_handed_over_by_another_build_is_refused_if_it_is_not_a_configuration() {
    let handed = handover::write(&("{\"actions\":[]}", None::<&str>));
    assert!(handover::read::<Config>(&handed).is_err());
}
