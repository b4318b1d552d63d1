//! Names in `actions` that no action has.

use super::*;
use crate::checkpoint::Checkpoint;

const DAY: u64 = 24 * 60 * MINUTE;

fn listing(names: &[&str]) -> Value {
    let row = |name: &&str| match name.split_once('/') {
        Some((package, name)) => {
            json!({"name": name, "namespace": format!("guest/{package}"), "version": "0.0.1"})
        }
        None => json!({"name": name, "namespace": "guest", "version": "0.0.1"}),
    };
    names.iter().map(row).collect()
}

fn platform(names: &[&str]) -> Platform {
    let platform = Platform::new();
    *platform.actions.borrow_mut() = Some(listing(names));
    // There is no other package.
    *platform.named.borrow_mut() = "whiskjack.fwd".into();
    platform
}

fn warnings(platform: &Platform, actions: Value, activation: u32) -> Vec<String> {
    let result = platform.run(&params(json!({"actions": actions})), activation);
    let warnings = result["warnings"].as_array().cloned().unwrap_or_default();
    warnings.iter().map(|warning| warning.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_name_that_no_action_has_is_warned_of_with_near_ones_in_every_run_from_one_question_a_day() {
    let platform = platform(&["hello", "shop/checkout", "fwd"]);
    for run in 1..=3 {
        assert_eq!(
            warnings(&platform, json!(["helo", "hello", "guest/hello", "payments"]), run),
            [
                "`actions` lists `helo`, but there is no such action; did you mean `hello`?",
                "`actions` lists `guest/hello`, but there is no such action; did you mean `hello`?",
                "`actions` lists `payments`, but there is no such action; mend it, or take it out",
            ]
        );
    }
    assert_eq!(platform.asked_for_actions.get(), 1);
    *platform.actions.borrow_mut() = Some(listing(&["hello", "helo", "payments"]));
    platform.now.set(BEGIN + DAY + MINUTE);
    let later = warnings(&platform, json!(["helo", "hello", "guest/hello", "payments"]), 4);
    assert!(later.len() == 1 && later[0].contains("`guest/hello`"), "{later:?}");
    assert_eq!(platform.asked_for_actions.get(), 2);
}

#[test]
fn another_choice_of_names_is_another_question() {
    let platform = platform(&["hello"]);
    assert_eq!(warnings(&platform, json!(["helo"]), 1).len(), 1);
    assert_eq!(warnings(&platform, json!(["hello"]), 2), Vec::<String>::new());
    assert_eq!(platform.asked_for_actions.get(), 2);
}

#[test]
fn a_pattern_that_matches_no_action_is_warned_of_and_one_that_does_or_takes_all_is_not() {
    let platform = platform(&["hello", "shop/checkout"]);
    let warnings = warnings(&platform, json!(["*", "shop/*", "shp/*", "!hello"]), 1);
    assert_eq!(
        warnings,
        ["`actions` lists `shp/*`, but no action matches this pattern; mend it, or take it out"]
    );
}

#[test]
fn a_name_beside_a_pattern_is_warned_of_also_while_activations_come_and_from_one_question_a_day() {
    let platform = platform(&["hello", "java/hi", "fwd"]);
    platform.counted.set(1);
    for run in 1..=3 {
        assert_eq!(
            warnings(&platform, json!(["java/*", "helo", "hello", "tests/*"]), run),
            [
                "`actions` lists `helo`, but there is no such action; did you mean `hello`?",
                "`actions` lists `tests/*`, but no action matches this pattern; mend it, or take it out",
            ]
        );
    }
    assert_eq!(platform.asked_for_actions.get(), 1);
}

#[test]
fn an_exclusion_is_warned_of_only_if_it_is_written_like_an_action() {
    let platform = platform(&["hello", "debug", "fwd"]);
    let warnings = warnings(&platform, json!(["*", "!debgu", "!later", "!*-test"]), 1);
    assert_eq!(warnings, ["`actions` excludes `debgu`, but there is no such action; did you mean `debug`?"]);
}

#[test]
fn where_everything_is_monitored_and_activations_come_nothing_is_asked() {
    let platform = platform(&["hello"]);
    platform.counted.set(1);
    assert_eq!(warnings(&platform, json!(["*/*"]), 1), Vec::<String>::new());
    assert_eq!(platform.asked_for_actions.get(), 0);
}

#[test]
fn a_pattern_for_everything_is_warned_of_where_nothing_comes_and_no_action_is_chosen() {
    for (actions, expected) in [
        (
            json!(["*/*"]),
            &["`actions` lists `*/*`, but no action matches this pattern; mend it, or take it out"][..],
        ),
        (json!(["*"]), &[]),
        (json!(["*", "*/*"]), &[]),
    ] {
        assert_eq!(warnings(&platform(&["hello"]), actions.clone(), 1), expected, "{actions}");
    }
}

#[test]
fn a_namespace_without_any_action_is_told_in_one_sentence() {
    for actions in [json!(["hello", "shop/checkout"]), json!(["hello", "test-*"])] {
        let empty = platform(&[]);
        let warnings = warnings(&empty, actions, 1);
        assert!(warnings.len() == 1 && warnings[0].contains("lists none at all"), "{warnings:?}");
    }
}

#[test]
fn what_has_activations_and_what_cannot_be_found_out_is_not_warned_of() {
    let busy = platform(&["hello"]);
    busy.counted.set(1);
    assert_eq!(warnings(&busy, json!(["helo"]), 1), Vec::<String>::new());
    assert_eq!(busy.asked_for_actions.get(), 0, "it has new ones");

    let refused = Platform::new();
    assert_eq!(warnings(&refused, json!(["helo"]), 1), Vec::<String>::new());
    // The package exists, so it may be a binding, whose actions are listed where they are.
    let bound = platform(&["hello"]);
    bound.named.borrow_mut().clear();
    assert_eq!(warnings(&bound, json!(["bound/hello"]), 1), Vec::<String>::new());
}

#[test]
fn a_checkpoint_without_the_answer_is_read_and_one_with_it_is_still_version_3() {
    let platform = platform(&["hello"]);
    warnings(&platform, json!(["helo"]), 1);
    let stored = platform.annotation("whiskjack-checkpoint").unwrap();
    assert_eq!(stored["version"], 3);
    assert_eq!(stored["strays"]["warnings"].as_array().unwrap().len(), 1);
    let mut without = stored.clone();
    without.as_object_mut().unwrap().remove("strays");
    assert_eq!(Checkpoint::decode(without.to_string().as_bytes()).unwrap().strays, None);
}
