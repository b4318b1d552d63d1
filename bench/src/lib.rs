//! Measures the built product: against the forwarder of 2017, against Elastic's own client, and against what is possible at all.
//! `cargo xtask bench` builds what is needed and runs it; see `docs/benchmarks.md`.
//!
//! Every comparison is a ratio within one run, on the same machine and the same [`world`], and the contestants take turns: what else the
//! machine does meets both.

#![deny(missing_docs)]
#![allow(missing_debug_implementations, reason = "handles of processes")]

pub mod cpu;
#[path = "../../benches/codec/src/corpus/lines.rs"]
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
