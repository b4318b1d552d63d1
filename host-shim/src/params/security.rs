//! The TLS keys of a section of the parameters.

use rustls::SupportedProtocolVersion;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use serde_json::Value;

use super::Security;
use super::section::Section;
use crate::tls::{self, Identity, KeyError, Pin, Pins, Settings, Trust, VERSIONS};

/// How the receiver is spoken to. With a fault it does not matter: nobody is spoken to then.
pub(super) fn security(logstash: &mut Section<'_>) -> Security {
    // Everything is read before the choice is made, so that all faults show and all keys leave the parameters.
    let enabled = logstash.flag("tls", true);
    if !enabled {
        warn_of_idle(logstash);
    }
    let trust = trust(logstash);
    let identity = identity(logstash);
    let server_name = server_name(logstash);
    let versions = versions(logstash);
    let pins = Pins { authority: pins(logstash, "ca_sha256"), leaf: pins(logstash, "leaf_sha256") };
    refuse_idle_pins(logstash, &pins, &trust, enabled);
    let shows_certificate = identity.is_some();
    // Reading the public roots takes time, and a plain connection has no use for them.
    if !enabled && !shows_certificate && trust == Trust::Public {
        return Security::Plain;
    }
    match tls::client_config(Settings { trust: trust.clone(), pins, identity, versions }) {
        Ok((config, asked)) if enabled => Security::Tls { config, server_name, shows_certificate, asked },
        Ok(_) => Security::Plain,
        Err(error) => {
            refuse_settings(logstash, &error, &trust);
            Security::Plain
        }
    }
}

/// Whom to trust.
pub(super) fn trust(section: &mut Section<'_>) -> Trust {
    let verify = section.flag("rejectUnauthorized", true);
    let certificates = section.certificates("ca");
    if !verify && certificates.is_some() && section.get("tls") != Some(&Value::Bool(false)) {
        section.warn_of_idle("ca", "rejectUnauthorized", "is false");
    }
    match certificates {
        _ if !verify => Trust::Anybody,
        Some(certificates) => Trust::Only(certificates),
        None => Trust::Public,
    }
}

/// What is only about TLS has no effect without it.
fn warn_of_idle(logstash: &mut Section<'_>) {
    const ABOUT_TLS: [&str; 8] =
        ["rejectUnauthorized", "ca", "servername", "cert", "key", "passphrase", "minVersion", "maxVersion"];
    let idle: Vec<String> = ABOUT_TLS
        .into_iter()
        .filter(|key| logstash.get(key).is_some())
        .map(|key| format!("`logstash.{key}`"))
        .collect();
    match idle.as_slice() {
        [] => {}
        [one] => {
            logstash.warn(format!("`logstash.tls` is false, so {one} has no effect; remove one of the two"))
        }
        several => {
            logstash.warn(format!(
                "`logstash.tls` is false, so {} have no effect; remove `logstash.tls` or these",
                several.join(", ")
            ));
        }
    }
}

/// A pin that nobody looks at would only seem to protect.
fn refuse_idle_pins(section: &mut Section<'_>, pins: &Pins, trust: &Trust, tls: bool) {
    for (key, of_this_kind) in [("ca_sha256", &pins.authority), ("leaf_sha256", &pins.leaf)] {
        if !tls && !of_this_kind.is_empty() {
            section.fault(key, "needs TLS, which `logstash.tls` turns off; remove one of the two");
        }
    }
    if tls && *trust == Trust::Anybody && !pins.authority.is_empty() {
        section.fault(
            "ca_sha256",
            "needs the verification that `logstash.rejectUnauthorized` turns off; remove one of the two, or pin the receiver's \
             own certificate with `logstash.leaf_sha256`",
        );
    }
}

fn refuse_settings(section: &mut Section<'_>, error: &rustls::Error, trust: &Trust) {
    match error {
        rustls::Error::InconsistentKeys(_) => section.fault(
            "key",
            "is not the key of the certificate in `logstash.cert`; give the two that belong together, and the client's own \
             certificate before those of its CAs",
        ),
        error => {
            let ca_is_good = tls::client_config(Settings::trusting(trust.clone())).is_ok();
            let key = if ca_is_good { "cert" } else { "ca" };
            section.fault(key, format!("cannot be used ({error}); give certificates as PEM text"));
        }
    }
}

/// Takes the client certificate and its key out of the parameters.
fn identity(section: &mut Section<'_>) -> Option<Identity> {
    let (has_cert, has_key) = (section.get("cert").is_some(), section.get("key").is_some());
    let chain = section.certificates("cert");
    let key = private_key(section);
    match (has_cert, has_key) {
        (true, false) if chain.is_some() => {
            section.fault("key", "is missing; give the key of the certificate in `logstash.cert`");
        }
        (false, true) if key.is_some() => {
            section.fault("cert", "is missing; give the certificate that goes with `logstash.key`");
        }
        _ => {}
    }
    Some(Identity { chain: chain?, key: key? })
}

fn private_key(section: &mut Section<'_>) -> Option<PrivateKeyDer<'static>> {
    let common = match section.take("passphrase") {
        None => None,
        Some(Value::String(text)) => Some(section.secret("passphrase", &text)),
        Some(_) => {
            section.fault("passphrase", "must be text, in quotes");
            return section.take("key").and(None);
        }
    };
    let Some(value) = section.take("key") else {
        if common.is_some() {
            warn_of_idle_passphrase(section, "there is no `logstash.key`");
        }
        return None;
    };
    if refuse_unknown_members(section, &value) {
        return None;
    }
    let Some((pem, own)) = one_key(&value) else {
        section.fault(
            "key",
            "must be the PEM text of one key, or an object {\"pem\": …, \"passphrase\": …}; give the one that belongs to `logstash.cert`",
        );
        return None;
    };
    section.secret("key", pem);
    let own = own.map(|text| section.secret("key.passphrase", text));
    let (has_own, has_common) = (own.is_some(), common.is_some());
    let of_passphrase = if own.is_some() { "key.passphrase" } else { "passphrase" };
    match tls::private_key(pem, own.or(common).as_ref()) {
        Ok(key) => {
            match (has_own, has_common) {
                (false, false) => {}
                _ if !tls::is_encrypted(pem) => {
                    warn_of_idle_passphrase(section, "the key in `logstash.key` is not encrypted");
                }
                (true, true) => warn_of_idle_passphrase(section, "`logstash.key` has one of its own"),
                _ => {}
            }
            return Some(key);
        }
        Err(KeyError::Missing) => section.fault(
            "key",
            "holds no private key; give PEM text (PKCS#8, PKCS#1 or SEC1) unchanged, line breaks included",
        ),
        Err(KeyError::PassphraseMissing) => {
            section.fault("passphrase", "is missing: the key in `logstash.key` is encrypted; give its passphrase");
        }
        Err(KeyError::PassphraseWrong) => section.fault(
            of_passphrase,
            "does not open the key in `logstash.key`; try it with `openssl pkey -in key.pem -noout`",
        ),
        Err(KeyError::Cipher(name)) => section.fault(
            "key",
            format!(
                "is encrypted with {name}, which is not supported; convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in key.pem -out new.pem`"
            ),
        ),
        Err(KeyError::Kind(kind)) => {
            let kind = kind.map(|kind| format!(" ({kind})")).unwrap_or_default();
            section.fault(
                "key",
                format!(
                    "is of a kind that is not supported{kind}; use RSA with 2048 to 4096 bits, ECDSA on P-256, P-384 or P-521, or Ed25519"
                ),
            );
        }
        Err(KeyError::OpenSsh) => section.fault(
            "key",
            "is in the form of OpenSSH; convert it with `ssh-keygen -p -m PKCS8 -f FILE`, which writes over the file",
        ),
    }
    None
}

/// A passphrase that opens nothing. Without TLS it is told with all that has no effect then.
fn warn_of_idle_passphrase(section: &mut Section<'_>, why: &str) {
    if section.get("tls") != Some(&Value::Bool(false)) {
        section.warn(format!(
            "the passphrase (`logstash.passphrase`, `--passphrase-file` or WHISKJACK_PASSPHRASE) has no effect, because {why}; remove it"
        ));
    }
}

/// Whether there are members of a key's object that nobody would read; each is a fault.
fn refuse_unknown_members(section: &mut Section<'_>, value: &Value) -> bool {
    let (path, object) = match value {
        Value::Object(object) => ("key", object),
        Value::Array(keys) => match keys.as_slice() {
            [Value::Object(object)] => ("key[0]", object),
            _ => return false,
        },
        _ => return false,
    };
    let unknown = object.iter().filter(|(name, _)| !["pem", "passphrase"].contains(&name.as_str()));
    let mut found = false;
    for (name, member) in unknown {
        found = true;
        // It may be the key or its passphrase under another name.
        if let Some(text) = member.as_str() {
            section.secret("key", text);
        }
        let plain = name.to_ascii_lowercase();
        let meant = match plain.as_str() {
            plain if plain.starts_with("pas") || plain.contains("phrase") => "; did you mean `passphrase`?",
            "key" | "text" | "private_key" | "privatekey" | "pen" | "pm" => "; did you mean `pem`?",
            _ => "",
        };
        section.fault(
            &format!("{path}.{name}"),
            format!("there is no such key in `logstash.key`, which takes `pem` and `passphrase`{meant}"),
        );
    }
    found
}

/// The forms that Node takes: text, `{pem, passphrase}`, or an array of these, here of one.
fn one_key(value: &Value) -> Option<(&str, Option<&str>)> {
    match value {
        Value::String(pem) => Some((pem, None)),
        Value::Object(key) => {
            let passphrase = match key.get("passphrase") {
                None | Some(Value::Null) => None,
                Some(passphrase) => Some(passphrase.as_str()?).filter(|text| !text.is_empty()),
            };
            Some((key.get("pem")?.as_str()?, passphrase))
        }
        Value::Array(keys) => match keys.as_slice() {
            [key] if !key.is_array() => one_key(key),
            _ => None,
        },
        _ => None,
    }
}

/// The name to check instead of the host's.
fn server_name(section: &mut Section<'_>) -> Option<ServerName<'static>> {
    let name = match section.get("servername")? {
        Value::String(name) => ServerName::try_from(name.clone()).ok(),
        _ => None,
    };
    if name.is_none() {
        section.shown_fault(
            "servername",
            "must be a host name or an IP address, as in the server's certificate",
        );
    }
    name
}

const FINGERPRINTS: &str = "must be one or more SHA-256 fingerprints: 64 hexadecimal digits of a certificate (`openssl x509 -fingerprint -sha256`), or base64 of its public key's hash";

fn pins(section: &mut Section<'_>, key: &str) -> Vec<Pin> {
    let Some(value) = section.get(key) else { return Vec::new() };
    let values = match value.clone() {
        Value::Array(values) if values.is_empty() => {
            section.shown_fault(key, FINGERPRINTS);
            return Vec::new();
        }
        Value::Array(values) => {
            values.into_iter().enumerate().map(|(index, value)| (format!("{key}[{index}]"), value)).collect()
        }
        value => vec![(key.to_owned(), value)],
    };
    let mut pins = Vec::new();
    for (place, value) in values {
        match value.as_str().and_then(Pin::parse) {
            Some(pin) => pins.push(pin),
            None => section.fault_of(&place, Some(&value), FINGERPRINTS),
        }
    }
    pins
}

/// The TLS versions within `minVersion` and `maxVersion`.
fn versions(section: &mut Section<'_>) -> Vec<&'static SupportedProtocolVersion> {
    let newest = VERSIONS.len() - 1;
    let min = version(section, "minVersion").unwrap_or_default();
    let max = version(section, "maxVersion").unwrap_or(Version::Supported(newest));
    match (min, max) {
        (_, Version::TooOld) => section.shown_fault(
            "maxVersion",
            "allows only versions that are not safe and not supported; use \"TLSv1.2\" or \"TLSv1.3\", and let the receiver speak one of them",
        ),
        (Version::Supported(min), Version::Supported(max)) if min > max => {
            section.shown_fault("minVersion", "is above `logstash.maxVersion`; swap them, or leave one out");
        }
        (Version::Supported(min), Version::Supported(max)) => {
            return VERSIONS.iter().copied().skip(min).take(max - min + 1).collect();
        }
        // Whoever allows older versions too gets what is safe of them.
        (Version::TooOld, Version::Supported(max)) => return VERSIONS.iter().copied().take(max + 1).collect(),
    }
    VERSIONS.to_vec()
}

#[derive(Clone, Copy, Default)]
enum Version {
    /// TLS 1.0 and 1.1.
    #[default]
    TooOld,
    /// Index into [`VERSIONS`].
    Supported(usize),
}

fn version(section: &mut Section<'_>, key: &str) -> Option<Version> {
    let version = match section.get(key)?.as_str() {
        Some("TLSv1" | "TLSv1.0" | "TLSv1.1") => Some(Version::TooOld),
        Some("TLSv1.2") => Some(Version::Supported(0)),
        Some("TLSv1.3") => Some(Version::Supported(1)),
        _ => None,
    };
    if version.is_none() {
        section.shown_fault(key, "must be \"TLSv1.2\" or \"TLSv1.3\"");
    }
    version
}
