//! `transport` of the WIT world: a byte stream to the configured receiver, and to nobody else.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use crate::component::{TransportError, TransportStep};
use crate::net::{self, DialError, Stream, instant_in};
use crate::params::{Receiver, Security};
use crate::tls::sentence;

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
#[allow(unreachable_pub, reason = "the generated bindings name it again")]
pub struct Connection {
    stream: Stream,
    peer: String,
    received: BytesMut,
    ended: Option<Ended>,
}

/// Why nothing more can be read.
#[derive(Clone, Debug)]
enum Ended {
    ClosedByPeer,
    Failed(TransportError),
}

impl Connection {
    /// Connects to `host:port` if that is `permitted`, TLS handshake included, within `timeout_ms`.
    pub(crate) async fn open(
        permitted: Option<&Receiver>,
        security: &Security,
        host: &str,
        port: u16,
        timeout_ms: u64,
    ) -> Result<Self, TransportError> {
        let Some(receiver) = permitted.filter(|receiver| receiver.permits(host, port)) else {
            return Err(fault(
                &net::authority(host, port),
                TransportStep::Permit,
                false,
                "is not the configured receiver; name it in `logstash.host` and `logstash.port`",
            ));
        };
        let host = receiver.host();
        let peer = net::authority(host, port);
        let deadline = instant_in(timeout_ms);
        let socket = net::dial(host, port, deadline).await.map_err(|error| dial_fault(&peer, error))?;
        let stream = match security {
            Security::Plain => Stream::Plain(socket),
            Security::Tls { config, server_name } => {
                let handshake = deadline.min(Instant::now() + HANDSHAKE);
                secured(socket, config.clone(), server_name.clone(), host, &peer, handshake).await?
            }
        };
        Ok(Self { stream, peer, received: BytesMut::new(), ended: None })
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
                    *ended = after_read(peer, read);
                    if let Some(Ended::Failed(error)) = ended {
                        return Err(error.clone());
                    }
                }
                () = &mut time_is_up => break None,
            }
        };
        let error = match failure {
            None => fault(
                peer,
                TransportStep::Timeout,
                true,
                "did not take the bytes in time; it is overloaded or stuck",
            ),
            Some(error) => {
                // The alert that explains a broken connection may wait to be read.
                while ended.is_none() && received.len() < 2 * KEPT {
                    match tokio::time::timeout(REASON, reader.read_buf(received)).await {
                        Ok(read) => *ended = after_read(peer, read),
                        Err(_) => break,
                    }
                }
                match ended {
                    Some(Ended::Failed(reason)) if reason.step == TransportStep::Handshake => reason.clone(),
                    _ => io_fault(peer, TransportStep::Write, &error),
                }
            }
        };
        // Part of a frame may be out: nothing sensible can follow it.
        *ended = Some(Ended::Failed(error.clone()));
        Err(error)
    }

    /// Reads at least one byte and at most `max_bytes`, within `timeout_ms`. Empty: the peer has closed its side.
    pub(crate) async fn read(&mut self, max_bytes: u32, timeout_ms: u64) -> Result<Vec<u8>, TransportError> {
        let max = usize::try_from(max_bytes).unwrap_or(CHUNK).clamp(1, CHUNK);
        if self.received.is_empty() && self.ended.is_none() {
            // At least a millisecond, so that even an impatient caller learns what the socket already knows.
            let deadline = instant_in(timeout_ms.max(1));
            match timeout_at(deadline, self.stream.read_buf(&mut self.received)).await {
                Ok(read) => self.ended = after_read(&self.peer, read),
                Err(_) => {
                    return Err(fault(
                        &self.peer,
                        TransportStep::Timeout,
                        true,
                        "sent nothing in the time given",
                    ));
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
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stream.send_close_notify();
    }
}

/// The TLS handshake, until `deadline` at the latest.
async fn secured(
    socket: TcpStream,
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
    host: &str,
    peer: &str,
    deadline: Instant,
) -> Result<Stream, TransportError> {
    let Some(name) = server_name.or_else(|| ServerName::try_from(host.to_owned()).ok()) else {
        return Err(fault(
            peer,
            TransportStep::Handshake,
            false,
            "the host is no name that a certificate can hold; set `logstash.servername`",
        ));
    };
    match timeout_at(deadline, TlsConnector::from(config).connect(name, socket)).await {
        Ok(Ok(stream)) => Ok(Stream::Tls(Box::new(stream))),
        Ok(Err(error)) => {
            let said = sentence::handshake(&error, "logstash");
            Err(fault(peer, TransportStep::Handshake, said.retryable, &said.sentence))
        }
        Err(_) => Err(fault(
            peer,
            TransportStep::Timeout,
            true,
            "accepted the connection but left the TLS handshake unanswered; check that the port expects TLS",
        )),
    }
}

fn after_read(peer: &str, read: io::Result<usize>) -> Option<Ended> {
    match read {
        Ok(0) => Some(Ended::ClosedByPeer),
        Ok(_) => None,
        // Closed without a TLS goodbye. Acknowledgements are complete or not, so nothing can be forged by cutting them off.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Some(Ended::ClosedByPeer),
        Err(error) => Some(Ended::Failed(io_fault(peer, TransportStep::Read, &error))),
    }
}

fn io_fault(peer: &str, step: TransportStep, error: &io::Error) -> TransportError {
    match sentence::tls_error(error) {
        Some(rustls::Error::AlertReceived(alert)) if sentence::is_about_client_certificate(*alert) => {
            let said = sentence::of_tls(&rustls::Error::AlertReceived(*alert), "logstash");
            fault(peer, TransportStep::Handshake, said.retryable, &said.sentence)
        }
        Some(error) => {
            let said = sentence::of_tls(error, "logstash");
            fault(peer, step, said.retryable, &said.sentence)
        }
        None => fault(
            peer,
            step,
            true,
            &format!("broke the connection ({}); see the receiver's log if this repeats", net::plain(error)),
        ),
    }
}

fn dial_fault(peer: &str, error: DialError) -> TransportError {
    let (step, remedy) = match &error {
        DialError::Resolve { .. } => (TransportStep::Resolve, "check `logstash.host` and the name server"),
        DialError::Connect { .. } => (
            TransportStep::Connect,
            "check that the receiver runs and that a firewall lets this host through",
        ),
        DialError::Timeout { .. } => {
            (TransportStep::Timeout, "check `logstash.host`, `logstash.port` and the firewalls between")
        }
    };
    fault(peer, step, true, &format!("{error}; {remedy}"))
}

fn fault(peer: &str, step: TransportStep, retryable: bool, what: &str) -> TransportError {
    TransportError { step, retryable, message: format!("{peer}: {}: {what}", step_name(step)) }
}

fn step_name(step: TransportStep) -> &'static str {
    match step {
        TransportStep::Permit => "not permitted",
        TransportStep::Resolve => "name not resolved",
        TransportStep::Connect => "not connected",
        TransportStep::Handshake => "no TLS",
        TransportStep::Write => "not written",
        TransportStep::Read => "not read",
        TransportStep::Timeout => "timed out",
    }
}

#[cfg(test)]
mod tests;
