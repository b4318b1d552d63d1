//! `whiskjack tail`: lines as they appear, on a terminal and for programs. There is no receiver.

use crate::support::{SOON, Scene, now_ms};
use openwhisk_double::{Activation, Status};
use serde_json::Value;
use whiskjack_testbed::{Cli, Live};

fn environment(scene: &Scene) -> Vec<(&'static str, String)> {
    scene.environment()
}

fn pairs<'e>(environment: &'e [(&'static str, String)]) -> Vec<(&'e str, &'e str)> {
    environment.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// An activation that began so many seconds ago.
fn ago(name: &str, seconds: i64) -> Activation {
    Activation::new(name).start(now_ms() - seconds * 1000)
}

#[test]
fn lines_of_all_actions_are_shown_in_order_of_time_without_a_checkpoint() {
    let scene = Scene::new();
    scene.api.world().add(ago("b", 20).stdout("second\nthird"));
    scene.api.world().add(ago("a", 30).package("shop").stdout("first"));
    scene.api.world().add(ago("b", 1200).stdout("too early"));
    let env = environment(&scene);
    let output = Cli::call(&["tail"], &pairs(&env));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let documents: Vec<Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown: Vec<(&str, &str)> = documents
        .iter()
        .map(|document| {
            (document["service"]["name"].as_str().unwrap(), document["message"].as_str().unwrap())
        })
        .collect();
    assert_eq!(shown, [("shop/a", "first"), ("b", "second"), ("b", "third")]);
    assert!(scene.api.requests().iter().all(|request| request.method == "GET"), "nothing is written");
    let early = Cli::call(&["tail", "b", "--since", "1h"], &pairs(&env));
    assert_eq!(early.stdout.lines().count(), 3, "{early:?}");
}

#[test]
fn on_a_terminal_actions_have_colours_and_new_lines_follow_until_ctrl_c() {
    let scene = Scene::new();
    scene.api.world().add(ago("a", 10).stdout("first"));
    let trace = "Error: no money\n    at pay (shop.js:1:2)\n    at run (shop.js:3:4)";
    scene.api.world().add(ago("b", 5).stderr(trace));
    let env = environment(&scene);
    let live = Live::on_terminal(&["tail", "--follow"], &pairs(&env));
    let text = live.wait_for_stdout(SOON, |text| text.contains("no money"));
    assert!(text.contains("\x1b[36ma\x1b[0m") && text.contains("\x1b[35mb\x1b[0m"), "{text:?}");
    assert!(text.contains("(+2 lines)") && !text.contains("at pay"), "a trace is folded: {text:?}");
    // It began before what was shown already.
    scene.api.world().add(ago("a", 8).stdout("late"));
    live.wait_for_stdout(SOON, |text| text.contains("late"));
    live.interrupt();
    let ended = live.ended();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert_eq!(ended.stdout.matches("first").count(), 1, "each line is shown once: {ended:?}");
}

#[test]
fn only_what_failed_is_shown_if_that_is_asked_for() {
    let scene = Scene::new();
    scene.api.world().add(ago("a", 10).stdout("went well"));
    scene.api.world().add(ago("a", 9).stdout("went badly").status(Status::ApplicationError));
    // Long enough ago for the platform to have no lines of it.
    scene.api.world().add(ago("a", 200).status(Status::ApplicationError));
    let env = environment(&scene);
    let output = Cli::call(&["tail", "--failed"], &pairs(&env));
    let documents: Vec<Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let datasets: Vec<&str> =
        documents.iter().map(|document| document["event"]["dataset"].as_str().unwrap()).collect();
    assert_eq!(
        datasets.iter().filter(|dataset| **dataset == "openwhisk.activation").count(),
        2,
        "{output:?}"
    );
    assert_eq!(documents.len(), 3, "{output:?}");
}

#[test]
fn a_key_that_is_refused_ends_it_and_a_misspelt_action_is_told() {
    let scene = Scene::new();
    scene.api.world().add(ago("hello", 30).stdout("one"));
    let env = environment(&scene);
    scene.ask_api("PUT", "_/actions/hello", r#"{"exec":{"kind":"nodejs:20","code":"x"}}"#);
    let misspelt = Cli::call(&["tail", "helo"], &pairs(&env));
    assert_eq!((misspelt.status.code(), misspelt.stdout.as_str()), (Some(0), ""), "{misspelt:?}");
    assert!(misspelt.stderr.contains("did you mean `hello`?"), "{misspelt:?}");
    let mut wrong = pairs(&env);
    wrong.retain(|(name, _)| *name != "__OW_API_KEY");
    wrong.push(("__OW_API_KEY", "00000000-0000-4000-8000-000000000000:not-the-key"));
    let refused = Live::start(&["tail", "--follow"], &wrong).ended();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("does not accept the API key from __OW_API_KEY"), "{refused:?}");
    // Also while it follows.
    let live = Live::start(&["tail", "--follow"], &pairs(&env));
    live.wait_for_stdout(SOON, |text| text.contains("one"));
    scene.api.replace_key("00000000-0000-4000-8000-000000000000:another-key");
    assert_eq!(live.ended().status.code(), Some(1));
}

#[test]
fn what_is_wrong_is_told_with_its_status() {
    let scene = Scene::new();
    let env = environment(&scene);
    let wrong = Cli::call(&["tail", "a//b"], &pairs(&env));
    assert!(wrong.status.code() == Some(2) && wrong.stderr.contains("actions[0]"), "{wrong:?}");
    let wrong = Cli::call(&["tail", "--since", "yesterday"], &pairs(&env));
    assert!(
        wrong.status.code() == Some(2) && wrong.stderr.contains("--since yesterday: is not a time; give "),
        "{wrong:?}"
    );
    scene.api.refuse_connections(true);
    let away = Cli::call(&["tail"], &pairs(&env));
    assert_eq!(away.status.code(), Some(1), "{away:?}");
}

#[test]
fn each_line_about_a_fault_names_the_program() {
    let scene = Scene::new();
    let env = environment(&scene);
    for (arguments, variables, part) in [
        (&["tail", ""][..], &pairs(&env)[..], "actions[0]: "),
        (&["tail", "!x"], &pairs(&env), "actions: "),
        (&["tail"], &[], "__OW_API_HOST"),
        (&["status"], &[], "__OW_API_HOST"),
    ] {
        let refused = Cli::call(arguments, variables);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        assert!(refused.stderr.contains(part), "{refused:?}");
        assert!(refused.stderr.lines().all(|line| line.starts_with("whiskjack: ")), "{refused:?}");
    }
}
