//! The core, compiled natively, in virtual time: properties for any input, and whole runs against the double and scripted worlds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "this is how a test fails"
)]

mod busy;
mod changes;
mod limits;
mod look;
mod odd_records;
mod owed;
mod ports;
mod properties;
mod range;
mod share;
mod steady;
mod sweep;
mod warm;
