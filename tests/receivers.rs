//! A sender and every receiver that it may meet: at least one test for each point of the checklists S1–S40 (the sender) and H1–H35
//! (receivers that misbehave) of docs/facts/lumberjack.md 7, and a last line that says how many of them hold.
//!
//! `cargo test --test receivers [-- PART OF A NAME]`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails"
)]

#[macro_use]
#[path = "receivers/sentences.rs"]
mod sentences;

#[path = "receivers/harness.rs"]
mod harness;
#[path = "receivers/hostile.rs"]
mod hostile;
#[path = "receivers/rig.rs"]
mod rig;
#[path = "receivers/sending.rs"]
mod sending;
#[path = "receivers/sockets/mod.rs"]
mod sockets;
#[path = "receivers/wire.rs"]
mod wire;

use std::process::ExitCode;

/// Points that nothing in this project can meet or break, and why: none.
const NOT_APPLICABLE: &[(&str, &str)] = &[];

fn main() -> ExitCode {
    let tests = [&[wire::ALL, sending::ALL, hostile::ALL], sockets::ALL].concat().concat();
    harness::run(&tests, NOT_APPLICABLE, &[('S', 40), ('H', 35)])
}
