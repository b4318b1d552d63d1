//! The Lumberjack protocol from the sender's side, as a value that is fed and drained: no sockets, no clock, no environment.
//!
//! | item | purpose |
//! |---|---|
//! | `frame` | bytes: window size, events of both versions, the compressed frame |
//! | [`Outbox`] | events that wait for their acknowledgement, in order |
//! | `ack` | the receiver's answers |
//! | [`Sender`] | the protocol: windows out, acks in, what to do when a receiver fails |
//!
//! The facts and their evidence are in docs/facts/lumberjack.md; the shape that every receiver accepts is `W n` in the clear, then exactly
//! one `C` frame that holds n data frames with sequence 1..n, then nothing until n is acknowledged.

mod ack;
mod codec;
mod counts;
mod deflate;
mod frame;
mod outbox;
mod sender;

pub use ack::{Ack, AckReader, ProtocolError};
pub use counts::Counts;
pub use frame::{Protocol, write_pairs};
pub use outbox::{Common, LARGEST_EVENT, Outbox};
pub use sender::{Backoff, Goal, Options, Sender, Step};
