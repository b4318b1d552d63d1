//! The lines of a turn on their way to the receiver: into the outbox, sent when it is time, and noted when one was set aside.

use super::ledger::Found;
use super::{NAMED, Turn};
use crate::events::{self, Document, Events, Logs};
use crate::lumberjack::Goal;

/// How long a line may wait for its window to fill, in milliseconds: a run that is short of time shall have sent what it has read.
const LINGER_MS: u64 = 1_000;
/// Lines between two looks at the clock, which takes as long as writing a line does.
const LINES_A_LOOK: usize = 64;

impl Turn<'_> {
    /// Puts a document into the outbox, which settles entries from `index` on; or says that the turn is over.
    pub(super) fn put(&mut self, events: &Events, document: Document<'_>, index: usize) -> bool {
        if !self.make_room(index) {
            return false;
        }
        self.delivery.push(events, document);
        self.ledger.push(index as u64);
        self.tally.lines += 1;
        self.tally.mended += u64::from(document.line.is_mended());
        true
    }

    /// The same with the activation's own document, which counts as the entry at `index`.
    pub(super) fn put_summary(&mut self, events: &Events, index: usize, logs: &Logs) -> bool {
        if !self.make_room(index) {
            return false;
        }
        self.delivery.push_summary(events, logs);
        self.ledger.push_summary(index as u64);
        self.tally.summaries += 1;
        true
    }

    /// Sends what waits, if it is time; or says that the turn is over.
    fn make_room(&mut self, index: usize) -> bool {
        let looks = index.is_multiple_of(LINES_A_LOOK);
        if self.delivery.is_full() {
            self.send(Goal::Room);
        } else if looks && self.lingers() {
            self.send(Goal::Sent);
        }
        if self.ended() || (looks && self.ledger.has_begun() && !self.in_time()) {
            return false;
        }
        if !self.delivery.is_waiting() {
            self.time.waiting_since_ms = self.ports.clock.now_ms();
        }
        true
    }

    fn lingers(&mut self) -> bool {
        let now = self.ports.clock.now_ms();
        self.delivery.is_waiting() && now.saturating_sub(self.time.waiting_since_ms) >= LINGER_MS
    }

    /// Sends what was read, as far as the goal says; after a failure the turn is over.
    pub(super) fn send(&mut self, goal: Goal) {
        if !self.delivery.is_pending() || self.end.over {
            return;
        }
        let settled = self.delivery.work(self.ports, goal, self.time.stop_ms);
        for number in settled.set_aside {
            self.set_aside(number);
        }
        self.ledger.settle(settled.events);
        if let Some(failure) = self.delivery.given_up() {
            self.end.failure = Some(failure.clone());
        }
        self.end.over = self.delivery.given_up().is_some() || self.delivery.is_out_of_time();
    }

    /// Notes an event that was set aside, by its id.
    fn set_aside(&mut self, number: u64) {
        self.tally.set_aside += 1;
        if self.notes.set_aside.len() >= NAMED {
            return;
        }
        let id = self.ledger.find(number).map(|found| match found {
            Found::Line(of, index) => events::id(&self.namespace, of.activation_id, index),
            Found::Activation(of) => events::id_of_activation(&self.namespace, of.activation_id),
        });
        self.notes.set_aside.extend(id);
    }
}
