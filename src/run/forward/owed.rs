//! Records that are owed by themselves: what is older does not wait for them.
//!
//! Such a record is larger than a turn can send, or it could not be had. It counts as done in its range; the checkpoint knows how many of its entries
//! are acknowledged, and each run goes on with it, by its id, until the last one is, or the platform says that it does not exist any more.

use super::ledger::Taken;
use super::logs::{Notices, SETTLING_MS};
use super::telling::Telling;
use super::{NAMED, TURN_MS, Turn, turn_ends_ms};
use crate::checkpoint::{OwedRecord, SourceState};
use crate::events::{Events, Form};
use crate::lumberjack::Goal;
use crate::openwhisk::api::{Entries, EntriesAt};
use crate::openwhisk::fetch::{Met, Visited, Walk};
use crate::openwhisk::record::{ActivationId, Line, Record, Summary, UnreadableRecord};
use crate::ports::Failure;
use crate::range::Range;
use crate::run::forward::Outcome;
use crate::run::plan::Slice;
use std::collections::{HashSet, VecDeque};
use std::ops::ControlFlow;

/// Most records of a source that are owed by themselves. Beyond that a record stays in its range, and holds up what is older.
const MOST: usize = 100;
/// So many of them may be there only because nobody knows where their lines are: each costs a request in each run.
const MOST_UNCHECKED: usize = 8;
/// Longest trouble that the checkpoint keeps, in characters.
const LONGEST_TROUBLE: usize = 300;
/// Acknowledged entries that are passed over between two looks at the clock.
const PASSED_A_LOOK: usize = 4096;

/// What a turn knows of records that are owed by themselves.
#[derive(Debug, Default)]
pub(super) struct Singles {
    /// All that are, or were when the turn began.
    owed: HashSet<Summary>,
    /// To be gone on with in this run.
    open: VecDeque<OwedRecord>,
    /// The record inside of which the turn ended.
    cut: Option<OwedRecord>,
    /// What the list of summaries shows, and the list of full records has not shown yet.
    expected: HashSet<Summary>,
    /// Those of them that it left out.
    left_out: Vec<Summary>,
    /// For the outcome.
    pub(super) records: Vec<OwedRecord>,
    pub(super) settled: Vec<Summary>,
    pub(super) lost: Vec<String>,
}

/// What became of a record.
enum Fate {
    /// All of it is acknowledged.
    Done,
    /// It is owed still.
    Owed(OwedRecord),
    /// It does not exist any more.
    Gone(OwedRecord),
}

/// `record`, to be owed by itself from now on.
pub(super) fn of(record: &Record<'_>, form: &Form, trouble: Option<String>) -> OwedRecord {
    OwedRecord {
        details: form.details(record),
        treatment: form.style_of(record).sign(),
        end: record.end,
        name: record.name.to_string(),
        namespace: record.namespace.to_string(),
        ..unidentified(Summary { activation_id: record.activation_id, start: record.start }, trouble)
    }
}

/// A record of which no more is known.
fn unidentified(Summary { activation_id, start }: Summary, trouble: Option<String>) -> OwedRecord {
    OwedRecord {
        start,
        id: activation_id,
        end: None,
        name: String::new(),
        namespace: String::new(),
        details: None,
        treatment: None,
        acknowledged: 0,
        trouble,
    }
}

impl Singles {
    pub(super) fn new(state: Option<&SourceState>, slice: &Slice) -> Self {
        let known = state.into_iter().flat_map(|state| &state.records).chain(&slice.records);
        Self {
            owed: known.map(OwedRecord::summary).collect(),
            open: slice.records.iter().cloned().collect(),
            ..Self::default()
        }
    }

    /// Whether this one is owed by itself already.
    pub(super) fn owes(&self, activation: Summary) -> bool {
        self.owed.contains(&activation)
    }

    /// The turn ended inside of this record.
    pub(super) fn cut(&mut self, record: OwedRecord) {
        self.cut = Some(record);
    }

    /// Whether the turn ended inside of a record.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// The list of summaries shows these, and they are to be fetched; as is what is owed by itself and known as a part of these digests only.
    pub(super) fn expect(&mut self, listed: Vec<Summary>, digests: &[Range]) {
        let is_fetched = |owed: &&Summary| digests.iter().any(|digest| digest.contains(owed.start));
        self.expected = listed.into_iter().chain(self.owed.iter().filter(is_fetched).copied()).collect();
    }

    /// The list of full records shows this one.
    pub(super) fn meet(&mut self, visited: Visited) {
        visited.summary.map(|summary| self.expected.remove(&summary));
    }

    /// Those that the list of full records left out: they count as done in their range.
    pub(super) fn take_left_out(&mut self) -> Vec<Summary> {
        std::mem::take(&mut self.left_out)
    }

    /// Those that this run goes on with.
    pub(super) fn take_open(&mut self) -> Vec<OwedRecord> {
        std::mem::take(&mut self.open).into()
    }

    /// Whether one more may be owed of which it is not known that it has lines.
    pub(super) fn has_room_for_checks(&self) -> bool {
        self.owed.len() < MOST_UNCHECKED
    }

    fn is_full(&self) -> bool {
        self.owed.len() >= MOST
    }

    fn lose(&mut self, what: String) {
        if self.lost.len() < NAMED {
            self.lost.push(what);
        }
    }
}

impl Turn<'_> {
    /// The open record is owed by itself from now on. If there are too many of these, the turn fails, and the record stays in its range.
    pub(super) fn owe(&mut self, mut record: OwedRecord) {
        if self.singles.is_full() {
            let message = format!(
                "`{}`: {MOST} records are owed by themselves, and there are more that cannot be had; these wait in their range",
                self.source.name()
            );
            self.end.failure.get_or_insert(Failure::passing(message));
            return;
        }
        record.trouble = record.trouble.map(|trouble| trouble.chars().take(LONGEST_TROUBLE).collect());
        self.singles.owed.insert(record.summary());
        // What is in trouble is tried again in the next run.
        if record.trouble.is_none() {
            self.singles.open.push_back(record.clone());
        }
        self.singles.records.push(record);
    }

    /// Takes a record of which there is no more than its summary.
    pub(super) fn visit_without_entries(&mut self, met: Met<'_>, record: &Record<'_>) -> Visited {
        match met {
            Met::SteppedOver(_, failure) if record.may_have_lines_elsewhere() => {
                self.tally.activations += 1;
                self.owe(of(record, self.form, Some(format!("no page with it can be had: {failure}"))));
            }
            Met::Row(_) if record.has_log_lines() => self.take_one_by_one(record, EntriesAt::Record),
            _ if self.form.summarizes(record) => self.take(record, std::iter::empty()),
            _ => {}
        }
        self.visited(Summary { activation_id: record.activation_id, start: record.start })
    }

    /// Takes the lines of one record that are too many to be kept at once. Before those of a store come the record's own notices.
    pub(super) fn take_one_by_one(&mut self, record: &Record<'_>, at: EntriesAt) {
        let (api, mut telling) = (self.api, self.open(record));
        let own = if at == EntriesAt::Store { Notices::of(record) } else { Notices::default() };
        let mut put = |line: Line<'_>| self.tell(&mut telling, line);
        let read = if own.lines().all(&mut put) {
            api.entries(record.activation_id, at, |_, line| own.has(line) || put(line))
        } else {
            Ok(Entries::Stopped)
        };
        let trouble = match read {
            Ok(Entries::All(_)) if self.end_of_entries(&mut telling) => return,
            Ok(Entries::All(_) | Entries::Stopped) => return self.singles.cut(of(record, self.form, None)),
            Ok(_) => format!("activation {}: its entries are not to be had now", record.activation_id),
            Err(failure) => failure.message,
        };
        self.send(Goal::Settled);
        if self.ended() {
            return self.singles.cut(of(record, self.form, Some(trouble)));
        }
        let settled = self.ledger.settled_of_last();
        self.owe(OwedRecord { acknowledged: settled, ..of(record, self.form, Some(trouble)) });
    }

    /// A record that cannot be read is owed by itself. If not even its id can be, that is an error of this run, and it does not hold up its
    /// neighbours.
    pub(super) fn visit_unreadable(&mut self, json: &[u8], error: &UnreadableRecord) -> Visited {
        let told = match Summary::parse(json) {
            Ok(summary) => Ok(Some(summary)),
            Err(_) => self.told_by_the_list(error),
        };
        let summary = match told {
            Ok(summary) => summary,
            // It stays in its range, which the next run asks for again.
            Err(failure) => {
                self.end.failure.get_or_insert(failure);
                return Visited { summary: None, go_on: false };
            }
        };
        let Some(summary) = summary else {
            self.tally.unreadable += 1;
            self.singles.lose(error.to_string());
            return Visited { summary: None, go_on: self.in_time() };
        };
        if self.seen.contains(summary) || !self.ledger.begin(summary) {
            return Visited { summary: Some(summary), go_on: self.in_time() };
        }
        if !self.singles.owes(summary) {
            self.tally.unreadable += 1;
            self.owe(unidentified(summary, Some(error.to_string())));
        }
        self.visited(summary)
    }

    /// What the list of summaries tells of a record of which only the id can be read, if anything.
    fn told_by_the_list(&self, error: &UnreadableRecord) -> Result<Option<Summary>, Failure> {
        let (Ok(id), Some(range)) = (error.id.parse::<ActivationId>(), self.walking) else { return Ok(None) };
        if let Some(known) = self.singles.owed.iter().find(|known| known.activation_id == id) {
            return Ok(Some(*known));
        }
        let mut found = None;
        let walked = Walk::new(self.api, self.name, false).over(range, |row| {
            let summary = Summary::parse(row.json).ok();
            found = summary.filter(|summary| summary.activation_id == id);
            Visited { summary, go_on: found.is_none() && self.in_time() }
        });
        match walked.failure {
            Some(failure) if found.is_none() => Err(failure),
            _ => Ok(found),
        }
    }

    /// What the list of full records left out in a range that was walked down to `reached`, as the API cannot read it itself (docs/facts/openwhisk.md
    /// 1.2), is owed by itself from now on. Returns how far the range is done then.
    pub(super) fn owe_left_out(&mut self, reached: Option<u64>) -> Option<u64> {
        let expected = std::mem::take(&mut self.singles.expected).into_iter();
        let mut left_out: Vec<Summary> =
            expected.filter(|summary| reached.is_none_or(|reached| summary.start > reached)).collect();
        left_out.sort_unstable_by_key(|summary| std::cmp::Reverse((summary.start, summary.activation_id)));
        for summary in left_out {
            if !self.singles.owes(summary) {
                self.owe(unidentified(summary, None));
            }
            if !self.singles.owes(summary) {
                return Some(summary.start);
            }
            self.singles.left_out.push(summary);
        }
        reached
    }

    /// When the turn is over: the record of which some entries are acknowledged and not all is owed by itself.
    pub(super) fn owe_begun(&mut self) {
        let cut = self.singles.cut.take();
        if self.singles.is_full() {
            return;
        }
        if let Some(Taken { activation, settled }) = self.ledger.take_begun() {
            let record = cut.filter(|record| record.summary() == activation);
            let record = record.unwrap_or_else(|| unidentified(activation, None));
            self.owe(OwedRecord { acknowledged: settled, ..record });
        }
    }

    /// Goes on with the records of `slice`, one after the other, as long as the turn lasts.
    pub(super) fn work_on_records(mut self, slice: &Slice) -> Outcome {
        let mut left = std::mem::take(&mut self.singles.open);
        while let Some(record) = left.pop_front() {
            let summary = record.summary();
            match self.go_on_with(record) {
                Fate::Done => self.singles.settled.push(summary),
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
        if matches!(entries, Ok(Entries::All(all)) if own.are_all(all)) {
            entries = api.entries(record.id, EntriesAt::Store, |_, line| own.has(line) || put(line));
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
            Ok(Listed::With { known, has_lines }) if has_lines || self.form.has_summaries() => {
                let OwedRecord { acknowledged, treatment, trouble, .. } = record;
                ControlFlow::Continue(OwedRecord { acknowledged, treatment, trouble, ..*known })
            }
            Ok(Listed::With { .. }) => ControlFlow::Break(Fate::Done),
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

    /// What the list says of a record.
    fn listed(&self, record: &OwedRecord) -> Result<Listed, Failure> {
        let Some(start) = Range::new(record.start, record.start) else { return Ok(Listed::Not) };
        let mut found = Listed::Not;
        let walked = Walk::new(self.api, self.name, false).over(start, |row| {
            let summary = Summary::parse(row.json).ok();
            let met = summary == Some(record.summary());
            if met {
                found = match Record::parse(row.json) {
                    Ok(known) => Listed::With {
                        has_lines: self.source.matches(&known) && known.may_have_lines_elsewhere(),
                        known: Box::new(of(&known, self.form, None)),
                    },
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
    /// What its events need, and whether it may have lines that are wanted.
    With { known: Box<OwedRecord>, has_lines: bool },
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
