//! The command that serves the demo.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_binary_says_where_it_is_serves_the_demo_and_ends_with_its_stdin() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_openwhisk-double"));
    let mut child = KillOnDrop(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let ready = next();
    assert_eq!(ready["namespace"], "guest");
    let origin = ready["origin"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    let count = || {
        let mut stream = std::net::TcpStream::connect(&origin).unwrap();
        let key = support::authorization(ready["key"].as_str().unwrap());
        let path = "/api/v1/namespaces/_/activations?count=true";
        let answer = support::exchange(&mut stream, "GET", path, &[("Authorization", &key)], b"").unwrap();
        answer.json()["activations"].as_i64().unwrap()
    };
    let first = count();
    assert!(first >= 35, "{first}");
    let mut stdin = child.0.stdin.take().unwrap();
    stdin.write_all(b"\n").unwrap();
    assert_eq!(next()["added"], 5);
    assert_eq!(count(), first + 5);
    drop(stdin);
    assert!(child.0.wait().unwrap().success());
}
