//! Reactions to a connection or a receiver that fails, or to the end of the time.

use super::flight::Window;
use super::isolation::Verdict;
use super::rotation::Retry;
use super::{Link, NARROW_MS, PATIENT_MS, Sender};
use crate::ports::Failure;

impl Sender {
    /// The time is up. A receiver that had time to answer, or failed before, is to blame; otherwise nobody is.
    pub(super) fn run_out(&mut self, now_ms: u64) {
        self.end.out_of_time = true;
        if !self.flight.is_empty() {
            let waited = self.flight.unmoved(now_ms);
            if waited >= PATIENT_MS {
                self.rotation.note(&self.flight.silent(waited));
            }
            self.abandon();
        }
        if self.rotation.has_failures() {
            self.give_up();
        }
    }

    /// The connection broke. What it means depends on what was on it.
    pub(super) fn reset(&mut self, now_ms: u64, message: &str, lasting: bool) {
        // While an event is isolated, a connection that was just good does not break by lying idle.
        let reused = matches!(&self.link, Link::Up(up) if up.reused) && !self.isolation.is_active();
        let window = self.flight.first().copied();
        self.abandon();
        // Closed while it lay idle, as receivers do after a minute: that is not a failure.
        if reused && !lasting {
            return;
        }
        if let Some(Window { first, count, acknowledged: 0, .. }) = window
            && !lasting
        {
            self.small.closed(first, count);
            match self.isolation.reset(first, count, &self.outbox.open(), !self.witness.is_empty()) {
                Verdict::Open => {}
                Verdict::Narrowed => {
                    self.rotation.advance();
                    return self.pause(now_ms, NARROW_MS);
                }
                Verdict::Hopeless => {
                    let message = format!("{message}; it does so with every window, also with single lines");
                    self.end.given_up = Some(Failure::passing(self.rotation.named(&message)));
                    return;
                }
            }
        }
        self.failed(now_ms, message, lasting);
    }

    /// The connection is of no use any more.
    pub(super) fn give_up_connection(&mut self, now_ms: u64, message: &str, lasting: bool) {
        self.abandon();
        self.failed(now_ms, message, lasting);
    }

    /// A receiver has failed: goes to the next, or gives up.
    pub(super) fn failed(&mut self, now_ms: u64, message: &str, lasting: bool) {
        self.pace.shrink();
        let give_up = match self.rotation.failed(message, lasting) {
            Retry::After(ms) if now_ms.saturating_add(ms) < self.stop_ms => {
                self.pause_until_ms = now_ms.saturating_add(ms);
                false
            }
            _ => true,
        };
        if give_up {
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        let (message, retryable) = self.rotation.reasons();
        self.end.given_up = Some(Failure { message, retryable });
    }
}
