//! Signatures with RSA keys of 1024 to 2047 bits, which `ring` does not take: for servers that nobody verifies.
//!
//! They are too short to be trusted, but a server whose certificate is not verified has to prove only that it holds its key.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U2048};
use pkcs8::der::asn1::UintRef;
use pkcs8::der::{Decode as _, Reader as _, SliceReader};
use rustls::SignatureScheme;
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// Bits of the shortest key that OpenSSL, and so Node, takes by default.
pub(super) const SHORTEST: usize = 1024;
/// Bits of the longest key that `ring` takes.
pub(super) const LONGEST: usize = 8192;
/// Bits of the shortest key that can be trusted.
pub(super) const SHORTEST_TRUSTED: usize = 2048;

/// RSA of any length from [`SHORTEST`] on.
#[derive(Debug)]
pub(super) struct AnyLength {
    /// What checks keys that are long enough.
    long: &'static dyn SignatureVerificationAlgorithm,
    short: fn(&Key, &[u8], &[u8]) -> Option<()>,
}

impl AnyLength {
    /// For a scheme of RSA, with what checks long keys; none for any other scheme.
    pub(super) fn new(
        scheme: SignatureScheme,
        long: &'static dyn SignatureVerificationAlgorithm,
    ) -> Option<Self> {
        let short: fn(&Key, &[u8], &[u8]) -> Option<()> = match scheme {
            SignatureScheme::RSA_PKCS1_SHA256 => Key::pkcs1::<Sha256>,
            SignatureScheme::RSA_PKCS1_SHA384 => Key::pkcs1::<Sha384>,
            SignatureScheme::RSA_PKCS1_SHA512 => Key::pkcs1::<Sha512>,
            SignatureScheme::RSA_PSS_SHA256 => Key::pss::<Sha256>,
            SignatureScheme::RSA_PSS_SHA384 => Key::pss::<Sha384>,
            SignatureScheme::RSA_PSS_SHA512 => Key::pss::<Sha512>,
            _ => return None,
        };
        Some(Self { long, short })
    }
}

impl SignatureVerificationAlgorithm for AnyLength {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        match Key::parse(public_key).filter(|key| key.bits < SHORTEST_TRUSTED) {
            Some(key) => (self.short)(&key, message, signature).ok_or(InvalidSignature),
            None => self.long.verify_signature(public_key, message, signature),
        }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.long.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.long.signature_alg_id()
    }
}

/// Bits of the modulus of an `RSAPublicKey` (RFC 8017 A.1.1).
pub(super) fn bits(public_key: &[u8]) -> Option<usize> {
    Some(bit_length(modulus_and_exponent(public_key)?.0))
}

fn modulus_and_exponent(public_key: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = SliceReader::new(public_key).ok()?;
    let parts = reader
        .sequence(|reader| Ok::<_, pkcs8::der::Error>((UintRef::decode(reader)?, UintRef::decode(reader)?)));
    let (modulus, exponent) = parts.ok()?;
    Some((modulus.as_bytes(), exponent.as_bytes()))
}

/// Bits of a number, which may begin with zeros.
pub(super) fn bit_length(number: &[u8]) -> usize {
    let skipped = number.iter().take_while(|byte| **byte == 0).count();
    let number = number.get(skipped..).unwrap_or_default();
    let zeros = number.first().map_or(0, |first| first.leading_zeros());
    (number.len() * 8).saturating_sub(zeros as usize)
}

/// A public key.
struct Key {
    bits: usize,
    modulus: Odd<U2048>,
    exponent: U2048,
}

impl Key {
    fn parse(public_key: &[u8]) -> Option<Self> {
        let (modulus, exponent) = modulus_and_exponent(public_key)?;
        let bits = bit_length(modulus);
        if bits < SHORTEST || exponent.len() > 8 {
            return None;
        }
        let modulus = Odd::new(number(modulus)?).into_option()?;
        Some(Self { bits, modulus, exponent: number(exponent)? })
    }

    /// What was signed, with its padding: RSAVP1 of RFC 8017 5.2.2.
    fn opened(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let sealed = number(signature)?;
        let length = self.bits.div_ceil(8);
        if signature.len() != length || sealed >= *self.modulus.as_ref() {
            return None;
        }
        let params = FixedMontyParams::new_vartime(self.modulus);
        let opened = FixedMontyForm::new(&sealed, &params).pow_vartime(&self.exponent).retrieve();
        let bytes = opened.to_be_bytes();
        bytes.as_ref().last_chunk::<256>()?.get(256 - length..).map(<[u8]>::to_vec)
    }

    /// RSASSA-PKCS1-v1_5 of RFC 8017 8.2.2: the padding is made anew and compared.
    fn pkcs1<H: Hash>(&self, message: &[u8], signature: &[u8]) -> Option<()> {
        let opened = self.opened(signature)?;
        let info = [H::DIGEST_INFO, H::digest(message).as_slice()].concat();
        let padding = opened.len().checked_sub(info.len() + 3).filter(|padding| *padding >= 8)?;
        let expected = [&[0, 1][..], &vec![0xff; padding], &[0], &info].concat();
        (opened == expected).then_some(())
    }

    /// RSASSA-PSS of RFC 8017 8.1.2 and 9.1.2, with a salt as long as the hash, as TLS has it.
    fn pss<H: Hash>(&self, message: &[u8], signature: &[u8]) -> Option<()> {
        let opened = self.opened(signature)?;
        let (bits, hash) = (self.bits - 1, <H as Digest>::output_size());
        // With a bit length of 8n + 1 the first byte is not of the encoded message.
        let encoded = opened.get(opened.len() - bits.div_ceil(8)..)?;
        if opened.iter().take(opened.len() - encoded.len()).any(|byte| *byte != 0) {
            return None;
        }
        let (masked, rest) = encoded.split_at_checked(encoded.len().checked_sub(hash + 1)?)?;
        let (seal, trailer) = rest.split_at_checked(hash)?;
        let unused = encoded.len() * 8 - bits;
        let first = *masked.first()?;
        if trailer != [0xbc] || u32::from(first).leading_zeros() < 24 + unused as u32 {
            return None;
        }
        let mut block: Vec<u8> =
            masked.iter().zip(mask::<H>(seal, masked.len())).map(|(byte, mask)| byte ^ mask).collect();
        *block.first_mut()? &= 0xff_u8.checked_shr(unused as u32)?;
        let (padding, salt) = block.split_at_checked(block.len().checked_sub(hash)?)?;
        let (one, zeros) = padding.split_last()?;
        if *one != 1 || zeros.iter().any(|byte| *byte != 0) {
            return None;
        }
        let sealed =
            H::new().chain_update([0; 8]).chain_update(H::digest(message)).chain_update(salt).finalize();
        (sealed.as_slice() == seal).then_some(())
    }
}

/// A number that is not too long.
fn number(bytes: &[u8]) -> Option<U2048> {
    let mut all = [0; 256];
    let start = all.len().checked_sub(bytes.len())?;
    all.get_mut(start..)?.copy_from_slice(bytes);
    Some(U2048::from_be_slice(&all))
}

/// MGF1 of RFC 8017 B.2.1.
fn mask<H: Hash>(seed: &[u8], length: usize) -> Vec<u8> {
    let blocks = (0_u32..)
        .map(|count| H::new().chain_update(seed).chain_update(count.to_be_bytes()).finalize().to_vec());
    blocks.take(length.div_ceil(<H as Digest>::output_size())).flatten().take(length).collect()
}

trait Hash: Digest {
    /// What stands before the hash in PKCS#1 (RFC 8017 9.2, note 1).
    const DIGEST_INFO: &'static [u8];
}

impl Hash for Sha256 {
    const DIGEST_INFO: &'static [u8] =
        &[0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];
}

impl Hash for Sha384 {
    const DIGEST_INFO: &'static [u8] =
        &[0x30, 0x41, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2, 5, 0, 4, 0x30];
}

impl Hash for Sha512 {
    const DIGEST_INFO: &'static [u8] =
        &[0x30, 0x51, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3, 5, 0, 4, 0x40];
}

#[cfg(test)]
mod tests;
