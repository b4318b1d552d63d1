//! The contents of a certificate, even one that nobody would trust: of any version, with any extension and any key.
//!
//! `webpki` reads certificates that it can verify and refuses all others. This module verifies nothing; it reads certificates to compare
//! keys and to find causes.

use std::fmt;

use pkcs8::der::asn1::{AnyRef, GeneralizedTime, ObjectIdentifier, UtcTime};
use pkcs8::der::{DateTime, Decode as _, Reader as _, SliceReader, Tag, Tagged as _};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer};

use super::rsa;

const RSA: &str = "1.2.840.113549.1.1.1";

/// A certificate, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Certificate<'a> {
    /// As people count: 1 to 3.
    pub(super) version: u8,
    pub(super) issuer: &'a [u8],
    pub(super) subject: &'a [u8],
    /// What it was signed with.
    pub(super) signature: ObjectIdentifier,
    /// The `SubjectPublicKeyInfo`, whole.
    pub(super) key_info: &'a [u8],
    /// The first and the last moment at which it is valid; none if they cannot be read.
    pub(super) validity: Option<(DateTime, DateTime)>,
    /// Extensions that are marked as critical.
    pub(super) critical: Vec<ObjectIdentifier>,
}

/// One value of DER.
#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    tag: Tag,
    whole: &'a [u8],
    value: &'a [u8],
}

/// The values that stand one behind the other in `bytes`; none if they do not fill them.
fn parts(bytes: &[u8]) -> Option<Vec<Part<'_>>> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let mut parts = Vec::new();
    while !reader.is_finished() {
        let whole = reader.tlv_bytes().ok()?;
        let any = AnyRef::from_der(whole).ok()?;
        parts.push(Part { tag: any.tag(), whole, value: any.value() });
    }
    Some(parts)
}

fn sequence(part: &Part<'_>) -> bool {
    part.tag == Tag::Sequence
}

/// Whether it is the field with this number, `[number]` in ASN.1.
fn is_field(part: &Part<'_>, number: u32) -> bool {
    matches!(part.tag, Tag::ContextSpecific { number: is, .. } if is.value() == number)
}

fn oid(part: &Part<'_>) -> Option<ObjectIdentifier> {
    (part.tag == Tag::ObjectIdentifier).then(|| ObjectIdentifier::from_bytes(part.value).ok())?
}

/// The identifier that an `AlgorithmIdentifier` or an `Extension` begins with.
fn leading_oid(value: &[u8]) -> Option<ObjectIdentifier> {
    oid(parts(value)?.first()?)
}

impl<'a> Certificate<'a> {
    /// None if it is not a certificate (RFC 5280 4.1).
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let [certificate] = parts(der)?[..] else { return None };
        let [to_be_signed, algorithm, _] = parts(certificate.value)?[..] else { return None };
        let fields = parts(to_be_signed.value)?;
        let (version, fields) = match fields.split_first()? {
            (version, rest) if is_field(version, 0) => {
                (parts(version.value)?.first()?.value.last()?.saturating_add(1), rest)
            }
            _ => (1, &fields[..]),
        };
        let [_serial, _algorithm, issuer, validity, subject, key_info, rest @ ..] = fields else {
            return None;
        };
        if ![&certificate, &to_be_signed, &algorithm, issuer, subject, key_info].into_iter().all(sequence) {
            return None;
        }
        let extensions = rest.iter().find(|part| is_field(part, 3));
        Some(Self {
            version,
            issuer: issuer.whole,
            subject: subject.whole,
            signature: leading_oid(algorithm.value)?,
            key_info: key_info.whole,
            validity: dates(validity.value),
            critical: extensions.map_or(Some(Vec::new()), |part| critical(part.value))?,
        })
    }

    /// The kind of its key.
    pub(super) fn key(&self) -> Option<Key> {
        let (algorithm, key) = self.algorithm_and_key()?;
        Key::of(algorithm, key)
    }

    /// The value of its key's `AlgorithmIdentifier`, and the key.
    pub(super) fn algorithm_and_key(&self) -> Option<(&'a [u8], &'a [u8])> {
        let [info] = parts(self.key_info)?[..] else { return None };
        let [algorithm, bits] = parts(info.value)?[..] else { return None };
        // The first byte of a bit string says how many bits are left over.
        Some((algorithm.value, bits.value.get(1..)?))
    }
}

fn dates(validity: &[u8]) -> Option<(DateTime, DateTime)> {
    let date = |part: &Part<'_>| match part.tag {
        Tag::UtcTime => UtcTime::from_der(part.whole).ok().map(|time| time.to_date_time()),
        _ => GeneralizedTime::from_der(part.whole).ok().map(|time| time.to_date_time()),
    };
    let [first, last] = parts(validity)?[..] else { return None };
    Some((date(&first)?, date(&last)?))
}

/// A date as people write it.
pub(super) fn day(date: DateTime) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

/// A subject or an issuer as people call it: by its common name, else by its unit or organization. Nobody vouches for this text.
pub(super) fn called(name: &[u8]) -> String {
    const COMMON_NAME: &str = "2.5.4.3";
    const UNIT: &str = "2.5.4.11";
    const ORGANIZATION: &str = "2.5.4.10";
    /// Longest name shown, in characters.
    const SHOWN: usize = 64;
    let attributes = attributes(name).unwrap_or_default();
    let of_kind = |kind: &str| attributes.iter().find(|(of, _)| of == kind).map(|(_, text)| text.as_str());
    let found = [COMMON_NAME, UNIT, ORGANIZATION].into_iter().find_map(of_kind);
    let text: String = found
        .unwrap_or_default()
        .chars()
        .filter(|char| !char.is_control() && *char != '`')
        .take(SHOWN)
        .collect();
    match text.trim() {
        "" => "a CA without a name".to_owned(),
        text => format!("`{text}`"),
    }
}

/// Kind and text of each part of a name.
fn attributes(name: &[u8]) -> Option<Vec<(String, String)>> {
    let [name] = parts(name)?[..] else { return None };
    let mut attributes = Vec::new();
    for set in parts(name.value)? {
        for attribute in parts(set.value)? {
            if let [kind, text] = parts(attribute.value)?[..] {
                let units = |bytes: &[u8]| -> Vec<u16> {
                    bytes
                        .chunks_exact(2)
                        .filter_map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)))
                        .collect()
                };
                let text = match text.tag {
                    Tag::BmpString => String::from_utf16_lossy(&units(text.value)),
                    _ => String::from_utf8_lossy(text.value).into_owned(),
                };
                attributes.push((oid(&kind)?.to_string(), text));
            }
        }
    }
    Some(attributes)
}

fn critical(extensions: &[u8]) -> Option<Vec<ObjectIdentifier>> {
    let [extensions] = parts(extensions)?[..] else { return None };
    let mut critical = Vec::new();
    for extension in parts(extensions.value)? {
        let fields = parts(extension.value)?;
        if fields.iter().any(|part| part.tag == Tag::Boolean && part.value != [0]) {
            critical.push(oid(fields.first()?)?);
        }
    }
    Some(critical)
}

/// A kind of key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// With so many bits.
    Rsa(usize),
    P256,
    P384,
    P521,
    Ed25519,
    /// Any other, as people call it.
    Other(String),
}

impl Key {
    /// Of the value of an `AlgorithmIdentifier`, and what is in the key's bit string.
    fn of(algorithm: &[u8], key: &[u8]) -> Option<Self> {
        let algorithm = parts(algorithm)?;
        let kind = oid(algorithm.first()?)?.to_string();
        Some(match kind.as_str() {
            RSA => Self::Rsa(rsa::bits(key)?),
            "1.2.840.10045.2.1" => Self::on_curve(algorithm.get(1).and_then(oid)),
            "1.3.101.112" => Self::Ed25519,
            _ => Self::Other(name_of_key(&kind)),
        })
    }

    fn on_curve(curve: Option<ObjectIdentifier>) -> Self {
        let Some(curve) = curve.map(|curve| curve.to_string()) else {
            return Self::Other("a curve of its own".to_owned());
        };
        match curve.as_str() {
            "1.2.840.10045.3.1.7" => Self::P256,
            "1.3.132.0.34" => Self::P384,
            "1.3.132.0.35" => Self::P521,
            "1.3.132.0.10" => Self::Other("secp256k1".to_owned()),
            "1.3.132.0.33" => Self::Other("P-224".to_owned()),
            "1.2.840.10045.3.1.1" => Self::Other("P-192".to_owned()),
            other if other.starts_with("1.3.36.3.3.2.8.1.1.") => Self::Other("Brainpool".to_owned()),
            other => Self::Other(format!("the curve {other}")),
        }
    }
}

fn name_of_key(oid: &str) -> String {
    match oid {
        "1.2.840.113549.1.1.10" => "RSA-PSS".to_owned(),
        "1.2.840.10040.4.1" => "DSA".to_owned(),
        "1.3.101.113" => "Ed448".to_owned(),
        other => format!("the algorithm {other}"),
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA with {bits} bits"),
            Self::P256 => f.write_str("P-256"),
            Self::P384 => f.write_str("P-384"),
            Self::P521 => f.write_str("P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl Key {
    /// Of a private key.
    pub(super) fn of_private(key: &PrivateKeyDer<'_>) -> Option<Self> {
        let [key_der] = parts(key.secret_der())?[..] else { return None };
        let fields = parts(key_der.value)?;
        match key {
            PrivateKeyDer::Pkcs1(_) => Some(Self::Rsa(rsa::bit_length(fields.get(1)?.value))),
            PrivateKeyDer::Sec1(_) => {
                let curve = fields.iter().find(|part| is_field(part, 0))?;
                Some(Self::on_curve(leading_oid(curve.value)))
            }
            PrivateKeyDer::Pkcs8(_) => {
                let [_version, algorithm, key, ..] = fields[..] else { return None };
                match leading_oid(algorithm.value)?.to_string().as_str() {
                    RSA => Self::of_private(&PrivatePkcs1KeyDer::from(key.value).into()),
                    _ => Self::of(algorithm.value, &[]),
                }
            }
            _ => None,
        }
    }
}

/// The certificate of a `TRUSTED CERTIFICATE` of OpenSSL (`X509_CERT_AUX`), and whether it may be used for servers.
pub(super) fn with_trust(der: &[u8]) -> Option<(&[u8], bool)> {
    const ANY: &str = "2.5.29.37.0";
    const SERVERS: &str = "1.3.6.1.5.5.7.3.1";
    let all = parts(der)?;
    let (certificate, trust) = all.split_first()?;
    let trust = trust.first().map_or(Some(Vec::new()), |trust| parts(trust.value))?;
    let mut may = true;
    for part in trust {
        let about_servers = || {
            Some(
                parts(part.value)?
                    .iter()
                    .filter_map(oid)
                    .any(|oid| [ANY, SERVERS].contains(&oid.to_string().as_str())),
            )
        };
        if part.tag == Tag::Sequence {
            may &= about_servers()?;
        } else if is_field(&part, 0) {
            may &= !about_servers()?;
        }
    }
    Some((certificate.whole, may))
}
