//! Documents and generated files are true.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails"
)]

mod events;
mod kept;
mod logstash;
mod readme;
mod schema;
mod wit;
