//! The look-back follows the platform's limits, which may be unknown at first and may change: the core, compiled natively, against the
//! double. Activations that run as long as the limits of their time allow arrive.

use crate::ports::Native;
use openwhisk_double::{Activation, Clock, Double, Options};
use serde_json::{Value, json};
use std::cell::Cell;
use whiskjack::ports::{Body, Failure, Http, Ports, Request, Response};
use whiskjack::run::plan::{self, Context};

const MINUTE: i64 = 60_000;
/// 2023-11-14T22:13:20Z
const BEGIN: i64 = 1_700_000_000_000;

/// A platform whose longest run is of so many minutes; with nothing, a gateway answers in its place.
struct World {
    api: Double,
    longest: Cell<Option<i64>>,
    actions: Cell<&'static [&'static str]>,
}

struct Limited<'a>(&'a Native, Option<i64>);

impl Http for Limited<'_> {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        if request.target != "/" {
            return self.0.send(request);
        }
        let limits = |minutes: i64| json!({"limits": {"max_action_duration": minutes * MINUTE, "max_action_logs": 10 << 20}});
        let (status, told) = self.1.map_or((404, json!({})), |minutes| (200, limits(minutes)));
        Ok(Response { status, retry_after: None, body: Box::new(Told(Some(told.to_string()))) })
    }
}

struct Told(Option<String>);

impl Body for Told {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.0.take().map(String::into_bytes))
    }
}

impl World {
    fn new(longest: Option<i64>) -> Self {
        let api = Double::start(Options { clock: Clock::fixed(BEGIN), ..Options::default() });
        Self { api, longest: Cell::new(longest), actions: Cell::new(&["a"]) }
    }

    fn now(&self) -> i64 {
        self.api.world().clock().now()
    }

    /// Runs each minute, so many times. Says how many lines were acknowledged.
    fn run(&self, times: u32) -> u64 {
        let run = |_| {
            self.api.world().clock().advance(MINUTE);
            let native = Native::new(&self.api);
            let context = Context {
                api_host: Some(self.api.origin()),
                authorized: true,
                own_action: Some("/guest/fwd".into()),
                deadline_ms: Some((self.now() + MINUTE) as u64),
                ..Context::default()
            };
            let params =
                json!({"actions": self.actions.get(), "logstash": {"host": "logstash", "port": 5044}});
            let (config, _) = plan::configure(params.to_string().as_bytes(), &context).unwrap();
            let http = Limited(&native, self.longest.get());
            let report =
                whiskjack::run::run(&config, &context, Ports { http: &http, ..native.ports() }).unwrap();
            let result: Value = serde_json::from_slice(&report.result).unwrap();
            assert_eq!(result["error"], Value::Null, "{result}");
            result["lines"]["acknowledged"].as_u64().unwrap()
        };
        (0..times).map(run).sum()
    }

    /// An activation that began at `start` is visible from now on.
    fn log(&self, start: i64) {
        self.api.world().add(Activation::new("a").start(start).stdout("hello"));
    }
}

/// What began before limits of five minutes were read in the place of these.
fn arrives_after_a_fall_from(longest: Option<i64>) {
    let world = World::new(longest);
    world.run(2);
    let start = world.now();
    world.run(1);
    world.longest.set(Some(5));
    assert_eq!(world.run(60), 0);
    world.log(start);
    assert_eq!(world.run(2), 1);
}

#[test]
fn what_began_while_the_limits_were_unknown_arrives_though_they_turn_out_to_be_low() {
    arrives_after_a_fall_from(None);
}

#[test]
fn what_began_after_the_limits_rose_arrives_whenever_that_was() {
    for before in [2, 30, 400] {
        let world = World::new(Some(5));
        world.run(before);
        world.longest.set(Some(60));
        let start = world.now() + 1;
        assert_eq!(world.run(50), 0);
        world.log(start);
        assert_eq!(world.run(2), 1, "after {before} runs");
    }
}

#[test]
fn what_began_before_the_limits_fell_arrives() {
    arrives_after_a_fall_from(Some(60));
}

#[test]
fn what_began_after_the_limits_rose_arrives_of_an_action_that_is_added_before_that_is_known() {
    let named: [&[&str]; 2] = [&["b"], &["b", "a"]];
    let of_patterns: [&[&str]; 2] = [&["p/*"], &["p/*", "*"]];
    for [before, after] in [named, of_patterns] {
        let world = World::new(Some(5));
        world.actions.set(before);
        world.run(2);
        world.longest.set(Some(60));
        let start = world.now() + 1;
        world.run(4);
        world.actions.set(after);
        assert_eq!(world.run(50), 0);
        world.log(start);
        assert_eq!(world.run(2), 1, "{after:?}");
    }
}
