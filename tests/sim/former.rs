//! Names give way to patterns that do not admit them, and those soon to patterns that do: just when activations of the names are as late as can be, and
//! calls fail, so that names are owed what the patterns between pass over.

use super::random::{Random, mixed};
use super::record::Record;
use super::settings::{ACTIONS, PATTERNS, Settings, Store};
use super::trouble::{Event, Trouble};

/// Tells the chance of such a world from others of the same seed.
const FORMER: u64 = 0x666f_726d_6572;
/// Of a thousand calls, so many fail.
const FAULTS: u64 = 150;

/// Makes a world such, or leaves it alone. Returns the time of the first change.
pub fn draw(settings: &mut Settings, trouble: &mut Trouble) -> Option<u64> {
    let luck = Random::new(mixed(settings.end ^ FORMER));
    let in_records = matches!(settings.store, Store::Activation | Store::Refused);
    let runs = (settings.end - settings.begin) / settings.interval_ms;
    let is_such =
        !settings.patterns && !settings.heavy && !in_records && !settings.limits_tell && !trouble.second;
    if !is_such || runs < 8 || !luck.chance(250) {
        return None;
    }
    // An older forwarder's checkpoint does not tell which patterns there were, so other ones after it begin nothing.
    let others = |event: &Event| matches!(event, Event::Logs(_) | Event::Lookback(_));
    trouble.events.retain(|(_, event)| others(event));
    let change = settings.begin + luck.between(3, runs - 4) * settings.interval_ms + 1;
    let again = change + luck.between(1, 2) * settings.interval_ms;
    for (time, (entries, chosen)) in [(change, PATTERNS[2]), (again, luck.pick(&PATTERNS[..2]))] {
        trouble.events.push((time, Event::Actions(entries, chosen)));
    }
    trouble.events.sort_by_key(|(time, _)| *time);
    settings.api_faults = FAULTS;
    settings.clean = false;
    settings.marks.clear();
    Some(change)
}

/// Adds the late activations.
pub fn trail(settings: &Settings, change: Option<u64>, records: &mut Vec<Record>) {
    let Some(change) = change else { return };
    let luck = Random::new(mixed(!settings.end ^ FORMER));
    for (key, bound_to) in ACTIONS.iter().filter(|(name, _)| settings.chosen.contains(name)) {
        for _ in 0..2 {
            let visible = change - luck.between(1, 2 * settings.interval_ms);
            let record = Record::of_action(luck.id(), key, visible - settings.longest_delay(), u64::MAX);
            records.push(Record { bound_to: *bound_to, visible, logs_at: visible, ..record });
        }
    }
}
