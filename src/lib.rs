//! The portable part of whiskjack: asks an OpenWhisk API for what is new in the monitored actions' activation records and pushes
//! every log line to a Lumberjack receiver, until it is acknowledged.
//!
//! Data flows one way: parameters → [`run::plan`] → [`openwhisk::fetch`] → [`openwhisk::record`]s → [`events`] → [`lumberjack`] windows →
//! acks → [`checkpoint`] → [`run::report`]. Nothing in here opens a socket, reads a clock or an environment: that comes in through the three
//! traits of [`ports`]. So the same code runs as a WebAssembly component (`component`, the only part that is not portable Rust) and
//! natively in tests.

#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, reason = "they panic where nobody reads")
)]

pub mod checkpoint;
#[cfg(target_os = "wasi")]
mod component;
pub mod config;
pub mod events;
pub mod handover;
pub mod lumberjack;
pub mod openwhisk;
pub mod output;
pub mod ports;
pub mod range;
pub mod run;
pub mod sorted;
#[cfg(test)]
mod testing;
pub mod time;
