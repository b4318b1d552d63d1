//! New connections for the pool.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::Way;
use crate::net::proxy::Proxy;
use crate::net::{self, DialError, Stream};
use crate::origin::Origin;
use crate::tls::{self, Settings};

/// Time for name, socket and TLS handshake together.
const CONNECT: Duration = Duration::from_secs(10);

/// Opens plain and TLS connections, through a proxy if there is one.
#[derive(Clone)]
pub(super) struct Connector {
    config: Arc<ClientConfig>,
    proxy: Option<Proxy>,
}

/// Why no connection came about; found again in the client's error by its type.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("the address has no host")]
    Address,
    #[error(transparent)]
    Dial(DialError),
    #[error("the TLS handshake took too long")]
    HandshakeTimeout,
    #[error("{0}")]
    Tls(#[source] io::Error),
}

impl Connector {
    pub(super) fn new(way: &Way) -> Result<Self, rustls::Error> {
        let (config, _) = tls::client_config(Settings::trusting(way.trust.clone()))?;
        Ok(Self { config, proxy: way.proxy.clone() })
    }

    async fn connect(self, uri: http::Uri) -> Result<TokioIo<ApiStream>, ConnectError> {
        let origin = Origin::of_uri(&uri).ok_or(ConnectError::Address)?;
        let deadline = Instant::now() + CONNECT;
        let (host, port) = (origin.host(), origin.port());
        if let Some(proxy) = self.proxy.as_ref().filter(|proxy| proxy.takes_requests() && !origin.is_secure())
        {
            let socket = proxy.dial(&net::authority(host, port), deadline).await;
            let stream = Stream::Plain(socket.map_err(|fault| ConnectError::Dial(fault.into()))?);
            return Ok(TokioIo::new(ApiStream { stream, is_proxy: true }));
        }
        let socket = net::reach(self.proxy.as_ref(), host, port, deadline).await;
        let socket = socket.map_err(ConnectError::Dial)?;
        if !origin.is_secure() {
            return Ok(TokioIo::new(ApiStream { stream: Stream::Plain(socket), is_proxy: false }));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| ConnectError::Address)?;
        match timeout_at(deadline, TlsConnector::from(self.config).connect(name, socket)).await {
            Ok(Ok(stream)) => {
                let stream = Stream::Tls(Box::new(stream));
                Ok(TokioIo::new(ApiStream { stream, is_proxy: false }))
            }
            Ok(Err(error)) => Err(ConnectError::Tls(error)),
            Err(_) => Err(ConnectError::HandshakeTimeout),
        }
    }
}

impl tower_service::Service<http::Uri> for Connector {
    type Response = TokioIo<ApiStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: http::Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// A stream that the pool can hold.
pub(super) struct ApiStream {
    stream: Stream,
    /// Whether a proxy is at its other end, which must be told the whole URL.
    is_proxy: bool,
}

impl Connection for ApiStream {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.is_proxy)
    }
}

impl AsyncRead for ApiStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ApiStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
