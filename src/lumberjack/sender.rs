//! The sender: it decides the next step, so that some receiver acknowledges every event, whatever receivers do.
//!
//! A driver asks for the next [`Step`], does it, and reports the outcome:
//!
//! ```text
//! loop { match sender.step(now, goal, stop) {
//!     Connect { receiver, timeout_ms } => sender.connected(now, connect(receiver, timeout_ms)),
//!     Write { bytes, timeout_ms }      => sender.written(now, write(bytes, timeout_ms)),
//!     Read { timeout_ms }              => sender.received(now, read(timeout_ms)),
//!     Close                            => close(),
//!     Pause { ms }                     => sleep(ms),
//!     Done                             => break,
//! } }
//! ```
//!
//! Times are milliseconds on the caller's clock.

mod failing;
mod flight;
mod incoming;
mod isolation;
mod options;
mod pace;
mod parts;
mod rotation;
mod small;

pub use options::Options;
pub use rotation::Backoff;

use super::ack::AckReader;
use super::codec::Deflate;
use super::counts::Counts;
use super::frame::Protocol;
use super::outbox::Outbox;
use crate::ports::{Failure, Step as TransportStep, TransportError};
use flight::{Flight, Window};
use isolation::{Isolation, Trial};
use pace::Pace;
use parts::{End, Link, Listening, Outgoing, Results, Up};
use rotation::Rotation;
use small::SmallWindows;

/// Longest time to open a connection; below the 10 s after which receivers give up on a silent peer (docs/facts/lumberjack.md 2.5).
const CONNECT_MS: u64 = 9_000;
/// With less time left than this no window is sent: its ack would come too late, and its lines twice.
const LAST_WINDOW_MS: u64 = 100;
/// A receiver that was silent for less than this when the time ran out is not to blame: it may only have been asked too late.
const PATIENT_MS: u64 = 5_000;
/// Pause before a smaller window is tried, or a probe: their number is small.
const NARROW_MS: u64 = 100;
/// Bytes written at once. Between two pieces it is looked what the receiver says.
const PIECE: usize = 64 << 10;
/// Largest frame that is kept as a witness, in bytes.
const WITNESS: usize = 64 << 10;
/// Signs of life without progress, after which it is not a receiver, however fast they come.
const FLOOD: u64 = 10_000;
/// How long the only receiver may say that it lives and do nothing else: an output that comes back within minutes (a restart, a full disk) is
/// waited for, as going away and coming back sends it the same lines again. One that takes longer is left to the next run: a run without a
/// deadline would keep its lock for hours.
const STALLED_MS: u64 = 5 * 60_000;

/// The caller's goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Room for more events: less than a window waits to be sent.
    Room,
    /// Everything on its way.
    Sent,
    /// Everything settled.
    Settled,
}

/// The next step.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Open a connection to this receiver, by its place in the configuration. Answered by [`Sender::connected`].
    Connect {
        /// Its place.
        receiver: usize,
        /// Limit for all of it.
        timeout_ms: u64,
    },
    /// Write all of these bytes. Answered by [`Sender::written`].
    Write {
        /// The bytes to write.
        bytes: &'a [u8],
        /// Limit for all of it.
        timeout_ms: u64,
    },
    /// Read the bytes that are there. Answered by [`Sender::received`].
    Read {
        /// How long to wait for the first byte; 0 to check without waiting.
        timeout_ms: u64,
    },
    /// Close the connection.
    Close,
    /// Wait, then ask again.
    Pause {
        /// How long.
        ms: u64,
    },
    /// The goal is reached, or cannot be: see [`Sender::given_up`] and [`Sender::is_out_of_time`].
    Done,
}

/// The sender.
#[derive(Debug)]
pub struct Sender {
    options: Options,
    outbox: Outbox,
    deflate: Deflate,
    link: Link,
    flight: Flight,
    outgoing: Outgoing,
    listening: Listening,
    rotation: Rotation,
    isolation: Isolation,
    small: SmallWindows,
    pace: Pace,
    pause_until_ms: u64,
    stop_ms: u64,
    end: End,
    results: Results,
    /// The event after the last that was ever written.
    first_unwritten: u64,
    /// The frame of an event that was acknowledged, alone in its window.
    witness: Vec<u8>,
}

impl Sender {
    /// A sender to receivers with these names (for messages). `receiver_offset` says with which to begin, for workers that share the load;
    /// otherwise chance decides. All random choices follow from `seed`.
    pub fn new(options: Options, receivers: Vec<String>, receiver_offset: Option<usize>, seed: u64) -> Self {
        let mut outbox = Outbox::new(options.protocol);
        // One window on its way, and one that fills; events are half as long as their frames where records have several.
        let window = usize::try_from(options.window_bytes).unwrap_or_default();
        outbox.reserve(2 * options.window_events as usize, window + (window >> 3));
        Self {
            outbox,
            deflate: Deflate::new(options.compression_level),
            link: Link::Down,
            flight: Flight::default(),
            outgoing: Outgoing { bytes: Vec::with_capacity(window / 2), written: 0 },
            listening: Listening::default(),
            rotation: Rotation::new(receivers, options.backoff, receiver_offset, seed),
            isolation: Isolation::default(),
            small: SmallWindows::default(),
            pace: Pace::new(options.slow_start, options.window_events),
            pause_until_ms: 0,
            stop_ms: u64::MAX,
            end: End::default(),
            results: Results::default(),
            first_unwritten: 0,
            witness: Vec::new(),
            options,
        }
    }

    /// The events, to add some.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// Whether the events that wait make a window.
    pub fn is_full(&self) -> bool {
        self.outbox.waiting() >= self.pace.size() as usize
            || self.outbox.waiting_bytes() >= self.options.window_bytes
    }

    /// The reason why nothing more can be sent in this run, if there is one.
    pub fn given_up(&self) -> Option<&Failure> {
        self.end.given_up.as_ref()
    }

    /// Whether the time was not enough, for which no receiver is to blame.
    pub fn is_out_of_time(&self) -> bool {
        self.end.out_of_time
    }

    /// How many events are settled since the last call: acknowledged, or set aside.
    pub fn take_settled(&mut self) -> u32 {
        std::mem::take(&mut self.results.settled)
    }

    /// Numbers of the events that were set aside since the last call, because receivers reset the connection for them and for no other
    /// events. They count as settled.
    pub fn take_set_aside(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.results.set_aside)
    }

    /// Receivers that have failed while another one got the lines, since the last call: name and reason, each once.
    pub fn take_passed_over(&mut self) -> Vec<(String, String)> {
        self.rotation.take_passed_over()
    }

    /// The work since the last call.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.results.counts)
    }

    /// Forgets all events; they count from 0 again. A connection with a window on its way is closed.
    pub fn clear(&mut self) {
        if !self.flight.is_empty() {
            self.abandon();
        }
        self.outbox.clear();
        self.isolation = Isolation::default();
        self.small.clear();
        self.first_unwritten = 0;
    }

    /// The next step. `stop_ms` is the time at which the sender must end.
    pub fn step(&mut self, now_ms: u64, goal: Goal, stop_ms: u64) -> Step<'_> {
        self.stop_ms = stop_ms;
        if self.link == Link::Closing {
            self.link = Link::Down;
            return Step::Close;
        }
        if self.reached(goal) || self.end.given_up.is_some() || self.end.out_of_time {
            self.listening.quiet_since_ms = None;
            return Step::Done;
        }
        let last = if self.flight.is_empty() { LAST_WINDOW_MS } else { 1 };
        if now_ms.saturating_add(last) > stop_ms {
            self.run_out(now_ms);
            return if self.link == Link::Closing { Step::Close } else { Step::Done };
        }
        if now_ms < self.pause_until_ms {
            return Step::Pause { ms: self.pause_until_ms - now_ms };
        }
        if self.is_too_old(now_ms) {
            self.link = Link::Down;
            return Step::Close;
        }
        let left = stop_ms - now_ms;
        let Link::Up(up) = &mut self.link else {
            self.listening.asked_ms = now_ms;
            return Step::Connect { receiver: self.rotation.receiver(), timeout_ms: CONNECT_MS.min(left) };
        };
        let more_to_write = !self.outgoing.is_written();
        let begins =
            !more_to_write && Self::may_begin(&self.flight, &self.outbox, &self.isolation, &self.options);
        if (more_to_write && up.look_between) || (begins && self.flight.is_empty() && up.used && !up.looked) {
            self.listening.looking = true;
            return Step::Read { timeout_ms: 0 };
        }
        if begins {
            self.begin(now_ms);
        }
        if !self.outgoing.is_written() {
            let bytes = self.outgoing.bytes.get(self.outgoing.written..).unwrap_or_default();
            let bytes = bytes.get(..PIECE).unwrap_or(bytes);
            return Step::Write { bytes, timeout_ms: self.options.timeout_ms.min(left) };
        }
        let quiet_since = *self.listening.quiet_since_ms.get_or_insert(now_ms);
        let patience = self.flight.patience(self.options.timeout_ms);
        self.listening.asked_ms = now_ms;
        let timeout_ms = quiet_since.saturating_add(patience).saturating_sub(now_ms).clamp(1, left);
        Step::Read { timeout_ms }
    }

    /// Takes the outcome of [`Step::Connect`].
    pub fn connected(&mut self, now_ms: u64, result: Result<(), TransportError>) {
        match result {
            Ok(()) => {
                self.link = Link::Up(Up {
                    since_ms: now_ms,
                    used: false,
                    looked: false,
                    reused: false,
                    look_between: false,
                });
            }
            Err(error) if error.step == TransportStep::Timeout && self.is_late(now_ms) => {
                if now_ms.saturating_sub(self.listening.asked_ms) >= PATIENT_MS {
                    self.rotation.note(&error.message);
                }
                self.run_out(now_ms);
            }
            Err(error) => self.failed(now_ms, &error.message, !error.retryable),
        }
    }

    /// Takes the outcome of [`Step::Write`].
    pub fn written(&mut self, now_ms: u64, result: Result<(), TransportError>) {
        let piece = PIECE.min(self.outgoing.bytes.len() - self.outgoing.written);
        match result {
            Ok(()) => {
                self.outgoing.written += piece;
                let frames = self.options.compression_level == 0 && self.options.protocol == Protocol::V2;
                let whole = frames.then_some(&self.outbox);
                self.flight.wrote(now_ms, self.outgoing.written, self.outgoing.bytes.len(), whole);
                if let Link::Up(up) = &mut self.link {
                    up.look_between = !self.outgoing.is_written();
                }
            }
            Err(error) if error.step == TransportStep::Timeout => {
                if self.is_late(now_ms) {
                    self.run_out(now_ms);
                } else {
                    self.give_up_connection(now_ms, &error.message, false);
                }
            }
            Err(error) => self.reset(now_ms, &error.message, !error.retryable),
        }
    }

    /// Whether the goal is reached.
    fn reached(&self, goal: Goal) -> bool {
        match goal {
            Goal::Room => self.outgoing.is_written() && !self.is_full(),
            Goal::Sent => self.outgoing.is_written() && self.outbox.waiting() == 0,
            Goal::Settled => self.outbox.is_empty(),
        }
    }

    fn may_begin(flight: &Flight, outbox: &Outbox, isolation: &Isolation, options: &Options) -> bool {
        let most = if isolation.is_active() { 1 } else { options.in_flight };
        // The second window must differ from the first (see `begin`): a lone event cannot.
        flight.len() < most && outbox.waiting() > 0 && flight.last().is_none_or(|window| window.count > 1)
    }

    /// Makes the next window.
    fn begin(&mut self, now_ms: u64) {
        let (first, most, probe) = match self.isolation.trial() {
            None => (self.outbox.next(), u32::MAX, false),
            Some(Trial::Events(first, most)) => (first, most, false),
            Some(Trial::Probe(event)) => (event, 1, true),
            Some(Trial::Witness) => (self.outbox.first(), 1, true),
        };
        let most = most.min(self.pace.size());
        let mut count = self.outbox.fitting(first, self.options.window_bytes).min(most);
        // An ack that is repeated must not complete the window behind its own: that one is always smaller or larger by one.
        if self.flight.last().is_some_and(|before| before.count == count) {
            count -= 1;
        }
        if self.options.protocol == Protocol::V2 {
            count = self.small.count(count);
        }
        let witness = self.isolation.trial() == Some(Trial::Witness);
        let (outbox, kept) = (&self.outbox, &self.witness);
        let frames = |take: &mut dyn FnMut(&[u8])| match witness {
            true => take(kept),
            false => outbox.write_window(first, count, take),
        };
        self.outgoing.clear();
        self.outgoing.bytes.extend_from_slice(&self.options.protocol.window(count));
        // Version 1 is always compressed: Logstash cannot read a bare frame that TCP has cut (docs/facts/lumberjack.md 2.3).
        if self.options.compression_level == 0 && self.options.protocol == Protocol::V2 {
            frames(&mut |piece| self.outgoing.bytes.extend_from_slice(piece));
        } else {
            let at = self.outgoing.bytes.len();
            self.outgoing.bytes.extend_from_slice(&self.options.protocol.compressed(0));
            self.deflate.begin();
            frames(&mut |piece| self.deflate.feed(piece, &mut self.outgoing.bytes));
            self.deflate.finish(&mut self.outgoing.bytes);
            let header = self.options.protocol.compressed(self.outgoing.bytes.len() - at - 6);
            if let Some(space) = self.outgoing.bytes.get_mut(at..at + 6) {
                space.copy_from_slice(&header);
            }
        }
        let behind = !self.flight.is_empty();
        self.flight.begin(now_ms, Window { first, count, acknowledged: 0, written: 0, probe, behind });
        let end = first + u64::from(count);
        self.results.counts.sent += u64::from(count);
        self.results.counts.resent += self.first_unwritten.min(end).saturating_sub(first);
        self.first_unwritten = self.first_unwritten.max(end);
        if !probe {
            self.outbox.send(count);
        }
        if let Link::Up(up) = &mut self.link {
            up.reused = up.used && !behind;
            up.looked = false;
        }
    }

    fn pause(&mut self, now_ms: u64, ms: u64) {
        self.pause_until_ms = now_ms.saturating_add(self.rotation.jittered(ms));
    }

    /// Lets go of the connection and of what is on its way; that waits again.
    fn abandon(&mut self) {
        self.link = Link::Closing;
        self.flight.clear();
        self.outgoing.clear();
        self.listening.reader = AckReader::default();
        self.outbox.rewind();
        self.listening.quiet_since_ms = None;
    }

    /// Whether a connection that nothing is on has reached its age.
    fn is_too_old(&self, now_ms: u64) -> bool {
        let Link::Up(up) = &self.link else { return false };
        let age = now_ms.saturating_sub(up.since_ms);
        self.options.ttl_ms > 0 && self.flight.is_empty() && up.used && age >= self.options.ttl_ms
    }

    /// Whether the time that was left was less than a receiver may take.
    fn is_late(&self, now_ms: u64) -> bool {
        now_ms.saturating_add(LAST_WINDOW_MS) > self.stop_ms
    }
}

pub(super) fn seconds(ms: u64) -> String {
    let tenths = ms.saturating_add(50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}
