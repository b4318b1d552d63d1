//! Pins: right and wrong ones, for the receiver's own certificate and for its authorities.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::ParsedCertificate;
use sha2::{Digest as _, Sha256};

use super::messages::row;
use super::*;

const REFUSED: (TransportStep, bool) = (TransportStep::Handshake, false);

/// Fingerprint of the certificate in hex, and of its public key in base64.
fn pins(certificate: &CertificateDer<'_>) -> (String, String) {
    let info = ParsedCertificate::try_from(certificate).unwrap().subject_public_key_info();
    let hex = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02x}")).collect();
    (hex, STANDARD.encode(Sha256::digest(info.as_ref())))
}

fn pins_of_pem(pem: &str) -> (String, String) {
    pins(&CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
}

#[tokio::test]
async fn a_receiver_with_a_pinned_certificate_is_spoken_to() {
    let authority = Authority::new();
    let between = authority.subordinate("Between");
    let mut issued = between.issue("127.0.0.1");
    let (leaf_hex, leaf_base64) = pins_of_pem(&issued.cert);
    issued.cert.push_str(&between.pem());
    let ca = authority.pem();
    let other = "00".repeat(32);
    for (key, right) in [
        ("leaf_sha256", leaf_hex),
        ("leaf_sha256", leaf_base64),
        ("ca_sha256", pins(authority.der()).0),
        ("ca_sha256", pins(authority.der()).1),
        ("ca_sha256", pins(between.der()).0),
        ("ca_sha256", pins(between.der()).1),
    ] {
        for pin in [json!(right), json!([other, right])] {
            let (port, _server) = tls_server(&issued, None, true).await;
            open(port, json!({"ca": ca, key: pin})).await.map_err(|error| error.message).unwrap();
        }
        let (port, _server) = tls_server(&issued, None, true).await;
        row(&format!("wrong {key}"), port, json!({"ca": ca, key: other}), REFUSED, "SHA-256").await;
    }
}

#[tokio::test]
async fn a_mismatch_says_what_was_seen() {
    let authority = Authority::new();
    let issued = authority.issue("127.0.0.1");
    let (seen, _) = pins_of_pem(&issued.cert);
    let wrong = "00".repeat(32);
    let (port, _server) = tls_server(&issued, None, true).await;
    row("wrong leaf_sha256", port, json!({"ca": authority.pem(), "leaf_sha256": wrong}), REFUSED, &seen)
        .await;
    let (port, _server) = tls_server(&issued, None, true).await;
    let params = json!({"ca": authority.pem(), "ca_sha256": wrong});
    row("wrong ca_sha256, no CA shown", port, params, REFUSED, "shows no CA along with it").await;
}

#[tokio::test]
async fn a_pin_takes_the_place_of_no_other_check() {
    let authority = Authority::new();
    let issued = authority.issue("other.example.com");
    let (leaf, _) = pins_of_pem(&issued.cert);
    for (ca, part) in [
        (authority.pem(), "not for 127.0.0.1"),
        (Authority::named("Other CA").pem(), "authority that is trusted"),
    ] {
        let (port, _server) = tls_server(&issued, None, true).await;
        row("pinned, but else wrong", port, json!({"ca": ca, "leaf_sha256": leaf}), REFUSED, part).await;
    }
}

#[tokio::test]
async fn a_leaf_pin_is_checked_also_without_verification() {
    let issued = Authority::new().issue("other.example.com");
    let (leaf, _) = pins_of_pem(&issued.cert);
    let (port, _server) = tls_server(&issued, None, true).await;
    open(port, json!({"rejectUnauthorized": false, "leaf_sha256": leaf}))
        .await
        .map_err(|error| error.message)
        .unwrap();
    let (port, _server) = tls_server(&issued, None, true).await;
    let params = json!({"rejectUnauthorized": false, "leaf_sha256": "00".repeat(32)});
    row("wrong leaf_sha256, else unverified", port, params, REFUSED, &leaf).await;
}

#[tokio::test]
async fn showing_the_pinned_authority_beside_a_chain_of_another_one_does_not_help() {
    let (pinned, another) = (Authority::named("Pinned"), Authority::named("Another"));
    let mut issued = another.issue("127.0.0.1");
    issued.cert.push_str(&pinned.pem());
    let (port, _server) = tls_server(&issued, None, true).await;
    let params = json!({"ca": [pinned.pem(), another.pem()], "ca_sha256": pins(pinned.der()).0});
    row("the pinned CA shown, but not the issuer", port, params, REFUSED, "was not issued by the CA").await;
}

#[tokio::test]
async fn a_self_signed_certificate_is_its_own_authority() {
    let issued = self_signed_authority("127.0.0.1");
    let (hex, base64) = pins_of_pem(&issued.cert);
    for pin in [hex, base64] {
        let (port, _server) = tls_server(&issued, None, true).await;
        open(port, json!({"ca": issued.cert, "ca_sha256": pin}))
            .await
            .map_err(|error| error.message)
            .unwrap();
    }
}
