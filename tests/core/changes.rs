//! Other actions are monitored than before: the core, compiled natively, against the double. Owed lines still come, new actions begin, and
//! nothing comes twice.

use crate::ports::Native;
use openwhisk_double::{Activation, Clock, Double, Options};
use serde_json::{Value, json};
use whiskjack::ports::{Connection, Ports, Step, Transport, TransportError};
use whiskjack::run::plan::{self, Context};

const MINUTE: i64 = 60_000;
/// 2023-11-14T22:13:20Z
const BEGIN: i64 = 1_700_000_000_000;

/// A receiver that cannot be reached.
struct Away;

impl Transport for Away {
    fn connect(&self, _: &str, _: u16, _: u64) -> Result<Box<dyn Connection>, TransportError> {
        Err(TransportError { step: Step::Connect, retryable: true, message: "nobody listens".into() })
    }
}

struct World(Double);

impl World {
    fn new() -> Self {
        Self(Double::start(Options { clock: Clock::fixed(BEGIN), ..Options::default() }))
    }

    /// Each action prints a line now, and a minute passes.
    fn log(&self, names: &[&str]) {
        for name in names {
            self.0.world().add(Activation::new(*name).start(self.0.world().clock().now()).stdout("hello"));
        }
        self.wait(1);
    }

    fn wait(&self, minutes: i64) {
        self.0.world().clock().advance(minutes * MINUTE);
    }

    /// Runs, and says how many lines were acknowledged.
    fn run(&self, actions: &[&str]) -> u64 {
        let result = self.result(actions, true);
        assert_eq!(result["error"], Value::Null, "{result}");
        assert_eq!(result["left"]["ranges"], 0, "{result}");
        result["lines"]["acknowledged"].as_u64().unwrap()
    }

    fn result(&self, actions: &[&str], reachable: bool) -> Value {
        self.wait(1);
        let native = Native::new(&self.0);
        let context = Context {
            api_host: Some(self.0.origin()),
            authorized: true,
            own_action: Some("/guest/fwd".into()),
            deadline_ms: Some((self.0.world().clock().now() + MINUTE) as u64),
            ..Context::default()
        };
        let params = json!({"actions": actions, "logstash": {"host": "logstash", "port": 5044}, "lookback_minutes": 10});
        let (config, _) = plan::configure(params.to_string().as_bytes(), &context).unwrap();
        let ports = native.ports();
        let ports = if reachable { ports } else { Ports { transport: &Away, ..ports } };
        let report = whiskjack::run::run(&config, &context, ports).unwrap();
        let result: Value = serde_json::from_slice(&report.result).unwrap();
        assert_eq!(result["requests"], native.traffic().requests);
        result
    }
}

#[test]
fn what_a_wider_selection_admits_begins_with_its_look_back_and_nothing_else_comes_again() {
    let world = World::new();
    world.run(&["*", "!b"]);
    world.log(&["a", "b"]);
    assert_eq!(world.run(&["*", "!b"]), 1);
    world.wait(2);
    assert_eq!(world.run(&["*"]), 1, "the line of b");
    world.log(&["a", "b"]);
    assert_eq!(world.run(&["*"]), 2);
    assert_eq!(world.run(&["*"]), 0);
}

#[test]
fn what_a_wider_selection_admits_and_cannot_be_had_yet_is_owed_until_it_can_be() {
    let world = World::new();
    world.run(&["*", "!b"]);
    let now = world.0.world().clock().now();
    let b = Activation::new("b").logs_elsewhere(["The log message can't be retrieved, no index"]);
    world.0.world().add(b.start(now));
    world.log(&["a"]);
    assert_eq!(world.run(&["*", "!b"]), 1);
    for _ in 0..3 {
        let result = world.result(&["*"], true);
        assert_eq!(result["left"]["records"], 1, "{result}");
        assert!(result["error"].as_str().unwrap().contains("of `b`"), "{result}");
    }
}

#[test]
fn what_patterns_owed_when_names_took_their_place_still_comes_when_they_return() {
    let world = World::new();
    world.run(&["*"]);
    world.log(&["a", "b"]);
    world.result(&["*"], false);
    assert_eq!(world.run(&["a"]), 1);
    world.log(&["a", "b"]);
    assert_eq!(world.run(&["a"]), 1);
    world.wait(60);
    assert_eq!(world.run(&["a"]), 0);
    assert_eq!(world.run(&["*"]), 2, "both lines of b, and none of a");
    assert_eq!(world.run(&["*"]), 0);
}

#[test]
fn what_became_visible_late_while_names_took_the_place_of_patterns_still_comes() {
    let world = World::new();
    world.run(&["*"]);
    world.log(&["a", "b"]);
    assert_eq!(world.run(&["*"]), 2);
    let late = world.0.world().clock().now() - MINUTE;
    assert_eq!(world.run(&["a"]), 0);
    world.0.world().add(Activation::new("b").start(late).stdout("late"));
    world.wait(60);
    assert_eq!(world.run(&["a"]), 0);
    assert_eq!(world.run(&["*"]), 1);
    assert_eq!(world.run(&["*"]), 0);
    assert_eq!(world.run(&["*"]), 0);
}

#[test]
fn what_names_have_done_and_forgotten_does_not_come_again_when_what_patterns_admit_is_compared() {
    let world = World::new();
    world.run(&["*"]);
    world.run(&["a"]);
    world.log(&["a", "b"]);
    assert_eq!(world.run(&["a"]), 1);
    for _ in 0..6 {
        world.wait(5);
        assert_eq!(world.run(&["a"]), 0);
    }
    assert_eq!(world.run(&["*"]), 1, "the line of b, since patterns admitted it");
    assert_eq!([(); 3].map(|()| world.run(&["*"])), [0; 3], "what settles is compared by then");
}

#[test]
fn what_was_owed_to_an_excluded_action_still_comes_when_it_is_not_excluded_any_more() {
    let world = World::new();
    world.run(&["*"]);
    world.log(&["a", "b"]);
    let narrowed = world.result(&["*"], false);
    assert_eq!(narrowed["warnings"], Value::Null);
    world.wait(60);
    let narrowed = world.result(&["*", "!b"], true);
    assert_eq!(narrowed["lines"]["acknowledged"], 1, "{narrowed}");
    assert!(narrowed["warnings"][0].as_str().unwrap().contains("not monitored any more"), "{narrowed}");
    world.wait(60);
    assert_eq!(world.run(&["*"]), 1);
    assert_eq!(world.run(&["*"]), 0);
}

#[test]
fn what_patterns_have_done_does_not_come_again_for_a_name_that_is_listed_later() {
    let world = World::new();
    assert_eq!(world.run(&["*"]), 0);
    (0..3).for_each(|_| world.log(&["a", "b"]));
    assert_eq!(world.run(&["*"]), 6);
    assert_eq!(world.run(&["a"]), 0);
    assert_eq!(world.run(&["b"]), 0, "they are parked between, with their ids");
    world.log(&["b"]);
    assert_eq!(world.run(&["a", "b"]), 1);
}

#[test]
fn an_action_that_is_listed_again_goes_on_where_it_was() {
    let world = World::new();
    world.run(&["a", "b"]);
    world.log(&["a", "b"]);
    let failed = world.result(&["a", "b"], false);
    assert!(failed["error"].is_string(), "{failed}");
    assert_eq!(world.run(&["a"]), 1);
    world.log(&["a", "b"]);
    assert_eq!(world.run(&["a"]), 1);
    world.wait(600);
    assert_eq!(world.run(&["a", "b"]), 2);
    assert_eq!(world.run(&["a", "b"]), 0);
}

#[test]
fn names_that_become_patterns_bring_along_what_they_owe_and_the_others_begin() {
    let world = World::new();
    world.run(&["a"]);
    world.log(&["a", "b"]);
    assert_eq!(world.run(&["a"]), 1);
    world.log(&["a", "b"]);
    world.result(&["a"], false);
    assert_eq!(world.run(&["*"]), 3, "what a was owed, and the look-back of b");
    assert_eq!(world.run(&["*"]), 0);
}

#[test]
fn an_action_that_is_added_while_nothing_happens_begins_with_the_first_run_that_finds_it() {
    for (before, after) in [(&["a"][..], &["a", "b"][..]), (&["*", "!b"], &["*"])] {
        let world = World::new();
        (0..4).for_each(|_| assert_eq!(world.run(before), 0));
        let oldest = world.0.world().clock().now() - 8 * MINUTE;
        assert_eq!(world.run(after), 0);
        assert_eq!(world.run(after), 0);
        world.0.world().add(Activation::new("b").start(oldest).stdout("late"));
        assert_eq!(world.run(after), 1, "{after:?}");
        assert_eq!(world.run(after), 0);
    }
}

#[test]
fn an_action_that_is_taken_out_while_nothing_happens_goes_on_where_it_was() {
    let world = World::new();
    (0..4).for_each(|_| assert_eq!(world.run(&["a", "b"]), 0));
    let late = world.0.world().clock().now() - MINUTE;
    assert_eq!(world.run(&["a"]), 0);
    world.0.world().add(Activation::new("b").start(late).stdout("late"));
    world.wait(30);
    assert_eq!(world.run(&["a"]), 0);
    assert_eq!(world.run(&["a", "b"]), 1);
}
