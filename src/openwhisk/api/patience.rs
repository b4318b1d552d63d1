//! How long an API may take. The host limits silence; this module limits answers that trickle, and an API that gives no answer at all.

use super::hold;
use crate::ports::{Body, Clock, Failure};
use std::cell::Cell;
use std::rc::Rc;

/// An answer is read for so long, in milliseconds, before its pace is looked at: the host already limits each pause within it.
const GRACE_MS: u64 = 60_000;
/// Slowest pace of an answer after that, in bytes a second, averaged: a line of 16 kbit/s, on which no backlog would ever get smaller.
const PACE: u64 = 2 << 10;
/// Longest time for an answer, in milliseconds, whatever its pace: 100 MB of one record at 28 KB/s.
const LONGEST_MS: u64 = 60 * 60_000;
/// The same for a page of several records, after which a smaller one is asked for. What came of it by then is not lost.
pub(super) const PAGE_MS: u64 = 5 * 60_000;
/// An API that was waited for so long and gave no answer is not asked any more in this run, in milliseconds.
const IN_VAIN_MS: u64 = 15 * 60_000;

/// How long the run has waited for the API since its last answer. A clone shares it: an API that does not answer is not asked again by the
/// next slice.
#[derive(Debug, Clone, Default)]
pub struct Patience(Rc<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// Milliseconds since the last answer.
    in_vain_ms: Cell<u64>,
    /// Until when the API wants to be left alone, milliseconds since 1970.
    until_ms: Cell<u64>,
    /// For how long it was left alone since it last did what it was asked, in milliseconds.
    held_ms: Cell<u64>,
}

impl Patience {
    /// An error once it is over.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if !self.is_over() {
            return Ok(());
        }
        let minutes = IN_VAIN_MS / 60_000;
        Err(Failure::passing(format!(
            "the API: the run waited {minutes} minutes without an answer; the next run continues from here"
        )))
    }

    /// Whether it is over.
    pub(super) fn is_over(&self) -> bool {
        self.0.in_vain_ms.get() >= IN_VAIN_MS
    }

    /// Waits by `wait`, and counts the time if that fails.
    pub(super) fn during<T>(
        &self,
        clock: &dyn Clock,
        wait: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let began_ms = clock.now_ms();
        let result = wait();
        if result.is_err() {
            self.in_vain(clock.now_ms().saturating_sub(began_ms));
        }
        result
    }

    /// Takes in how long the API wants to be left alone.
    pub(super) fn note_retry_after(&self, value: &str, now_ms: u64) {
        if let Some(ms) = hold::wait_ms(value, now_ms) {
            self.0.until_ms.set(self.0.until_ms.get().max(now_ms.saturating_add(ms)));
        }
    }

    /// For how much longer it wants that, in milliseconds.
    pub(super) fn wanted_ms(&self, now_ms: u64) -> u64 {
        self.0.until_ms.get().saturating_sub(now_ms)
    }

    /// Whether there is patience for leaving it alone for so long.
    pub(super) fn allows(&self, ms: u64) -> bool {
        let held_ms = self.0.held_ms.get().saturating_add(ms);
        let allowed = held_ms < IN_VAIN_MS;
        if allowed {
            self.0.held_ms.set(held_ms);
        }
        allowed
    }

    /// It has done what it was asked.
    pub(super) fn was_served(&self) {
        self.0.held_ms.set(0);
    }

    fn in_vain(&self, ms: u64) {
        self.0.in_vain_ms.set(self.0.in_vain_ms.get().saturating_add(ms));
    }

    fn answered(&self) {
        self.0.in_vain_ms.set(0);
    }
}

/// An answer of which the body is still to be read.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) body: Paced<'a>,
}

/// A body that may neither trickle nor go on for ever. Only the time that it was waited for counts: its reader may take as long as it likes.
pub(super) struct Paced<'a> {
    body: Box<dyn Body>,
    clock: &'a dyn Clock,
    patience: Patience,
    longest_ms: u64,
    waited_ms: u64,
    bytes: u64,
    useful: bool,
}

impl<'a> Paced<'a> {
    pub(super) fn new(body: Box<dyn Body>, clock: &'a dyn Clock, patience: Patience) -> Self {
        Self { body, clock, patience, longest_ms: LONGEST_MS, waited_ms: 0, bytes: 0, useful: false }
    }

    /// Sets another longest time.
    pub(super) fn within(&mut self, longest_ms: u64) {
        self.longest_ms = longest_ms;
    }

    /// What came of it is of use, even if it breaks off.
    pub(super) fn is_of_use(&mut self) {
        if !self.useful {
            self.useful = true;
            self.patience.answered();
        }
    }

    /// The next piece; `None` at the end.
    pub(super) fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let began_ms = self.clock.now_ms();
        let piece = self.body.chunk();
        self.waited_ms += self.clock.now_ms().saturating_sub(began_ms);
        let piece = piece.and_then(|piece| {
            self.bytes += piece.as_ref().map_or(0, |piece| piece.len() as u64);
            if piece.is_some() && self.is_too_slow() { Err(self.too_slow()) } else { Ok(piece) }
        });
        match &piece {
            Ok(None) => self.patience.answered(),
            Ok(Some(_)) => {}
            Err(_) if self.useful => {}
            Err(_) => self.patience.in_vain(self.waited_ms),
        }
        piece
    }

    fn is_too_slow(&self) -> bool {
        let trickles = self.waited_ms > GRACE_MS
            && self.bytes.saturating_mul(1000) < self.waited_ms.saturating_mul(PACE);
        trickles || self.waited_ms > self.longest_ms
    }

    fn too_slow(&self) -> Failure {
        let (bytes, seconds) = (self.bytes, self.waited_ms / 1000);
        Failure::passing(format!(
            "the API: an answer came too slowly, {bytes} bytes in {seconds} s, and was given up; is the API, or a gateway before it, overloaded?"
        ))
    }
}

#[cfg(test)]
mod tests;
