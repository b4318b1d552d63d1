//! The parts of the core that the benchmarks time: the same code natively and as a component.

#![deny(missing_docs)]

#[cfg(target_os = "wasi")]
mod component;
pub mod memory;
pub mod pipeline;
pub mod records;
pub mod send;

pub use pipeline::{pipeline, pipeline_with};
pub use records::Records;
pub use send::send;
