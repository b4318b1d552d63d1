//! Changes of the checkpoint's place, and forwarders that share one place.

use super::*;
use crate::checkpoint::{Checkpoint, Owner};
use crate::run::plan::OwnAction;

fn activation() -> Value {
    params(json!({"checkpoint": {"store": "activation"}}))
}

/// A platform on which a run, with the checkpoint in the package, has left something owed, and its record.
fn owing() -> Platform {
    let platform = Platform::new();
    platform.counted.set(1);
    let plan = platform.plan(&params(json!({})), 1).unwrap();
    let (_, result) = platform.conclude(&plan, &[], true);
    platform.records.borrow_mut().insert(0, record(BEGIN, &result, json!([])));
    platform.now.set(BEGIN + 60 * MINUTE);
    platform
}

fn origin(plan: &Plan) -> u64 {
    plan.checkpoint.sources["a"].origin
}

#[test]
fn with_the_store_activation_no_number_of_records_without_a_state_ends_what_is_owed() {
    let platform = Platform::new();
    platform.now.set(BEGIN);
    let plan = platform.plan(&activation(), 1).unwrap();
    let (_, result) = platform.conclude(&plan, &[], true);
    let refused =
        |n: u64| record(BEGIN + n * MINUTE, &json!({"error": "the API key is not valid"}), json!([]));
    let mut records: Vec<Value> = (1..=1500).rev().map(refused).collect();
    records.push(record(BEGIN, &result, json!([])));
    *platform.records.borrow_mut() = records;
    platform.now.set(BEGIN + 1501 * MINUTE);
    let plan = platform.plan(&activation(), 2).unwrap();
    assert_eq!((origin(&plan), plan.warnings), (BEGIN - LOOKBACK, Vec::<String>::new()));
}

#[test]
fn while_the_own_records_could_not_all_be_read_no_run_begins_anew() {
    let platform = Platform::new();
    let refused =
        |n: u64| record(BEGIN - n * MINUTE, &json!({"error": "the API key is not valid"}), json!([]));
    *platform.records.borrow_mut() = (1..=1500).map(refused).collect();
    platform.page_takes.set(60 * SECOND);
    for params in [activation(), params(json!({}))] {
        let failed = platform.plan(&params, 1).unwrap_err().to_string();
        assert!(
            failed.contains("the next run looks again") && failed.contains("on_missing_state"),
            "{failed}"
        );
        assert_eq!(*platform.package.borrow(), None);
    }
    let decided =
        params(json!({"checkpoint": {"store": "activation"}, "from": 99, "on_missing_state": "from"}));
    assert_eq!(origin(&platform.plan(&decided, 1).unwrap()), 100);
    platform.page_takes.set(0);
    assert!(platform.plan(&activation(), 1).unwrap().warnings[0].contains("began anew"));
}

#[test]
fn from_the_package_to_the_records_and_back_each_goes_on_from_the_newest() {
    let platform = owing();
    let plan = platform.plan(&activation(), 2).unwrap();
    assert_eq!(origin(&plan), BEGIN - LOOKBACK);
    assert!(plan.warnings[0].contains("where it was kept before"), "{:?}", plan.warnings);
    let (_, result) = platform.conclude(&plan, &plan.work["a"], true);
    let through = plan.began_ms;
    platform.records.borrow_mut().insert(0, record(through, &result, json!([])));

    platform.now.set(through + MINUTE);
    let again = platform.plan(&activation(), 3).unwrap();
    assert_eq!((again.checkpoint.sources["a"].complete_until, again.warnings.len()), (through, 0));
    let back = platform.plan(&params(json!({})), 4).unwrap();
    assert_eq!(back.checkpoint.sources["a"].complete_until, through, "not the older one in the package");
    assert!(back.warnings[0].contains("an older one"), "{:?}", back.warnings);
}

#[test]
fn a_command_that_gets_a_file_goes_on_from_its_package_unless_its_receivers_are_others() {
    let platform = Platform::new();
    let command = |params: &Value, keeper| platform.plan_as(params, None, keeper).unwrap();
    let plan = command(&params(json!({})), CheckpointKeeper::Platform);
    platform.conclude(&plan, &[], true);
    platform.now.set(BEGIN + 60 * MINUTE);
    let with_file = command(&params(json!({})), CheckpointKeeper::Host(None));
    assert_eq!(origin(&with_file), BEGIN - LOOKBACK);
    assert!(with_file.warnings[0].contains("where it was kept before"), "{:?}", with_file.warnings);
    let other = json!({"actions": ["a"], "logstash": {"host": "other", "port": 1}});
    let beside = command(&other, CheckpointKeeper::Host(None));
    assert_eq!(origin(&beside), BEGIN + 60 * MINUTE - LOOKBACK, "it begins as if it were alone");
    assert!(beside.warnings[0].contains("other receivers"), "{:?}", beside.warnings);
    let shared = command(&other, CheckpointKeeper::Platform);
    assert!(shared.warnings[0].contains("`checkpoint.package`"), "{:?}", shared.warnings);
}

#[test]
fn a_file_that_cannot_be_read_is_named_though_a_package_has_an_older_checkpoint_and_another_kind_of_file_is_left_alone()
 {
    let platform = Platform::new();
    let command = |params: &Value, keeper| platform.plan_as(params, None, keeper);
    let plan = command(&params(json!({})), CheckpointKeeper::Platform).unwrap();
    platform.conclude(&plan, &[], true);
    platform.now.set(BEGIN + 60 * MINUTE);
    for damaged in ["", "{\"version\":3,\"sour"] {
        let kept = || CheckpointKeeper::Host(Some(damaged.into()));
        let plan = command(&params(json!({})), kept()).unwrap();
        let [warning] = &plan.warnings[..] else { panic!("{:?}", plan.warnings) };
        assert!(warning.contains("cannot be read") && warning.contains("went on from"), "{warning}");
        let careful = command(&params(json!({"on_missing_state": "fail"})), kept());
        assert!(matches!(careful, Err(PlanError::Checkpoint(_))), "{damaged:?}");
    }
    let again = json!({"saved_ms": 1, "sources": {}, "version": 3}).to_string();
    assert!(
        command(&params(json!({})), CheckpointKeeper::Host(Some(again.into()))).is_ok(),
        "its keys in another order"
    );
    for own in ["actions: [a]\n", "{\"actions\":[\"a\"]}", "{\"name\":\"a\",\"version\":\"1.0.0\"}", "\0"] {
        let refused =
            command(&params(json!({})), CheckpointKeeper::Host(Some(own.into()))).unwrap_err().to_string();
        assert!(refused.contains("is not a checkpoint"), "{refused}");
    }
}

#[test]
fn a_package_that_was_deleted_is_a_loud_beginning() {
    let platform = owing();
    *platform.package.borrow_mut() = None;
    let plan = platform.plan(&params(json!({})), 2).unwrap();
    assert!(
        plan.warnings[0].contains("does not exist") && plan.warnings[0].contains("began anew"),
        "{:?}",
        plan.warnings
    );
    let careful = params(json!({"on_missing_state": "fail"}));
    assert!(matches!(platform.plan(&careful, 3), Err(PlanError::Checkpoint(_))));
}

#[test]
fn a_package_that_was_read_long_before_the_lease_is_taken_is_read_again() {
    let platform = owing();
    let before = platform.package.borrow().clone();
    let other = platform.plan(&params(json!({})), 2).unwrap();
    platform.conclude(&other, &other.work["a"], true);
    let team = json!({"key": "team", "value": "logs"});
    platform.package.borrow_mut().as_mut().unwrap()["annotations"].as_array_mut().unwrap().push(team);

    *platform.outdated.borrow_mut() = Some(before);
    platform.page_takes.set(20 * SECOND);
    let plan = platform.plan(&params(json!({})), 3).unwrap();
    assert_eq!(
        plan.checkpoint.sources["a"].complete_until, other.began_ms,
        "what the other run did meanwhile"
    );
    assert_eq!(platform.annotation("team"), Some(json!("logs")));
    assert!(platform.annotation("whiskjack-lease").is_some());
}

#[test]
fn a_key_that_may_not_write_goes_on_from_its_records_however_long_they_took_to_be_read() {
    let platform = Platform::new();
    platform.put.set(403);
    let plan = platform.plan(&params(json!({})), 1).unwrap();
    let (_, result) = platform.conclude(&plan, &plan.work["a"], true);
    platform.records.borrow_mut().insert(0, record(BEGIN, &result, json!([])));
    platform.now.set(BEGIN + 60 * MINUTE);
    for takes in [0, 20 * SECOND] {
        platform.page_takes.set(takes);
        let plan = platform.plan(&params(json!({})), 2).unwrap();
        assert_eq!(plan.checkpoint.sources["a"].complete_until, BEGIN, "where a page takes {takes} ms");
    }
}

#[test]
fn that_a_package_was_deleted_is_told_later_if_the_index_of_the_own_records_was_behind() {
    let platform = owing();
    *platform.package.borrow_mut() = None;
    let behind = platform.records.take();
    let quiet = params(json!({}));
    assert!(platform.run(&quiet, 2).get("warnings").is_none(), "nothing tells that there was a run before");
    platform.records.borrow_mut().extend(behind);
    assert!(platform.run(&quiet, 3).get("warnings").is_none(), "the index may be behind still");
    let told = platform.run(&quiet, 4);
    assert!(told["warnings"].to_string().contains("began anew"), "{told}");
    assert!(platform.run(&quiet, 5).get("warnings").is_none(), "it is told once");
}

#[test]
fn a_first_run_is_not_taken_for_a_loss_later() {
    let platform = Platform::new();
    for run in 1..6 {
        assert!(platform.run(&params(json!({})), run).get("warnings").is_none());
    }
    assert_eq!(platform.stored().begun, None);
}

#[test]
fn the_package_of_an_earlier_forwarder_is_gone_on_from_unless_it_is_anothers() {
    let packaged = || Some(OwnAction::from("/guest/a/b"));
    let platform = Platform::new();
    *platform.named.borrow_mut() = "whiskjack.a.b".into();
    let of = |owner: Value| {
        let mut state = json!({"version": 2, "saved_ms": 5, "sources": {"a": {"origin": 1, "through": 4}}});
        state.as_object_mut().unwrap().extend(owner.as_object().unwrap().clone());
        let annotations = json!([{"key": "whiskjack-checkpoint", "value": state}]);
        *platform.package.borrow_mut() = Some(json!({"version": "0.0.1", "annotations": annotations}));
    };
    of(json!({}));
    let plan = platform.plan_as(&params(json!({})), packaged(), CheckpointKeeper::Platform).unwrap();
    assert_eq!(plan.checkpoint.sources["a"].complete_until, 4);
    of(json!({"owner": {"forwarder": "/guest/a.b", "api": "https://api"}}));
    let plan = platform.plan_as(&params(json!({})), packaged(), CheckpointKeeper::Platform).unwrap();
    assert!(origin(&plan) >= BEGIN - LOOKBACK);
    assert!(plan.warnings[0].contains("`/guest/a.b`"), "{:?}", plan.warnings);
}

#[test]
fn a_strangers_checkpoint_is_refused_and_never_overwritten() {
    let platform = Platform::new();
    let shared = params(json!({"checkpoint": {"package": "shared"}}));
    platform.run(&shared, 1);
    let before = platform.package.borrow().clone();
    for other in [Some(OwnAction::from("/guest/other")), None] {
        let refused = platform.plan_as(&shared, other, CheckpointKeeper::Platform).unwrap_err().to_string();
        assert!(refused.contains("that of the action `/guest/fwd`"), "{refused}");
        assert!(refused.contains("`checkpoint.package`") && refused.contains("--state"), "{refused}");
        assert_eq!(*platform.package.borrow(), before);
    }
    // One that comes while the run is at work is not overwritten either.
    let plan = platform.plan(&shared, 2).unwrap();
    platform.now.set(platform.now.get() + 10 * SECOND);
    let text = before.unwrap().to_string().replace("/guest/fwd", "/guest/other").replace("0.0.2", "0.0.9");
    *platform.package.borrow_mut() = Some(serde_json::from_str(&text).unwrap());
    let before = platform.package.borrow().clone();
    let (report, result) = platform.conclude(&plan, &plan.work["a"], true);
    assert!(!report.complete && result["error"].as_str().unwrap().contains("/guest/other"), "{result}");
    assert_eq!(*platform.package.borrow(), before);
}

#[test]
fn a_file_of_another_api_is_refused_and_one_that_does_not_say_whose_it_is_is_taken() {
    let platform = Platform::new();
    let file = |owner: Option<Owner>| {
        let mut checkpoint = Checkpoint::default();
        checkpoint.owner = owner;
        CheckpointKeeper::Host(Some(checkpoint.encode().unwrap()))
    };
    let plan = |keeper| platform.plan_as(&params(json!({})), None, keeper);
    let refused = plan(file(Some(Owner::new(Owner::COMMAND, "https://elsewhere")))).unwrap_err().to_string();
    assert!(refused.contains("https://elsewhere") && refused.contains("--state"), "{refused}");
    assert!(plan(file(Some(Owner::new("/guest/fwd", "https://api")))).is_err());
    assert!(plan(file(Some(Owner::new(Owner::COMMAND, "https://api:443")))).is_ok());
    let taken = plan(file(None)).unwrap();
    assert_eq!(taken.checkpoint.owner, Some(Owner::new(Owner::COMMAND, "https://api")));
}
