//! Containers that remember their last run: the core, compiled natively, against the double.

use crate::ports::Traffic;
use crate::steady::Steady;
use openwhisk_double::{Activation, Fault, Matcher};
use whiskjack::run::plan::Memory;

const SECOND: i64 = 1_000;
/// More than a minute, so that counts of the whole namespace tell of the run before.
const PAUSE: i64 = 66 * SECOND;

/// A platform that keeps the record of each run, as it does of any other activation.
struct World(Steady);

impl World {
    /// So many actions with so many known activations each. The checkpoint was saved just now, so for some runs there is nothing to write.
    fn new(actions: usize, activations: i64, stale: bool) -> Self {
        let mut world = Self(Steady::new(actions, activations, stale));
        world.run(PAUSE, &mut None);
        world.log();
        assert_eq!(world.run(SECOND, &mut None).0, 1);
        world
    }

    /// A run so long after the last one, in a container with this memory. Returns how many lines were forwarded.
    fn run(&mut self, after: i64, memory: &mut Option<Memory>) -> (u64, Traffic) {
        let world = self.0.api.world();
        world.clock().advance(after);
        let (result, traffic) = self.0.run_in(memory);
        let world = self.0.api.world();
        let now = world.clock().now();
        world.add(Activation::new("fwd").start(now).duration(90).visible_at(now + SECOND));
        (result["lines"]["acknowledged"].as_u64().unwrap(), traffic)
    }

    /// A run that finds nothing.
    fn quiet(&mut self, after: i64, memory: &mut Option<Memory>) -> (u64, u64) {
        let (lines, Traffic { requests, depth, .. }) = self.run(after, memory);
        assert_eq!(lines, 0);
        (depth, requests)
    }

    /// A line of the first action.
    fn log(&self) {
        let world = self.0.api.world();
        world.add(Activation::new("action-0").start(world.clock().now()).stdout("new"));
    }
}

/// With a list of the namespace, and with counts.
const BOTH: [(usize, i64); 2] = [(10, 3), (3, 20)];

#[test]
fn a_quiet_run_is_two_round_trips_deep_in_a_cold_container_and_one_in_a_warm_one() {
    for (actions, activations) in BOTH {
        let mut world = World::new(actions, activations, false);
        let mut warm = None;
        let cold = world.quiet(20 * SECOND, &mut warm);
        assert_eq!((cold, world.quiet(20 * SECOND, &mut warm)), ((2, 5), (1, 5)), "{actions} actions");
    }
}

#[test]
fn a_warm_container_does_not_believe_an_index_that_is_behind_and_then_asks_as_a_cold_one() {
    for (actions, activations) in BOTH {
        let mut world = World::new(actions, activations, true);
        let mut warm = None;
        let cold = world.quiet(20 * SECOND, &mut warm);
        assert_eq!(world.quiet(20 * SECOND, &mut warm).0, 2, "{actions} actions");
        assert_eq!(world.quiet(20 * SECOND, &mut warm), cold, "{actions} actions");
        world.log();
        assert_eq!(world.run(20 * SECOND, &mut warm).0, 1, "{actions} actions");
    }
}

#[test]
fn where_the_index_is_seen_at_a_second_try_only_nothing_counts_that_was_asked_before() {
    for (actions, activations) in BOTH {
        let mut world = World::new(actions, activations, true);
        let mut warm = None;
        world.quiet(20 * SECOND, &mut warm);
        world.log();
        world.0.api.fail_next(Matcher::count().param("name", "fwd"), Fault::status(500));
        assert_eq!(world.run(20 * SECOND, &mut warm).0, 1, "{actions} actions");
    }
}

#[test]
fn what_is_new_is_found_by_the_next_run_whatever_its_container_remembers_and_comes_once() {
    for (actions, activations) in BOTH {
        for stale in [false, true] {
            let mut world = World::new(actions, activations, stale);
            let mut containers = [None, None];
            for run in 0..12 {
                let memory = &mut containers[run % 2];
                world.quiet(20 * SECOND, memory);
                // The other one does not know of this.
                world.log();
                assert_eq!(world.run(20 * SECOND, memory).0, 1, "run {run}");
            }
        }
    }
}

#[test]
fn a_container_that_was_frozen_for_hours_asks_as_a_cold_one() {
    for (actions, activations) in BOTH {
        let mut world = World::new(actions, activations, false);
        let mut frozen = None;
        world.quiet(20 * SECOND, &mut frozen);
        for _ in 0..180 {
            world.quiet(60 * SECOND, &mut None);
        }
        // A run that reads the limits writes.
        while world.quiet(60 * SECOND, &mut None).1 <= 5 {}
        let thawed = world.quiet(20 * SECOND, &mut frozen);
        assert_eq!(world.quiet(20 * SECOND, &mut None), thawed, "{actions} actions");
    }
}
