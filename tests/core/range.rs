//! Runs with a begin and an end (`from`, `to`), and the reports of runs about how far they have come: the core, compiled natively, against
//! the double.

use crate::ports::Native;
use openwhisk_double::{Activation, Clock, Double, Fault, Matcher, Options};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use whiskjack::ports::{Connection, Ports, Step, Transport, TransportError};
use whiskjack::run::plan::{self, CheckpointKeeper, Context};

const MINUTE: i64 = 60_000;
/// 2023-11-14T22:13:20Z
const BEGIN: i64 = 1_700_000_000_000;

/// A receiver that keeps the documents that it gets uncompressed, or cannot be reached.
#[derive(Clone, Default)]
struct Kept(Rc<RefCell<Vec<Value>>>, bool);

impl Transport for Kept {
    fn connect(&self, _: &str, _: u16, _: u64) -> Result<Box<dyn Connection>, TransportError> {
        let message = "nobody listens".into();
        match self.1 {
            true => Err(TransportError { step: Step::Connect, retryable: false, message }),
            false => Ok(Box::new(Line(self.clone(), Vec::new()))),
        }
    }
}

struct Line(Kept, Vec<u8>);

impl Connection for Line {
    fn write(&mut self, bytes: &[u8], _: u64) -> Result<(), TransportError> {
        assert_eq!(&bytes[..2], b"2W");
        let mut rest = &bytes[6..];
        while !rest.is_empty() {
            assert_eq!(&rest[..2], b"2J");
            let length = u32::from_be_bytes(rest[6..10].try_into().unwrap()) as usize;
            self.0.0.borrow_mut().push(serde_json::from_slice(&rest[10..10 + length]).unwrap());
            rest = &rest[10 + length..];
        }
        self.1.extend(b"2A".iter().chain(&bytes[2..6]));
        Ok(())
    }

    fn read(&mut self, _: u32, _: u64) -> Result<Vec<u8>, TransportError> {
        Ok(std::mem::take(&mut self.1))
    }
}

struct World {
    api: Double,
    kept: Kept,
    checkpoint: Option<Vec<u8>>,
}

impl World {
    fn new() -> Self {
        let api = Double::start(Options { clock: Clock::fixed(BEGIN), ..Options::default() });
        Self { api, kept: Kept::default(), checkpoint: None }
    }

    /// An activation that starts so many minutes before the begin, and prints its number.
    fn log(&self, minutes_before: i64) {
        let run = Activation::new("a").start(BEGIN - minutes_before * MINUTE);
        self.api.world().add(run.stdout(&minutes_before.to_string()));
    }

    /// Runs with this configuration, two minutes after the last time.
    fn run(&mut self, more: &Value) -> Value {
        self.api.world().clock().advance(2 * MINUTE);
        let native = Native::new(&self.api);
        let context = Context {
            api_host: Some(self.api.origin()),
            authorized: true,
            keeper: CheckpointKeeper::Host(self.checkpoint.clone()),
            ..Context::default()
        };
        let mut params = json!({
            "actions": ["a"], "lookback_minutes": 10, "logstash": {"host": "logstash", "port": 5044, "compression_level": 0}
        });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (config, _) = plan::configure(params.to_string().as_bytes(), &context).unwrap();
        let ports = Ports { transport: &self.kept, ..native.ports() };
        let report = whiskjack::run::run(&config, &context, ports).unwrap();
        self.checkpoint = report.checkpoint.or(self.checkpoint.take());
        let mut result: Value = serde_json::from_slice(&report.result).unwrap();
        result["complete"] = json!(report.complete);
        result
    }

    /// What the receiver got since the last call: the lines in order of printing.
    fn got(&self) -> Vec<String> {
        let mut got: Vec<Value> = self.kept.0.borrow_mut().drain(..).collect();
        got.sort_by_key(|document| document["@timestamp"].to_string());
        got.iter()
            .map(|document| document["line"].as_str().unwrap().rsplit(' ').next().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn with_an_end_what_starts_up_to_it_is_forwarded_and_the_range_is_complete_after_one_comparison() {
    let mut world = World::new();
    for minutes in [300, 200, 199, 100, 99, 5] {
        world.log(minutes);
    }
    let range = json!({"from": BEGIN - 200 * MINUTE - 1, "to": BEGIN - 100 * MINUTE});
    let first = world.run(&range);
    assert_eq!(world.got(), ["200", "199", "100"], "both ends are in it: {first}");
    assert_eq!((&first["left"]["ranges"], &first["left"]["settling"]), (&json!(0), &json!(1)), "{first}");
    // The index had not shown it.
    world.log(150);
    world.log(98);
    let second = world.run(&range);
    assert_eq!(world.got(), ["150"], "{second}");
    for _ in 0..2 {
        let more = world.run(&range);
        assert_eq!((world.got(), &more["complete"]), (vec![], &json!(true)), "{more}");
        assert_eq!(more["lag_ms"], 0, "there is nothing to wait for: {more}");
    }
    // What is after the end comes when there is none any more.
    let after = world.run(&json!({}));
    assert_eq!(world.got(), ["99", "98", "5"], "{after}");
}

#[test]
fn an_end_near_now_leaves_what_starts_later_to_others_and_finds_what_becomes_visible_late() {
    let mut world = World::new();
    for minutes in [4, 3, 2, 1] {
        world.log(minutes);
    }
    let range = json!({"from": BEGIN - 4 * MINUTE - 1, "to": BEGIN - 2 * MINUTE});
    let first = world.run(&range);
    assert_eq!((world.got(), &first["complete"]), (vec!["4".into(), "3".into(), "2".into()], &json!(true)));
    let late = Activation::new("a").start(BEGIN - 3 * MINUTE + 1).stdout("late");
    world.api.world().add(late);
    let second = world.run(&range);
    assert_eq!((world.got(), &second["complete"]), (vec!["late".into()], &json!(true)), "{second}");
}

#[test]
fn a_result_tells_how_far_behind_the_run_is_and_how_old_what_it_owes_is() {
    let mut world = World::new();
    world.log(5);
    world.kept.1 = true;
    let from = json!({"from": BEGIN - 6 * MINUTE});
    let owed = world.run(&from);
    // It ran two minutes after the begin, and waited for nothing.
    let behind = owed["lag_ms"].as_i64().unwrap() - 8 * MINUTE + 1;
    assert!((0..MINUTE).contains(&behind), "{owed}");
    assert_eq!(owed["left"]["oldest_age_ms"].as_i64().unwrap(), owed["lag_ms"].as_i64().unwrap(), "{owed}");
    world.kept.1 = false;
    let done = world.run(&from);
    assert!(done["lag_ms"].as_i64().unwrap() < MINUTE && done["left"]["oldest_age_ms"].is_null(), "{done}");
}

#[test]
fn a_look_back_that_is_owed_is_no_lag() {
    let mut world = World::new();
    world.log(5);
    let from = json!({"from": BEGIN - 6 * MINUTE});
    world.run(&from);
    world.api.world().add(Activation::new("a").start(BEGIN - 3 * MINUTE).stdout("late"));
    world.api.fail_always(Matcher::list(), Fault::status(500));
    let owed = world.run(&from);
    assert!(owed["left"]["oldest_age_ms"].as_i64().unwrap() > 6 * MINUTE, "{owed}");
    assert!(owed["lag_ms"].as_i64().unwrap() < 4 * MINUTE, "what is new was had: {owed}");
}

#[test]
fn a_heartbeat_follows_the_lines_of_each_run_and_tells_how_far_it_has_come() {
    let mut world = World::new();
    world.log(3);
    let params = json!({"monitoring": {"heartbeat": true}, "tags": ["t"]});
    for (lines, run) in [(1, "first"), (0, "quiet")] {
        let result = world.run(&params);
        assert_eq!(
            (&result["complete"], &result["lines"]["sent"]),
            (&json!(true), &json!(lines)),
            "{result}"
        );
        let got: Vec<Value> = world.kept.0.borrow_mut().drain(..).collect();
        assert_eq!(got.len(), lines + 1, "{run}");
        let beat = &got[lines];
        assert_eq!(beat["event"]["dataset"], "openwhisk.forwarder", "{beat}");
        assert_eq!(beat["whiskjack"]["acknowledged_lines"], lines, "{beat}");
        assert_eq!((&beat["whiskjack"]["owed_ranges"], &beat["whiskjack"]["errors"]), (&json!(0), &json!(0)));
        assert_eq!((&beat["whiskjack"]["lag_ms"], &beat["tags"]), (&result["lag_ms"], &json!(["t"])));
        assert_eq!(beat["event"]["id"], beat["@metadata"]["_id"]);
    }
}

#[test]
fn a_heartbeat_that_nobody_takes_is_a_warning_and_the_run_is_complete_all_the_same() {
    let mut world = World::new();
    world.kept.1 = true;
    let result = world.run(&json!({"monitoring": {"heartbeat": true}}));
    let warning = json!("the heartbeat of this run was not acknowledged: logstash:5044: nobody listens");
    let warnings = result["warnings"].as_array().unwrap();
    assert_eq!((&result["complete"], warnings.last()), (&json!(true), Some(&warning)), "{result}");
}
