//! From a proxy to a connection through it.

use std::convert::Infallible;
use std::future::pending;

use bytes::Bytes;
use http::header::{HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION};
use http::{Method, Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_socks::tcp::Socks5Stream;

use super::fault::Asked;
use super::greeting::SILENCE;
use super::{Kind, Names, Proxy, ProxyFault};
use crate::net::dial::{Resolver, SystemResolver};
use crate::net::{DialError, authority, dial, plain};

/// Opens a connection to `host` through the proxy, by `deadline` at the latest.
pub(crate) async fn through(
    proxy: &Proxy,
    host: &str,
    port: u16,
    deadline: Instant,
) -> Result<TcpStream, ProxyFault> {
    let target = authority(host, port);
    let asked = Asked { proxy, target: &target };
    if proxy.names() == Names::There || host.parse::<std::net::IpAddr>().is_ok() {
        return tunnel(&asked, host, port, deadline).await;
    }
    let addresses = match timeout_at(deadline, SystemResolver.addresses(host, port)).await {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(error)) => return Err(asked.unresolved(&plain(&error))),
        Err(_) => return Err(asked.unresolved("the name server did not answer in time")),
    };
    let mut last = asked.unresolved("it has no address");
    for address in addresses {
        let target = address.to_string();
        match tunnel(&Asked { proxy, target: &target }, &address.ip().to_string(), port, deadline).await {
            Err(fault) if fault.of_target => last = fault,
            done => return done,
        }
    }
    Err(last)
}

impl Proxy {
    pub(super) fn names(&self) -> Names {
        match self.kind {
            Kind::Http(names) | Kind::Socks(names) => names,
        }
    }

    /// A connection to the proxy itself.
    pub(crate) async fn dial(&self, target: &str, deadline: Instant) -> Result<TcpStream, ProxyFault> {
        let asked = Asked { proxy: self, target };
        dial(&self.host, self.port, deadline).await.map_err(|error| asked.unreachable(&error))
    }

    /// What an answer to a request that it took whole means, if it is its own: OpenWhisk's are JSON, also where it refuses.
    pub(crate) fn says_itself(
        &self,
        target: &str,
        status: http::StatusCode,
        response: &http::HeaderMap,
    ) -> Option<ProxyFault> {
        let form = response.get(http::header::CONTENT_TYPE).map_or(&b""[..], http::HeaderValue::as_bytes);
        let refuses = matches!(status.as_u16(), 401 | 403 | 500 | 502..=504);
        let is_own = status == http::StatusCode::PROXY_AUTHENTICATION_REQUIRED
            || refuses && !form.starts_with(b"application/json");
        is_own.then(|| Asked { proxy: self, target }.status(status, &offered(response)))
    }
}

async fn tunnel(
    asked: &Asked<'_>,
    host: &str,
    port: u16,
    deadline: Instant,
) -> Result<TcpStream, ProxyFault> {
    let socket = asked.proxy.dial(asked.target, deadline).await?;
    let opened = async {
        match asked.proxy.kind {
            Kind::Http(_) => connect(asked, socket, &authority(host, port)).await,
            Kind::Socks(_) => socks(asked, socket, host, port).await,
        }
    };
    let opened = async { timeout_at(deadline, opened).await.unwrap_or_else(|_| Err(asked.silent())) };
    let mistaken = || asked.proxy.mistaken(asked.target);
    // An HTTP proxy waits for the rest of what SOCKS begins with, and never answers.
    let silent = async {
        sleep(SILENCE).await;
        match mistaken().await {
            Some(fault) => fault,
            None => pending().await,
        }
    };
    tokio::select! {
        opened = opened => match opened {
            Err(fault) if fault.foreign => Err(mistaken().await.unwrap_or(fault)),
            opened => opened,
        },
        fault = silent => Err(fault),
    }
}

async fn socks(asked: &Asked<'_>, socket: TcpStream, host: &str, port: u16) -> Result<TcpStream, ProxyFault> {
    let target = (host, port);
    let opened = match &asked.proxy.user {
        None => Socks5Stream::connect_with_socket(socket, target).await,
        Some(user) => {
            let password = user.password.expose();
            Socks5Stream::connect_with_password_and_socket(socket, target, &user.name, password).await
        }
    };
    opened.map(Socks5Stream::into_inner).map_err(|error| asked.socks(&error))
}

/// CONNECT (RFC 9110, section 9.3.6).
async fn connect(asked: &Asked<'_>, socket: TcpStream, target: &str) -> Result<TcpStream, ProxyFault> {
    let mut request = Request::builder().method(Method::CONNECT).uri(target).header(HOST, target);
    if let Some(authorization) = asked.proxy.authorization() {
        request = request.header(PROXY_AUTHORIZATION, authorization);
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(|_| asked.stranger())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(socket)).await.map_err(|error| broken(asked, &error))?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|error| broken(asked, &error))?;
        opened(asked, response).await
    };
    let connection = async {
        // What went wrong with it is the answer's error, too.
        connection.with_upgrades().await.ok();
        pending::<Infallible>().await
    };
    tokio::select! {
        answer = answer => answer,
        never = connection => match never {},
    }
}

async fn opened(asked: &Asked<'_>, response: Response<Incoming>) -> Result<TcpStream, ProxyFault> {
    if !response.status().is_success() {
        return Err(asked.status(response.status(), &offered(response.headers())));
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(|error| broken(asked, &error))?;
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) if parts.read_buf.is_empty() => Ok(parts.io.into_inner()),
        _ => Err(asked.too_early()),
    }
}

/// The ways to log in that a proxy offers.
fn offered(headers: &http::HeaderMap) -> String {
    let all = headers.get_all(PROXY_AUTHENTICATE).iter();
    all.filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",")
}

fn broken(asked: &Asked<'_>, error: &hyper::Error) -> ProxyFault {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    match cause {
        Some(cause) => asked.broke(cause),
        None if error.is_parse() => asked.stranger(),
        None => asked.closed(),
    }
}

impl From<ProxyFault> for DialError {
    fn from(fault: ProxyFault) -> Self {
        Self::Proxy(fault)
    }
}
