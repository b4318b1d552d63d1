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

use crate::net::{self, DialError, Stream};
use crate::origin::Origin;
use crate::tls::{self, Settings, Trust};

/// Time for name, socket and TLS handshake together.
const CONNECT: Duration = Duration::from_secs(10);

/// Opens plain and TLS connections.
#[derive(Clone)]
pub(super) struct Connector(Arc<ClientConfig>);

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
    pub(super) fn new(trust: &Trust) -> Result<Self, rustls::Error> {
        tls::client_config(Settings::trusting(trust.clone())).map(|(config, _)| Self(config))
    }

    async fn connect(self, uri: http::Uri) -> Result<TokioIo<ApiStream>, ConnectError> {
        let origin = Origin::of_uri(&uri).ok_or(ConnectError::Address)?;
        let deadline = Instant::now() + CONNECT;
        let socket = net::dial(origin.host(), origin.port(), deadline).await.map_err(ConnectError::Dial)?;
        if !origin.is_secure() {
            return Ok(TokioIo::new(ApiStream(Stream::Plain(socket))));
        }
        let name = ServerName::try_from(origin.host().to_owned()).map_err(|_| ConnectError::Address)?;
        match timeout_at(deadline, TlsConnector::from(self.0).connect(name, socket)).await {
            Ok(Ok(stream)) => Ok(TokioIo::new(ApiStream(Stream::Tls(Box::new(stream))))),
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
pub(super) struct ApiStream(Stream);

impl Connection for ApiStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for ApiStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ApiStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
