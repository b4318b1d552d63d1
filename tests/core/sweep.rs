//! One list of the namespace in the place of many counts: the core, compiled natively, against the double.

use crate::ports::Native;
use openwhisk_double::{Activation, Clock, Double, Matcher, Options, Request};
use serde_json::{Value, json};
use whiskjack::run::plan::{self, Context};

const MINUTE: i64 = 60_000;
/// 2023-11-14T22:13:20Z
const BEGIN: i64 = 1_700_000_000_000;
const NAMES: [&str; 5] = ["a", "b", "c", "shop/d", "e"];

struct World(Double);

impl World {
    /// Each action ran twice, and so many runs of the forwarder have been.
    fn after(runs: u32, stale: bool) -> Self {
        let api = Double::start(Options { clock: Clock::fixed(BEGIN), stale, ..Options::default() });
        let world = Self(api);
        for name in NAMES {
            (1..3).for_each(|minutes| world.log(name, minutes));
        }
        (0..runs).for_each(|_| drop(world.run()));
        world
    }

    fn log(&self, name: &str, minutes_ago: i64) {
        let (package, name) = name.split_once('/').unwrap_or(("", name));
        let activation = Activation::new(name).start(self.0.world().clock().now() - minutes_ago * MINUTE);
        let activation = if package.is_empty() { activation } else { activation.package(package) };
        self.0.world().add(activation.stdout("hello"));
    }

    /// Runs, a minute after the last time. Says how many lines were acknowledged, and what was listed or counted of the whole namespace.
    fn run(&self) -> (Value, Vec<Request>) {
        self.0.world().clock().advance(MINUTE);
        self.0.forget_requests();
        let native = Native::new(&self.0);
        let context = Context {
            api_host: Some(self.0.origin()),
            authorized: true,
            own_action: Some("/guest/fwd".into()),
            deadline_ms: Some((self.0.world().clock().now() + MINUTE) as u64),
            ..Context::default()
        };
        let params = json!({"actions": NAMES, "logstash": {"host": "logstash", "port": 5044}});
        let (config, _) = plan::configure(params.to_string().as_bytes(), &context).unwrap();
        let report = whiskjack::run::run(&config, &context, native.ports()).unwrap();
        let result: Value = serde_json::from_slice(&report.result).unwrap();
        assert!(report.complete, "{result}");
        let is_of_all =
            |request: &Request| request.path.ends_with("/activations") && request.param("name").is_none();
        (result["lines"]["acknowledged"].clone(), self.0.requests().into_iter().filter(is_of_all).collect())
    }
}

fn lists(requests: &[Request]) -> usize {
    requests.iter().filter(|request| request.param("count").is_none()).count()
}

#[test]
fn what_is_new_or_late_comes_though_as_many_records_were_deleted() {
    for stale in [false, true] {
        for minutes_ago in [0, 5] {
            let world = World::after(4, stale);
            let known = world.0.world().records();
            world.0.world().remove(&known[0].id);
            world.log("a", minutes_ago);
            let (lines, requests) = world.run();
            assert_eq!((lines, lists(&requests)), (json!(1), 1), "{minutes_ago} minutes ago");
            assert_eq!(world.run().0, 0);
        }
    }
}

#[test]
fn an_action_of_the_same_name_in_another_package_is_none_of_it() {
    let world = World::after(4, false);
    world.log("other/d", 0);
    world.log("d", 0);
    assert_eq!(world.run().0, 0);
    world.log("shop/d", 0);
    assert_eq!(world.run().0, 1);
}

#[test]
fn the_index_of_the_whole_namespace_is_asked_for_a_minute_before_it_is_trusted() {
    let world = World::after(0, true);
    let listed = [(); 5].map(|()| lists(&world.run().1));
    assert_eq!(listed, [0, 0, 1, 1, 1]);
}

#[test]
fn a_list_that_shows_fewer_rows_than_were_counted_tells_nothing() {
    let world = World::after(4, false);
    let now = world.0.world().clock().now();
    let id = "0000000000000000000000000000000a";
    let new = move || Activation::new("a").id(id).start(now).stdout("hello");
    world.0.world().add(new());
    world.0.before_next(Matcher::list(), move |world| world.remove(id));
    // The first count of `a` is the one that brings the index up to date.
    world.0.before_next(Matcher::count().param("name", "a").after(1), move |world| drop(world.add(new())));
    assert_eq!(world.run().0, 1);
}

#[test]
fn a_row_that_nothing_tells_the_name_of_may_be_of_any_action() {
    let world = World::after(4, false);
    let now = world.0.world().clock().now();
    let unnamed = Activation::new("d").package("shop").start(now).stdout("hello");
    world.0.world().add(unnamed.extra("name", Value::Null).extra("annotations", Value::Null));
    let (lines, requests) = world.run();
    assert_eq!((lines, lists(&requests)), (json!(1), 1));
}

#[test]
fn where_much_runs_each_action_is_counted() {
    let world = World::after(4, false);
    let now = world.0.world().clock().now();
    world.0.world().add_all((0..2_000).map(|n| Activation::new("noise").start(now - n * 500)));
    let (lines, requests) = world.run();
    assert_eq!((lines, requests.len(), lists(&requests)), (json!(0), 1, 0));
}
