//! The connections of a component: to a receiver, or to the output that replaces all receivers.

use super::Connection;
use super::acks::Acks;
use super::interface::TransportError;

/// What stands in for a receiver within the program.
pub(crate) trait Local: std::fmt::Debug + Send {
    /// Takes bytes.
    fn write(&mut self, bytes: &[u8]) -> Result<(), TransportError>;
    /// Gives what there is, at most so many bytes; a timeout if there is nothing.
    fn read(&mut self, max_bytes: u32) -> Result<Vec<u8>, TransportError>;
}

/// A connection that is lent to a component.
#[derive(Debug)]
#[allow(unreachable_pub, reason = "the generated bindings name it again")]
pub struct Lent {
    way: Way,
    acks: Acks,
}

#[derive(Debug)]
enum Way {
    Receiver(Box<Connection>),
    Local(Box<dyn Local>),
}

impl Lent {
    /// One over the network.
    pub(crate) fn receiver(connection: Connection) -> Self {
        Self::by(Way::Receiver(Box::new(connection)))
    }

    /// One that leads nowhere else.
    pub(crate) fn local(local: impl Local + 'static) -> Self {
        Self::by(Way::Local(Box::new(local)))
    }

    fn by(way: Way) -> Self {
        Self { way, acks: Acks::default() }
    }

    /// Writes all bytes, see [`Connection::write`].
    pub(crate) async fn write(&mut self, bytes: &[u8], timeout_ms: u64) -> Result<(), TransportError> {
        self.acks.sent(bytes);
        match &mut self.way {
            Way::Receiver(connection) => connection.write(bytes, timeout_ms).await,
            Way::Local(local) => local.write(bytes),
        }
    }

    /// Reads what there is, see [`Connection::read`].
    pub(crate) async fn read(&mut self, max_bytes: u32, timeout_ms: u64) -> Result<Vec<u8>, TransportError> {
        match &mut self.way {
            Way::Receiver(connection) => connection.read(max_bytes, timeout_ms).await,
            Way::Local(local) => local.read(max_bytes),
        }
    }

    /// How many lines these bytes acknowledge, which were read.
    pub(crate) fn acknowledged(&mut self, read: &[u8]) -> u64 {
        self.acks.received(read)
    }
}
