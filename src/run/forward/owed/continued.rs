//! Continuing with a record that is owed by itself.

use super::super::logs::{Notices, SETTLING_MS};
use super::super::telling::Telling;
use super::super::{Outcome, TURN_MS, Turn, turn_ends_ms};
use super::{LONGEST_TROUBLE, of};
use crate::checkpoint::OwedRecord;
use crate::events::Events;
use crate::lumberjack::Goal;
use crate::openwhisk::api::{Entries, EntriesAt};
use crate::openwhisk::fetch::{Visited, Walk};
use crate::openwhisk::record::{Line, Record, Summary};
use crate::ports::Failure;
use crate::range::Range;
use crate::run::plan::Slice;
use std::ops::ControlFlow;

/// Acknowledged entries that are passed over between two looks at the clock.
const PASSED_A_LOOK: usize = 4096;

/// What became of a record.
enum Fate {
    /// All of it is acknowledged.
    Done,
    /// It is owed still.
    Owed(OwedRecord),
    /// It does not exist any more.
    Gone(OwedRecord),
}

impl Turn<'_> {
    /// Goes on with the records of `slice`, one after the other, as long as the turn lasts.
    pub(in crate::run::forward) fn work_on_records(mut self, slice: &Slice) -> Outcome {
        let mut left = std::mem::take(&mut self.singles.open);
        while let Some(record) = left.pop_front() {
            let (summary, is_begun) = (record.summary(), record.acknowledged > 0);
            let read = self.tally.read();
            match self.go_on_with(record) {
                Fate::Done => {
                    self.singles.settled.push(summary);
                    if !is_begun && self.tally.read() == read {
                        self.singles.empty.push(summary);
                    }
                }
                Fate::Owed(record) => {
                    if record.trouble.is_none() {
                        left.push_back(record.clone());
                    }
                    self.singles.records.push(record);
                }
                Fate::Gone(record) => {
                    self.singles.settled.push(summary);
                    self.singles.lose(format!(
                        "activation {}{}: the platform does not have it any more, and not all of its log was forwarded: {} of its entries are acknowledged",
                        record.id,
                        of_action(&record.name),
                        record.acknowledged
                    ));
                }
            }
            if self.ended() || !self.in_time() {
                break;
            }
        }
        self.singles.open = left;
        Outcome { covered: None, ..self.outcome(slice, None, &[]) }
    }

    /// Sends what is not acknowledged of one record, or as much of it as a turn allows.
    fn go_on_with(&mut self, record: OwedRecord) -> Fate {
        let record = match self.identified(record) {
            ControlFlow::Continue(record) => record,
            ControlFlow::Break(fate) => return fate,
        };
        self.namespace.clone_from(&record.namespace);
        let (entries, all, record) = self.send_entries(record);
        match entries {
            Ok(Entries::All(_)) => {}
            Ok(Entries::Empty | Entries::NotAvailable) if record.acknowledged > all => {
                return troubled(record, "its log store has none of its lines any more".into());
            }
            Ok(Entries::Empty) if !self.is_at_rest(&record) => {
                return troubled(record, "its log store has none of its lines yet".into());
            }
            Ok(Entries::Empty | Entries::NotAvailable) => {}
            Ok(Entries::Stopped) => return Fate::Owed(OwedRecord { trouble: None, ..record }),
            Ok(Entries::NoRecord) => return self.not_found(record),
            Ok(Entries::NotRetrieved) => {
                return troubled(record, "its log store does not give its lines now".into());
            }
            Err(failure) => return self.failed(record, failure),
        }
        if record.acknowledged >= all {
            return Fate::Done;
        }
        Fate::Owed(OwedRecord { trouble: None, ..record })
    }

    /// Sends entries of a record, the first one that is not acknowledged first: those in the record, and if these are notices at most, those that
    /// a store of their own has. Returns what came of it, how many are to be acknowledged, and the record with those that are.
    fn send_entries(&mut self, mut record: OwedRecord) -> (Result<Entries, Failure>, u64, OwedRecord) {
        let acknowledged = usize::try_from(record.acknowledged).unwrap_or(usize::MAX);
        let (api, began_ms) = (self.api, self.ports.clock.now_ms());
        self.ledger.go_on(record.summary(), record.acknowledged);
        let style = self.form.style_of_owed(&record);
        let events = Events::of_owed(&record, self.form);
        let mut telling = Telling::new(events, style, acknowledged, record.treatment == style.sign());
        record.treatment = style.sign();
        let mut put = |line: Line<'_>| {
            let this = telling.entries();
            if this == acknowledged {
                self.begin_turn_anew(began_ms);
            }
            let passes = this < acknowledged && this.is_multiple_of(PASSED_A_LOOK);
            (!passes || self.ports.clock.now_ms() < self.time.stop_ms) && self.tell(&mut telling, line)
        };
        let mut own = Notices::default();
        let mut entries = api.entries(record.id, EntriesAt::Record, |_, line| {
            own.note(line);
            put(line)
        });
        let mut gives_lines = false;
        if matches!(entries, Ok(Entries::All(all)) if own.are_all(all)) {
            entries = api.entries(record.id, EntriesAt::Store, |_, line| {
                let is_own = own.has(line);
                gives_lines |= !is_own;
                is_own || put(line)
            });
            gives_lines |= entries == Ok(Entries::NotRetrieved);
        }
        if gives_lines {
            self.logs.learn_of_store();
        }
        let is_all = match &entries {
            Ok(Entries::All(_) | Entries::NotAvailable) => true,
            Ok(Entries::Empty) => self.is_at_rest(&record),
            _ => false,
        };
        if is_all && !self.end_of_entries(&mut telling) {
            entries = Ok(Entries::Stopped);
        }
        self.send(Goal::Settled);
        record.acknowledged = self.ledger.take().map_or(record.acknowledged, |taken| taken.settled);
        (entries, telling.all(), record)
    }

    /// Whether its lines have had their time to come into their store.
    fn is_at_rest(&self, record: &OwedRecord) -> bool {
        self.ports.clock.now_ms().saturating_sub(record.end.unwrap_or(record.start)) >= SETTLING_MS
    }

    /// Passing over what is acknowledged took its time since `began_ms`: sending gets as much at least.
    fn begin_turn_anew(&mut self, began_ms: u64) {
        let now = self.ports.clock.now_ms();
        let more = now.saturating_sub(began_ms).saturating_sub(TURN_MS);
        let ends_ms = turn_ends_ms(now, self.time.stop_ms);
        self.time.turn_ends_ms = self
            .time
            .turn_ends_ms
            .max(ends_ms.saturating_add(more).min(turn_ends_ms(self.time.stop_ms, self.time.stop_ms)));
    }

    /// The record with all that its events need. If the list has to tell it and does not, that decides.
    fn identified(&mut self, record: OwedRecord) -> ControlFlow<Fate, OwedRecord> {
        if !record.name.is_empty() {
            return ControlFlow::Continue(record);
        }
        match self.listed(&record) {
            Ok(Listed::Without(reason)) => ControlFlow::Break(troubled(record, reason)),
            Ok(Listed::With(known)) => {
                let OwedRecord { acknowledged, treatment, trouble, .. } = record;
                ControlFlow::Continue(OwedRecord { acknowledged, treatment, trouble, ..*known })
            }
            Ok(Listed::Unwanted) => ControlFlow::Break(Fate::Done),
            Ok(Listed::Not) => match self.api.entries(record.id, EntriesAt::Record, |_, _| false) {
                Ok(Entries::NoRecord) => ControlFlow::Break(Fate::Gone(record)),
                Ok(_) => ControlFlow::Break(troubled(
                    record,
                    "the API gives it by its id, but does not list it".into(),
                )),
                Err(failure) => ControlFlow::Break(self.failed(record, failure)),
            },
            Err(failure) => ControlFlow::Break(self.failed(record, failure)),
        }
    }

    /// The API says that there is no such record. That counts if the list does not show it either.
    fn not_found(&mut self, record: OwedRecord) -> Fate {
        match self.listed(&record) {
            Ok(Listed::Not) => Fate::Gone(record),
            Ok(_) => troubled(record, "the API lists it, and says that it does not exist".into()),
            Err(failure) => self.failed(record, failure),
        }
    }

    /// Not to be had. If the time is up, that proves nothing.
    fn failed(&self, record: OwedRecord, failure: Failure) -> Fate {
        if self.ports.clock.now_ms() >= self.time.stop_ms {
            return Fate::Owed(record);
        }
        troubled(record, failure.message)
    }

    /// Whether there may be something to forward of a record, of which there is a summary.
    fn wants(&self, known: &Record<'_>) -> bool {
        let is_ours = self.source.matches(known) || self.source.matches_trigger(known);
        is_ours && (known.may_have_lines_elsewhere() || self.form.has_summaries())
    }

    /// What the list says of a record. One without a name may have come from patterns and be of another action: then only the list of the whole
    /// namespace shows it.
    fn listed(&self, record: &OwedRecord) -> Result<Listed, Failure> {
        match self.listed_among(self.name, record)? {
            Listed::Not if self.name.is_some() && record.name.is_empty() => self.listed_among(None, record),
            listed => Ok(listed),
        }
    }

    /// What the list says of a record, by the API's filter.
    fn listed_among(&self, name: Option<&str>, record: &OwedRecord) -> Result<Listed, Failure> {
        let Some(start) = Range::new(record.start, record.start) else { return Ok(Listed::Not) };
        let mut found = Listed::Not;
        let walked = Walk::new(self.api, name, false).over(start, |row| {
            let summary = Summary::parse(row.json).ok();
            let met = summary == Some(record.summary());
            if met {
                found = match Record::parse(row.json) {
                    Ok(known) if self.wants(&known) => Listed::With(Box::new(of(&known, self.form, None))),
                    Ok(_) => Listed::Unwanted,
                    Err(error) => Listed::Without(error.to_string()),
                };
            }
            Visited { summary, go_on: !met }
        });
        walked.failure.map_or(Ok(found), Err)
    }
}

/// What the list says of a record.
enum Listed {
    /// Nothing.
    Not,
    /// What its events need.
    With(Box<OwedRecord>),
    /// It is of another source, or has nothing to forward.
    Unwanted,
    /// Not what its events need, for this reason.
    Without(String),
}

fn troubled(record: OwedRecord, trouble: String) -> Fate {
    let trouble = Some(trouble.chars().take(LONGEST_TROUBLE).collect());
    Fate::Owed(OwedRecord { trouble, ..record })
}

fn of_action(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" of `{name}`") }
}
