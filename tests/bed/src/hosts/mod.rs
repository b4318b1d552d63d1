//! The conformance suite: every host of the component forwards the same world, and the documents that arrive are the same byte for byte.
//!
//! Another host is one more line in [`hosts`], and a function beside the others that starts it.

mod action;
mod commands;
mod node_action;
mod stage;
mod stock;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

pub use self::commands::run_host;
pub use self::node_action::NodeRuntime;
pub use self::stage::Stage;
use crate::Received;

/// How long a document may be on its way from the receiver, which has it, to this process.
const SOON: Duration = Duration::from_secs(20);

/// A program that runs the component.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// As in the table.
    pub name: &'static str,
    trusts: Trusts,
    /// Makes it ready on a stage.
    start: for<'a> fn(&'a Stage) -> Run<'a>,
}

/// Where a host can be told to trust an authority of our own. Elsewhere its stage has no TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trusts {
    pub(crate) api: bool,
    pub(crate) receiver: bool,
}

/// Runs the forwarder once; returns its result. Panics if the run was not complete.
type Run<'a> = Box<dyn FnMut() -> Value + 'a>;

/// All hosts. The first is what the others are compared with.
pub fn hosts() -> Vec<Host> {
    let host = |name, trusts, start| Host { name, trusts, start };
    let trusts = |api, receiver| Trusts { api, receiver };
    let (both, receiver, neither) = (trusts(true, true), trusts(false, true), trusts(false, false));
    vec![
        host("OpenWhisk action", both, action::start),
        host("command", both, commands::native),
        host("Rust", receiver, commands::rust),
        host("Node.js", both, commands::node),
        host("Node.js action", receiver, node_action::start),
        host("Python", receiver, commands::python),
        host("stock wasmtime", neither, stock::start),
    ]
}

/// What came of a host's runs.
#[derive(Clone, Debug)]
pub struct Observed {
    /// As sent, by id.
    pub documents: Vec<String>,
    /// Windows that they came in.
    pub windows: u64,
    /// How long each run took, the host's start included unless it stays between runs.
    pub runs: Vec<Duration>,
}

/// Lets a host forward the world twice.
///
/// # Panics
/// If a run is not complete, if a line is missing or there twice, or if the second run sends anything.
#[track_caller]
pub fn observe(host: &Host) -> Observed {
    let Host { name, trusts, start } = host;
    let stage = Stage::set(*trusts);
    let truth = stage.lines();
    let expected: usize = truth.values().sum();
    let mut run = start(&stage);
    let mut runs = Vec::new();
    for new in [expected, 0] {
        let began = Instant::now();
        let result = run();
        runs.push(began.elapsed());
        assert_eq!(result["lines"]["sent"], new, "{name}: {result}");
        assert_eq!(result["lines"]["acknowledged"], new, "{name}: {result}");
    }
    let received = stage.receiver.wait_for_events(expected, SOON);
    assert_eq!(arrived(&received), truth, "{name}: the lines that arrived are not those of the world");
    let windows = received.iter().map(|event| event.window).max().unwrap_or(0);
    assert!(windows > 1 && stage.pages() > 1, "{name}: the world is too small: {windows} windows");
    Observed { documents: documents(received), windows, runs }
}

/// What differs between two hosts' documents, or nothing.
pub fn difference(one: &Observed, other: &Observed) -> Option<String> {
    let (one, other) = (&one.documents, &other.documents);
    if one.len() != other.len() {
        return Some(format!("{} documents instead of {}", other.len(), one.len()));
    }
    let differs = |pair: &(&String, &String)| pair.0 != pair.1;
    let (expected, found) = one.iter().zip(other).find(differs)?;
    Some(format!("this document differs:\n  {found}\ninstead of\n  {expected}"))
}

fn documents(mut received: Vec<Received>) -> Vec<String> {
    received.sort_by_cached_key(|document| document.event["@metadata"]["_id"].to_string());
    assert!(received.iter().all(|document| !document.text.is_empty()), "the receiver gives no texts");
    received.into_iter().map(|document| document.text).collect()
}

/// Activation id and line, with how often.
type Lines = BTreeMap<(String, String), usize>;

fn arrived(received: &[Received]) -> Lines {
    let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let mut lines = Lines::new();
    for Received { event, .. } in received {
        *lines.entry((text(event, "activation"), text(event, "line"))).or_default() += 1;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(documents: &[&str]) -> Observed {
        let documents = documents.iter().map(|document| (*document).to_owned()).collect();
        Observed { documents, windows: 1, runs: Vec::new() }
    }

    #[test]
    fn documents_that_mean_the_same_but_differ_in_a_byte_are_a_difference() {
        let one = observed(&["{}", r#"{"a":1}"#]);
        assert_eq!(difference(&one, &observed(&["{}", r#"{"a":1}"#])), None);
        assert!(difference(&one, &observed(&["{}", r#"{"a": 1}"#])).unwrap().contains(r#"{"a": 1}"#));
        assert!(difference(&one, &observed(&["{}"])).unwrap().contains("1 documents instead of 2"));
    }
}
