//! Fuzz targets: promises that hold for any input of the parts that read foreign bytes, and of those that write for others.
//!
//! Each module is one target. Its `try_with` takes any bytes and panics if a promise is broken; the engine in `engine/` makes up bytes that
//! lead to new places in the code, `cargo xtask fuzz` runs it, and `tests/kept.rs` tries the inputs that were worth keeping (`corpus/`): a
//! file for each target, a line for each input, with its name and its bytes as a Rust byte string. `cargo xtask fuzz --add TARGET NAME
//! FILE` adds an input under a name that says what was wrong; `cargo xtask fuzz --keep [TARGET]` replaces the inputs whose names are twelve
//! hexadecimal digits by the fewest that reach the same code.
//!
//! | target | subject |
//! |---|---|
//! | [`acks`] | a receiver's answers, and all that a receiver may do to a sender |
//! | [`frames`] | windows on the wire: any bytes for our own receiver, and any events there and back |
//! | [`events`] | any texts as lines and names: every receiver reads them as they were |
//! | [`lines`] | any entries, whatever is left out, joined, read as JSON or made unreadable |
//! | [`config`] | parameters |
//! | [`record`] | records that the API lists |
//! | [`checkpoint`] | a stored state |
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "for tests only: a panic is how a target fails"
)]

pub mod acks;
pub mod checkpoint;
pub mod config;
pub mod events;
pub mod frames;
pub mod lines;
pub mod record;

mod receiver;
mod script;

/// Tries bytes with one target.
pub type Try = fn(&[u8]);

/// All targets, by name.
pub const TARGETS: [(&str, Try); 7] = [
    ("acks", acks::try_with),
    ("checkpoint", checkpoint::try_with),
    ("config", config::try_with),
    ("events", events::try_with),
    ("frames", frames::try_with),
    ("lines", lines::try_with),
    ("record", record::try_with),
];
