//! The API port over `waki`, a client for `wasi:http`. Connections, TLS and limits on time are the host's.

use crate::config::Origin;
use crate::ports::{Body, Failure, Http, Method, Request, Response};
use waki::{Client, ErrorCode};

/// Bytes read at once.
const CHUNK: u64 = 64 << 10;

pub(super) struct Api {
    origin: String,
    authorization: Option<String>,
}

impl Api {
    /// The API at `origin`; `key` is `uuid:secret`, or nothing when the host authorizes.
    pub(super) fn new(origin: &Origin, key: Option<&str>) -> Self {
        let authorization = key.map(|key| format!("Basic {}", base64(key.as_bytes())));
        Self { origin: origin.to_string(), authorization }
    }

    fn failure(&self, error: &anyhow::Error) -> Failure {
        let origin = &self.origin;
        let Some(code) = error.downcast_ref::<ErrorCode>() else {
            return Failure::passing(format!("the API at {origin} could not be asked: {error:#}"));
        };
        let (reason, retryable) = reason(code);
        let message = format!("the API at {origin} could not be asked: {reason}");
        Failure { message, retryable }
    }
}

impl Http for Api {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        let url = format!("{}{}", self.origin, request.target);
        let client = Client::new();
        let builder = match request.method {
            Method::Get => client.get(&url),
            Method::Put => client.put(&url),
        };
        let mut headers = vec![("accept", "application/json")];
        headers.extend(self.authorization.as_deref().map(|value| ("authorization", value)));
        if !request.body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        let response = builder
            .headers(headers)
            .body(request.body.clone())
            .send()
            .map_err(|error| self.failure(&error))?;
        let status = response.status_code();
        Ok(Response { status, body: Box::new(Stream { response, origin: self.origin.clone() }) })
    }
}

struct Stream {
    response: waki::Response,
    origin: String,
}

impl Body for Stream {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        self.response.chunk(CHUNK).map_err(|_| {
            Failure::passing(format!("the API at {} broke off in the middle of an answer", self.origin))
        })
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
        // Our own host's way to say why TLS failed.
        ErrorCode::InternalError(Some(text)) => return (text.clone(), false),
        other => return (format!("{other:?}"), true),
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
