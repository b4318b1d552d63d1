//! The outbox: events in order, each from the moment it is written as a frame until it is settled.

use super::frame::{self, Protocol};
use std::collections::{BTreeSet, VecDeque};

/// Largest event, in bytes of its frame's payload. Receivers take 16 MiB (facts/lumberjack.md 2.7), Logstash 20,000,000 characters of text;
/// OpenWhisk's logs hold 10 MB a run. What is larger is for its writer to cut.
pub const LARGEST_EVENT: usize = 10 << 20;

/// With less space than this left, in bytes, settled events make room first.
const SPARE: usize = 64 << 10;

/// Events as frames. They are numbered from 0 on, in the order they came; the numbers of a window's frames are set when it is made.
#[derive(Debug, Default)]
pub struct Outbox {
    protocol: Protocol,
    /// Frames one behind the other, the first `offset` bytes settled already.
    frames: Vec<u8>,
    offset: usize,
    /// Where each event ends that is not settled: counted over all bytes ever written.
    ends: VecDeque<u64>,
    /// Number of the first event that is not settled.
    first: u64,
    /// Where it begins: counted like `ends`.
    begin: u64,
    /// How many of the events that are not settled are on their way, or were taken out of turn.
    sent: usize,
    /// Numbers of events that a receiver has acknowledged out of turn. They are settled when all before them are.
    taken: BTreeSet<u64>,
}

impl Outbox {
    /// An empty outbox.
    pub fn new(protocol: Protocol) -> Self {
        Self { protocol, ..Self::default() }
    }

    /// Adds an event with the payload that `write` writes.
    pub fn push<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        self.reclaim();
        self.protocol.event(&mut self.frames, write)?;
        let end = self.begin + (self.frames.len() - self.offset) as u64;
        self.ends.push_back(end);
        Ok(())
    }

    /// Number of the first event that is not settled.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Events that are not settled.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether everything is settled.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Number of the first event that is not on its way.
    pub fn next(&self) -> u64 {
        self.first + self.sent as u64
    }

    /// Events that are not on their way.
    pub fn waiting(&self) -> usize {
        self.ends.len() - self.sent
    }

    /// Bytes of the frames that are not on their way.
    pub fn waiting_bytes(&self) -> u64 {
        let last = self.ends.back().copied().unwrap_or(self.begin);
        last - self.begin_of(self.sent)
    }

    /// How many events from number `first` on fit into `bytes` and stand side by side; at least one, if there is one.
    pub fn fitting(&self, first: u64, bytes: u64) -> u32 {
        let there = self.ends.len().saturating_sub(self.position(first)).min(1);
        let fitting = self.whole(first, bytes).max(u32::try_from(there).unwrap_or(1));
        let gap = self.taken.range(first..).next().map_or(u64::MAX, |taken| taken - first);
        fitting.min(u32::try_from(gap).unwrap_or(u32::MAX))
    }

    /// How many whole frames of the window that begins with event `first` the first `bytes` bytes hold.
    pub fn whole(&self, first: u64, bytes: u64) -> u32 {
        let skipped = self.position(first);
        let begin = self.begin_of(skipped);
        let upto = self.ends.partition_point(|end| *end <= begin.saturating_add(bytes));
        u32::try_from(upto.saturating_sub(skipped)).unwrap_or(u32::MAX)
    }

    /// The frames of a window of `count` events from number `first` on, numbered 1..`count`.
    ///
    /// Numbering restarts in every window, also when the rest of one is sent again: only then do all receivers agree on what an ack
    /// means (facts/lumberjack.md 0, rows 1 and 2).
    pub fn window(&mut self, first: u64, count: u32) -> &[u8] {
        let skipped = self.position(first);
        let begin = self.begin_of(skipped);
        let at = self.offset + usize::try_from(begin - self.begin).unwrap_or(usize::MAX);
        let mut frame = begin;
        let mut end = at;
        for (sequence, &next) in (1..=count).zip(self.ends.range(skipped.min(self.ends.len())..)) {
            if let Some(bytes) = self.frames.get_mut(end..) {
                frame::number(bytes, sequence);
            }
            end += usize::try_from(next - frame).unwrap_or(usize::MAX);
            frame = next;
        }
        self.frames.get(at..end).unwrap_or_default()
    }

    /// The frame of an event that is not settled.
    pub fn frame(&self, number: u64) -> &[u8] {
        let position = self.position(number);
        let begin = self.begin_of(position);
        let end = self.ends.get(position).copied().unwrap_or(begin);
        let at = |place: u64| self.offset + usize::try_from(place - self.begin).unwrap_or(usize::MAX);
        self.frames.get(at(begin)..at(end)).unwrap_or_default()
    }

    /// The next `count` events are on their way.
    pub fn send(&mut self, count: u32) {
        self.sent = self.ends.len().min(self.sent + count as usize);
        while self.taken.contains(&self.next()) {
            self.sent += 1;
        }
    }

    /// Nothing is on its way any more.
    pub fn rewind(&mut self) {
        self.sent = 0;
    }

    /// Numbers of the events that no receiver has acknowledged.
    pub fn open(&self) -> Vec<u64> {
        let end = self.first + self.ends.len() as u64;
        (self.first..end).filter(|number| !self.taken.contains(number)).collect()
    }

    /// Event `number` was acknowledged out of turn: it is not sent again.
    pub fn take(&mut self, number: u64) {
        self.taken.insert(number);
    }

    /// The first `count` events are settled, and those behind them that were taken out of turn. Returns how many that is together.
    pub fn settle(&mut self, count: u32) -> u32 {
        let mut settled = 0;
        while settled < count || self.taken.remove(&self.first) {
            let Some(end) = self.ends.pop_front() else { break };
            self.offset += usize::try_from(end - self.begin).unwrap_or(usize::MAX);
            self.begin = end;
            self.first += 1;
            self.sent = self.sent.saturating_sub(1);
            settled += 1;
        }
        settled
    }

    /// Forgets all events and counts from 0 again. Keeps the memory for the next ones.
    pub fn clear(&mut self) {
        let mut frames = std::mem::take(&mut self.frames);
        frames.clear();
        *self = Self { protocol: self.protocol, frames, ..Self::default() };
    }

    /// Gives the bytes of settled events back, as soon as that moves less than it frees, or saves the buffer from growing.
    fn reclaim(&mut self) {
        let spare = self.frames.capacity() - self.frames.len();
        if self.offset > self.frames.len() / 2 || (self.offset > 0 && spare < SPARE) {
            self.frames.drain(..self.offset);
            self.offset = 0;
        }
    }

    fn position(&self, number: u64) -> usize {
        usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }

    fn begin_of(&self, position: usize) -> u64 {
        let last = position.checked_sub(1).map(|before| before.min(self.ends.len().saturating_sub(1)));
        last.and_then(|last| self.ends.get(last)).copied().unwrap_or(self.begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn push(outbox: &mut Outbox, payload: &str) {
        let write = |out: &mut Vec<u8>| {
            out.extend_from_slice(payload.as_bytes());
            Ok::<(), Infallible>(())
        };
        outbox.push(write).unwrap();
    }

    fn outbox(payloads: &[&str]) -> Outbox {
        let mut outbox = Outbox::new(Protocol::V2);
        payloads.iter().for_each(|payload| push(&mut outbox, payload));
        outbox
    }

    #[test]
    fn the_rest_of_a_window_is_numbered_from_1_again() {
        let mut outbox = outbox(&["{\"a\":1}", "{}", "{\"c\":3}"]);
        assert_eq!(
            outbox.window(0, 3),
            b"2J\0\0\0\x01\0\0\0\x07{\"a\":1}2J\0\0\0\x02\0\0\0\x02{}2J\0\0\0\x03\0\0\0\x07{\"c\":3}"
        );
        assert_eq!(outbox.window(1, 2), b"2J\0\0\0\x01\0\0\0\x02{}2J\0\0\0\x02\0\0\0\x07{\"c\":3}");
        outbox.settle(2);
        assert_eq!(outbox.window(2, 1), b"2J\0\0\0\x01\0\0\0\x07{\"c\":3}");
    }

    #[test]
    fn settled_events_make_room_and_numbers_go_on() {
        let mut outbox = outbox(&["{}", "{}"]);
        outbox.send(2);
        outbox.settle(2);
        assert!(outbox.is_empty());
        push(&mut outbox, "{\"n\":2}");
        assert_eq!((outbox.first(), outbox.next(), outbox.waiting()), (2, 2, 1));
        assert_eq!(outbox.frames.len(), 17, "the first two are gone");
        assert_eq!(outbox.window(2, 1), b"2J\0\0\0\x01\0\0\0\x07{\"n\":2}");
    }

    #[test]
    fn a_window_is_cut_by_bytes_but_never_below_one_event() {
        let outbox = outbox(&["{}", "{}", "{\"a\":1}"]);
        assert_eq!([11, 12, 23, 24, 40, 41].map(|bytes| outbox.fitting(0, bytes)), [1, 1, 1, 2, 2, 3]);
        assert_eq!([0, 17].map(|bytes| outbox.fitting(2, bytes)), [1, 1]);
        assert_eq!(outbox.fitting(3, 99), 0);
        assert_eq!([11, 12, 24].map(|bytes| outbox.whole(0, bytes)), [0, 1, 2]);
    }

    #[test]
    fn what_is_on_its_way_is_not_waiting_until_it_is_taken_back() {
        let mut outbox = outbox(&["{}", "{}", "{\"a\":1}"]);
        outbox.send(1);
        assert_eq!((outbox.next(), outbox.waiting(), outbox.waiting_bytes()), (1, 2, 29));
        outbox.rewind();
        assert_eq!((outbox.next(), outbox.waiting(), outbox.waiting_bytes()), (0, 3, 41));
    }

    #[test]
    fn what_was_taken_out_of_turn_is_left_out_and_settled_with_those_before_it() {
        let mut outbox = outbox(&["{}", "{}", "{}", "{}", "{}"]);
        [2, 4].into_iter().for_each(|number| outbox.take(number));
        assert_eq!((outbox.fitting(0, 999), outbox.open()), (2, vec![0, 1, 3]), "side by side");
        outbox.send(2);
        assert_eq!((outbox.next(), outbox.waiting()), (3, 2));
        assert_eq!(outbox.fitting(3, 999), 1);
        outbox.send(1);
        assert_eq!((outbox.next(), outbox.waiting()), (5, 0));
        assert_eq!((outbox.settle(2), outbox.first()), (3, 3));
        outbox.rewind();
        assert_eq!(outbox.next(), 3);
        assert_eq!((outbox.settle(1), outbox.is_empty()), (2, true));
    }

    #[test]
    fn an_event_that_cannot_be_written_leaves_nothing() {
        let mut outbox = outbox(&["{}"]);
        outbox
            .push(|out| {
                out.extend_from_slice(b"{\"half");
                Err("no")
            })
            .unwrap_err();
        assert_eq!((outbox.len(), outbox.window(0, 9).len()), (1, 12));
    }
}
