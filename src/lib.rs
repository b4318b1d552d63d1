//! The portable part of whiskjack: it asks an OpenWhisk API for new activation records of the monitored actions, and sends every log line
//! to a Lumberjack receiver until the receiver acknowledges it.
//!
//! Data flows one way: parameters → [`run::plan`] → [`openwhisk::fetch`] → [`openwhisk::record`]s → [`events`] → [`lumberjack`] windows →
//! acks → [`checkpoint`] → [`run::report`]. Nothing here opens a socket, or reads a clock or an environment: the three traits of [`ports`]
//! do that. So the same code runs as a WebAssembly component (`component`, the only part that is not portable Rust) and natively in tests.

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
mod fields;
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
