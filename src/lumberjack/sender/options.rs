//! How to send.

use super::rotation::Backoff;
use crate::lumberjack::frame::Protocol;

/// How to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Version of the protocol.
    pub protocol: Protocol,
    /// Most events in a window, 1–10,000 (docs/facts/lumberjack.md 2.7).
    pub window_events: u32,
    /// Most bytes of frames in a window, before compression; one event that is larger goes alone.
    pub window_bytes: u64,
    /// Windows on their way at once, 1 or 2; 1 with version 1.
    pub in_flight: usize,
    /// zlib level, 0–9. At 0, frames of version 2 go out bare.
    pub compression_level: u8,
    /// How long a receiver may be silent, in milliseconds.
    pub timeout_ms: u64,
    /// Age at which a connection is replaced, in milliseconds; 0 for never.
    pub ttl_ms: u64,
    /// Whether windows begin small and grow.
    pub slow_start: bool,
    /// Pauses between rounds through all receivers.
    pub backoff: Backoff,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            protocol: Protocol::V2,
            // Filebeat's default; the strictest receiver takes 10,000.
            window_events: 2048,
            // Receivers hold two or three copies of a window, some of them off-heap: below 2 MiB they are well (docs/facts/lumberjack.md 2.7). Ours are
            // usually full by events before that, at 280 bytes each.
            window_bytes: 1 << 20,
            in_flight: 1,
            // No more bytes than Filebeat's default, which is level 3 of another encoder, in half of the time (docs/decisions/sending.md, SEND-2).
            compression_level: 2,
            // Keep-alives come every 3–5 s where there are any, but not every receiver sends them; Filebeat's default.
            timeout_ms: 30_000,
            ttl_ms: 0,
            slow_start: false,
            backoff: Backoff::default(),
        }
    }
}
