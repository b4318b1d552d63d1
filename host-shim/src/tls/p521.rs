//! The curve P-521, which `ring` does not have: signatures, key exchange and client keys.
//!
//! A server of TLS 1.2 shows a certificate on a curve only to clients that know the curve for the key exchange too (RFC 8422 5.1.1), hence all three.

use std::sync::Arc;

use p521::ecdsa::signature::Signer as _;
use p521::ecdsa::signature::hazmat::PrehashVerifier as _;
use p521::ecdsa::{DerSignature, Signature, SigningKey, VerifyingKey};
use p521::elliptic_curve::sec1::ToSec1Point as _;
use p521::{PublicKey, SecretKey};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::{Decode as _, Encode as _};
use rustls::crypto::{ActiveKeyExchange, GetRandomFailed, SecureRandom, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, PrivateKeyDer, SignatureVerificationAlgorithm,
    SubjectPublicKeyInfoDer, alg_id,
};
use rustls::sign::{Signer, SigningKey as TlsKey, public_key_to_spki};
use rustls::{Error, NamedGroup, PeerMisbehaved, SignatureAlgorithm, SignatureScheme};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// Bytes of a number below the curve's order.
const SCALAR: usize = 66;
/// An uncompressed point, the only form that TLS has.
const POINT: usize = 1 + 2 * SCALAR;

/// By hash: servers sign with SHA-512, authorities with any of them.
pub(super) static SHA256: &dyn SignatureVerificationAlgorithm =
    &Ecdsa { signature: alg_id::ECDSA_SHA256, hash: |message| Sha256::digest(message).to_vec() };
pub(super) static SHA384: &dyn SignatureVerificationAlgorithm =
    &Ecdsa { signature: alg_id::ECDSA_SHA384, hash: |message| Sha384::digest(message).to_vec() };
pub(super) static SHA512: &dyn SignatureVerificationAlgorithm =
    &Ecdsa { signature: alg_id::ECDSA_SHA512, hash: |message| Sha512::digest(message).to_vec() };

#[derive(Debug)]
struct Ecdsa {
    signature: AlgorithmIdentifier,
    hash: fn(&[u8]) -> Vec<u8>,
}

impl SignatureVerificationAlgorithm for Ecdsa {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = DerSignature::from_bytes(signature).map_err(|_| InvalidSignature)?;
        let signature = Signature::try_from(signature).map_err(|_| InvalidSignature)?;
        // A hash counts as a number, and the crate takes none that is shorter than half of one of the curve's.
        let mut hash = (self.hash)(message);
        let missing = <Sha512 as sha2::Digest>::output_size().saturating_sub(hash.len());
        hash.splice(..0, vec![0; missing]);
        key.verify_prehash(&hash, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// The key exchange.
#[derive(Debug)]
pub(super) struct Group(pub(super) &'static dyn SecureRandom);

impl SupportedKxGroup for Group {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        // The order is so near to 2^521 that a second number is never needed.
        for _ in 0..4 {
            let mut bytes = [0; SCALAR];
            self.0.fill(&mut bytes)?;
            let [first, ..] = &mut bytes;
            *first &= 1;
            if let Ok(secret) = SecretKey::from_slice(&bytes) {
                let public = secret.public_key().to_sec1_point(false).as_bytes().to_vec();
                return Ok(Box::new(Exchange { secret, public }));
            }
        }
        Err(GetRandomFailed.into())
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

struct Exchange {
    secret: SecretKey,
    public: Vec<u8>,
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer_pub_key: &[u8]) -> Result<SharedSecret, Error> {
        let peer = match peer_pub_key {
            [4, ..] if peer_pub_key.len() == POINT => PublicKey::from_sec1_bytes(peer_pub_key).ok(),
            _ => None,
        };
        let peer = peer.ok_or(PeerMisbehaved::InvalidKeyShare)?;
        Ok(SharedSecret::from(self.secret.diffie_hellman(&peer).raw_secret_bytes().as_slice()))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

/// A client's key.
#[derive(Debug)]
struct ClientKey(Arc<SigningKey>);

/// A client's key on this curve; none if it is of another kind.
pub(super) fn client_key(key: &PrivateKeyDer<'_>) -> Option<Arc<dyn TlsKey>> {
    let secret = match key {
        PrivateKeyDer::Sec1(key) => SecretKey::from_sec1_der(key.secret_sec1_der()).ok()?,
        PrivateKeyDer::Pkcs8(key) => {
            let info = PrivateKeyInfoRef::from_der(key.secret_pkcs8_der()).ok()?;
            if info.algorithm.to_der().ok()?.get(2..)? != alg_id::ECDSA_P521.as_ref() {
                return None;
            }
            SecretKey::from_sec1_der(info.private_key.as_bytes()).ok()?
        }
        _ => return None,
    };
    Some(Arc::new(ClientKey(Arc::new(SigningKey::from(&secret)))))
}

impl TlsKey for ClientKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::ECDSA_NISTP521_SHA512)
            .then(|| Box::new(Self(self.0.clone())) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        let point = self.0.verifying_key().to_sec1_point(false);
        Some(public_key_to_spki(&alg_id::ECDSA_P521, point.as_bytes()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for ClientKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature: DerSignature =
            self.0.try_sign(message).map_err(|_| Error::General("P-521: the key cannot sign".to_owned()))?;
        Ok(signature.as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}
