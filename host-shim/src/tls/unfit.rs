//! Reasons why webpki refuses a certificate: its own errors mention neither short keys nor old versions.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::ServerCertVerified;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, Error, OtherError};

use super::certificate::{Certificate, Key, called, day};
use super::rsa;

/// What is wrong with a certificate itself, whoever issued it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{whose:?}: {what:?}")]
pub(crate) struct Unfit {
    pub(crate) whose: Whose,
    pub(crate) what: Flaw,
    /// Whether certificates are verified at all.
    pub(crate) verified: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Servers,
    /// Of an authority above it.
    Authoritys,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    Key(Key),
    Version(u8),
    /// Critical, and unknown here: its object identifier.
    Extension(String),
    /// The name of what it was signed with.
    Signature(String),
    /// The other side does not hold the key of its certificate.
    NotItsKey,
    /// It cannot be read at all.
    Encoding,
    /// Its subject, and the last day on which it was valid.
    Expired(String, String),
    /// Its subject, and the first day on which it will be valid.
    Early(String, String),
}

impl Unfit {
    pub(super) fn into_error(self) -> Error {
        Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(self))))
    }

    /// What is wrong, and what would do; a receiver's certificate can be pinned, too.
    pub(super) fn sentence(&self, of_receiver: bool) -> String {
        const KINDS: &str =
            "an RSA key with 2048 to 8192 bits, or a key on P-256, P-384 or P-521, or of Ed25519";
        let (whose, content) = match self.whose {
            Whose::Servers => ("the server's certificate", "subject alternative names"),
            Whose::Authoritys => ("the certificate of a CA above the server's", "the mark of a CA"),
        };
        let (wrong, remedy) = match &self.what {
            Flaw::Key(Key::Rsa(bits)) if *bits < rsa::SHORTEST_TRUSTED => (
                format!("is for an RSA key with {bits} bits, which is too short"),
                format!("issue it again for {KINDS}"),
            ),
            Flaw::Key(kind) => (
                format!("is for a kind of key that is not supported ({kind})"),
                format!("issue it again for {KINDS}"),
            ),
            Flaw::Version(version) => (
                format!("is of X.509 version {version}, which has no room for {content}"),
                format!("issue it again as version 3, with {content}"),
            ),
            Flaw::Extension(oid) => (
                format!("has the extension {oid}, which is not known here but marked as critical"),
                "issue it again without that mark".to_owned(),
            ),
            Flaw::Signature(name) => (
                format!("is signed with {name}, which is not supported"),
                "issue it again, signed with SHA-256".to_owned(),
            ),
            Flaw::NotItsKey => (
                "is not for the key that the server holds, or somebody is in between".to_owned(),
                "check the server's key".to_owned(),
            ),
            Flaw::Encoding => ("cannot be read".to_owned(), "issue it again".to_owned()),
            Flaw::Expired(name, day) => (
                format!("({name}) expired on {day}"),
                "let the server send the certificate that replaced it".to_owned(),
            ),
            Flaw::Early(name, day) => (
                format!("({name}) is not valid before {day}"),
                "check the clocks, or wait until then".to_owned(),
            ),
        };
        let pin = match of_receiver && self.would_do_unverified() {
            true => ", or pin it with `logstash.leaf_sha256` and set `logstash.rejectUnauthorized` to false",
            false => "",
        };
        format!("{whose} {wrong}; {remedy}{pin}")
    }

    /// Whether the server could be spoken to if its certificate were not verified.
    fn would_do_unverified(&self) -> bool {
        let taken = match &self.what {
            Flaw::Key(key) => key.is_taken(),
            Flaw::Version(_) | Flaw::Extension(_) | Flaw::Signature(_) => true,
            Flaw::NotItsKey | Flaw::Encoding | Flaw::Expired(..) | Flaw::Early(..) => false,
        };
        taken && self.verified && self.whose == Whose::Servers
    }
}

/// The verdict of webpki at the time `now`, with the cause of a refusal, where that is in a certificate. `trusted` are authorities, as far as
/// they are known in full.
pub(super) fn explained(
    verdict: Result<ServerCertVerified, Error>,
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    trusted: &[CertificateDer<'_>],
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    use CertificateError as C;
    match &verdict {
        // The key of the server's own certificate is not looked at before its signature is.
        Ok(_) => match Certificate::parse(leaf).and_then(|leaf| weak_key(&leaf)) {
            Some(what) => Err(Unfit { whose: Whose::Servers, what, verified: true }.into_error()),
            None => verdict,
        },
        Err(Error::InvalidCertificate(
            C::BadSignature
            | C::BadEncoding
            | C::Other(_)
            | C::UnsupportedSignatureAlgorithmContext { .. }
            | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
        )) => match cause(leaf, intermediates, trusted) {
            Some((whose, what)) => Err(Unfit { whose, what, verified: true }.into_error()),
            None => verdict,
        },
        // These do not say whose dates they are about.
        Err(Error::InvalidCertificate(
            C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. },
        )) => match out_of_date(leaf, intermediates, now) {
            Some(what) => Err(Unfit { whose: Whose::Authoritys, what, verified: true }.into_error()),
            None => verdict,
        },
        Err(_) => verdict,
    }
}

/// The certificate among those above the server's whose dates do not fit; none if the server's own do not.
fn out_of_date(leaf: &CertificateDer<'_>, shown: &[CertificateDer<'_>], now: UnixTime) -> Option<Flaw> {
    let leaf = Certificate::parse(leaf)?;
    if leaf.out_of_date(now).is_some() {
        return None;
    }
    shown.iter().find_map(|one| Certificate::parse(one)?.out_of_date(now))
}

fn cause(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    trusted: &[CertificateDer<'_>],
) -> Option<(Whose, Flaw)> {
    let leaf = Certificate::parse(leaf)?;
    let shown: Vec<Certificate<'_>> =
        intermediates.iter().filter_map(|one| Certificate::parse(one)).collect();
    let issued = |authority: &Certificate<'_>| {
        std::iter::once(&leaf).chain(&shown).any(|below| below.issuer == authority.subject)
    };
    let authority = |what| (Whose::Authoritys, what);
    flaw(&leaf).map(|what| (Whose::Servers, what)).or_else(|| {
        shown.iter().find_map(flaw).map(authority).or_else(|| {
            // Of what is trusted only the key counts.
            let trusted = trusted.iter().filter_map(|one| Certificate::parse(one));
            trusted.filter(issued).find_map(|one| weak_key(&one)).map(authority)
        })
    })
}

/// What is wrong with a certificate that is verified.
fn flaw(certificate: &Certificate<'_>) -> Option<Flaw> {
    /// Those that webpki knows: key usage, names, basic and name constraints, revocation lists, extended key usage.
    const KNOWN: [&str; 6] = ["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.31", "2.5.29.37"];
    if certificate.version != 3 {
        return Some(Flaw::Version(certificate.version));
    }
    let mut critical = certificate.critical.iter().map(ToString::to_string);
    critical
        .find(|oid| !KNOWN.contains(&oid.as_str()))
        .map(Flaw::Extension)
        .or_else(|| weak_key(certificate))
        .or_else(|| unsupported_signature(&certificate.signature.to_string()).map(Flaw::Signature))
}

impl Certificate<'_> {
    /// Whether it has expired or is not valid yet.
    pub(super) fn out_of_date(&self, now: UnixTime) -> Option<Flaw> {
        let (first, last) = self.validity?;
        let now = Duration::from_secs(now.as_secs());
        let name = || called(self.subject);
        if now > last.unix_duration() {
            return Some(Flaw::Expired(name(), day(last)));
        }
        (now < first.unix_duration()).then(|| Flaw::Early(name(), day(first)))
    }
}

fn weak_key(certificate: &Certificate<'_>) -> Option<Flaw> {
    certificate.key().filter(|key| !key.is_trusted()).map(Flaw::Key)
}

impl Key {
    /// Whether it can be used where nothing is verified.
    pub(super) fn is_taken(&self) -> bool {
        match self {
            Self::Rsa(bits) => (rsa::SHORTEST..=rsa::LONGEST).contains(bits),
            other => other.is_trusted(),
        }
    }

    /// Whether it is of a kind that can be verified, and long enough.
    pub(super) fn is_trusted(&self) -> bool {
        match self {
            Self::Rsa(bits) => (rsa::SHORTEST_TRUSTED..=rsa::LONGEST).contains(bits),
            Self::Other(_) => false,
            Self::P256 | Self::P384 | Self::P521 | Self::Ed25519 => true,
        }
    }
}

/// The name of a signature's algorithm that is not supported with any key.
fn unsupported_signature(oid: &str) -> Option<String> {
    let name = match oid {
        "1.2.840.113549.1.1.11"
        | "1.2.840.113549.1.1.12"
        | "1.2.840.113549.1.1.13"
        | "1.2.840.113549.1.1.10"
        | "1.2.840.10045.4.3.2"
        | "1.2.840.10045.4.3.3"
        | "1.2.840.10045.4.3.4"
        | "1.3.101.112" => return None,
        "1.2.840.113549.1.1.4" => "MD5",
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => "SHA-1",
        "1.2.840.113549.1.1.14" | "1.2.840.10045.4.3.1" => "SHA-224",
        "1.3.101.113" => "Ed448",
        other => return Some(format!("the algorithm {other}")),
    };
    Some(name.to_owned())
}
