//! A whole sender, on a clock of its own, with receivers that do what a script says.

use std::collections::BTreeSet;

use serde_json::json;
use whiskjack::lumberjack::{Backoff, Goal, Options, Protocol, Sender, Step, write_pairs};
use whiskjack::ports::{Step as TransportStep, TransportError};

use crate::receiver::Connection;
use crate::script::Script;

/// Far more than any story takes.
const MOST_STEPS: usize = 50_000;
const BEGIN_MS: u64 = 1_700_000_000_000;

/// What receivers do when the script is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Good,
    Silent,
    Resetting,
    Refusing,
}

/// The sender, its receivers, and what must be true of them.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    script: Script<'a>,
    protocol: Protocol,
    /// Nothing is compressed.
    bare: bool,
    sender: Sender,
    connection: Connection,
    ending: Ending,
    /// Receivers reset the connection for a window with this line.
    poison: Option<u64>,
    /// Receivers have done something else than to acknowledge whole windows, or to reset for the poison.
    disturbed: bool,
    now_ms: u64,
    stop_ms: u64,
    /// All lines must be settled in the end: there is time, receivers are well but for the poison, and there are other lines to try.
    must_settle: bool,
    /// Lines that were made, and those of them that were made before the last `clear`.
    made: u64,
    cleared: u64,
    /// Lines that a receiver has acknowledged.
    acknowledged: BTreeSet<u64>,
    /// How many lines the sender calls settled, of those since `cleared`.
    settled: u64,
    /// Lines before this one were settled when the newest window began.
    settled_before: u64,
    /// Lines that were set aside.
    aside: BTreeSet<u64>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut script = Script::new(bytes);
        let protocol = script.one_of([Protocol::V2, Protocol::V1]);
        let options = Options {
            protocol,
            window_events: 1 + script.below(20),
            window_bytes: script.one_of([2 << 20, 1, 100, 1000]),
            in_flight: if protocol == Protocol::V2 { script.one_of([1, 2]) } else { 1 },
            compression_level: script.one_of([0, 1, 3, 9]),
            timeout_ms: script.one_of([30_000, 100, 5_000]),
            ttl_ms: script.one_of([0, 500]),
            slow_start: script.flag(),
            backoff: Backoff { init_ms: 10, max_ms: 100 },
        };
        let receivers = (0..=script.below(3)).map(|n| format!("receiver-{n}")).collect();
        let receiver_offset = script.one_of([None, Some(0), Some(1)]);
        let seed = u64::from(script.byte());
        let stop_ms = BEGIN_MS + script.one_of([3_600_000, 50, 1_000, 60_000]);
        let ending = script.one_of([Ending::Good, Ending::Silent, Ending::Resetting, Ending::Refusing]);
        let poison = script.flag().then(|| u64::from(script.below(16)));
        Self {
            bare: options.compression_level == 0,
            sender: Sender::new(options, receivers, receiver_offset, seed),
            connection: Connection::default(),
            disturbed: false,
            must_settle: ending == Ending::Good && stop_ms - BEGIN_MS == 3_600_000,
            now_ms: BEGIN_MS,
            made: 0,
            cleared: 0,
            acknowledged: BTreeSet::new(),
            settled: 0,
            settled_before: 0,
            aside: BTreeSet::new(),
            script,
            protocol,
            ending,
            poison,
            stop_ms,
        }
    }

    pub(super) fn play(mut self) {
        for _ in 0..=self.script.below(3) {
            self.make();
            self.must_settle &= self.made - self.cleared > 1;
            let goal = self.script.one_of([Goal::Settled, Goal::Room, Goal::Sent]);
            self.reach(goal);
            if self.script.below(8) == 7 {
                self.clear();
            }
        }
        self.reach(Goal::Settled);
        let over = self.sender.given_up().is_some() || self.sender.is_out_of_time();
        assert!(over || self.sender.outbox().is_empty(), "it stopped for no reason");
        if self.must_settle && !self.disturbed {
            assert!(!over, "one bad line stops all: {:?}", self.sender.given_up());
            let poison = self.poison.filter(|line| (self.cleared..self.made).contains(line));
            assert!(
                poison.is_none_or(|line| self.aside.contains(&line)),
                "nobody took it, and it was not set aside"
            );
        }
    }

    /// Some lines more, one of them large now and then: more than is written at once, if it is not compressed.
    fn make(&mut self) {
        let large = self.script.byte();
        let large = (large > 240 && self.bare).then(|| self.made + u64::from(large % 4));
        // It would be no witness.
        self.must_settle &= large.is_none();
        for _ in 0..self.script.below(24) {
            let (line, size) = (self.made.to_string(), if large == Some(self.made) { 70_000 } else { 8 });
            let more = "x".repeat(size);
            let protocol = self.protocol;
            let write = |out: &mut Vec<u8>| match protocol {
                Protocol::V1 => {
                    write_pairs(out, &[("line", &line), ("more", &more)]);
                    Ok(())
                }
                Protocol::V2 => serde_json::to_writer(out, &json!({"line": line, "more": more})),
            };
            self.sender.outbox().push(write).unwrap();
            self.made += 1;
        }
    }

    fn clear(&mut self) {
        self.sender.clear();
        self.cleared = self.made;
        self.settled = 0;
        self.check();
    }

    /// Does as the sender says until it says that it is done.
    fn reach(&mut self, goal: Goal) {
        for _ in 0..MOST_STEPS {
            match self.sender.step(self.now_ms, goal, self.stop_ms) {
                Step::Done => return,
                Step::Close => self.connection = Connection::default(),
                Step::Pause { ms } => self.now_ms += ms,
                Step::Connect { timeout_ms, .. } => self.connect(timeout_ms),
                Step::Write { bytes, timeout_ms } => {
                    let bytes = bytes.to_vec();
                    self.write(&bytes, timeout_ms);
                }
                Step::Read { timeout_ms } => self.read(timeout_ms),
            }
            self.check();
        }
        panic!("it does not come to an end");
    }

    fn connect(&mut self, timeout_ms: u64) {
        self.connection = Connection::default();
        let act = if self.script.is_over() { 0 } else { self.script.below(16) };
        let result = match act {
            _ if self.script.is_over() && self.ending == Ending::Refusing => failed(TransportStep::Connect),
            13 => failed(TransportStep::Resolve),
            14 => lasting(TransportStep::Handshake),
            15 => {
                self.now_ms += timeout_ms;
                failed(TransportStep::Timeout)
            }
            _ => Ok(()),
        };
        self.disturbed |= result.is_err();
        self.sender.connected(self.now_ms, result);
    }

    fn write(&mut self, bytes: &[u8], timeout_ms: u64) {
        if !self.connection.is_inside_window() {
            self.settled_before = self.cleared + self.settled;
        }
        for lines in self.connection.take(bytes) {
            // Only the frame that proves that a receiver is well goes out again after it was acknowledged.
            let settled = self.settled_before;
            let again = lines.iter().filter(|line| **line < settled).count();
            assert!(again == 0 || lines.len() == 1, "{lines:?} go out, settled before {settled}");
        }
        let act = if self.script.is_over() { 0 } else { self.script.below(16) };
        let result = match act {
            14 => failed(TransportStep::Write),
            15 => {
                self.now_ms += timeout_ms;
                failed(TransportStep::Timeout)
            }
            _ => Ok(()),
        };
        self.disturbed |= result.is_err();
        self.sender.written(self.now_ms, result);
    }

    fn read(&mut self, timeout_ms: u64) {
        // Most looks show nothing.
        let nothing = timeout_ms == 0 && (self.script.is_over() || self.script.below(4) != 0);
        let answer = if nothing { Err(failed_at(TransportStep::Timeout)) } else { self.answer(timeout_ms) };
        match &answer {
            Ok(bytes) => self.connection.answer(bytes, &mut self.acknowledged),
            Err(error) if error.step == TransportStep::Timeout => self.now_ms += timeout_ms,
            Err(_) => {}
        }
        self.sender.received(self.now_ms, answer.as_deref().map_err(Clone::clone));
    }

    /// What a receiver answers.
    fn answer(&mut self, timeout_ms: u64) -> Result<Vec<u8>, TransportError> {
        let poisoned = |line: &u64| Some(*line) == self.poison;
        if self.connection.window().is_some_and(|window| window.lines.iter().any(poisoned)) {
            return Err(failed_at(TransportStep::Read));
        }
        let all = self.connection.window().map_or(0, |window| window.count);
        let act = match (self.script.is_over(), self.ending) {
            (true, Ending::Good) => 0,
            (true, Ending::Resetting) => 9,
            (true, _) => 10,
            (false, _) => self.script.below(16),
        };
        let whole = self.connection.window().is_none_or(|window| window.lines.len() as u64 == u64::from(all));
        self.disturbed |= act > 4 || !whole;
        match act {
            0..=4 => return Ok(ack(all)),
            5 | 6 => return Ok(ack(self.script.below(256) % (all + 1))),
            7 => self.now_ms += timeout_ms / 3,
            8 => return Ok(Vec::new()),
            9 => return Err(failed_at(TransportStep::Read)),
            10 => return Err(failed_at(TransportStep::Timeout)),
            11 => return Ok(self.script.bytes().to_vec()),
            12 => return Ok(ack(0).repeat(1 + 4 * usize::from(self.script.byte()))),
            13 => return Ok(self.connection.counts().flat_map(ack).collect()),
            14 => return Err(TransportError { retryable: false, ..failed_at(TransportStep::Handshake) }),
            _ => return Ok([ack(self.script.below(256)), ack(all)].concat()),
        }
        Ok(ack(0))
    }

    /// What must be true at any time.
    fn check(&mut self) {
        let before = self.cleared + self.settled;
        let settled = u64::from(self.sender.take_settled());
        let aside: BTreeSet<u64> =
            self.sender.take_set_aside().into_iter().map(|event| self.cleared + event).collect();
        for line in before..before + settled {
            assert!(self.acknowledged.contains(&line) || aside.contains(&line), "nobody has {line}");
        }
        assert!(aside.iter().all(|line| (before..before + settled).contains(line)), "{aside:?}");
        assert!(self.disturbed || aside.iter().all(|line| Some(*line) == self.poison), "{aside:?}");
        let counts = self.sender.take_counts();
        assert!(counts.resent <= counts.sent);
        self.settled += settled;
        self.aside.extend(aside);
        let left = self.sender.outbox().len() as u64;
        assert_eq!(self.cleared + self.settled + left, self.made, "a line is gone, or there is one too many");
    }
}

fn ack(sequence: u32) -> Vec<u8> {
    [&b"2A"[..], &sequence.to_be_bytes()].concat()
}

fn failed_at(step: TransportStep) -> TransportError {
    TransportError { step, retryable: true, message: "failed".into() }
}

fn failed(step: TransportStep) -> Result<(), TransportError> {
    Err(failed_at(step))
}

fn lasting(step: TransportStep) -> Result<(), TransportError> {
    Err(TransportError { retryable: false, ..failed_at(step) })
}
