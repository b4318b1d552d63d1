//! A random world: the monitored actions, the activations and when they become visible, and the amount of trouble.

use super::behind;
use super::busy;
use super::documents::Documents;
use super::former;
use super::lull;
use super::nameless;
use super::platform::Platform;
use super::random::{Random, mixed};
use super::record::{Kind, LogsAt, Record};
use super::trouble::{Event, Trouble};
use std::collections::{BTreeMap, HashMap};
use whiskjack::checkpoint::lookback_span;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
/// When every world begins, milliseconds since 1970; in the middle of a minute.
const BEGIN: u64 = 1_700_000_007_123;

/// Names to monitor, with the provider's package for those that are run through a binding.
pub const ACTIONS: &[(&str, Option<&str>)] = &[
    ("hello", None),
    ("tools/hello", None),
    ("mine/convert", Some("pkg")),
    ("two words", None),
    ("a.b-c@d", None),
];
/// Names that only patterns choose; stores with phrase search find some of them when asked for others. The last is the forwarder itself.
const NEIGHBOURS: &[&str] = &["hello-world", "hello/x", "tools/hello-2", "other", "fwd"];
/// Entries of `actions` with patterns, and the names that they choose.
pub const PATTERNS: &[(&[&str], &[&str])] = &[
    (
        &["*", "*/*"],
        &[
            "hello",
            "tools/hello",
            "mine/convert",
            "two words",
            "a.b-c@d",
            "hello-world",
            "hello/x",
            "tools/hello-2",
            "other",
        ],
    ),
    (&["*", "tools/hello", "!other", "!hello-*"], &["hello", "tools/hello", "two words", "a.b-c@d"]),
    (&["tools/*", "mine/*"], &["tools/hello", "tools/hello-2", "mine/convert"]),
];

/// Who keeps the checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    Package,
    /// The host.
    Host,
    /// The forwarder's own activation records, by choice.
    Activation,
    /// The same, because its key may not write packages.
    Refused,
}

/// What a world is like.
#[derive(Debug, Clone)]
pub struct Settings {
    /// No faults, kills, overlaps or deletions: nothing may come twice.
    pub clean: bool,
    /// More activations in the look-back than the checkpoint keeps ids of: repeats are allowed.
    pub heavy: bool,
    /// So many ids of what it has done a slice hands back at most; beyond that digests, and if something in there is late, repeats are allowed.
    pub few_ids: Option<usize>,
    /// Little happens, and most runs find nothing.
    pub lull: bool,
    /// Nothing is late: every record is visible as soon as it starts.
    pub punctual: bool,
    /// List and count answer as of the question before.
    pub stale: bool,
    /// So often the index is renewed; where it is stale, so long that takes.
    pub index_step_ms: u64,
    /// Records are deleted inside the look-back too.
    pub early_deletions: bool,
    /// Where log lines are, and the parameter `logs`.
    pub logs: LogsAt,
    pub logs_parameter: &'static str,
    /// The name filter is a phrase search.
    pub phrase: bool,
    /// The parameter `actions`.
    pub actions: Vec<&'static str>,
    /// Names that it chooses.
    pub chosen: Vec<&'static str>,
    /// Whether it holds patterns: then the whole namespace is one source.
    pub patterns: bool,
    /// The least that it is at any time.
    pub lookback_minutes: u64,
    /// From this time on the look-back is so many minutes longer.
    pub longer_lookback: (u64, u64),
    /// Until this time it is so many minutes longer.
    pub earlier_lookback: (u64, u64),
    /// The platform's limits tell it, not the configuration.
    pub limits_tell: bool,
    /// The parameter `from`; without it the first run begins with the look-back.
    pub from: Option<u64>,
    /// Who keeps the checkpoint.
    pub store: Store,
    /// How far the forwarder of 2017 came, by the simple name of the action.
    pub marks: Vec<(&'static str, u64)>,
    /// The checkpoint's package is there before the first run, with an annotation of somebody else.
    pub shared_package: bool,
    /// Time between two runs.
    pub interval_ms: u64,
    /// Our clock minus the platform's.
    pub skew_ms: i64,
    /// Time until the platform ends a run.
    pub limit_ms: u64,
    /// The deadline that a run is told is so much later.
    pub overstated_ms: u64,
    /// That of every other container is as far off in the other direction.
    pub clocks_apart: bool,
    /// Most rows that the API gives at once; more are refused.
    pub site_limit: usize,
    /// More full records than this on one page fail.
    pub largest_page: u64,
    /// Of a thousand calls, so many fail.
    pub api_faults: u64,
    pub transport_faults: u64,
    /// Of a thousand runs, so many are killed, are overlapped, do not take place, have little time.
    pub kills: u64,
    pub overlaps: u64,
    pub missing: u64,
    pub hurried: u64,
    /// Times during which nothing answers.
    pub api_down: Vec<(u64, u64)>,
    pub receiver_down: Vec<(u64, u64)>,
    pub begin: u64,
    pub end: u64,
}

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

impl Settings {
    pub fn new(random: &Random) -> Self {
        let clean = random.chance(300);
        let heavy = random.chance(25);
        let unless_clean = |most: &[u64]| if clean { 0 } else { random.pick(most) };
        let few_ids = random.chance(200).then(|| random.pick(&[0, 3, 20]));
        let punctual = few_ids.is_some() && random.chance(500);
        let limits_tell = !heavy && random.chance(300);
        let lookbacks = if limits_tell { &[5, 15, 30][..] } else { &[2, 5, 15, 30] };
        let lookback_minutes = if heavy { 15 } else { random.pick(lookbacks) };
        let interval_ms = random.pick(&[15 * SECOND, MINUTE, MINUTE, MINUTE, 5 * MINUTE]);
        let runs = if heavy { random.between(4, 12) } else { random.between(3, 30) };
        let end = BEGIN + runs * interval_ms;
        let outages = |per_mille: u64| -> Vec<(u64, u64)> {
            let outage = |_| {
                let since = random.between(BEGIN, end);
                (since, since + random.heavy(5 * MINUTE, 180 * MINUTE))
            };
            if !clean && random.chance(per_mille) {
                (0..random.between(1, 3)).map(outage).collect()
            } else {
                Vec::new()
            }
        };
        let logs = match random.below(100) {
            _ if punctual => LogsAt::Record,
            0..25 => LogsAt::Api,
            25..27 => LogsAt::Nowhere,
            _ => LogsAt::Record,
        };
        let logs_parameter = match logs {
            LogsAt::Record => random.pick(&["auto", "auto", "record", "api"]),
            _ => random.pick(&["auto", "auto", "api"]),
        };
        let index_step_ms =
            random.pick(&[0, 0, 0, SECOND, 10 * SECOND, MINUTE]).min(lookback_minutes * MINUTE / 4);
        let index_step_ms = if punctual { 0 } else { index_step_ms };
        let patterns = random.chance(200);
        let mut actions: Vec<&str> = ACTIONS.iter().map(|(name, _)| *name).collect();
        (0..random.below(ACTIONS.len() as u64)).for_each(|_| {
            actions.remove(random.below(actions.len() as u64) as usize);
        });
        let mut chosen = actions.clone();
        if patterns {
            let (entries, names) = random.pick(PATTERNS);
            (actions, chosen) = (entries.to_vec(), names.to_vec());
        }
        let marks = marks(random, &chosen);
        let from = random.chance(600).then(|| BEGIN - random.below(20 * MINUTE));
        let mut settings = Self {
            clean,
            heavy,
            few_ids,
            lull: false,
            punctual,
            stale: random.chance(500),
            index_step_ms,
            early_deletions: !clean && random.chance(400),
            logs,
            logs_parameter,
            phrase: random.chance(150),
            actions,
            chosen,
            patterns,
            lookback_minutes,
            longer_lookback: (random.between(BEGIN, end), random.pick(&[0, 0, 5, 30])),
            earlier_lookback: (0, 0),
            limits_tell,
            from,
            store: [Store::Host, Store::Activation, Store::Refused, Store::Package, Store::Package]
                [random.below(5) as usize],
            marks,
            shared_package: from.is_some() && random.chance(200),
            interval_ms,
            skew_ms: if punctual { 0 } else { random.pick(&[0, 0, 0, -8000, -700, 900, 8000]) },
            limit_ms: MINUTE,
            overstated_ms: 0,
            clocks_apart: false,
            site_limit: random.pick(&[200, 200, 200, 50, 30]),
            largest_page: if random.chance(150) { random.between(1, 60) } else { u64::MAX },
            api_faults: unless_clean(&[0, 5, 30, 150]),
            transport_faults: unless_clean(&[0, 5, 50, 250]),
            kills: unless_clean(&[0, 0, 200, 600]),
            overlaps: unless_clean(&[0, 0, 150]),
            missing: random.pick(&[0, 0, 100, 400]),
            hurried: unless_clean(&[0, 0, 100]),
            api_down: outages(150),
            receiver_down: outages(250),
            begin: BEGIN,
            end,
        };
        // A state in the forwarder's own records is found late, and lines come again.
        if settings.clean && matches!(settings.store, Store::Activation | Store::Refused) {
            settings.index_step_ms = 0;
        }
        // Row by row, so many records would take more runs than there are.
        if settings.heavy {
            settings.largest_page = settings.largest_page.max(25);
        }
        // One source of its own for each name, and few enough other records of the forwarder after those that hold the marks.
        if settings.patterns || settings.heavy || settings.shared_package {
            settings.marks.clear();
        }
        settings
    }

    /// Where the forwarder of 2017 stopped with `key`: with the millisecond in which the last activation that it sent began. It did not tell
    /// actions of one name in several packages apart.
    pub fn taken_over(&self, key: &str) -> Option<u64> {
        let simple = |name: &str| name.rsplit('/').next().map(str::to_owned);
        let alike = self.chosen.iter().filter(|name| simple(name) == simple(key)).count();
        let mark = self.marks.iter().find(|(name, _)| simple(key).as_deref() == Some(name));
        mark.filter(|_| alike == 1).map(|(_, ms)| *ms)
    }

    /// The look-back at a time, in milliseconds.
    pub fn lookback_ms(&self, now: u64) -> u64 {
        let (since, longer) = self.longer_lookback;
        let longer = if now < since { 0 } else { longer };
        let (until, before) = self.earlier_lookback;
        let before = if now < until { before } else { 0 };
        (self.lookback_minutes + longer + before) * MINUTE
    }

    /// Longest time from an activation's start until it is visible that the look-back promises to bridge: a clock that is ahead takes its
    /// lead from it, and the driver lets it wander by a second. So does an index that is behind; one that is renewed may just have missed it.
    pub fn longest_delay(&self) -> u64 {
        // Without word of the limits it is a quarter of an hour.
        let most = if self.limits_tell { 15 } else { u64::MAX };
        self.lookback_minutes.min(most) * MINUTE - self.margin_ms()
    }

    /// Whether records may be deleted inside a look-back: also where limits that are higher, or unknown, make it longer than the configuration
    /// says.
    pub fn deletes_early(&self) -> bool {
        self.early_deletions || self.limits_tell && !self.clean
    }

    /// Whether a record is deleted inside the longest look-back that there is at any time.
    pub fn is_deleted_early(&self, record: &Record) -> bool {
        let minutes = self.lookback_minutes + self.longer_lookback.1 + self.earlier_lookback.1;
        record.deleted < record.start + lookback_span(minutes * MINUTE)
    }

    /// What clocks and the index take from a look-back.
    pub fn margin_ms(&self) -> u64 {
        self.skew_ms.unsigned_abs() + 2 * SECOND + self.index_behind_ms()
    }

    /// How far the index is behind at most.
    pub fn index_behind_ms(&self) -> u64 {
        if self.stale { 2 * self.index_step_ms } else { self.index_step_ms }
    }
}

/// Where the forwarder of 2017 stopped, if it was here before.
fn marks(random: &Random, chosen: &[&'static str]) -> Vec<(&'static str, u64)> {
    let mark = |name: &&'static str| {
        (name.rsplit('/').next().unwrap_or(name), BEGIN - 1_000 - random.below(10 * MINUTE))
    };
    if random.chance(150) { chosen.iter().map(mark).collect() } else { Vec::new() }
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
