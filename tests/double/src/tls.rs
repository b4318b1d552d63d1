//! The TLS side of https.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ALL_VERSIONS, RootCertStore, ServerConfig, version};

use crate::options::Tls;

/// An acceptor for these options. PEM that cannot be read stops the test.
pub(crate) fn acceptor(tls: &Tls) -> TlsAcceptor {
    let provider = Arc::new(ring::default_provider());
    let versions = if tls.only_tls12 { &[&version::TLS12][..] } else { ALL_VERSIONS };
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .expect("ring supports these versions");
    let builder = match &tls.client_ca {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates(ca));
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("client_ca holds a certificate"))
        }
    };
    let key = PrivateKeyDer::from_pem_slice(tls.key.as_bytes()).expect("the key is PEM");
    let mut config = builder
        .with_single_cert(certificates(&tls.certificate), key)
        .expect("certificate and key fit together");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().expect("certificates are PEM")
}
