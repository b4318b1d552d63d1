//! The ledger: it finds the activations that are done, as the events of each are settled in order.

use super::done::Done;
use crate::openwhisk::fetch::OverlapFilter;
use crate::openwhisk::record::Summary;
use std::collections::VecDeque;

/// Activations from the begin of a turn on. An activation is done when its last event is settled.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Not done yet, in the order they came.
    open: VecDeque<Open>,
    done: Done,
    /// Of each event that is not settled, the place in its record of the first entry that it holds.
    events: VecDeque<u64>,
    pushed: u64,
    settled: u64,
    overlap: OverlapFilter,
}

#[derive(Debug)]
struct Open {
    activation: Summary,
    /// Number of its first event, counted from 0.
    first: u64,
    /// Number of the event after its last, once that is known.
    end: Option<u64>,
    /// So many of its entries, from the first on, are in events, or no event is made of them, or they were settled before this turn.
    entries: u64,
    /// Number of the event that is about the activation itself, if there is one.
    summary: Option<u64>,
    /// It is not to be done in this turn.
    put_off: bool,
}

/// An event that is not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It begins with the entry at this index of its record.
    Line(Summary, u64),
    /// It is about the activation itself.
    Activation(Summary),
}

/// An activation that was taken out of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) activation: Summary,
    /// So many of its entries, from the first on, are settled.
    pub(super) settled: u64,
}

/// With so many activations that are not done, some shall be: those without lines come faster than any window fills.
const MANY: usize = 8192;

impl Ledger {
    /// A ledger that remembers in `done` what is done.
    pub(super) fn new(done: Done) -> Self {
        Self { done, ..Self::default() }
    }

    /// Opens an activation; returns false if it was met already.
    pub(super) fn begin(&mut self, activation: Summary) -> bool {
        let new = self.overlap.first_time(activation);
        if new {
            self.go_on(activation, 0);
        }
        new
    }

    /// Opens an activation of which so many entries are settled already.
    pub(super) fn go_on(&mut self, activation: Summary, before: u64) {
        self.open.push_back(Open {
            activation,
            first: self.pushed,
            end: None,
            entries: before,
            summary: None,
            put_off: false,
        });
    }

    /// Whether there is an event of the activation that came last.
    pub(super) fn has_begun(&self) -> bool {
        self.open.back().is_some_and(|open| open.first < self.pushed)
    }

    /// How many entries of the activation that came last are settled.
    pub(super) fn settled_of_last(&self) -> u64 {
        self.open.back().map_or(0, |open| self.settled_entries(open))
    }

    /// Takes out the first activation that is not done, if any of its events is settled: it counts as done here, and another slice
    /// continues with it.
    pub(super) fn take_begun(&mut self) -> Option<Taken> {
        let open = self.open.front().filter(|open| open.first < self.settled)?;
        self.done.push(open.activation);
        self.take()
    }

    /// Takes out the first activation that is not done.
    pub(super) fn take(&mut self) -> Option<Taken> {
        let open = self.open.pop_front()?;
        Some(Taken { activation: open.activation, settled: self.settled_entries(&open) })
    }

    /// The open activation, of which there is no event yet, is not to be done in this turn.
    pub(super) fn put_off(&mut self) {
        if let Some(open) = self.open.back_mut() {
            open.put_off = true;
        }
        self.end();
    }

    /// One event of the open activation was put into the outbox: that of the entry with this index.
    pub(super) fn push(&mut self, entry: u64) {
        self.pushed += 1;
        self.events.push_back(entry);
        if let Some(open) = self.open.back_mut() {
            open.entries = entry + 1;
        }
    }

    /// The same, with the event about the activation itself, which counts as the entry with this index.
    pub(super) fn push_summary(&mut self, entry: u64) {
        if let Some(open) = self.open.back_mut() {
            open.summary = Some(self.pushed);
        }
        self.push(entry);
    }

    /// All of the `entries` of the open activation are in events, or none is to be made of them.
    pub(super) fn pass(&mut self, entries: u64) {
        if let Some(open) = self.open.back_mut() {
            open.entries = entries;
        }
    }

    /// The open activation has no more events.
    pub(super) fn end(&mut self) {
        if let Some(open) = self.open.back_mut() {
            open.end = Some(self.pushed);
        }
        self.close();
    }

    /// So many more events are settled: acknowledged, or set aside.
    pub(super) fn settle(&mut self, events: u32) {
        self.settled += u64::from(events);
        self.events.drain(..self.events.len().min(events as usize));
        self.close();
    }

    /// The event with this number, unless it is settled.
    pub(super) fn find(&self, number: u64) -> Option<Found> {
        let open = self.open.iter().rfind(|open| open.first <= number)?;
        let entry = self.entry(number)?;
        Some(match open.summary == Some(number) {
            true => Found::Activation(open.activation),
            false => Found::Line(open.activation, entry),
        })
    }

    /// The entry of the event with this number, unless that is settled.
    fn entry(&self, number: u64) -> Option<u64> {
        let place = usize::try_from(number.checked_sub(self.settled)?).ok()?;
        self.events.get(place).copied()
    }

    /// How many entries of an activation, from the first on, are settled: those before the entry of its first event that is not.
    fn settled_entries(&self, open: &Open) -> u64 {
        let first = open.first.max(self.settled);
        let is_own = open.end.is_none_or(|end| first < end);
        self.entry(first).filter(|_| is_own).unwrap_or(open.entries)
    }

    /// The first activation that is not done.
    pub(super) fn open(&self) -> Option<Summary> {
        self.open.front().map(|open| open.activation)
    }

    /// Whether many activations wait for the events of others.
    pub(super) fn is_long(&self) -> bool {
        self.open.len() >= MANY
    }

    /// All that are done.
    pub(super) fn done(&mut self) -> &mut Done {
        &mut self.done
    }

    fn close(&mut self) {
        while let Some(Open { activation, end: Some(end), put_off, .. }) = self.open.front() {
            if *end > self.settled {
                return;
            }
            if *put_off {
                self.done.leave_out(activation.start);
            } else {
                self.done.push(*activation);
            }
            self.open.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::range::Range;

    fn activation(start: u64, id: u32) -> Summary {
        Summary { start, activation_id: format!("{id:032x}").parse().unwrap() }
    }

    fn ledger() -> Ledger {
        Ledger::new(Done::new(0, 9, 0))
    }

    /// What is done so far, and is then forgotten; oldest first.
    fn take_done(ledger: &mut Ledger) -> Vec<Summary> {
        let all = Range::new(0, u64::MAX).unwrap();
        ledger.done().seen(Some(all)).listed(all).collect()
    }

    fn add(ledger: &mut Ledger, activation: Summary, events: u32) {
        assert!(ledger.begin(activation));
        (0..u64::from(events)).for_each(|entry| ledger.push(entry));
        ledger.end();
    }

    #[test]
    fn an_activation_is_done_when_its_last_event_is_acknowledged_and_not_before() {
        let mut ledger = ledger();
        add(&mut ledger, activation(9, 1), 2);
        add(&mut ledger, activation(8, 2), 0);
        add(&mut ledger, activation(7, 3), 1);
        assert_eq!(take_done(&mut ledger), []);
        ledger.settle(1);
        assert_eq!(take_done(&mut ledger), []);
        ledger.settle(1);
        assert_eq!(take_done(&mut ledger), [activation(8, 2), activation(9, 1)]);
        assert_eq!(ledger.open(), Some(activation(7, 3)));
    }

    #[test]
    fn an_activation_that_is_still_being_read_is_not_done_though_its_first_events_are_acknowledged() {
        let mut ledger = ledger();
        ledger.begin(activation(9, 1));
        ledger.push(0);
        ledger.settle(1);
        assert_eq!(take_done(&mut ledger), []);
        ledger.end();
        assert_eq!(take_done(&mut ledger), [activation(9, 1)]);
    }

    #[test]
    fn an_event_is_found_by_its_number() {
        let mut ledger = ledger();
        add(&mut ledger, activation(9, 1), 2);
        add(&mut ledger, activation(8, 2), 0);
        add(&mut ledger, activation(7, 3), 2);
        assert_eq!(ledger.find(1), Some(Found::Line(activation(9, 1), 1)));
        assert_eq!(ledger.find(2), Some(Found::Line(activation(7, 3), 0)));
    }

    #[test]
    fn the_event_about_an_activation_is_told_from_those_of_its_lines() {
        let mut ledger = ledger();
        ledger.begin(activation(9, 1));
        ledger.push(0);
        ledger.push_summary(1);
        ledger.end();
        add(&mut ledger, activation(7, 3), 2);
        assert_eq!(ledger.find(0), Some(Found::Line(activation(9, 1), 0)));
        assert_eq!(ledger.find(1), Some(Found::Activation(activation(9, 1))));
        assert_eq!(ledger.find(3), Some(Found::Line(activation(7, 3), 1)));
    }

    #[test]
    fn what_is_settled_of_an_activation_is_counted_in_entries_however_many_of_them_an_event_holds() {
        let mut ledger = ledger();
        ledger.go_on(activation(9, 1), 5);
        assert_eq!(ledger.settled_of_last(), 5);
        [5, 8, 9].into_iter().for_each(|entry| ledger.push(entry));
        assert_eq!((ledger.settled_of_last(), ledger.find(1)), (5, Some(Found::Line(activation(9, 1), 8))));
        ledger.settle(1);
        assert_eq!(ledger.settled_of_last(), 8);
        ledger.settle(2);
        assert_eq!(ledger.take(), Some(Taken { activation: activation(9, 1), settled: 10 }));
    }

    #[test]
    fn entries_that_no_event_holds_are_settled_with_those_before_them() {
        let mut ledger = ledger();
        ledger.begin(activation(9, 1));
        [0, 2].into_iter().for_each(|entry| ledger.push(entry));
        ledger.pass(6);
        ledger.settle(1);
        assert_eq!(ledger.settled_of_last(), 2);
        ledger.settle(1);
        assert_eq!(ledger.settled_of_last(), 6);
    }

    #[test]
    fn an_activation_that_is_put_off_is_not_done_and_holds_up_nobody() {
        let mut ledger = ledger();
        assert!(ledger.begin(activation(9, 1)));
        ledger.put_off();
        add(&mut ledger, activation(8, 2), 0);
        assert_eq!((ledger.open(), take_done(&mut ledger)), (None, vec![activation(8, 2)]));
        assert!(!ledger.begin(activation(8, 2)));
    }

    #[test]
    fn rows_that_overlapping_pages_show_twice_are_met_once() {
        let mut ledger = ledger();
        assert!(ledger.begin(activation(9, 1)));
        assert!(ledger.begin(activation(9, 2)));
        assert!(!ledger.begin(activation(9, 1)));
        assert!(ledger.begin(activation(8, 1)));
    }
}
