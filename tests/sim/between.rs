//! Changes between two runs: the configuration changes, another version of the program is there, checkpoints are lost.

use super::demand;
use super::package::Packages;
use super::ports::Sim;
use super::record::Record;
use super::settings::{Settings, Store};
use super::store::{newer, older};
use super::trouble::Event;
use serde_json::{Value, json};
use std::rc::Rc;
use whiskjack::checkpoint::Checkpoint;
use whiskjack::run::store::STATE;

const MINUTE: u64 = 60_000;

/// The parameters, as far as they change.
#[derive(Debug, Clone, PartialEq)]
pub struct Configured {
    pub actions: Vec<&'static str>,
    /// Names that `actions` chooses.
    pub chosen: Vec<&'static str>,
    pub patterns: bool,
    pub store: Store,
    /// The API key may not write packages.
    pub refused: bool,
    pub logs_parameter: &'static str,
    pub longer_lookback_ms: u64,
}

/// A checkpoint of a newer program: what it replaced, and what it must stay.
#[derive(Debug)]
pub struct Newer {
    runs: u32,
    before: (Packages, Option<Vec<u8>>),
    stays: (Packages, Option<Vec<u8>>),
}

impl Configured {
    pub fn new(settings: &Settings) -> Self {
        Self {
            actions: settings.actions.clone(),
            chosen: settings.chosen.clone(),
            patterns: settings.patterns,
            store: settings.store,
            refused: settings.store == Store::Refused,
            logs_parameter: settings.logs_parameter,
            longer_lookback_ms: 0,
        }
    }
}

/// Lets happen what is due.
pub fn between(sim: &Sim, due: &mut Vec<(u64, Event)>) {
    while due.first().is_some_and(|(time, _)| *time <= sim.now.get()) {
        let (_, event) = due.remove(0);
        happen(sim, event);
    }
    if sim.world.trouble.editor && sim.luck.chance(100) {
        edit(sim);
    }
}

fn happen(sim: &Sim, event: Event) {
    sim.trace(|| format!("between two runs: {event:?}"));
    let settings = &sim.world.settings;
    match event {
        Event::Fail(runs) => fail(sim, runs),
        Event::Vanish(records) => vanish(sim, records),
        Event::Actions(actions, chosen) => choose(sim, actions.to_vec(), chosen.to_vec()),
        Event::Toggle(at) => {
            let Configured { mut actions, patterns, .. } = sim.config.borrow().clone();
            let name = settings.actions[at];
            match actions.iter().position(|known| *known == name) {
                _ if patterns => return,
                Some(_) if actions.len() == 1 => return,
                Some(at) => drop(actions.remove(at)),
                None => actions.push(name),
            }
            choose(sim, actions.clone(), actions);
        }
        Event::Restore => choose(sim, settings.actions.clone(), settings.chosen.clone()),
        Event::Store(store) => {
            let before = std::mem::replace(&mut sim.config.borrow_mut().store, store);
            if before != store {
                sim.met.note("store-changed");
            }
        }
        Event::Logs(parameter) => {
            let before = std::mem::replace(&mut sim.config.borrow_mut().logs_parameter, parameter);
            if before != parameter {
                sim.met.note("logs-changed");
            }
        }
        Event::Lookback(minutes) => {
            let before = std::mem::replace(&mut sim.config.borrow_mut().longer_lookback_ms, minutes * MINUTE);
            if before != minutes * MINUTE && !settings.limits_tell {
                sim.met.note("lookback-changed");
            }
        }
        Event::Older => {
            if sim.newer.borrow().is_none() && rewrite(sim, older) {
                sim.met.note("older-version");
            }
        }
        Event::Newer(runs) => {
            let before = kept(sim);
            if sim.newer.borrow().is_none() && rewrite(sim, newer) {
                sim.met.note("newer-version");
                *sim.newer.borrow_mut() = Some(Newer { runs, before, stays: kept(sim) });
            }
        }
        Event::Delete => {
            if sim.newer.borrow().is_none() && !sim.packages.borrow().by_name.is_empty() {
                *sim.packages.borrow_mut() = Packages::default();
                sim.met.note("package-deleted");
                demand::deleted(sim);
            }
        }
    }
}

/// So many runs fail before they have read anything: each leaves a record without a checkpoint.
fn fail(sim: &Sim, runs: u64) {
    let stores = matches!(sim.config.borrow().store, Store::Activation | Store::Refused);
    if !stores || !sim.own.borrow().iter().any(|record| state(record).is_some()) {
        return;
    }
    sim.met.note("stateless-runs");
    for _ in 0..runs {
        sim.pass(sim.world.settings.interval_ms);
        let now = sim.now.get();
        let result =
            json!({"error": "the list of activations: HTTP 401, the API does not accept this API key"});
        let record =
            Record::of_forwarder(sim.luck.id(), (now, now + 90, now + 400), sim.own_name.get(), result, &[]);
        sim.own.borrow_mut().push(record);
    }
}

/// So many of the newest own records with a checkpoint are removed, but not the last.
fn vanish(sim: &Sim, records: u64) {
    let mut own = sim.own.borrow_mut();
    for _ in 0..records {
        let mut with_state = (0..own.len()).rev().filter(|&at| state(&own[at]).is_some());
        let (Some(newest), Some(_)) = (with_state.next(), with_state.next()) else { return };
        own.remove(newest);
        sim.met.note("state-vanished");
    }
}

fn choose(sim: &Sim, actions: Vec<&'static str>, chosen: Vec<&'static str>) {
    let mut config = sim.config.borrow_mut();
    let patterns = actions.iter().any(|entry| entry.contains('*'));
    if patterns != config.patterns || patterns && actions != config.actions {
        sim.met.note("patterns-changed");
    }
    if chosen.iter().any(|name| !config.chosen.contains(name)) {
        sim.met.note("name-added");
    }
    if config.chosen.iter().any(|name| !chosen.contains(name)) {
        sim.met.note("name-removed");
    }
    let owed_by_patterns =
        |checkpoint: Checkpoint| checkpoint.sources.get("*").map(|state| state.records.clone());
    let records = sim.kept.borrow().checkpoint().and_then(owed_by_patterns).unwrap_or_default();
    if config.patterns && !patterns && records.iter().any(|record| record.name.is_empty()) {
        sim.met.note("nameless-record");
    }
    let parked = sim.kept.borrow().checkpoint().map(|checkpoint| checkpoint.parked).unwrap_or_default();
    if config.patterns
        && patterns
        && parked.iter().any(|(name, state)| chosen.contains(&name.as_str()) && state.owes())
    {
        sim.met.note("owed-again");
    }
    if sim.rested.get() && chosen != config.chosen {
        sim.met.note("changed-after-rest");
    }
    (config.actions, config.chosen, config.patterns) = (actions, chosen, patterns);
    let chosen = config.chosen.clone();
    sim.wanted.borrow_mut().extend(&chosen);
    drop(config);
    demand::monitored(sim, &chosen);
}

/// Somebody else writes annotations of the packages.
pub fn edit(sim: &Sim) {
    if sim.newer.borrow().is_some() {
        return;
    }
    let mut packages = sim.packages.borrow_mut();
    let names: Vec<String> = packages.by_name.keys().cloned().collect();
    for name in names {
        let note = sim.luck.below(1_000_000);
        sim.trace(|| format!("somebody else notes {note} in `{name}`"));
        packages.edit(&name, note, sim.now.get());
        sim.met.note("annotation-changed");
    }
}

/// After a run: what a newer program left must be untouched, and the run must have said so. Then it is set back, some time.
pub fn check_newer(sim: &Sim, error: Option<&str>, killed: bool) -> Option<String> {
    let mut newer = sim.newer.borrow_mut();
    let there = newer.as_mut()?;
    let complaint = if kept(sim) != there.stays {
        Some("the checkpoint of a newer program was written over".to_owned())
    } else {
        (error.is_none() && !killed)
            .then(|| "a run that cannot read a newer program's checkpoint does not fail".to_owned())
    };
    there.runs = there.runs.saturating_sub(1);
    if there.runs == 0 || complaint.is_some() {
        drop(newer);
        set_back(sim);
    }
    complaint
}

/// The checkpoint of a newer program is exchanged for what it replaced.
pub fn set_back(sim: &Sim) {
    let Some(Newer { before: (packages, host), .. }) = sim.newer.borrow_mut().take() else { return };
    sim.trace(|| "the newer program's checkpoint is set back".into());
    *sim.packages.borrow_mut() = packages;
    sim.kept.borrow_mut().host = host;
}

fn kept(sim: &Sim) -> (Packages, Option<Vec<u8>>) {
    (sim.packages.borrow().clone(), sim.kept.borrow().host.clone())
}

/// Rewrites the checkpoint where it is. Says whether there was one.
fn rewrite(sim: &Sim, by: fn(&[u8]) -> Option<Value>) -> bool {
    let mut done = false;
    match sim.config.borrow().store {
        Store::Host => {
            let host = &mut sim.kept.borrow_mut().host;
            if let Some(other) = host.as_deref().and_then(by) {
                *host = Some(other.to_string().into_bytes());
                done = true;
            }
        }
        Store::Package => {
            for package in sim.packages.borrow_mut().by_name.values_mut() {
                let other = package.checkpoint().and_then(|json| by(json.to_string().as_bytes()));
                if let Some(other) = other {
                    package.replace(other);
                    done = true;
                }
            }
        }
        Store::Activation | Store::Refused => {
            let mut own = sim.own.borrow_mut();
            let newest = own.iter_mut().rev().find(|record| state(record).is_some());
            let own = newest.and_then(|record| record.own.as_mut());
            let other = own.as_ref().and_then(|own| by(own.0[STATE].to_string().as_bytes()));
            if let (Some(own), Some(other)) = (own, other) {
                Rc::make_mut(own).0[STATE] = other;
                done = true;
            }
        }
    }
    done
}

/// The checkpoint in a record of the forwarder's own runs.
fn state(record: &Record) -> Option<&Value> {
    record.own.as_ref()?.0.get(STATE)
}
