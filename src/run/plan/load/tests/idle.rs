//! Settings that have no effect, and checkpoints that would have none.

use super::*;
use crate::checkpoint::Checkpoint;

fn warnings(plan: &Plan) -> Vec<&str> {
    plan.warnings.iter().map(String::as_str).collect()
}

#[test]
fn a_from_that_does_not_say_where_the_checkpoint_began_is_told_to_have_no_effect() {
    const IDLE: &str = "`from` has no effect on `a`, because the checkpoint says where to go on; remove `from`, or begin with a new checkpoint";
    let platform = Platform::new();
    assert_eq!(platform.run(&params(json!({"from": 100})), 1)["warnings"], Value::Null);
    assert_eq!(
        warnings(&platform.plan(&params(json!({"from": 100})), 2).unwrap()),
        Vec::<&str>::new(),
        "it had its effect"
    );
    platform.now.set(BEGIN + 5 * MINUTE);
    assert_eq!(warnings(&platform.plan(&params(json!({"from": 200})), 3).unwrap()), [IDLE]);
    platform.now.set(BEGIN + 10 * MINUTE);
    let waits = params(json!({"from": 200, "on_missing_state": "from"}));
    assert_eq!(warnings(&platform.plan(&waits, 4).unwrap()), Vec::<&str>::new());
    let new = params(json!({"from": 100, "actions": ["a", "b"]}));
    platform.now.set(BEGIN + 15 * MINUTE);
    let plan = platform.plan(&new, 5).unwrap();
    assert_eq!(
        (plan.checkpoint.sources["b"].origin, warnings(&plan)),
        (101, Vec::new()),
        "it has one on what is new"
    );
}

#[test]
fn a_package_beside_another_place_for_the_checkpoint_is_told_to_have_no_effect_but_on_the_run_that_takes_it_over()
 {
    let platform = Platform::new();
    let beside = params(json!({"checkpoint": {"package": "p"}}));
    let kept = || CheckpointKeeper::Host(Some(br#"{"version":3,"sources":{}}"#.to_vec()));
    let plan = platform.plan_as(&beside, None, kept()).unwrap();
    assert_eq!(
        warnings(&plan),
        [
            "`checkpoint.package` has no effect, because the checkpoint is kept by the host (--state); remove `checkpoint.package`"
        ]
    );
    let plan = platform.plan_as(&params(json!({})), None, kept()).unwrap();
    assert_eq!(warnings(&plan), Vec::<&str>::new());

    let plan = platform.plan_as(&beside, None, CheckpointKeeper::Platform).unwrap();
    platform.conclude(&plan, &plan.work["a"].clone(), true);
    let plan = platform.plan_as(&beside, None, CheckpointKeeper::Host(None)).unwrap();
    assert_eq!(warnings(&plan), ["went on from the checkpoint in the package `p`, where it was kept before"]);
    let records = params(json!({"checkpoint": {"package": "q", "store": "activation"}}));
    let plan = platform.plan(&records, 1).unwrap();
    assert!(
        plan.warnings
            .iter()
            .any(|warning| warning.contains("in this forwarder's activation records; remove")),
        "{:?}",
        plan.warnings
    );
}

#[test]
fn a_checkpoint_from_the_future_is_told_with_source_and_time_and_its_source_goes_on() {
    let platform = Platform::new();
    let ahead = BEGIN + 600 * MINUTE;
    for state in [
        json!({"origin": ahead, "through": ahead - 1}),
        json!({"origin": 1, "through": ahead}),
        json!({"origin": ahead, "through": 5}),
    ] {
        let json = json!({"version": 3, "saved_ms": BEGIN - MINUTE, "sources": {"a": state, "b": {"origin": 1, "through": BEGIN - MINUTE}}});
        let kept = CheckpointKeeper::Host(Some(json.to_string().into_bytes()));
        let plan = platform.plan_as(&params(json!({"actions": ["a", "b"]})), None, kept).unwrap();
        let told = warnings(&plan);
        assert!(told.len() == 1 && told[0].starts_with("`a`: the checkpoint says that "), "{told:?}");
        assert!(told[0].contains("2023-11-15T08:14:00.000Z, which is in the future"), "{told:?}");
        let fresh = plan.work["a"][0];
        assert!(fresh.range.since() < BEGIN - 10 * MINUTE && fresh.range.upto() == BEGIN, "{fresh:?}");
        let (report, _) = platform.conclude(&plan, &plan.work["a"].clone(), true);
        let saved = Checkpoint::decode(&report.checkpoint.unwrap()).unwrap();
        assert_eq!(saved.sources["a"].complete_until, BEGIN, "the next run has nothing to say");
    }
}

#[test]
fn with_fail_a_command_does_not_begin_without_a_checkpoint_and_says_how_it_would() {
    let platform = Platform::new();
    let careful = params(json!({"on_missing_state": "fail"}));
    for (keeper, place) in [
        (CheckpointKeeper::Host(None), "there is no checkpoint in the state handed in, and"),
        (CheckpointKeeper::Platform, "there is no checkpoint in the package `whiskjack.cli`, and"),
    ] {
        let error = platform.plan_as(&careful, None, keeper).unwrap_err().to_string();
        assert!(error.starts_with(place), "{error}");
        assert!(error.ends_with("To begin, set it to `lookback` or `from` for one run"), "{error}");
    }
    assert_eq!(*platform.package.borrow(), None);
    assert!(platform.plan(&careful, 1).is_ok(), "the records of an action tell that there was no run before");
}
