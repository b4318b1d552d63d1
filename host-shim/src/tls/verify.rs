//! The servers that are accepted: those with a chain to an authority, those with a certificate that is trusted as it is, or all.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, RootCertStore, SignatureScheme,
};

use super::certificate::{Certificate, Key};
use super::pins::{Pinned, Pins};
use super::provider::unverified;
use super::unfit::{Flaw, Unfit, Whose, explained};
use super::untrusted::Untrusted;
use super::{Trust, provider, roots};

/// The verifier for `trust`, and on top of it the pins. Errors: a certificate in `trust` is none.
pub(super) fn verifier(trust: &Trust, pins: Pins) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let who = match trust {
        Trust::Public => Who::Public,
        Trust::Only(certificates) => Who::TrustedOrChain {
            chain: roots::verifier(Arc::new(roots::only(certificates)?))?,
            trusted: certificates.clone(),
        },
        Trust::Anybody => Who::Anybody,
    };
    let verifier = Arc::new(Verifier { who, provider: provider() });
    if pins.is_empty() {
        return Ok(verifier);
    }
    let (roots, trusted) = match trust {
        // The roots know an authority by its key only; a fingerprint is one of the whole certificate.
        Trust::Public if !pins.authority.is_empty() => {
            (roots::public(), roots::system().certificates.clone())
        }
        Trust::Public => (roots::public(), Vec::new()),
        Trust::Only(certificates) => (Arc::new(roots::only(certificates)?), certificates.clone()),
        Trust::Anybody => (Arc::new(RootCertStore::empty()), Vec::new()),
    };
    Ok(Arc::new(Pinned { verifier, pins, trusted, roots }))
}

/// Says who is let through. That the peer holds the key of its certificate is checked of everybody.
#[derive(Debug)]
struct Verifier {
    who: Who,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
enum Who {
    /// A chain to a public authority. They are read when the first certificate comes: that takes milliseconds, and most runs meet none.
    Public,
    /// A chain to one of the authorities, or exactly one of the given certificates.
    ///
    /// Many a Logstash runs with a self-signed certificate that marks itself as an authority, and its users put just that
    /// into `ca`. OpenSSL takes it, so the forwarder of 2017 did; webpki alone refuses an authority as a server's certificate.
    TrustedOrChain { chain: Arc<WebPkiServerVerifier>, trusted: Vec<CertificateDer<'static>> },
    /// Anybody.
    Anybody,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let by = |chain: &WebPkiServerVerifier| {
            chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        match &self.who {
            Who::Public => {
                let verdict = by(&*roots::verifier(roots::public())?);
                explained(verdict, end_entity, intermediates, &[], now)
                    .map_err(|error| without_end(error, end_entity, intermediates, roots::system().trouble()))
            }
            Who::TrustedOrChain { chain, trusted } => {
                let verdict = match by(chain) {
                    // The dates are checked first, so neither of these errors hides that a certificate has expired.
                    Err(Error::InvalidCertificate(
                        CertificateError::UnknownIssuer | CertificateError::Other(_),
                    )) if trusted.iter().any(|one| one.as_ref() == end_entity.as_ref()) => {
                        ParsedCertificate::try_from(end_entity)
                            .and_then(|parsed| verify_server_name(&parsed, server_name))
                            .map(|()| ServerCertVerified::assertion())
                    }
                    verdict => verdict,
                };
                explained(verdict, end_entity, intermediates, trusted, now)
                    .map_err(|error| without_end(error, end_entity, intermediates, None))
            }
            Who::Anybody => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let valid = match self.who {
            Who::Anybody => unverified_tls12(message, certificate, signature),
            _ => verify_tls12_signature(message, certificate, signature, &self.algorithms()),
        };
        valid.map_err(|error| self.about_key(error, certificate))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let valid = match self.who {
            Who::Anybody => raw_key(certificate).and_then(|key| {
                verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms())
            }),
            _ => verify_tls13_signature(message, certificate, signature, &self.algorithms()),
        };
        valid.map_err(|error| self.about_key(error, certificate))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms().supported_schemes()
    }
}

impl Verifier {
    fn algorithms(&self) -> WebPkiSupportedAlgorithms {
        match self.who {
            Who::Anybody => unverified(),
            _ => self.provider.signature_verification_algorithms,
        }
    }

    /// A signature of the handshake that does not hold: because of the kind of key, or because it was made with another one.
    fn about_key(&self, error: Error, certificate: &CertificateDer<'_>) -> Error {
        if !matches!(error, Error::InvalidCertificate(_)) {
            return error;
        }
        let what = match Certificate::parse(certificate).map(|certificate| certificate.key()) {
            Some(Some(key)) if self.takes(&key) => Flaw::NotItsKey,
            Some(Some(key)) => Flaw::Key(key),
            _ => Flaw::Encoding,
        };
        Unfit { whose: Whose::Servers, what, verified: !matches!(self.who, Who::Anybody) }.into_error()
    }

    fn takes(&self, key: &Key) -> bool {
        if matches!(self.who, Who::Anybody) { key.is_taken() } else { key.is_trusted() }
    }
}

/// The error with the place where the chain ends, if it has no trusted end.
fn without_end(
    error: Error,
    leaf: &CertificateDer<'_>,
    shown: &[CertificateDer<'_>],
    bundle: Option<String>,
) -> Error {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            Untrusted::of(leaf, shown, bundle).map_or(error, Untrusted::into_error)
        }
        error => error,
    }
}

/// Nothing of the certificate is read but its key: webpki would refuse the rest.
fn raw_key(certificate: &CertificateDer<'_>) -> Result<SubjectPublicKeyInfoDer<'static>, Error> {
    let parsed = Certificate::parse(certificate).ok_or(CertificateError::BadEncoding)?;
    Ok(SubjectPublicKeyInfoDer::from(parsed.key_info.to_vec()))
}

/// As `rustls` does it, which has no function for it: in TLS 1.2 the scheme does not say the curve, so each algorithm of it is tried.
fn unverified_tls12(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let parsed = Certificate::parse(certificate).ok_or(CertificateError::BadEncoding)?;
    let (algorithm, key) = parsed.algorithm_and_key().ok_or(CertificateError::BadEncoding)?;
    let mapping = unverified().mapping;
    let of_scheme = mapping.iter().find(|(scheme, _)| *scheme == signature.scheme);
    let (_, tried) = of_scheme.ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
    let holds = tried.iter().any(|one| {
        one.public_key_alg_id().as_ref() == algorithm
            && one.verify_signature(key, message, signature.signature()).is_ok()
    });
    match holds {
        true => Ok(HandshakeSignatureValid::assertion()),
        false => Err(CertificateError::BadSignature.into()),
    }
}
