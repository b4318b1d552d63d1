//! Forwarding one slice: fetch, send, wait for acks, and report what is done.

mod admitted;
mod done;
mod foot;
mod gap;
mod ledger;
mod logs;
mod lookback;
mod outcome;
mod owed;
mod progress;
mod sending;
mod tally;
mod telling;

pub use outcome::Outcome;
pub use tally::Tally;

use crate::checkpoint::{LogPlace, Owed, Part, Seen, SourceState, lookback_span};
use crate::events::{Events, Form};
use crate::lumberjack::Goal;
use crate::openwhisk::api::{Api, EntriesAt, LARGEST_PAGE, Patience};
use crate::openwhisk::fetch::{FIRST_PAGE, Met, OverlapFilter, Visited, Walk};
use crate::openwhisk::record::{Line, OwnedLine, Record, Row, Summary};
use crate::openwhisk::source::Source;
use crate::output::Delivery;
use crate::ports::{Failure, Ports};
use crate::range::{Range, union};
use crate::run::plan::{Foot, Plan, Slice};
use admitted::{Admitted, Known};
use done::Done;
use gap::Index;
use ledger::Ledger;
use logs::{Belief, Lines, LogStore};
use lookback::{LookBack, Opened, Unknown};
use owed::Singles;
use progress::Progress;
use telling::Telling;

/// How long one call works before it returns with a rest, so that the host can save the checkpoint, in milliseconds.
const TURN_MS: u64 = 5_000;
/// Most activations whose logs could not be had, and most lines that were set aside, that a report names.
const NAMED: usize = 10;

/// A worker: the state that one instance keeps between slices.
#[derive(Debug)]
pub struct Worker {
    /// From the first slice on.
    delivery: Option<Delivery>,
    /// The form of documents, from the first slice on.
    form: Option<Form>,
    largest_page: u32,
    /// With the API.
    patience: Patience,
    progress: Progress,
    /// Rows of the first page of a walk.
    first_page: u32,
    /// The place of log lines, as far as this run knows it.
    logs: Option<LogPlace>,
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            delivery: None,
            form: None,
            largest_page: LARGEST_PAGE,
            patience: Patience::default(),
            progress: Progress::default(),
            first_page: FIRST_PAGE,
            logs: None,
        }
    }
}

impl Worker {
    /// Does one slice, or as much of it as a turn allows.
    pub fn forward(&mut self, ports: Ports<'_>, plan: &Plan, slice: &Slice) -> Outcome {
        let nothing = Outcome { source: slice.source.clone(), ..Outcome::default() };
        let Some(source) = plan.config.source(&slice.source) else {
            return Outcome {
                failure: Some(format!("`{}` is not a source of this plan", slice.source)),
                ..nothing
            };
        };
        let now = ports.clock.now_ms();
        if now >= plan.stop_ms {
            return nothing;
        }
        let delivery = self.delivery.get_or_insert_with(|| {
            Delivery::new(plan.config.output.clone(), slice.receiver_offset, ports.clock.random())
        });
        let form = self.form.get_or_insert_with(|| {
            Form::of(&plan.config.documents, delivery.protocol(), plan.own_action.as_deref(), plan.began_ms)
        });
        // Fetching what cannot be sent would only cost time.
        if let Some(failure) = delivery.given_up() {
            return Outcome { failure: Some(failure.message.clone()), ..nothing };
        }
        // Its events are counted as the ledger counts them, from the begin of the turn.
        delivery.clear();
        let api = Api::new(ports, plan.stop_ms)
            .with_largest_page(self.largest_page)
            .with_patience(self.patience.clone());
        let state = plan.checkpoint.sources.get(&slice.source);
        let mut seen = state.map(|state| state.seen.clone()).unwrap_or_default();
        slice.renewed.iter().for_each(|range| seen.forget_range(*range));
        slice.done.iter().for_each(|activation| seen.insert(*activation));
        let filter = source.filter();
        let belief = Belief::new(plan, self.logs, ports.clock.random());
        let next_look_back_from =
            state.map_or(u64::MAX, |state| state.next_look_back_from(plan.began_ms, plan.lookback_ms));
        // What is in no range of this run's future and older than the look-back need not be remembered.
        let look_back_from =
            next_look_back_from.min(plan.began_ms.saturating_sub(lookback_span(plan.lookback_ms)));
        // What has a gap before it is remembered from there on, until it has settled.
        let done = Done::new(look_back_from, plan.most_ids, slice.handed_back).with_older(
            slice.owed.range,
            plan.began_ms,
            [plan.most_ids, slice.handed_back],
        );
        let turn = Turn {
            ports,
            api: &api,
            source,
            name: filter.as_deref(),
            seen,
            admitted: Admitted::new(
                plan.checkpoint.sources.get(&slice.source).map_or(&[], |state| &state.admissions),
                &slice.done,
            ),
            delivery,
            form,
            first_page: &mut self.first_page,
            namespace: String::new(),
            ledger: Ledger::new(done),
            tally: Tally::default(),
            singles: Singles::new(state, slice),
            logs: LogStore::new(belief, next_look_back_from, plan.began_ms.saturating_sub(plan.lookback_ms)),
            time: Time {
                stop_ms: plan.stop_ms,
                turn_ends_ms: turn_ends_ms(now, plan.stop_ms),
                waiting_since_ms: now,
            },
            walking: None,
            since: slice.owed.range.since(),
            foot: slice.foot,
            notes: Notes::default(),
            end: End::default(),
            opened: Vec::new(),
        };
        let mut outcome = turn.work(plan, slice);
        self.progress.look(slice, &mut outcome);
        self.largest_page = api.largest_page();
        self.logs = self.logs.max(outcome.logs);
        outcome
    }
}

/// When a turn that begins now ends. A fifth of what is left of the run, but between half a second and three, is kept back for the last
/// window's ack.
fn turn_ends_ms(now_ms: u64, stop_ms: u64) -> u64 {
    let last_ack = (stop_ms.saturating_sub(now_ms) / 5).clamp(500, 3000);
    now_ms.saturating_add(TURN_MS).min(stop_ms.saturating_sub(last_ack))
}

/// One call of `forward`.
struct Turn<'a> {
    ports: Ports<'a>,
    api: &'a Api<'a>,
    source: &'a Source,
    /// The API's filter.
    name: Option<&'a str>,
    seen: Seen,
    /// Of digests that were compared, what they stood for.
    opened: Vec<Opened>,
    /// What is known where more is monitored than before.
    admitted: Admitted<'a>,
    delivery: &'a mut Delivery,
    form: &'a Form,
    first_page: &'a mut u32,
    /// That of the records; all of a turn have the same.
    namespace: String,
    ledger: Ledger,
    tally: Tally,
    singles: Singles,
    logs: LogStore,
    time: Time,
    /// The range that is walked over.
    walking: Option<Range>,
    /// Where the slice begins, and the foot of its list.
    since: u64,
    foot: Option<Foot>,
    notes: Notes,
    end: End,
}

/// The times of a turn, milliseconds since 1970.
struct Time {
    /// When nothing more is fetched or sent in this run.
    stop_ms: u64,
    turn_ends_ms: u64,
    /// Since when some event waits to be sent.
    waiting_since_ms: u64,
}

/// What the outcome tells besides numbers.
#[derive(Default)]
struct Notes {
    /// Ids of lines that were set aside.
    set_aside: Vec<String>,
    /// Activations whose logs could not be had.
    without_logs: Vec<String>,
    /// Ranges of which the list showed fewer than counted.
    unsure: Vec<Range>,
    /// The oldest start of what was put off.
    put_off_since: Option<u64>,
}

/// Why a turn ends before its work is done.
#[derive(Default)]
struct End {
    /// The time did not suffice: not all that was sent was acknowledged, or what is to be listed cannot be trusted yet. Nothing may follow.
    over: bool,
    failure: Option<Failure>,
}

impl<'a> Turn<'a> {
    fn work(mut self, plan: &Plan, slice: &Slice) -> Outcome {
        let Owed { range, part } = slice.owed;
        let mut count = slice.count;
        let found = match part {
            Part::Fresh if !slice.continued && plan.is_gap(slice) => {
                let first =
                    Walk::new(self.api, self.name, true).beginning_with(*self.first_page).first(range);
                let planned = (slice.count, slice.counted_ms);
                gap::count_at_rest(self.api, self.ports.clock, planned, first).map(|index| {
                    count = match index {
                        Index::AtRest(count) => Some(count),
                        Index::Moving => None,
                        Index::Unknown => {
                            self.end.over = true;
                            None
                        }
                    };
                    Unknown::all(range)
                })
            }
            Part::Fresh => Ok(Unknown::all(range)),
            Part::Lookback | Part::Settling => {
                let in_time = || self.ports.clock.now_ms() < self.time.turn_ends_ms;
                let state = plan.checkpoint.sources.get(&slice.source);
                let settling = part == Part::Settling;
                let must_compare =
                    |state: &SourceState| state.must_compare_all_of(range, plan.began_ms, plan.lookback_ms);
                let exact = state.is_none_or(must_compare);
                let renewed = settling && state.is_some_and(|state| state.is_renewed(range));
                LookBack { api: self.api, name: self.name, seen: &self.seen, exact, renewed, in_time }
                    .over(range)
            }
            Part::Record => return self.work_on_records(slice),
        };
        let Unknown { ranges, renewing, opened, listed, gone, back, reached: looked, .. } = match found {
            Ok(_) if self.end.over => return self.outcome(slice, Some(range.upto()), &[]),
            Ok(found) => found,
            Err(failure) => {
                self.end.failure = Some(failure);
                return self.outcome(slice, Some(range.upto()), &[]);
            }
        };
        let again = union(ranges.iter().chain(&renewing).copied().collect());
        // What was found in the time of this turn is fetched, however long it was looked for.
        self.time.turn_ends_ms = turn_ends_ms(self.ports.clock.now_ms(), self.time.stop_ms);
        self.singles.expect(listed, &renewing, &self.seen);
        self.open_digests(opened);
        let mut reached = None;
        for part in ranges {
            reached = self.walk(part, count);
            if reached.is_some() {
                break;
            }
        }
        self.send(Goal::Settled);
        self.owe_begun();
        // Newest first: the oldest that is done of what is not done decides.
        let reached = reached.max(looked).max(self.ledger.open().map(|activation| activation.start));
        let reached = self.owe_left_out(reached);
        let outcome = self.outcome(slice, reached, &renewing);
        Outcome { unsettled: outcome.unsettled(&again), gone, back, ..outcome }
    }

    /// What these digests stood for is known by its ids from now on.
    fn open_digests(&mut self, opened: Vec<Opened>) {
        for Opened { range, known } in &opened {
            self.seen.forget_range(*range);
            known.iter().for_each(|activation| self.seen.insert(*activation));
        }
        self.opened = opened;
    }

    /// Forwards everything new in `range`, where `count` activations are to be expected. Returns the start down to which it came, if it did not get through.
    fn walk(&mut self, range: Range, count: Option<u64>) -> Option<u64> {
        let api = self.api;
        let name = self.name;
        let mut walk = Walk::new(api, name, true).beginning_with(*self.first_page).expecting(count);
        let listed = self.foot.and_then(|foot| Range::new(foot.start, range.upto()));
        if listed.is_some() {
            walk = walk.known_before(range.since());
        }
        let listed = listed.unwrap_or(range);
        self.walking = Some(listed);
        let mut edge = OverlapFilter::default();
        let walked = walk.stepping_over(listed, |met| {
            let visited = self.visit(met);
            self.note_late(visited, &mut edge);
            self.singles.meet(visited);
            visited
        });
        *self.first_page = walk.rows();
        let reached = walked.reached.filter(|reached| *reached >= range.since());
        if reached.is_none() && walk.fell_short() {
            self.notes.unsure.push(range);
        }
        if reached.is_none() {
            self.look_again_for_late(range);
        }
        if let Some(failure) = walked.failure {
            self.end.failure.get_or_insert(failure);
        }
        reached
    }

    /// Takes one record. It goes on unless sending failed or the turn is over.
    fn visit(&mut self, met: Met<'_>) -> Visited {
        if matches!(met, Met::SteppedOver(..)) {
            // To find out took longer than a turn: what is behind it shall be reached all the same.
            self.time.turn_ends_ms = turn_ends_ms(self.ports.clock.now_ms(), self.time.stop_ms);
        }
        let record = match Record::parse(met.json()) {
            Ok(record) => record,
            Err(error) => return self.visit_unreadable(met.json(), &error),
        };
        let summary = Summary { activation_id: record.activation_id, start: record.start };
        if self.is_beneath(summary) {
            return Visited { summary: Some(summary), go_on: self.in_time() };
        }
        let known = self.admitted.knows(&self.seen, summary, &record);
        if known == Known::Remembered || !self.ledger.begin(summary) {
            return Visited { summary: Some(summary), go_on: self.in_time() };
        }
        if known == Known::Forgotten {
            return self.visited(summary);
        }
        if self.seen.contains(summary) {
            self.ledger.done().expect_passed_over(summary);
        }
        if self.source.matches_trigger(&record) {
            if self.form.summarizes(&record) {
                self.take(&record, std::iter::empty());
            }
        } else if self.source.matches(&record) && !self.singles.owes(summary) {
            if !matches!(met, Met::Row(Row { is_whole: true, .. })) {
                return self.visit_without_entries(met, &record);
            }
            match self.logs.lines_of(&record, self.api, self.ports.clock.now_ms()) {
                Lines::InRecord => self.take(&record, record.entries()),
                Lines::Elsewhere(lines) => {
                    self.take(&record, lines.iter().map(OwnedLine::line));
                }
                Lines::ElsewhereOneByOne => self.take_one_by_one(&record, EntriesAt::Store),
                Lines::Lost(trouble) => {
                    self.owe(owed::of(&record, self.form, Some(trouble)));
                }
                Lines::Unchecked(trouble) if self.singles.has_room_for_checks() => {
                    self.owe(owed::of(&record, self.form, Some(trouble)));
                }
                Lines::Unchecked(trouble) => {
                    self.note_put_off(record.start);
                    self.note_without_logs(trouble);
                    self.logs.doubted(&record);
                    self.take(&record, record.entries());
                }
                // It was passed over when it was not monitored: a look-back takes it for known.
                Lines::Later(trouble) if self.seen.contains(summary) => {
                    self.owe(owed::of(&record, self.form, trouble));
                }
                Lines::Later(warning) => {
                    // No lines yet is not trouble: most such activations have printed nothing. But a notice and the activation's own event wait.
                    let is_silent = warning.is_none() && record.entries().next().is_none();
                    if !is_silent || self.form.summarizes(&record) {
                        self.note_put_off(record.start);
                        self.tally.silent += u64::from(is_silent);
                    }
                    warning.into_iter().for_each(|warning| self.note_without_logs(warning));
                    self.ledger.put_off();
                    return Visited { summary: Some(summary), go_on: self.in_time() };
                }
                Lines::Failed(failure) => self.end.failure = Some(failure),
            }
        }
        self.visited(summary)
    }

    /// All that is to be done for the open record is done, unless the turn ended inside of it.
    fn visited(&mut self, summary: Summary) -> Visited {
        if !self.ended() && !self.singles.is_cut() {
            self.ledger.end();
        }
        if self.ledger.is_long() {
            self.send(Goal::Settled);
        }
        Visited { summary: Some(summary), go_on: !self.ended() && self.in_time() }
    }

    /// Takes the lines of one record.
    fn take<'l>(&mut self, record: &Record<'_>, mut lines: impl Iterator<Item = Line<'l>>) {
        let mut telling = self.open(record);
        if !lines.all(|line| self.tell(&mut telling, line)) || !self.end_of_entries(&mut telling) {
            self.singles.cut(owed::of(record, self.form, None));
        }
    }

    fn open(&mut self, record: &Record<'_>) -> Telling<'a> {
        self.tally.activations += 1;
        if self.namespace != record.namespace {
            self.namespace = record.namespace.to_string();
        }
        Telling::new(Events::of(record, self.form), self.form.style_of(record), 0, true)
    }

    /// The logs of an activation with this start are not there yet, and documents wait for them.
    fn note_put_off(&mut self, start: u64) {
        self.tally.put_off += 1;
        self.notes.put_off_since = self.notes.put_off_since.into_iter().chain([start]).min();
    }

    fn note_without_logs(&mut self, warning: String) {
        if self.notes.without_logs.len() < NAMED {
            self.notes.without_logs.push(warning);
        }
    }

    fn in_time(&self) -> bool {
        self.ports.clock.now_ms() < self.time.turn_ends_ms
    }

    fn ended(&self) -> bool {
        self.end.over || self.end.failure.is_some()
    }
}
