use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;
use crate::tls::certificate::Certificate;
use crate::tls::provider::unverified;

const MESSAGE: &[u8] = b"what the server signs";

/// What OpenSSL prints, with these words and this input; none if it is not installed.
fn openssl(words: &str, input: &[u8], folder: &Path) -> Option<Vec<u8>> {
    let mut child = Command::new("openssl")
        .args(words.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{words}");
    Some(output.stdout)
}

/// The algorithm that an unverified server's signature is checked with.
fn algorithm(scheme: SignatureScheme) -> &'static dyn SignatureVerificationAlgorithm {
    unverified().mapping.iter().find(|(of, _)| *of == scheme).unwrap().1[0]
}

#[test]
fn signatures_of_openssl_hold_with_keys_of_every_length_and_changed_ones_do_not() {
    let folder = tempfile::tempdir().unwrap();
    // Lengths at which the padding has a byte less or bits left over, and one that is not ours.
    for bits in [1024, 1025, 1031, 1032, 1536, 2047, 2048] {
        let key = format!("req -x509 -newkey rsa:{bits} -nodes -keyout key -outform der -subj /CN=x");
        let Some(certificate) = openssl(&key, b"", folder.path()) else { return };
        let certificate = Certificate::parse(&certificate).unwrap();
        assert_eq!(certificate.key().unwrap().to_string(), format!("RSA with {bits} bits"));
        let (_, public) = certificate.algorithm_and_key().unwrap();
        for (hash, pkcs1, pss) in [
            ("sha256", SignatureScheme::RSA_PKCS1_SHA256, SignatureScheme::RSA_PSS_SHA256),
            ("sha384", SignatureScheme::RSA_PKCS1_SHA384, SignatureScheme::RSA_PSS_SHA384),
            ("sha512", SignatureScheme::RSA_PKCS1_SHA512, SignatureScheme::RSA_PSS_SHA512),
        ] {
            for (scheme, how) in
                [(pkcs1, ""), (pss, "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest")]
            {
                // There is no room for two hashes of 64 bytes and a salt.
                if scheme == SignatureScheme::RSA_PSS_SHA512 && bits < 1041 {
                    continue;
                }
                let signature =
                    openssl(&format!("dgst -{hash} -sign key {how}"), MESSAGE, folder.path()).unwrap();
                let holds = |message: &[u8], signature: &[u8]| {
                    algorithm(scheme).verify_signature(public, message, signature).is_ok()
                };
                let what = format!("{bits} bits, {scheme:?}");
                assert!(holds(MESSAGE, &signature), "{what}");
                assert!(!holds(b"another message", &signature), "{what}");
                assert!(!holds(MESSAGE, &signature[1..]), "{what}");
                assert!(!holds(MESSAGE, &[&[0], &signature[..]].concat()), "{what}");
                assert!(!holds(MESSAGE, &[0xff; 256][..signature.len()]), "{what}");
                for at in [0, signature.len() / 2, signature.len() - 1] {
                    let mut changed = signature.clone();
                    changed[at] ^= 1;
                    assert!(!holds(MESSAGE, &changed), "{what}, byte {at}");
                }
                for (other, _) in unverified().mapping.iter().filter(|(other, _)| *other != scheme) {
                    assert!(
                        algorithm(*other).verify_signature(public, MESSAGE, &signature).is_err(),
                        "{what}, as {other:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_key_that_is_too_short_or_is_none_holds_nothing() {
    // One of 512 bits, with the exponent 3.
    let short = [&[0x30, 0x46, 2, 0x41, 0][..], &[0xff; 64], &[2, 1, 3]].concat();
    for key in [&b""[..], &[0x30, 0], b"key", &short] {
        for (scheme, _) in unverified().mapping {
            assert!(algorithm(*scheme).verify_signature(key, MESSAGE, &[0; 64]).is_err(), "{scheme:?}");
        }
    }
    assert_eq!(bits(&short), Some(512));
}
