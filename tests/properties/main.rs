//! What must hold for any input: the parts that read what others wrote never panic, and lose nothing of what is sound.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails"
)]

mod any;
mod checkpoint;
mod config;
mod lumberjack;
mod range;
mod record;
