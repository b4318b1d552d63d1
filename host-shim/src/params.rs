//! The host's part of an action's parameters: TLS of the receiver and of the API.
//!
//! | key | type | meaning |
//! |---|---|---|
//! | `logstash.tls` | boolean, default true | false: plain TCP, an explicit choice |
//! | `logstash.rejectUnauthorized` | boolean, default true | false: any certificate will do |
//! | `logstash.ca` | PEM text, or an array of it | trusted instead of the public authorities |
//! | `logstash.servername` | name | checked instead of `logstash.host` |
//! | `logstash.cert` | PEM text | client certificate, with its chain |
//! | `logstash.key` | PEM text, or `{pem, passphrase}` | its private key |
//! | `logstash.passphrase` | text | for an encrypted key |
//! | `logstash.ca_sha256`, `logstash.leaf_sha256` | fingerprint, or an array of them | pins, besides all other checks |
//! | `logstash.minVersion`, `logstash.maxVersion` | `TLSv1.2` or `TLSv1.3` | limits of the TLS version |
//! | `logstash.proxy_url` | URL | the proxy to receivers |
//! | `logstash.proxy_use_local_resolver` | boolean, default false | true: the host resolves their names, not the proxy |
//! | `api.ca`, `api.rejectUnauthorized`, `api.proxy_url` | as above | for the OpenWhisk API |
//!
//! A key with dots is the key in its group. Every other key belongs to the component, even those of the receivers and `api.host`: the host
//! only reads them, for the allow-lists. It removes keys, certificates and proxies, so that the component never holds one.

mod proxies;
mod receivers;
mod section;
mod security;
mod variables;

pub(crate) use self::receivers::Receivers;
pub use self::variables::ProxyVariables;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde_json::{Map, Value};
use whiskjack_settings::{Fault, nested};

use self::section::{Notes, Section};
use crate::net::proxy::Proxy;
use crate::secret::Secret;
use crate::tls::{self, Asked, Settings, Trust};

/// What the host needs to know for a run.
#[derive(Debug)]
pub(crate) struct HostParams {
    /// The one receiver that may be reached; none when the parameters name no usable one.
    pub(crate) receivers: Receivers,
    /// How the receiver is spoken to.
    pub(crate) security: Security,
    /// The way to the receivers.
    pub(crate) receiver_proxy: Option<Proxy>,
    /// The API that the parameters name; it comes before the platform's.
    pub(crate) api_host: Option<String>,
    /// Whether the parameters name an API at all, also if that cannot be read.
    pub(crate) names_api: bool,
    /// Whom to trust at the API.
    pub(crate) api_trust: Trust,
    /// The way to the API; it comes before that of the environment.
    pub(crate) api_proxy: Option<Proxy>,
    /// All that is wrong.
    pub(crate) faults: Vec<Fault>,
    /// What should be known though it is not a fault.
    pub(crate) warnings: Vec<String>,
    /// Texts that must not show up in a result.
    pub(crate) secrets: Vec<Secret>,
    /// The keys that hold them, as `logstash.key`.
    pub(crate) secret_keys: Vec<String>,
}

/// How a receiver is spoken to.
#[derive(Clone, Debug)]
pub(crate) enum Security {
    Plain,
    Tls {
        config: Arc<ClientConfig>,
        /// The name to check, if it is not the host's.
        server_name: Option<ServerName<'static>>,
        /// Whether there is a client certificate to show.
        shows_certificate: bool,
        /// Whether the receiver has asked for one.
        asked: Asked,
    },
}

impl HostParams {
    /// Reads the host's part and takes keys and certificates out of `params`.
    pub(crate) fn take(params: &mut Map<String, Value>) -> Self {
        // First, or a key with a dot in its name would stay in the parameters.
        let twice = nested::nest(params).into_iter();
        let twice = twice.map(|key| Fault { key, value: String::new(), remedy: nested::TWICE.to_owned() });
        let mut notes = Notes { faults: twice.collect(), ..Notes::default() };
        // A `logstash` that is not an object is the component's to report.
        let receivers = params.get("logstash").map(Receivers::read).unwrap_or_default();
        let named = params.get("api").and_then(|api| api.get("host")).filter(|host| !host.is_null());
        let (names_api, api_host) = (named.is_some(), named.and_then(Value::as_str).map(str::to_owned));
        if names_api && api_host.is_none() {
            notes.faults.push(Fault {
                key: "api.host".to_owned(),
                value: whiskjack_settings::shown(named),
                remedy: "must be text; give one such as \"https://openwhisk.example.com\"".to_owned(),
            });
        }
        let mut logstash = Section::new("logstash", params.get_mut("logstash"), &mut notes);
        let security = security::security(&mut logstash);
        let receiver_proxy = proxies::of_receivers(&mut logstash);
        if params.get("api").is_some_and(|api| !api.is_object() && !api.is_null()) {
            notes.faults.push(Fault {
                key: "api".to_owned(),
                value: whiskjack_settings::shown(params.get("api")),
                remedy: "must be an object; give one such as {\"host\": \"https://openwhisk.example.com\"}, or leave it out"
                    .to_owned(),
            });
        }
        let mut api = Section::new("api", params.get_mut("api"), &mut notes);
        let api_trust = security::trust(&mut api);
        let api_proxy = proxies::of_api(&mut api);
        if matches!(api_trust, Trust::Only(_))
            && let Err(error) = tls::client_config(Settings::trusting(api_trust.clone()))
        {
            api.fault("ca", format!("cannot be used ({error}); give CA certificates as PEM text"));
        }
        let Notes { faults, warnings, secrets, secret_keys } = notes;
        Self {
            receivers,
            security,
            receiver_proxy,
            api_host,
            names_api,
            api_trust,
            api_proxy,
            faults,
            warnings,
            secrets,
            secret_keys,
        }
    }
}

#[cfg(test)]
mod tests;
