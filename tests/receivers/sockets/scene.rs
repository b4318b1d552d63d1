//! Common parts of the tests: an API with some lines, a run of the built binary, and the checks after any run.

use openwhisk_double::{Activation, Double, Options};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use whiskjack_testbed::{
    ActionLoop, ActionLoopOptions, Cli, Journal, Output, RunContext, Scripted, action_zip, artifacts,
};

/// How long anything may take that ought to be there at once.
pub(crate) const SOON: Duration = Duration::from_secs(20);
/// The receiver's silence that the configuration of these tests allows, unless a test says otherwise.
pub(crate) const TIMEOUT: &str = "600ms";

/// An API with one activation whose lines are `timber 1`, `timber 2`, …, and the state of a forwarder.
pub(crate) struct Scene {
    pub(crate) api: Double,
    directory: TempDir,
    /// Texts of all lines.
    lines: RefCell<Vec<String>>,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Exit status of the command; for the action 0, or 1 if there is an `error` in the result.
    pub(crate) status: i32,
    pub(crate) result: Value,
    /// Its log.
    pub(crate) log: String,
}

impl Scene {
    /// With an activation of `count` lines.
    pub(crate) fn with_lines(count: usize) -> Self {
        Self::with_texts(&lines(1..=count))
    }

    /// With an activation of these lines.
    pub(crate) fn with_texts(lines: &[String]) -> Self {
        let scene = Self {
            api: Double::start(Options::default()),
            directory: tempfile::tempdir().unwrap(),
            lines: RefCell::default(),
        };
        if !lines.is_empty() {
            scene.add(lines);
        }
        scene
    }

    /// One more activation.
    pub(crate) fn add(&self, lines: &[String]) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let start = i64::try_from(now).unwrap() - 30_000;
        self.api.world().add(Activation::new("hello").start(start).stdout(&lines.join("\n")));
        self.lines.borrow_mut().extend(lines.iter().cloned());
    }

    /// Parameters for a plain receiver, with `more` under `logstash`.
    pub(crate) fn params(port: u16, more: &Value) -> Value {
        let mut logstash = json!({
            "host": "127.0.0.1", "port": port, "tls": false, "timeout": TIMEOUT,
            "backoff": {"init": "20ms", "max": "200ms"},
        });
        overlay(&mut logstash, more);
        json!({"actions": ["hello"], "logstash": logstash})
    }

    /// One run of the command, with the checkpoint in a file.
    pub(crate) fn run(&self, params: &Value) -> Ran {
        self.ran(&self.command(params, None))
    }

    /// The same where names have other addresses than elsewhere: `hosts` is what the run finds in `/etc/hosts`.
    pub(crate) fn run_with_hosts(&self, params: &Value, hosts: &str) -> Ran {
        self.ran(&self.command(params, Some(hosts)))
    }

    /// A run that must not begin: what it says of the configuration.
    pub(crate) fn refused(&self, params: &Value) -> String {
        let output = self.command(params, None);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        output.stderr
    }

    fn command(&self, params: &Value, hosts: Option<&str>) -> Output {
        let state = self.directory.path().join("state.json");
        let (origin, key, namespace) = (self.api.origin(), self.api.key(), self.api.namespace());
        let environment =
            [("__OW_API_HOST", &*origin), ("__OW_API_KEY", &*key), ("__OW_NAMESPACE", &*namespace)];
        match hosts {
            None => Cli::run(params, Some(&state), &environment),
            Some(hosts) => Cli::run_with_hosts(hosts, params, Some(&state), &environment),
        }
    }

    fn ran(&self, output: &Output) -> Ran {
        let result =
            serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let ran = Ran { status: output.status.code().unwrap_or(-1), result, log: output.stderr.clone() };
        self.check(&ran);
        ran
    }

    /// One run of the action in a container, with so much time until its deadline; the checkpoint is in a package.
    pub(crate) fn activate(&self, params: &Value, time: Duration) -> Ran {
        let container = ActionLoop::start(ActionLoopOptions::default());
        let (status, body) =
            container.init(&action_zip(&artifacts().whiskjack()), &[("__OW_API_HOST", &self.api.origin())]);
        assert_eq!(status, 200, "{body}");
        let context = RunContext { api_key: Some(self.api.key()), ..RunContext::within(time) };
        let (status, result) = container.run(params, &context);
        assert!(matches!(status, 200 | 502), "{status} {result}\n{}", container.log());
        let ran = Ran { status: i32::from(result.get("error").is_some()), result, log: container.log() };
        self.check(&ran);
        ran
    }

    /// No secret, no text of a line (S36).
    fn check(&self, ran: &Ran) {
        let said = format!("{}{}", ran.result, ran.log);
        let key = self.api.key();
        assert!(!key.split(':').any(|part| said.contains(part)), "the key is in {said}");
        for line in self.lines.borrow().iter() {
            assert!(!said.contains(line), "{line:?} is in {said}");
        }
    }

    /// After runs that delivered everything: each line was acknowledged by one of the receivers, none by two, none was sent after its
    /// ack, and no receiver had a rule broken.
    #[track_caller]
    pub(crate) fn assert_all_arrived(&self, receivers: &[&Scripted]) {
        let journals: Vec<Journal> = receivers.iter().map(|receiver| receiver.settled(SOON)).collect();
        journals.iter().for_each(assert_fair);
        let acknowledged = acknowledged(&journals);
        assert_eq!(acknowledged.len(), self.lines.borrow().len(), "lines acknowledged: {acknowledged:?}");
        assert!(acknowledged.values().all(|count| *count == 1), "acknowledged twice: {acknowledged:?}");
    }

    /// The same after windows were suspected to hold an event that no receiver takes: only lines that were sent alone, to see whether the
    /// receiver takes anything at all, may come again.
    #[track_caller]
    pub(crate) fn assert_all_arrived_but_probes(&self, receivers: &[&Scripted]) {
        let journals: Vec<Journal> = receivers.iter().map(|receiver| receiver.settled(SOON)).collect();
        journals.iter().for_each(assert_only_probes_come_again);
        assert_eq!(acknowledged(&journals).len(), self.lines.borrow().len());
    }
}

/// How often each line was acknowledged by all of them.
fn acknowledged(journals: &[Journal]) -> BTreeMap<String, usize> {
    let mut sum = BTreeMap::new();
    for (id, count) in journals.iter().flat_map(Journal::acknowledged) {
        *sum.entry(id).or_default() += count;
    }
    sum
}

/// No rule broken, and what was sent again after its ack was alone in a window, then or before.
#[track_caller]
pub(crate) fn assert_only_probes_come_again(journal: &Journal) {
    assert_eq!(journal.refusals(), [""; 0], "{journal:#?}");
    let alone: Vec<String> = journal
        .windows()
        .filter(|window| window.events.len() == 1)
        .map(|window| id(&window.events[0]))
        .collect();
    for again in journal.sent_after_ack() {
        assert!(alone.contains(&again), "{again} was no probe: {journal:#?}");
    }
}

fn id(event: &Value) -> String {
    event["@metadata"]["_id"].as_str().unwrap_or_default().to_owned()
}

/// No rule broken, and nothing acknowledged was sent again (S15).
#[track_caller]
pub(crate) fn assert_fair(journal: &Journal) {
    assert_eq!(journal.refusals(), [""; 0], "{journal:#?}");
    assert_eq!(journal.sent_after_ack(), [""; 0], "{journal:#?}");
}

impl Ran {
    /// All was delivered and saved.
    #[track_caller]
    pub(crate) fn assert_complete(&self) -> &Self {
        assert_eq!(self.status, 0, "{self:#?}");
        assert_eq!(self.result.get("error"), None, "{self:#?}");
        assert_eq!(self.lines("unacknowledged"), 0, "{self:#?}");
        self
    }

    /// Something is left to do, and `error` says these words.
    #[track_caller]
    pub(crate) fn assert_failed(&self, words: &[&str]) -> &Self {
        assert_eq!(self.status, 1, "{self:#?}");
        for word in words {
            assert!(self.error().contains(word), "{word:?} is not in {:?}\n{self:#?}", self.error());
        }
        self
    }

    #[track_caller]
    pub(crate) fn error(&self) -> &str {
        self.result["error"].as_str().unwrap_or_else(|| panic!("there is no error: {self:#?}"))
    }

    /// A count of the result's `lines`.
    #[track_caller]
    pub(crate) fn lines(&self, key: &str) -> u64 {
        self.result["lines"][key].as_u64().unwrap_or_else(|| panic!("no lines.{key}: {self:#?}"))
    }
}

/// `timber a` … `timber b`.
pub(crate) fn lines(numbers: std::ops::RangeInclusive<usize>) -> Vec<String> {
    numbers.map(|number| format!("timber {number}")).collect()
}

/// So many lines that do not compress: more bytes than sockets swallow.
pub(crate) fn bulky_lines(count: usize, bytes: usize) -> Vec<String> {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut letter = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        char::from(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[(random % 64) as usize],
        )
    };
    (1..=count)
        .map(|number| format!("{number} {}", (0..bytes).map(|_| letter()).collect::<String>()))
        .collect()
}

fn overlay(value: &mut Value, more: &Value) {
    let (Value::Object(value), Value::Object(more)) = (value, more) else { return };
    let more: &Map<String, Value> = more;
    for (key, new) in more {
        match new {
            // A key that the test does without.
            Value::Null => drop(value.remove(key)),
            new => drop(value.insert(key.clone(), new.clone())),
        }
    }
}
