//! `wasi:http` for the component: requests to the OpenWhisk API, and to nobody else.
//!
//! One pool of kept-alive connections serves the whole process, so that a warm action saves a TLS handshake per request.
//! The host adds the `Authorization` header, and the component cannot set one.

mod body;
mod call;
mod connector;
mod errors;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::time::{Instant, timeout};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, Result, WasiBody, WasiHttpHooks,
};

use self::body::Unhurried;
use self::connector::Connector;
use crate::origin::Origin;
use crate::secret::Secret;
use crate::tls::Trust;

/// The API itself takes up to 65 s for an answer, and its proxy up to 75 s.
const FIRST_BYTE: Duration = Duration::from_secs(80);
/// Longest pause within a body.
const BETWEEN_BYTES: Duration = Duration::from_secs(30);
/// A container that sleeps longer than this is likely to find its sockets dead.
const IDLE: Duration = Duration::from_secs(10);

/// Bytes of an answer read at once, as many as the component takes: left alone, the buffer grows to several times as many.
const READ: usize = 64 << 10;

type ApiClient = Client<Connector, WasiBody>;

/// The pool of connections, for as long as the process lives and trusts the same certificates.
#[derive(Default)]
pub(crate) struct Pool(Mutex<Option<(Trust, ApiClient)>>);

impl Pool {
    fn client(&self, trust: &Trust) -> std::result::Result<ApiClient, rustls::Error> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_ref() {
            Some((kept_for, client)) if kept_for == trust => Ok(client.clone()),
            _ => {
                let client = Client::builder(TokioExecutor::new())
                    .pool_idle_timeout(IDLE)
                    .http1_read_buf_exact_size(READ)
                    .build(Connector::new(trust)?);
                *kept = Some((trust.clone(), client.clone()));
                Ok(client)
            }
        }
    }
}

/// What one run may ask of the API. Cheap to copy: each worker has one.
#[derive(Clone)]
pub(crate) struct Api {
    client: ApiClient,
    /// None: no request is permitted.
    origin: Option<Origin>,
    authorization: Option<HeaderValue>,
    /// When waiting ends, whatever the limits say.
    deadline: Option<Instant>,
}

impl Api {
    pub(crate) fn new(
        pool: &Pool,
        trust: &Trust,
        origin: Option<Origin>,
        key: Option<&Secret>,
        deadline: Option<Instant>,
    ) -> std::result::Result<Self, rustls::Error> {
        let authorization = key.and_then(|key| {
            let mut value = HeaderValue::from_str(&basic(key)).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        Ok(Self { client: pool.client(trust)?, origin, authorization, deadline })
    }

    /// At most a third of the time that is left: the component must get to know that a request takes too long, to ask for less.
    fn patience(&self, asked: Option<Duration>, default: Duration) -> Duration {
        let asked = asked.unwrap_or(default);
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        left.map_or(asked, |left| asked.min(left / 3))
    }

    async fn send(
        self,
        mut request: http::Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<http::Response<WasiBody>> {
        let target = Origin::of_uri(request.uri());
        if target.is_none() || target != self.origin {
            return Err(Error::HttpRequestDenied);
        }
        let headers = request.headers_mut();
        headers
            .insert(USER_AGENT, HeaderValue::from_static(concat!("whiskjack/", env!("CARGO_PKG_VERSION"))));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let first_byte = self.patience(options.first_byte_timeout, FIRST_BYTE);
        let between_bytes = self.patience(options.between_bytes_timeout, BETWEEN_BYTES);
        match timeout(first_byte, self.client.request(request)).await {
            Ok(Ok(response)) => {
                Ok(response.map(|body| Unhurried::new(body, between_bytes, self.deadline).boxed_unsync()))
            }
            Ok(Err(error)) => Err(errors::of_request(&error)),
            Err(_) => Err(Error::HttpResponseTimeout),
        }
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
        let api = self.clone();
        Box::new(async move {
            let response = api.send(request, options.unwrap_or_default()).await?;
            Ok((response, Box::new(async { Ok(()) }) as Processing))
        })
    }
}

#[cfg(test)]
mod tests;
