//! Reasons why a connection through a proxy failed.

/// What failed at or behind a proxy.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{sentence}")]
pub(crate) struct ProxyFault {
    pub(crate) step: Step,
    /// Whether trying again may help.
    pub(crate) retryable: bool,
    /// Names the proxy, and says what to do.
    pub(super) sentence: String,
    /// Whether another address of the target may do.
    pub(super) of_target: bool,
    /// Whether the proxy may speak another language than that of its scheme.
    pub(super) foreign: bool,
}

/// Where it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A name was not resolved.
    Resolve,
    /// No connection.
    Connect,
    /// Time was up.
    Timeout,
}
