//! The entry points when a run computes for ever: this program serves as they do, with runs of its own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};
use whiskjack_host::entrypoint::{actionloop, serve};
use whiskjack_host::{RunContext, RunResult, Runner, Verdict};
use whiskjack_testbed::Container;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("serve") => serve::run(runner(), 0).unwrap(),
        Some("lines") => actionloop::run(&runner(), File::create("/proc/self/fd/1").unwrap()).unwrap(),
        _ => {
            a_container_whose_run_spins_answers_in_time_and_serves_the_next_run_as_it_was_initialized();
            an_action_whose_run_spins_answers_in_time_and_serves_the_next_activation();
            println!("spinning runs: both entry points answer, and serve what comes next");
        }
    }
}

/// Its runs say for which namespace they are, and how many there were; with `spin` they never end.
fn runner() -> Runner {
    let mut count = 0;
    Runner::of(move |params: Value, context: RunContext| {
        while params.get("spin").is_some() {
            std::hint::spin_loop();
        }
        count += 1;
        let object = Map::from_iter([("run".to_owned(), json!([context.namespace, count]))]);
        RunResult { object, verdict: Verdict::Complete, faults: Vec::new() }
    })
    .unwrap()
}

fn milliseconds() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

fn assert_is_stopped(answer: &Value) {
    assert!(answer["error"].as_str().unwrap().contains("did not end before its time limit"), "{answer}");
}

fn a_container_whose_run_spins_answers_in_time_and_serves_the_next_run_as_it_was_initialized() {
    let mut container = Container::start(&[std::env::current_exe().unwrap().into()], &[]);
    assert_eq!(container.init(&[("__OW_NAMESPACE", "guest")]).0, 200);
    let run =
        |params: Value| container.run_with(&json!({"value": params, "deadline": milliseconds() + 1500}));
    assert_eq!(run(json!({})), (200, json!({"run": ["guest", 1]})));
    for _ in 0..2 {
        let (status, answer) = run(json!({"spin": true}));
        assert_eq!(status, 200, "to the platform the activation failed, not the container");
        assert_is_stopped(&answer);
        assert_eq!(run(json!({})), (200, json!({"run": ["guest", 1]})), "of a new process");
        assert_eq!(run(json!({})), (200, json!({"run": ["guest", 2]})));
    }
    assert_eq!(container.init(&[]).0, 403, "it is initialized");
    assert_eq!(container.ends(), [8, 8], "one end of logs a run, and that of the failed init");
    assert_eq!(container.stop(), Some(0));
}

fn an_action_whose_run_spins_answers_in_time_and_serves_the_next_activation() {
    let mut action = Command::new(std::env::current_exe().unwrap())
        .arg("lines")
        .env_clear()
        .env("__OW_WAIT_FOR_ACK", "true")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = action.stdin.take().unwrap();
    let mut answers = BufReader::new(action.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&answers.next().unwrap().unwrap()).unwrap();
    assert_eq!(next(), json!({"ok": true}));
    let mut asked = |params: Value| {
        let deadline = milliseconds() + 1500;
        writeln!(input, "{}", json!({"value": params, "deadline": deadline, "namespace": "guest"})).unwrap();
        let answer = next();
        assert!(milliseconds() < deadline, "it answers in time");
        answer
    };
    assert_eq!(asked(json!({})), json!({"run": ["guest", 1]}));
    for _ in 0..2 {
        assert_is_stopped(&asked(json!({"spin": true})));
        assert_eq!(
            asked(json!({})),
            json!({"run": ["guest", 1]}),
            "of a new process, which does not say that it is ready"
        );
    }
    drop(input);
    assert!(action.wait().unwrap().success());
}
