//! Worlds in which nothing happens most of the time: a few activations in bursts, and many runs that find nothing, in containers whose
//! clocks differ. Whatever changes in such a world, changes between two runs that write nothing.

use super::random::{Random, mixed};
use super::record::Record;
use super::settings::{ACTIONS, Settings, Store};
use super::trouble::Event;

const MINUTE: u64 = 60_000;
/// Starts of a burst are so close together.
const BURST_MS: u64 = 30_000;

/// Makes a world's settings those of a lull, or leaves them alone.
pub fn draw(settings: &mut Settings) {
    let luck = luck(settings);
    // A host keeps every checkpoint, so it has no runs that write nothing.
    if settings.heavy || settings.punctual || settings.store == Store::Host || !luck.chance(300) {
        return;
    }
    settings.lull = true;
    settings.end += luck.between(10, 50) * settings.interval_ms;
    if luck.chance(700) {
        settings.store = Store::Package;
    }
    if !settings.shared_package && luck.chance(700) {
        settings.from = None;
    }
    settings.clocks_apart = settings.skew_ms != 0 && luck.chance(700);
    // A record that a clock behind wrote is older than the one before it: then lines come again.
    let in_records = matches!(settings.store, Store::Activation | Store::Refused);
    let apart_ms = 2 * settings.skew_ms.unsigned_abs() + 2_000;
    settings.clocks_apart &= !(settings.clean && in_records && settings.interval_ms < apart_ms);
}

/// Leaves a few of the records, in bursts. What starts at the same time still does.
pub fn gather(settings: &Settings, records: &mut Vec<Record>) {
    if !settings.lull {
        return;
    }
    let luck = luck(settings);
    let since = settings.begin - settings.lookback_minutes * MINUTE / 2;
    let bursts: Vec<u64> =
        (0..luck.between(1, 4)).map(|_| luck.between(since, settings.end - BURST_MS)).collect();
    records.truncate(luck.between(3, 60) as usize);
    for record in records {
        let burst = bursts[(mixed(record.start) % bursts.len() as u64) as usize];
        let start = burst + record.start % BURST_MS;
        let Record { end, visible, logs_at, deleted, .. } = record;
        for time in [end, visible, logs_at, deleted].into_iter().filter(|time| **time < u64::MAX) {
            *time = *time - record.start + start;
        }
        record.start = start;
    }
}

/// Adds, for each change of the names that are monitored, records that become visible as late as can be, after a run or a few that found nothing.
pub fn trail(settings: &Settings, events: &[(u64, Event)], records: &mut Vec<Record>) {
    if !settings.lull {
        return;
    }
    let luck = Random::new(mixed(!settings.longer_lookback.0));
    let is_change = |event: &Event| matches!(event, Event::Actions(..) | Event::Toggle(_) | Event::Restore);
    for (time, _) in events.iter().filter(|(_, event)| is_change(event)) {
        for _ in 0..4 {
            let (key, bound_to) = luck.pick(ACTIONS);
            let visible = time + settings.interval_ms + luck.between(5_000, 4 * settings.interval_ms);
            let start = visible - settings.longest_delay();
            let record = Record::of_action(luck.id(), key, start, u64::MAX);
            records.push(Record { bound_to, visible, logs_at: visible, ..record });
        }
    }
}

fn luck(settings: &Settings) -> Random {
    Random::new(mixed(settings.longer_lookback.0 ^ settings.begin ^ u64::from(settings.lull)))
}
