//! TLS settings: trust, client certificate and versions.

mod asked;
mod certificate;
mod key;
mod p521;
pub(crate) mod pem;
mod pins;
mod provider;
mod roots;
mod rsa;
pub(crate) mod sentence;
mod shown;
mod unfit;
mod untrusted;
mod verify;

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, ClientConfig, Error, InconsistentKeys, SupportedProtocolVersion};

pub(crate) use self::asked::Asked;
use self::asked::Remembering;
use self::certificate::Certificate;
pub(crate) use self::key::{KeyError, is_encrypted, private_key};
pub(crate) use self::pins::{Pin, Pins};
use self::provider::provider;
pub(crate) use self::shown::Shown;
use self::unfit::Flaw;

/// Whom to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The public authorities, and those of the system if it has a bundle.
    Public,
    /// These certificates only: authorities, or a server's own.
    Only(Vec<CertificateDer<'static>>),
    /// Anybody. An explicit choice.
    Anybody,
}

/// A client certificate and its key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// All that makes up a configuration.
pub(crate) struct Settings {
    pub(crate) trust: Trust,
    pub(crate) pins: Pins,
    pub(crate) identity: Option<Identity>,
    /// Versions to speak, some of [`VERSIONS`].
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
}

/// Most certificates that are named for their dates.
const DATES: usize = 3;

/// All versions that are safe to use, oldest first.
pub(crate) static VERSIONS: [&SupportedProtocolVersion; 2] =
    [&rustls::version::TLS12, &rustls::version::TLS13];

impl Settings {
    /// Everything by default, but for whom to trust.
    pub(crate) fn trusting(trust: Trust) -> Self {
        Self { trust, pins: Pins::default(), identity: None, versions: VERSIONS.to_vec() }
    }
}

/// What is wrong with the dates of certificates that somebody has given, as sentences: at most [`DATES`], and how many more there are. `webpki`
/// trusts an authority whatever its dates are; Node.js and OpenSSL do not.
pub(crate) fn out_of_date(certificates: &[CertificateDer<'_>]) -> Vec<String> {
    let now = UnixTime::now();
    let all = certificates.iter().filter_map(|one| Certificate::parse(one)?.out_of_date(now));
    let mut found: Vec<String> = all
        .filter_map(|flaw| match flaw {
            Flaw::Expired(name, day) => {
                Some(format!("the certificate of {name} expired on {day}; give a new one"))
            }
            Flaw::Early(name, day) => {
                Some(format!("the certificate of {name} is not valid before {day}; give a new one"))
            }
            _ => None,
        })
        .collect();
    let more = found.len().saturating_sub(DATES);
    found.truncate(DATES);
    if more > 0 {
        found.push(format!("{more} more certificates are out of date; give new ones"));
    }
    found
}

/// A configuration for connections, and what its servers asked for. Errors: a certificate in `trust` is none, or the identity's key and
/// certificate do not go together.
pub(crate) fn client_config(settings: Settings) -> Result<(Arc<ClientConfig>, Asked), Error> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&settings.versions)?
        .dangerous()
        .with_custom_certificate_verifier(verify::verifier(&settings.trust, settings.pins)?);
    let mut config = match settings.identity {
        Some(Identity { chain, key }) => builder.with_client_cert_resolver(Arc::new(identity(chain, key)?)),
        None => builder.with_no_client_auth(),
    };
    let asked = Asked::default();
    config.client_auth_cert_resolver =
        Arc::new(Remembering { resolver: config.client_auth_cert_resolver.clone(), asked: asked.clone() });
    Ok((Arc::new(config), asked))
}

/// What is shown to servers. `rustls` would refuse a certificate of X.509 version 1, which many a server takes.
fn identity(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<SingleCertAndKey, Error> {
    let key = provider().key_provider.load_private_key(key)?;
    let own = chain.first().ok_or(Error::NoCertificatesPresented)?;
    for certificate in &chain {
        Certificate::parse(certificate).ok_or(CertificateError::BadEncoding)?;
    }
    let own = Certificate::parse(own).ok_or(CertificateError::BadEncoding)?;
    if key.public_key().is_some_and(|public| public.as_ref() != own.key_info) {
        return Err(InconsistentKeys::KeyMismatch.into());
    }
    Ok(SingleCertAndKey::from(CertifiedKey::new(chain, key)))
}
