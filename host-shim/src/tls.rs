//! TLS settings: whom to trust, what to show, which versions to speak.

mod asked;
mod key;
mod pins;
mod roots;
pub(crate) mod sentence;
mod verify;

use std::sync::{Arc, OnceLock};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, Error, SupportedProtocolVersion};

pub(crate) use self::asked::Asked;
use self::asked::Remembering;
pub(crate) use self::key::{KeyError, private_key};
pub(crate) use self::pins::{Pin, Pins};

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

/// All versions that are safe to use, oldest first.
pub(crate) static VERSIONS: [&SupportedProtocolVersion; 2] =
    [&rustls::version::TLS12, &rustls::version::TLS13];

impl Settings {
    /// Everything by default, but for whom to trust.
    pub(crate) fn trusting(trust: Trust) -> Self {
        Self { trust, pins: Pins::default(), identity: None, versions: VERSIONS.to_vec() }
    }
}

/// A configuration for connections, and what its servers asked for. Errors: a certificate in `trust` is none, or the identity's key and
/// certificate do not go together.
pub(crate) fn client_config(settings: Settings) -> Result<(Arc<ClientConfig>, Asked), Error> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&settings.versions)?
        .dangerous()
        .with_custom_certificate_verifier(verify::verifier(&settings.trust, settings.pins)?);
    let mut config = match settings.identity {
        Some(Identity { chain, key }) => builder.with_client_auth_cert(chain, key)?,
        None => builder.with_no_client_auth(),
    };
    let asked = Asked::default();
    config.client_auth_cert_resolver =
        Arc::new(Remembering { resolver: config.client_auth_cert_resolver.clone(), asked: asked.clone() });
    Ok((Arc::new(config), asked))
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(rustls::crypto::ring::default_provider())).clone()
}
