//! The cost of a run for the API if nothing is new, if one record became visible late, and if logs are in a store of their own: the core,
//! compiled natively, against the double. The number of requests is a promise; bytes are printed only (`cargo test --test core steady --
//! --nocapture`).

use crate::ports::{Native, Traffic};
use openwhisk_double::{Activation, Clock, Double, Options};
use serde_json::{Value, json};
use whiskjack::run::plan::{self, Context, Memory, OwnAction};

const MINUTE: i64 = 60_000;
/// 2023-11-14T22:13:20Z
const BEGIN: i64 = 1_700_000_000_000;

/// Some monitored actions, and a forwarder that runs every minute.
pub struct Steady {
    pub api: Double,
    names: Vec<String>,
    runs: u32,
}

impl Steady {
    /// Actions that each ran `activations` times in the last minutes; after a first run that forwarded that, and two more: the second of them looks again whether there was a run
    /// before the first.
    pub fn new(actions: usize, activations: i64, stale: bool) -> Self {
        let api = Double::start(Options { clock: Clock::fixed(BEGIN), stale, ..Options::default() });
        let names: Vec<String> = (0..actions).map(|n| format!("action-{n}")).collect();
        for name in &names {
            for n in 0..activations {
                let start = BEGIN - 6 * MINUTE + n * 5 * MINUTE / activations;
                api.world().add(Activation::new(name).start(start).stdout("hello"));
            }
        }
        let mut steady = Self { api, names, runs: 0 };
        let (first, _) = steady.run();
        assert_eq!(first["activations"], actions as i64 * activations);
        steady.run();
        steady.run();
        steady
    }

    /// Runs once, a minute after the last time, in a new container.
    fn run(&mut self) -> (Value, Traffic) {
        self.api.world().clock().advance(MINUTE);
        self.run_in(&mut None)
    }

    /// Runs once, in a container with this memory.
    pub fn run_in(&mut self, memory: &mut Option<Memory>) -> (Value, Traffic) {
        self.runs += 1;
        let native = Native::new(&self.api);
        let context = Context {
            api_host: Some(self.api.origin()),
            authorized: true,
            own_action: Some(OwnAction {
                name: "/guest/fwd".into(),
                activation: Some(format!("{:032x}", self.runs)),
            }),
            deadline_ms: Some((self.api.world().clock().now() + MINUTE) as u64),
            memory: memory.take(),
            ..Context::default()
        };
        let params = json!({"actions": self.names, "logstash": {"host": "logstash", "port": 5044}});
        let (config, _) = plan::configure(params.to_string().as_bytes(), &context).unwrap();
        let report = whiskjack::run::run(&config, &context, native.ports()).unwrap();
        *memory = report.memory;
        let result: Value = serde_json::from_slice(&report.result).unwrap();
        assert!(report.complete, "{result}");
        let traffic = native.traffic();
        assert_eq!(result["requests"], traffic.requests);
        (result, traffic)
    }
}

#[test]
fn a_run_without_news_lists_the_namespace_or_counts_each_action_and_writes_nothing() {
    for stale in [false, true] {
        for (actions, activations, expected) in [
            (1, 0, 3),
            (3, 20, 5),
            (4, 0, 5),
            (10, 0, 5),
            (100, 0, 5),
            (10, 8, 5),
            (10, 20, 13),
            (100, 3, 7),
            (100, 20, 103),
        ] {
            let mut steady = Steady::new(actions, activations, stale);
            let (result, traffic) = steady.run();
            println!(
                "{actions} actions with {activations} activations in the look-back, stale index {stale}: {traffic}"
            );
            assert_eq!((&result["activations"], &result["checkpoint"]), (&json!(0), &json!("unchanged")));
            assert_eq!(traffic.requests, expected, "package, two indexes; list and its count, or counts");
        }
    }
}

#[test]
fn of_runs_without_news_about_every_third_writes_and_few_ask_for_limits() {
    for activations in [0, 8] {
        let mut steady = Steady::new(10, activations, false);
        let requests: Vec<u64> = (0..30).map(|_| steady.run().1.requests).collect();
        println!("with {activations} activations in the look-back: {requests:?}");
        let many = |least: u64| requests.iter().filter(|requests| **requests >= least).count();
        // With the lease, the checkpoint, and sometimes the limits.
        assert!((8..=14).contains(&many(7)) && many(9) == 0, "{requests:?}");
    }
}

#[test]
fn a_late_record_among_a_thousand_costs_a_few_requests() {
    for (newer, most) in [(20, 14), (333, 22), (990, 24)] {
        let mut steady = Steady::new(1, 1000, false);
        let start = steady.api.world().records()[1000 - newer].start;
        steady.api.world().add(Activation::new("action-0").stdout("late").start(start + 17));
        let (result, traffic) = steady.run();
        println!("one late record among 1000, {newer} of them newer: {traffic}");
        assert_eq!(result["activations"], 1);
        assert!(traffic.requests <= most, "{traffic}");
    }
}

#[test]
fn a_record_that_is_deleted_out_of_a_thousand_is_looked_for_once() {
    let mut steady = Steady::new(1, 1000, false);
    let id = steady.api.world().records()[500].id.clone();
    steady.api.world().remove(&id);
    let (_, once) = steady.run();
    let (_, again) = steady.run();
    println!("one deleted record among 1000: {once}; after that: {again}");
    assert!(once.requests > 6 && again.requests == 4, "{once}, {again}");
}

#[test]
fn a_platform_that_gives_no_logs_is_warned_of_once_and_asked_once_a_run() {
    let mut steady = Steady::new(1, 0, false);
    let asked = |steady: &Steady| {
        steady.api.requests().iter().filter(|request| request.path.ends_with("/logs")).count()
    };
    let add = |steady: &Steady| {
        let now = steady.api.world().clock().now();
        let run = Activation::new("action-0").logs_elsewhere([openwhisk_double::log::NOT_AVAILABLE]);
        steady.api.world().add(run.start(now));
    };
    add(&steady);
    let (result, _) = steady.run();
    assert_eq!((asked(&steady), &result["lines"]["read"]), (1, &json!(0)));
    assert!(result["warnings"][0].as_str().unwrap().contains("does not give logs"), "{result}");
    add(&steady);
    let (result, _) = steady.run();
    assert_eq!((asked(&steady), &result["activations"], &result["warnings"]), (2, &json!(1), &Value::Null));
}

#[test]
fn a_log_store_of_its_own_costs_one_request_for_each_activation() {
    let mut steady = Steady::new(1, 0, false);
    for run in 1..=3 {
        let now = steady.api.world().clock().now();
        let line = openwhisk_double::log::entry(i128::from(now) * 1_000_000, "stdout", "from elsewhere");
        let two = (0..2).map(|n| Activation::new("action-0").logs_elsewhere([line.clone()]).start(now + n));
        steady.api.world().add_all(two);
        let (result, _) = steady.run();
        assert_eq!((&result["activations"], &result["lines"]["acknowledged"]), (&json!(2), &json!(2)));
        let asked = steady.api.requests().iter().filter(|request| request.path.ends_with("/logs")).count();
        assert_eq!(asked, 2 * run);
    }
}
