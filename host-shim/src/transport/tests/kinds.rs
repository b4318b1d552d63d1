//! Certificates and keys of all kinds, made and shown by OpenSSL, and by Node: those that are accepted, and the errors for the others.

use super::messages::row;
use super::programs::{Files, Program, openssl};
use super::*;

const HANDSHAKE: (TransportStep, bool) = (TransportStep::Handshake, false);
/// OpenSSL takes short keys and old versions at this level only.
const ANY_KEY: [&str; 2] = ["-cipher", "DEFAULT:@SECLEVEL=0"];

/// A private key, and OpenSSL's words for it.
const KEYS: [(&str, &str); 6] = [
    ("rsa", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
    ("rsa1024", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024"),
    ("p256", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
    ("p521", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521"),
    ("ed448", "genpkey -algorithm ED448"),
    ("k1", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1"),
];

/// The keys, each with a certificate of its own CA of each kind; none if OpenSSL is not installed.
fn pki() -> Option<Files> {
    let files = Files::new(&[
        ("v3", "subjectAltName=IP:127.0.0.1\n"),
        ("critical", "subjectAltName=IP:127.0.0.1\n1.2.3.4=critical,ASN1:NULL\n"),
        ("ca.cnf", "[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\n"),
    ]);
    for (name, words) in KEYS {
        if !openssl(&format!("{words} -out {name}.key"), &files) {
            println!("openssl is not installed: left out");
            return None;
        }
        openssl(&format!("req -new -key {name}.key -subj /CN=127.0.0.1 -out {name}.csr"), &files);
    }
    for ca in ["p256", "rsa1024", "p521"] {
        openssl(
            &format!(
                "req -x509 -new -key {ca}.key -subj /CN=CA-{ca} -config ca.cnf -extensions ca -days 9 -out {ca}.ca"
            ),
            &files,
        );
    }
    Some(files)
}

/// A certificate for `key`, issued by `ca`; its name is the file's.
fn issued(files: &Files, key: &str, ca: &str, how: &str) -> String {
    let name = format!("{key}.{ca}.{}", how.replace([' ', '-', '/'], ""));
    openssl(
        &format!(
            "x509 -req -in {key}.csr -CA {ca}.ca -CAkey {ca}.key -CAcreateserial -days 9 {how} -out {name}"
        ),
        files,
    );
    name
}

/// A certificate of X.509 version 1, as it is made without a word about extensions. Newer OpenSSL wants to be asked for it.
fn version_1(files: &Files, key: &str) -> String {
    openssl(&format!("x509 -req -in {key}.csr -signkey {key}.key -days 9 -out {key}.v1"), files);
    let made = std::fs::read_to_string(files.path(&format!("{key}.v1"))).unwrap();
    let der = crate::tls::pem::certificates(&made).unwrap();
    // [0] with the version would stand at the begin of what is signed.
    if der[0].windows(5).take(12).any(|bytes| bytes == [0xa0, 3, 2, 1, 2]) {
        openssl(
            &format!("req -x509 -x509v1 -key {key}.key -subj /CN=127.0.0.1 -days 9 -out {key}.v1"),
            files,
        );
    }
    format!("{key}.v1")
}

fn text(files: &Files, name: &str) -> String {
    std::fs::read_to_string(files.path(name)).unwrap()
}

pub(crate) fn shows(files: &Files, cert: &str, key: &str, further: &[&str]) -> Program {
    let key = format!("{key}.key");
    files.s_server(&[&["-cert", cert, "-key", &key], &ANY_KEY[..], further].concat()).unwrap()
}

async fn opens(what: &str, port: u16, logstash: Value) {
    open(port, logstash).await.map_err(|error| format!("{what}: {}", error.message)).unwrap();
}

/// A certificate: in words, the file's name, and that of the key.
type Shown = (&'static str, String, &'static str);

/// Certificates that nobody would trust.
pub(crate) fn odd_certificates() -> Option<(Files, Vec<Shown>)> {
    let files = pki()?;
    let shown = vec![
        ("X.509 version 1", version_1(&files, "rsa"), "rsa"),
        ("X.509 version 1, RSA 1024", version_1(&files, "rsa1024"), "rsa1024"),
        ("RSA 1024", issued(&files, "rsa1024", "rsa1024", "-extfile v3"), "rsa1024"),
        ("P-521", issued(&files, "p521", "p256", "-extfile v3"), "p521"),
        ("critical extension", issued(&files, "p256", "p256", "-extfile critical"), "p256"),
        ("signed with SHA-1", issued(&files, "rsa", "p256", "-extfile v3 -sha1"), "rsa"),
    ];
    Some((files, shown))
}

#[tokio::test]
async fn without_verification_a_certificate_of_any_content_is_taken() {
    let Some((files, shown)) = odd_certificates() else { return };
    let unverified = json!({"rejectUnauthorized": false});
    for (what, cert, key) in shown {
        for version in ["-tls1_2", "-tls1_3"] {
            let program = shows(&files, &cert, key, &[version]);
            opens(&format!("{what}, {version}"), program.port, unverified.clone()).await;
        }
        std::fs::copy(files.path(&cert), files.path("cert")).unwrap();
        std::fs::copy(files.path(&format!("{key}.key")), files.path("key")).unwrap();
        std::fs::copy(files.path("p256.ca"), files.path("ca")).unwrap();
        if let Some(node) = files.node(Some("ciphers:'DEFAULT:@SECLEVEL=0'")) {
            opens(&format!("{what}, node"), node.port, unverified.clone()).await;
        }
    }
}

#[tokio::test]
async fn without_verification_what_cannot_be_checked_at_all_is_named() {
    let Some(files) = pki() else { return };
    // OpenSSL has no TLS 1.3 for secp256k1.
    for (key, versions) in [("ed448", &["-tls1_2", "-tls1_3"][..]), ("k1", &["-tls1_2"])] {
        let cert = issued(&files, key, "p256", "-extfile v3");
        for version in versions {
            let program = shows(&files, &cert, key, &[version]);
            let what = format!("openssl: {key}, {version}, unverified");
            let part = "a certificate for an RSA key, or for one on P-256, P-384 or P-521, or of Ed25519";
            row(&what, program.port, json!({"rejectUnauthorized": false}), HANDSHAKE, part).await;
        }
    }
}

#[tokio::test]
async fn a_pin_holds_and_fails_whatever_the_certificate_is_like() {
    let Some(files) = pki() else { return };
    let cert = version_1(&files, "rsa1024");
    let der = crate::tls::pem::certificates(&text(&files, &cert)).unwrap();
    let hash = |bytes: &[u8]| {
        use base64::Engine as _;
        use sha2::Digest as _;
        base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(bytes))
    };
    openssl("pkey -in rsa1024.key -pubout -outform der -out public", &files);
    let public = std::fs::read(files.path("public")).unwrap();
    let program = shows(&files, &cert, "rsa1024", &[]);
    let pinned = |pin: String| json!({"rejectUnauthorized": false, "leaf_sha256": pin});
    opens("pinned key", program.port, pinned(hash(&public))).await;
    let program = shows(&files, &cert, "rsa1024", &[]);
    row("another key pinned", program.port, pinned(hash(&der[0])), HANDSHAKE, "leaf_sha256").await;
}

#[tokio::test]
async fn what_is_wrong_with_a_verified_certificate_is_named_with_what_would_do() {
    let Some(files) = pki() else { return };
    let v1 = version_1(&files, "rsa");
    let weak = "RSA key with 1024 bits, which is too short";
    for (what, cert, key, ca, part) in [
        ("RSA 1024", issued(&files, "rsa1024", "p256", "-extfile v3"), "rsa1024", "p256.ca", weak),
        (
            "RSA 1024 of an RSA 1024 CA",
            issued(&files, "rsa1024", "rsa1024", "-extfile v3"),
            "rsa1024",
            "rsa1024.ca",
            weak,
        ),
        (
            "an RSA 1024 CA",
            issued(&files, "p256", "rsa1024", "-extfile v3"),
            "p256",
            "rsa1024.ca",
            "a CA above the server's is for an RSA key with 1024 bits",
        ),
        ("X.509 version 1", v1.clone(), "rsa", &v1, "X.509 version 1"),
        (
            "critical extension",
            issued(&files, "p256", "p256", "-extfile critical"),
            "p256",
            "p256.ca",
            "the extension 1.2.3.4, which is not known here but marked as critical",
        ),
        (
            "SHA-1",
            issued(&files, "p256", "p256", "-extfile v3 -sha1"),
            "p256",
            "p256.ca",
            "is signed with SHA-1",
        ),
    ] {
        for version in ["-tls1_2", "-tls1_3"] {
            let program = shows(&files, &cert, key, &[version]);
            let params = json!({"ca": text(&files, ca)});
            row(&format!("openssl: {what}, {version}"), program.port, params, HANDSHAKE, part).await;
        }
    }
}

#[tokio::test]
async fn p521_is_verified_in_all_places() {
    let Some(files) = pki() else { return };
    for (cert, key, ca) in [
        (issued(&files, "p521", "p521", "-extfile v3"), "p521", "p521.ca"),
        (issued(&files, "p521", "p521", "-extfile v3 -sha512"), "p521", "p521.ca"),
        (issued(&files, "p256", "p521", "-extfile v3 -sha384"), "p256", "p521.ca"),
        (issued(&files, "p521", "p256", "-extfile v3"), "p521", "p256.ca"),
    ] {
        for further in [&["-tls1_2"][..], &["-tls1_3"], &["-groups", "P-521"]] {
            let program = shows(&files, &cert, key, further);
            opens(&format!("{cert} {further:?}"), program.port, json!({"ca": text(&files, ca)})).await;
        }
    }
    let program = shows(&files, &issued(&files, "p521", "p521", "-extfile v3"), "p521", &[]);
    let part = "put the CA's certificate in `logstash.ca`";
    row(
        "openssl: P-521 of an unknown CA",
        program.port,
        json!({"ca": text(&files, "p256.ca")}),
        HANDSHAKE,
        part,
    )
    .await;
}

#[tokio::test]
async fn client_certificates_of_every_kind_are_shown() {
    let Some(files) = pki() else { return };
    let server = issued(&files, "p256", "p256", "-extfile v3");
    for (cert, key, ca) in [
        (issued(&files, "p521", "p521", "-extfile v3"), "p521", "p521.ca"),
        (version_1(&files, "rsa"), "rsa", "rsa.v1"),
        (issued(&files, "p256", "p256", "-extfile critical"), "p256", "p256.ca"),
    ] {
        for version in ["-tls1_2", "-tls1_3"] {
            // One that is not shown at all is refused; what OpenSSL thinks of it does not matter.
            let program = shows(&files, &server, "p256", &["-Verify", "1", "-CAfile", ca, version, "-rev"]);
            let params = json!({"ca": text(&files, "p256.ca"), "cert": text(&files, &cert), "key": text(&files, &format!("{key}.key"))});
            let mut connection = open(program.port, params).await.map_err(|error| error.message).unwrap();
            connection.write(b"abc\n", 5000).await.unwrap();
            assert_eq!(
                connection.read(100, 5000).await.map_err(|error| error.message).unwrap(),
                b"cba\n",
                "{cert}"
            );
        }
    }
}

#[tokio::test]
async fn a_client_key_that_cannot_be_used_is_named() {
    let Some(files) = pki() else { return };
    for (key, part) in [("rsa1024", "(RSA with 1024 bits)"), ("ed448", "(Ed448)"), ("k1", "(secp256k1)")] {
        let cert = text(&files, &issued(&files, key, "p256", "-extfile v3"));
        let mut params = json!({"logstash": {"cert": cert, "key": text(&files, &format!("{key}.key"))}});
        let host = HostParams::take(params.as_object_mut().unwrap());
        let faults: Vec<String> = host.faults.iter().map(ToString::to_string).collect();
        assert!(
            faults.len() == 1 && faults[0].starts_with("logstash.key: ") && faults[0].contains(part),
            "{faults:?}"
        );
    }
}

#[tokio::test]
async fn without_verification_the_server_must_still_hold_the_key_of_its_certificate() {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let (other, held) = (Authority::new().issue("127.0.0.1"), Authority::new().issue("127.0.0.1"));
    let provider = rustls::crypto::ring::default_provider();
    let key = PrivateKeyDer::from_pem_slice(held.key.as_bytes()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(other.cert.as_bytes()).unwrap()];
    let shown = rustls::sign::CertifiedKey::new(chain, key);
    let resolver = std::sync::Arc::new(rustls::sign::SingleCertAndKey::from(shown));
    for version in VERSIONS {
        let config = rustls::ServerConfig::builder_with_provider(provider.clone().into())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(resolver.clone());
        let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
        let (port, _server) =
            server(move |socket| async move { acceptor.accept(socket).await.map(|_| ()) }).await;
        let params = json!({"rejectUnauthorized": false});
        row(
            "a key of another certificate",
            port,
            params,
            HANDSHAKE,
            "is not for the key that the server holds",
        )
        .await;
    }
}
