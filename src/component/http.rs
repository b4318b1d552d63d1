//! The API port over `waki`. The host does connections and TLS, and enforces limits on silence: the component gives its limits, and the
//! host may set shorter ones.
//!
//! Answers are `waki`'s. Requests start through its bindings: its client waits for one answer before the next request can leave, although a
//! run mostly waits, and its only limit is that for connecting.

use crate::config::Origin;
use crate::ports::{Body, Failure, Http, Method, Pending, Request, Response};
use anyhow::anyhow;
use std::rc::Rc;
use waki::bindings::wasi::http::outgoing_handler;
use waki::bindings::wasi::http::types::{
    Fields, FutureIncomingResponse, IncomingResponse, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use waki::bindings::wasi::io::streams::StreamError;
use waki::header::RETRY_AFTER;
use waki::{ErrorCode, Method as HttpMethod};
use wasi::clocks::monotonic_clock;

/// Bytes read at once.
const CHUNK: u64 = 64 << 10;
/// Most bytes that `wasi:io` takes in one write.
const WRITE: usize = 4096;
/// How long the API may be silent, in nanoseconds: it takes up to 65 s for an answer itself, and its proxy up to 75 s. One time for all steps, as
/// some hosts take the limit for connecting for that of the whole answer. Without one, a stock host waits for ten minutes, or for ever.
const SILENCE_NS: u64 = 80_000_000_000;
/// From so many seconds on, an answer that breaks off did so because nothing came.
const LONG_S: u64 = 5;

pub(super) struct Api {
    origin: Rc<Origin>,
    authorization: Option<String>,
}

impl Api {
    /// The API at `origin`; `key` is `uuid:secret`, or nothing when the host authorizes.
    pub(super) fn new(origin: &Origin, key: Option<&str>) -> Self {
        let authorization = key.map(|key| format!("Basic {}", base64(key.as_bytes())));
        Self { origin: Rc::new(origin.clone()), authorization }
    }

    /// Sends a request without waiting for its answer.
    fn dispatch(&self, request: &Request) -> anyhow::Result<FutureIncomingResponse> {
        let refused = |part| move |()| anyhow!("the host does not take the request's {part}");
        let outgoing = OutgoingRequest::new(self.headers(request));
        outgoing
            .set_method(match request.method {
                Method::Get => &HttpMethod::Get,
                Method::Put => &HttpMethod::Put,
            })
            .map_err(refused("method"))?;
        let (scheme, authority, base) = self.origin.parts();
        let scheme = if scheme == "http" { Scheme::Http } else { Scheme::Https };
        outgoing.set_scheme(Some(&scheme)).map_err(refused("scheme"))?;
        outgoing.set_authority(Some(authority)).map_err(refused("host"))?;
        let path = format!("{base}{}", request.target);
        outgoing.set_path_with_query(Some(&path)).map_err(refused("path"))?;
        let body = outgoing.body().map_err(refused("body"))?;
        let answer = outgoing_handler::handle(outgoing, Some(options()))?;
        // A body that cannot be written is one that the other side does not want any more: its answer says why.
        if write(&body, &request.body).is_ok() {
            OutgoingBody::finish(body, None)?;
        }
        Ok(answer)
    }

    fn headers(&self, request: &Request) -> Fields {
        let length = request.body.len().to_string();
        // What the other end compresses for us costs more time than it saves, as it is read at once.
        let mut headers = vec![("accept", "application/json"), ("accept-encoding", "identity")];
        headers.extend(self.authorization.as_deref().map(|value| ("authorization", value)));
        if !request.body.is_empty() {
            headers.extend([("content-type", "application/json"), ("content-length", &length)]);
        }
        let fields = Fields::new();
        for (name, value) in headers {
            // All of them are sound, and the host lets none of them be set that it sets itself.
            fields.append(&name.to_owned(), &value.as_bytes().to_vec()).ok();
        }
        fields
    }
}

impl Http for Api {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        self.begin(request).wait()
    }

    fn begin(&self, request: &Request) -> Pending {
        let (origin, begun) = (self.origin.clone(), self.dispatch(request));
        Pending::new(move || answer(origin, begun))
    }
}

fn answer(origin: Rc<Origin>, begun: anyhow::Result<FutureIncomingResponse>) -> Result<Response, Failure> {
    let response = begun.and_then(wait).map_err(|error| {
        let (reason, retryable) = error.downcast_ref().map_or_else(|| (format!("{error:#}"), true), reason);
        Failure { message: format!("the API at {origin} could not be asked: {reason}"), retryable }
    })?;
    let unreadable = |error: anyhow::Error| {
        Failure::passing(format!("the API at {origin} sent headers that cannot be read: {error:#}"))
    };
    let response = waki::Response::try_from(response).map_err(unreadable)?;
    let retry_after = response.header(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let status = response.status_code();
    Ok(Response { status, retry_after, body: Box::new(Answer::new(origin, response)) })
}

fn options() -> RequestOptions {
    let options = RequestOptions::new();
    // A host that does not know one of them has a limit of its own.
    options.set_connect_timeout(Some(SILENCE_NS)).ok();
    options.set_first_byte_timeout(Some(SILENCE_NS)).ok();
    options.set_between_bytes_timeout(Some(SILENCE_NS)).ok();
    options
}

fn write(body: &OutgoingBody, bytes: &[u8]) -> Result<(), StreamError> {
    let Ok(stream) = body.write() else { return Ok(()) };
    bytes.chunks(WRITE).try_for_each(|piece| stream.blocking_write_and_flush(piece))
}

fn wait(answer: FutureIncomingResponse) -> anyhow::Result<IncomingResponse> {
    answer.subscribe().block();
    match answer.get() {
        Some(Ok(response)) => Ok(response?),
        // It is ready, and was not taken before.
        None | Some(Err(())) => Err(anyhow!("the host has lost the answer")),
    }
}

struct Answer {
    origin: Rc<Origin>,
    /// Nothing after its end.
    response: Option<waki::Response>,
    /// How many have come so far.
    bytes: usize,
}

impl Answer {
    fn new(origin: Rc<Origin>, response: waki::Response) -> Self {
        Self { origin, response: Some(response), bytes: 0 }
    }

    /// `waki` keeps no more of the host's error than a number, so it is said what can be seen from here: where, and whether in silence.
    fn broken_off(&self, silence_ns: u64) -> Failure {
        let (origin, bytes) = (&self.origin, self.bytes);
        let cause = match silence_ns / 1_000_000_000 {
            0..LONG_S => format!("it ended after {bytes} bytes"),
            seconds => format!("nothing came for {seconds} s after {bytes} bytes"),
        };
        Failure::passing(format!("the API at {origin} broke off in the middle of an answer: {cause}"))
    }
}

impl Body for Answer {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let Some(response) = &self.response else { return Ok(None) };
        let began = monotonic_clock::now();
        match response.chunk(CHUNK) {
            Ok(Some(bytes)) => {
                self.bytes += bytes.len();
                Ok(Some(bytes))
            }
            end => {
                self.response = None;
                end.map_err(|_| self.broken_off(monotonic_clock::now().saturating_sub(began)))
            }
        }
    }
}

/// What an error code of `wasi:http` means for a person, and whether trying again may help.
fn reason(code: &ErrorCode) -> (String, bool) {
    let (reason, retryable) = match code {
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            ("its name is not known; is `api.host` right?", true)
        }
        ErrorCode::ConnectionRefused => {
            ("it refuses the connection; is `api.host` right, and does the API run?", true)
        }
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => (
            "it closed the connection before it answered; does the port speak HTTP, and is it https:// or http://?",
            true,
        ),
        ErrorCode::HttpProtocolError => ("its answer is not HTTP; is the port of `api.host` right?", true),
        ErrorCode::ConnectionTimeout | ErrorCode::DnsTimeout => ("it does not answer the connection", true),
        ErrorCode::TlsCertificateError => {
            ("its TLS certificate is not trusted: put the certificate of its CA into `api.ca`", false)
        }
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => (
            "the TLS handshake failed; does the port speak TLS, and does the host trust its certificate?",
            false,
        ),
        ErrorCode::HttpRequestDenied => {
            ("the host does not allow it; it allows the API's own origin only", false)
        }
        ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
            ("its answer did not come in time", true)
        }
        ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::DestinationIpProhibited => {
            ("its address cannot be reached from here; is `api.host` right?", true)
        }
        ErrorCode::HttpRequestUriInvalid => {
            ("its address is not one that can be asked; is `api.host` right?", false)
        }
        // Our own host's way to say why TLS or a proxy failed, and whether that may pass.
        ErrorCode::InternalError(Some(text)) => {
            let passing = text.strip_prefix("passing: ");
            return (passing.unwrap_or(text).to_owned(), passing.is_some());
        }
        other => return (format!("the host says {other:?}"), true),
    };
    (reason.into(), retryable)
}

/// Base64 as in RFC 4648 4: only for the `Authorization` header, where the host does not add it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32| DIGITS.get((bits & 63) as usize).map_or('=', |digit| char::from(*digit));
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().chain([0; 2].iter()).take(3).fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        let digits = [18, 12, 6, 0].map(|shift| digit(bits >> shift));
        text.extend(digits.iter().take(chunk.len() + 1));
        text.extend(std::iter::repeat_n('=', 3 - chunk.len()));
    }
    text
}
