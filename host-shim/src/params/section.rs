//! Reading one object of the parameters, key by key, and noting what is wrong with each.

use rustls::pki_types::CertificateDer;
use serde_json::{Map, Value};

use super::Fault;
use crate::secret::Secret;
use crate::tls;
use crate::tls::pem::{self, Unreadable};

/// Longest value shown in a fault, in characters.
const SHOWN: usize = 60;

pub(super) struct Section<'a> {
    name: &'static str,
    map: Option<&'a mut Map<String, Value>>,
    faults: &'a mut Vec<Fault>,
    /// The texts, and the keys that hold them.
    secrets: (&'a mut Vec<Secret>, &'a mut Vec<String>),
    warnings: &'a mut Vec<String>,
}

impl<'a> Section<'a> {
    pub(super) fn new(
        name: &'static str,
        value: Option<&'a mut Value>,
        faults: &'a mut Vec<Fault>,
        secrets: (&'a mut Vec<Secret>, &'a mut Vec<String>),
        warnings: &'a mut Vec<String>,
    ) -> Self {
        Self { name, map: value.and_then(Value::as_object_mut), faults, secrets, warnings }
    }

    /// Notes a fault without showing the value.
    pub(super) fn fault(&mut self, key: &str, remedy: impl Into<String>) {
        let remedy = remedy.into();
        self.faults.push(Fault { key: format!("{}.{key}", self.name), value: String::new(), remedy });
    }

    /// Notes a fault of a value that is no secret.
    pub(super) fn shown_fault(&mut self, key: &str, remedy: &str) {
        let value = shortened(self.get(key));
        self.faults.push(Fault { key: format!("{}.{key}", self.name), value, remedy: remedy.to_owned() });
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

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.map.as_deref()?.get(key).filter(|value| is_given(value))
    }

    /// Takes a value out of the parameters. Null and empty text count as absent, as they did in Node.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.map.as_mut()?.remove(key).filter(is_given)
    }

    /// Remembers a text that must not show up anywhere, and that `key` holds it.
    pub(super) fn secret(&mut self, key: &str, text: &str) -> Secret {
        let key = format!("{}.{key}", self.name);
        let keys = &mut *self.secrets.1;
        if !keys.contains(&key) {
            keys.push(key);
        }
        self.hide(text)
    }

    /// Remembers a text that must not show up anywhere, though it need not be a secret.
    pub(super) fn hide(&mut self, text: &str) -> Secret {
        let secret = Secret::new(text);
        self.secrets.0.push(secret.clone());
        secret
    }

    /// Takes certificates out of the parameters: PEM text, or an array of it.
    pub(super) fn certificates(&mut self, key: &str) -> Option<Vec<CertificateDer<'static>>> {
        let text = match self.take(key)? {
            Value::String(text) => Some(text),
            Value::Array(items) => {
                items.iter().map(Value::as_str).collect::<Option<Vec<_>>>().map(|texts| texts.join("\n"))
            }
            _ => None,
        };
        let Some(pem) = text else {
            self.fault(key, "must be text, or an array of texts");
            return None;
        };
        // A key in the wrong place is a key all the same.
        if pem.contains("PRIVATE KEY") {
            self.secret(key, &pem);
        }
        match pem::certificates(&pem) {
            Ok(certificates) => {
                let found = tls::out_of_date(&certificates).into_iter();
                let named = found.map(|what| format!("`{}.{key}`: {what}", self.name));
                self.warnings.extend(named);
                return Some(certificates);
            }
            Err(Unreadable::None(labels)) => self.fault(key, no_certificate(&pem, &labels)),
            Err(Unreadable::Damaged) => self.fault(
                key,
                "is not readable as PEM; give the text of the file unchanged, from -----BEGIN to -----END",
            ),
            Err(Unreadable::Distrusted) => self.fault(
                key,
                "holds a certificate that OpenSSL was told not to trust for servers; write it anew with `openssl x509 -clrtrust -clrreject`",
            ),
        }
        None
    }
}

/// What to say of a text without certificates, with the labels of what is in it.
fn no_certificate(text: &str, labels: &[String]) -> String {
    let text = text.trim();
    if let Some(label) = labels.first() {
        let remedy = match label.as_str() {
            "PKCS7" => "convert it with `openssl pkcs7 -print_certs`",
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                "give the certificate that was issued for it"
            }
            _ => "give one that begins with -----BEGIN CERTIFICATE-----",
        };
        let label: String =
            label.chars().filter(|char| char.is_ascii_alphanumeric() || *char == ' ').take(40).collect();
        return format!("holds {label} and no certificate; {remedy}");
    }
    // Base64 of "-----BEGIN".
    if text.starts_with("LS0tLS1CRUdJTi") {
        return "holds base64 of PEM text and no certificate; decode it once".to_owned();
    }
    if !text.contains(['\n', ' '])
        && (text.contains('/') || text.ends_with(".pem") || text.ends_with(".crt"))
        && text.len() < 256
    {
        return "is the name of a file; give the text that is in it, or give the file to the command with `--ca` or `--cert`".to_owned();
    }
    "holds no certificate; give PEM text that begins with -----BEGIN CERTIFICATE-----, line breaks included"
        .to_owned()
}

fn is_given(value: &Value) -> bool {
    !value.is_null() && value.as_str() != Some("")
}

/// A value as JSON, short enough for a message.
pub(super) fn shortened(value: Option<&Value>) -> String {
    // Members of an object are not shown: one of them may be a password in the wrong place.
    let text = match value {
        Some(Value::Object(_)) => "{…}".to_owned(),
        // What stands before it may be a user and a password.
        Some(Value::String(text)) if text.contains('@') => String::new(),
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
