//! Forwarding one slice: fetch, send, wait for acks, and say what is done.

mod ledger;
mod lookback;

use crate::api::{Api, LARGEST_PAGE};
use crate::checkpoint::{Bucket, Owed, Part, Seen};
use crate::config::Endpoint;
use crate::deliver::{Deliveries, Delivery};
use crate::event::Event;
use crate::fetch::{Visited, Walk};
use crate::lumberjack::{Batch, Limits};
use crate::plan::{Plan, Slice};
use crate::ports::{Failure, Ports};
use crate::range::Range;
use crate::record::{Record, Summary, UnreadableRecord};
use crate::source::Source;
use ledger::Ledger;
use serde::{Deserialize, Serialize};

/// How long one call works before it returns with a rest, so that the host can save the checkpoint, in milliseconds.
const TURN_MS: u64 = 5_000;
/// Most unreadable records that a report names.
const NAMED: usize = 10;

/// What came of a slice.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// The source, as configured.
    pub source: String,
    /// What is finished: every activation in there is acknowledged.
    pub covered: Option<Owed>,
    /// What is to be done in this run yet.
    pub rest: Option<Slice>,
    /// Activations that are done and must be remembered.
    pub done: Vec<Summary>,
    /// Minutes of which all activations were done again.
    pub renewed: Vec<Bucket>,
    /// Counts for the report.
    pub tally: Tally,
    /// Records that could not be read.
    pub unreadable: Vec<String>,
    /// Why it is not finished, if not for want of time.
    pub failure: Option<String>,
}

/// What was done, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Records of the source that were new.
    pub activations: u64,
    /// Log lines in them.
    pub lines: u64,
    /// Lines acknowledged.
    pub acknowledged: u64,
    /// Lines written to a connection, repeats included.
    pub sent: u64,
    /// Lines written again after a failure.
    pub resent: u64,
    /// Windows acknowledged to the end.
    pub windows: u64,
    /// Signs of life of the receiver without progress.
    pub keep_alives: u64,
    /// Requests to the API.
    pub requests: u64,
    /// Records that could not be read.
    pub unreadable: u64,
}

/// A worker: what one instance keeps between slices.
#[derive(Debug)]
pub struct Worker {
    delivery: Delivery,
    largest_page: u32,
}

impl Default for Worker {
    fn default() -> Self {
        Self { delivery: Delivery::default(), largest_page: LARGEST_PAGE }
    }
}

impl Worker {
    /// Does one slice, or as much of it as a turn allows.
    pub fn forward(&mut self, ports: Ports<'_>, plan: &Plan, slice: &Slice) -> Outcome {
        let nothing = Outcome { source: slice.source.clone(), ..Outcome::default() };
        let Some(source) = plan.source(&slice.source) else {
            return Outcome { failure: Some(format!("`{}` is no source", slice.source)), ..nothing };
        };
        // Fetching what cannot be sent would only cost time.
        if let Some(failure) = self.delivery.given_up() {
            return Outcome { failure: Some(failure.message.clone()), ..nothing };
        }
        let api = Api::new(ports, plan.stop_ms).with_largest_page(self.largest_page);
        let mut seen =
            plan.checkpoint.sources.get(&slice.source).map(|state| state.seen.clone()).unwrap_or_default();
        slice.done.iter().for_each(|activation| seen.insert(*activation));
        let filter = source.filter();
        let turn = Turn {
            ports,
            api: &api,
            receiver: &plan.receiver,
            source: &source,
            name: filter.as_deref(),
            seen: &seen,
            delivery: &mut self.delivery,
            batch: Batch::default(),
            ledger: Ledger::default(),
            tally: Tally::default(),
            unreadable: Vec::new(),
            stop_ms: plan.stop_ms,
            turn_ends_ms: ports.clock.now_ms().saturating_add(TURN_MS).min(plan.stop_ms),
            failure: None,
        };
        let outcome = turn.work(plan, slice);
        self.largest_page = api.largest_page();
        outcome
    }
}

/// One call of `forward`.
struct Turn<'a> {
    ports: Ports<'a>,
    api: &'a Api<'a>,
    receiver: &'a Endpoint,
    source: &'a Source,
    /// The API's filter.
    name: Option<&'a str>,
    seen: &'a Seen,
    delivery: &'a mut Delivery,
    batch: Batch,
    ledger: Ledger,
    tally: Tally,
    unreadable: Vec<String>,
    stop_ms: u64,
    turn_ends_ms: u64,
    failure: Option<Failure>,
}

impl Turn<'_> {
    fn work(mut self, plan: &Plan, slice: &Slice) -> Outcome {
        let Owed { range, part } = slice.owed;
        let (ranges, renewing) = match part {
            Part::Fresh => (vec![range], Vec::new()),
            Part::Lookback => match lookback::unknown(self.api, self.name, range, self.seen) {
                Ok(found) => (found.ranges, found.renewing),
                Err(failure) => {
                    self.failure = Some(failure);
                    return self.outcome(plan, slice, Some(range.upto()), &[]);
                }
            },
        };
        let mut reached = None;
        for part in ranges {
            reached = self.walk(part);
            if reached.is_some() {
                break;
            }
        }
        self.flush();
        // Newest first: the oldest that is done of what is not done decides.
        let reached = reached.max(self.ledger.open().map(|activation| activation.start));
        self.outcome(plan, slice, reached, &renewing)
    }

    /// Forwards everything new in `range`. Returns the start down to which it came, if it did not get through.
    fn walk(&mut self, range: Range) -> Option<u64> {
        let api = self.api;
        let name = self.name;
        let walked = Walk::new(api, name, true).over(range, |json| Ok(self.visit(json)));
        if let Some(failure) = walked.failure {
            self.failure.get_or_insert(failure);
        }
        walked.reached
    }

    /// Takes one record. It goes on unless sending failed or the turn is over.
    fn visit(&mut self, json: &[u8]) -> Visited {
        let record = match Record::parse(json) {
            Ok(record) => record,
            Err(error) => return self.visit_unreadable(json, error),
        };
        let summary = Summary { activation_id: record.activation_id, start: record.start };
        if self.seen.contains(summary) || !self.ledger.begin(summary) {
            return Visited { summary: Some(summary), new: false, go_on: true };
        }
        if self.source.matches(&record) {
            self.tally.activations += 1;
            for (index, entry) in record.entries().enumerate() {
                self.tally.lines += 1;
                if self.batch.is_full(Limits::default()) {
                    self.flush();
                }
                if self.failure.is_some() {
                    break;
                }
                self.push(&Event::new(&record, index, entry));
            }
        }
        if self.failure.is_none() {
            self.ledger.end();
        }
        let go_on = self.failure.is_none() && self.ports.clock.now_ms() < self.turn_ends_ms;
        Visited { summary: Some(summary), new: true, go_on }
    }

    /// A record that cannot be read is reported, and does not hold up its neighbours.
    fn visit_unreadable(&mut self, json: &[u8], error: UnreadableRecord) -> Visited {
        let summary = Summary::parse(json).ok();
        let new = summary.is_none_or(|summary| !self.seen.contains(summary) && self.ledger.begin(summary));
        if new {
            self.tally.unreadable += 1;
            if self.unreadable.len() < NAMED {
                self.unreadable.push(error.to_string());
            }
            if summary.is_some() {
                self.ledger.end();
            }
        }
        Visited { summary, new, go_on: true }
    }

    fn push(&mut self, event: &Event<'_>) {
        match self.batch.push(event) {
            Ok(()) => self.ledger.push(),
            Err(error) => {
                self.failure =
                    Some(Failure::lasting(format!("an event could not be written as JSON: {error}")))
            }
        }
    }

    /// Sends what is in the batch; after a failure the turn is over.
    fn flush(&mut self) {
        if self.batch.is_empty() || self.delivery.given_up().is_some() {
            return;
        }
        let (acknowledged, result) =
            self.delivery.deliver(self.ports, self.receiver, &self.batch, self.stop_ms);
        self.ledger.acknowledge(acknowledged.into());
        self.batch.clear();
        if let Err(failure) = result {
            self.failure = Some(failure);
        }
    }

    fn outcome(mut self, plan: &Plan, slice: &Slice, reached: Option<u64>, renewing: &[Bucket]) -> Outcome {
        let Owed { range, part } = slice.owed;
        let covered_from = reached.map_or(Some(range.since()), |reached| reached.checked_add(1));
        let covered = covered_from.and_then(|since| Range::new(since.max(range.since()), range.upto()));
        let uncovered = reached.and_then(|reached| Range::new(range.since(), reached.min(range.upto())));
        let out_of_time = self.ports.clock.now_ms() >= self.stop_ms;
        // What is in no range of this run's future and older than the look-back need not be remembered.
        let look_back_from = plan.began_ms.saturating_sub(plan.lookback_ms);
        let keep = |activation: &Summary| {
            activation.start >= Bucket::of(look_back_from).since()
                || uncovered.is_some_and(|rest| rest.contains(activation.start))
        };
        let done: Vec<Summary> = self.ledger.take_done().into_iter().filter(keep).collect();
        let rest = uncovered.filter(|_| self.failure.is_none() && !out_of_time).map(|range| Slice {
            source: slice.source.clone(),
            owed: Owed { range, part },
            done: slice
                .done
                .iter()
                .chain(&done)
                .copied()
                .filter(|activation| range.contains(activation.start))
                .collect(),
        });
        let Deliveries { windows, sent, resent, keep_alives } = self.delivery.take_deliveries();
        self.tally = Tally {
            windows,
            sent,
            resent,
            keep_alives,
            acknowledged: self.ledger.acknowledged(),
            requests: self.api.requests(),
            ..self.tally
        };
        Outcome {
            source: slice.source.clone(),
            covered: covered.map(|range| Owed { range, part }),
            rest,
            done,
            renewed: renewing
                .iter()
                .copied()
                .filter(|bucket| reached.is_none_or(|reached| bucket.since() > reached))
                .collect(),
            tally: self.tally,
            unreadable: self.unreadable,
            failure: self.failure.map(|failure| failure.message),
        }
    }
}
