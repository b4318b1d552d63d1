//! Worlds in which the platform ends runs before they believe that their time is over, and there is more to do than a run has time for: the clock of
//! the container is behind the platform's, or the time limit is shorter than the deadline says. Where the forwarder's own records hold the checkpoint, it
//! is ended with the run; a package holds what was saved in between.

use super::ports::Sim;
use super::random::{Random, mixed};
use super::settings::{Settings, Store};
use super::trouble::{Event, Trouble};
use serde_json::Value;

/// What the platform says in the record of a run that it ended at its time limit, and of one that ended by itself without a result.
pub const TIMED_OUT: &str = "The action exceeded its time limits of 60000 milliseconds.";
pub const DIED: &str = "The action did not produce a valid response and exited unexpectedly.";
/// A run that is ended earlier by less than this has time to save.
const EARLIER_MS: u64 = 3_000;
const MOST_BEHIND_MS: u64 = 20_000;
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
/// Tells the chance of such a world from others of the same seed.
const BEHIND: u64 = 0x6265_6869_6e64;

/// Makes a world's settings such, or leaves them alone.
pub fn draw(settings: &mut Settings, trouble: &mut Trouble) {
    let luck = Random::new(mixed(settings.end ^ BEHIND));
    let in_records = matches!(settings.store, Store::Activation | Store::Refused);
    let in_package = settings.store == Store::Package && !settings.heavy;
    let is_such = luck.chance(if in_records { 300 } else { 100 });
    // Limits that fell count from when a run has asked for them, which it may be ended after.
    let limits_fell = settings.earlier_lookback.1 > 0;
    let is_other = settings.punctual || settings.clocks_apart || limits_fell;
    if !(in_records || in_package) || is_other || !is_such {
        return;
    }
    if luck.chance(700) {
        settings.skew_ms = -(luck.between(EARLIER_MS, MOST_BEHIND_MS) as i64);
    } else {
        settings.overstated_ms = luck.pick(&[5_000, 20_000, 40_000, HOUR]);
    }
    if in_package {
        // Over before a checkpoint is saved in between that is saved now and then.
        settings.limit_ms = luck.between(8_000, 14_000);
        // Which is too little time to find out how small pages must be.
        settings.largest_page = u64::MAX;
    }
    settings.clean = false;
    if settings.heavy {
        return;
    }
    // Pages of a few records, or a receiver that needs more than a run for one record. A run that finds no checkpoint in a hundred own records
    // on such pages has no time for more, and says so in its error.
    let without_state = trouble.events.iter().any(|(_, event)| matches!(event, Event::Fail(_)));
    if luck.chance(500) && !without_state && !in_package {
        settings.largest_page = luck.between(1, 5);
    } else {
        trouble.lines_per_second = Some(luck.pick(&[300, 700]));
    }
}

/// Whether runs that use all of their time are ended.
pub fn cuts_runs_short(settings: &Settings) -> bool {
    let by_clock = settings.store != Store::Host && settings.skew_ms <= -(EARLIER_MS as i64);
    by_clock || settings.overstated_ms > 0
}

/// How many clean runs there are at most, where `usual` suffice for runs of a minute that have all of their time: in such a world every second one is
/// ended, or more, and each of the others has half of its time.
pub fn most_clean_runs(settings: &Settings, usual: u64) -> u64 {
    if cuts_runs_short(settings) { 3 * usual * MINUTE / settings.limit_ms } else { usual }
}

/// Notes whether a run says that others were ended, and that it stops earlier for that.
pub fn note(sim: &Sim, result: &Value) {
    let says =
        |warning: &Value| warning.as_str().is_some_and(|warning| warning.contains("ended from outside"));
    if result["warnings"].as_array().is_some_and(|warnings| warnings.iter().any(says)) {
        sim.met.note("cut-short");
    }
}
