//! A connection to a receiver, as `wit/transport.wit` defines it.

use crate::fault::{Fault, Peer, Step};
use crate::wire::{Broken, Interest, Wire};

/// Bytes kept that the receiver sent while we were writing: thousands of acknowledgements.
const KEPT: usize = 64 * 1024;

/// Most bytes read at once.
const CHUNK: usize = 64 * 1024;

/// How long to look for the reason after a write has failed: a TLS alert that came before the connection broke.
const REASON_NS: u64 = 200_000_000;

/// How long "what has come already" may take: the host looks at its sockets only while somebody waits.
const GLANCE_NS: u64 = 1_000_000;

/// First byte of a TLS record that holds an alert. No frame of Lumberjack begins with it.
const TLS_ALERT: u8 = 0x15;

/// An open connection.
#[derive(Debug)]
pub struct Connection<W> {
    wire: W,
    peer: Peer,
    tls: bool,
    received: Vec<u8>,
    /// Whether the receiver has sent a byte.
    heard: bool,
    ended: Option<Ended>,
}

/// Why nothing more can be read.
#[derive(Clone, Debug)]
enum Ended {
    ClosedByPeer,
    Failed(Fault),
}

impl<W: Wire> Connection<W> {
    /// A connection over `wire`, TLS handshake done if there is one.
    pub fn new(wire: W, peer: Peer, tls: bool) -> Self {
        Self { wire, peer, tls, received: Vec::new(), heard: false, ended: None }
    }

    /// Writes all bytes within `timeout_ms`, reading what comes meanwhile: a receiver that cannot get rid of its acknowledgements stops
    /// reading.
    pub fn write(&mut self, bytes: &[u8], timeout_ms: u64) -> Result<(), Fault> {
        if let Some(Ended::Failed(fault)) = &self.ended {
            return Err(fault.clone());
        }
        let until_ns = self.until(timeout_ms);
        let written = self.write_until(bytes, until_ns);
        if let Err(fault) = &written {
            // Part of a frame may be out: nothing sensible can follow it.
            self.ended = Some(Ended::Failed(fault.clone()));
        }
        written
    }

    /// Reads at least one byte and at most `max_bytes`, within `timeout_ms`; with 0 only what has come already. Empty: the peer has closed
    /// its side.
    pub fn read(&mut self, max_bytes: u32, timeout_ms: u64) -> Result<Vec<u8>, Fault> {
        let most = usize::try_from(max_bytes).unwrap_or(CHUNK).clamp(1, CHUNK);
        let until_ns = match timeout_ms {
            0 => self.wire.now_ns().saturating_add(GLANCE_NS),
            _ => self.until(timeout_ms),
        };
        loop {
            self.take_in();
            if !self.received.is_empty() {
                let rest = self.received.split_off(most.min(self.received.len()));
                return Ok(std::mem::replace(&mut self.received, rest));
            }
            match &self.ended {
                Some(Ended::ClosedByPeer) => return Ok(Vec::new()),
                Some(Ended::Failed(fault)) => return Err(fault.clone()),
                None if self.wire.now_ns() >= until_ns => {
                    return Err(self.peer.fault(Step::Timeout, true, "sent nothing in the time given"));
                }
                None => self.wire.wait(Interest { read: true, write: false }, until_ns),
            }
        }
    }

    /// The stream below.
    pub fn wire_mut(&mut self) -> &mut W {
        &mut self.wire
    }

    fn write_until(&mut self, mut bytes: &[u8], until_ns: u64) -> Result<(), Fault> {
        let mut flushed = false;
        loop {
            self.take_in();
            if let Some(Ended::Failed(fault)) = &self.ended {
                return Err(fault.clone());
            }
            match self.push(&mut bytes, &mut flushed) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(broken) => return Err(self.why(&broken)),
            }
            if self.wire.now_ns() >= until_ns {
                let what = "did not take the bytes in time; it is overloaded or stuck";
                return Err(self.peer.fault(Step::Timeout, true, what));
            }
            let read = self.ended.is_none() && self.received.len() < KEPT;
            self.wire.wait(Interest { read, write: true }, until_ns);
        }
    }

    /// Hands over what there is room for. True when all of it is out.
    fn push(&mut self, bytes: &mut &[u8], flushed: &mut bool) -> Result<bool, Broken> {
        loop {
            let room = self.wire.room()?;
            match (room, bytes.is_empty()) {
                (0, _) => return Ok(false),
                (_, true) if *flushed => return Ok(true),
                (_, true) => {
                    self.wire.flush()?;
                    *flushed = true;
                }
                (room, false) => {
                    let (now, later) = bytes.split_at(room.min(bytes.len()));
                    self.wire.write(now)?;
                    *bytes = later;
                }
            }
        }
    }

    /// Reads what has come, as long as there is room for it.
    fn take_in(&mut self) {
        while self.ended.is_none() && self.received.len() < KEPT {
            match self.wire.read(CHUNK) {
                Ok(bytes) if bytes.is_empty() => return,
                Ok(bytes) if !self.heard && !self.tls && bytes.first() == Some(&TLS_ALERT) => {
                    self.ended = Some(Ended::Failed(self.peer.wants_tls()));
                }
                Ok(bytes) => {
                    self.heard = true;
                    self.received.extend(bytes);
                }
                Err(broken) => self.ended = Some(self.end(&broken)),
            }
        }
    }

    fn end(&self, broken: &Broken) -> Ended {
        match broken {
            // Closed without a TLS goodbye. Acknowledgements are complete or not, so nothing can be forged by cutting them off.
            Broken::Failed(cause) if !cause.contains("close_notify") => {
                Ended::Failed(self.peer.broken(Step::Read, cause, self.heard))
            }
            _ if self.heard => Ended::ClosedByPeer,
            _ => Ended::Failed(self.peer.left_silently()),
        }
    }

    /// Why a write failed. The alert that explains a broken connection may wait to be read.
    fn why(&mut self, broken: &Broken) -> Fault {
        let until_ns = self.wire.now_ns().saturating_add(REASON_NS);
        while self.ended.is_none() && self.received.len() < KEPT && self.wire.now_ns() < until_ns {
            self.wire.wait(Interest { read: true, write: false }, until_ns);
            self.take_in();
        }
        match (&self.ended, broken) {
            (Some(Ended::Failed(fault)), _) if fault.step == Step::Handshake => fault.clone(),
            (_, Broken::Failed(cause)) => self.peer.broken(Step::Write, cause, self.heard),
            (_, Broken::Closed) => self.peer.broken(Step::Write, "connection closed", self.heard),
        }
    }

    fn until(&self, timeout_ms: u64) -> u64 {
        self.wire.now_ns().saturating_add(timeout_ms.saturating_mul(1_000_000))
    }
}

#[cfg(test)]
mod tests;
