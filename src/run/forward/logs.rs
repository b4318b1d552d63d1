//! Log lines that are not in the record: some platforms keep them in a store of their own, behind `/logs` (docs/facts/openwhisk.md 1.8).

use crate::checkpoint::{LogPlace, Seen};
use crate::openwhisk::api::{Api, Logs};
use crate::openwhisk::record::{ActivationId, Line, OwnedLine, Record, Summary};
use crate::ports::Failure;
use crate::run::plan::Plan;

/// How long after its end an activation's lines may take to come into their store, in milliseconds: until then no lines is not an answer.
pub(super) const SETTLING_MS: u64 = 120_000;
/// Failures of `/logs` after which a turn ends: then it is not the record's fault.
const MOST_FAILURES: u32 = 3;
/// Records a turn that are put off while it is believed that lines are in records: they are asked for once more when lines have had time to
/// come.
const MOST_PUT_OFF: u32 = 1;
/// Most ids and digests of what counts as done without lines that a turn remembers.
const MOST_DOUBTFUL: usize = 2_000;
/// Most entries of a record that may all be notices of the platform.
const MOST_NOTICES: usize = 16;

/// The lines of a record.
pub(super) enum Lines {
    /// As the record has them.
    InRecord,
    /// From their own store.
    Elsewhere(Vec<OwnedLine>),
    /// From their own store, more than are kept at once.
    ElsewhereOneByOne,
    /// Not to be had now. The record is not done, and the next look-back finds it again; with a warning, if something is wrong.
    Later(Option<String>),
    /// Not to be had now, and no look-back finds the record again: it is owed by itself, and this is why.
    Lost(String),
    /// The same, for a record that was to be checked: its lines are not known to be elsewhere.
    Unchecked(String),
    /// Not to be had now, and the slice cannot go on without.
    Failed(Failure),
}

/// The assumed place of lines, at the begin of a turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Belief {
    place: LogPlace,
    /// The configuration says so.
    configured: bool,
    /// This instance has seen a line in some record of this run.
    lines_seen: bool,
    random: u64,
}

impl Belief {
    /// As the plan says, and what this instance has `learned` since.
    pub(super) fn new(plan: &Plan, learned: Option<LogPlace>, random: u64) -> Self {
        let configured = plan.config.logs.is_some();
        let place =
            if configured { plan.logs } else { learned.map_or(plan.logs, |place| place.max(plan.logs)) };
        Self { place, configured, lines_seen: learned >= Some(LogPlace::Record), random }
    }
}

/// Chooses what to check: the first of a turn, one of the next two, of the next four, and so on. So there are few, all over the turn.
#[derive(Debug)]
struct Checks {
    met: u64,
    next: u64,
    random: u64,
    /// One had no answer, so there are no more in this turn.
    unanswered: bool,
    /// One had an answer.
    answered: bool,
}

impl Checks {
    fn is_chosen(&mut self) -> bool {
        if self.unanswered {
            return false;
        }
        self.met += 1;
        let chosen = self.met == self.next;
        if chosen {
            let begin = (self.met + 1).next_power_of_two();
            self.random = self.random.rotate_left(17).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            self.next = begin + self.random % begin;
        }
        chosen
    }
}

/// Asks for lines that are not in their record, and learns where this platform keeps them.
#[derive(Debug)]
pub(super) struct LogStore {
    belief: Belief,
    checks: Checks,
    learned: Option<LogPlace>,
    /// What counts as done without lines and was not asked for, or could not say.
    doubtful: Seen,
    failures: u32,
    put_off: u32,
    /// Why the API never says where lines are.
    refusal: Option<String>,
    /// What starts before this is in no later look-back.
    next_look_back_from: u64,
    /// What starts before this may be in no later look-back that is compared: until then counts may hide it.
    compared_from: u64,
}

/// How a record without lines is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// It is not done before there is an answer.
    Must,
    /// To see whether the belief still holds.
    Check,
    Not,
}

impl LogStore {
    pub(super) fn new(belief: Belief, next_look_back_from: u64, compared_from: u64) -> Self {
        let checks =
            Checks { met: 0, next: 1, random: belief.random | 1, unanswered: false, answered: false };
        Self {
            belief,
            checks,
            learned: None,
            doubtful: Seen::default(),
            failures: 0,
            put_off: 0,
            refusal: None,
            next_look_back_from,
            compared_from: compared_from.max(next_look_back_from),
        }
    }

    /// The place that was learned, if any.
    pub(super) fn learned(&self) -> Option<LogPlace> {
        self.learned
    }

    /// A record that is owed by itself has shown that there is a store with lines.
    pub(super) fn learn_of_store(&mut self) {
        self.learn(LogPlace::Api);
    }

    /// Activations that count as done without lines although these may be elsewhere.
    pub(super) fn take_doubtful(&mut self) -> Seen {
        std::mem::take(&mut self.doubtful)
    }

    /// Whether somebody said of what was asked where lines are; `None` if nothing was asked. Only then time settles doubts.
    pub(super) fn is_answered(&self) -> Option<bool> {
        let Checks { answered, unanswered, .. } = self.checks;
        (answered || unanswered).then_some(!unanswered)
    }

    /// Why the API never says where lines are, if it was asked.
    pub(super) fn take_refusal(&mut self) -> Option<String> {
        let refusal = self.refusal.take()?;
        Some(format!(
            "{refusal}; lines in a store of their own would not be seen: let the API key read logs, or set `logs` to `record`"
        ))
    }

    /// The lines of `record`. Asks for them if the record has none of its own, may have some, and that is believed or to be checked.
    pub(super) fn lines_of(&mut self, record: &Record<'_>, api: &Api<'_>, now_ms: u64) -> Lines {
        if record.entries().any(|line| !line.is_notice()) {
            self.learn(LogPlace::Record);
        }
        if !record.may_have_lines_elsewhere() {
            return Lines::InRecord;
        }
        let asks = self.asks();
        if asks == Asks::Not {
            return self.doubted(record);
        }
        let last_chance = record.start < self.next_look_back_from;
        let may_be_last_chance = record.start < self.compared_from;
        let age_ms = now_ms.saturating_sub(record.end.unwrap_or(record.start));
        let id = record.activation_id;
        let logs = api.logs(id);
        // Of a record that is not there the store says nothing.
        self.checks.answered |= matches!(&logs, Ok(logs) if *logs != Logs::NoRecord);
        match logs {
            Ok(Logs::Lines(lines)) => self.found(record, lines),
            Ok(Logs::Many) => {
                self.learn(LogPlace::Api);
                Lines::ElsewhereOneByOne
            }
            // A store that has lines of others answers for this one: if it counted as done without an answer, it would be asked for in each run.
            Ok(Logs::NotAvailable) if self.belief.place == LogPlace::Api => {
                self.not_yet(record, last_chance, age_ms)
            }
            Ok(Logs::NotAvailable) => {
                self.learn(LogPlace::Nowhere);
                self.doubted(record)
            }
            Ok(Logs::Empty) if self.belief.place == LogPlace::Nowhere => {
                self.learn(LogPlace::Unknown);
                self.not_yet(record, last_chance, age_ms)
            }
            Ok(Logs::Empty) => self.not_yet(record, last_chance, age_ms),
            Ok(Logs::NoRecord) if last_chance && asks == Asks::Check => self.doubted(record),
            Ok(Logs::NoRecord) if last_chance => {
                Lines::Lost(format!("{}: the API does not know it any more", not_to_be_had(id)))
            }
            Ok(Logs::NoRecord) => Lines::Later(None),
            Ok(Logs::NotRetrieved) => {
                // Only a store of its own says so.
                self.learn(LogPlace::Api);
                let warning = format!("{}: their store does not give them", not_to_be_had(id));
                if may_be_last_chance { Lines::Lost(warning) } else { Lines::Later(Some(warning)) }
            }
            Err(failure) if self.believes_in_records() && !failure.retryable => {
                // It is told in each run, and never becomes an answer.
                self.checks.answered = true;
                self.refusal.get_or_insert(failure.message);
                self.doubted(record)
            }
            Err(failure) if asks == Asks::Check => {
                self.checks.unanswered = true;
                let message = failure.message;
                if may_be_last_chance { Lines::Unchecked(message) } else { Lines::Later(Some(message)) }
            }
            Err(failure) => self.failed(failure, may_be_last_chance),
        }
    }

    fn asks(&mut self) -> Asks {
        let Belief { place, configured, lines_seen, .. } = self.belief;
        match place {
            LogPlace::Unknown | LogPlace::Api => Asks::Must,
            _ if configured => Asks::Not,
            // No line in any record of the run so far: they may have moved.
            LogPlace::Record if !lines_seen => Asks::Must,
            _ if self.checks.is_chosen() => Asks::Check,
            _ => Asks::Not,
        }
    }

    fn believes_in_records(&self) -> bool {
        self.belief.place == LogPlace::Record
    }

    /// It counts as done with what it has, and will not if the lines turn out to be elsewhere.
    pub(super) fn doubted(&mut self, record: &Record<'_>) -> Lines {
        if !self.belief.configured {
            self.doubtful.insert(Summary { activation_id: record.activation_id, start: record.start });
            self.doubtful.fit(MOST_DOUBTFUL);
        }
        Lines::InRecord
    }

    /// `/logs` gave some. The record's own entries are first, so that they keep their numbers.
    fn found(&mut self, record: &Record<'_>, lines: Vec<OwnedLine>) -> Lines {
        let own = Notices::of(record);
        let more: Vec<OwnedLine> = lines.into_iter().filter(|line| !own.has(line.line())).collect();
        if more.is_empty() {
            return Lines::InRecord;
        }
        self.learn(LogPlace::Api);
        Lines::Elsewhere(own.first.into_iter().chain(more).collect())
    }

    /// `/logs` gave none. That is final when they had time to come.
    fn not_yet(&mut self, record: &Record<'_>, last_chance: bool, age_ms: u64) -> Lines {
        if age_ms >= SETTLING_MS {
            return Lines::InRecord;
        }
        if last_chance {
            return self.doubted(record);
        }
        if self.believes_in_records() {
            self.put_off += 1;
            if self.put_off > MOST_PUT_OFF {
                return self.doubted(record);
            }
        }
        Lines::Later(None)
    }

    fn failed(&mut self, failure: Failure, last_chance: bool) -> Lines {
        self.failures += 1;
        if self.failures >= MOST_FAILURES {
            return Lines::Failed(failure);
        }
        if last_chance { Lines::Lost(failure.message) } else { Lines::Later(Some(failure.message)) }
    }

    /// Takes in one answer, or one record with lines. A store that gives lines counts for good; one record never decides for others.
    fn learn(&mut self, seen: LogPlace) {
        let Belief { place, lines_seen, .. } = self.belief;
        self.learned = self.learned.max(Some(seen));
        if self.belief.configured {
            return;
        }
        self.belief.place = match seen {
            LogPlace::Nowhere if place == LogPlace::Record && lines_seen => place,
            _ if place == LogPlace::Api => place,
            seen => seen,
        };
        self.belief.lines_seen |= seen == LogPlace::Record;
    }
}

/// The notices of the platform that a record holds although its lines are in a store of their own: they are its first entries. The store may
/// show them too.
#[derive(Debug, Default)]
pub(super) struct Notices {
    first: Vec<OwnedLine>,
    /// Another entry follows.
    others: bool,
}

impl Notices {
    /// Those of a record that has nothing else.
    pub(super) fn of(record: &Record<'_>) -> Self {
        Self { first: record.entries().map(OwnedLine::from).collect(), others: false }
    }

    /// Takes in the next entry of the record.
    pub(super) fn note(&mut self, line: Line<'_>) {
        self.others |= self.first.len() >= MOST_NOTICES || !line.is_notice();
        if !self.others {
            self.first.push(line.into());
        }
    }

    /// Whether there are no other entries, and so many of these.
    pub(super) fn are_all(&self, entries: usize) -> bool {
        !self.others && self.first.len() == entries
    }

    pub(super) fn has(&self, line: Line<'_>) -> bool {
        self.first.iter().any(|own| own.reads_like(line))
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.first.iter().map(OwnedLine::line)
    }
}

fn not_to_be_had(id: ActivationId) -> String {
    format!("the logs of activation {id} are not to be had now")
}

#[cfg(test)]
mod tests;
