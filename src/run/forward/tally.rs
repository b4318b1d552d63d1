//! The work of a run, in numbers.

use crate::lumberjack::Counts;
use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// The work on records and their lines, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Records of the source that were new.
    pub activations: u64,
    /// Log lines in them.
    pub lines: u64,
    /// Counts of the lines on their way to receivers.
    pub sending: Counts,
    /// Requests to the API.
    pub requests: u64,
    /// Records that could not be read.
    pub unreadable: u64,
    /// Lines that were set aside.
    pub set_aside: u64,
    /// Lines that were cut, as no receiver takes lines of that length.
    pub truncated: u64,
    /// Lines that were not sound text and were mended.
    pub mended: u64,
    /// Activations whose documents wait for logs that are not in their store yet.
    pub put_off: u64,
    /// Those of them that have only an event of their own to send, as far as anybody knows: nothing is wrong with them.
    pub silent: u64,
    /// Lines that are left out, as the configuration says.
    pub filtered: u64,
    /// Lines that are in the event of another line.
    pub joined: u64,
    /// Events of activations.
    pub summaries: u64,
}

impl Tally {
    /// All that there was to forward, also what is left out.
    pub fn read(&self) -> u64 {
        self.lines + self.summaries
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        let Self {
            activations,
            lines,
            sending,
            requests,
            unreadable,
            set_aside,
            truncated,
            mended,
            put_off,
            silent,
            filtered,
            joined,
            summaries,
        } = other;
        self.activations += activations;
        self.lines += lines;
        self.sending += sending;
        self.requests += requests;
        self.unreadable += unreadable;
        self.set_aside += set_aside;
        self.truncated += truncated;
        self.mended += mended;
        self.put_off += put_off;
        self.silent += silent;
        self.filtered += filtered;
        self.joined += joined;
        self.summaries += summaries;
    }
}
