//! Answers that are not OpenWhisk's, and packages that others write too.

use super::*;
use crate::ports::Method;

fn gateway(status: u16) -> Value {
    json!({"status": status, "error": "Not Found"})
}

/// A platform on which a run has left something owed.
fn owing() -> Platform {
    let platform = Platform::new();
    platform.counted.set(1);
    let plan = platform.plan(&params(json!({})), 1).unwrap();
    platform.conclude(&plan, &[], true);
    platform.now.set(BEGIN + 60 * MINUTE);
    platform
}

#[test]
fn a_gateways_404_is_not_taken_for_a_checkpoint_that_was_never_there() {
    for (status, body) in
        [(404, gateway(404)), (404, json!({"error": "x", "code": 404})), (200, json!({"annotations": []}))]
    {
        let platform = owing();
        let before = platform.package.borrow().clone();
        *platform.foreign.borrow_mut() = Some((Method::Get, status, body));
        let failed = platform.plan(&params(json!({})), 2).unwrap_err().to_string();
        assert!(failed.contains("`api.host`"), "{failed}");
        assert_eq!(*platform.package.borrow(), before);
        *platform.foreign.borrow_mut() = None;
        assert_eq!(
            platform.plan(&params(json!({})), 2).unwrap().checkpoint.sources["a"].origin,
            BEGIN - LOOKBACK
        );
    }
}

#[test]
fn a_package_that_turns_out_to_exist_is_not_overwritten_and_the_run_goes_on_from_it() {
    let platform = owing();
    *platform.outdated.borrow_mut() = Some(None);
    let plan = platform.plan(&params(json!({})), 2).unwrap();
    assert_eq!(plan.checkpoint.sources["a"].origin, BEGIN - LOOKBACK);
    assert!(plan.work["a"].iter().any(|owed| owed.range.since() == BEGIN - LOOKBACK), "{:?}", plan.work);
    assert!(platform.annotation("whiskjack-lease").is_some(), "and the lease is taken");
}

#[test]
fn a_command_to_which_the_package_did_not_exist_takes_in_what_is_there_when_it_saves() {
    let platform = Platform::new();
    platform.counted.set(1);
    let command = || platform.plan_as(&params(json!({})), None, CheckpointKeeper::Platform).unwrap();
    platform.conclude(&command(), &[], true);
    platform.now.set(BEGIN + 60 * MINUTE);
    *platform.outdated.borrow_mut() = Some(None);
    // Nor could it take the lease.
    platform.put.set(500);
    let plan = command();
    platform.put.set(200);
    platform.conclude(&plan, &plan.work["a"], true);
    assert_eq!(
        platform.stored().sources["a"].origin,
        BEGIN - LOOKBACK,
        "what the earlier run owed is still owed"
    );
    assert!(!platform.stored().sources["a"].owed.is_empty());
}

#[test]
fn a_package_is_refused_only_by_openwhisk_and_written_only_if_it_says_so() {
    for (status, body) in
        [(403, gateway(403)), (401, json!("<html>")), (409, gateway(409)), (200, json!({"ok": true}))]
    {
        let platform = Platform::new();
        let plan = platform.plan(&params(json!({})), 1).unwrap();
        *platform.foreign.borrow_mut() = Some((Method::Put, status, body));
        let (report, result) = platform.conclude(&plan, &plan.work["a"], true);
        assert_eq!(
            (report.complete, &result["checkpoint"]),
            (false, &json!("not saved")),
            "{status}: {result}"
        );
    }
}

#[test]
fn what_others_write_to_the_package_during_a_run_stays() {
    let platform = Platform::new();
    platform.run(&params(json!({})), 1);
    let plan = platform.plan(&params(json!({})), 2).unwrap();
    platform.now.set(platform.now.get() + 10 * SECOND);
    let note = json!({"key": "note", "value": [1.50]});
    let mut package = platform.package.take().unwrap();
    package["annotations"].as_array_mut().unwrap().push(note);
    package["version"] = json!("0.1.7");
    *platform.package.borrow_mut() = Some(package);
    let (report, _) = platform.conclude(&plan, &plan.work["a"], true);
    assert!(report.complete);
    assert_eq!(platform.annotation("note"), Some(json!([1.50])));
    assert_eq!(platform.annotation("whiskjack-lease"), None);
}

#[test]
fn a_lease_that_another_run_took_meanwhile_stays() {
    let platform = Platform::new();
    let first = platform.plan(&params(json!({})), 1).unwrap();
    platform.now.set(BEGIN + 61 * SECOND);
    let second = platform.plan(&params(json!({})), 2).unwrap();
    platform.conclude(&first, &first.work["a"], true);
    assert_eq!(platform.annotation("whiskjack-lease").unwrap()["run"], format!("{:032x}", 2));
    platform.conclude(&second, &second.work["a"], true);
    assert_eq!(platform.annotation("whiskjack-lease"), None);
}

#[test]
fn a_checkpoint_of_a_newer_forwarder_that_came_meanwhile_is_not_overwritten() {
    let platform = Platform::new();
    let plan = platform.plan(&params(json!({})), 1).unwrap();
    platform.now.set(BEGIN + 10 * SECOND);
    let newer = json!({"version": 99});
    let annotations = json!([{"key": "whiskjack-checkpoint", "value": newer}]);
    *platform.package.borrow_mut() = Some(json!({"version": "0.0.7", "annotations": annotations}));
    let (report, result) = platform.conclude(&plan, &plan.work["a"], true);
    assert!(!report.complete && result["error"].as_str().unwrap().contains("newer forwarder"), "{result}");
    assert_eq!(platform.annotation("whiskjack-checkpoint"), Some(newer));
}
