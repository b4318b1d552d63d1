//! Runs that begin at the same moment: each has read the package before any of them has written it, or writes it at the same time.

use super::platform::Platform;
use super::{BEGIN, LOOKBACK, MINUTE, SECOND, params};
use crate::run::plan::{CheckpointKeeper, Plan};
use serde_json::{Value, json};

const OVERTAKEN: &str = "another run, or somebody else, wrote the checkpoint's package at the same moment, so this one stands back";

fn lease(platform: &Platform) -> Value {
    platform.annotation("whiskjack-lease").unwrap_or_default()
}

/// A run that has read the package as it was then.
fn later(platform: &Platform, before: Option<Value>, activation: u32) -> Plan {
    *platform.outdated.borrow_mut() = Some(before);
    platform.now.set(platform.now.get() + 10);
    platform.plan(&params(json!({})), activation).unwrap()
}

#[test]
fn the_run_that_writes_later_stands_back_and_keeps_the_place_of_the_other() {
    let platform = Platform::new();
    platform.run(&params(json!({})), 1);
    platform.counted.set(1);
    let before = platform.package.borrow().clone();
    let first = platform.plan(&params(json!({})), 2).unwrap();
    let second = later(&platform, before, 3);
    assert_eq!((first.skipped.as_deref(), second.skipped.as_deref()), (None, Some(OVERTAKEN)));
    assert_eq!((second.slices(), second.work.is_empty()), (Vec::new(), true));
    assert_eq!(
        (&lease(&platform)["run"], &lease(&platform)["stood_back"]),
        (&json!(format!("{:032x}", 3)), &json!(true))
    );

    // A third run sees that somebody is at work, and so does one after the first has saved.
    platform.now.set(platform.now.get() + 14 * SECOND);
    let third = platform.plan(&params(json!({})), 4).unwrap();
    assert!(third.skipped.unwrap().starts_with("another run is at work until"));
    platform.conclude(&first, &[], false);
    assert_eq!(
        (&lease(&platform)["run"], lease(&platform).get("stood_back")),
        (&json!(format!("{:032x}", 2)), None)
    );
    platform.conclude(&first, &first.work["a"].clone(), true);
    assert_eq!(platform.annotation("whiskjack-lease"), None);
    assert_eq!(platform.stored().sources["a"].complete_until, first.began_ms);
    assert_eq!(platform.plan(&params(json!({})), 5).unwrap().skipped, None);
}

#[test]
fn the_place_that_was_kept_is_gone_after_the_only_save_of_a_short_run() {
    let platform = Platform::new();
    platform.run(&params(json!({})), 1);
    platform.counted.set(1);
    let before = platform.package.borrow().clone();
    for wait_ms in [100, 2 * SECOND] {
        let first = platform.plan(&params(json!({})), 2).unwrap();
        later(&platform, before.clone(), 3);
        platform.now.set(platform.now.get() + wait_ms);
        platform.conclude(&first, &first.work["a"].clone(), true);
        assert_eq!(platform.annotation("whiskjack-lease"), None, "after {wait_ms} ms");
    }
}

#[test]
fn of_four_runs_at_once_one_goes_on() {
    let platform = Platform::new();
    platform.run(&params(json!({})), 1);
    platform.counted.set(1);
    let before = platform.package.borrow().clone();
    let first = platform.plan(&params(json!({})), 2).unwrap();
    let others = [3, 4, 5].map(|activation| later(&platform, before.clone(), activation).skipped);
    assert_eq!((first.skipped, others), (None, [(); 3].map(|()| Some(OVERTAKEN.to_owned()))));
}

#[test]
fn the_run_whose_write_meets_that_of_another_reads_again_and_finds_its_lease() {
    let platform = Platform::new();
    platform.run(&params(json!({})), 1);
    platform.counted.set(1);
    let before = platform.package.borrow().clone();
    platform.plan(&params(json!({})), 2).unwrap();
    let taken = lease(&platform);
    platform.conflicts.set(1);
    let second = later(&platform, before, 3);
    assert!(second.skipped.unwrap().contains(&format!("(activation {:032x}) is at work", 2)));
    assert_eq!(lease(&platform), taken, "it is not touched");
}

#[test]
fn of_first_runs_at_once_one_goes_on() {
    let platform = Platform::new();
    let first = platform.plan(&params(json!({})), 1).unwrap();
    let second = later(&platform, None, 2);
    assert_eq!(first.skipped, None);
    assert!(second.skipped.unwrap().contains(&format!("(activation {:032x}) is at work", 1)));
}

#[test]
fn a_conflict_with_somebody_who_is_not_a_run_holds_nobody_up() {
    let platform = Platform::new();
    platform.run(&params(json!({})), 1);
    platform.counted.set(1);
    for conflicts in [1, 2, 9] {
        platform.conflicts.set(conflicts);
        let plan = platform.plan(&params(json!({})), 2).unwrap();
        assert_eq!((plan.skipped.as_deref(), plan.work.len()), (None, 1), "{conflicts} conflicts");
        platform.conflicts.set(0);
        platform.conclude(&plan, &[], true);
    }
}

#[test]
fn an_api_that_counts_every_write_twice_lets_every_other_run_work() {
    let platform = Platform::new();
    platform.counts_up.set(2);
    platform.run(&params(json!({})), 1);
    platform.counted.set(1);
    let mut worked = Vec::new();
    for activation in 2..8 {
        let plan = platform.plan(&params(json!({})), activation).unwrap();
        worked.push(plan.skipped.is_none());
        let work = plan.work.get("a").cloned().unwrap_or_default();
        platform.conclude(&plan, &work, true);
        platform.now.set(platform.now.get() + MINUTE);
    }
    assert_eq!(worked, [true, false, true, false, true, false], "the first of all stood back");
}

#[test]
fn a_run_that_stands_back_leaves_what_others_wrote() {
    let platform = Platform::new();
    let note = json!({"key": "note", "value": 1.50});
    *platform.package.borrow_mut() = Some(json!({"version": "0.0.9", "annotations": [note]}));
    platform.run(&params(json!({})), 1);
    platform.counted.set(1);
    let before = platform.package.borrow().clone();
    platform.plan(&params(json!({})), 2).unwrap();
    let stored = platform.stored();
    later(&platform, before, 3);
    assert_eq!((platform.annotation("note"), platform.stored()), (Some(json!(1.50)), stored));
}

#[test]
fn commands_take_a_lease_too_of_half_a_minute() {
    let platform = Platform::new();
    let plan = || platform.plan_as(&params(json!({})), None, CheckpointKeeper::Platform).unwrap();
    let first = plan();
    assert_eq!(lease(&platform)["until_ms"], BEGIN + 30 * SECOND);
    assert_eq!(platform.stored().sources["a"].origin, BEGIN - LOOKBACK, "its begin is kept");
    platform.now.set(BEGIN + SECOND);
    assert_eq!(plan().skipped.as_deref(), Some("another run is at work until 2023-11-14T22:14:30.000Z"));
    platform.now.set(BEGIN + 15 * SECOND);
    platform.conclude(&first, &[], false);
    assert_eq!(lease(&platform)["until_ms"], BEGIN + 45 * SECOND);
    platform.now.set(BEGIN + 46 * SECOND);
    assert_eq!(plan().skipped, None, "the first was interrupted");
}
