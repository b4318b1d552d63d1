//! A small PKI, made anew for each test.

use std::fs;
use std::path::PathBuf;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tempfile::TempDir;

use crate::ReceiverTls;

/// The passphrase of [`Certificates::client_key_encrypted`].
pub const PASSPHRASE: &str = "sesame";

/// Certificates as PEM text, and the server's also as files that live as long as this value.
#[derive(Debug)]
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
    directory: TempDir,
}

impl Certificates {
    /// Makes all of them.
    pub fn new() -> Self {
        let (ca, issuer) = authority("whiskjack test CA");
        let (other_ca, _) = authority("unrelated test CA");
        let (server_certificate, server_key) =
            leaf(&issuer, "localhost", &["localhost", "127.0.0.1"], ExtendedKeyUsagePurpose::ServerAuth);
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
            directory,
        }
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
