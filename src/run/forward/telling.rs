//! One record on its way into documents: its lines as they come, and at the end the activation itself.

use super::Turn;
use crate::events::{Document, Events, Logs, Reading, Styled};
use crate::openwhisk::record::Line;

/// What is known of a record while its entries are read.
pub(super) struct Telling<'f> {
    events: Events,
    /// `None` if each entry is a document as it is.
    reading: Option<Reading<'f>>,
    /// Entries so far.
    index: usize,
    /// Entries before this one are settled.
    from: usize,
    logs: Logs,
}

impl<'f> Telling<'f> {
    /// A record of which the documents with a first entry before `from` are settled. `is_same` says whether these were made by the same treatment.
    pub(super) fn new(events: Events, style: &'f Styled, from: usize, is_same: bool) -> Self {
        let treatment = style.treatment();
        let reading =
            (!treatment.is_plain()).then(|| Reading::new(treatment, events.status(), from, is_same));
        Self { events, reading, index: 0, from, logs: Logs::default() }
    }

    /// How many entries came so far.
    pub(super) fn entries(&self) -> usize {
        self.index
    }

    /// How many there are to be settled: the activation's own document counts as one.
    pub(super) fn all(&self) -> u64 {
        self.index as u64 + u64::from(self.events.has_summary())
    }
}

impl Turn<'_> {
    /// Takes the next entry of the record; says no if the turn is over.
    pub(super) fn tell(&mut self, telling: &mut Telling<'_>, line: Line<'_>) -> bool {
        let index = telling.index;
        telling.index += 1;
        if telling.events.has_summary() {
            telling.logs.add(line);
        }
        let Telling { events, reading, from, .. } = telling;
        match reading {
            None => index < *from || self.put(events, Document::plain(index, line), index),
            Some(reading) => {
                let go_on =
                    reading.entry(index, line, &mut |document| self.put_from(*from, events, document));
                self.count_spared(reading);
                go_on
            }
        }
    }

    /// The record has no more entries; says no if the turn is over before all is told.
    pub(super) fn end_of_entries(&mut self, telling: &mut Telling<'_>) -> bool {
        let Telling { events, reading, index, from, logs } = telling;
        if let Some(reading) = reading {
            let told = reading.finish(&mut |document| self.put_from(*from, events, document));
            self.count_spared(reading);
            if !told {
                return false;
            }
        }
        if events.has_summary() && *index >= *from && !self.put_summary(events, *index, logs) {
            return false;
        }
        self.ledger.pass(telling.all());
        true
    }

    /// One that begins before `from` is made once more for the entries that it has from there on.
    fn put_from(&mut self, from: usize, events: &Events, document: Document<'_>) -> bool {
        self.put(events, document, document.first.max(from))
    }

    fn count_spared(&mut self, reading: &mut Reading<'_>) {
        let spared = reading.take_spared();
        self.tally.filtered += spared.filtered;
        self.tally.joined += spared.joined;
        self.tally.lines += spared.filtered + spared.joined;
    }
}
