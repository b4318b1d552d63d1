//! What a world is like: the monitored actions, the platform and the amount of trouble.

use super::random::Random;
use super::record::{LogsAt, Record};
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
