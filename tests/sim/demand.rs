//! The lines that must arrive of an action that was not monitored all the time: those that a run knew while it was monitored, and those
//! that are not older than the look-back when it is monitored again.

use super::ports::Sim;
use super::record::{LogsAt, Record};
use super::settings::{Settings, Store};
use super::trouble::{Event, How};
use serde_json::Value;
use std::collections::BTreeSet;
use whiskjack::checkpoint::LogPlace;
use whiskjack::run::store::STATE;

/// How much a clock wanders, and how far the index is behind, in milliseconds.
const MARGIN_MS: u64 = 5_000;
/// Longest time between two comparisons of a look-back, in milliseconds.
pub const COMPARING_MS: u64 = 10 * 60_000;

/// A time during which an action was monitored, from the first checkpoint that says so.
#[derive(Debug, Clone)]
struct Period {
    name: &'static str,
    /// Starts from here on are of interest.
    origin: u64,
    /// The first of all: it begins where the configuration says.
    initial: bool,
    /// Whether it lasts.
    open: bool,
    /// A checkpoint says that a run has done something: since when one does.
    begun: Option<u64>,
    /// Begin of the last run in it whose checkpoint was saved.
    known_upto: u64,
}

/// All that must arrive.
#[derive(Debug, Clone, Default)]
pub struct Demands {
    periods: Vec<Period>,
    /// Not the first checkpoint any more.
    changed: bool,
    /// When a checkpoint first said that lines are in a store of their own, and when the run began that found it.
    store_known: Option<(u64, u64)>,
    /// Where lines are, as a checkpoint first said.
    first_place: Option<LogPlace>,
    /// When the runs began that had an answer of the store: such a run settles doubts about what is older than its look-back.
    had_answers: BTreeSet<u64>,
    /// When the run began that wrote the first checkpoint.
    first_run: Option<u64>,
    /// Records of which a run asked for the lines in vain, though no later look-back shows them again: begin of the run, and id.
    in_vain: Vec<(u64, u128)>,
    /// Those of runs whose checkpoint was saved: they are owed, whatever is believed of where lines are.
    owed_lines: BTreeSet<u128>,
    /// The checkpoint was lost: where a run begins anew, once it has, and whether it said so.
    lost: Option<Lost>,
}

#[derive(Debug, Clone, Default)]
struct Lost {
    anew: Option<u64>,
}

/// A checkpoint was stored: what is monitored and was not before begins.
pub fn stored(sim: &Sim) {
    let config = sim.config.borrow();
    let mut demands = sim.demands.borrow_mut();
    demands.first_run.get_or_insert(sim.began.get());
    let checkpoint = sim.kept.borrow().checkpoint();
    let place = checkpoint.as_ref().map(|checkpoint| checkpoint.platform.logs(sim.began.get()));
    if let Some(place) = place.filter(|place| *place != LogPlace::Unknown) {
        demands.first_place.get_or_insert(place);
    }
    if place == Some(LogPlace::Api) {
        demands.store_known.get_or_insert((sim.now.get(), sim.began.get()));
    }
    let bound = bound(sim, sim.began.get());
    for name in &config.chosen {
        let source = if config.patterns { "*" } else { name };
        let Some(state) = checkpoint.as_ref().and_then(|checkpoint| checkpoint.sources.get(source)) else {
            continue;
        };
        let (changed, lost) = (demands.changed, demands.lost.is_some());
        match demands.periods.iter_mut().find(|period| period.open && period.name == *name) {
            Some(period) if period.initial && !changed => {
                let begun = state.origin;
                // A run that began before may have read what was there before, and what it saves is true by itself.
                let was_begun = period.begun.is_some_and(|since| since <= sim.began.get());
                let anew = begun > period.origin || was_begun && state.complete_until < state.origin;
                let known = |record: &Record| {
                    let state = record.own.as_ref().map(|own| &own.0[STATE]["sources"][source]["origin"]);
                    state.and_then(Value::as_u64) == Some(begun)
                };
                let anew = anew && !sim.own.borrow().iter().any(known);
                if anew && !lost && is_kept_well(sim) {
                    let complaint = format!("`{name}` begins anew although its checkpoint was there");
                    sim.untrue.borrow_mut().push(complaint);
                }
                period.origin = state.origin;
                period.begun =
                    (state.complete_until >= state.origin).then(|| period.begun.unwrap_or(sim.now.get()));
            }
            Some(_) => {}
            None => {
                let origin = if changed { bound } else { state.origin };
                let initial = !changed;
                demands.periods.push(Period {
                    name,
                    origin,
                    initial,
                    open: true,
                    begun: None,
                    known_upto: 0,
                });
            }
        }
    }
    if let Some(lost) = &mut demands.lost {
        lost.anew.get_or_insert(bound);
    }
}

/// Whether the run at hand could have read what earlier ones stored, for sure: a package and a host keep it, and only who knows it writes over it; a
/// record of the forwarder must be visible. What a host kept is of no use to another place.
fn is_kept_well(sim: &Sim) -> bool {
    let settings = &sim.world.settings;
    let changes = sim.world.trouble.events.iter().filter_map(|(_, event)| match event {
        Event::Store(store) => Some(*store),
        _ => None,
    });
    let stores: Vec<Store> = changes.chain([settings.store]).collect();
    if stores.len() == 1 && matches!(settings.store, Store::Package | Store::Host) {
        return !settings.shared_package;
    }
    if is_never_current(settings)
        || stores.contains(&Store::Host)
        || settings.overlaps > 0
        || settings.api_faults > 0
    {
        return false;
    }
    let asked = sim.began.get().saturating_sub(lead(settings));
    let has_state = |record: &Record| record.own.as_ref().is_some_and(|own| own.0.get(STATE).is_some());
    let in_records = sim.own.borrow().iter().any(|record| has_state(record) && record.visible <= asked);
    let in_package = sim.packages.borrow().by_name.values().any(|package| package.checkpoint().is_some());
    in_records || in_package && sim.config.borrow().store == Store::Activation
}

/// Whether a run that began at `began` went on from what the one before stored, for sure: records of the forwarder become visible some time.
pub fn went_on_from_the_last(sim: &Sim, began: u64) -> bool {
    let settings = &sim.world.settings;
    let config = sim.config.borrow();
    if !config.refused && matches!(config.store, Store::Package | Store::Host) {
        return true;
    }
    let has_state = |record: &&Record| record.own.as_ref().is_some_and(|own| own.0.get(STATE).is_some());
    let asked = began.saturating_sub(lead(settings));
    let own = sim.own.borrow();
    let mut earlier = own.iter().filter(has_state).filter(|record| record.start < began);
    !is_never_current(settings) && earlier.all(|record| record.visible <= asked)
}

/// What is wrong with a run that says that its key may not write the package, if anything.
pub fn rightly_refused(sim: &Sim, result: &Value) -> Option<String> {
    let config = sim.config.borrow();
    let may_write = config.store == Store::Package && !config.refused && sim.world.settings.api_faults == 0;
    (may_write && result["checkpoint"] == "in this result").then(|| {
        "a run believes that its key may not write the package, though OpenWhisk did not say so".into()
    })
}

/// A run asked for the lines of a record; `in_vain` if nobody answered for the store.
pub fn asked(sim: &Sim, record: &Record, in_vain: bool) {
    let began = sim.began.get();
    let mut demands = sim.demands.borrow_mut();
    demands.in_vain.retain(|asked| *asked != (began, record.id));
    if !in_vain {
        demands.had_answers.insert(began);
    }
    let is_last_chance = record.start + 2 * sim.lookback_ms() + lead(&sim.world.settings) < began;
    if in_vain && is_last_chance {
        demands.in_vain.push((began, record.id));
    }
}

/// A run has ended and saved its checkpoint.
pub fn saved(sim: &Sim, began: u64, result: &Value) {
    let mut demands = sim.demands.borrow_mut();
    let is_saved = result.get("skipped").is_none() && result["checkpoint"] != "not saved";
    if !is_saved {
        // A run that does not know of it may have saved all the same.
        if demands.lost.as_ref().is_some_and(|lost| lost.anew.is_some()) {
            demands.begin_anew(result);
        }
        return;
    }
    if result.get("error").is_none() {
        begin_after_run(sim, &mut demands, began);
    }
    let in_vain = std::mem::take(&mut demands.in_vain);
    demands.owed_lines.extend(in_vain.iter().filter(|(run, _)| *run == began).map(|(_, id)| id));
    let lead = lead(&sim.world.settings);
    let known = if is_never_current(&sim.world.settings) { 0 } else { began.saturating_sub(lead) };
    demands.periods.iter_mut().filter(|period| period.open).for_each(|period| {
        period.known_upto = period.known_upto.max(known);
    });
    demands.begin_anew(result);
}

/// What is monitored and was not before begins with the first run that ends well, whether it wrote a checkpoint or not.
fn begin_after_run(sim: &Sim, demands: &mut Demands, began: u64) {
    if !demands.changed || demands.lost.is_some() {
        return;
    }
    let origin = bound(sim, began);
    for name in &sim.config.borrow().chosen {
        if !demands.periods.iter().any(|period| period.open && period.name == *name) {
            let begins = Period { name, origin, initial: false, open: true, begun: None, known_upto: 0 };
            demands.periods.push(begins);
        }
    }
}

/// Where begins what is monitored later or anew, if a run at `began` finds that: where the configuration says, too. A run may not have heard yet
/// that limits rose: it begins with the look-back that it knows of.
fn bound(sim: &Sim, began: u64) -> u64 {
    let settings = &sim.world.settings;
    let from = settings.from.map_or(0, |from| from + 1);
    (began.saturating_sub(known_lookback_ms(sim, began)) + lead(settings)).max(from)
}

/// The look-back that a run at `began` knows of: when limits rise, it may be that of the lower ones for some minutes. What begins until then has as much
/// of what was there before; what begins under the higher limits is in that already.
fn known_lookback_ms(sim: &Sim, began: u64) -> u64 {
    let settings = &sim.world.settings;
    let there = sim.lookback_ms().min(settings.lookback_ms(began) + sim.config.borrow().longer_lookback_ms);
    match sim.kept.borrow().checkpoint().filter(|_| settings.limits_tell) {
        Some(checkpoint) => {
            let lowest = settings.lookback_minutes * 60_000;
            checkpoint.platform.lookback_ms(began).max(lowest).min(there)
        }
        None => there,
    }
}

/// Whether a run says that it began anew.
pub fn says_anew(result: &Value) -> bool {
    let text = |key: &str| result.get(key).map(Value::to_string).unwrap_or_default();
    [text("error"), text("warnings")].concat().contains("began anew")
}

/// Only these are monitored from now on: by a second forwarder too, as both have one configuration.
pub fn monitored(sim: &Sim, chosen: &[&'static str]) {
    sim.demands.borrow_mut().monitor(chosen);
    if let Some(other) = &mut *sim.other.borrow_mut() {
        other.demands.monitor(chosen);
    }
}

impl Demands {
    /// If the checkpoint was lost and a run says so, what was owed is lost.
    fn begin_anew(&mut self, result: &Value) {
        let Some(lost) = self.lost.take_if(|_| says_anew(result)) else { return };
        let anew = lost.anew.unwrap_or(u64::MAX);
        self.periods.retain(|period| period.open);
        self.periods.iter_mut().for_each(|period| (period.origin, period.initial) = (anew, false));
    }

    fn monitor(&mut self, chosen: &[&'static str]) {
        self.changed |= !self.periods.is_empty();
        self.periods
            .iter_mut()
            .filter(|period| !chosen.contains(&period.name))
            .for_each(|period| period.open = false);
    }
}

/// The checkpoint was removed.
pub fn deleted(sim: &Sim) {
    let mut demands = sim.demands.borrow_mut();
    demands.changed |= !demands.periods.is_empty();
    demands.lost.get_or_insert_default();
}

/// Whether a record's lines must arrive before the end.
pub fn must_arrive(sim: &Sim, record: &Record) -> bool {
    let demands = sim.demands.borrow();
    let of_name = || demands.periods.iter().filter(|period| period.name == record.key);
    can_arrive(record)
        && is_asked_for_in_store(sim, record)
        && of_name().any(|period| period.open)
        && of_name().any(|period| {
            asked_for(sim, record, period)
                && (period.open || record.visible.max(record.start) <= period.known_upto)
        })
}

/// Whether a record's lines must have arrived after a run that is complete and began at `began`: whether it can be had or not.
pub fn must_have_arrived(sim: &Sim, record: &Record, began: u64) -> bool {
    let settings = &sim.world.settings;
    !is_never_current(settings)
        && shown(record) + lead(settings) <= began
        && record.deleted > sim.now.get()
        && record.has_lines()
        && record.at != LogsAt::Nowhere
        // What the list of full records leaves out is found by the look-back of the next run.
        && record.poison.is_none_or(|poison| poison.how != How::LeftOut)
        && is_asked_for_in_store(sim, record)
        && is_monitored(sim, record)
        && !may_be_hidden(sim, record, began)
}

/// Whether a deleted record may hide this one from a run that began at `began`: equal counts hide what has become visible since the look-back was
/// compared last, and what a run did not count since, as it asked for the lines in vain.
fn may_be_hidden(sim: &Sim, record: &Record, began: u64) -> bool {
    let settings = &sim.world.settings;
    let compared = began.saturating_sub(lead(settings) + COMPARING_MS);
    let is_asked_in_vain = settings.api_faults > 0 && record.at == LogsAt::Api;
    if shown(record) <= compared && !is_asked_in_vain {
        return false;
    }
    // A comparison since the record was deleted expects it no more.
    let hides = |other: &&Record| {
        settings.is_deleted_early(other) && (compared..=sim.now.get()).contains(&other.deleted)
    };
    let name = Some(record.key.as_str()).filter(|_| !sim.config.borrow().patterns);
    sim.world.deletes_any_early() || sim.world.named(name).iter().any(hides)
}

/// When a record is there with all that it has.
fn shown(record: &Record) -> u64 {
    record.visible.max(record.logs_at).max(record.start)
}

/// Whether a run must have asked for the lines of a record that are in a store of their own, where the first run that found lines found them in records,
/// or they came into records later: few records are asked for then, and what nobody asked for is only found again if the store gives lines of another before
/// it has left the look-back, or before a run had any answer since. What a run did ask for is owed until there is an answer.
fn is_asked_for_in_store(sim: &Sim, record: &Record) -> bool {
    let settings = &sim.world.settings;
    let demands = sim.demands.borrow();
    let Demands { store_known: known, first_run, .. } = *demands;
    let moves = &sim.world.platform.moves;
    let moved = moves.first().is_some_and(|(ms, _)| *ms <= first_run.unwrap_or(u64::MAX));
    let began_in_records = settings.logs == LogsAt::Record || demands.first_place == Some(LogPlace::Record);
    let by_chance = (began_in_records && !moves.is_empty() || moved)
        && settings.logs_parameter == "auto"
        && record.at == LogsAt::Api;
    !by_chance
        || demands.owed_lines.contains(&record.id)
        || known.is_some_and(|(known, run)| {
            let left = record.start + settings.lookback_ms(0);
            known <= left || !demands.had_answers.iter().any(|began| (left + 1..run).contains(began))
        })
}

/// Whether a record has lines that can be had some time.
fn can_arrive(record: &Record) -> bool {
    record.has_lines()
        && record.at != LogsAt::Nowhere
        && record.deleted == u64::MAX
        && !is_out_of_reach(record)
}

/// Whether a record can never be had.
pub fn is_out_of_reach(record: &Record) -> bool {
    record.poison.is_some_and(|poison| poison.until == u64::MAX && !poison.by_id)
}

fn asked_for(sim: &Sim, record: &Record, period: &Period) -> bool {
    let settings = &sim.world.settings;
    match settings.taken_over(&record.key).or(settings.from).filter(|_| period.initial) {
        Some(from) => record.start > from,
        // It begins with the look-back: the checkpoint says when that was.
        None => record.start >= period.origin,
    }
}

/// How much earlier than a run something must be there to be within what it can know.
fn lead(settings: &Settings) -> u64 {
    settings.skew_ms.unsigned_abs() + settings.index_behind_ms() + MARGIN_MS
}

/// Whether the index is as of the run before when a run asks, and stays so for longer than the run waits.
fn is_never_current(settings: &Settings) -> bool {
    settings.stale && settings.index_step_ms > 0
}

/// Whether a record's action is monitored now, and was when it ran.
pub fn is_monitored(sim: &Sim, record: &Record) -> bool {
    let demands = sim.demands.borrow();
    demands
        .periods
        .iter()
        .any(|period| period.open && period.name == record.key && asked_for(sim, record, period))
}

/// Records of monitored actions that are there and can never be had, so that each run must name them.
pub fn out_of_reach(sim: &Sim) -> Vec<&Record> {
    let now = sim.now.get();
    sim.world
        .records
        .iter()
        .filter(|record| is_out_of_reach(record) && record.is_visible(now) && is_monitored(sim, record))
        .collect()
}
