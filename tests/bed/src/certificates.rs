//! A small PKI, made anew for each test.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;

use crate::ReceiverTls;

/// The passphrase of [`Certificates::client_key_encrypted`].
pub const PASSPHRASE: &str = "sesame";

/// Certificates as PEM text, and the server's also as files that live as long as this value.
pub struct Certificates {
    /// The CA that signed the server's and the client's certificate.
    pub ca: String,
    /// A CA that signed neither.
    pub other_ca: String,
    /// The server's certificate, for `localhost` and 127.0.0.1.
    pub server_certificate: String,
    /// The server's private key, PKCS#8.
    pub server_key: String,
    /// A client's certificate.
    pub client_certificate: String,
    /// The client's private key, PKCS#8.
    pub client_key: String,
    /// The same, encrypted with [`PASSPHRASE`].
    pub client_key_encrypted: String,
    issuer: Issuer<'static, KeyPair>,
    directory: TempDir,
}

/// What is wrong with a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    /// It was valid in 2001.
    Expired,
    /// It will be valid in 2101.
    NotYetValid,
    /// It is for `elsewhere.example`.
    WrongName,
    /// It has the name in its common name only, as certificates had long ago.
    CommonNameOnly,
    /// No authority signed it.
    SelfSigned,
}

/// For whom the server's certificate is. The last name is one that only a test's own name server or `/etc/hosts` knows.
const SERVER_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "logs.test"];

impl Certificates {
    /// Makes all of them.
    pub fn new() -> Self {
        let (ca, issuer) = authority("whiskjack test CA");
        let (other_ca, _) = authority("unrelated test CA");
        let (server_certificate, server_key) =
            leaf(&issuer, "localhost", &SERVER_NAMES, ExtendedKeyUsagePurpose::ServerAuth);
        let client_key = include_str!("../../../host-shim/tests/keys/ec.pkcs8.pem").to_owned();
        let client_key_encrypted = include_str!("../../../host-shim/tests/keys/ec.aes256.pem").to_owned();
        let client_pair = KeyPair::from_pem(&client_key).expect("a key pair");
        let client_certificate =
            leaf_for(&client_pair, &issuer, "whiskjack", &[], ExtendedKeyUsagePurpose::ClientAuth);

        let directory = tempfile::tempdir().expect("a temporary directory");
        for (name, pem) in [("ca", &ca), ("certificate", &server_certificate), ("key", &server_key)] {
            fs::write(directory.path().join(name), pem).expect("a file in the temporary directory");
        }
        Self {
            ca,
            other_ca,
            server_certificate,
            server_key,
            client_certificate,
            client_key,
            client_key_encrypted,
            issuer,
            directory,
        }
    }

    /// For a [`Scripted`](crate::Scripted) receiver that shows its certificate.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        config(&self.server_certificate, &self.server_key, None)
    }

    /// For a [`Scripted`](crate::Scripted) receiver that also demands a certificate of its clients.
    pub fn mutual_config(&self) -> Arc<ServerConfig> {
        config(&self.server_certificate, &self.server_key, Some(&self.ca))
    }

    /// For a [`Scripted`](crate::Scripted) receiver whose certificate has something wrong.
    pub fn faulty_config(&self, fault: CertificateFault) -> Arc<ServerConfig> {
        let (certificate, key) = faulty(&self.issuer, fault);
        config(&certificate, &key, None)
    }

    /// For a receiver that shows its certificate.
    pub fn server_tls(&self) -> ReceiverTls {
        ReceiverTls { certificate: self.file("certificate"), key: self.file("key"), client_ca: None }
    }

    /// For a receiver that also demands a certificate of its clients.
    pub fn mutual_tls(&self) -> ReceiverTls {
        ReceiverTls { client_ca: Some(self.ca_file()), ..self.server_tls() }
    }

    /// The CA's certificate as a file.
    pub fn ca_file(&self) -> PathBuf {
        self.file("ca")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

fn authority(name: &str) -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().expect("a key pair");
    let certificate = params.self_signed(&key).expect("a CA certificate");
    (certificate.pem(), Issuer::new(params, key))
}

fn leaf(
    issuer: &Issuer<'static, KeyPair>,
    name: &str,
    hosts: &[&str],
    purpose: ExtendedKeyUsagePurpose,
) -> (String, String) {
    let key = KeyPair::generate().expect("a key pair");
    (leaf_for(&key, issuer, name, hosts, purpose), key.serialize_pem())
}

fn leaf_for(
    key: &KeyPair,
    issuer: &Issuer<'static, KeyPair>,
    name: &str,
    hosts: &[&str],
    purpose: ExtendedKeyUsagePurpose,
) -> String {
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(hosts).expect("valid host names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.signed_by(key, issuer).expect("a certificate").pem()
}

fn faulty(issuer: &Issuer<'static, KeyPair>, fault: CertificateFault) -> (String, String) {
    let names = match fault {
        CertificateFault::WrongName => vec!["elsewhere.example".to_owned()],
        CertificateFault::CommonNameOnly => Vec::new(),
        _ => vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
    };
    let mut params = CertificateParams::new(names).expect("valid host names");
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let years = match fault {
        CertificateFault::Expired => Some((2000, 2001)),
        CertificateFault::NotYetValid => Some((2101, 2102)),
        _ => None,
    };
    if let Some((from, to)) = years {
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    }
    let key = KeyPair::generate().expect("a key pair");
    let certificate = match fault {
        CertificateFault::SelfSigned => params.self_signed(&key),
        _ => params.signed_by(&key, issuer),
    };
    (certificate.expect("a certificate").pem(), key.serialize_pem())
}

fn config(certificate: &str, key: &str, client_ca: Option<&str>) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions that the provider has");
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            roots.add(der(ca)).expect("a CA certificate");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
    };
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a private key");
    Arc::new(builder.with_single_cert(vec![der(certificate)], key).expect("a key that fits"))
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")
}
