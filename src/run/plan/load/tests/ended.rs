//! Runs that were ended from outside, and the time that the next ones take.

use super::platform::{Platform, record};
use super::{MINUTE, SECOND, params};
use serde_json::{Value, json};

/// The record of a run that the platform ended after a minute.
fn ended(start: u64) -> Value {
    let mut record = record(
        start,
        &json!({"error": "The action exceeded its time limits of 60000 milliseconds."}),
        json!([]),
    );
    record["end"] = (start + MINUTE).into();
    record["response"]["status"] = "action developer error".into();
    record
}

/// Time that a run takes at most, in milliseconds, and what it says of runs that were ended. Only after such runs its windows begin small.
fn time(platform: &Platform, store: &str, activation: u32) -> (u64, Vec<String>) {
    let plan = platform.plan(&params(json!({"checkpoint": {"store": store}})), activation).unwrap();
    let begins_small = plan.config.output.sending.slow_start;
    let said = plan.warnings.iter().filter(|warning| warning.contains("ended from outside")).cloned();
    let said: Vec<String> = said.collect();
    assert_eq!(begins_small, !said.is_empty());
    (plan.stop_ms - plan.began_ms, said)
}

#[test]
fn where_records_hold_the_checkpoint_a_run_stops_earlier_after_one_that_was_ended() {
    let platform = Platform::new();
    platform.run(&params(json!({"checkpoint": {"store": "activation"}})), 1);
    let (whole_ms, said) = time(&platform, "activation", 2);
    assert!(whole_ms > 4 * MINUTE && said.is_empty(), "{whole_ms} {said:?}");
    platform.records.borrow_mut().insert(0, ended(platform.now.get()));
    platform.now.set(platform.now.get() + 2 * MINUTE);
    let (time_ms, said) = time(&platform, "activation", 3);
    assert_eq!((time_ms, said.len()), (30 * SECOND, 1), "{said:?}");
}

#[test]
fn where_a_package_holds_it_the_lease_that_was_left_there_tells() {
    let platform = Platform::new();
    platform.run(&params(json!({})), 1);
    platform.counted.set(1);
    platform.records.borrow_mut().insert(0, ended(platform.now.get()));
    platform.requests.borrow_mut().clear();
    let asks =
        |platform: &Platform| platform.requests.borrow().iter().any(|request| request.contains("name=fwd&"));
    // This one is killed: it takes the lease, and does not end.
    let (whole_ms, said) = time(&platform, "package", 2);
    assert!(whole_ms > 4 * MINUTE && said.is_empty() && !asks(&platform), "{whole_ms} {said:?}");
    platform.now.set(platform.now.get() + 2 * MINUTE);
    let (time_ms, said) = time(&platform, "package", 3);
    assert_eq!((time_ms, said.len()), (30 * SECOND, 1), "{said:?}");
    assert!(asks(&platform));
}
