//! A random world: its activations, and when they become visible.

use super::behind;
use super::busy;
use super::documents::Documents;
use super::former;
use super::lull;
use super::nameless;
use super::platform::Platform;
use super::random::{Random, mixed};
use super::record::{Kind, LogsAt, Record};
use super::settings::{ACTIONS, Settings};
use super::trouble::{Event, Trouble};
use std::collections::{BTreeMap, HashMap};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
/// Names that only patterns choose; stores with phrase search find some of them when asked for others. The last is the forwarder itself.
const NEIGHBOURS: &[&str] = &["hello-world", "hello/x", "tools/hello-2", "other", "fwd"];
/// A world and all that will happen in it.
#[derive(Debug)]
pub struct World {
    pub settings: Settings,
    pub trouble: Trouble,
    pub platform: Platform,
    pub records: Vec<Record>,
    /// `None` for those of 2017.
    pub documents: Option<Documents>,
    /// By name, newest first, ties by id descending: the order of the list.
    listed: BTreeMap<String, Vec<usize>>,
    by_id: HashMap<u128, usize>,
}

impl World {
    pub fn new(random: &Random, luck: &Random, platforms: &Random) -> Self {
        let mut settings = Settings::new(random);
        lull::draw(&mut settings);
        let mut trouble = Trouble::new(luck, &mut settings);
        let end = settings.end;
        let platform = Platform::new(platforms, &mut settings, &mut trouble);
        behind::draw(&mut settings, &mut trouble);
        let former = former::draw(&mut settings, &mut trouble);
        let mut records = records(&Settings { end, ..settings.clone() }, random);
        lull::gather(&Settings { end, ..settings.clone() }, &mut records);
        lull::trail(&settings, &trouble.events, &mut records);
        busy::gather(&Settings { end, ..settings.clone() }, &mut records);
        trouble.spoil(luck, &settings, &mut records);
        nameless::trail(&settings, &trouble.events, &mut records);
        former::trail(&settings, former, &mut records);
        platform.pause(&mut settings, &mut trouble, &mut records);
        platform.spoil(platforms, &settings, &mut records);
        // A chance of its own.
        let luck = Random::new(mixed(settings.end ^ 0xd0c5));
        let documents = Documents::draw(&luck, (settings.begin, settings.end));
        settings.clean &= !documents.as_ref().is_some_and(Documents::change);
        Self { documents, ..Self::of(settings, trouble, platform, records) }
    }

    pub fn of(settings: Settings, trouble: Trouble, platform: Platform, records: Vec<Record>) -> Self {
        let mut listed: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut order: Vec<usize> = (0..records.len()).collect();
        order.sort_by_key(|&at| std::cmp::Reverse((records[at].start, records[at].id)));
        order.into_iter().for_each(|at| listed.entry(records[at].key.clone()).or_default().push(at));
        let by_id = records.iter().enumerate().map(|(at, record)| (record.id, at)).collect();
        Self { settings, trouble, platform, records, documents: None, listed, by_id }
    }

    /// Records that the name filter finds, in the list's order; all without a filter.
    pub fn named(&self, name: Option<&str>) -> Vec<&Record> {
        let phrase = |key: &str| {
            let Some(name) = name else { return true };
            key.strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || self.settings.phrase && rest.starts_with(['-', '/']))
        };
        let mut found: Vec<&Record> = self
            .listed
            .iter()
            .filter(|(key, _)| phrase(key))
            .flat_map(|(_, list)| list)
            .map(|&at| &self.records[at])
            .collect();
        if self.settings.phrase || name.is_none() {
            found.sort_by_key(|record| std::cmp::Reverse((record.start, record.id)));
        }
        found
    }

    pub fn by_id(&self, id: u128) -> Option<&Record> {
        self.by_id.get(&id).map(|&at| &self.records[at])
    }

    /// Whether records are deleted inside a look-back, any or one that cannot be had.
    pub fn deletes_early(&self) -> bool {
        self.deletes_any_early() || self.records.iter().any(|record| self.settings.is_deleted_early(record))
    }

    /// Whether any record may be deleted inside a look-back: also where somebody makes it longer for a while.
    pub fn deletes_any_early(&self) -> bool {
        let is_longer = |event: &Event| matches!(event, Event::Lookback(minutes) if *minutes > 0);
        let changes = !self.settings.clean && self.trouble.events.iter().any(|(_, event)| is_longer(event));
        self.settings.deletes_early() || changes
    }

    /// When the last record and its lines have become visible, and those that will be deleted and cannot be had are.
    pub fn all_visible(&self) -> u64 {
        let had = |record: &Record| {
            let until = record.poison.map_or(0, |poison| poison.until.min(record.deleted));
            if until == u64::MAX { 0 } else { until }
        };
        self.records
            .iter()
            .map(|record| record.visible.max(record.logs_at).max(had(record)))
            .max()
            .unwrap_or(self.settings.end)
    }
}

fn records(settings: &Settings, random: &Random) -> Vec<Record> {
    let count = if settings.heavy { random.between(6_000, 9_000) } else { random.heavy(100, 1_500) + 1 };
    let since = settings.begin - settings.lookback_minutes * MINUTE / 2;
    let mut records: Vec<Record> = Vec::new();
    while (records.len() as u64) < count {
        let mut record = record(settings, random, random.between(since, settings.end));
        record.start = match records.last() {
            // Equal starts, and bursts of them.
            Some(last) if random.chance(100) => last.start,
            _ => record.start,
        };
        finish(settings, random, &mut record);
        records.push(record);
    }
    // At very small pages a burst takes many runs.
    if !settings.heavy && settings.largest_page > 25 && random.chance(60) {
        let start = random.between(settings.begin, settings.end);
        let key = random.pick(&settings.chosen);
        for _ in 0..random.between(201, 450) {
            let mut record = record(settings, random, start);
            record.key = key.into();
            finish(settings, random, &mut record);
            records.push(record);
        }
    }
    records
}

fn record(settings: &Settings, random: &Random, start: u64) -> Record {
    let key = if random.chance(60) { random.pick(NEIGHBOURS) } else { random.pick(&settings.chosen) };
    let kind = match random.below(100) {
        0..4 => Kind::Trigger,
        4..8 => Kind::Sequence,
        8..10 => Kind::Conductor,
        10..12 => Kind::Fallback,
        _ => Kind::Action,
    };
    let lines = match random.below(1000) {
        _ if settings.heavy => random.below(2),
        0..150 => 0,
        // More than a window holds.
        150..153 => random.between(2_000, 6_000),
        _ => random.heavy(2, 60),
    };
    let (id, lines) = (random.id(), lines as u32);
    Record {
        id,
        key: key.into(),
        bound_to: None,
        kind,
        start,
        end: 0,
        visible: 0,
        deleted: u64::MAX,
        lines,
        logs_at: 0,
        padded: settings.logs == LogsAt::Record,
        at: settings.logs,
        notice: false,
        spoiled: false,
        bare: 0,
        poison: None,
        own: None,
    }
}

/// Gives the record its end and what depends on name and start.
fn finish(settings: &Settings, random: &Random, record: &mut Record) {
    let longest = settings.longest_delay();
    let run = if record.kind == Kind::Fallback || settings.punctual {
        0
    } else {
        random.heavy(150, (5 * MINUTE).min(longest))
    };
    record.end = record.start + run;
    let delay = match random.below(100) {
        _ if settings.punctual => 0,
        0..3 => longest,
        3..10 => random.between(run, longest),
        _ => (run + random.heavy(300, longest)).min(longest),
    };
    record.visible = record.start + delay;
    // At most what the forwarder waits for, less the lead of a clock.
    let latest = (record.end + 100 * SECOND).min(record.start + longest).max(record.visible);
    record.logs_at = match random.below(100) {
        _ if settings.punctual => record.visible,
        0..60 => record.visible,
        _ => (record.visible + random.heavy(3 * SECOND, 100 * SECOND)).min(latest),
    };
    record.bound_to =
        ACTIONS.iter().find(|(name, _)| *name == record.key).and_then(|(_, bound_to)| *bound_to);
    if record.key.contains('/') && record.kind == Kind::Trigger {
        // A trigger is in no package.
        record.kind = Kind::Action;
    }
    if settings.early_deletions && random.chance(100) {
        record.deleted = record.visible + random.heavy(2 * MINUTE, settings.lookback_minutes * MINUTE) + 1;
    } else if !settings.clean && random.chance(30) {
        // Operators remove what is old.
        let longest = settings.lookback_minutes + settings.longer_lookback.1;
        record.deleted = record.start + 2 * longest * MINUTE;
    }
}
