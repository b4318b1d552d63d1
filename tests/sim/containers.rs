//! Containers of the forwarder, and what they remember: a run gets the one of the last run, another one, perhaps hours later, or a new one.

use super::ports::Sim;
use super::random::Random;
use std::cell::{Cell, RefCell};
use whiskjack::run::plan::Memory;

const HOUR: u64 = 3_600_000;
/// So many the platform keeps.
const MOST: usize = 3;
/// Tells the chance of containers from others of the same seed.
const CONTAINERS: u64 = 0x636f_6e74_6169_6e65;

/// Those that wait for a run.
#[derive(Debug)]
pub struct Containers {
    luck: Random,
    /// Of a thousand runs, so many do not get the container of the last one.
    others: u64,
    /// By the time of their last use.
    waiting: RefCell<Vec<(u64, Memory)>>,
    /// The time of the last use of any.
    used_ms: Cell<u64>,
}

impl Containers {
    pub fn new(seed: u64) -> Self {
        let luck = Random::new(seed ^ CONTAINERS);
        let others = luck.pick(&[0, 100, 500, 1_000]);
        Self { luck, others, waiting: RefCell::default(), used_ms: Cell::new(0) }
    }

    /// One for a run, by its memory.
    pub fn take(&self, sim: &Sim) -> Option<Memory> {
        let mut waiting = self.waiting.borrow_mut();
        let last = waiting.len().checked_sub(1)?;
        let at = match self.luck.chance(self.others) {
            false => last,
            true if waiting.len() < MOST && self.luck.chance(500) => return None,
            true => self.luck.below(waiting.len() as u64) as usize,
        };
        let (used_ms, memory) = waiting.remove(at);
        sim.met.note("warm");
        if used_ms < self.used_ms.get() {
            sim.met.note("alternated");
        }
        if used_ms + HOUR <= sim.now.get() {
            sim.met.note("thawed");
        }
        sim.trace(|| format!("in the container of the run at {used_ms}"));
        Some(memory)
    }

    /// A run is over, and its container waits for another.
    pub fn put(&self, sim: &Sim, memory: Option<Memory>) {
        self.used_ms.set(sim.now.get());
        let mut waiting = self.waiting.borrow_mut();
        waiting.extend(memory.map(|memory| (sim.now.get(), memory)));
        if waiting.len() > MOST {
            waiting.remove(0);
        }
    }
}
