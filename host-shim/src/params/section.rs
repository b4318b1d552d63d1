//! Reading one object of the parameters, key by key, and noting the faults of each.

use rustls::pki_types::CertificateDer;
use serde_json::{Map, Value};

use crate::secret::Secret;
use crate::tls;
use crate::tls::pem::{self, Unreadable};
use whiskjack_settings::{Fault, shown, text};

/// What was noted while all was read.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<String>,
    /// Texts that must not show up, and the keys that hold secrets among them.
    pub(super) secrets: Vec<Secret>,
    pub(super) secret_keys: Vec<String>,
}

pub(super) struct Section<'a> {
    name: &'static str,
    map: Option<&'a mut Map<String, Value>>,
    notes: &'a mut Notes,
}

impl<'a> Section<'a> {
    pub(super) fn new(name: &'static str, value: Option<&'a mut Value>, notes: &'a mut Notes) -> Self {
        Self { name, map: value.and_then(Value::as_object_mut), notes }
    }

    /// Notes what should be known though it is not a fault.
    pub(super) fn warn(&mut self, warning: String) {
        self.notes.warnings.push(warning);
    }

    /// Notes that a key has no effect beside another one.
    pub(super) fn warn_of_idle(&mut self, key: &str, other: &str, state: &str) {
        let name = self.name;
        self.warn(format!(
            "`{name}.{key}` has no effect, because `{name}.{other}` {state}; remove one of the two"
        ));
    }

    /// Notes a fault without showing the value.
    pub(super) fn fault(&mut self, key: &str, remedy: impl Into<String>) {
        let remedy = remedy.into();
        self.notes.faults.push(Fault { key: format!("{}.{key}", self.name), value: String::new(), remedy });
    }

    /// Notes a fault of a value that is not a secret.
    pub(super) fn shown_fault(&mut self, key: &str, remedy: &str) {
        let value = self.get(key).cloned();
        self.fault_of(key, value.as_ref(), remedy);
    }

    /// Notes a fault of this value, which stands at `key` and is not a secret.
    pub(super) fn fault_of(&mut self, key: &str, value: Option<&Value>, remedy: &str) {
        let (key, value) = (format!("{}.{key}", self.name), shown(value));
        self.notes.faults.push(Fault { key, value, remedy: remedy.to_owned() });
    }

    pub(super) fn flag(&mut self, key: &str, default: bool) -> bool {
        match self.get(key) {
            None => default,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                let remedy = text::switch(other.as_str());
                self.shown_fault(key, remedy);
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
        let keys = &mut self.notes.secret_keys;
        if !keys.contains(&key) {
            keys.push(key);
        }
        self.hide(text)
    }

    /// Remembers a text that must not show up anywhere, though it need not be a secret.
    pub(super) fn hide(&mut self, text: &str) -> Secret {
        let secret = Secret::new(text);
        self.notes.secrets.push(secret.clone());
        secret
    }

    /// How a command takes a file in the place of certificates.
    fn option(&self, key: &str) -> &'static str {
        match (self.name, key.split('[').next()) {
            ("logstash", Some("ca")) => "give the file to the command with `--ca`",
            ("logstash", Some("cert")) => "give the file to the command with `--cert`",
            _ => "fill it in from a variable with `${NAME}`",
        }
    }

    /// Takes certificates out of the parameters: PEM text, or an array of it.
    pub(super) fn certificates(&mut self, key: &str) -> Option<Vec<CertificateDer<'static>>> {
        let items = match self.take(key)? {
            Value::Array(items) if items.is_empty() => {
                self.fault(key, no_certificate("", &[], ""));
                return None;
            }
            Value::Array(items) => items,
            item => return self.certificates_of(key, item),
        };
        // Each for itself, so that one that holds none is not lost among the others; and all, so that all faults show.
        let each: Vec<Option<Vec<_>>> = items
            .into_iter()
            .enumerate()
            .map(|(index, item)| self.certificates_of(&format!("{key}[{index}]"), item))
            .collect();
        each.into_iter().collect::<Option<Vec<_>>>().map(|all| all.concat())
    }

    /// The certificates in one text.
    fn certificates_of(&mut self, key: &str, item: Value) -> Option<Vec<CertificateDer<'static>>> {
        let Value::String(pem) = item else {
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
                self.notes.warnings.extend(named);
                return Some(certificates);
            }
            Err(Unreadable::None(labels)) => {
                let option = self.option(key);
                self.fault(key, no_certificate(&pem, &labels, option));
            }
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

/// What to say of a text without certificates, with the labels of what is in it, and the option that takes a file in its place.
fn no_certificate(text: &str, labels: &[String], option: &str) -> String {
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
        return format!("is the name of a file; give the text that is in it, or {option}");
    }
    "holds no certificate; give PEM text that begins with -----BEGIN CERTIFICATE-----, line breaks included"
        .to_owned()
}

fn is_given(value: &Value) -> bool {
    !value.is_null() && value.as_str() != Some("")
}
