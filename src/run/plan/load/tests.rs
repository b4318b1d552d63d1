mod changes;
mod ended;
mod foreign;
mod idle;
mod persistent;
mod platform;
mod strays;
mod together;

use crate::run::plan::{CheckpointKeeper, Plan, PlanError};
use platform::{Platform, limits, marks, record};
use serde_json::{Value, json};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const BEGIN: u64 = 1_700_000_040_000;
const LOOKBACK: u64 = 15 * MINUTE;

fn params(more: Value) -> Value {
    let mut params = json!({"actions": ["a"], "logstash": {"host": "h", "port": 1}});
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params
}

#[test]
fn a_run_takes_the_lease_renews_it_in_between_and_gives_it_back_at_its_end() {
    let platform = Platform::new();
    let foreign = json!({"key": "description", "value": 1.50});
    *platform.package.borrow_mut() = Some(json!({"version": "0.0.9", "annotations": [foreign]}));
    platform.run(&params(json!({})), 1);
    platform.now.set(BEGIN + MINUTE);
    platform.counted.set(1);
    platform.requests.borrow_mut().clear();

    let plan = platform.plan(&params(json!({})), 2).unwrap();
    let lease = json!({"run": format!("{:032x}", 2), "until_ms": BEGIN + 2 * MINUTE});
    assert_eq!(platform.annotation("whiskjack-lease"), Some(lease));
    platform.now.set(BEGIN + MINUTE + 15 * SECOND);
    platform.conclude(&plan, &[], false);
    let until = platform.annotation("whiskjack-lease").unwrap()["until_ms"].clone();
    assert_eq!(until, BEGIN + 2 * MINUTE + 15 * SECOND);
    let (_, result) = platform.conclude(&plan, &plan.work["a"].clone(), true);
    assert_eq!(platform.annotation("whiskjack-lease"), None);
    assert_eq!(platform.annotation("description"), Some(json!(1.50)));
    assert_eq!((&result["checkpoint"], &result["requests"]), (&json!("saved"), &json!(7)));
    let requests = platform.requests.borrow();
    let requests: Vec<&str> = requests
        .iter()
        .filter_map(|request| request.split_once(" packages/whiskjack.fwd").map(|(method, _)| method))
        .collect();
    assert_eq!(
        requests,
        ["GET", "PUT", "GET", "PUT", "GET", "PUT"],
        "the lease, a save in between, and the last one; what others wrote is looked at before"
    );
}

#[test]
fn what_counts_say_has_nothing_in_it_is_done_and_needs_no_slice() {
    let platform = Platform::new();
    platform.run(&params(json!({})), 1);
    let quiet = platform.plan(&params(json!({})), 2).unwrap();
    assert_eq!((quiet.slices(), &quiet.settled), (Vec::new(), &quiet.work));
    let before = platform.package.borrow().clone();
    let (report, result) = platform.conclude(&quiet, &[], true);
    assert!(report.complete && quiet.rests);
    assert_eq!((&result["checkpoint"], &result["lag_ms"]), (&json!("unchanged"), &json!(0)));
    assert_eq!(*platform.package.borrow(), before);

    platform.now.set(platform.now.get() + MINUTE);
    platform.counted.set(1);
    let busy = platform.plan(&params(json!({})), 3).unwrap();
    assert_eq!((busy.slices().len(), busy.settled.len()), (2, 0));
    platform.now.set(platform.now.get() + MINUTE);
    platform.list.set(500);
    assert!(platform.plan(&params(json!({})), 3).is_err(), "an API in trouble settles nothing");
}

#[test]
fn a_run_that_meets_the_lease_of_another_does_nothing_and_says_so() {
    let platform = Platform::new();
    let first = platform.plan(&params(json!({})), 1).unwrap();
    let before = platform.package.borrow().clone();
    platform.requests.borrow_mut().clear();
    platform.now.set(BEGIN + 30 * SECOND);
    let second = platform.plan(&params(json!({})), 2).unwrap();
    assert_eq!(second.slices(), []);
    let (report, result) = platform.conclude(&second, &[], true);
    let expected = format!("another run (activation {:032x}) is at work until 2023-11-14T22:15:00.000Z", 1);
    assert_eq!(result["skipped"], expected);
    assert_eq!((&result["error"], report.complete), (&Value::Null, false));
    assert_eq!(report.log, [format!("skipped: {expected}")]);
    let requests = platform.requests.borrow();
    assert_eq!(requests[0], "GET packages/whiskjack.fwd");
    assert!(requests.len() == 2 && requests[1].ends_with("&count=true"), "at the same time: {requests:?}");
    assert_eq!(*platform.package.borrow(), before);
    assert!(first.skipped.is_none());
}

#[test]
fn the_lease_of_a_killed_run_runs_out_and_what_it_began_with_is_kept() {
    let platform = Platform::new();
    platform.plan(&params(json!({})), 1).unwrap();
    platform.now.set(BEGIN + 61 * SECOND);
    let next = platform.plan(&params(json!({})), 2).unwrap();
    assert_eq!(next.skipped, None);
    assert_eq!(
        next.checkpoint.sources["a"].origin,
        BEGIN - LOOKBACK,
        "the first run's begin, not the second's"
    );
}

#[test]
fn a_lease_that_cannot_be_written_is_a_warning_only() {
    let platform = Platform::new();
    platform.put.set(500);
    let plan = platform.plan(&params(json!({})), 1).unwrap();
    platform.put.set(200);
    let (report, result) = platform.conclude(&plan, &plan.work["a"].clone(), true);
    assert!(report.complete, "{result}");
    assert!(result["warnings"][0].as_str().unwrap().contains("other runs cannot see"), "{result}");
}

#[test]
fn of_two_runs_that_overlap_all_the_same_the_later_one_keeps_what_the_other_did() {
    let platform = Platform::new();
    platform.run(&params(json!({})), 1);
    platform.counted.set(1);
    let first = platform.plan(&params(json!({})), 2).unwrap();
    // Its lease has been lost.
    platform.forget("whiskjack-lease");
    platform.now.set(platform.now.get() + 10);
    let second = platform.plan(&params(json!({})), 3).unwrap();
    assert_eq!(second.skipped, None);
    platform.now.set(platform.now.get() + 2 * SECOND);
    platform.conclude(&first, &first.work["a"].clone(), true);
    platform.conclude(&second, &[], true);
    let owed: Vec<(u64, u64)> =
        platform.stored().sources["a"].owed.iter().map(|owed| owed.range.into()).collect();
    let (begin, end) = (first.began_ms, second.began_ms);
    assert_eq!(owed[0], (begin + 1, end), "only what came between the two is left");
    assert!(
        owed.iter().skip(1).all(|(_, upto)| *upto <= begin),
        "and to look once more for late ones: {owed:?}"
    );
}

#[test]
fn a_key_that_may_not_write_packages_falls_back_to_the_records_with_a_warning() {
    let platform = Platform::new();
    platform.put.set(403);
    let result = platform.run(&params(json!({})), 1);
    assert_eq!((&result["checkpoint"], &result["error"]), (&json!("in this result"), &Value::Null));
    assert!(result["warnings"][0].as_str().unwrap().contains("HTTP 403"), "{result}");
    let next = platform.plan(&params(json!({})), 2).unwrap();
    assert_eq!(next.checkpoint.sources["a"].complete_until, BEGIN);

    // An older checkpoint is in the package: the one in the records is newer.
    let older = json!({"version": 1, "saved_ms": 5, "sources": {"a": {"origin": 1, "through": 4}}});
    let annotations = json!([{"key": "whiskjack-checkpoint", "value": older}]);
    *platform.package.borrow_mut() = Some(json!({"version": "0.0.1", "annotations": annotations}));
    let next = platform.plan(&params(json!({})), 3).unwrap();
    assert_eq!(next.checkpoint.sources["a"].complete_until, BEGIN);
}

#[test]
fn a_command_has_no_records_to_fall_back_to() {
    let platform = Platform::new();
    let plan = platform.plan_as(&params(json!({})), None, CheckpointKeeper::Platform).unwrap();
    platform.put.set(403);
    let (report, result) = platform.conclude(&plan, &plan.work["a"].clone(), true);
    assert!(!report.complete && result["error"].as_str().unwrap().contains("--state"), "{result}");
}

#[test]
fn with_the_store_activation_a_run_goes_on_from_the_newest_result_and_writes_no_package() {
    let platform = Platform::new();
    let params = params(json!({"checkpoint": {"store": "activation"}}));
    let result = platform.run(&params, 1);
    assert!(result["warnings"][0].as_str().unwrap().contains("began anew"), "{result}");
    platform.records.borrow_mut().insert(0, record(BEGIN + 5, &json!({"error": "killed"}), json!([])));
    let second = platform.plan(&params, 2).unwrap();
    assert_eq!(second.checkpoint.sources["a"].complete_until, BEGIN);
    let (_, result) = platform.conclude(&second, &[], true);
    assert_eq!(result["warnings"], Value::Null);
    let (_, result) = platform.conclude(&second, &[], false);
    assert_eq!(result["checkpoint_state"], Value::Null, "in between there is no result");
    let packages: Vec<String> =
        platform.requests.borrow().iter().filter(|request| request.contains("packages")).cloned().collect();
    assert_eq!(packages, ["GET packages/whiskjack.fwd"], "the first run looks whether it was there before");
}

#[test]
fn the_store_activation_needs_an_action() {
    let platform = Platform::new();
    let params = params(json!({"checkpoint": {"store": "activation"}}));
    let error = platform.plan_as(&params, None, CheckpointKeeper::Host(None)).unwrap_err().to_string();
    assert!(error.contains("checkpoint.store") && error.contains("--state"), "{error}");
}

#[test]
fn a_first_run_goes_on_where_the_tool_of_2017_stopped() {
    let platform = Platform::new();
    *platform.records.borrow_mut() = vec![
        record(BEGIN - 1, &json!({"error": "failed"}), json!([])),
        marks(
            BEGIN - MINUTE,
            &["found 1 activations (a): x", "LAST_ACTIVATION two words 500", "LAST_ACTIVATION b 700"],
        ),
        marks(BEGIN - 2 * MINUTE, &["LAST_ACTIVATION two words 400", "LAST_ACTIVATION gone 5"]),
    ];
    let params = params(json!({"actions": ["pkg/two words", "x/b", "y/b", "new"], "from": 100}));
    let plan = platform.plan(&params, 1).unwrap();
    let origins: Vec<u64> = ["pkg/two words", "x/b", "y/b", "new"]
        .iter()
        .map(|name| plan.checkpoint.sources[*name].origin)
        .collect();
    assert_eq!(origins, [501, 101, 101, 101]);
    assert!(plan.warnings.iter().any(|warning| warning.contains("`pkg/two words`")), "{:?}", plan.warnings);
    assert!(plan.warnings.iter().any(|warning| warning.contains("several")), "{:?}", plan.warnings);
    assert_eq!(plan.warnings.len(), 2);
    let listed = |platform: &Platform| {
        platform.requests.borrow().iter().filter(|request| request.contains("name=fwd")).count()
    };
    assert_eq!(listed(&platform), 3, "a count, a page, and a count since the page was short");
    platform.conclude(&plan, &[], true);
    platform.plan(&params, 2).unwrap();
    assert_eq!(listed(&platform), 3, "only the first run asks");
}

#[test]
fn a_first_run_that_cannot_see_where_the_tool_of_2017_stopped_does_not_begin() {
    let platform = Platform::new();
    platform.list.set(500);
    assert!(matches!(platform.plan(&params(json!({})), 1), Err(PlanError::Api(_))));
    assert_eq!(*platform.package.borrow(), None);
}

#[test]
fn a_damaged_checkpoint_is_not_overwritten_before_the_end_of_the_run_that_reports_it() {
    let platform = Platform::new();
    let annotations = json!([{"key": "whiskjack-checkpoint", "value": "damaged"}]);
    *platform.package.borrow_mut() = Some(json!({"version": "0.0.1", "annotations": annotations}));
    let plan = platform.plan(&params(json!({})), 1).unwrap();
    assert_eq!(platform.annotation("whiskjack-checkpoint"), Some(json!("damaged")));
    let (_, result) = platform.conclude(&plan, &[], true);
    assert!(result["warnings"][0].as_str().unwrap().contains("began anew"), "{result}");
    assert_eq!(platform.stored().sources["a"].origin, BEGIN - LOOKBACK);
}

#[test]
fn the_look_back_is_read_from_the_platforms_limits_now_and_then_and_what_was_forwarded_is_not_looked_for() {
    const DAY: u64 = 24 * 60 * MINUTE;
    let platform = Platform::new();
    let asked = || platform.requests.borrow().iter().filter(|request| *request == "GET /").count();
    *platform.limits.borrow_mut() = limits(60_000);
    platform.run(&params(json!({})), 1);
    assert_eq!(platform.stored().sources["a"].origin, BEGIN - 7 * MINUTE);
    *platform.limits.borrow_mut() = limits(600_000);
    let plan = platform.plan(&params(json!({})), 2).unwrap();
    assert_eq!((plan.lookback_ms, asked()), (7 * MINUTE, 1));
    platform.conclude(&plan, &plan.work["a"].clone(), true);

    platform.now.set(BEGIN + DAY);
    let plan = platform.plan(&params(json!({})), 3).unwrap();
    assert_eq!((plan.lookback_ms, asked()), (25 * MINUTE, 2));
    assert_eq!(plan.work["a"][1].range.since(), BEGIN - 7 * MINUTE, "nothing is remembered from before");
}

#[test]
fn limits_that_cannot_be_read_are_no_failure_and_the_next_run_asks_for_them_again() {
    let platform = Platform::new();
    let asked = || platform.requests.borrow().iter().filter(|request| *request == "GET /").count();
    for nonsense in [json!({"limits": {"max_action_duration": "5 m"}}), json!("hello"), json!({}), limits(0)]
    {
        *platform.limits.borrow_mut() = nonsense;
        *platform.package.borrow_mut() = None;
        platform.requests.borrow_mut().clear();
        let plan = platform.plan(&params(json!({})), 1).unwrap();
        assert_eq!((plan.lookback_ms, plan.warnings.len()), (135 * MINUTE, 0), "runs may take an hour");
        platform.conclude(&plan, &plan.work["a"].clone(), true);
        platform.now.set(platform.now.get() + MINUTE);
        *platform.limits.borrow_mut() = limits(60 * MINUTE);
        let plan = platform.plan(&params(json!({})), 2).unwrap();
        assert_eq!((plan.lookback_ms, asked()), (135 * MINUTE, 2), "some may run since before that");
    }
}

#[test]
fn a_first_run_asks_for_the_limits_as_soon_as_it_knows_that_it_is_one() {
    let platform = Platform::new();
    platform.plan(&params(json!({})), 1).unwrap();
    let requests = platform.requests.borrow();
    let place = |begin: &str| requests.iter().position(|request| request.starts_with(begin)).unwrap();
    assert!(
        place("GET /") < place("GET activations?name=fwd&"),
        "together with its own records: {requests:?}"
    );
}

#[test]
fn a_configured_look_back_asks_for_no_limits() {
    let platform = Platform::new();
    let plan = platform.plan(&params(json!({"lookback_minutes": 60})), 1).unwrap();
    assert_eq!(plan.lookback_ms, 60 * MINUTE);
    assert!(!platform.requests.borrow().contains(&"GET /".to_owned()));
}

#[test]
fn marks_of_the_2017_tool_are_found_behind_records_that_tell_nothing_and_on_any_page() {
    let platform = Platform::new();
    let empty = |n: u64| record(BEGIN - n, &json!({}), json!([]));
    *platform.records.borrow_mut() =
        (1..60).map(empty).chain([marks(BEGIN - MINUTE, &["LAST_ACTIVATION a 500"])]).collect();
    let plan = platform.plan(&params(json!({})), 1).unwrap();
    assert_eq!(plan.checkpoint.sources["a"].origin, 501);
}

#[test]
fn a_file_is_only_the_commands_and_an_action_is_told_what_to_choose_instead() {
    let platform = Platform::new();
    let host = params(json!({"checkpoint": {"store": "host"}}));
    let Err(PlanError::Config(faults)) = platform.plan(&host, 1) else { panic!("an action has no file") };
    let told = faults.to_string();
    assert!(told.starts_with("checkpoint.store: only the command"), "{told}");
    assert!(told.contains("choose `package` or `activation`"), "{told}");
    assert!(platform.requests.borrow().is_empty());
}
