//! The outcome of a slice, for the report and the checkpoint. It goes from instance to instance.

use super::{Tally, Turn};
use crate::checkpoint::{LogPlace, Owed, OwedRecord, Part, Seen};
use crate::openwhisk::record::Summary;
use crate::range::Range;
use crate::run::plan::Slice;
use serde::{Deserialize, Serialize};

/// The outcome of a slice.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// The source, as configured.
    pub source: String,
    /// The finished range: every activation in it is acknowledged.
    pub covered: Option<Owed>,
    /// The rest, which is still to be done in this run.
    pub rest: Option<Slice>,
    /// Activations that are done and must be remembered: digests, where there are too many ids.
    #[serde(with = "crate::handover::as_json")]
    pub done: Seen,
    /// Digests that are forgotten: all that they stood for was done again, or is among `done`.
    pub renewed: Vec<Range>,
    /// Ranges that do not settle yet: something unknown was in there, and was done.
    pub unsettled: Vec<Range>,
    /// Ranges that are finished as far as the list of full records shows them, and that a later run looks at again: it showed fewer than counted.
    pub unsure: Vec<Range>,
    /// Activations that are done and that the list does not show any more, or shows again.
    pub gone: Vec<Summary>,
    /// See `gone`.
    pub back: Vec<Summary>,
    /// Records that are owed by themselves, as they are now: those that became so, and those of which more is acknowledged or known.
    #[serde(with = "crate::handover::as_json")]
    pub records: Vec<OwedRecord>,
    /// Records that were owed by themselves and are not any more.
    pub settled: Vec<Summary>,
    /// Those of them that have nothing to forward.
    pub empty: Vec<Summary>,
    /// Counts for the report.
    pub tally: Tally,
    /// Lines that will not arrive and that no run owes: errors of this run.
    pub lost: Vec<String>,
    /// Ids of lines that were set aside: receivers reset the connection for them and for no other lines.
    pub set_aside: Vec<String>,
    /// Activations whose logs the platform did not give.
    pub without_logs: Vec<String>,
    /// The oldest start of activations whose documents wait for logs.
    pub put_off_since: Option<u64>,
    /// Receivers that failed while another one got the lines, and why.
    pub passed_over: Vec<(String, String)>,
    /// Where this platform keeps log lines, if that was seen.
    pub logs: Option<LogPlace>,
    /// Activations without lines that count as done without a question whether their lines are elsewhere.
    #[serde(with = "crate::handover::as_json")]
    pub doubtful: Seen,
    /// Whether the API said where lines are, if the run asked.
    pub answered: Option<bool>,
    /// Why the slice is not finished, if not for want of time.
    pub failure: Option<String>,
}

impl Outcome {
    /// Of what is covered and was settling, one range around all that was done `again`: it settles anew. One, so that one count tells.
    pub(super) fn unsettled(&self, again: &[Range]) -> Vec<Range> {
        let covered = self.covered.filter(|owed| owed.part == Part::Settling);
        let inside = || again.iter().filter_map(|range| range.shared_with(covered?.range));
        let (since, upto) = (inside().map(Range::since).min(), inside().map(Range::upto).max());
        since.zip(upto).and_then(|(since, upto)| Range::new(since, upto)).into_iter().collect()
    }
}

impl Turn<'_> {
    /// What the turn has come to with `slice`, down to the start `reached`, if it did not get through; the ranges `renewing` were done again.
    pub(super) fn outcome(mut self, slice: &Slice, reached: Option<u64>, renewing: &[Range]) -> Outcome {
        let Owed { range, part } = slice.owed;
        let reached = reached.map(|reached| self.ledger.done().reached(reached));
        let covered_from = reached.map_or(Some(range.since()), |reached| reached.checked_add(1));
        let covered = covered_from.and_then(|since| Range::new(since.max(range.since()), range.upto()));
        let uncovered = reached.and_then(|reached| Range::new(range.since(), reached.min(range.upto())));
        let out_of_time = self.end.over || self.ports.clock.now_ms() >= self.time.stop_ms;
        let mut done = self.ledger.done().seen(uncovered);
        self.singles.take_left_out().into_iter().for_each(|activation| done.insert(activation));
        let opened = std::mem::take(&mut self.opened);
        opened.iter().flat_map(|opened| &opened.known).for_each(|activation| done.insert(*activation));
        // Also a digest of which only a part was done again: it would not count what is done twice.
        let renewed: Vec<Range> = renewing
            .iter()
            .copied()
            .filter(|range| reached.is_none_or(|reached| range.upto() >= reached))
            .chain(opened.iter().map(|opened| opened.range))
            .collect();
        self.logs.take_refusal().into_iter().for_each(|refusal| self.note_without_logs(refusal));
        let goes_on = self.end.failure.is_none() && !out_of_time;
        let records = if goes_on { self.singles.take_open() } else { Vec::new() };
        let of_records = Slice::of_records(slice.source.clone(), records.clone());
        let rest = uncovered.filter(|_| goes_on).map(|range| Slice {
            source: slice.source.clone(),
            receiver_offset: slice.receiver_offset,
            owed: Owed { range, part },
            count: None,
            counted_ms: 0,
            foot: self.foot,
            continued: true,
            renewed: slice.renewed.iter().chain(&renewed).copied().collect(),
            done: slice
                .done
                .iter()
                .copied()
                .filter(|activation| range.contains(activation.start))
                .chain(done.listed(range))
                .collect(),
            handed_back: slice.handed_back + done.size(),
            records,
        });
        let rest = rest.or(of_records.map(|of_records| Slice {
            receiver_offset: slice.receiver_offset,
            continued: true,
            ..of_records
        }));
        (self.tally.sending, self.tally.truncated) = self.delivery.take_counts();
        self.tally.requests = self.api.requests();
        Outcome {
            source: slice.source.clone(),
            covered: covered.map(|range| Owed { range, part }),
            rest,
            done,
            renewed,
            unsettled: Vec::new(),
            unsure: self.notes.unsure,
            gone: Vec::new(),
            back: Vec::new(),
            records: self.singles.records,
            settled: self.singles.settled,
            empty: self.singles.empty,
            tally: self.tally,
            lost: self.singles.lost,
            set_aside: self.notes.set_aside,
            without_logs: self.notes.without_logs,
            put_off_since: self.notes.put_off_since,
            passed_over: self.delivery.take_passed_over(),
            logs: self.logs.learned(),
            answered: self.logs.is_answered(),
            doubtful: self.logs.take_doubtful(),
            failure: self.end.failure.map(|failure| failure.message),
        }
    }
}
