//! The size of windows: the limit, or less after a failure.

/// First window of a slow start, in events; Filebeat's.
const FIRST: u32 = 10;

/// The largest window for now. Without slow start it never changes.
#[derive(Debug)]
pub(super) struct Pace {
    slow: bool,
    limit: u32,
    size: u32,
}

impl Pace {
    /// `limit` is the largest window ever, in events.
    pub(super) fn new(slow_start: bool, limit: u32) -> Self {
        Self { slow: slow_start, limit, size: if slow_start { FIRST.min(limit) } else { limit } }
    }

    /// Events of the next window.
    pub(super) fn size(&self) -> u32 {
        self.size
    }

    /// A window was acknowledged.
    pub(super) fn grow(&mut self) {
        if self.slow {
            self.size = self.size.saturating_mul(3).div_ceil(2).min(self.limit);
        }
    }

    /// A window was not acknowledged.
    pub(super) fn shrink(&mut self) {
        if self.slow {
            self.size = (self.size / 2).max(1);
        }
    }
}
