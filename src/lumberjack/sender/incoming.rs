//! Input from the receiver: acks, other bytes, the end, silence.

use super::isolation::Probed;
use super::{FLOOD, Link, STALLED_MS, Sender, WITNESS};
use crate::lumberjack::ack::{AckReader, ProtocolError};
use crate::ports::{Step as TransportStep, TransportError};

impl Sender {
    /// Takes the outcome of [`Step::Read`]: bytes, none if the receiver has closed its side, or an error.
    pub fn received(&mut self, now_ms: u64, result: Result<&[u8], TransportError>) {
        let looking = std::mem::take(&mut self.listening.looking);
        if !looking {
            self.results.counts.waited_ms += now_ms.saturating_sub(self.listening.asked_ms);
        }
        if let Link::Up(up) = &mut self.link {
            up.look_between = false;
            up.looked = looking;
        }
        match result {
            Err(error) if error.step == TransportStep::Timeout => {
                if !looking {
                    self.waited(now_ms);
                }
            }
            _ if self.flight.is_empty() => self.received_idle(result),
            Err(error) => self.reset(now_ms, &error.message, !error.retryable),
            Ok([]) => {
                let message = self.flight.closed();
                self.reset(now_ms, &message, false);
            }
            Ok(bytes) => self.take(now_ms, bytes),
        }
    }

    /// Takes bytes that came for a window on its way.
    fn take(&mut self, now_ms: u64, bytes: &[u8]) {
        self.listening.quiet_since_ms = Some(now_ms);
        if let Link::Up(up) = &mut self.link {
            up.reused = false;
        }
        self.listening.reader.push(bytes);
        while !self.flight.is_empty() {
            let credited = match self.listening.reader.next_ack() {
                Ok(Some(ack)) => self.credit(now_ms, ack.sequence),
                Ok(None) => return self.look_for_stall(now_ms),
                Err(error) => Err(error),
            };
            if let Err(error) = credited {
                return self.give_up_connection(now_ms, &error.to_string(), false);
            }
        }
        // What came after the last ack belongs to nothing: the next window must not get it.
        if !self.listening.reader.only_keep_alives() {
            self.link = Link::Closing;
        }
    }

    /// Credits an ack to the oldest window on its way.
    fn credit(&mut self, now_ms: u64, sequence: u32) -> Result<(), ProtocolError> {
        // Two on their way: only the last ack of a window is sure to be its own.
        let partial = self.options.in_flight == 1;
        let progress = self.flight.credit(now_ms, sequence, partial)?;
        let Some(progress) = progress else {
            self.results.counts.keep_alives += 1;
            return if self.flight.idle_acks() > FLOOD {
                Err(ProtocolError::Flood { acks: self.flight.idle_acks() })
            } else {
                Ok(())
            };
        };
        self.rotation.succeeded();
        if progress.probe {
            let Probed { taken, set_aside } = self.isolation.probed();
            if let Some(event) = taken {
                self.keep_witness(event);
                self.results.counts.acknowledged += 1;
                self.outbox.take(event);
                // It may be the first itself, and then the first suspect is the next.
                self.settle(0);
                self.isolation.acknowledged(self.outbox.first());
            }
            if let Some(event) = set_aside {
                self.results.set_aside.push(event);
                self.small.clear();
                self.settle(1);
            }
        } else {
            self.keep_witness(self.outbox.first() + u64::from(progress.events) - 1);
            self.results.counts.acknowledged += u64::from(progress.events);
            self.settle(progress.events);
            self.isolation.acknowledged(self.outbox.first());
        }
        self.results.counts.small_windows += u64::from(self.small.acknowledged(self.outbox.first()));
        if progress.complete {
            self.results.counts.windows += u64::from(!progress.probe);
            self.pace.grow();
            if let Link::Up(up) = &mut self.link {
                up.used = true;
            }
        }
        Ok(())
    }

    /// Keeps an acknowledged event that is not settled yet.
    fn keep_witness(&mut self, event: u64) {
        if self.outbox.whole(event, WITNESS as u64) > 0 {
            self.witness.clear();
            self.outbox.write_window(event, 1, |piece| self.witness.extend_from_slice(piece));
        }
    }

    fn settle(&mut self, events: u32) {
        self.results.settled += self.outbox.settle(events);
    }

    /// Something came of a connection on which nothing is on its way. Keep-alives are fine; anything else is a reason to take another one.
    fn received_idle(&mut self, result: Result<&[u8], TransportError>) {
        let fine = result.is_ok_and(|bytes| {
            self.listening.reader.push(bytes);
            !bytes.is_empty() && self.listening.reader.only_keep_alives()
        });
        if !fine {
            self.listening.reader = AckReader::default();
            self.link = Link::Closing;
        }
    }

    /// Nothing came for as long as it was waited.
    fn waited(&mut self, now_ms: u64) {
        let patience = self.flight.patience(self.options.timeout_ms);
        let quiet = now_ms.saturating_sub(self.listening.quiet_since_ms.unwrap_or(now_ms));
        if quiet >= patience {
            let message = self.flight.silent(quiet);
            self.give_up_connection(now_ms, &message, false);
        }
    }

    /// A receiver that only says that it lives has its time too: less if there is another one.
    fn look_for_stall(&mut self, now_ms: u64) {
        let limit = self.options.timeout_ms.saturating_mul(2);
        let left_for_another = self.rotation.has_others() && self.flight.unmoved(now_ms) >= limit;
        if left_for_another || self.flight.stuck(now_ms) >= limit.max(STALLED_MS) {
            let message = self.flight.silent(self.flight.unmoved(now_ms));
            self.give_up_connection(now_ms, &message, false);
        }
    }
}
