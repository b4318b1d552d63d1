//! Windows on their way: they are written, or being written, and not acknowledged to the end.

use super::seconds;
use crate::lumberjack::ack::ProtocolError;
use crate::lumberjack::outbox::Outbox;
use std::collections::VecDeque;

/// A window on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Number of its first event.
    pub(super) first: u64,
    /// Its events.
    pub(super) count: u32,
    /// Events acknowledged, from the first on.
    pub(super) acknowledged: u32,
    /// Events that were written as a whole.
    pub(super) written: u32,
    /// Its acknowledgement only proves that the receiver is well.
    pub(super) probe: bool,
    /// It was sent while another one was on its way.
    pub(super) behind: bool,
}

/// What an ack has achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// Events that are safe now and were not before.
    pub(super) events: u32,
    /// The window is done.
    pub(super) complete: bool,
    /// It was a probe.
    pub(super) probe: bool,
}

/// The windows, oldest first. Acks are theirs in that order.
#[derive(Debug, Default)]
pub(super) struct Flight {
    windows: VecDeque<Window>,
    /// When something was acknowledged last, or the first window began.
    moved_ms: u64,
    /// The same, or when a piece was written last: a line that is slow both ways is not stalled.
    progressed_ms: u64,
    /// Acks since then that acknowledged nothing.
    idle_acks: u64,
}

impl Flight {
    pub(super) fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.windows.len()
    }

    pub(super) fn first(&self) -> Option<&Window> {
        self.windows.front()
    }

    pub(super) fn last(&self) -> Option<&Window> {
        self.windows.back()
    }

    pub(super) fn clear(&mut self) {
        self.windows.clear();
    }

    pub(super) fn begin(&mut self, now_ms: u64, window: Window) {
        if self.windows.is_empty() {
            (self.moved_ms, self.progressed_ms, self.idle_acks) = (now_ms, now_ms, 0);
        }
        self.windows.push_back(window);
    }

    /// So many of the `all` bytes of the newest window are written, its six bytes of header included. If its frames go out bare, `frames` knows
    /// how many of them that is; compressed ones count when all is written.
    pub(super) fn wrote(&mut self, now_ms: u64, bytes: usize, all: usize, frames: Option<&Outbox>) {
        self.progressed_ms = now_ms;
        let Some(window) = self.windows.back_mut() else { return };
        window.written = match frames {
            _ if bytes == all => window.count,
            Some(outbox) => outbox.whole(window.first, bytes.saturating_sub(6) as u64),
            None => 0,
        };
    }

    /// Credits an ack to the oldest window: progress, or none if it is a sign of life. Without `partial` only an ack of the whole window
    /// counts.
    pub(super) fn credit(
        &mut self,
        now_ms: u64,
        sequence: u32,
        partial: bool,
    ) -> Result<Option<Progress>, ProtocolError> {
        let Some(window) = self.windows.front_mut() else { return Ok(None) };
        if sequence > window.count {
            return Err(ProtocolError::BeyondWindow { sequence, window: window.count });
        }
        if sequence > window.written {
            return Err(ProtocolError::BeforeSent { sequence, written: window.written });
        }
        let complete = sequence == window.count;
        if sequence <= window.acknowledged || !(complete || partial) {
            self.idle_acks += 1;
            return Ok(None);
        }
        let events = sequence - window.acknowledged;
        window.acknowledged = sequence;
        let probe = window.probe;
        (self.moved_ms, self.progressed_ms, self.idle_acks) = (now_ms, now_ms, 0);
        if complete {
            self.windows.pop_front();
        }
        Ok(Some(Progress { events, complete, probe }))
    }

    /// Acks without progress since the last that brought some.
    pub(super) fn idle_acks(&self) -> u64 {
        self.idle_acks
    }

    /// For how long nothing was acknowledged.
    pub(super) fn unmoved(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.moved_ms)
    }

    /// For how long nothing was acknowledged and nothing taken.
    pub(super) fn stuck(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.progressed_ms)
    }

    /// How long the receiver may be silent. Logstash sends no keep-alives for a window that waited behind another (docs/facts/lumberjack.md 1.4).
    pub(super) fn patience(&self, timeout_ms: u64) -> u64 {
        let behind = self.windows.front().is_some_and(|window| window.behind);
        if behind { timeout_ms.saturating_mul(2) } else { timeout_ms }
    }

    /// What to say of a receiver that acknowledged nothing for so long.
    pub(super) fn silent(&self, ms: u64) -> String {
        let (acknowledged, count) = self.front();
        let waited = seconds(ms);
        if self.idle_acks > 0 {
            return format!(
                "the receiver is stalled: it acknowledged {acknowledged} of {count} lines, and for {waited} it only says that it is alive: its \
                 outputs are blocked"
            );
        }
        format!(
            "the receiver acknowledged {acknowledged} of {count} lines and then nothing for {waited}: it is overloaded, or its outputs are \
             blocked; if it just takes longer, raise `logstash.timeout`"
        )
    }

    /// What to say of a receiver that closed the connection.
    pub(super) fn closed(&self) -> String {
        let (acknowledged, count) = self.front();
        format!(
            "the receiver closed the connection after it had acknowledged {acknowledged} of {count} lines: its log says why; a port that \
             wants TLS, a client certificate or another protocol does this too"
        )
    }

    fn front(&self) -> (u32, u32) {
        self.windows.front().map_or((0, 0), |window| (window.acknowledged, window.count))
    }
}
