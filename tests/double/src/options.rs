//! How a double is started, and the ways in which deployments differ.

use crate::clock::Clock;
use crate::gateway::Gateway;

/// What to start: `Options::default()` is plain http, namespace `guest`, real time.
#[derive(Debug, Clone)]
pub struct Options {
    /// Namespace of the key.
    pub namespace: String,
    /// API key, `uuid:secret`.
    pub key: String,
    /// Serves https instead of http.
    pub tls: Option<Tls>,
    /// Decides what is visible.
    pub clock: Clock,
    /// What the `name` filter compares for actions invoked through a package binding.
    pub binding_keys: BindingKeys,
    /// Lists and counts show the index as of the previous one, as CouchDB does with `stale=update_after`.
    pub stale: bool,
    /// Where `X-Request-ID` comes from.
    pub request_ids: RequestIds,
    /// What `GET /` and the namespace's limits say.
    pub limits: Limits,
    /// What stands before it.
    pub gateway: Gateway,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            namespace: "guest".into(),
            key: "00000000-1111-4222-8333-444444444444:an-invented-secret".into(),
            tls: None,
            clock: Clock::real(),
            binding_keys: BindingKeys::CouchDb,
            stale: false,
            request_ids: RequestIds::Echo,
            limits: Limits::default(),
            gateway: Gateway::default(),
        }
    }
}

/// How https is served.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Certificate chain, PEM.
    pub certificate: String,
    /// Private key, PEM.
    pub key: String,
    /// Refuses TLS 1.3, as the stock nginx does.
    pub only_tls12: bool,
    /// Demands a client certificate of one of these authorities, PEM.
    pub client_ca: Option<String>,
}

impl Tls {
    /// TLS 1.2 and 1.3, no client certificate.
    pub fn new(certificate: impl Into<String>, key: impl Into<String>) -> Self {
        Self { certificate: certificate.into(), key: key.into(), only_tls12: false, client_ca: None }
    }
}

/// What the `name` filter compares, by activation store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingKeys {
    /// `binding/action` for actions invoked through a binding (CouchDB, the default store).
    CouchDb,
    /// Always the provider's `package/action` (memory, Cosmos DB, MongoDB).
    Memory,
    /// A phrase search over `namespace/…/action`, which also finds names that only contain the words (Elasticsearch).
    Phrase,
}

/// Where the `X-Request-ID` of a reply comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestIds {
    /// The caller's, unless it is missing or begins with `sid_` (the controller alone).
    Echo,
    /// Always a new one of 32 hex digits (behind the stock nginx).
    Overwrite,
}

/// Which activations a namespace keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// All.
    Always,
    /// All but successful ones.
    FailuresOnly,
    /// Only developer and platform errors.
    FailuresNotApplicationErrors,
    /// None.
    Never,
}

/// The platform's limits, as far as a client may ask for them.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Longest run, in milliseconds.
    pub max_action_duration_ms: u64,
    /// Largest log of one activation, in bytes.
    pub max_action_logs_bytes: u64,
    /// Most rows of a list.
    pub max_list: usize,
    /// Largest `annotations` or `parameters` of a package, in bytes of JSON.
    pub max_parameters_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_action_duration_ms: 300_000,
            max_action_logs_bytes: 10 << 20,
            max_list: 200,
            max_parameters_bytes: 1 << 20,
        }
    }
}
