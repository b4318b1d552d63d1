//! The rows, each in a file.

mod busy;
mod cpu;
mod documents;
mod drain;
mod encode;
mod memory;
mod month;
mod native;
mod size;
mod soon;
mod start;
mod steady;
mod wire;

use anyhow::Result;

use crate::report::Row;

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Fewer repetitions: figures for oneself, not for others.
    pub quick: bool,
    /// The longest cases too.
    pub long: bool,
}

impl Effort {
    /// So many repetitions, or some fewer.
    pub fn times(self, many: usize) -> usize {
        if self.quick { many.div_ceil(5).max(2) } else { many }
    }
}

/// Name, what is measured, and how.
pub type Measure = fn(&mut Row, Effort) -> Result<()>;

/// How many rows the table has.
pub const COUNT: usize = 13;

/// All rows, in their order.
pub const ALL: [(&str, &str, Measure); COUNT] = [
    ("B1", "process start → first API request", start::measure),
    ("B2", "events per CPU-second, API page in → acknowledged over TLS, whole process", cpu::measure),
    ("B3", "events per CPU-second of encode + compress + send", encode::measure),
    ("B4", "CPU in wasmtime ÷ native, the whole core", native::measure),
    ("B5", "drain of 100,000 records at 30 ms a request ÷ the bound", drain::measure),
    ("B6", "peak resident memory of an action", memory::measure),
    ("B7", "sizes", size::measure),
    ("B8", "steady minute with 10 quiet actions", steady::measure),
    ("B9", "bytes on the wire per event ÷ Filebeat's defaults", wire::measure),
    ("B10", "cost of a month with 10 quiet actions", month::measure),
    ("B11", "busy namespace: 1,000 activations a minute of 50 actions, 5 % of them late", busy::measure),
    ("B12", "from the moment at which a line is visible to the receiver", soon::measure),
    ("B13", "ECS documents, stack traces, JSON and redaction ÷ the shape of 2017", documents::measure),
];

/// Measures one row; what goes wrong is in it.
pub fn measured(id: &str, what: &str, measure: Measure, effort: Effort) -> Row {
    let mut row = Row::new(id, what);
    if let Err(error) = measure(&mut row, effort) {
        row.fail(format!("{error:#}"));
    }
    row
}
