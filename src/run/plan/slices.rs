//! Cutting the work of a plan into slices, the units that workers do, most urgent first.

use super::{Foot, Plan};
use crate::checkpoint::{Owed, OwedRecord, Part};
use crate::openwhisk::record::Summary;
use crate::range::Range;
use serde::{Deserialize, Serialize};

/// Place of the backlog in the work of a source that has something new and a look-back.
const BACKLOG: usize = 2;

/// A range of new activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Their starts.
    pub range: Range,
    /// How many there are, if the API said so. There may be more by now.
    pub count: Option<u64>,
    /// Since when it says so, milliseconds since 1970.
    pub counted_ms: u64,
}

/// A unit of work: a part of a source's work that depends on no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// The source, as configured.
    pub source: String,
    /// Its place in the plan: workers that share the load begin with the receiver that this number chooses.
    pub receiver_offset: usize,
    /// Which activations, and how to find them.
    pub owed: Owed,
    /// How many activations the API counted in the range when the run was planned, if it did.
    pub count: Option<u64>,
    /// Since when it did, milliseconds since 1970.
    pub counted_ms: u64,
    /// The foot of its list, if there is one.
    pub foot: Option<Foot>,
    /// Whether it is the rest of another slice of this run.
    pub continued: bool,
    /// Activations in the range that earlier slices of this run have done.
    pub done: Vec<Summary>,
    /// Ranges of which earlier slices of this run have done all or some again, as only a digest of them was known.
    pub renewed: Vec<Range>,
    /// How many ids earlier slices of this run have handed back.
    pub handed_back: usize,
    /// Records that are owed by themselves. They are gone on with when the range is at its end; with [`Part::Record`] they are all that there is to do.
    #[serde(with = "crate::handover::as_json")]
    pub records: Vec<OwedRecord>,
}

impl Plan {
    /// All slices, most urgent first: new activations of every source, then late ones, then single records and the backlog.
    pub fn slices(&self) -> Vec<Slice> {
        let mut slices: Vec<Slice> = Vec::new();
        let least_urgent = self.work.values().map(Vec::len).max().unwrap_or_default();
        for urgency in 0..least_urgent.max(BACKLOG + 1) {
            if urgency == BACKLOG {
                slices.extend(self.records());
            }
            let open = self.work.iter().filter_map(|(source, work)| {
                let settled = self.settled.get(source).map_or(&[][..], Vec::as_slice);
                let owed = work.get(urgency).filter(|owed| !settled.contains(owed))?;
                Some((source, owed.part, self.pieces(source, *owed)))
            });
            let open: Vec<(&String, Part, Vec<Counted>)> = open.collect();
            // The newest of every source first, then what is before that.
            let most = open.iter().map(|(_, _, pieces)| pieces.len()).max().unwrap_or_default();
            for place in 0..most {
                for (source, part, pieces) in &open {
                    slices.extend(pieces.get(place).map(|Counted { range, count, counted_ms }| Slice {
                        count: *count,
                        counted_ms: *counted_ms,
                        foot: self.foot_of(source, *range).filter(|_| *part == Part::Fresh),
                        ..Slice::new((*source).clone(), Owed { range: *range, part: *part })
                    }));
                }
            }
            if urgency == 0 {
                // A gap is waited for until its index is at rest. Meanwhile there is work on what is newer.
                let (gaps, at_once): (Vec<Slice>, Vec<Slice>) =
                    slices.into_iter().partition(|slice| self.is_gap(slice));
                slices = at_once.into_iter().chain(gaps).collect();
            }
        }
        slices.iter_mut().enumerate().for_each(|(place, slice)| slice.receiver_offset = place);
        slices
    }

    /// Whether `slice` holds activations that no run has asked for before, and some that none will ask for again.
    pub(in crate::run) fn is_gap(&self, slice: &Slice) -> bool {
        let range = slice.owed.range;
        let complete_until =
            self.checkpoint.sources.get(&slice.source).map_or(0, |state| state.complete_until);
        range.upto() > complete_until && range.since() < self.began_ms.saturating_sub(self.lookback_ms)
    }

    /// A slice for each record that is owed by itself.
    fn records(&self) -> impl Iterator<Item = Slice> {
        let states =
            self.work.keys().filter_map(|source| Some((source, self.checkpoint.sources.get(source)?)));
        states.flat_map(|(source, state)| {
            let newest_first = state.records.iter().rev();
            newest_first.filter_map(|record| Slice::of_records(source.clone(), vec![record.clone()]))
        })
    }

    /// The foot of the list of what is new in `range`.
    fn foot_of(&self, source: &str, range: Range) -> Option<Foot> {
        let first = self.work.get(source).and_then(|work| work.first())?;
        self.feet.get(source).copied().filter(|_| range.since() == first.range.since())
    }

    /// A part of the work in its pieces, newest first.
    fn pieces(&self, source: &str, Owed { range, part }: Owed) -> Vec<Counted> {
        let counted = self.counted.get(source).into_iter().flatten();
        let pieces: Vec<Counted> =
            counted.filter(|piece| part == Part::Fresh && range.overlaps(piece.range)).copied().collect();
        if pieces.is_empty() { vec![Counted { range, count: None, counted_ms: 0 }] } else { pieces }
    }
}

impl Slice {
    /// A slice that no other came before.
    pub fn new(source: String, owed: Owed) -> Self {
        Self {
            source,
            receiver_offset: 0,
            owed,
            count: None,
            counted_ms: 0,
            foot: None,
            continued: false,
            done: Vec::new(),
            renewed: Vec::new(),
            handed_back: 0,
            records: Vec::new(),
        }
    }

    /// A slice of records that are owed by themselves, of which there must be one.
    pub fn of_records(source: String, records: Vec<OwedRecord>) -> Option<Self> {
        let start = records.first()?.start;
        let range = Range::new(start, start)?;
        Some(Self { records, ..Self::new(source, Owed { range, part: Part::Record }) })
    }
}
