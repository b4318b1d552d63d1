//! The checkpoint: for each source, the acknowledged and the owed.
//!
//! It moves over acknowledged lines only. For each source it keeps `complete_until`, up to which everything is done except the *owed*
//! ranges; and the *seen* activations of the look-back, because the API shows some activations late: they start before `complete_until` and
//! appear after it. An activation in the look-back that is not among the seen is new.

mod ahead;
mod doubt;
mod fit;
mod grain;
mod lease;
mod look_back;
mod merge;
mod monitored;
mod owner;
mod platform;
mod seen;
mod settling;
mod version1;

pub use ahead::SKEW_MS;
pub use fit::MOST_IDS;
pub use lease::{COMMAND_HOLDS_MS, HOLDS_MS, Lease, RESTS_MS};
pub use look_back::lookback_span;
pub use monitored::{Admission, selection};
pub use owner::Owner;
pub use platform::{LogPlace, Platform};
pub use seen::{Digest, Seen};
pub use settling::APART_MS;
pub use whiskjack_settings::{package_of, sign};

pub(crate) use grain::Grain;

use crate::openwhisk::record::{ActivationId, Details, Summary};
use crate::range::{self, Range};
use crate::sorted::Map;
use fit::LARGEST;
use serde::{Deserialize, Serialize};

/// Version 1 had digests of whole minutes only; version 2 owed ranges, and no single records.
const VERSION: u32 = 3;

/// State of all sources, by their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    version: u32,
    /// When it was saved, milliseconds since 1970: identifies the newest of several. 0 before the first run has ended.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub saved_ms: u64,
    /// Its owner; `None` if an older forwarder wrote the checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// A sign of the receivers that got the lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receivers: Option<String>,
    /// Knowledge about the platform.
    #[serde(default, skip_serializing_if = "Platform::is_unknown")]
    pub platform: Platform,
    /// The monitored names that no action has; `None` if all have one, or no run has asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strays: Option<Box<Strays>>,
    /// It began without an earlier checkpoint, and no later run has checked again whether there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Box<Begin>>,
    /// By source, as configured.
    pub sources: Map<String, SourceState>,
    /// Sources that are not monitored any more: their owed ranges wait until they are monitored again.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parked: Map<String, SourceState>,
}

/// The run that began without any checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// When that was, milliseconds since 1970.
    pub at_ms: u64,
    /// Its activation.
    pub run: String,
}

/// The API's answer about names without an activation so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strays {
    /// When it was asked, milliseconds since 1970.
    pub asked_ms: u64,
    /// A sign of the names.
    pub of: String,
    /// The warnings about them for each run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// State of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// First start of interest: no run has ever asked for anything before it.
    pub origin: u64,
    /// Up to here everything is done, except for what is owed.
    #[serde(rename = "through")]
    pub complete_until: u64,
    /// From here up to `complete_until`, `seen` holds everything that is done; 0 if an older forwarder wrote the checkpoint.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub kept_from: u64,
    /// The whole look-back was compared record by record, as the index surely was at this time, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub compared_ms: u64,
    /// Begins of two runs, the older first and at least 95 s apart: the index of the second run shows everything that was visible at the
    /// first. Between them there were only runs that began within 95 s of the first one. 0 if that is not known.
    #[serde(default, skip_serializing_if = "are_zero")]
    pub runs: [u64; 2],
    /// Ranges of which a part may not have been forwarded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owed: Vec<Owed>,
    /// Gaps that were forwarded while their index may not have been up to date.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settling: Vec<Settling>,
    /// Records that are owed by themselves, by start and id; `seen` holds them too, so that no range looks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<OwedRecord>,
    /// For a source of patterns: the entries of `actions` that select its actions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selection: Vec<String>,
    /// Ranges that are walked again for actions that were not monitored in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub admissions: Vec<Admission>,
    /// Those of `seen` that count as done without lines while no run has asked whether their lines are elsewhere.
    #[serde(default, skip_serializing_if = "Seen::is_empty")]
    pub doubtful: Seen,
    /// Activations in the look-back or in an owed range that are done.
    #[serde(default, skip_serializing_if = "Seen::is_empty")]
    pub seen: Seen,
}

/// A range that no look-back will look at, and that was forwarded as the index showed it. It is finished when a later run finds nothing
/// more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Settling {
    /// Starts.
    pub range: Range,
    /// When the run that forwarded it had asked for its activations, milliseconds since 1970.
    pub since_ms: u64,
    /// Whether something in it was unknown before, so that it does not settle for the first time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renewed: bool,
}

/// A record that is owed by itself: it is larger than a turn can send, or the API did not give it. Older records do not wait for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwedRecord {
    /// Begin of the run, milliseconds since 1970.
    pub start: u64,
    /// Which activation.
    pub id: ActivationId,
    /// End of the run, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<u64>,
    /// Simple name of the action; empty if only id and start are known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Namespace of the invoker; empty if the name is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Further details for its documents, if they have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
    /// The number of its entries, from the first on, that are acknowledged.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub acknowledged: u64,
    /// The treatment of lines with which they were counted; `None` if each entry was an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treatment: Option<u32>,
    /// Why the API did not give it the last time; a sentence for the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl OwedRecord {
    /// Which activation it is.
    pub fn summary(&self) -> Summary {
        Summary { activation_id: self.id, start: self.start }
    }

    fn key(&self) -> (u64, ActivationId) {
        (self.start, self.id)
    }
}

/// A range that is not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owed {
    /// Starts.
    pub range: Range,
    /// How to find the missing activations.
    pub part: Part,
}

/// How a range is worked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Most of it is new: all records are fetched.
    Fresh,
    /// Most of it is seen already: counts and summaries show first whether anything is new.
    Lookback,
    /// Records that are owed by themselves: each is fetched by its id. No range is owed in this way.
    Record,
    /// All of it was forwarded as the index showed it then: a run compares it again. It is never owed, as it stays among the settling
    /// ranges.
    Settling,
}

/// Why a checkpoint cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCheckpoint {
    /// It is not a checkpoint of this program.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// A newer forwarder wrote it.
    #[error("it is of version {0} and this forwarder reads version {VERSION}: use the newer forwarder again")]
    Newer(u32),
    /// It would not fit its store.
    #[error("it would take {0} bytes, more than {LARGEST}: monitor fewer actions with one forwarder")]
    TooLarge(usize),
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self {
            version: VERSION,
            saved_ms: 0,
            owner: None,
            receivers: None,
            platform: Platform::default(),
            strays: None,
            begun: None,
            sources: Map::new(),
            parked: Map::new(),
        }
    }
}

impl Checkpoint {
    /// Reads what `encode` wrote, also that of version 1.
    pub fn decode(json: &[u8]) -> Result<Self, BadCheckpoint> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_slice(json).map_err(damaged)?;
        let read = || serde_json::from_slice::<Self>(json).map_err(damaged);
        let mut older = match version {
            VERSION => return read(),
            2 => read()?,
            1 => version1::settled(read()?),
            0 => return Err(BadCheckpoint::Damaged("there is no version 0".into())),
            newer => return Err(BadCheckpoint::Newer(newer)),
        };
        older.version = VERSION;
        older.doubt_all();
        Ok(older)
    }
}

impl Checkpoint {
    /// Whether any records are owed by themselves.
    pub fn owes_records(&self) -> bool {
        self.sources.values().any(|state| !state.records.is_empty())
    }
}

impl SourceState {
    /// The state before the first run: everything from `origin` on is to come. Time begins at 1, so that there is a time before it.
    pub fn new(origin: u64) -> Self {
        let origin = origin.max(1);
        Self {
            origin,
            complete_until: origin - 1,
            kept_from: origin,
            compared_ms: 0,
            runs: [0, origin - 1],
            owed: Vec::new(),
            settling: Vec::new(),
            records: Vec::new(),
            selection: Vec::new(),
            admissions: Vec::new(),
            doubtful: Seen::default(),
            seen: Seen::default(),
        }
    }

    /// One state for several sources that become one: it has come as far as the last of them, and owes everything that any of them owes.
    pub fn together<'a>(states: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        states.into_iter().cloned().reduce(|mut all, state| {
            all.origin = all.origin.min(state.origin);
            all.complete_until = all.complete_until.min(state.complete_until);
            all.kept_from = all.kept_from.min(state.kept_from);
            all.compared_ms = all.compared_ms.min(state.compared_ms);
            all.runs = all.runs.min(state.runs);
            all.owed.extend(state.owed);
            state.records.into_iter().for_each(|record| all.owe(record));
            all.settling.extend(state.settling);
            all.unite_settling();
            all.admissions.extend(state.admissions);
            all.seen.unite(state.seen);
            all.doubtful.cover(state.doubtful);
            all
        })
    }

    /// The work for the source at `now`: new activations first, then late ones, then the backlog.
    pub fn work(&self, now: u64, lookback_ms: u64) -> Vec<Owed> {
        let backlog = self.owed_ranges(Part::Fresh);
        // An owed range that ends where the new one begins is one with it.
        let begin = backlog
            .iter()
            .rev()
            .find(|owed| owed.upto() >= self.complete_until)
            .map_or(self.complete_until.saturating_add(1), |owed| owed.since());
        let fresh = Range::new(begin.max(self.origin), now);
        let backlog = range::difference(backlog, fresh.as_slice());
        // The last run has put off what it left to this look-back, so one that becomes shorter begins once more where it was to begin.
        let announced =
            if self.kept_from == 0 || self.complete_until > now { u64::MAX } else { self.kept_from };
        let recent = Range::new(
            self.look_back_from(now, lookback_ms).min(announced.max(self.origin)),
            self.complete_until,
        );
        let again = self.owed_ranges(Part::Lookback).into_iter().chain(recent).collect();
        let lookback = range::difference(range::difference(range::union(again), &backlog), fresh.as_slice());
        // A clock that went back lets the look-back reach over what settles.
        let settling =
            [&lookback, &backlog, fresh.as_slice()].into_iter().fold(self.due(now), range::difference);
        let part =
            |part: Part, ranges: Vec<Range>| ranges.into_iter().rev().map(move |range| Owed { range, part });
        part(Part::Fresh, fresh.into_iter().collect())
            .chain(part(Part::Lookback, lookback))
            .chain(part(Part::Fresh, backlog))
            .chain(part(Part::Settling, settling))
            .collect()
    }

    /// Takes in the achievements of a run at `now`: of its `work`, the `covered` ranges are finished. Ranges that no later run would look
    /// at settle first.
    pub fn advance(&mut self, work: &[Owed], covered: &[Owed], now: u64, lookback_ms: u64) {
        let once = self.seen_once(covered, now, lookback_ms);
        let settled = covered.iter().filter(|owed| owed.part == Part::Settling).map(|owed| owed.range);
        self.finish_settling(&settled.collect::<Vec<Range>>());
        // A clock that was ahead shall not keep them waiting.
        self.settling.iter_mut().for_each(|settling| settling.since_ms = settling.since_ms.min(now));
        self.settle(once, now);
        self.cover(work, covered, now, lookback_ms);
    }

    /// Like `advance`, but without settling.
    fn cover(&mut self, work: &[Owed], covered: &[Owed], now: u64, lookback_ms: u64) {
        let is_first = self.complete_until < self.origin;
        // A run that covered nothing has asked in vain, and brought no index up to date.
        let runs = if covered.is_empty() { self.known_runs() } else { self.runs_with(now) };
        let of = |part: Part, list: &[Owed]| -> Vec<Range> {
            list.iter().filter(|owed| owed.part == part).map(|owed| owed.range).collect()
        };
        let left = |part: Part| {
            let ranges = range::difference(of(part, work), &of(part, covered));
            ranges.into_iter().map(move |range| Owed { range, part })
        };
        let compared = self.must_compare(now, lookback_ms) && left(Part::Lookback).next().is_none();
        self.owed = left(Part::Fresh).chain(left(Part::Lookback)).collect();
        self.settle_admissions();
        let newest = work.iter().filter(|owed| owed.part == Part::Fresh).map(|owed| owed.range.upto()).max();
        self.complete_until = self.complete_until.max(newest.unwrap_or_default());
        if compared {
            let [shown_at, _] = runs;
            // Nothing is of interest that was to be visible before the first run.
            self.compared_ms = if is_first { now } else { shown_at };
        }
        self.kept_from = self.look_back_after(runs, now, lookback_ms);
        self.runs = runs;
        // A look-back that has become longer looks at it as at all else.
        self.finish_settling(Range::new(self.kept_from, u64::MAX).as_slice());
        let owed = self.owed.iter().map(|owed| owed.range);
        let kept: Vec<Range> = owed.chain(self.settling.iter().map(|settling| settling.range)).collect();
        self.seen.keep(self.kept_from, &kept);
    }

    /// Takes up activations that are done now.
    pub fn note(&mut self, done: impl IntoIterator<Item = Summary>) {
        done.into_iter().for_each(|activation| self.seen.insert(activation));
    }

    /// A record is owed by itself from now on, or more of it is acknowledged than before.
    pub fn owe(&mut self, record: OwedRecord) {
        match self.records.binary_search_by_key(&record.key(), OwedRecord::key) {
            Ok(place) => {
                let Some(known) = self.records.get_mut(place) else { return };
                let acknowledged = known.acknowledged.max(record.acknowledged);
                *known = OwedRecord { acknowledged, ..record };
            }
            Err(place) => self.records.insert(place, record),
        }
    }

    /// A record is not owed any more.
    pub fn settle_record(&mut self, activation: Summary) {
        self.records.retain(|record| record.summary() != activation);
    }

    fn owed_ranges(&self, part: Part) -> Vec<Range> {
        range::union(self.owed.iter().filter(|owed| owed.part == part).map(|owed| owed.range).collect())
    }
}

fn are_zero(numbers: &[u64; 2]) -> bool {
    *numbers == [0, 0]
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn damaged(error: serde_json::Error) -> BadCheckpoint {
    BadCheckpoint::Damaged(error.to_string())
}

#[cfg(test)]
mod tests;
