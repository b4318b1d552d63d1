//! The last save of a run, while the API does not answer.

use super::platform::Platform;
use super::{MINUTE, SECOND, params};
use crate::run::plan::CheckpointKeeper;
use serde_json::json;

#[test]
fn the_last_save_is_tried_until_the_runs_time_is_over_if_lines_have_been_acknowledged() {
    let platform = Platform::new();
    let plan = platform.plan(&params(json!({})), 1).unwrap();
    platform.down.set(60);
    let (report, result) = platform.conclude_after(&plan, &plan.work["a"].clone(), 5, true);
    assert!(report.complete, "{result}");
    assert_eq!(
        (&result["checkpoint"], platform.stored().sources["a"].complete_until),
        (&json!("saved"), plan.began_ms)
    );
    assert!(platform.now.get() < plan.deadline_ms);

    let plan = platform.plan(&params(json!({})), 2).unwrap();
    platform.down.set(u32::MAX);
    let (_, result) = platform.conclude_after(&plan, &plan.work["a"].clone(), 5, true);
    assert_eq!(result["checkpoint"], "not saved");
    let left_ms = plan.deadline_ms - platform.now.get();
    assert!((1..=5 * SECOND).contains(&left_ms), "{left_ms} ms are left");
}

#[test]
fn a_run_that_has_brought_nothing_gives_up_soon() {
    let platform = Platform::new();
    let plan = platform.plan(&params(json!({})), 1).unwrap();
    platform.down.set(u32::MAX);
    let before = platform.now.get();
    let (_, result) = platform.conclude(&plan, &plan.work["a"].clone(), true);
    assert_eq!(result["checkpoint"], "not saved");
    assert!(platform.now.get() - before < 5 * SECOND);
    platform.now.set(before);
    platform.conclude_after(&plan, &plan.work["a"].clone(), 5, false);
    assert!(platform.now.get() - before < 5 * SECOND, "a save in between is repeated by the next one anyway");
}

#[test]
fn a_command_tries_for_a_quarter_of_an_hour() {
    let platform = Platform::new();
    let mut plan = platform.plan_as(&params(json!({})), None, CheckpointKeeper::Platform).unwrap();
    plan.deadline_ms = u64::MAX;
    platform.down.set(u32::MAX);
    let before = platform.now.get();
    platform.conclude_after(&plan, &plan.work["a"].clone(), 5, true);
    let minutes = (platform.now.get() - before) as f64 / MINUTE as f64;
    assert!((15.0..15.5).contains(&minutes), "{minutes} minutes");
}

#[test]
fn what_another_run_did_meanwhile_counts_in_a_late_save_too() {
    let platform = Platform::new();
    platform.run(&params(json!({})), 1);
    let plan = platform.plan(&params(json!({})), 2).unwrap();
    platform.now.set(platform.now.get() + 2 * MINUTE);
    let next = platform.plan(&params(json!({})), 3).unwrap();
    platform.conclude(&next, &next.work["a"].clone(), true);
    platform.down.set(30);
    platform.conclude_after(&plan, &plan.work["a"].clone(), 5, true);
    assert_eq!(platform.stored().sources["a"].complete_until, next.began_ms);
}
