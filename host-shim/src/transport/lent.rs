//! What a component gets for a connection: one to a receiver, or one to the output that stands in for all of them.

use super::Connection;
use super::interface::TransportError;
use crate::component::Reach;
use crate::output::LocalReceiver;

/// A connection that is lent to a component.
#[derive(Debug)]
#[allow(unreachable_pub, reason = "the generated bindings name it again")]
pub struct Lent(Way);

#[derive(Debug)]
enum Way {
    Receiver(Box<Connection>),
    Output(LocalReceiver),
}

impl Lent {
    /// Connects, see [`Connection::open`]. With an output there is no network.
    pub(crate) async fn open(
        reach: &Reach,
        host: &str,
        port: u16,
        timeout_ms: u64,
    ) -> Result<Self, TransportError> {
        if let Some(output) = &reach.attached.output {
            return Ok(Self(Way::Output(LocalReceiver::new(output.clone()))));
        }
        let Reach { receivers, security, proxy, .. } = reach;
        let opened = Connection::open(receivers, security, proxy.as_ref(), host, port, timeout_ms).await;
        opened.map(|connection| Self(Way::Receiver(Box::new(connection))))
    }

    /// Writes all bytes, see [`Connection::write`].
    pub(crate) async fn write(&mut self, bytes: &[u8], timeout_ms: u64) -> Result<(), TransportError> {
        match &mut self.0 {
            Way::Receiver(connection) => connection.write(bytes, timeout_ms).await,
            Way::Output(output) => output.write(bytes),
        }
    }

    /// Reads what there is, see [`Connection::read`].
    pub(crate) async fn read(&mut self, max_bytes: u32, timeout_ms: u64) -> Result<Vec<u8>, TransportError> {
        match &mut self.0 {
            Way::Receiver(connection) => connection.read(max_bytes, timeout_ms).await,
            Way::Output(output) => output.read(max_bytes),
        }
    }
}
