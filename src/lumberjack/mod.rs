//! The Lumberjack protocol, version 2, from the sender's side: windows out, acks in. No sockets, no clock.
//!
//! Facts and their proofs are in the protocol notes of the design; the shape that every receiver accepts is `W n` in the clear, then
//! exactly one `C` frame that holds n `J` frames with sequence 1..n, then nothing until n is acknowledged.

mod ack;
mod batch;

pub use ack::{Ack, AckReader, Acks, ProtocolError};
pub use batch::{Batch, Limits};

/// Version byte of every frame we send.
const VERSION: u8 = b'2';
/// Frame type: window size.
const WINDOW: u8 = b'W';
/// Frame type: one event as JSON.
const JSON: u8 = b'J';
/// Frame type: zlib stream of whole frames.
const COMPRESSED: u8 = b'C';
/// Frame type: acknowledgement, from the receiver only.
const ACK: u8 = b'A';
