//! Reading one object of the parameters, key by key, and noting what is wrong with each.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Map, Value};

use super::Fault;
use crate::secret::Secret;

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

    /// Remembers a text that must not show up anywhere.
    pub(super) fn secret(&mut self, text: &str) -> Secret {
        let secret = Secret::new(text);
        self.secrets.push(secret.clone());
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
            self.secret(&pem);
        }
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        match certificates {
            Ok(certificates) if !certificates.is_empty() => return Some(certificates),
            Ok(_) => self.fault(
                key,
                "holds no certificate; give PEM text that begins with -----BEGIN CERTIFICATE-----, line breaks included",
            ),
            Err(_) => self.fault(
                key,
                "is not readable as PEM; give the text of the file unchanged, line breaks included",
            ),
        }
        None
    }
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
