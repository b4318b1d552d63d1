//! How a plan shares a backlog among workers. The core, compiled natively, against the double.

use crate::ports::Native;
use openwhisk_double::{Activation, Clock, Double, Options};
use serde_json::json;
use whiskjack::range::Range;
use whiskjack::run::plan::{self, Context, Plan};

const MINUTE: i64 = 60_000;
/// 2023-11-14T22:13:20Z
const BEGIN: i64 = 1_700_000_000_000;
/// Where the backlog begins.
const FROM: i64 = BEGIN - 240 * MINUTE;

fn platform(activations: &[(&str, i64)]) -> Double {
    let api = Double::start(Options { clock: Clock::fixed(BEGIN), ..Options::default() });
    for (name, many) in activations {
        let start = |n: i64| BEGIN - n * (BEGIN - FROM) / (many + 1);
        api.world().add_all((1..=*many).map(|n| Activation::new(*name).start(start(n)).stdout("hello")));
    }
    api
}

fn plan(api: &Double, actions: &[&str], workers: u32) -> Plan {
    let native = Native::new(api);
    let context = Context { api_host: Some(api.origin()), authorized: true, ..Context::default() };
    let logstash = json!({"host": "logstash", "port": 5044, "worker": workers});
    let params = json!({"actions": actions, "from": FROM, "lookback_minutes": 60, "logstash": logstash});
    let (config, _) = plan::configure(params.to_string().as_bytes(), &context).unwrap();
    plan::plan(&config, &context, native.ports()).unwrap()
}

#[test]
fn what_can_be_listed_at_once_comes_before_what_waits_for_the_index_to_come_to_rest() {
    let api = platform(&[("few", 30), ("many", 6_000)]);
    let plan = plan(&api, &["few", "many"], 4);
    let slices = plan.slices();
    let waits: Vec<bool> =
        slices.iter().map(|slice| slice.owed.range.since() < plan.began_ms - plan.lookback_ms).collect();
    let at_once = waits.iter().filter(|waits| !**waits).count();
    assert!(at_once > 1 && waits.is_sorted(), "{waits:?}");
    assert_eq!(slices[at_once].source, "few", "otherwise in turn");
    let places: Vec<usize> = slices.iter().map(|slice| slice.receiver_offset).collect();
    assert_eq!(places, (0..slices.len()).collect::<Vec<_>>(), "receivers are chosen in turn");
}

#[test]
fn a_backlog_is_cut_for_several_workers_into_few_long_pieces_first_and_short_ones_last() {
    let api = platform(&[("many", 30_000)]);
    let plan = plan(&api, &["many"], 4);
    let slices = plan.slices();
    let counts: Vec<u64> = slices.iter().map(|slice| slice.count.unwrap()).collect();
    assert_eq!(counts.iter().sum::<u64>(), 30_000);
    assert!(slices.len() < 30 && counts.iter().all(|count| *count <= 4_000), "{counts:?}");
    assert!(
        counts.iter().rev().take(4).all(|count| *count <= 750),
        "nobody waits long at the end: {counts:?}"
    );
    let ranges: Vec<Range> = slices.iter().map(|slice| slice.owed.range).collect();
    assert_eq!(whiskjack::range::union(ranges), [Range::new(FROM as u64 + 1, plan.began_ms).unwrap()]);
}

#[test]
fn a_burst_is_cut_into_no_more_pieces_than_workers_can_use() {
    let api = platform(&[("many", 2_000)]);
    let begin = FROM + MINUTE;
    api.world().add_all((0..40_000).map(|n| Activation::new("many").start(begin + n / 2).stdout("hello")));
    let slices = plan(&api, &["many"], 2).slices();
    let counts: Vec<u64> = slices.iter().map(|slice| slice.count.unwrap()).collect();
    assert_eq!(counts.iter().sum::<u64>(), 42_000);
    assert!(slices.len() < 50 && counts.iter().all(|count| *count <= 2_000), "{counts:?}");
}

#[test]
fn a_single_worker_takes_a_backlog_as_it_is() {
    let api = platform(&[("few", 30), ("many", 6_000)]);
    let sources: Vec<String> =
        plan(&api, &["few", "many"], 1).slices().into_iter().map(|slice| slice.source).collect();
    assert_eq!(sources, ["few", "many"]);
}
