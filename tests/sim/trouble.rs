//! Kinds of trouble, each in a few worlds only, so that a seed stays readable: those that a world has, and those that were met.
//!
//! They have random numbers of their own: a world without trouble is the same as before this module existed.

use super::random::Random;
use super::record::{LogsAt, Record};
use super::settings::{ACTIONS, PATTERNS, Settings, Store};
use super::spoiled;
use std::cell::RefCell;
use std::collections::BTreeMap;

const MINUTE: u64 = 60_000;
/// Lines of a record that is large, at most: each of its lines costs time in every seed that has one.
const MOST_LINES: u64 = 40_000;

/// All kinds that worlds have. The test fails if the default seeds never meet one of them.
pub const KINDS: &[&str] = &[
    "late",
    "stood-back",
    "stale-index",
    "slow-index",
    "early-deletion",
    "log-store",
    "small-page",
    "no-answer",
    "status",
    "reset",
    "cut-off",
    "garbage",
    "slow-api",
    "receiver",
    "killed",
    "overlap",
    "missed-run",
    "hurried",
    "clock",
    "foreign",
    "foreign-package",
    "gateway",
    "put-exists",
    "put-unanswered",
    "annotation-changed",
    "slow-receiver",
    "large-record",
    "poison-forever",
    "poison-until",
    "poison-deleted",
    "poison-by-id",
    "poison-json",
    "left-out",
    "bad-entry",
    "bad-result",
    "no-annotations",
    "no-path",
    "no-end",
    "stateless-runs",
    "state-vanished",
    "name-added",
    "name-removed",
    "patterns-changed",
    "store-changed",
    "logs-changed",
    "lookback-changed",
    "two-forwarders",
    "older-version",
    "newer-version",
    "package-deleted",
    "notice",
    "notice-first",
    "notice-only",
    "logs-moved",
    "logs-moved-back",
    "logs-down",
    "no-limits-at-first",
    "no-limits-later",
    "limits-fell",
    "limits-rose",
    "day-without-runs",
    "ecs",
    "summaries",
    "joined",
    "filtered",
    "documents-changed",
    "lives-for-ever",
    "drips",
    "lull",
    "busy",
    "near",
    "rested",
    "changed-after-rest",
    "clocks-apart",
    "nameless-record",
    "warm",
    "alternated",
    "thawed",
    "behind",
    "cut-short",
    "owed-again",
];

/// What was met in a world, and how often.
#[derive(Debug, Default)]
pub struct Met(RefCell<BTreeMap<&'static str, u64>>);

impl Met {
    pub fn note(&self, kind: &'static str) {
        assert!(KINDS.contains(&kind), "`{kind}` is not among the kinds");
        *self.0.borrow_mut().entry(kind).or_default() += 1;
    }

    pub fn all(&self) -> BTreeMap<&'static str, u64> {
        self.0.borrow().clone()
    }
}

/// The trouble of a world.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// Of a thousand requests, so many are answered by something that is not OpenWhisk.
    pub foreign: u64,
    /// During this time all are.
    pub gateway: Option<(u64, u64)>,
    /// Somebody else changes the package's other annotations while lines are sent.
    pub editor: bool,
    /// Lines that the receiver takes in a second.
    pub lines_per_second: Option<u64>,
    /// Records that the API cannot give.
    pub poison: u64,
    /// Of a thousand records so many hold bad entries; lack what they need not have.
    pub spoiled: u64,
    pub bare: u64,
    /// Between two runs, by time.
    pub events: Vec<(u64, Event)>,
    /// Another forwarder is at work in the namespace.
    pub second: bool,
}

/// What happens between two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// So many runs fail before they have read anything.
    Fail(u64),
    /// So many of the newest own records with a checkpoint are removed.
    Vanish(u64),
    /// The parameter `actions` is another one.
    Actions(&'static [&'static str], &'static [&'static str]),
    /// A name leaves the list, or comes back to it.
    Toggle(usize),
    /// As it was in the beginning.
    Restore,
    Store(Store),
    Logs(&'static str),
    /// The look-back is so many minutes longer than in the beginning.
    Lookback(u64),
    /// The checkpoint is as the version before would have written it.
    Older,
    /// A newer program has been here for so many runs.
    Newer(u32),
    /// The package is deleted by hand.
    Delete,
}

impl Trouble {
    pub fn none() -> Self {
        Self {
            foreign: 0,
            gateway: None,
            editor: false,
            lines_per_second: None,
            poison: 0,
            spoiled: 0,
            bare: 0,
            events: Vec::new(),
            second: false,
        }
    }

    /// Draws the trouble of a world, and makes its settings fit.
    pub fn new(luck: &Random, settings: &mut Settings) -> Self {
        let mut trouble = Self::none();
        let kind = |per_mille: u64| luck.chance(per_mille);
        let some_time = || luck.between(settings.begin, settings.end);
        if kind(80) {
            trouble.foreign = luck.pick(&[5, 30, 150]);
        }
        if kind(60) {
            let since = some_time();
            trouble.gateway = Some((since, since + luck.heavy(3 * MINUTE, 60 * MINUTE)));
        }
        trouble.editor = kind(80);
        if !settings.heavy && kind(25) {
            trouble.lines_per_second = Some(luck.pick(&[300, 700, 2_000]));
        }
        if !settings.heavy && kind(80) {
            trouble.poison = luck.between(1, 2);
        }
        if kind(80) {
            trouble.spoiled = luck.pick(&[20, 100, 500]);
        }
        if kind(80) {
            trouble.bare = luck.pick(&[20, 100, 500]);
        }
        trouble.second = !settings.patterns && !settings.heavy && kind(60);
        trouble.events = events(luck, settings);
        if trouble.second {
            // What is taken from one of two is not told apart here.
            trouble.events.retain(|(_, event)| !matches!(event, Event::Newer(_) | Event::Delete));
        }
        // The newer program's checkpoint may end where only the newer program reads it: that waits for a person, who is not here.
        if trouble.events.iter().any(|(_, event)| matches!(event, Event::Store(_))) {
            trouble.events.retain(|(_, event)| !matches!(event, Event::Newer(_)));
        }
        let harmless = trouble.foreign == 0
            && trouble.gateway.is_none()
            && trouble.lines_per_second.is_none()
            && trouble.poison == 0
            && trouble.events.is_empty();
        settings.clean &= harmless;
        // Which checkpoint holds what the forwarder of 2017 left is not asked here.
        if trouble.second || !trouble.events.is_empty() {
            settings.marks.clear();
        }
        trouble
    }

    /// Gives records what this world's records have.
    pub fn spoil(&self, luck: &Random, settings: &Settings, records: &mut [Record]) {
        let plain = |record: &Record| record.has_lines() && settings.chosen.contains(&record.key.as_str());
        for record in records.iter_mut().filter(|record| plain(record)) {
            if luck.chance(self.spoiled) {
                record.spoiled = true;
            }
            // What is in a package cannot be told from its name alone.
            let nameable = !settings.patterns || !record.key.contains('/');
            if nameable && record.bound_to.is_none() && luck.chance(self.bare) {
                record.bare = luck.between(1, spoiled::BARE);
            }
        }
        let mut candidates: Vec<&mut Record> = records.iter_mut().filter(|record| plain(record)).collect();
        if candidates.is_empty() {
            return;
        }
        for _ in 0..self.poison {
            let at = luck.below(candidates.len() as u64) as usize;
            candidates[at].poison = Some(poison(luck, candidates[at]));
            if luck.chance(250) && candidates[at].deleted == u64::MAX {
                candidates[at].deleted = candidates[at].visible + luck.between(1, 40) * MINUTE;
            }
        }
        if let Some(rate) = self.lines_per_second {
            for _ in 0..luck.between(1, 2) {
                let at = luck.below(candidates.len() as u64) as usize;
                candidates[at].lines = (rate * luck.between(10, 100)).min(MOST_LINES) as u32;
            }
        }
    }
}

/// A record that pages cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poison {
    /// Until when.
    pub until: u64,
    pub how: How,
    /// Whether the record can be had by its id meanwhile.
    pub by_id: bool,
}

/// What becomes of an answer with a record that cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Status(u16),
    Reset,
    /// The record's text is not JSON.
    Broken,
    /// The list of full records does not show it.
    LeftOut,
}

fn poison(luck: &Random, record: &Record) -> Poison {
    let until =
        if luck.chance(500) { u64::MAX } else { record.visible + luck.heavy(5 * MINUTE, 90 * MINUTE) };
    let how = luck.pick(&[How::Status(502), How::Status(500), How::Reset, How::Broken, How::LeftOut]);
    Poison { until, how, by_id: luck.chance(500) }
}

/// What happens between runs. The list of actions and the store do not change in one world: which checkpoint knows which action would be a
/// riddle.
fn events(luck: &Random, settings: &Settings) -> Vec<(u64, Event)> {
    let mut events = Vec::new();
    let some_time = || luck.between(settings.begin, settings.end);
    let in_records = matches!(settings.store, Store::Activation | Store::Refused);
    let kind = |per_mille: u64| !settings.heavy && luck.chance(per_mille);
    if in_records && kind(150) {
        events.push((some_time(), Event::Fail(luck.between(101, 250))));
    }
    if in_records && kind(200) {
        events.push((some_time(), Event::Vanish(luck.between(1, 3))));
    }
    let mut times: Vec<u64> = (0..luck.between(2, 5)).map(|_| some_time()).collect();
    times.sort_unstable();
    let names = if settings.lull { 80 } else { 10 };
    match luck.below(100) {
        dice if dice < names && !in_records && !settings.heavy => {
            let names = if settings.patterns { 0 } else { settings.actions.len() as u64 };
            let change = |_: u64| match luck.below(4) {
                0 => Event::Restore,
                1 => {
                    let (actions, chosen) = luck.pick(PATTERNS);
                    Event::Actions(actions, chosen)
                }
                2 if settings.lull => Event::Actions(ALL_NAMES, ALL_NAMES),
                _ if names > 1 => Event::Toggle(luck.below(names) as usize),
                _ => Event::Actions(ALL_NAMES, ALL_NAMES),
            };
            events.extend(times.into_iter().map(|time| (time, change(time))));
        }
        dice if (names..names + 7).contains(&dice) && !settings.heavy => {
            let stores = [Store::Package, Store::Activation, Store::Host];
            events.extend(times.into_iter().map(|time| (time, Event::Store(luck.pick(&stores)))));
        }
        _ => {}
    }
    if kind(50) {
        let parameters: &[&'static str] = match settings.logs {
            LogsAt::Record => &["auto", "record", "api"],
            _ => &["auto", "api"],
        };
        events.extend((0..3).map(|_| (some_time(), Event::Logs(luck.pick(parameters)))));
    }
    if kind(50) {
        events.extend((0..3).map(|_| (some_time(), Event::Lookback(luck.pick(&[0, 5, 30])))));
    }
    if kind(80) {
        events.extend((0..2).map(|_| (some_time(), Event::Older)));
    }
    if matches!(settings.store, Store::Package | Store::Host) && kind(100) {
        events.push((some_time(), Event::Newer(luck.between(1, 3) as u32)));
    }
    if settings.store == Store::Package && kind(100) {
        events.push((some_time(), Event::Delete));
    }
    events.sort_by_key(|(time, _)| *time);
    events
}

/// The names of [`ACTIONS`].
const ALL_NAMES: &[&str] = &[ACTIONS[0].0, ACTIONS[1].0, ACTIONS[2].0, ACTIONS[3].0, ACTIONS[4].0];
