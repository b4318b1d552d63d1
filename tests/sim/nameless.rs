//! Records that patterns owe without knowing their names, just when names take the place of the patterns: a run met them once, and could not
//! read them.

use super::random::{Random, mixed};
use super::record::Record;
use super::settings::{ACTIONS, Settings};
use super::trouble::{Event, How, Poison};

/// Adds a record before each change from patterns to names, which the last run before it is likely to meet first.
pub fn trail(settings: &Settings, events: &[(u64, Event)], records: &mut Vec<Record>) {
    if settings.heavy {
        return;
    }
    let luck = Random::new(mixed(settings.end ^ 0x6e61_6d65));
    let has_patterns = |entries: &[&str]| entries.iter().any(|entry| entry.contains('*'));
    let (mut entries, mut chosen) = (settings.actions.as_slice(), settings.chosen.as_slice());
    for (time, event) in events {
        let (before, known) = (entries, chosen);
        (entries, chosen) = match event {
            Event::Actions(entries, chosen) => (*entries, *chosen),
            Event::Restore => (settings.actions.as_slice(), settings.chosen.as_slice()),
            _ => continue,
        };
        let both = |(name, _): &(&str, _)| known.contains(name) && chosen.contains(name);
        let both: Vec<_> = ACTIONS.iter().copied().filter(both).collect();
        if both.is_empty() || !has_patterns(before) || has_patterns(entries) {
            continue;
        }
        let (key, bound_to) = luck.pick(&both);
        let last_run = settings.begin + (time - settings.begin) / settings.interval_ms * settings.interval_ms;
        let visible = last_run - settings.margin_ms() - luck.between(1, settings.interval_ms / 2);
        let until =
            if luck.chance(300) { u64::MAX } else { time + luck.between(1, 6) * settings.interval_ms };
        let how = if luck.chance(700) { How::Broken } else { How::LeftOut };
        let deleted =
            if luck.chance(300) { visible + luck.between(2, 40) * settings.interval_ms } else { u64::MAX };
        let poison = Some(Poison { until, how, by_id: luck.chance(300) });
        let record = Record::of_action(luck.id(), key, visible - luck.between(1, 2_000), deleted);
        records.push(Record { bound_to, visible, logs_at: visible, poison, ..record });
    }
}
