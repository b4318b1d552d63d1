//! Parts of a sender that have no file of their own.

use crate::lumberjack::ack::AckReader;
use crate::lumberjack::counts::Counts;
use crate::ports::Failure;

/// The newest window's bytes, of which the first `written` are written.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) bytes: Vec<u8>,
    pub(super) written: usize,
}

/// What was received, and since when it is waited for more.
#[derive(Debug, Default)]
pub(super) struct Listening {
    pub(super) reader: AckReader,
    /// The step that is being done is a read that does not wait.
    pub(super) looking: bool,
    /// Since when nothing was received although it was waited for.
    pub(super) quiet_since_ms: Option<u64>,
    /// When the present step was asked for.
    pub(super) asked_ms: u64,
}

/// Why nothing more is sent, if so.
#[derive(Debug, Default)]
pub(super) struct End {
    pub(super) given_up: Option<Failure>,
    pub(super) out_of_time: bool,
}

/// What the caller has not asked for yet.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) settled: u32,
    pub(super) set_aside: Vec<u64>,
    pub(super) counts: Counts,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Link {
    Down,
    /// To be closed.
    Closing,
    Up(Up),
}

/// An open connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Up {
    pub(super) since_ms: u64,
    /// A window was acknowledged on it.
    pub(super) used: bool,
    /// It was looked at since the last window, and was fine.
    pub(super) looked: bool,
    /// The window on its way is the first since the connection lay idle, and nothing was received since.
    pub(super) reused: bool,
    /// Bytes may be on their way to us, and more is to be written.
    pub(super) look_between: bool,
}

impl Outgoing {
    pub(super) fn is_written(&self) -> bool {
        self.written == self.bytes.len()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.written = 0;
    }
}
