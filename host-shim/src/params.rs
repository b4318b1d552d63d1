//! What belongs to the host in an action's parameters: TLS of the receiver and of the API.
//!
//! | key | type | meaning |
//! |---|---|---|
//! | `logstash.tls` | boolean, default true | false: plain TCP, an explicit choice |
//! | `logstash.rejectUnauthorized` | boolean, default true | false: any certificate will do |
//! | `logstash.ca` | PEM text, or an array of it | trusted instead of the public authorities |
//! | `logstash.servername` | name | checked instead of `logstash.host` |
//! | `logstash.cert`, `logstash.key` | PEM text | client certificate and its unencrypted key |
//! | `logstash.minVersion`, `logstash.maxVersion` | `TLSv1.2` or `TLSv1.3` | limits of the TLS version |
//! | `api.ca`, `api.rejectUnauthorized` | as above | for the OpenWhisk API |
//!
//! Every other key is the component's, `logstash.host`, `logstash.port` and `api.host` too: they are only read here, for the allow-lists.
//! Keys and certificates are taken out, so that the component never holds one.

mod section;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::Serialize;
use serde_json::{Map, Value};

use self::section::Section;
use crate::secret::Secret;
use crate::tls::{self, Trust};

/// One thing wrong with the parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Path of the key, as `logstash.port`.
    pub key: String,
    /// The value seen, as JSON, shortened; empty if it is missing or secret.
    pub value: String,
    /// What is wrong and what to do, one sentence.
    pub remedy: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.value.as_str() {
            "" => write!(f, "{}: {}", self.key, self.remedy),
            value => write!(f, "{}: {} (it is {value})", self.key, self.remedy),
        }
    }
}

/// What the host needs to know for a run.
#[derive(Debug)]
pub(crate) struct HostParams {
    /// The one receiver that may be reached; none when the parameters name no usable one.
    pub(crate) receiver: Option<Receiver>,
    /// How the receiver is spoken to.
    pub(crate) security: Security,
    /// The API that the parameters name; it comes before the platform's.
    pub(crate) api_host: Option<String>,
    /// Whom to trust at the API.
    pub(crate) api_trust: Trust,
    /// All that is wrong.
    pub(crate) faults: Vec<Fault>,
    /// Texts that must not show up in a result.
    pub(crate) secrets: Vec<Secret>,
}

/// A receiver, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Receiver {
    host: String,
    port: u16,
}

/// How a receiver is spoken to.
#[derive(Clone, Debug)]
pub(crate) enum Security {
    Plain,
    Tls {
        config: Arc<ClientConfig>,
        /// The name to check, if it is not the host's.
        server_name: Option<ServerName<'static>>,
    },
}

impl HostParams {
    /// Reads the host's part and takes keys and certificates out of `params`.
    pub(crate) fn take(params: &mut Map<String, Value>) -> Self {
        let (mut faults, mut secrets) = (Vec::new(), Vec::new());
        // A `logstash` that is no object is the component's to report.
        let receiver = params.get("logstash").and_then(Receiver::read);
        let api_host =
            params.get("api").and_then(|api| api.get("host")).and_then(Value::as_str).map(str::to_owned);
        let mut logstash = Section::new("logstash", params.get_mut("logstash"), &mut faults, &mut secrets);
        let security = security(&mut logstash);
        if params.get("api").is_some_and(|api| !api.is_object() && !api.is_null()) {
            faults.push(Fault {
                key: "api".to_owned(),
                value: section::shortened(params.get("api")),
                remedy:
                    "must be an object; give one with the keys `ca` or `rejectUnauthorized`, or leave it out"
                        .to_owned(),
            });
        }
        let mut api = Section::new("api", params.get_mut("api"), &mut faults, &mut secrets);
        let api_trust = trust(&mut api);
        if matches!(api_trust, Trust::Only(_))
            && let Err(error) = tls::client_config(&api_trust, None, &tls::VERSIONS)
        {
            api.fault("ca", format!("cannot be used ({error}); give CA certificates as PEM text"));
        }
        Self { receiver, security, api_host, api_trust, faults, secrets }
    }
}

impl Receiver {
    fn read(logstash: &Value) -> Option<Self> {
        let host = logstash.get("host")?.as_str()?;
        let port = match logstash.get("port")? {
            Value::Number(port) => u16::try_from(port.as_u64()?).ok()?,
            Value::String(port) => port.trim().parse().ok()?,
            _ => return None,
        };
        Some(Self { host: normal(host), port })
    }

    /// Whether this is the receiver that a caller asks for.
    pub(crate) fn permits(&self, host: &str, port: u16) -> bool {
        self.port == port && self.host == normal(host)
    }

    /// Name or address, without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }
}

fn normal(host: &str) -> String {
    host.trim().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase()
}

fn security(logstash: &mut Section<'_>) -> Security {
    // Everything is read before the choice is made, so that all faults show and all keys leave the parameters.
    let enabled = logstash.flag("tls", true);
    let trust = trust(logstash);
    let identity = logstash.identity();
    let server_name = logstash.server_name();
    let versions = logstash.versions();
    let has_identity = identity.is_some();
    // Reading the public roots takes time, and a plain connection has no use for them.
    if !enabled && !has_identity && trust == Trust::Public {
        return Security::Plain;
    }
    match tls::client_config(&trust, identity, &versions) {
        Ok(config) if enabled => Security::Tls { config, server_name },
        Ok(_) => Security::Plain,
        Err(rustls::Error::InconsistentKeys(_)) => {
            logstash.fault(
                "key",
                "is not the key of the certificate in `logstash.cert`; give the two that belong together"
                    .to_owned(),
            );
            Security::Plain
        }
        Err(error) => {
            let key = if has_identity { "cert" } else { "ca" };
            logstash.fault(key, format!("cannot be used ({error}); give certificates as PEM text"));
            Security::Plain
        }
    }
}

fn trust(section: &mut Section<'_>) -> Trust {
    let verify = section.flag("rejectUnauthorized", true);
    let certificates = section.certificates("ca");
    match certificates {
        _ if !verify => Trust::Anybody,
        Some(certificates) => Trust::Only(certificates),
        None => Trust::Public,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use serde_json::json;

    use super::*;

    fn take(params: &mut Value) -> HostParams {
        HostParams::take(params.as_object_mut().unwrap())
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
                "cert": 7, "minVersion": "TLSv1", "maxVersion": "SSLv3",
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
                "api.rejectUnauthorized",
                "api.ca",
            ]
        );
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
        assert_eq!(keys(&host), ["logstash.ca", "logstash.passphrase", "logstash.key", "api.ca"]);
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

    #[test]
    fn an_encrypted_key_is_refused_with_the_way_out() {
        let key = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let host = take(&mut json!({"logstash": {"cert": pair().0, "key": key}}));
        assert_eq!(keys(&host), ["logstash.key"]);
        assert!(host.faults[0].remedy.contains("not supported yet"), "{:?}", host.faults);
    }

    #[test]
    fn only_the_configured_receiver_is_permitted() {
        let receiver =
            take(&mut json!({"logstash": {"host": "Logs.example.com", "port": "5044"}})).receiver.unwrap();
        assert!(receiver.permits("logs.example.com", 5044));
        assert!(!receiver.permits("logs.example.com", 5045));
        assert!(!receiver.permits("example.com", 5044));
        let receiver = take(&mut json!({"logstash": {"host": "[::1]", "port": 1}})).receiver.unwrap();
        assert!(receiver.permits("::1", 1) && receiver.permits("[::1]", 1));
        assert_eq!(take(&mut json!({"logstash": {"host": "l", "port": 70000}})).receiver, None);
    }

    #[test]
    fn a_section_of_the_wrong_type_does_not_break_the_rest() {
        assert!(take(&mut json!({"logstash": 7})).faults.is_empty());
        assert_eq!(keys(&take(&mut json!({"api": [1]}))), ["api"]);
    }
}
