//! Receivers that cannot take windows of two to four events of version 2: ruby-lumberjack, and with it Logstash's `lumberjack` input,
//! acknowledges each fifth of a window, and divides by zero if that is less than an event (docs/facts/lumberjack.md 1.3). By then it has
//! handed on the first event, which comes again each time.

use std::ops::RangeInclusive;

/// Events of a window that is too small for it, and not small enough.
const SMALL: RangeInclusive<u32> = 2..=4;

/// Whether the receivers are such ones, as far as is known.
#[derive(Debug, Default)]
pub(super) struct SmallWindows {
    /// The last small window that was closed upon without an ack: its first event and how many it has.
    closed: Option<(u64, u32)>,
    /// One that was closed upon twice: its first event, and the one after its last.
    suspect: Option<(u64, u64)>,
    recognised: bool,
}

impl SmallWindows {
    /// How many of so many events the next window of version 2 should have.
    pub(super) fn count(&self, count: u32) -> u32 {
        if self.recognised && SMALL.contains(&count) { 1 } else { count }
    }

    /// A connection was closed upon a window without any ack.
    pub(super) fn closed(&mut self, first: u64, count: u32) {
        if !SMALL.contains(&count) {
            // A lone event, or a large window: that is something else.
            *self = Self { recognised: self.recognised, ..Self::default() };
        } else if self.suspect.is_none() {
            if self.closed == Some((first, count)) {
                self.suspect = Some((first, first + u64::from(count)));
            }
            self.closed = Some((first, count));
        }
    }

    /// All events before `first` are acknowledged. Says whether that shows a small window to be the reason: it was closed upon twice, and
    /// its events were all taken one by one.
    pub(super) fn acknowledged(&mut self, first: u64) -> bool {
        let shown = self.suspect.is_some_and(|(_, end)| first >= end);
        if shown {
            *self = Self { recognised: true, ..Self::default() };
        }
        shown
    }

    /// Events count from 0 again.
    pub(super) fn clear(&mut self) {
        *self = Self { recognised: self.recognised, ..Self::default() };
    }
}
