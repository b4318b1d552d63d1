//! A busy namespace: more activations in the look-back than a checkpoint has room for ids, and some of them become visible late. The core, compiled
//! natively, against the double.

use crate::ports::{Native, Traffic};
use openwhisk_double::{Activation, Clock, Double, Options};
use serde_json::{Value, json};
use whiskjack::run::plan::{self, Context, OwnAction};

const MINUTE: i64 = 60_000;
/// 2023-11-14T22:13:20Z
const BEGIN: i64 = 1_700_000_000_000;
/// Activations a minute.
const MANY: i64 = 1_000;
const APART: i64 = MINUTE / MANY;
const MINUTES: usize = 14;
/// How long after its start a late one becomes visible: in a minute whose activations are known by their ids, or by a digest. It starts when
/// another one does.
const LATE_BY: i64 = 3 * MINUTE / 2 + APART;
const VERY_LATE_BY: i64 = 8 * MINUTE + APART;

/// Each minute brings activations, of which `of` says by their number which action's they are and how late; and a run. Returns how many
/// activations each run forwarded.
fn forwarded(actions: &[String], of: impl Fn(i64) -> (String, i64)) -> Vec<Value> {
    runs(actions, of).into_iter().map(|run| run.result["activations"].clone()).collect()
}

/// What came of a run.
struct Run {
    result: Value,
    traffic: Traffic,
}

/// Those runs.
fn runs(actions: &[String], of: impl Fn(i64) -> (String, i64)) -> Vec<Run> {
    let api = Double::start(Options { clock: Clock::fixed(BEGIN), ..Options::default() });
    let from = BEGIN - VERY_LATE_BY - 1;
    let params = json!({"actions": actions, "from": from, "logstash": {"host": "logstash", "port": 5044}});
    let minute = |minute: usize| {
        let begin = api.world().clock().now();
        api.world().add_all((0..MANY).map(|number| {
            let (name, late_by) = of(number);
            let start = begin + number * APART - late_by;
            Activation::new(name).start(start).stdout("hello").visible_at(begin + MINUTE)
        }));
        api.world().clock().advance(MINUTE);
        let native = Native::new(&api);
        let context = Context {
            api_host: Some(api.origin()),
            authorized: true,
            own_action: Some(OwnAction {
                name: "/guest/fwd".into(),
                activation: Some(format!("{minute:032x}")),
            }),
            deadline_ms: Some((begin + 2 * MINUTE) as u64),
            ..Context::default()
        };
        let (config, _) = plan::configure(params.to_string().as_bytes(), &context).unwrap();
        let report = whiskjack::run::run(&config, &context, native.ports()).unwrap();
        let result: Value = serde_json::from_slice(&report.result).unwrap();
        assert!(report.complete, "{result}");
        Run { result, traffic: native.traffic() }
    };
    (0..MINUTES).map(minute).collect()
}

fn late_by(ms: i64, is_late: bool) -> i64 {
    if is_late { ms } else { 0 }
}

fn names(count: i64) -> Vec<String> {
    (0..count).map(|n| format!("action-{n}")).collect()
}

#[test]
fn of_fifty_busy_actions_nothing_comes_twice_though_some_come_late() {
    for ms in [LATE_BY, VERY_LATE_BY] {
        let late_by = |number: i64| late_by(ms, (number + number / 50) % 20 == 0);
        let of = |number: i64| (format!("action-{}", number % 50), late_by(number));
        assert_eq!(forwarded(&names(50), of), vec![MANY; MINUTES], "late by {ms} ms");
    }
}

/// Those of a run of a minute in which a checkpoint knows more than a hundred activations of each action.
fn requests(late_by_ms: impl Fn(i64) -> i64) -> f64 {
    let runs = runs(&names(50), |number| (format!("action-{}", number % 50), late_by_ms(number)));
    let all: Vec<String> = runs.iter().map(|run| format!("{}", run.traffic)).collect();
    println!("{}", all.join("\n"));
    runs[7].traffic.requests as f64
}

#[test]
fn of_fifty_busy_actions_each_is_asked_three_or_four_times_if_some_come_late_and_twice_if_none_do() {
    let some = requests(|number| late_by(LATE_BY, (number + number / 50) % 20 == 0));
    assert!(some <= 3.5 * 50.0 + 8.0, "{some}");
    let none = requests(|_| 0);
    assert!(none <= 2.0 * 50.0 + 8.0, "{none}");
}

#[test]
fn of_a_busy_namespace_that_a_pattern_monitors_nothing_comes_twice_though_few_or_very_many_come_late() {
    let few = |number: i64| number % 20 == 0;
    // So many that they are not fetched one by one, on both sides of some that do not.
    let many = |number: i64| number % 2 == 0 && !(300..700).contains(&number);
    for is_late in [few as fn(i64) -> bool, many] {
        let of = |number: i64| (format!("action-{}", number % 7), late_by(VERY_LATE_BY, is_late(number)));
        assert_eq!(forwarded(&["*".into()], of), vec![MANY; MINUTES]);
    }
}
