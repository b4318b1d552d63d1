//! The API over TLS (checklist 7).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use openwhisk_double::{Double, Options, Tls};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use support::Answer;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{
    ALL_VERSIONS, ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned,
};

fn self_signed(name: &str) -> CertifiedKey<KeyPair> {
    generate_simple_self_signed([name.to_owned()]).unwrap()
}

fn options(server: &CertifiedKey<KeyPair>) -> Tls {
    Tls::new(server.cert.pem(), server.signing_key.serialize_pem())
}

/// `GET /`, trusting `server` and showing `client`.
fn ask(
    double: &Double,
    server: &CertifiedKey<KeyPair>,
    client: Option<&CertifiedKey<KeyPair>>,
) -> io::Result<(Answer, ProtocolVersion)> {
    let mut roots = RootCertStore::empty();
    roots.add(server.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(ALL_VERSIONS)
        .unwrap()
        .with_root_certificates(roots);
    let config = match client {
        None => config.with_no_client_auth(),
        Some(client) => {
            let key = PrivateKeyDer::try_from(client.signing_key.serialize_der()).unwrap();
            config.with_client_auth_cert(vec![client.cert.der().clone()], key).unwrap()
        }
    };
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(double.address())?;
    socket.set_read_timeout(Some(support::PATIENCE))?;
    let mut stream = StreamOwned::new(session, socket);
    let answer = support::exchange(&mut stream, "GET", "/", &[], b"")?;
    Ok((answer, stream.conn.protocol_version().unwrap()))
}

#[test]
fn https_is_served_with_the_given_certificate() {
    let server = self_signed("localhost");
    let double = Double::start(Options { tls: Some(options(&server)), ..Options::default() });
    assert_eq!(double.origin(), format!("https://localhost:{}", double.address().port()));
    let (answer, version) = ask(&double, &server, None).unwrap();
    assert_eq!((answer.status, version), (200, ProtocolVersion::TLSv1_3));
    assert!(ask(&double, &self_signed("localhost"), None).is_err(), "an untrusted certificate was accepted");
}

#[test]
fn https_can_be_limited_to_tls_1_2() {
    let server = self_signed("localhost");
    let tls = Tls { only_tls12: true, ..options(&server) };
    let double = Double::start(Options { tls: Some(tls), ..Options::default() });
    assert_eq!(ask(&double, &server, None).unwrap().1, ProtocolVersion::TLSv1_2);
}

#[test]
fn a_certificate_for_another_name_does_not_pass() {
    let server = self_signed("elsewhere.example");
    let double = Double::start(Options { tls: Some(options(&server)), ..Options::default() });
    assert!(ask(&double, &server, None).is_err());
}

#[test]
fn a_client_certificate_can_be_demanded() {
    let (server, client) = (self_signed("localhost"), self_signed("client"));
    let tls = Tls { client_ca: Some(client.cert.pem()), ..options(&server) };
    let double = Double::start(Options { tls: Some(tls), ..Options::default() });
    assert!(ask(&double, &server, None).is_err());
    assert_eq!(ask(&double, &server, Some(&client)).unwrap().0.status, 200);
}
