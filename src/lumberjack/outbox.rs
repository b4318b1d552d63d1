//! The outbox: events in order, each from the moment it is written until it is settled.

use super::frame::Protocol;
use crate::sorted::Map;
use std::collections::VecDeque;
use std::rc::Rc;

/// Largest event, in bytes of its frame's payload. Receivers take 16 MiB (docs/facts/lumberjack.md 2.7), Logstash 20,000,000 characters of
/// text; OpenWhisk's logs hold 10 MB for each activation. The writer of an event cuts larger ones.
pub const LARGEST_EVENT: usize = 10 << 20;

/// With less space than this left, in bytes, settled events make room first.
const SPARE: usize = 64 << 10;

/// The common part of several events' payloads: a head, a middle and a tail. Most of an event is the same for all lines of a record, so the
/// outbox keeps it once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Common {
    bytes: Vec<u8>,
    /// Where the middle begins, and where the tail does.
    middle: usize,
    tail: usize,
}

impl Common {
    /// Payloads that begin with `head`, end with `tail`, and have `middle` in between.
    pub fn new(head: &[u8], middle: &[u8], tail: &[u8]) -> Self {
        let bytes = [head, middle, tail].concat();
        Self { bytes, middle: head.len(), tail: head.len() + middle.len() }
    }

    /// All of it, in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is nothing in common.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The begin of the payloads.
    pub fn head(&self) -> &[u8] {
        self.bytes.get(..self.middle).unwrap_or_default()
    }

    /// The part between an event's two own parts.
    pub fn middle(&self) -> &[u8] {
        self.bytes.get(self.middle..self.tail).unwrap_or_default()
    }

    /// The end of the payloads.
    pub fn tail(&self) -> &[u8] {
        self.bytes.get(self.tail..).unwrap_or_default()
    }
}

/// Events, from which windows of frames are made. They are numbered from 0 on, in the order in which they came.
#[derive(Debug, Default)]
pub struct Outbox {
    protocol: Protocol,
    /// What each event has of its own, one behind the other, the first `offset` bytes settled already.
    own: Vec<u8>,
    offset: usize,
    /// Those that are not settled.
    events: VecDeque<Event>,
    /// What events have in common, by the order they came; the first one has this number.
    commons: VecDeque<Rc<Common>>,
    first_common: u64,
    /// Number of the first event that is not settled.
    first: u64,
    /// Where its frame and where its own bytes begin: counted like those of [`Event`].
    begin: Place,
    /// How many of the events that are not settled are on their way, or were taken out of turn.
    sent: usize,
    /// Numbers of events that a receiver has acknowledged out of turn. They are settled when all before them are.
    taken: Map<u64, ()>,
}

/// A place in all that was ever written, in bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// In frames.
    frame: u64,
    /// In what events have of their own.
    own: u64,
}

#[derive(Debug, Clone, Copy)]
struct Event {
    end: Place,
    /// Number of what it has in common with others, and how much of its own comes before the middle of that.
    common: Option<(u32, u32)>,
}

impl Outbox {
    /// An empty outbox.
    pub fn new(protocol: Protocol) -> Self {
        Self { protocol, ..Self::default() }
    }

    /// Sets memory aside for so many events with so many bytes of their own. It is touched as it is used; buffers that grow leave holes of the
    /// same size behind.
    pub fn reserve(&mut self, events: usize, bytes: usize) {
        self.own.reserve_exact(bytes);
        self.events.reserve_exact(events);
    }

    /// Adds an event with the payload that `write` writes.
    pub fn push<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        self.reclaim();
        let begin = self.own.len();
        write(&mut self.own).inspect_err(|_| self.own.truncate(begin))?;
        self.add(self.own.len() - begin, None);
        Ok(())
    }

    /// Adds an event: `write` writes the part that is not `common`, and returns how much of it comes before the middle. If `write` returns
    /// `None`, no event is added. Returns whether one was added.
    pub fn push_own(
        &mut self,
        common: &Rc<Common>,
        write: impl FnOnce(&mut Vec<u8>) -> Option<usize>,
    ) -> bool {
        self.reclaim();
        let begin = self.own.len();
        let Some(split) = write(&mut self.own).and_then(|split| u32::try_from(split).ok()) else {
            self.own.truncate(begin);
            return false;
        };
        // By its place: to compare some hundred bytes for each event would take longer than all the rest.
        if !self.commons.back().is_some_and(|newest| Rc::ptr_eq(newest, common)) {
            self.commons.push_back(Rc::clone(common));
        }
        let newest = self.first_common + self.commons.len().saturating_sub(1) as u64;
        let Ok(newest) = u32::try_from(newest) else {
            self.own.truncate(begin);
            return false;
        };
        self.add(self.own.len() - begin + common.len(), Some((newest, split)));
        true
    }

    fn add(&mut self, payload: usize, common: Option<(u32, u32)>) {
        let last = self.events.back().map_or(self.begin, |event| event.end);
        let frame = last.frame + (self.protocol.event_header() + payload) as u64;
        let own = self.begin.own + (self.own.len() - self.offset) as u64;
        self.events.push_back(Event { end: Place { frame, own }, common });
    }

    /// Number of the first event that is not settled.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Events that are not settled.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether everything is settled.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Number of the first event that is not on its way.
    pub fn next(&self) -> u64 {
        self.first + self.sent as u64
    }

    /// Events that are not on their way.
    pub fn waiting(&self) -> usize {
        self.events.len() - self.sent
    }

    /// Bytes of the frames that are not on their way.
    pub fn waiting_bytes(&self) -> u64 {
        let last = self.events.back().map_or(self.begin, |event| event.end);
        last.frame - self.begin_of(self.sent).frame
    }

    /// How many events from number `first` on fit into `bytes` and follow each other; at least one, if there is one.
    pub fn fitting(&self, first: u64, bytes: u64) -> u32 {
        let there = self.events.len().saturating_sub(self.position(first)).min(1);
        let fitting = self.whole(first, bytes).max(u32::try_from(there).unwrap_or(1));
        let gap = self.taken.range(&first, &u64::MAX).next().map_or(u64::MAX, |(taken, ())| taken - first);
        fitting.min(u32::try_from(gap).unwrap_or(u32::MAX))
    }

    /// How many whole frames of the window that begins with event `first` the first `bytes` bytes hold.
    pub fn whole(&self, first: u64, bytes: u64) -> u32 {
        let skipped = self.position(first);
        let begin = self.begin_of(skipped).frame;
        let upto = self.events.partition_point(|event| event.end.frame <= begin.saturating_add(bytes));
        u32::try_from(upto.saturating_sub(skipped)).unwrap_or(u32::MAX)
    }

    /// Hands `take` the frames of a window of `count` events from number `first` on, numbered 1..`count`, in their parts.
    ///
    /// Numbering restarts in every window, also when the rest of one is sent again: only then do all receivers give an ack the same meaning
    /// (docs/facts/lumberjack.md 0, rows 1 and 2).
    pub fn write_window(&self, first: u64, count: u32, mut take: impl FnMut(&[u8])) {
        let skipped = self.position(first);
        let mut begin = self.begin_of(skipped);
        let mut header = Vec::with_capacity(self.protocol.event_header());
        for (sequence, event) in (1..=count).zip(self.events.range(skipped.min(self.events.len())..)) {
            let at = |place: u64| self.offset + usize::try_from(place - self.begin.own).unwrap_or(usize::MAX);
            let own = self.own.get(at(begin.own)..at(event.end.own)).unwrap_or_default();
            let bytes = usize::try_from(event.end.frame - begin.frame).unwrap_or(usize::MAX);
            header.clear();
            self.protocol.begin_event(
                &mut header,
                sequence,
                bytes.saturating_sub(self.protocol.event_header()),
            );
            take(&header);
            match event.common.and_then(|(number, split)| Some((self.common(number)?, split))) {
                None => take(own),
                Some((common, split)) => {
                    let (before, after) = own.split_at_checked(split as usize).unwrap_or((own, &[]));
                    [common.head(), before, common.middle(), after, common.tail()]
                        .into_iter()
                        .for_each(&mut take);
                }
            }
            begin = event.end;
        }
    }

    /// The same in one piece.
    pub fn window(&self, first: u64, count: u32) -> Vec<u8> {
        let mut window = Vec::new();
        self.write_window(first, count, |piece| window.extend_from_slice(piece));
        window
    }

    /// The next `count` events are on their way.
    pub fn send(&mut self, count: u32) {
        self.sent = self.events.len().min(self.sent + count as usize);
        while self.taken.contains_key(&self.next()) {
            self.sent += 1;
        }
    }

    /// Nothing is on its way any more.
    pub fn rewind(&mut self) {
        self.sent = 0;
    }

    /// Numbers of the events that no receiver has acknowledged.
    pub fn open(&self) -> Vec<u64> {
        let end = self.first + self.events.len() as u64;
        (self.first..end).filter(|number| !self.taken.contains_key(number)).collect()
    }

    /// Event `number` was acknowledged out of turn: it is not sent again.
    pub fn take(&mut self, number: u64) {
        self.taken.insert(number, ());
    }

    /// The first `count` events are settled, and the following ones that were taken out of turn. Returns how many that is together.
    pub fn settle(&mut self, count: u32) -> u32 {
        let mut settled = 0;
        while settled < count || self.taken.remove(&self.first).is_some() {
            let Some(Event { end, common }) = self.events.pop_front() else { break };
            self.offset += usize::try_from(end.own - self.begin.own).unwrap_or(usize::MAX);
            self.begin = end;
            self.first += 1;
            self.sent = self.sent.saturating_sub(1);
            settled += 1;
            // Those before it have no more events.
            while common.is_some_and(|(number, _)| u64::from(number) > self.first_common) {
                self.commons.pop_front();
                self.first_common += 1;
            }
        }
        settled
    }

    /// Forgets all events and counts from 0 again. Keeps the memory for the next ones.
    pub fn clear(&mut self) {
        let (mut own, mut events) = (std::mem::take(&mut self.own), std::mem::take(&mut self.events));
        own.clear();
        events.clear();
        *self = Self { protocol: self.protocol, own, events, ..Self::default() };
    }

    /// Gives the bytes of settled events back, as soon as that moves less than it frees, or saves the buffer from growing.
    fn reclaim(&mut self) {
        let spare = self.own.capacity() - self.own.len();
        if self.offset > self.own.len() / 2 || (self.offset > 0 && spare < SPARE) {
            self.own.drain(..self.offset);
            self.offset = 0;
        }
    }

    fn common(&self, number: u32) -> Option<&Common> {
        self.commons
            .get(usize::try_from(u64::from(number).checked_sub(self.first_common)?).ok()?)
            .map(Rc::as_ref)
    }

    fn position(&self, number: u64) -> usize {
        usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }

    fn begin_of(&self, position: usize) -> Place {
        let last = position.checked_sub(1).map(|before| before.min(self.events.len().saturating_sub(1)));
        last.and_then(|last| self.events.get(last)).map_or(self.begin, |event| event.end)
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
    fn what_events_have_in_common_is_in_each_frame_and_kept_once() {
        let commons = [Common::new(b"{", b":", b"}"), Common::new(b"[", b",", b"]")].map(Rc::new);
        let mut outbox = Outbox::new(Protocol::V2);
        for (common, own, split) in [(0, "ab", 1), (0, "cd", 0), (1, "ef", 2), (0, "gh", 1)] {
            assert!(outbox.push_own(&commons[common], |out| {
                out.extend_from_slice(own.as_bytes());
                Some(split)
            }));
            assert!(!outbox.push_own(&commons[common], |out| {
                out.extend_from_slice(b"too long");
                None
            }));
        }
        push(&mut outbox, "{}");
        let payloads = |outbox: &Outbox, first: u64| -> Vec<String> {
            let frame = |number| String::from_utf8(outbox.window(number, 1)[10..].to_vec()).unwrap();
            (first..5).map(frame).collect()
        };
        assert_eq!(payloads(&outbox, 0), ["{a:b}", "{:cd}", "[ef,]", "{g:h}", "{}"]);
        assert_eq!((outbox.waiting_bytes(), outbox.commons.len()), (4 * 15 + 12, 3));
        outbox.settle(3);
        assert_eq!(payloads(&outbox, 3), ["{g:h}", "{}"]);
        outbox.settle(1);
        assert_eq!((outbox.commons.len(), outbox.waiting_bytes()), (1, 12));
    }

    #[test]
    fn settled_events_make_room_and_numbers_go_on() {
        let mut outbox = outbox(&["{}", "{}"]);
        outbox.send(2);
        outbox.settle(2);
        assert!(outbox.is_empty());
        push(&mut outbox, "{\"n\":2}");
        assert_eq!((outbox.first(), outbox.next(), outbox.waiting()), (2, 2, 1));
        assert_eq!(outbox.own.len(), 7, "the first two are gone");
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
