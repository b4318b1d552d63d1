//! The command line. That there is a test here also makes `cargo test --workspace` build the program, which `tests/e2e/hosts.rs` runs.

#![allow(clippy::expect_used, reason = "this is how a test fails")]

use std::process::Command;

#[test]
fn wrong_usage_is_answered_with_the_right_one() {
    for arguments in [&[][..], &["--config"], &["--config", "c.json"], &["--stat", "s", "--config", "c.json"]]
    {
        let program = Command::new(env!("CARGO_BIN_EXE_whiskjack-example")).args(arguments).output();
        let output = program.expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(
            said.contains("usage: whiskjack-example --config FILE --state FILE"),
            "{arguments:?}: {said}"
        );
    }
}
