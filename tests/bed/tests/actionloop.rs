//! The proxy treats an action as OpenWhisk's does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a panic is how they fail"
)]

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use whiskjack_testbed::{ActionLoop, ActionLoopOptions, RunContext, action_zip};

/// Answers each line with itself, and leaves a trace on both streams.
const ECHO: &str = r#"#!/bin/sh
while read -r line; do
  echo "said on stdout"
  echo "said on stderr" >&2
  printf '%s\n' "$line" >&3
done
"#;

#[test]
fn an_action_gets_the_whole_body_of_each_run_and_its_answer_is_returned() {
    let container = started(ECHO, ActionLoopOptions::default(), &[]);
    let context = RunContext { api_key: Some("uuid:key".to_owned()), ..RunContext::default() };
    let (status, body) = container.run(&json!({"a": "line\nbreak", "ä": [1, {}]}), &context);
    assert_eq!(status, 200);
    assert_eq!(body["value"], json!({"a": "line\nbreak", "ä": [1, {}]}));
    assert_eq!(body["activation_id"], context.activation_id);
    assert_eq!(body["transaction_id"], context.transaction_id);
    assert_eq!(body["deadline"], context.deadline);
    assert_eq!(body["namespace"], "guest");
    assert_eq!(body["action_name"], "/guest/whiskjack");
    assert_eq!(body["api_key"], "uuid:key");
    assert!(body.get("api_host").is_none());
    assert_eq!(container.log(), "said on stdout\nsaid on stderr\n");

    let (status, body) = container.run(&json!({}), &RunContext::default());
    assert_eq!((status, body.get("api_key")), (200, None));
    assert_eq!(container.log(), "said on stdout\nsaid on stderr\n".repeat(2));
}

#[test]
fn the_environment_is_cleared_and_the_action_does_not_run_where_its_files_are() {
    let container = started(
        r#"#!/bin/sh
read -r line
printf '{"self":"%s","beside":"%s","host":"%s","home":"%s","ack":"%s"}\n' \
  "$0" "$(test -e ./exec && echo yes)" "$__OW_API_HOST" "$HOME" "$__OW_WAIT_FOR_ACK" >&3
read -r line
"#,
        ActionLoopOptions::default(),
        &[("__OW_API_HOST", "https://example.org:443")],
    );
    let (status, body) = container.run(&json!({}), &RunContext::default());
    assert_eq!(status, 200);
    assert_eq!(
        body,
        json!({"self": "./action/1/bin/exec", "beside": "", "host": "https://example.org:443", "home": "", "ack": ""})
    );
}

#[test]
fn a_second_init_is_refused() {
    let container = started(ECHO, ActionLoopOptions::default(), &[]);
    assert_eq!(
        container.init(&zipped(ECHO), &[]),
        error(403, "Cannot initialize the action more than once.")
    );
}

#[test]
fn an_init_without_code_is_refused() {
    let container = ActionLoop::start(ActionLoopOptions::default());
    assert_eq!(container.init(b"", &[]), error(403, "Missing main/no code to execute."));
}

#[test]
fn an_action_that_ends_at_once_does_not_start() {
    let container = ActionLoop::start(ActionLoopOptions { wait_for_ack: true, ..Default::default() });
    let answer = container.init(&zipped("#!/bin/sh\nexit 0\n"), &[]);
    assert_eq!(answer, error(502, "cannot start action: Command exited abruptly during initialization."));
    // And can be tried again.
    let good = "#!/bin/sh\necho '{\"ok\":true}' >&3\nread -r line\necho '{}' >&3\nread -r line\n";
    assert_eq!(container.init(&zipped(good), &[]), (200, json!({"ok": true})));
    assert_eq!(container.run(&json!({}), &RunContext::default()), (200, json!({})));
}

#[test]
fn an_ack_that_is_waited_for_is_not_taken_for_a_result() {
    let action = r#"#!/bin/sh
[ -n "$__OW_WAIT_FOR_ACK" ] && echo '{"ok":true}' >&3
while read -r line; do echo '{"result":1}' >&3; done
"#;
    for wait_for_ack in [true, false] {
        let container = started(action, ActionLoopOptions { wait_for_ack, ..Default::default() }, &[]);
        assert_eq!(container.run(&json!({}), &RunContext::default()), (200, json!({"result": 1})));
    }
}

#[test]
fn an_action_that_acks_unasked_answers_its_first_run_with_the_ack() {
    let action =
        "#!/bin/sh\necho '{\"ok\":true}' >&3\nwhile read -r line; do echo '{\"result\":1}' >&3; done\n";
    let container = started(action, ActionLoopOptions::default(), &[]);
    assert_eq!(container.run(&json!({}), &RunContext::default()), (200, json!({"ok": true})));
}

#[test]
fn an_action_that_ends_during_a_run_is_gone_for_good() {
    let container = started("#!/bin/sh\nread -r line\nexit 1\n", ActionLoopOptions::default(), &[]);
    assert_eq!(container.run(&json!({}), &RunContext::default()), error(400, "command exited"));
    assert_eq!(container.run(&json!({}), &RunContext::default()), error(500, "no action defined yet"));
}

#[test]
fn an_action_that_ends_between_runs_is_noticed_at_the_next() {
    let action = "#!/bin/sh\nread -r line\necho '{}' >&3\nexec >&- 2>&- 3>&-\n";
    let container = started(action, ActionLoopOptions::default(), &[]);
    assert_eq!(container.run(&json!({}), &RunContext::default()), (200, json!({})));
    let (status, body) = container.run(&json!({}), &RunContext::default());
    assert!(matches!(status, 400 | 500), "{status}");
    assert_eq!(body, json!({"error": "command exited"}));
}

#[test]
fn an_answer_must_be_an_object_or_an_array() {
    let action = r#"#!/bin/sh
for answer in '[1]' 'panic: no JSON' '"text"'; do read -r line; printf '%s\n' "$answer" >&3; done
read -r line
"#;
    let container = started(action, ActionLoopOptions::default(), &[]);
    let refused = error(502, "The action did not return a dictionary or array.");
    assert_eq!(container.run(&json!({}), &RunContext::default()), (200, json!([1])));
    assert_eq!(container.run(&json!({}), &RunContext::default()), refused);
    assert_eq!(container.run(&json!({}), &RunContext::default()), refused);
}

#[test]
fn an_action_that_overruns_its_deadline_is_killed_if_that_is_wanted() {
    let options = ActionLoopOptions { deadline_kill: true, ..Default::default() };
    let container = started("#!/bin/sh\nread -r line\necho began\nread -r never\n", options, &[]);
    let context = RunContext::within(Duration::from_millis(300));
    assert_eq!(container.run(&json!({}), &context), error(400, "command exited"));
    assert_eq!(container.log(), "began\n");
}

fn started(script: &str, options: ActionLoopOptions, env: &[(&str, &str)]) -> ActionLoop {
    let container = ActionLoop::start(options);
    assert_eq!(container.init(&zipped(script), env), (200, json!({"ok": true})));
    container
}

fn zipped(script: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("script");
    fs::write(&file, script).unwrap();
    action_zip(&file)
}

fn error(status: u16, message: &str) -> (u16, Value) {
    (status, json!({"error": message}))
}
