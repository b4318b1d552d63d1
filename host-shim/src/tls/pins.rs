//! Pins: certificates that must be there, in addition to all other checks.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{Encode as _, Tag};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use sha2::{Digest as _, Sha256};

use super::certificate::Certificate;
use super::roots;

/// What one certificate is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pin {
    /// SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` prints it.
    Certificate([u8; 32]),
    /// SHA-256 of its public key info, as in Filebeat's `ca_sha256`: it outlives a renewal with the same key.
    PublicKey([u8; 32]),
}

/// All pins of a receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pins {
    /// One of these must be the receiver's own certificate.
    pub(crate) leaf: Vec<Pin>,
    /// One of these must have issued it, directly or not.
    pub(crate) authority: Vec<Pin>,
}

/// A certificate that is none of the pinned ones.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PinMismatch {
    /// With the fingerprint of the server's certificate.
    #[error("not the pinned certificate but {0}")]
    Leaf(String),
    /// With the fingerprints of the authorities that the server showed.
    #[error("not issued by the pinned authority but by {0:?}")]
    Authority(Vec<String>),
}

impl Pin {
    /// Reads 64 hexadecimal digits, with or without colons, or 44 characters of base64.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits: Option<Vec<u8>> = text
            .chars()
            .filter(|char| *char != ':')
            .map(|char| char.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        match digits.filter(|digits| digits.len() == 64) {
            Some(digits) => {
                let bytes: Vec<u8> = digits
                    .chunks(2)
                    .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
                    .collect();
                bytes.try_into().ok().map(Self::Certificate)
            }
            None => STANDARD.decode(text).ok()?.try_into().ok().map(Self::PublicKey),
        }
    }

    fn is_of(&self, certificate: &CertificateDer<'_>) -> bool {
        match self {
            Self::Certificate(hash) => *hash == sha256(certificate),
            Self::PublicKey(hash) => {
                Certificate::parse(certificate).is_some_and(|parsed| *hash == sha256(parsed.key_info))
            }
        }
    }

    fn is_of_anchor(&self, anchor: &TrustAnchor<'_>) -> bool {
        match self {
            // An anchor is what is left of a certificate: nothing to take a fingerprint of.
            Self::Certificate(_) => false,
            Self::PublicKey(hash) => *hash == sha256(&sequence(&anchor.subject_public_key_info)),
        }
    }
}

impl Pins {
    pub(crate) fn is_empty(&self) -> bool {
        self.leaf.is_empty() && self.authority.is_empty()
    }
}

/// `bytes` as the content of a DER sequence.
fn sequence(bytes: &[u8]) -> Vec<u8> {
    AnyRef::new(Tag::Sequence, bytes).and_then(|sequence| sequence.to_der()).unwrap_or_default()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 of a certificate, in a form that [`Pin::parse`] reads.
pub(crate) fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    sha256(certificate).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asks another verifier first, then looks at the pins.
#[derive(Debug)]
pub(super) struct Pinned {
    pub(super) verifier: Arc<dyn ServerCertVerifier>,
    pub(super) pins: Pins,
    /// Certificates that are trusted, as far as they are known in full.
    pub(super) trusted: Vec<CertificateDer<'static>>,
    /// All that is trusted.
    pub(super) roots: Arc<RootCertStore>,
}

impl Pinned {
    fn check_leaf(&self, leaf: &CertificateDer<'_>) -> Result<(), Error> {
        if self.pins.leaf.is_empty() || self.pins.leaf.iter().any(|pin| pin.is_of(leaf)) {
            return Ok(());
        }
        Err(mismatch(PinMismatch::Leaf(fingerprint(leaf))))
    }

    /// A server may show any certificate along with its own. So the pinned authority must not only be there: the chain
    /// must hold with that authority alone.
    fn check_authority(
        &self,
        leaf: &CertificateDer<'_>,
        shown: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let pins = &self.pins.authority;
        let is_pinned = |certificate: &CertificateDer<'_>| pins.iter().any(|pin| pin.is_of(certificate));
        // A self-signed certificate that is trusted as it is has issued itself.
        if pins.is_empty()
            || (is_pinned(leaf) && self.trusted.iter().any(|one| one.as_ref() == leaf.as_ref()))
        {
            return Ok(());
        }
        let mut roots = RootCertStore::empty();
        for certificate in shown.iter().chain(&self.trusted).filter(|certificate| is_pinned(certificate)) {
            // One that cannot be read issues nothing.
            roots.add(certificate.clone().into_owned()).ok();
        }
        let anchors = self.roots.roots.iter();
        roots.extend(anchors.filter(|anchor| pins.iter().any(|pin| pin.is_of_anchor(anchor))).cloned());
        if !roots.is_empty()
            && roots::verifier(Arc::new(roots))?.verify_server_cert(leaf, shown, name, &[], now).is_ok()
        {
            return Ok(());
        }
        Err(mismatch(PinMismatch::Authority(shown.iter().map(fingerprint).collect())))
    }
}

fn mismatch(what: PinMismatch) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(what))))
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        self.check_leaf(end_entity)?;
        self.check_authority(end_entity, intermediates, server_name, now)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Authority;
    use rustls::pki_types::pem::PemObject;
    use rustls::server::ParsedCertificate;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn a_pin_is_a_fingerprint_in_hex_or_a_public_keys_hash_in_base64() {
        let bytes: [u8; 32] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef].repeat(4).try_into().unwrap();
        assert_eq!(Pin::parse(HEX), Some(Pin::Certificate(bytes)));
        let colons: Vec<String> = HEX
            .to_uppercase()
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8(pair.to_vec()).unwrap())
            .collect();
        assert_eq!(Pin::parse(&colons.join(":")), Some(Pin::Certificate(bytes)));
        assert_eq!(Pin::parse(&STANDARD.encode(bytes)), Some(Pin::PublicKey(bytes)));
        for wrong in ["", "abc", &HEX[1..], "not base64!", &STANDARD.encode([0; 31])] {
            assert_eq!(Pin::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_anchor_has_the_public_key_of_its_certificate() {
        let pem = Authority::new().pem();
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let info = ParsedCertificate::try_from(&certificate).unwrap().subject_public_key_info();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let pin = Pin::PublicKey(sha256(&info));
        assert!(pin.is_of(&certificate) && pin.is_of_anchor(&roots.roots[0]));
        assert!(!Pin::PublicKey(sha256(b"other")).is_of_anchor(&roots.roots[0]));
    }
}
