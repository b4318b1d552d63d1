//! Measures the built product against the forwarder of 2017, against Elastic's own client, and against the optimum. `cargo xtask bench`
//! builds and runs it; the last table is in `results/`, and in `docs/numbers.md`.
//!
//! Every comparison is a ratio within one run, on the same machine and the same [`world`], and the contestants take turns: other work of
//! the machine affects both.

#![deny(missing_docs)]
#![allow(missing_debug_implementations, reason = "handles of processes")]
#![allow(clippy::indexing_slicing, reason = "not shipped: a panic is how a mistake of ours shows")]

pub mod contest;
pub mod cpu;
pub mod instructions;
#[allow(clippy::type_complexity, reason = "shared with a package that has other lints")]
#[path = "../codec/src/corpus/lines.rs"]
mod lines;
pub mod node;
pub mod product;
pub mod receiver;
pub mod relay;
pub mod report;
pub mod rows;
pub mod summary;
pub mod versions;
pub mod world;
