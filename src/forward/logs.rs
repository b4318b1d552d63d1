//! Log lines that are not in the record: some platforms keep them in a store of its own, which `/logs` asks (facts/openwhisk.md 1.8).

use crate::api::{Api, Logs};
use crate::checkpoint::LogPlace;
use crate::ports::Failure;
use crate::record::Record;

/// How long after its end an activation's lines may take to come into their store, in milliseconds: until then no lines is no answer.
const SETTLING_MS: u64 = 120_000;
/// How long after its end an activation that no look-back will find again holds up its slice when its lines cannot be had, in milliseconds.
const PATIENCE_MS: u64 = 24 * 3_600_000;
/// Failures of `/logs` after which a turn ends: then it is not the record's fault.
const MOST_FAILURES: u32 = 3;

/// The lines of a record.
pub(super) enum Lines {
    /// As the record has them.
    InRecord,
    /// From their own store.
    Elsewhere(Vec<String>),
    /// From their own store, more than are kept at once.
    ElsewhereOneByOne,
    /// Not to be had now. The record is not done, and the next look-back finds it again; with a warning, if something is wrong.
    Later(Option<String>),
    /// Not to be had any more: the record counts as done.
    Lost(String),
    /// Not to be had now, and the slice cannot go on without.
    Failed(Failure),
}

/// Asks for lines that are not in their record, and learns where this platform keeps them.
#[derive(Debug)]
pub(super) struct LogStore {
    place: LogPlace,
    learned: Option<LogPlace>,
    failures: u32,
    /// What starts before this is in no later look-back.
    next_look_back_from: u64,
}

impl LogStore {
    pub(super) fn new(place: LogPlace, next_look_back_from: u64) -> Self {
        Self { place, learned: None, failures: 0, next_look_back_from }
    }

    /// What was learned, if anything.
    pub(super) fn learned(&self) -> Option<LogPlace> {
        self.learned
    }

    /// The lines of `record`. Asks for them if the record has none, may have some, and the platform is not known to have them nowhere else.
    pub(super) fn lines_of(&mut self, record: &Record<'_>, api: &Api<'_>, now_ms: u64) -> Lines {
        if record.entries().next().is_some() {
            self.learn(LogPlace::Record);
        }
        let asks = matches!(self.place, LogPlace::Unknown | LogPlace::Api);
        if !asks || !record.may_have_lines_elsewhere() {
            return Lines::InRecord;
        }
        let last_chance = record.start < self.next_look_back_from;
        let age_ms = now_ms.saturating_sub(record.end.unwrap_or(record.start));
        let id = record.activation_id;
        match api.logs(id) {
            Ok(Logs::Lines(lines)) => {
                self.learn(LogPlace::Api);
                Lines::Elsewhere(lines)
            }
            Ok(Logs::Many) => {
                self.learn(LogPlace::Api);
                Lines::ElsewhereOneByOne
            }
            Ok(Logs::NotAvailable) => {
                self.learn(LogPlace::Nowhere);
                Lines::InRecord
            }
            Ok(Logs::Empty) if last_chance || age_ms >= SETTLING_MS => Lines::InRecord,
            Ok(Logs::Empty) => Lines::Later(None),
            Ok(Logs::NoRecord) if last_chance => {
                Lines::Lost(given_up(record, "the API does not know it any more"))
            }
            Ok(Logs::NoRecord) => Lines::Later(None),
            Ok(Logs::NotRetrieved) if last_chance => {
                Lines::Lost(given_up(record, "their store does not give them"))
            }
            Ok(Logs::NotRetrieved) => {
                let warning = format!(
                    "the logs of activation {id} are not to be had now: their store does not give them"
                );
                Lines::Later(Some(warning))
            }
            Err(failure) => self.failed(record, failure, last_chance, age_ms),
        }
    }

    fn failed(&mut self, record: &Record<'_>, failure: Failure, last_chance: bool, age_ms: u64) -> Lines {
        self.failures += 1;
        if last_chance && age_ms >= PATIENCE_MS {
            return Lines::Lost(given_up(record, &failure.message));
        }
        if last_chance || self.failures >= MOST_FAILURES {
            return Lines::Failed(failure);
        }
        Lines::Later(Some(failure.message))
    }

    /// The first word counts, but that there are lines counts more than that there are none.
    fn learn(&mut self, place: LogPlace) {
        if matches!(self.place, LogPlace::Unknown) {
            self.place = place;
        }
        if self.learned.is_none_or(|learned| learned < place) {
            self.learned = Some(place);
        }
    }
}

fn given_up(record: &Record<'_>, why: &str) -> String {
    format!(
        "the logs of activation {} of `{}` are given up, as its look-back has passed: {why}",
        record.activation_id, record.name
    )
}

#[cfg(test)]
mod tests;
