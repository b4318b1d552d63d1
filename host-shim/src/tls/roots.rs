//! The public authorities, and those that somebody names.

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::CertificateDer;
use rustls::{Error, RootCertStore};

use super::{pem, provider};

/// Where systems keep their authorities; the first that is there counts.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Public roots built in, so that a container without a bundle works, plus what the operator of the machine added to its bundle.
pub(super) fn public() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    ROOTS
        .get_or_init(|| {
            let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            roots.add_parsable_certificates(of_system());
            Arc::new(roots)
        })
        .clone()
}

/// The system's authorities; none if it has no bundle. `SSL_CERT_FILE` names another, as for OpenSSL.
pub(super) fn of_system() -> Vec<CertificateDer<'static>> {
    let named = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty());
    let pem = match named {
        Some(path) => std::fs::read(path).ok(),
        None => BUNDLES.iter().find_map(|path| std::fs::read(path).ok()),
    };
    pem.map(|pem| pem::readable(&String::from_utf8_lossy(&pem))).unwrap_or_default()
}

/// These and no others. Errors: one cannot be read as a certificate.
pub(super) fn only(certificates: &[CertificateDer<'static>]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate.clone())?;
    }
    Ok(roots)
}

/// Lets through who has a chain to one of the authorities.
pub(super) fn verifier(roots: Arc<RootCertStore>) -> Result<Arc<WebPkiServerVerifier>, Error> {
    WebPkiServerVerifier::builder_with_provider(roots, provider())
        .build()
        .map_err(|error| Error::General(error.to_string()))
}
