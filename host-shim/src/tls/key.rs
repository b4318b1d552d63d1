//! Private keys out of PEM text: PKCS#8, PKCS#1, SEC1; plain, or encrypted with a passphrase.
//!
//! | PEM label | encryption |
//! |---|---|
//! | `PRIVATE KEY`, `RSA PRIVATE KEY`, `EC PRIVATE KEY` | none |
//! | `ENCRYPTED PRIVATE KEY` (RFC 5958) | PBES2: PBKDF2 or scrypt, with AES-CBC or DES-EDE3-CBC |
//! | `RSA PRIVATE KEY`, `EC PRIVATE KEY` with `Proc-Type: 4,ENCRYPTED` (RFC 1421, as OpenSSL fills it in) | AES-CBC, DES-EDE3-CBC |

use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use des::TdesEde3;
use md5::{Digest as _, Md5};
use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{Decode as _, Tag, Tagged as _};
use pkcs8::{EncryptedPrivateKeyInfoRef, pkcs5};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::certificate::Key;
use super::pem::{self, Block};
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
    /// Which one, if that can be seen.
    #[error("a kind of key that is not supported")]
    Kind(Option<Key>),
    #[error("in the form of OpenSSH")]
    OpenSsh,
}

/// The first private key in `pem`. A passphrase that is not needed is not looked at, as in Node.
pub(crate) fn private_key(
    pem: &str,
    passphrase: Option<&Secret>,
) -> Result<PrivateKeyDer<'static>, KeyError> {
    let blocks = pem::blocks(pem);
    let block = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")).ok_or(KeyError::Missing)?;
    let sealed = Sealed::of(block).ok_or(KeyError::Missing)?;
    if !sealed.is_encrypted {
        return usable(der(sealed.label, sealed.body.to_vec())?, KeyError::Missing);
    }
    let passphrase = passphrase.ok_or(KeyError::PassphraseMissing)?.expose().as_bytes();
    // Where nothing tells a wrong passphrase from a right one but the padding, one in 256 gets through to here.
    usable(sealed.decrypt(passphrase)?, KeyError::PassphraseWrong)
}

/// Whether the first private key in `pem` is encrypted.
pub(crate) fn is_encrypted(pem: &str) -> bool {
    let blocks = pem::blocks(pem);
    let block = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY"));
    block.and_then(Sealed::of).is_some_and(|sealed| sealed.is_encrypted)
}

/// The key, if there is one and it can be used.
fn usable(key: PrivateKeyDer<'static>, none: KeyError) -> Result<PrivateKeyDer<'static>, KeyError> {
    if is_usable(&key) {
        return Ok(key);
    }
    Err(if looks_like_a_key(&key) { KeyError::Kind(Key::of_private(&key)) } else { none })
}

/// A key of the form that a label stands for.
fn der(label: &str, der: Vec<u8>) -> Result<PrivateKeyDer<'static>, KeyError> {
    match label {
        "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => Ok(PrivatePkcs8KeyDer::from(der).into()),
        "RSA PRIVATE KEY" => Ok(PrivatePkcs1KeyDer::from(der).into()),
        "EC PRIVATE KEY" => Ok(PrivateSec1KeyDer::from(der).into()),
        "OPENSSH PRIVATE KEY" => Err(KeyError::OpenSsh),
        "DSA PRIVATE KEY" => Err(KeyError::Kind(Some(Key::Other("DSA".to_owned())))),
        _ => Err(KeyError::Kind(None)),
    }
}

fn is_usable(key: &PrivateKeyDer<'_>) -> bool {
    super::provider().key_provider.load_private_key(key.clone_key()).is_ok()
}

/// Every form of key is a DER sequence over all of its bytes.
fn looks_like_a_key(key: &PrivateKeyDer<'_>) -> bool {
    AnyRef::from_der(key.secret_der()).is_ok_and(|any| any.tag() == Tag::Sequence)
}

/// A PEM block that holds a key.
struct Sealed<'a> {
    label: &'a str,
    is_encrypted: bool,
    /// `cipher,initialisation vector` of RFC 1421.
    dek_info: Option<&'a str>,
    body: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// None if it is damaged.
    fn of(block: &'a Block) -> Option<Self> {
        let header =
            |wanted: &str| block.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let is_encrypted = block.label == "ENCRYPTED PRIVATE KEY"
            || header("Proc-Type").is_some_and(|value| value.contains("ENCRYPTED"));
        let dek_info = header("DEK-Info").map(String::as_str);
        Some(Self { label: &block.label, is_encrypted, dek_info, body: block.body.as_deref()? })
    }

    fn decrypt(&self, passphrase: &[u8]) -> Result<PrivateKeyDer<'static>, KeyError> {
        let opened = match self.label {
            "ENCRYPTED PRIVATE KEY" => pbes2(self.body, passphrase)?,
            "RSA PRIVATE KEY" | "EC PRIVATE KEY" => self.rfc1421(self.body, passphrase)?,
            _ => Vec::new(),
        };
        der(self.label, opened)
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
        // The padding is wrong, or what came out is not a key.
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
