//! `transport` of the WIT world, over tokio's sockets and rustls.

use std::io;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

use crate::host::bindings::whiskjack::forwarder::transport::{TransportError, TransportStep as Step};
use crate::params::Reach;

/// Bytes kept that nobody has read yet; the receiver waits then.
const KEPT: usize = 64 * 1024;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection to a receiver.
#[allow(unreachable_pub, missing_debug_implementations, reason = "the generated bindings name it again")]
pub struct Connection {
    stream: Box<dyn Stream>,
    peer: String,
    received: Vec<u8>,
    ended: bool,
}

impl Connection {
    pub(crate) async fn open(
        reach: &Reach,
        host: &str,
        port: u16,
        timeout_ms: u64,
    ) -> Result<Self, TransportError> {
        let peer = format!("{host}:{port}");
        if !reach.receivers.contains(&(host.to_ascii_lowercase(), port)) {
            let why =
                "is not allowed; name it in `logstash.host` and `logstash.port`, or in `logstash.hosts`";
            return Err(fault(&peer, Step::Permit, false, why));
        }
        let opened = timeout(Duration::from_millis(timeout_ms), connect(reach, host, port, &peer)).await;
        let stream =
            opened.unwrap_or_else(|_| Err(fault(&peer, Step::Timeout, true, "did not answer in time")))?;
        Ok(Self { stream, peer, received: Vec::new(), ended: false })
    }

    /// Writes all, reading what comes meanwhile: a receiver that cannot get rid of its acknowledgements stops reading.
    pub(crate) async fn write(&mut self, bytes: &[u8], timeout_ms: u64) -> Result<(), TransportError> {
        let Self { stream, peer, received, ended } = self;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let write = async {
            writer.write_all(bytes).await?;
            writer.flush().await
        };
        let late = sleep(Duration::from_millis(timeout_ms));
        tokio::pin!(write, late);
        loop {
            tokio::select! {
                written = &mut write => return written.map_err(|error| broken(peer, Step::Write, &error)),
                read = reader.read_buf(received), if !*ended && received.len() < KEPT => {
                    *ended = read.map_err(|error| broken(peer, Step::Read, &error))? == 0;
                }
                () = &mut late => return Err(fault(peer, Step::Timeout, true, "did not take the bytes in time")),
            }
        }
    }

    /// Empty: the receiver has closed its side.
    pub(crate) async fn read(&mut self, max_bytes: u32, timeout_ms: u64) -> Result<Vec<u8>, TransportError> {
        if self.received.is_empty() && !self.ended {
            // With no time at all, what has come already still counts.
            let limit = Duration::from_millis(timeout_ms.max(1));
            let read = timeout(limit, self.stream.read_buf(&mut self.received)).await;
            let read =
                read.map_err(|_| fault(&self.peer, Step::Timeout, true, "sent nothing in the time given"))?;
            self.ended = read.map_err(|error| broken(&self.peer, Step::Read, &error))? == 0;
        }
        let most = self.received.len().min(max_bytes as usize);
        Ok(self.received.drain(..most).collect())
    }
}

impl Drop for Connection {
    /// Says goodbye and closes; the socket has room for so little.
    fn drop(&mut self) {
        let mut nobody = Context::from_waker(Waker::noop());
        let _ = Pin::new(&mut self.stream).poll_shutdown(&mut nobody);
    }
}

async fn connect(
    reach: &Reach,
    host: &str,
    port: u16,
    peer: &str,
) -> Result<Box<dyn Stream>, TransportError> {
    let addresses = lookup_host((host, port)).await;
    let addresses: Vec<_> = addresses.map_err(|error| fault(peer, Step::Resolve, true, error))?.collect();
    let socket =
        TcpStream::connect(&addresses[..]).await.map_err(|error| fault(peer, Step::Connect, true, error))?;
    socket.set_nodelay(true).map_err(|error| fault(peer, Step::Connect, true, error))?;
    let Some(config) = &reach.tls else { return Ok(Box::new(socket)) };
    let name =
        ServerName::try_from(reach.server_name.as_deref().unwrap_or(host).to_owned()).map_err(|_| {
            fault(peer, Step::Handshake, false, "is not a name for a certificate; set `logstash.servername`")
        })?;
    let secured = TlsConnector::from(config.clone()).connect(name, socket).await;
    Ok(Box::new(secured.map_err(|error| broken(peer, Step::Handshake, &error))?))
}

/// rustls reports what TLS did not like as invalid data; that will be no better next time.
fn broken(peer: &str, step: Step, error: &io::Error) -> TransportError {
    if error.kind() == io::ErrorKind::InvalidData {
        let remedy = "see `logstash.ca`, `logstash.servername` and `logstash.cert`";
        return fault(peer, Step::Handshake, false, format!("TLS failed: {error}; {remedy}"));
    }
    fault(peer, step, true, error)
}

fn fault(peer: &str, step: Step, retryable: bool, what: impl std::fmt::Display) -> TransportError {
    TransportError { step, retryable, message: format!("{peer}: {what}") }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "this is how a test fails")]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn a_port_that_the_configuration_does_not_name_is_refused() {
        let logstash = json!({"hosts": ["one:5044", "[::1]"], "tls": false, "ca": ""});
        let mut params = json!({ "logstash": logstash });
        let reach = Reach::take(&mut params).ok().filter(|reach| reach.tls.is_none());
        let reach = reach.expect("sound parameters");
        assert_eq!(reach.receivers, [("one".to_owned(), 5044), ("::1".to_owned(), 5044)]);
        assert_eq!(params["logstash"].get("ca"), None);
        let refused = Connection::open(&reach, "one", 22, 1000).await.err();
        let refused = refused.expect("it is not allowed");
        assert!(refused.step == Step::Permit && !refused.retryable);
        assert!(refused.message.contains("one:22") && refused.message.contains("`logstash.port`"));
    }
}
