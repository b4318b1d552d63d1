//! A relay for TCP that counts bytes.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// A running relay. It takes no more connections when dropped; those that are open end with their ends.
pub struct Relay {
    address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    received: AtomicU64,
    stopped: AtomicBool,
}

impl Relay {
    /// Listens on a free port of the loopback interface for what goes to `target`.
    pub fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let counts = Arc::<Counts>::default();
        let shared = counts.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.stopped.load(Ordering::Relaxed) {
                    return;
                }
                let _ = join(client, target, &shared);
            }
        });
        Ok(Self { address, counts })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes from clients so far, and bytes to them.
    pub fn bytes(&self) -> (u64, u64) {
        (self.counts.sent.load(Ordering::Relaxed), self.counts.received.load(Ordering::Relaxed))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.counts.stopped.store(true, Ordering::Relaxed);
        // It waits for a connection: the last one.
        let _ = TcpStream::connect(self.address);
    }
}

fn join(client: TcpStream, target: SocketAddr, counts: &Arc<Counts>) -> io::Result<()> {
    let server = TcpStream::connect(target)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, from_server) = (client.try_clone()?, server.try_clone()?);
    let shared = counts.clone();
    thread::spawn(move || copy(from_client, server, &shared.sent));
    let shared = counts.clone();
    thread::spawn(move || copy(from_server, client, &shared.received));
    Ok(())
}

/// Counts before it hands on: who has seen the answer also sees the count.
fn copy(mut from: TcpStream, mut to: TcpStream, count: &AtomicU64) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        count.fetch_add(read as u64, Ordering::Relaxed);
        if buffer.get(..read).is_none_or(|bytes| to.write_all(bytes).is_err()) {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_in_both_directions() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Relay::start(server.local_addr().unwrap()).unwrap();
        let mut client = TcpStream::connect(relay.address()).unwrap();
        let (mut accepted, _) = server.accept().unwrap();
        client.write_all(b"four").unwrap();
        accepted.read_exact(&mut [0; 4]).unwrap();
        accepted.write_all(b"answer").unwrap();
        client.read_exact(&mut [0; 6]).unwrap();
        assert_eq!(relay.bytes(), (4, 6));
    }
}
