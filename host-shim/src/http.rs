//! `wasi:http` for the component: requests to the OpenWhisk API only.
//!
//! One pool of kept-alive connections serves the whole process, so that a warm action saves a TLS handshake for each request. The host adds
//! the `Authorization` header, and the component cannot set one.

mod answer;
mod body;
mod call;
mod connector;
mod errors;
mod refusal;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::time::{Instant, timeout};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, Result, WasiBody, WasiHttpHooks,
};

pub(crate) use self::answer::{Answer, THIS_KEY, error_text};
use self::body::{Limits, Unhurried};
pub(crate) use self::call::Called;
use self::connector::Connector;
pub(crate) use self::refusal::KeyRefused;
use self::wire::Wire;
use crate::attached::Counters;
use crate::net::proxy::Proxy;
use crate::origin::Origin;
use crate::secret::Secret;
use crate::tls::Trust;

/// The API itself takes up to 65 s for an answer, and its proxy up to 75 s.
const FIRST_BYTE: Duration = Duration::from_secs(80);
/// A container that sleeps longer than this is likely to find its sockets dead.
const IDLE: Duration = Duration::from_secs(10);

/// Bytes of an answer read at once, as many as the component takes: left alone, the buffer grows to several times as many.
const READ: usize = 64 << 10;

type ApiClient = Client<Connector, WasiBody>;

/// How the API is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// Whom to trust there.
    pub(crate) trust: Trust,
    pub(crate) proxy: Option<Proxy>,
}

impl Way {
    /// Without a proxy.
    pub(crate) fn direct(trust: Trust) -> Self {
        Self { trust, proxy: None }
    }
}

/// The pool of connections, for as long as the process lives and the way to the API is the same.
#[derive(Default)]
pub(crate) struct Pool(Mutex<Option<(Way, Pooled)>>);

/// A client, and the thread on which its connections live.
#[derive(Clone)]
struct Pooled {
    client: ApiClient,
    wire: Arc<Wire>,
}

/// Why the API cannot be asked at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    #[error("TLS cannot be set up for the API: {0}")]
    Tls(#[from] rustls::Error),
    #[error("there is no thread to ask the API on: {0}")]
    Thread(#[from] std::io::Error),
}

impl Pool {
    fn pooled(&self, way: &Way) -> std::result::Result<Pooled, SetupError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_ref() {
            Some((kept_for, pooled)) if kept_for == way => Ok(pooled.clone()),
            _ => {
                let client = Client::builder(TokioExecutor::new())
                    .pool_idle_timeout(IDLE)
                    .http1_read_buf_exact_size(READ)
                    .build(Connector::new(way)?);
                let pooled = Pooled { client, wire: Arc::new(Wire::new()?) };
                *kept = Some((way.clone(), pooled.clone()));
                Ok(pooled)
            }
        }
    }

    /// Lets connections that the API closed while the container slept be seen now, not under the first request.
    pub(crate) async fn look(&self) {
        let wire = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|(_, pooled)| pooled.wire.clone());
        if let Some(wire) = wire {
            wire.run(async {
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
            })
            .await;
        }
    }
}

/// What one run may ask of the API. Cheap to copy: each worker has one.
#[derive(Clone)]
pub(crate) struct Api {
    pooled: Pooled,
    /// None: no request is permitted.
    origin: Option<Origin>,
    authorization: Option<HeaderValue>,
    /// Headers of all requests.
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The proxy that gets requests whole.
    proxy: Option<Proxy>,
    /// When waiting ends, whatever the limits say.
    deadline: Option<Instant>,
    /// How long an answer's body may take.
    body: Limits,
    key_refused: KeyRefused,
    counters: Arc<Counters>,
}

impl Api {
    pub(crate) fn new(
        pool: &Pool,
        way: &Way,
        origin: Option<Origin>,
        key: Option<&Secret>,
        deadline: Option<Instant>,
    ) -> std::result::Result<Self, SetupError> {
        let authorization = key.and_then(|key| {
            let mut value = HeaderValue::from_str(&basic(key)).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        // What goes to the proxy whole has its user on it. In a tunnel, the proxy has been told before.
        let proxy = way.proxy.clone().filter(|proxy| proxy.takes_requests());
        let proxy = proxy.filter(|_| origin.as_ref().is_some_and(|origin| !origin.is_secure()));
        let pooled = pool.pooled(way)?;
        Ok(Self {
            pooled,
            origin,
            authorization,
            headers: Vec::new(),
            proxy,
            deadline,
            body: Limits::default(),
            key_refused: KeyRefused::default(),
            counters: Arc::default(),
        })
    }

    /// The same, counting there what goes wrong.
    pub(crate) fn counting(self, counters: Arc<Counters>) -> Self {
        Self { counters, ..self }
    }

    /// The same, noting there whether the API refuses the key.
    pub(crate) fn noting(self, key_refused: KeyRefused) -> Self {
        Self { key_refused, ..self }
    }

    /// The same with a header on all requests, in the place of any other of its name.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Whether the API has refused the key.
    pub(crate) fn has_refused_key(&self) -> bool {
        self.key_refused.is_so()
    }

    /// At most a third of the time that is left: the component must get to know that a request takes too long, to ask for less.
    fn patience(&self, asked: Option<Duration>, default: Duration) -> Duration {
        let asked = asked.unwrap_or(default);
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        left.map_or(asked, |left| asked.min(left / 3))
    }

    /// Sends a request at once, and waits for the head of the answer when the future is asked for it.
    fn send(
        self,
        request: http::Request<WasiBody>,
        options: RequestOptions,
    ) -> impl Future<Output = Result<http::Response<WasiBody>>> + Send + 'static {
        let wire = self.pooled.wire.clone();
        let answer = wire.run(self.exchange(request, options));
        async move { answer.await.unwrap_or(Err(Error::InternalError(None))) }
    }

    async fn exchange(
        self,
        mut request: http::Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<http::Response<WasiBody>> {
        if self.origin.as_ref().is_none_or(|origin| !origin.permits(request.uri())) {
            return Err(Error::HttpRequestDenied);
        }
        let headers = request.headers_mut();
        headers
            .insert(USER_AGENT, HeaderValue::from_static(concat!("whiskjack/", env!("CARGO_PKG_VERSION"))));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        if let Some(authorization) = self.proxy.as_ref().and_then(Proxy::authorization) {
            headers.insert(PROXY_AUTHORIZATION, authorization);
        }
        let first_byte = self.patience(options.first_byte_timeout, FIRST_BYTE);
        let pause = options.between_bytes_timeout.map(|asked| asked.min(self.body.pause));
        let pause = self.patience(pause, self.body.pause);
        let limits = Limits { pause, deadline: self.deadline, ..self.body };
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        match timeout(first_byte, self.pooled.client.request(request)).await {
            Ok(Ok(response)) => {
                let status = response.status();
                if self.key_refused.note(&method, &path, status) {
                    self.counters.note_refusal();
                } else if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                    self.counters.note_api_error();
                }
                match self.of_the_proxy(response.status(), response.headers()) {
                    Some(error) => Err(error),
                    None => Ok(response.map(|body| Unhurried::new(body, limits).boxed_unsync())),
                }
            }
            Ok(Err(error)) => {
                self.counters.note_api_error();
                Err(self.of_a_mistaken_proxy(errors::of_request(&error)).await)
            }
            Err(_) => {
                self.counters.note_api_error();
                Err(Error::HttpResponseTimeout)
            }
        }
    }
}

impl Api {
    /// What the proxy that gets requests whole says itself, in place of the API.
    fn of_the_proxy(&self, status: StatusCode, headers: &http::HeaderMap) -> Option<Error> {
        match (&self.proxy, &self.origin) {
            (Some(proxy), Some(origin)) => {
                let target = crate::net::authority(origin.host(), origin.port());
                proxy.says_itself(&target, status, headers).map(|fault| errors::of_proxy(&fault))
            }
            _ => (status == StatusCode::PROXY_AUTHENTICATION_REQUIRED).then_some(Error::HttpProtocolError),
        }
    }

    /// What a request failed with. A proxy that should have got it whole, and does not speak HTTP, is told as such.
    async fn of_a_mistaken_proxy(&self, error: Error) -> Error {
        let (Some(proxy), Some(origin), Error::ConnectionTerminated | Error::HttpProtocolError) =
            (&self.proxy, &self.origin, &error)
        else {
            return error;
        };
        let target = crate::net::authority(origin.host(), origin.port());
        proxy.mistaken(&target).await.map_or(error, |fault| errors::of_proxy(&fault))
    }
}

/// The header's value for a key `uuid:secret`.
pub(crate) fn basic(key: &Secret) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(key.expose()))
}

type Sending = Box<dyn Future<Output = Result<(http::Response<WasiBody>, Processing)>> + Send>;
type Processing = Box<dyn Future<Output = Result<()>> + Send>;

impl WasiHttpHooks for Api {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        let host_authorizes = self.authorization.is_some();
        Arc::new(move |name: &HeaderName| {
            DEFAULT_FORBIDDEN_HEADERS.contains(name) || (host_authorizes && name == AUTHORIZATION)
        })
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Processing,
    ) -> Sending {
        let response = self.clone().send(request, options.unwrap_or_default());
        Box::new(async move {
            let response = response.await?;
            Ok((response, Box::new(async { Ok(()) }) as Processing))
        })
    }
}

#[cfg(test)]
mod tests;
