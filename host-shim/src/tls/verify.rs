//! Who is let through: a chain to an authority, a certificate that is trusted as it is, or anybody.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::pins::{Pinned, Pins};
use super::{Trust, provider, roots};

/// The verifier for `trust`, and on top of it the pins. Errors: a certificate in `trust` is none.
pub(super) fn verifier(trust: &Trust, pins: Pins) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let who = match trust {
        Trust::Public => Who::Public,
        Trust::Only(certificates) => Who::TrustedOrChain {
            chain: chain_verifier(Arc::new(roots::only(certificates)?))?,
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
        Trust::Public if !pins.authority.is_empty() => (roots::public(), roots::of_system()),
        Trust::Public => (roots::public(), Vec::new()),
        Trust::Only(certificates) => (Arc::new(roots::only(certificates)?), certificates.clone()),
        Trust::Anybody => (Arc::new(RootCertStore::empty()), Vec::new()),
    };
    Ok(Arc::new(Pinned { verifier, pins, trusted, roots }))
}

pub(super) fn chain_verifier(roots: Arc<RootCertStore>) -> Result<Arc<WebPkiServerVerifier>, Error> {
    WebPkiServerVerifier::builder_with_provider(roots, provider())
        .build()
        .map_err(|error| Error::General(error.to_string()))
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
    /// into `ca`. OpenSSL takes it, so the 2017 tool did; webpki alone refuses an authority as a server's certificate.
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
            Who::Public => by(&*chain_verifier(roots::public())?),
            Who::TrustedOrChain { chain, trusted } => match by(chain) {
                // The dates are checked first, so neither of these errors hides that a certificate has expired.
                Err(Error::InvalidCertificate(
                    CertificateError::UnknownIssuer | CertificateError::Other(_),
                )) if trusted.iter().any(|one| one.as_ref() == end_entity.as_ref()) => {
                    verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                    Ok(ServerCertVerified::assertion())
                }
                verdict => verdict,
            },
            Who::Anybody => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
