use super::*;

macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!("../../../tests/keys/", $name, ".pem"))
    };
}

fn opened(pem: &str) -> Result<PrivateKeyDer<'static>, KeyError> {
    private_key(pem, Some(&Secret::new("sesame")))
}

/// The public half, by which forms of one key are compared.
fn public(key: &PrivateKeyDer<'_>) -> Vec<u8> {
    let key = crate::tls::provider().key_provider.load_private_key(key.clone_key()).unwrap();
    key.public_key().unwrap().to_vec()
}

#[test]
fn every_form_of_one_key_is_that_key() {
    let ec = public(&private_key(pem!("ec.pkcs8"), None).unwrap());
    for (name, pem) in [
        ("SEC1", pem!("ec.sec1")),
        ("PBES2, AES-256", pem!("ec.aes256")),
        ("PBES2, AES-128, HMAC-SHA1", pem!("ec.aes128-sha1")),
        ("PBES2, DES-EDE3", pem!("ec.des3")),
        ("PBES2, scrypt", pem!("ec.scrypt")),
        ("RFC 1421, AES-128", pem!("ec.old-aes128")),
        ("RFC 1421, AES-192", pem!("ec.old-aes192")),
        ("RFC 1421, AES-256", pem!("ec.old-aes256")),
        ("RFC 1421, DES-EDE3", pem!("ec.old-des3")),
    ] {
        assert_eq!(opened(pem).map(|key| public(&key)), Ok(ec.clone()), "{name}");
        // As Windows and careless templates hand it over.
        let indented: String = pem.lines().map(|line| format!("  {line} \n")).collect();
        for careless in [
            format!("a comment\n\n{}", pem.replace('\n', "\r\n")),
            format!("\u{feff}{indented}"),
            pem.replace('\n', "\\n"),
        ] {
            assert_eq!(opened(&careless).map(|key| public(&key)), Ok(ec.clone()), "{name}: {careless}");
        }
    }
    let rsa = public(&private_key(pem!("rsa.pkcs1"), None).unwrap());
    for pem in [pem!("rsa.old-aes256"), pem!("rsa.old-des3")] {
        assert_eq!(opened(pem).map(|key| public(&key)), Ok(rsa.clone()));
    }
    for pem in [pem!("ed25519"), pem!("ec.params"), pem!("p521.aes256")] {
        assert!(opened(pem).is_ok());
    }
}

#[test]
fn a_wrong_passphrase_is_told_from_a_missing_one() {
    for pem in [
        pem!("ec.aes256"),
        pem!("ec.des3"),
        pem!("ec.scrypt"),
        pem!("ec.old-aes256"),
        pem!("ec.old-des3"),
        pem!("rsa.old-aes256"),
    ] {
        assert_eq!(private_key(pem, None), Err(KeyError::PassphraseMissing));
        // Among so many there are some that leave a padding that looks right.
        for wrong in 0..600 {
            let wrong = Secret::new(format!("wrong {wrong}"));
            assert_eq!(private_key(pem, Some(&wrong)), Err(KeyError::PassphraseWrong), "{wrong:?}");
            if pem.contains("ENCRYPTED PRIVATE KEY") {
                break;
            }
        }
    }
}

#[test]
fn a_cipher_that_is_not_supported_is_named() {
    assert_eq!(opened(pem!("ec.old-camellia256")), Err(KeyError::Cipher("CAMELLIA-256-CBC".to_owned())));
    for pem in [pem!("ec.pbes1"), pem!("ec.camellia")] {
        assert!(matches!(opened(pem), Err(KeyError::Cipher(_))), "{:?}", opened(pem));
    }
}

#[test]
fn a_key_that_cannot_be_used_is_told_from_none() {
    let kind = |kind: &str| Err(KeyError::Kind(Some(Key::Other(kind.to_owned()))));
    assert_eq!(opened(pem!("ed448")), kind("Ed448"));
    let dsa = "-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n";
    assert_eq!(opened(dsa), kind("DSA"));
    assert_eq!(opened(&dsa.replace("DSA", "OPENSSH")), Err(KeyError::OpenSsh));
    for none in ["", "no PEM at all", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert_eq!(opened(none), Err(KeyError::Missing), "{none}");
    }
}

#[test]
fn a_damaged_key_is_an_error_whatever_is_damaged() {
    for pem in [pem!("ec.aes256"), pem!("ec.old-aes256"), pem!("ec.pkcs8"), pem!("ec.sec1")] {
        for (at, _) in pem.char_indices() {
            let cut = &pem[..at];
            assert!(opened(cut).is_err() || cut.contains("-----END"), "{cut}");
        }
        for line in 0..pem.lines().count() {
            let without: Vec<&str> =
                pem.lines().enumerate().filter(|(at, _)| *at != line).map(|(_, line)| line).collect();
            opened(&without.join("\n")).ok();
        }
    }
}
