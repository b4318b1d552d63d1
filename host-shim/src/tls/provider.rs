//! The cryptography of all connections: `ring`, and besides it the curve P-521.

use std::sync::{Arc, LazyLock};

use rustls::crypto::{CryptoProvider, KeyProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{PrivateKeyDer, SignatureVerificationAlgorithm};
use rustls::sign::SigningKey;
use rustls::{Error, SignatureScheme};

use super::{p521, rsa};

type Algorithm = &'static dyn SignatureVerificationAlgorithm;
type Mapping = Vec<(SignatureScheme, &'static [Algorithm])>;

/// What every connection uses.
pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
        static GROUP: LazyLock<p521::Group> =
            LazyLock::new(|| p521::Group(ring::default_provider().secure_random));
        let mut provider = ring::default_provider();
        // Last: a server takes it if it has nothing better.
        provider.kx_groups.push(&*GROUP);
        provider.signature_verification_algorithms = algorithms();
        provider.key_provider = &Keys;
        Arc::new(provider)
    });
    PROVIDER.clone()
}

/// What is verified: `ring`'s, and P-521.
fn algorithms() -> WebPkiSupportedAlgorithms {
    static ALL: LazyLock<Vec<Algorithm>> = LazyLock::new(|| {
        let ring = ring::default_provider().signature_verification_algorithms;
        [ring.all, &[p521::SHA256, p521::SHA384, p521::SHA512]].concat()
    });
    // In TLS 1.2 a scheme says the hash and not the curve; in TLS 1.3 the first of each counts. SHA-512 is the last scheme, since nobody
    // here checks it on a shorter curve.
    static LISTS: LazyLock<Vec<(SignatureScheme, Vec<Algorithm>)>> = LazyLock::new(|| {
        let ring = ring::default_provider().signature_verification_algorithms;
        let with_p521 = |scheme, of: &[Algorithm]| match scheme {
            SignatureScheme::ECDSA_NISTP256_SHA256 => [of, &[p521::SHA256]].concat(),
            SignatureScheme::ECDSA_NISTP384_SHA384 => [of, &[p521::SHA384]].concat(),
            _ => of.to_vec(),
        };
        let lists = ring.mapping.iter().map(|(scheme, of)| (*scheme, with_p521(*scheme, of)));
        lists.chain([(SignatureScheme::ECDSA_NISTP521_SHA512, vec![p521::SHA512])]).collect()
    });
    static MAPPING: LazyLock<Mapping> =
        LazyLock::new(|| LISTS.iter().map(|(scheme, of)| (*scheme, of.as_slice())).collect());
    WebPkiSupportedAlgorithms { all: &ALL, mapping: &MAPPING }
}

/// What a server may prove its key with whose certificate is not verified: RSA may be shorter.
pub(super) fn unverified() -> WebPkiSupportedAlgorithms {
    static SHORT: LazyLock<Vec<(SignatureScheme, [Algorithm; 1])>> = LazyLock::new(|| {
        static RSA: LazyLock<Vec<(SignatureScheme, rsa::AnyLength)>> = LazyLock::new(|| {
            let mapping = algorithms().mapping.iter();
            let rsa = |scheme, long: Algorithm| rsa::AnyLength::new(scheme, long).map(|rsa| (scheme, rsa));
            mapping.filter_map(|(scheme, of)| rsa(*scheme, *of.first()?)).collect()
        });
        RSA.iter().map(|(scheme, rsa)| (*scheme, [rsa as Algorithm])).collect()
    });
    static MAPPING: LazyLock<Mapping> = LazyLock::new(|| {
        let short = |scheme| SHORT.iter().find(|(of, _)| *of == scheme).map(|(_, of)| &of[..]);
        algorithms().mapping.iter().map(|(scheme, of)| (*scheme, short(*scheme).unwrap_or(of))).collect()
    });
    WebPkiSupportedAlgorithms { all: algorithms().all, mapping: &MAPPING }
}

/// Reads private keys.
#[derive(Debug)]
struct Keys;

impl KeyProvider for Keys {
    fn load_private_key(&self, key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        match p521::client_key(&key) {
            Some(key) => Ok(key),
            None => ring::default_provider().key_provider.load_private_key(key),
        }
    }
}
