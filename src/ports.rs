//! The core's needs from outside: a clock, the OpenWhisk API over HTTP, and a byte stream to a receiver.
//!
//! In the component, WASI and the host's `transport` provide them; in tests they are scripted, with a virtual clock.

/// A failure outside the core.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// A sentence that a person can act on. It never has a secret.
    pub message: String,
    /// Whether the same call may succeed later without any change.
    pub retryable: bool,
}

impl Failure {
    /// A failure that time may heal.
    pub fn passing(message: impl Into<String>) -> Self {
        Self { message: message.into(), retryable: true }
    }

    /// A failure that a person must correct.
    pub fn lasting(message: impl Into<String>) -> Self {
        Self { message: message.into(), retryable: false }
    }
}

/// Time and chance.
pub trait Clock {
    /// Milliseconds since 1970, as the platform counts them.
    fn now_ms(&self) -> u64;
    /// Waits.
    fn sleep_ms(&self, ms: u64);
    /// A random number, for jitter.
    fn random(&self) -> u64;
}

/// HTTP method of an API request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates or overwrites.
    Put,
}

/// One request to the API. Origin and authorization are the port's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// Path and query, percent-encoded: below `/api/v1`, or `/` alone.
    pub target: String,
    /// JSON body; empty for none.
    pub body: Vec<u8>,
}

/// An answer of which the body is still to be read.
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// The header `Retry-After`, as it is.
    pub retry_after: Option<String>,
    /// The body, in pieces.
    pub body: Box<dyn Body>,
}

/// A body that arrives in pieces, so that a page of 100 MB needs no 100 MB here.
pub trait Body {
    /// The next piece; `None` at the end.
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure>;
}

/// The OpenWhisk API.
pub trait Http {
    /// Sends a request and waits for the head of the answer. Any status is an answer, not a failure.
    fn send(&self, request: &Request) -> Result<Response, Failure>;

    /// Sends a request and, if it can, does not wait for the answer.
    fn begin(&self, request: &Request) -> Pending {
        let answer = self.send(request);
        Pending::new(move || answer)
    }
}

/// An answer that may still be on its way. Dropping it gives the answer up.
pub struct Pending(Box<dyn FnOnce() -> Result<Response, Failure>>);

impl Pending {
    /// What `wait` returns, which waits for the head of the answer.
    pub fn new(wait: impl FnOnce() -> Result<Response, Failure> + 'static) -> Self {
        Self(Box::new(wait))
    }

    /// Waits for the head of the answer.
    pub fn wait(self) -> Result<Response, Failure> {
        (self.0)()
    }
}

/// A step in a connection's life, as in the WIT's `transport-step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The host does not allow this receiver.
    Permit,
    /// Name resolution.
    Resolve,
    /// TCP connect.
    Connect,
    /// TLS handshake, or an alert that came after it.
    Handshake,
    /// Writing.
    Write,
    /// Reading.
    Read,
    /// The time given to the call ran out.
    Timeout,
}

/// An error of a connection to a receiver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// The step that failed.
    pub step: Step,
    /// Whether a new connection may succeed without any change.
    pub retryable: bool,
    /// A sentence that a person can act on.
    pub message: String,
}

/// Connections to receivers.
pub trait Transport {
    /// Opens a connection, TLS handshake included, within `timeout_ms`.
    fn connect(&self, host: &str, port: u16, timeout_ms: u64) -> Result<Box<dyn Connection>, TransportError>;
}

/// An open connection; dropping it closes it.
pub trait Connection {
    /// Writes all bytes or fails.
    fn write(&mut self, bytes: &[u8], timeout_ms: u64) -> Result<(), TransportError>;
    /// Reads the bytes that are there, at most `max`; empty if the receiver has closed its side.
    fn read(&mut self, max: u32, timeout_ms: u64) -> Result<Vec<u8>, TransportError>;
}

/// The three ports together.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// Time and chance.
    pub clock: &'a dyn Clock,
    /// The OpenWhisk API.
    pub http: &'a dyn Http,
    /// Connections to receivers.
    pub transport: &'a dyn Transport,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pending")
    }
}

impl std::fmt::Debug for Ports<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ports")
    }
}
