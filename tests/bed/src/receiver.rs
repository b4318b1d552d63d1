//! Elastic's Lumberjack server, started for one test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::artifacts;
use crate::process::Peer;
use crate::shared::{Shared, Vain};

/// How the receiver listens and misbehaves. The default: plain, both versions, acks at once.
#[derive(Clone, Debug, Default)]
pub struct ReceiverOptions {
    /// TLS; plain TCP when absent.
    pub tls: Option<ReceiverTls>,
    /// Protocol versions that are accepted.
    pub version: ReceiverVersion,
    /// Where to listen; a free port of 127.0.0.1 when absent. For a receiver that comes back where another was.
    pub listen: Option<SocketAddr>,
    /// Time between a window's events and its ack.
    pub ack_delay: Duration,
    /// This many windows, the first ones, are never acknowledged. Their connections stay open, with keep-alives under version 2.
    pub withhold_acks: u64,
    /// This many windows, the first ones, are answered by closing the connection.
    pub close_instead_of_ack: u64,
    /// Whether [`Received::text`] is filled.
    pub text: bool,
}

/// The receiver's side of TLS, as PEM files. See [`Certificates`](crate::Certificates).
#[derive(Clone, Debug)]
pub struct ReceiverTls {
    /// Certificate chain.
    pub certificate: PathBuf,
    /// Private key of the certificate.
    pub key: PathBuf,
    /// CA of the client certificates that are demanded; none is demanded when absent.
    pub client_ca: Option<PathBuf>,
}

/// Protocol versions that the receiver accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReceiverVersion {
    /// Version 1 and version 2: the first byte decides.
    #[default]
    Both,
    /// Version 1 only.
    V1,
    /// Version 2 only.
    V2,
}

/// One event that arrived.
#[derive(Clone, Debug, Deserialize)]
pub struct Received {
    /// The window it came in, counted from 1 over all connections.
    pub window: u64,
    /// Events in that window.
    pub size: u64,
    /// The event.
    pub event: Value,
    /// The event as it was sent, to the byte; empty unless it was asked for, and under version 1 of the protocol.
    #[serde(default)]
    pub text: String,
}

/// A running receiver.
#[derive(Debug)]
pub struct Receiver {
    peer: Peer,
    events: Arc<Shared<Vec<Received>>>,
}

impl Receiver {
    /// Starts a receiver; it accepts connections when this returns.
    #[track_caller]
    pub fn start(options: ReceiverOptions) -> Self {
        let events = Arc::new(Shared::default());
        let filled = Arc::clone(&events);
        let peer = Peer::start("lumberjack-receiver", command(&options), move |line| {
            let received: Received = serde_json::from_str(line).expect("a line of the receiver's output");
            filled.change(|events: &mut Vec<Received>| events.push(received));
        });
        Self { peer, events }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.peer.address()
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address().port()
    }

    /// All events so far, in order of arrival.
    ///
    /// What the receiver has acknowledged was written before the ack, but may still be on its way to this process.
    pub fn events(&self) -> Vec<Received> {
        self.events.look(Vec::clone)
    }

    /// The events that arrived after the first `count`.
    pub fn events_after(&self, count: usize) -> Vec<Received> {
        self.events.look(|events| events.iter().skip(count).cloned().collect())
    }

    /// The events that arrived after the first `count`, all of those that a client was told are safe: the receiver writes them in order, and
    /// an event of our own comes after them. Plain receivers only. Panics after `timeout`.
    #[track_caller]
    pub fn all_events_after(&self, count: usize, timeout: Duration) -> Vec<Received> {
        let last = json!({ "last": self.events().len() });
        let payload = last.to_string().into_bytes();
        let mut window = b"2W\0\0\0\x012J\0\0\0\x01".to_vec();
        window.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
        window.extend(payload);
        TcpStream::connect(self.address())
            .and_then(|mut stream| stream.write_all(&window).and_then(|()| stream.read_exact(&mut [0; 6])))
            .expect("the receiver acknowledges");
        let found = self.events.wait_for(timeout, |events| {
            let new = events.get(count..)?;
            let end = new.iter().position(|received| received.event == last)?;
            Some(new[..end].to_vec())
        });
        found.unwrap_or_else(|_| panic!("{last} has not arrived within {timeout:?}"))
    }

    /// Waits until at least `count` events have arrived since the start; returns all of them. Panics after `timeout`.
    #[track_caller]
    pub fn wait_for_events(&self, count: usize, timeout: Duration) -> Vec<Received> {
        match self.events.wait_for(timeout, |events| (events.len() >= count).then(|| events.clone())) {
            Ok(events) => events,
            Err(Vain::TimedOut | Vain::Complete) => {
                panic!("{} of {count} events arrived within {timeout:?}", self.events.look(Vec::len))
            }
        }
    }
}

fn command(options: &ReceiverOptions) -> Command {
    let mut command = Command::new(artifacts().receiver());
    if let Some(tls) = &options.tls {
        command.arg("-cert").arg(&tls.certificate).arg("-key").arg(&tls.key);
        if let Some(ca) = &tls.client_ca {
            command.arg("-client-ca").arg(ca);
        }
    }
    if let Some(address) = options.listen {
        command.arg("-listen").arg(address.to_string());
    }
    let version = match options.version {
        ReceiverVersion::Both => "both",
        ReceiverVersion::V1 => "1",
        ReceiverVersion::V2 => "2",
    };
    command.args(["-version", version]);
    command.arg("-ack-delay").arg(format!("{}ms", options.ack_delay.as_millis()));
    command.arg("-withhold-acks").arg(options.withhold_acks.to_string());
    command.arg("-close-instead-of-ack").arg(options.close_instead_of_ack.to_string());
    if options.text {
        command.arg("-text");
    }
    command
}
