//! Reading one object of the parameters, key by key, and noting what is wrong with each.

use rustls::SupportedProtocolVersion;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::{Map, Value};

use super::Fault;
use crate::secret::Secret;
use crate::tls::{Identity, VERSIONS};

/// Longest value shown in a fault, in characters.
const SHOWN: usize = 60;

pub(super) struct Section<'a> {
    name: &'static str,
    map: Option<&'a mut Map<String, Value>>,
    faults: &'a mut Vec<Fault>,
    secrets: &'a mut Vec<Secret>,
}

impl<'a> Section<'a> {
    pub(super) fn new(
        name: &'static str,
        value: Option<&'a mut Value>,
        faults: &'a mut Vec<Fault>,
        secrets: &'a mut Vec<Secret>,
    ) -> Self {
        Self { name, map: value.and_then(Value::as_object_mut), faults, secrets }
    }

    /// Notes a fault without showing the value.
    pub(super) fn fault(&mut self, key: &str, remedy: String) {
        self.faults.push(Fault { key: format!("{}.{key}", self.name), value: String::new(), remedy });
    }

    pub(super) fn flag(&mut self, key: &str, default: bool) -> bool {
        match self.get(key) {
            None => default,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.shown_fault(key, "must be true or false, without quotes");
                default
            }
        }
    }

    /// Takes certificates out of the parameters.
    pub(super) fn certificates(&mut self, key: &str) -> Option<Vec<CertificateDer<'static>>> {
        let pem = self.take_text(key)?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        match certificates {
            Ok(certificates) if !certificates.is_empty() => return Some(certificates),
            Ok(_) => self.fault(
                key,
                "holds no certificate; give PEM text that begins with -----BEGIN CERTIFICATE-----, line breaks included"
                    .to_owned(),
            ),
            Err(_) => self.fault(key, "is not readable as PEM; give the text of the file unchanged, line breaks included".to_owned()),
        }
        None
    }

    /// Takes the client certificate and its key out of the parameters.
    pub(super) fn identity(&mut self) -> Option<Identity> {
        let (has_cert, has_key) = (self.get("cert").is_some(), self.get("key").is_some());
        let chain = self.certificates("cert");
        let key = self.private_key();
        match (has_cert, has_key) {
            (true, false) if chain.is_some() => {
                self.fault("key", "is missing; give the key of the certificate in `logstash.cert`".to_owned())
            }
            (false, true) if key.is_some() => self
                .fault("cert", "is missing; give the certificate that goes with `logstash.key`".to_owned()),
            _ => {}
        }
        Some(Identity { chain: chain?, key: key? })
    }

    /// The name to check instead of the host's.
    pub(super) fn server_name(&mut self) -> Option<ServerName<'static>> {
        let name = match self.get("servername")? {
            Value::String(name) => ServerName::try_from(name.clone()).ok(),
            _ => None,
        };
        if name.is_none() {
            self.shown_fault(
                "servername",
                "must be a host name or an IP address, as in the server's certificate",
            );
        }
        name
    }

    /// The TLS versions within `minVersion` and `maxVersion`.
    pub(super) fn versions(&mut self) -> Vec<&'static SupportedProtocolVersion> {
        let newest = VERSIONS.len() - 1;
        let min = self.version("minVersion").unwrap_or(0);
        let max = self.version("maxVersion").unwrap_or(newest);
        if min > max {
            self.shown_fault("minVersion", "is above `logstash.maxVersion`; swap them, or leave one out");
            return VERSIONS.to_vec();
        }
        VERSIONS.iter().copied().skip(min).take(max - min + 1).collect()
    }

    fn version(&mut self, key: &str) -> Option<usize> {
        let version = match self.get(key)?.as_str() {
            Some("TLSv1.2") => Some(0),
            Some("TLSv1.3") => Some(1),
            _ => None,
        };
        if version.is_none() {
            self.shown_fault(
                key,
                "must be \"TLSv1.2\" or \"TLSv1.3\"; older versions are not safe and not supported",
            );
        }
        version
    }

    fn private_key(&mut self) -> Option<PrivateKeyDer<'static>> {
        let passphrase = self.take_text("passphrase").is_some();
        if passphrase {
            self.fault("passphrase", format!("encrypted keys are not supported yet; {DECRYPT}"));
        }
        let pem = self.take_text("key")?;
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok();
        if pem.contains("ENCRYPTED") {
            if !passphrase {
                self.fault("key", format!("encrypted keys are not supported yet; {DECRYPT}"));
            }
            return None;
        }
        if key.is_none() {
            self.fault(
                "key",
                "holds no private key; give PEM text (PKCS#8, PKCS#1 or SEC1), line breaks included"
                    .to_owned(),
            );
        }
        key
    }

    /// Takes PEM text, or an array of it, out of the parameters. Null and empty text count as absent, as they did in Node.
    fn take_text(&mut self, key: &str) -> Option<String> {
        let value = self.map.as_mut()?.remove(key).filter(is_given)?;
        let text = match &value {
            Value::String(text) => Some(text.clone()),
            Value::Array(items) => {
                items.iter().map(Value::as_str).collect::<Option<Vec<_>>>().map(|texts| texts.join("\n"))
            }
            _ => None,
        };
        match text {
            Some(text) => {
                if matches!(key, "key" | "passphrase") || text.contains("PRIVATE KEY") {
                    self.secrets.push(Secret::new(text.clone()));
                }
                Some(text)
            }
            None => {
                self.fault(key, "must be text, or an array of texts".to_owned());
                None
            }
        }
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.map.as_deref()?.get(key).filter(|value| is_given(value))
    }

    fn shown_fault(&mut self, key: &str, remedy: &str) {
        let value = shortened(self.get(key));
        self.faults.push(Fault { key: format!("{}.{key}", self.name), value, remedy: remedy.to_owned() });
    }
}

fn is_given(value: &Value) -> bool {
    !value.is_null() && value.as_str() != Some("")
}

const DECRYPT: &str =
    "decrypt it with `openssl pkey -in key.pem -out plain.pem` and keep the parameters secret";

/// A value as JSON, short enough for a message.
pub(super) fn shortened(value: Option<&Value>) -> String {
    // Members of an object are not shown: one of them may be a password in the wrong place.
    let text = match value {
        Some(Value::Object(_)) => "{…}".to_owned(),
        Some(Value::Array(items)) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            "[…]".to_owned()
        }
        value => value.map(Value::to_string).unwrap_or_default(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
