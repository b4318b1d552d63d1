//! Private keys out of PEM text: PKCS#8, PKCS#1, SEC1; plain, or encrypted with a passphrase.
//!
//! | PEM label | encryption |
//! |---|---|
//! | `PRIVATE KEY`, `RSA PRIVATE KEY`, `EC PRIVATE KEY` | none |
//! | `ENCRYPTED PRIVATE KEY` (RFC 5958) | PBES2: PBKDF2 or scrypt, with AES-CBC or DES-EDE3-CBC |
//! | `RSA PRIVATE KEY`, `EC PRIVATE KEY` with `Proc-Type: 4,ENCRYPTED` (RFC 1421, as OpenSSL fills it in) | AES-CBC, DES-EDE3-CBC |

use aes::{Aes128, Aes192, Aes256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use des::TdesEde3;
use md5::{Digest as _, Md5};
use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{Decode as _, Tag, Tagged as _};
use pkcs8::{EncryptedPrivateKeyInfoRef, pkcs5};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use crate::secret::Secret;

/// Why there is no key to use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("no private key")]
    Missing,
    #[error("encrypted")]
    PassphraseMissing,
    #[error("the passphrase does not open it")]
    PassphraseWrong,
    /// The cipher's name, as the file has it.
    #[error("encrypted with {0}")]
    Cipher(String),
    #[error("a kind of key that is not supported")]
    Kind,
}

/// The first private key in `pem`. A passphrase that is not needed is not looked at, as in Node.
pub(crate) fn private_key(
    pem: &str,
    passphrase: Option<&Secret>,
) -> Result<PrivateKeyDer<'static>, KeyError> {
    let Some(block) = Block::first_encrypted(pem) else {
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::Missing)?;
        return if is_usable(&key) { Ok(key) } else { Err(KeyError::Kind) };
    };
    let passphrase = passphrase.ok_or(KeyError::PassphraseMissing)?.expose().as_bytes();
    let key = block.decrypt(passphrase)?;
    match is_usable(&key) {
        true => Ok(key),
        // Where nothing tells a wrong passphrase from a right one but the padding, one in 256 gets through to here.
        false if !looks_like_a_key(&key) => Err(KeyError::PassphraseWrong),
        false => Err(KeyError::Kind),
    }
}

fn is_usable(key: &PrivateKeyDer<'_>) -> bool {
    super::provider().key_provider.load_private_key(key.clone_key()).is_ok()
}

/// Every form of key is a DER sequence over all of its bytes.
fn looks_like_a_key(key: &PrivateKeyDer<'_>) -> bool {
    AnyRef::from_der(key.secret_der()).is_ok_and(|any| any.tag() == Tag::Sequence)
}

/// A PEM block that is encrypted.
struct Block<'a> {
    label: &'a str,
    /// `cipher,initialisation vector` of RFC 1421.
    dek_info: Option<&'a str>,
    /// None if it is damaged.
    body: Option<Vec<u8>>,
}

impl<'a> Block<'a> {
    /// The first private key in the text, if it is an encrypted one.
    fn first_encrypted(pem: &'a str) -> Option<Self> {
        let mut lines = pem.lines().map(str::trim);
        let label = lines.by_ref().find_map(|line| {
            line.strip_prefix("-----BEGIN ")?
                .strip_suffix("-----")
                .filter(|label| label.ends_with("PRIVATE KEY"))
        })?;
        let (mut encrypted, mut dek_info) = (label == "ENCRYPTED PRIVATE KEY", None);
        let (mut body, mut ended) = (String::new(), false);
        for line in lines {
            if line.starts_with("-----END ") {
                ended = true;
                break;
            }
            match line.split_once(':') {
                Some(("Proc-Type", value)) => encrypted |= value.contains("ENCRYPTED"),
                Some(("DEK-Info", value)) => dek_info = Some(value.trim()),
                Some(_) => {}
                None => body.push_str(line),
            }
        }
        let body = STANDARD.decode(body).ok().filter(|body| ended && !body.is_empty());
        encrypted.then_some(Self { label, dek_info, body })
    }

    fn decrypt(&self, passphrase: &[u8]) -> Result<PrivateKeyDer<'static>, KeyError> {
        let body = self.body.as_deref().ok_or(KeyError::Missing)?;
        match self.label {
            "ENCRYPTED PRIVATE KEY" => {
                pbes2(body, passphrase).map(|der| PrivatePkcs8KeyDer::from(der).into())
            }
            "RSA PRIVATE KEY" => {
                self.rfc1421(body, passphrase).map(|der| PrivatePkcs1KeyDer::from(der).into())
            }
            "EC PRIVATE KEY" => self.rfc1421(body, passphrase).map(|der| PrivateSec1KeyDer::from(der).into()),
            _ => Err(KeyError::Kind),
        }
    }

    fn rfc1421(&self, body: &[u8], passphrase: &[u8]) -> Result<Vec<u8>, KeyError> {
        let (cipher, iv) = self.dek_info.and_then(|info| info.split_once(',')).ok_or(KeyError::Missing)?;
        let iv = bytes_of_hex(iv.trim()).ok_or(KeyError::Missing)?;
        match cipher.trim() {
            "AES-128-CBC" => cbc_decrypted::<Decryptor<Aes128>>(body, passphrase, &iv, 16),
            "AES-192-CBC" => cbc_decrypted::<Decryptor<Aes192>>(body, passphrase, &iv, 24),
            "AES-256-CBC" => cbc_decrypted::<Decryptor<Aes256>>(body, passphrase, &iv, 32),
            "DES-EDE3-CBC" => cbc_decrypted::<Decryptor<TdesEde3>>(body, passphrase, &iv, 24),
            other => Err(KeyError::Cipher(other.chars().take(40).collect())),
        }
    }
}

fn pbes2(der: &[u8], passphrase: &[u8]) -> Result<Vec<u8>, KeyError> {
    let Ok(sealed) = EncryptedPrivateKeyInfoRef::try_from(der) else {
        let intact = AnyRef::from_der(der).is_ok_and(|any| any.tag() == Tag::Sequence);
        return Err(if intact {
            KeyError::Cipher("an old or rare method".to_owned())
        } else {
            KeyError::Missing
        });
    };
    match sealed.decrypt(passphrase) {
        Ok(key) => Ok(key.as_bytes().to_vec()),
        Err(pkcs8::Error::EncryptedPrivateKey(pkcs5::Error::NoPbes1CryptSupport)) => {
            Err(KeyError::Cipher("PBES1".to_owned()))
        }
        Err(pkcs8::Error::EncryptedPrivateKey(pkcs5::Error::UnsupportedAlgorithm { oid })) => {
            Err(KeyError::Cipher(format!("the algorithm {oid}")))
        }
        // The padding is wrong, or what came out is no key.
        Err(_) => Err(KeyError::PassphraseWrong),
    }
}

fn cbc_decrypted<C: KeyIvInit + BlockModeDecrypt>(
    body: &[u8],
    passphrase: &[u8],
    iv: &[u8],
    key_length: usize,
) -> Result<Vec<u8>, KeyError> {
    let salt = iv.get(..8).ok_or(KeyError::Missing)?;
    let key = openssl_key(passphrase, salt, key_length);
    let cipher = C::new_from_slices(&key, iv).map_err(|_| KeyError::Missing)?;
    cipher.decrypt_padded_vec::<Pkcs7>(body).map_err(|_| KeyError::PassphraseWrong)
}

/// The key that OpenSSL makes of a passphrase for RFC 1421 (`EVP_BytesToKey` with MD5, one round).
fn openssl_key(passphrase: &[u8], salt: &[u8], length: usize) -> Vec<u8> {
    let mut key = Vec::new();
    let mut last = Vec::new();
    while key.len() < length {
        last = Md5::new().chain_update(&last).chain_update(passphrase).chain_update(salt).finalize().to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

#[cfg(test)]
mod tests;
