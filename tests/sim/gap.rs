//! Worlds in which nothing runs for hours, and the only fault is that the index is behind.

use super::driver::{Ended, runs_at};
use super::platform::Platform;
use super::random::Random;
use super::record::Record;
use super::settings::{Settings, Store};
use super::trouble::Trouble;
use super::world::World;

pub const MINUTE: u64 = 60_000;
pub const HOUR: u64 = 60 * MINUTE;

/// Records of one line each, evenly spread over ten hours without a run.
pub struct Gap {
    /// Whether the index is as of the question before, and so long it takes to be renewed.
    pub stale: bool,
    pub index_step_ms: u64,
    /// From the first run after the gap on, a job deletes the oldest records: so many each minute.
    pub deleted: u64,
    /// So many records in all.
    pub records: u64,
}

impl Gap {
    /// What came of runs so long after the begin.
    pub fn runs_at(&self, times: &[u64]) -> Vec<Ended> {
        let settings = self.settings();
        let begin = settings.begin;
        let world = World::of(settings, Trouble::none(), Platform::default(), self.records(begin));
        runs_at(world, &times.iter().map(|time| begin + time).collect::<Vec<u64>>())
    }

    fn settings(&self) -> Settings {
        let mut settings = Settings::new(&Random::new(1));
        settings.clean = true;
        (settings.heavy, settings.few_ids, settings.early_deletions) = (false, None, false);
        (settings.stale, settings.index_step_ms) = (self.stale, self.index_step_ms);
        (settings.actions, settings.chosen, settings.patterns) = (vec!["hello"], vec!["hello"], false);
        (settings.phrase, settings.logs, settings.logs_parameter) =
            (false, super::record::LogsAt::Record, "auto");
        (settings.lookback_minutes, settings.limits_tell, settings.longer_lookback) = (15, false, (0, 0));
        (settings.from, settings.store, settings.shared_package) = (None, Store::Host, false);
        (settings.skew_ms, settings.site_limit, settings.largest_page) = (0, 200, u64::MAX);
        (settings.marks, settings.api_faults, settings.transport_faults) = (Vec::new(), 0, 0);
        settings
    }

    fn records(&self, begin: u64) -> Vec<Record> {
        let random = Random::new(3);
        let record = |n: u64| {
            let start = begin + 60 + n * 10 * HOUR / self.records;
            let deleted = match self.deleted {
                0 => u64::MAX,
                each => begin + 10 * HOUR + (n / each) * MINUTE + 30_000,
            };
            Record::of_action(random.id(), "hello", start, deleted)
        };
        (0..self.records).map(record).collect()
    }
}
