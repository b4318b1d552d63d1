//! What a person at a terminal sees of a command that lasts: true progress after two seconds, above it whole lines, and nothing of it in the
//! end.

use crate::support::{ACTIONS, SOON, Scene, now_ms};
use openwhisk_double::{Activation, Matcher};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;
use whiskjack_testbed::{EmptyEngine, Live, Output, Receiver, ReceiverOptions, screen};

/// What each bar of lines says, and no other line.
const RATE: &str = " lines/s";

/// A way to start the command, by its arguments and its environment.
type Start = fn(&[&str], &[(&str, &str)]) -> Live;

struct Desk {
    scene: Scene,
    receiver: Receiver,
    folder: tempfile::TempDir,
}

impl Desk {
    /// With so many lines to forward, a hundred in an activation, to a receiver that acknowledges windows of ten each after `delay`.
    fn new(lines: usize, delay: Duration) -> Self {
        let scene = Scene::new();
        scene.ask_api(
            "PUT",
            "_/actions/R&D%20my-action.v2@eu",
            r#"{"exec":{"kind":"nodejs:20","code":"x"}}"#,
        );
        let text = (0..100).map(|line| format!("line {line}")).collect::<Vec<_>>().join("\n");
        let (all, begin) = (i64::try_from(lines / 100).unwrap(), now_ms() - 600_000);
        scene.api.world().add_all(
            (0..all).map(|number| Activation::new(ACTIONS[0]).start(begin + number * 1_000).stdout(&text)),
        );
        let receiver = Receiver::start(ReceiverOptions {
            tls: Some(scene.certificates.server_tls()),
            ack_delay: delay,
            ..ReceiverOptions::default()
        });
        let desk = Self { scene, receiver, folder: tempfile::tempdir().unwrap() };
        desk.configure(|_| ());
        desk
    }

    fn configure(&self, change: impl FnOnce(&mut Value)) {
        let mut params = self.scene.params(self.receiver.port());
        params["actions"] = json!([ACTIONS[0]]);
        params["logstash"]["bulk_max_size"] = json!(10);
        change(&mut params);
        std::fs::write(self.file("config.json"), params.to_string()).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command with its configuration; STATE stands for a file.
    fn start(&self, how: Start, words: &str) -> Live {
        let [config, state] = ["config.json", "state"].map(|name| self.file(name).display().to_string());
        let words = words.replace("CONFIG", &format!("--config {config}")).replace("STATE", &state);
        let words: Vec<&str> = words.split(' ').collect();
        let environment = self.scene.environment();
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        how(&words, &environment)
    }
}

/// The numbers before these words, in each text that was drawn.
fn numbers(shown: &str, words: &str) -> Vec<usize> {
    let before =
        shown.split(['\r', '\n']).filter_map(|text| text.split_once(words).map(|(before, _)| before));
    before.map(|text| text.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()).collect()
}

/// What there is to see in the end: these begins of lines, in this order, and nothing else.
#[track_caller]
fn assert_seen(ended: &Output, begins: &[&str]) {
    let seen = screen(&ended.stdout);
    let are_these =
        seen.len() == begins.len() && seen.iter().zip(begins).all(|(line, begin)| line.starts_with(begin));
    assert!(are_these, "{begins:?} should be all of {seen:#?}");
}

/// Waits until this was shown.
#[track_caller]
fn shown(live: &Live, what: &str) -> String {
    live.wait_for_stdout(SOON, |text| text.contains(what))
}

#[test]
fn a_long_run_tells_the_lines_that_are_acknowledged_and_leaves_its_result_alone() {
    let desk = Desk::new(3_000, Duration::from_millis(12));
    let live = desk.start(Live::at_desk, "run CONFIG");
    let text = shown(&live, RATE);
    assert!(!text.contains(" % "), "the platform keeps the checkpoint, so nobody knows the part: {text}");
    let ended = live.ended();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let lines = numbers(&ended.stdout, " lines acknowledged, ");
    assert!(lines.is_sorted() && lines.last() == Some(&3_000), "{lines:?}");
    assert_seen(
        &ended,
        &[
            "✓ 30 new activations, 3000 lines acknowledged, nothing owed, ",
            "  R&D my-action.v2@eu: 30 activations, 3000 lines, 3000 acknowledged",
        ],
    );
}

#[test]
fn with_the_checkpoint_in_a_file_a_run_tells_how_much_of_its_work_is_done() {
    let desk = Desk::new(20_000, Duration::from_millis(12));
    let live = desk.start(Live::at_desk, "run CONFIG --state STATE");
    let text = shown(&live, " % of what was owed");
    live.kill();
    live.ended();
    let arrived = desk.receiver.events_after(0).len();
    let (percent, lines) = (numbers(&text, " % of what was owed"), numbers(&text, " lines acknowledged"));
    assert!(percent.iter().all(|percent| *percent < 100), "{text}");
    assert!(lines.iter().all(|lines| *lines <= arrived), "{arrived} arrived: {text}");
}

#[test]
fn what_no_receiver_acknowledges_is_no_progress() {
    let desk = Desk::new(1_000, Duration::from_secs(600));
    let live = desk.start(Live::at_desk, "run CONFIG --state STATE");
    desk.receiver.wait_for_events(10, SOON);
    let text = shown(&live, RATE);
    live.kill();
    assert!(numbers(&text, " lines acknowledged").iter().all(|lines| *lines == 0), "{text}");
}

#[test]
fn where_stderr_is_not_a_terminal_a_long_run_is_silent() {
    let desk = Desk::new(3_000, Duration::from_millis(12));
    let ended = desk.start(Live::start, "run CONFIG").ended();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let result: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert!(result["duration_ms"].as_u64().unwrap() > 2_500, "{result}");
    assert_eq!(ended.stderr.lines().count(), 1, "the run's log: {ended:?}");
}

#[test]
fn the_log_of_a_run_is_not_torn_by_what_is_drawn_below_it() {
    let desk = Desk::new(3_000, Duration::from_millis(12));
    desk.configure(|params| params["log_level"] = json!("debug"));
    let live = desk.start(Live::with_progress, "run CONFIG");
    live.wait_for_stderr(SOON, |text| text.contains(RATE));
    let ended = live.ended();
    let log = screen(&ended.stderr);
    assert!(log.len() > 1 && log.iter().all(|line| line.starts_with("whiskjack: ")), "{log:#?}");
    let result: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(result["lines"]["acknowledged"], 3_000, "{result}");
}

#[test]
fn documents_on_the_same_terminal_are_not_torn_either() {
    let desk = Desk::new(300, Duration::ZERO);
    let begin = desk.scene.api.hold(Matcher::list());
    let live = desk.start(Live::at_desk, "run CONFIG --dry-run");
    shown(&live, "0 documents shown, 0 documents/s");
    drop(begin);
    let ended = live.ended();
    let seen = screen(&ended.stdout);
    assert!(seen.iter().all(|line| !line.contains("documents/s")), "{seen:#?}");
    assert_eq!(seen.iter().filter(|line| *line == "{").count(), 300, "{seen:#?}");
    assert!(seen.last().unwrap().starts_with("dry run: 300 documents would be sent; "), "{seen:#?}");
}

#[test]
fn watch_shows_how_far_a_long_run_is_above_it_a_line_for_each_run() {
    let desk = Desk::new(3_000, Duration::from_millis(12));
    let live = desk.start(Live::at_desk, "watch CONFIG --state STATE --every 1s");
    shown(&live, RATE);
    live.wait_for_stdout(SOON, |text| text.matches(" behind").count() > 1);
    live.interrupt();
    let ended = live.ended();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let seen = screen(&ended.stdout);
    assert!(seen[0].contains("Z 30 new activations, 3000 lines acknowledged, nothing owed, "), "{seen:#?}");
    let is_of_a_run =
        |line: &String| line.starts_with("20") && line.ends_with(" behind") && !line.contains(RATE);
    assert!(seen.iter().all(is_of_a_run), "{seen:#?}");
}

#[test]
fn tail_tells_what_it_has_read_until_it_shows_it() {
    let desk = Desk::new(100, Duration::ZERO);
    let begin = desk.scene.api.hold(Matcher::list());
    let live = desk.start(Live::at_desk, "tail --since 1h");
    shown(&live, "0 lines read, 0 lines/s");
    drop(begin);
    let seen = screen(&live.ended().stdout);
    assert_eq!(seen.len(), 100, "{seen:#?}");
    let is_a_line = |line: &String| line.contains(" R&D my-action.v2@eu ") && !line.contains(RATE);
    assert!(seen.iter().all(is_a_line), "{seen:#?}");
}

#[test]
fn deploy_tells_how_long_it_waits_for_the_first_run_and_undeploy_what_it_waits_for() {
    let desk = Desk::new(0, Duration::ZERO);
    let report = json!({"activations": 1, "lines": {"read": 2, "acknowledged": 2}, "left": {"ranges": 0}});
    desk.scene.api.world().run_actions_with(move |_| Activation::new("whiskjack").result(report.clone()));
    let live = desk.start(Live::at_desk, "deploy CONFIG");
    let text = shown(&live, "waiting for the first run, 2 s; ");
    assert!(text.contains(" s left at most") || text.contains(" min left at most"), "{text}");
    assert!(desk.scene.api.world().ring("whiskjack-alarm").is_some());
    let ended = live.ended();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let seen = screen(&ended.stdout);
    assert!(!seen.iter().any(|line| line.contains("left at most")), "{seen:#?}");
    assert!(seen.iter().any(|line| line.starts_with("the first run took ")), "{seen:#?}");

    let deleting = desk.scene.api.hold(Matcher::any().method("DELETE").path_part("triggers"));
    let live = desk.start(Live::at_desk, "undeploy");
    shown(&live, "waiting for the trigger whiskjack-alarm, 2 s");
    drop(deleting);
    let seen = screen(&live.ended().stdout);
    let begins =
        ["rule whiskjack-rule: deleted", "trigger whiskjack-alarm: deleted", "action whiskjack: deleted"];
    assert!(seen.iter().zip(begins).all(|(line, begin)| line == begin), "{seen:#?}");
    assert!(seen[3].starts_with("The checkpoint stays, "), "{seen:#?}");
}

#[test]
fn check_and_status_tell_what_they_wait_for() {
    let desk = Desk::new(100, Duration::from_secs(3));
    let live = desk.start(Live::at_desk, "check CONFIG --send");
    shown(&live, "waiting for the acknowledgement of each test document, 2 s");
    let seen = screen(&live.ended().stdout);
    assert!(!seen.iter().any(|line| line.starts_with("waiting for ")), "{seen:#?}");
    assert!(seen.iter().any(|line| line.contains("test document: acknowledged; it says that")), "{seen:#?}");

    let reading = desk.scene.api.hold(Matcher::package());
    let live = desk.start(Live::at_desk, "status");
    shown(&live, "waiting for the checkpoint, 2 s");
    drop(reading);
    let seen = screen(&live.ended().stdout);
    assert!(seen.len() == 2 && seen[0].starts_with("checkpoint: none in "), "{seen:#?}");
}

#[test]
fn setup_tells_how_many_steps_are_done() {
    let (go_on, held) = channel::<()>();
    let held = Mutex::new(held);
    let engine = EmptyEngine::answering(move |method, path| {
        if method == "PUT" && path.starts_with("/_index_template/") {
            // Whoever may go on drops the other side.
            held.lock().unwrap().recv().ok();
        }
        None
    });
    let words = format!("setup --elasticsearch {0} --kibana {0}", engine.origin());
    let live = Live::at_desk(&words.split(' ').collect::<Vec<_>>(), &[]);
    let text = live.wait_for_stdout(SOON, |text| text.contains(" done; index template "));
    let made = text.lines().filter(|line| line.trim_end().ends_with(": created")).count();
    let bars = text.split('\r').filter(|text| text.contains(" done; ")).collect::<Vec<_>>().join("\n");
    let done = numbers(&bars, " of ");
    assert!(done.iter().all(|done| *done == made) && !done.is_empty(), "{made} made: {text}");
    drop(go_on);
    let ended = live.ended();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let seen = screen(&ended.stdout);
    assert!(seen.len() > made && !seen.iter().any(|line| line.contains(" done; ")), "{seen:#?}");
}
