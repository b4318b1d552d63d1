//! The transport port over the host's `transport`.

use super::bindings::whiskjack::forwarder::transport as wit;
use crate::ports::{Connection, Step, Transport, TransportError};

/// Most bytes in one call, as the WIT says.
const MOST: usize = 16 << 20;

pub(super) struct Host;

struct Open(wit::Connection);

impl Transport for Host {
    fn connect(&self, host: &str, port: u16, timeout_ms: u64) -> Result<Box<dyn Connection>, TransportError> {
        let connection = wit::Connection::connect(host, port, timeout_ms).map_err(error)?;
        Ok(Box::new(Open(connection)))
    }
}

impl Connection for Open {
    fn write(&mut self, bytes: &[u8], timeout_ms: u64) -> Result<(), TransportError> {
        bytes.chunks(MOST).try_for_each(|piece| self.0.write(piece, timeout_ms).map_err(error))
    }

    fn read(&mut self, max: u32, timeout_ms: u64) -> Result<Vec<u8>, TransportError> {
        self.0.read(max, timeout_ms).map_err(error)
    }
}

fn error(error: wit::TransportError) -> TransportError {
    let step = match error.step {
        wit::TransportStep::Permit => Step::Permit,
        wit::TransportStep::Resolve => Step::Resolve,
        wit::TransportStep::Connect => Step::Connect,
        wit::TransportStep::Handshake => Step::Handshake,
        wit::TransportStep::Write => Step::Write,
        wit::TransportStep::Read => Step::Read,
        wit::TransportStep::Timeout => Step::Timeout,
    };
    TransportError { step, retryable: error.retryable, message: error.message }
}
