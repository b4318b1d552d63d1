//! Errors of requests as `wasi:http` error codes: the component's retries depend on the exact code.

use std::error::Error as StdError;
use std::io;

use wasmtime_wasi_http::Error;

use super::connector::ConnectError;
use crate::net::DialError;
use crate::net::proxy::ProxyFault;
use crate::tls::sentence::{Client, tls_error};

/// The code for a request that got no response.
pub(super) fn of_request(error: &hyper_util::client::legacy::Error) -> Error {
    of_chain(error)
}

/// The code for a response whose body broke off.
pub(super) fn of_body(error: &hyper::Error) -> Error {
    match of_chain(error) {
        // Half an answer; the same request may well succeed.
        Error::ConnectionTerminated => Error::HttpResponseIncomplete,
        other => other,
    }
}

/// The most telling error of the chain wins: it is nearest to the socket.
fn of_chain(error: &(dyn StdError + 'static)) -> Error {
    let mut code = Error::HttpProtocolError;
    let mut link = Some(error);
    while let Some(error) = link {
        if let Some(error) = error.downcast_ref::<ConnectError>() {
            return of_connect(error);
        }
        // An error that the component's own request body ended with.
        if let Some(Error::HttpRequestBodySize(size)) = error.downcast_ref::<Error>() {
            return Error::HttpRequestBodySize(*size);
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            code = of_hyper(error).unwrap_or(code);
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            code = of_io(error);
        }
        link = error.source();
    }
    code
}

fn of_hyper(error: &hyper::Error) -> Option<Error> {
    if error.is_timeout() {
        Some(Error::HttpResponseTimeout)
    } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        Some(Error::ConnectionTerminated)
    } else if error.is_parse_too_large() {
        Some(Error::HttpResponseHeaderSectionSize(None))
    } else {
        None
    }
}

fn of_connect(error: &ConnectError) -> Error {
    match error {
        ConnectError::Address => Error::HttpRequestUriInvalid,
        ConnectError::HandshakeTimeout => Error::ConnectionTimeout,
        ConnectError::Tls(error) => of_tls(error),
        ConnectError::Dial(DialError::Proxy(fault)) => of_proxy(fault),
        ConnectError::Dial(DialError::Timeout { .. }) => Error::ConnectionTimeout,
        ConnectError::Dial(DialError::Resolve { cause, .. }) => {
            Error::DnsError { rcode: Some(cause.clone()), info_code: None }
        }
        ConnectError::Dial(DialError::Connect { kind, .. }) => match kind {
            io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                Error::DestinationIpUnroutable
            }
            io::ErrorKind::TimedOut => Error::ConnectionTimeout,
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Error::ConnectionTerminated,
            _ => Error::DestinationUnavailable,
        },
    }
}

/// Begins the sentence of an error that may pass: `wasi:http` has no code for what happens at a proxy that could say why. The component
/// takes it off again (`src/component/http.rs`).
pub(super) const PASSING: &str = "passing: ";

pub(super) fn of_proxy(fault: &ProxyFault) -> Error {
    let passing = if fault.retryable { PASSING } else { "" };
    Error::InternalError(Some(format!("{passing}{fault}")))
}

/// `wasi:http` has a code for a certificate that is not trusted, but none says why, and what to do. Words can only go along with this one.
fn of_tls(error: &io::Error) -> Error {
    let said = Client::Apis.handshake(error);
    if said.retryable { Error::ConnectionTerminated } else { Error::InternalError(Some(said.sentence)) }
}

fn of_io(error: &io::Error) -> Error {
    match error.kind() {
        _ if tls_error(error).is_some() => of_tls(error),
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        _ => Error::ConnectionTerminated,
    }
}
