//! Runs without a deadline, such as those of a command: nobody ends them from outside, so they must end by themselves.

use super::faults::ApiFault;
use super::platform::Platform;
use super::ports::Sim;
use super::random::Random;
use super::settings::{Settings, Store};

/// The longest that a run may take, in milliseconds, whatever is wrong: far more than any of its limits, and far less than for ever.
pub const MOST_MS: u64 = 6 * 3_600_000;
/// A receiver that only says that it lives does so for longer than that.
const SIGNS_OF_LIFE: u64 = MOST_MS / 3_000;
/// Time between two pieces of an answer that drips, and most bytes of one.
const DRIP_MS: u64 = 20_000;
const DROP: u64 = 20;

/// Whether the runs of a world have no deadline: some of those whose checkpoint the host keeps, where things go wrong.
pub fn draw(luck: &Random, settings: &mut Settings) -> bool {
    let endless = settings.store == Store::Host && !settings.clean && !settings.heavy && luck.chance(500);
    if endless {
        settings.api_faults = settings.api_faults.max(5);
        settings.transport_faults = settings.transport_faults.max(50);
    }
    endless
}

/// How many signs of life a receiver gives that does nothing else.
pub fn signs_of_life(sim: &Sim) -> u64 {
    if !is_endless(sim) {
        return 59;
    }
    sim.met.note("lives-for-ever");
    SIGNS_OF_LIFE
}

/// Whether an answer of the API drips: then so long passes before each piece, and a piece has so many bytes at most.
pub fn drips(sim: &Sim, fault: Option<ApiFault>) -> Option<(u64, u64)> {
    (is_endless(sim) && fault == Some(ApiFault::Slow)).then(|| {
        sim.met.note("drips");
        (DRIP_MS, DROP)
    })
}

/// The deadline that a run is told.
pub fn deadline(sim: &Sim, deadline: u64) -> Option<u64> {
    (!is_endless(sim)).then_some(deadline)
}

/// A run has not found an end.
pub fn complain(sim: &Sim) {
    if is_endless(sim) {
        sim.untrue.borrow_mut().push("a run without a deadline found no end".into());
    }
}

/// The time of a run.
pub fn time_ms(sim: &Sim, time_ms: u64) -> u64 {
    if is_endless(sim) { MOST_MS } else { time_ms }
}

fn is_endless(sim: &Sim) -> bool {
    let Platform { endless, .. } = sim.world.platform;
    endless && sim.config.borrow().store == Store::Host
}
