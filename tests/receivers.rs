//! A sender and every receiver it may meet: one test or more for each point of the checklists S1–S40 (the sender) and H1–H35 (receivers
//! that misbehave) of facts/lumberjack.md 7, and a last line that says how many of them hold.
//!
//! `cargo test --test receivers [-- PART OF A NAME]`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails"
)]

#[path = "receivers/harness.rs"]
mod harness;
#[path = "receivers/scene.rs"]
mod scene;

#[path = "receivers/acks.rs"]
mod acks;
#[path = "receivers/breaks.rs"]
mod breaks;
#[path = "receivers/foreign.rs"]
mod foreign;
#[path = "receivers/hosts.rs"]
mod hosts;
#[path = "receivers/matrix.rs"]
mod matrix;
#[path = "receivers/poison.rs"]
mod poison;
#[path = "receivers/sender.rs"]
mod sender;
#[path = "receivers/slow.rs"]
mod slow;
#[path = "receivers/tls.rs"]
mod tls;

use std::process::ExitCode;

fn main() -> ExitCode {
    let groups = [
        sender::TESTS,
        acks::TESTS,
        breaks::TESTS,
        foreign::TESTS,
        hosts::TESTS,
        matrix::TESTS,
        poison::TESTS,
        slow::TESTS,
        tls::TESTS,
    ];
    harness::run(&groups.concat(), &[('S', 40), ('H', 35)])
}
