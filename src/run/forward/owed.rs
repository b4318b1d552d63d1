//! Records that are owed by themselves: older records do not wait for them.
//!
//! Such a record is larger than a turn can send, or the API did not give it. It counts as done in its range; the checkpoint knows how many
//! of its entries are acknowledged, and each run continues with it, by its id, until all entries are acknowledged, or the platform says
//! that the record does not exist any more.

mod continued;

use super::ledger::Taken;
use super::logs::Notices;
use super::{NAMED, Turn};
use crate::checkpoint::{OwedRecord, Seen, SourceState};
use crate::events::Form;
use crate::lumberjack::Goal;
use crate::openwhisk::api::{Entries, EntriesAt};
use crate::openwhisk::fetch::{Met, Visited, Walk};
use crate::openwhisk::record::{ActivationId, Line, Record, Summary, UnreadableRecord};
use crate::ports::Failure;
use crate::range::Range;
use crate::run::plan::Slice;
use std::collections::{HashSet, VecDeque};

/// Most records of a source that are owed by themselves. Beyond that a record stays in its range, and holds up what is older.
const MOST: usize = 100;
/// So many of them may be there only because nobody knows where their lines are: each costs a request in each run.
const MOST_UNCHECKED: usize = 8;
/// Longest trouble that the checkpoint keeps, in characters.
const LONGEST_TROUBLE: usize = 300;

/// A turn's knowledge of records that are owed by themselves.
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
    pub(super) empty: Vec<Summary>,
    pub(super) lost: Vec<String>,
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

    /// The list of summaries shows these, and they are to be fetched; as is what is owed by itself and known as a part of these digests only. What is
    /// `seen` by its id may be of another action, and so in no digest of this one.
    pub(super) fn expect(&mut self, listed: Vec<Summary>, digests: &[Range], seen: &Seen) {
        let is_fetched = |owed: &&Summary| {
            !seen.contains(**owed) && digests.iter().any(|digest| digest.contains(owed.start))
        };
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
        if self.is_beneath(summary) || self.seen.contains(summary) || !self.ledger.begin(summary) {
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
        crate::sorted::sort_by_key(&mut left_out, |summary| {
            std::cmp::Reverse((summary.start, summary.activation_id))
        });
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_is_owed_and_known_by_its_id_is_not_expected_of_a_digest() {
        let owed = Summary { start: 5, activation_id: "0".repeat(32).parse().unwrap() };
        let mut seen = Seen::default();
        let expected = |seen: &Seen| {
            let mut singles = Singles { owed: [owed].into(), ..Singles::default() };
            singles.expect(Vec::new(), &[Range::new(1, 9).unwrap()], seen);
            singles.expected.contains(&owed)
        };
        assert!(expected(&seen), "it is a part of the digest");
        seen.insert(owed);
        seen.set_listed(owed, false);
        assert!(!expected(&seen), "patterns have met it, and it may be of another action");
    }
}
