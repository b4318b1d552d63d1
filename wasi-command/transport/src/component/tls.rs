//! TLS over `wasi:tls`, a draft: the host checks the receiver's certificate against public roots. It takes no other roots, no client
//! certificate and no version.

use super::bindings::wasi::tls::types::{ClientHandshake, FutureClientStreams};
use super::stream::{Socket, Stream, now_ns, plain, wait_for};
use crate::fault::{Fault, Peer};

/// Receivers give up on a silent client after 10 s; it is better to be the one who says why.
const HANDSHAKE_NS: u64 = 9_000_000_000;

/// Shakes hands with the receiver, whose certificate must be for `name`.
pub(super) fn secure(peer: &Peer, socket: Socket, name: &str, until_ns: u64) -> Result<Stream, Fault> {
    let Socket { input, output, socket } = socket;
    let shaken = ClientHandshake::finish(ClientHandshake::new(name, input, output));
    let until_ns = until_ns.min(now_ns().saturating_add(HANDSHAKE_NS));
    loop {
        match shaken.get() {
            Some(Ok(Ok(streams))) => return Ok(Stream::secured(streams, socket)),
            Some(Ok(Err(error))) => return Err(peer.no_tls(&plain(&error.to_debug_string()))),
            Some(Err(())) => return Err(peer.no_tls("the host has lost the connection")),
            None if now_ns() >= until_ns => return Err(peer.handshake_timeout()),
            None => wait(&shaken, until_ns),
        }
    }
}

fn wait(shaken: &FutureClientStreams, until_ns: u64) {
    wait_for([shaken.subscribe()].iter(), until_ns);
}
