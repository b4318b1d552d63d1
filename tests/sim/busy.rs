//! Worlds in which one action or two run many times between two runs of the forwarder, and some of their activations become visible one to three
//! runs later, more or less of them from run to run.

use super::random::{Random, mixed};
use super::record::{Kind, Record};
use super::settings::{ACTIONS, Settings};

const SECOND: u64 = 1_000;
/// Most activations of such a world, for each of its runs: beyond that they are counted rather than listed.
const MOST_A_RUN: u64 = 90;

/// Whether a world is busy.
pub fn is(settings: &Settings) -> bool {
    !settings.heavy && !settings.lull && !settings.punctual && luck(settings).chance(150)
}

/// Makes most records those of a few actions, with few lines each.
pub fn gather(settings: &Settings, records: &mut Vec<Record>) {
    if !is(settings) {
        return;
    }
    let luck = luck(settings);
    luck.next();
    let runs = (settings.end - settings.begin) / settings.interval_ms;
    records.truncate((runs * MOST_A_RUN) as usize);
    let names = &settings.chosen[..settings.chosen.len().min(luck.between(1, 2) as usize)];
    let late = luck.pick(&[10, 50, 300]);
    let during = luck.pick(&[0, 100, 600]);
    let deleted = if settings.early_deletions { luck.pick(&[0, 20, 100]) } else { 0 };
    for record in records.iter_mut().filter(|record| record.kind == Kind::Action) {
        if luck.chance(900) {
            record.key = luck.pick(names).into();
            record.bound_to =
                ACTIONS.iter().find(|(name, _)| *name == record.key).and_then(|(_, bound)| *bound);
        }
        record.lines = record.lines.min(luck.between(0, 3) as u32);
        let longest = settings.longest_delay();
        let delay = match luck.chance(late) {
            true => luck.between(0, 3 * settings.interval_ms).min(longest),
            false => luck.heavy(SECOND, longest),
        };
        let (visible, settled) = (record.start + delay, record.logs_at - record.visible);
        // Between two questions of a run.
        let run =
            settings.begin + (visible.saturating_sub(settings.begin)).next_multiple_of(settings.interval_ms);
        let visible = match luck.chance(during) {
            true => (run + luck.between(0, SECOND)).min(record.start + longest),
            false => visible,
        };
        record.end = visible.min(record.end);
        // As late as the forwarder waits for lines.
        let latest = (record.end + 100 * SECOND).min(record.start + longest);
        record.logs_at = (visible + settled).min(latest).max(visible);
        record.visible = visible;
        if record.deleted != u64::MAX {
            record.deleted = record.deleted.max(visible + 1);
        } else if luck.chance(deleted) {
            record.deleted = visible + luck.between(1, 5 * settings.interval_ms);
        }
    }
}

fn luck(settings: &Settings) -> Random {
    Random::new(mixed(settings.longer_lookback.0 ^ settings.begin.rotate_left(17) ^ 0xb5))
}
