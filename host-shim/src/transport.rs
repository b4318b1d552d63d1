//! `transport` of the WIT world: a byte stream to the configured receivers only.

mod acks;
mod lent;
mod peer;
mod wit;

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use self::interface::{TransportError, TransportStep};
#[allow(unreachable_pub, reason = "the generated bindings name it again")]
pub use self::lent::Lent;
pub(crate) use self::lent::Local;
use self::peer::{Ended, Peer, dial_fault, fault, handshake_fault};
#[allow(unreachable_pub, reason = "the generated bindings name it again")]
pub use self::wit::whiskjack::forwarder::transport as interface;
use crate::net::proxy::Proxy;
use crate::net::{self, Stream, instant_in};
use crate::params::{Receivers, Security};
use crate::tls::Shown;
use crate::tls::sentence::{Client, ClientCertificate};

/// Receivers give up on a silent client after 10 s; it is better to be the one who says why.
const HANDSHAKE: Duration = Duration::from_secs(9);

/// Bytes kept that the receiver sent while we were writing: thousands of acknowledgements.
const KEPT: usize = 64 * 1024;

/// Most bytes handed over by one `read`.
const CHUNK: usize = 64 * 1024;

/// How long to look for the reason after a write has failed: a TLS alert that came before the connection broke.
const REASON: Duration = Duration::from_millis(200);

/// An open connection to a receiver. Dropping it says goodbye on TLS and closes both directions at once.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Stream,
    peer: Peer,
    received: BytesMut,
    ended: Option<Ended>,
}

impl Connection {
    /// Connects to `host:port` if that is `permitted`, through the proxy if there is one, TLS handshake included, within `timeout_ms`.
    pub(crate) async fn open(
        permitted: &Receivers,
        security: &Security,
        proxy: Option<&Proxy>,
        host: &str,
        port: u16,
        timeout_ms: u64,
    ) -> Result<Self, TransportError> {
        let Some(host) = permitted.permits(host, port) else {
            return Err(fault(
                &net::authority(host, port),
                TransportStep::Permit,
                false,
                "is not a configured receiver; name it in `logstash.hosts`, or in `logstash.host` and `logstash.port`",
            ));
        };
        let name = net::authority(host, port);
        let deadline = instant_in(timeout_ms);
        let socket = net::reach(proxy, host, port, deadline).await;
        let socket = socket.map_err(|error| dial_fault(&name, &error))?;
        let (stream, client) = match security {
            Security::Plain => (Stream::Plain(socket), None),
            Security::Tls { config, server_name, shows_certificate, asked } => {
                let Some(checked) =
                    server_name.clone().or_else(|| ServerName::try_from(host.to_owned()).ok())
                else {
                    return Err(fault(
                        &name,
                        TransportStep::Handshake,
                        false,
                        "the host is not a name that a certificate can hold; set `logstash.servername`",
                    ));
                };
                let handshake = deadline.min(Instant::now() + HANDSHAKE);
                let secured = secured(socket, config.clone(), checked, handshake).await;
                let client = Client::Receivers(match (asked.get(), shows_certificate) {
                    (false, _) => ClientCertificate::NotAsked,
                    (true, false) => ClientCertificate::Missing,
                    (true, true) => ClientCertificate::Shown,
                });
                (secured.map_err(|error| handshake_fault(&name, client, error))?, Some(client))
            }
        };
        Ok(Self { stream, peer: Peer::new(name, client), received: BytesMut::new(), ended: None })
    }

    /// The address at the other end, as far as the system tells it.
    pub(crate) fn peer_address(&self) -> Option<std::net::SocketAddr> {
        match &self.stream {
            Stream::Plain(socket) => socket.peer_addr().ok(),
            Stream::Tls(stream) => stream.get_ref().0.peer_addr().ok(),
        }
    }

    /// What the TLS handshake came to; none in the clear.
    pub(crate) fn shown(&self) -> Option<Shown> {
        match &self.stream {
            Stream::Plain(_) => None,
            Stream::Tls(stream) => Some(Shown::of(stream.get_ref().1)),
        }
    }

    /// Writes all bytes within `timeout_ms`, reading what comes meanwhile: a receiver that cannot get rid of its
    /// acknowledgements stops reading.
    pub(crate) async fn write(&mut self, bytes: &[u8], timeout_ms: u64) -> Result<(), TransportError> {
        if let Some(Ended::Failed(error)) = &self.ended {
            return Err(error.clone());
        }
        let Self { stream, received, ended, peer } = self;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let write = async {
            writer.write_all(bytes).await?;
            writer.flush().await
        };
        tokio::pin!(write);
        let time_is_up = tokio::time::sleep_until(instant_in(timeout_ms));
        tokio::pin!(time_is_up);
        let failure = loop {
            tokio::select! {
                biased;
                done = &mut write => match done {
                    Ok(()) => return Ok(()),
                    Err(error) => break Some(error),
                },
                // A peer that has closed its side may still read ours, so only an error ends the write.
                read = reader.read_buf(received), if ended.is_none() && received.len() < KEPT => {
                    *ended = peer.after_read(read, received);
                    if let Some(Ended::Failed(error)) = ended {
                        return Err(error.clone());
                    }
                }
                () = &mut time_is_up => break None,
            }
        };
        let error = match failure {
            None => peer.fault(
                TransportStep::Timeout,
                true,
                "did not take the bytes in time; it is overloaded or stuck",
            ),
            Some(error) => {
                // The alert that explains a broken connection may wait to be read.
                while ended.is_none() && received.len() < 2 * KEPT {
                    match tokio::time::timeout(REASON, reader.read_buf(received)).await {
                        Ok(read) => *ended = peer.after_read(read, received),
                        Err(_) => break,
                    }
                }
                match ended {
                    Some(Ended::Failed(reason)) if reason.step == TransportStep::Handshake => reason.clone(),
                    _ => peer.io_fault(TransportStep::Write, &error),
                }
            }
        };
        // Part of a frame may be out: nothing sensible can follow it.
        *ended = Some(Ended::Failed(error.clone()));
        Err(error)
    }

    /// Reads at least one byte and at most `max_bytes`, within `timeout_ms`; with 0 only what has come already.
    /// Empty: the peer has closed its side.
    pub(crate) async fn read(&mut self, max_bytes: u32, timeout_ms: u64) -> Result<Vec<u8>, TransportError> {
        let max = usize::try_from(max_bytes).unwrap_or(CHUNK).clamp(1, CHUNK);
        if self.received.is_empty() && self.ended.is_none() {
            let read = match timeout_ms {
                0 => self.read_now().await,
                _ => {
                    let read = self.stream.read_buf(&mut self.received);
                    timeout_at(instant_in(timeout_ms), read).await.ok()
                }
            };
            match read {
                Some(read) => self.ended = self.peer.after_read(read, &mut self.received),
                None => {
                    let what = "sent nothing in the time given";
                    return Err(self.peer.fault(TransportStep::Timeout, true, what));
                }
            }
        }
        if !self.received.is_empty() {
            let count = max.min(self.received.len());
            return Ok(self.received.split_to(count).to_vec());
        }
        match &self.ended {
            Some(Ended::Failed(error)) => Err(error.clone()),
            _ => Ok(Vec::new()),
        }
    }

    /// Reads what the socket has, without waiting for more.
    async fn read_now(&mut self) -> Option<io::Result<usize>> {
        let read = self.poll_read_once().await;
        if read.is_some() {
            return read;
        }
        // The runtime may not have looked at the socket since the bytes came. It does before it comes back to us.
        tokio::task::yield_now().await;
        self.poll_read_once().await
    }

    async fn poll_read_once(&mut self) -> Option<io::Result<usize>> {
        let mut read = pin!(self.stream.read_buf(&mut self.received));
        poll_fn(|cx| {
            Poll::Ready(match read.as_mut().poll(cx) {
                Poll::Ready(read) => Some(read),
                Poll::Pending => None,
            })
        })
        .await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stream.send_close_notify();
    }
}

/// The TLS handshake, until `deadline` at the latest; no error means that time is up.
async fn secured(
    socket: TcpStream,
    config: Arc<ClientConfig>,
    checked: ServerName<'static>,
    deadline: Instant,
) -> Result<Stream, Option<io::Error>> {
    match timeout_at(deadline, TlsConnector::from(config).connect(checked, socket)).await {
        Ok(Ok(stream)) => Ok(Stream::Tls(Box::new(stream))),
        Ok(Err(error)) => Err(Some(error)),
        Err(_) => Err(None),
    }
}

#[cfg(test)]
pub(crate) mod tests;
