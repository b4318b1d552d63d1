//! What a sender did, in numbers.

use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// What a sender did, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Windows that were acknowledged to the end.
    pub windows: u64,
    /// Events written to a connection, repeats included.
    pub sent: u64,
    /// Events written again after a failure.
    pub resent: u64,
    /// Events acknowledged.
    pub acknowledged: u64,
    /// Signs of life without progress.
    pub keep_alives: u64,
    /// Time spent waiting for the receiver's answers, in milliseconds.
    pub waited_ms: u64,
    /// Windows of two to four events for which a receiver closed the connection, although it took each of the events alone.
    pub small_windows: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self { windows, sent, resent, acknowledged, keep_alives, waited_ms, small_windows } = other;
        self.windows += windows;
        self.sent += sent;
        self.resent += resent;
        self.acknowledged += acknowledged;
        self.keep_alives += keep_alives;
        self.waited_ms += waited_ms;
        self.small_windows += small_windows;
    }
}
