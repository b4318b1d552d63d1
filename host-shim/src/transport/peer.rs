//! The other side of a connection: its name, and the meaning of its end.

use std::io;

use bytes::BytesMut;

use super::interface::{TransportError, TransportStep};
use crate::net::proxy::Step;
use crate::net::{self, DialError};
use crate::tls::sentence::{self, Client, ClientCertificate};

/// First byte of a TLS record that holds an alert. No frame of Lumberjack begins with it.
const TLS_ALERT: u8 = 0x15;

/// A receiver that we are connected to.
#[derive(Debug)]
pub(super) struct Peer {
    name: String,
    /// Who we are under TLS; none in the clear.
    tls: Option<Client>,
    /// Whether it has sent a byte. One that leaves without a word has another reason than one that leaves in the middle.
    heard: bool,
}

/// Why nothing more can be read.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    ClosedByPeer,
    Failed(TransportError),
}

impl Peer {
    pub(super) fn new(name: String, tls: Option<Client>) -> Self {
        Self { name, tls, heard: false }
    }

    /// What a read that added to `received` tells: none if the connection goes on.
    pub(super) fn after_read(&mut self, read: io::Result<usize>, received: &mut BytesMut) -> Option<Ended> {
        match read {
            Ok(0) => Some(self.closed()),
            Ok(_) if !self.heard && self.tls.is_none() && received.first() == Some(&TLS_ALERT) => {
                received.clear();
                Some(Ended::Failed(self.fault(
                    TransportStep::Handshake,
                    false,
                    "it answered in TLS: this port wants it; take `logstash.tls` out of the configuration",
                )))
            }
            Ok(_) => {
                self.heard = true;
                None
            }
            // Closed without a TLS goodbye. Acknowledgements are complete or not, so nothing can be forged by cutting them off.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Some(self.closed()),
            Err(error) => Some(Ended::Failed(self.io_fault(TransportStep::Read, &error))),
        }
    }

    pub(super) fn io_fault(&self, step: TransportStep, error: &io::Error) -> TransportError {
        let client = self.tls.unwrap_or(Client::Receivers(ClientCertificate::NotAsked));
        match sentence::tls_error(error) {
            Some(rustls::Error::AlertReceived(alert)) if sentence::is_about_client_certificate(*alert) => {
                let said = client.of_tls(&rustls::Error::AlertReceived(*alert));
                self.fault(TransportStep::Handshake, said.retryable, &said.sentence)
            }
            Some(error) => {
                let said = client.of_tls(error);
                self.fault(step, said.retryable, &said.sentence)
            }
            None if self.heard => self.fault(
                step,
                true,
                &format!(
                    "broke the connection ({}); see the receiver's log if this repeats",
                    net::plain(error)
                ),
            ),
            None => self.fault(
                step,
                true,
                &format!(
                    "broke the connection ({}) before it answered; {}",
                    net::plain(error),
                    self.silence()
                ),
            ),
        }
    }

    pub(super) fn fault(&self, step: TransportStep, retryable: bool, what: &str) -> TransportError {
        fault(&self.name, step, retryable, what)
    }

    fn closed(&self) -> Ended {
        if self.heard {
            return Ended::ClosedByPeer;
        }
        Ended::Failed(self.fault(
            TransportStep::Read,
            true,
            &format!("closed the connection before it answered; {}", self.silence()),
        ))
    }

    /// What may be behind it when a receiver leaves without a word.
    fn silence(&self) -> &'static str {
        match self.tls {
            None => {
                "if the port wants TLS, take `logstash.tls` out of the configuration; else check that it speaks Lumberjack (Beats), and \
                 see the receiver's log"
            }
            Some(Client::Receivers(ClientCertificate::Missing)) => {
                "in the TLS handshake it asked for a client certificate and got none: put one and its key in `logstash.cert` and \
                 `logstash.key`; else see the receiver's log"
            }
            Some(Client::Receivers(ClientCertificate::Shown)) => {
                "the TLS handshake went well, but it may not accept the client certificate in `logstash.cert`: see the receiver's log"
            }
            Some(_) => {
                "the TLS handshake went well, and it asked for no client certificate: check that the port speaks Lumberjack (Beats), and \
                 see the receiver's log"
            }
        }
    }
}

/// A handshake that failed; without an error, because time was up.
pub(super) fn handshake_fault(peer: &str, client: Client, error: Option<io::Error>) -> TransportError {
    match error.map(|error| client.handshake(&error)) {
        Some(said) => fault(peer, TransportStep::Handshake, said.retryable, &said.sentence),
        None => fault(
            peer,
            TransportStep::Timeout,
            true,
            "accepted the connection but left the TLS handshake unanswered; check that the port expects TLS, or set `logstash.tls` to \
             false if it is meant to be plain",
        ),
    }
}

/// A name that could not be resolved, or addresses that could not be reached.
pub(super) fn dial_fault(peer: &str, error: &DialError) -> TransportError {
    let (step, remedy) = match error {
        DialError::Proxy(error) => {
            let step = match error.step {
                Step::Resolve => TransportStep::Resolve,
                Step::Connect => TransportStep::Connect,
                Step::Timeout => TransportStep::Timeout,
            };
            return fault(peer, step, error.retryable, &error.to_string());
        }
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

pub(super) fn fault(peer: &str, step: TransportStep, retryable: bool, what: &str) -> TransportError {
    TransportError { step, retryable, message: format!("{peer}: {}: {what}", step_name(step)) }
}

fn step_name(step: TransportStep) -> &'static str {
    match step {
        TransportStep::Permit => "not permitted",
        TransportStep::Resolve => "name not resolved",
        TransportStep::Connect => "not connected",
        TransportStep::Handshake => "no TLS",
        TransportStep::Write => "not sent",
        TransportStep::Read => "no answer",
        TransportStep::Timeout => "timed out",
    }
}
