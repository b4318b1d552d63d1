//! A connection's needs from a byte stream that never blocks.

/// Why a stream gives or takes nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The other side has closed it.
    Closed,
    /// Anything else, in the host's words.
    Failed(String),
}

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest {
    /// Bytes that can be read, or the end of them.
    pub read: bool,
    /// Room for bytes, or a flush that is done.
    pub write: bool,
}

/// A byte stream in both directions, and the clock that goes with it.
pub trait Wire {
    /// At most `most` bytes of what there is; empty if nothing has come yet.
    fn read(&mut self, most: usize) -> Result<Vec<u8>, Broken>;

    /// How many bytes [`Wire::write`] takes now; 0 also while a flush lasts.
    fn room(&mut self) -> Result<usize, Broken>;

    /// Hands bytes over, no more than there was room for.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Broken>;

    /// Begins to pass on what was handed over; there is room again when that is done.
    fn flush(&mut self) -> Result<(), Broken>;

    /// Returns when something of `interest` may be possible, and at `until_ns` at the latest.
    fn wait(&mut self, interest: Interest, until_ns: u64);

    /// Nanoseconds on a clock that only goes forward.
    fn now_ns(&self) -> u64;
}
