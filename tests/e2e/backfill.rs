//! `whiskjack backfill`: a range of the past, or some activations again, between the API double and Elastic's Lumberjack server.

use crate::support::{ACTIONS, SOON, Scene, arrived, now_ms, refused_port};
use openwhisk_double::Activation;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use whiskjack_testbed::{Cli, Live, Output, Receiver, ReceiverOptions};

const MINUTE: i64 = 60_000;

struct Desk {
    scene: Scene,
    receiver: Receiver,
    folder: tempfile::TempDir,
    begin: i64,
}

impl Desk {
    fn new(options: ReceiverOptions) -> Self {
        let scene = Scene::new();
        let receiver =
            Receiver::start(ReceiverOptions { tls: Some(scene.certificates.server_tls()), ..options });
        let folder = tempfile::tempdir().unwrap();
        let desk = Self { scene, receiver, folder, begin: now_ms() };
        let mut params = desk.scene.params(desk.receiver.port());
        params["logstash"]["bulk_max_size"] = json!(100);
        std::fs::write(desk.file("config.json"), params.to_string()).unwrap();
        desk
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An activation that began so many minutes before the test, with so many lines.
    fn add(&self, minutes: i64, lines: usize) -> String {
        let text = (0..lines).map(|n| format!("{minutes} {n}")).collect::<Vec<_>>().join("\n");
        let start = self.begin - minutes * MINUTE;
        self.scene.api.world().add(Activation::new(ACTIONS[0]).start(start).stdout(&text))
    }

    fn arguments(&self, options: &[&str]) -> Vec<String> {
        let config = self.file("config.json").to_str().unwrap().to_owned();
        ["backfill", "--config", &config].iter().chain(options).map(ToString::to_string).collect()
    }

    /// Options for the range from eleven to two minutes before the test: inside the look-back, so that nothing settles.
    fn range(&self) -> Vec<String> {
        let state = self.file("state").to_str().unwrap().to_owned();
        let at = |minutes: i64| (self.begin - minutes * MINUTE).to_string();
        vec!["--from".into(), at(11), "--to".into(), at(2), "--state".into(), state]
    }

    fn with_environment<R>(&self, options: &[&str], act: impl FnOnce(&[&str], &[(&str, &str)]) -> R) -> R {
        let (arguments, environment) = (self.arguments(options), self.scene.environment());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        act(&arguments, &environment)
    }

    fn call(&self, options: &[&str]) -> Output {
        self.with_environment(options, Cli::call)
    }

    fn start(&self, options: &[&str]) -> Live {
        self.with_environment(options, Live::start)
    }
}

/// Events by their ids: those that came again replace those before them.
fn by_id(receiver: &Receiver, count: usize) -> BTreeMap<String, Value> {
    let events = receiver.wait_for_events(count, SOON);
    let id = |event: &Value| event["@metadata"]["_id"].as_str().unwrap().to_owned();
    events.into_iter().map(|received| (id(&received.event), received.event)).collect()
}

#[test]
fn what_starts_in_the_range_is_forwarded_and_nothing_of_it_twice() {
    let desk = Desk::new(ReceiverOptions::default());
    for minutes in [14, 11, 5, 2, 1] {
        desk.add(minutes, 3);
    }
    let range = desk.range();
    let range: Vec<&str> = range.iter().map(String::as_str).collect();
    let first = desk.call(&range);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    assert!(first.stderr.contains("complete: 9 lines acknowledged"), "{first:?}");
    let events = desk.receiver.wait_for_events(9, SOON);
    let minutes: Vec<i64> = arrived(&events)
        .keys()
        .map(|(_, line)| line.rsplit(": ").next().unwrap().split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(minutes.iter().all(|minutes| [11, 5, 2].contains(minutes)), "{minutes:?}");
    let second = desk.call(&range);
    assert!(second.stderr.contains("complete: 0 lines acknowledged"), "{second:?}");
    let other = desk.call(&[&["--from", "2h"], &range[2..]].concat());
    assert!(other.status.code() == Some(2) && other.stderr.contains("holds what has begun at"), "{other:?}");
    assert!(desk.scene.api.requests().iter().all(|request| request.method == "GET"), "no package, no lease");
}

#[test]
fn ctrl_c_saves_how_far_it_has_come_and_the_same_command_goes_on_from_there() {
    let desk =
        Desk::new(ReceiverOptions { ack_delay: Duration::from_millis(2), ..ReceiverOptions::default() });
    for minutes in 3..=10 {
        desk.add(minutes, 1500);
    }
    let range = desk.range();
    let range: Vec<&str> = range.iter().map(String::as_str).collect();
    let live = desk.start(&range);
    desk.receiver.wait_for_events(300, SOON);
    live.interrupt();
    let ended = live.ended();
    let so_far = desk.receiver.events_after(0).len();
    // It may have been as good as ready.
    if ended.status.code() == Some(1) {
        assert!(ended.stderr.contains("go on with `whiskjack backfill --from"), "{ended:?}");
    }
    let again = desk.call(&range);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    let events = by_id(&desk.receiver, 12_000);
    assert_eq!(events.len(), 12_000, "none is missing after {so_far}");
    assert_eq!(desk.receiver.events_after(0).len(), 12_000, "and none came twice");
}

#[test]
fn no_line_is_lost_however_often_it_is_killed() {
    let desk =
        Desk::new(ReceiverOptions { ack_delay: Duration::from_millis(1), ..ReceiverOptions::default() });
    for minutes in 3..=10 {
        desk.add(minutes, 1000);
    }
    let range = desk.range();
    let range: Vec<&str> = range.iter().map(String::as_str).collect();
    // A moment that depends on nothing but how many lines have come.
    for round in 0..12_usize {
        let live = desk.start(&range);
        let seen = desk.receiver.events_after(0).len();
        let more = 1 + round * 211 % 700;
        desk.receiver.wait_for_events(seen + more, SOON);
        live.kill();
        if live.ended().status.success() {
            break;
        }
    }
    let last = desk.call(&range);
    assert_eq!(last.status.code(), Some(0), "{last:?}");
    assert_eq!(by_id(&desk.receiver, 8_000).len(), 8_000, "lost 0");
}

#[test]
fn a_rate_is_kept_and_workers_share_it() {
    let desk = Desk::new(ReceiverOptions::default());
    for minutes in 3..=10 {
        desk.add(minutes, 100);
    }
    let range = desk.range();
    let range: Vec<&str> = range.iter().map(String::as_str).collect();
    let begin = Instant::now();
    let output = desk.call(&[&range[..], &["--rate", "400", "--workers", "3"]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(desk.receiver.wait_for_events(800, SOON).len(), 800);
    // The first window waits for nothing.
    assert!(begin.elapsed() >= Duration::from_millis(1700), "{:?}", begin.elapsed());
}

#[test]
fn an_activation_is_forwarded_again_under_the_same_ids() {
    let desk = Desk::new(ReceiverOptions::default());
    let [one, _, three] = [7, 6, 5].map(|minutes| desk.add(minutes, 2));
    let range = desk.range();
    let range: Vec<&str> = range.iter().map(String::as_str).collect();
    assert_eq!(desk.call(&range).status.code(), Some(0));
    let before = by_id(&desk.receiver, 6);
    let again = desk.call(&["--activation", &one, &three]);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert!(again.stderr.contains("complete: 4 lines acknowledged"), "{again:?}");
    let events = desk.receiver.wait_for_events(10, SOON);
    assert_eq!((events.len(), by_id(&desk.receiver, 10).len(), before.len()), (10, 6, 6));
    // Also an activation that `actions` does not select.
    let other = Activation::new("unlisted").start(desk.begin - 5 * MINUTE).stdout("of another\naction");
    let other = desk.scene.api.world().add(other);
    for actions in [json!([ACTIONS[0]]), json!(["shop/*"]), json!(["*", "!unlisted"])] {
        let mut params = desk.scene.params(desk.receiver.port());
        params["actions"] = actions;
        std::fs::write(desk.file("config.json"), params.to_string()).unwrap();
        let sent = desk.call(&["--activation", &other]);
        assert!(sent.status.success() && sent.stderr.contains("complete: 2 lines acknowledged"), "{sent:?}");
    }
    let trigger = desk.scene.api.world().add(Activation::trigger("hourly"));
    let nothing = desk.call(&["--activation", &trigger]);
    assert!(
        nothing.status.code() == Some(1)
            && nothing.stderr.contains(&format!("--activation {trigger}: no lines to forward")),
        "{nothing:?}"
    );
    // Among others, also of an action that printed something another time.
    let silent = Activation::new(ACTIONS[0]).start(desk.begin - 4 * MINUTE);
    let silent = desk.scene.api.world().add(silent);
    let mixed = desk.call(&["--activation", &one, &trigger, &silent, &three]);
    assert!(mixed.stderr.contains("complete: 4 lines acknowledged"), "{mixed:?}");
    let told = mixed.stderr.lines().find(|line| line.contains("no lines to forward")).unwrap();
    let is_told = |id: &str| told.contains(id);
    assert!(is_told(&trigger) && is_told(&silent) && !is_told(&one) && !is_told(&three), "{mixed:?}");
    assert_eq!(mixed.status.code(), Some(1), "{mixed:?}");
    let nobody = desk.call(&["--activation", &"0".repeat(32)]);
    assert!(nobody.status.code() == Some(1) && nobody.stderr.contains("no such activation"), "{nobody:?}");
}

/// Lines and percent of each bar that a terminal was shown.
fn bars(stderr: &str) -> Vec<(usize, usize)> {
    let number = |text: &str, words: &str| {
        let (before, _) = text.split_once(words)?;
        before.trim_end().rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    let bars = stderr.split(['\r', '\n']).filter(|text| text.contains("% of the range"));
    bars.map(|bar| (number(bar, " lines acknowledged").unwrap(), number(bar, "% of the range").unwrap()))
        .collect()
}

#[test]
fn a_terminal_is_shown_what_is_true_and_a_second_process_counts_on() {
    let desk = Desk::new(ReceiverOptions::default());
    for minutes in 3..=10 {
        desk.add(minutes, 500);
    }
    let range = desk.range();
    let range: Vec<&str> = range.iter().map(String::as_str).collect();
    let start =
        |options: &[&str]| desk.with_environment(&[&range[..], options].concat(), Live::with_progress);
    let live = start(&["--rate", "400"]);
    live.wait_for_stderr(SOON, |text| bars(text).iter().any(|(lines, _)| *lines > 0));
    live.interrupt();
    let ended = live.ended();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let so_far = desk.receiver.events_after(0).len();
    for (lines, percent) in bars(&ended.stderr) {
        assert!(
            lines <= so_far && percent < 100,
            "{lines}, {percent} %, and {so_far} had arrived: {ended:?}"
        );
    }
    assert!(
        ended.stderr.contains(&format!("{so_far} lines acknowledged, more are owed")),
        "{so_far}: {ended:?}"
    );
    let live = start(&["--rate", "300"]);
    let text = live.wait_for_stderr(SOON, |text| !bars(text).is_empty());
    assert!(bars(&text)[0].0 >= so_far && text.contains(&format!("({so_far} before)")), "{so_far}: {text}");
    assert!(text.contains("goes on with the unfinished backfill"), "{text}");
    let again = live.ended();
    let told = format!("complete: {} lines acknowledged now, 4000 in all", 4000 - so_far);
    assert!(again.status.success() && again.stderr.contains(&told), "{told}: {again:?}");
    assert_eq!(desk.receiver.wait_for_events(4000, SOON).len(), 4000);
}

#[test]
fn a_dead_receiver_makes_no_progress() {
    let desk = Desk::new(ReceiverOptions::default());
    desk.add(5, 10);
    let mut params = desk.scene.params(refused_port());
    params["logstash"]["backoff"] = json!({"init": "10ms", "max": "20ms"});
    std::fs::write(desk.file("config.json"), params.to_string()).unwrap();
    let range = desk.range();
    let range: Vec<&str> = range.iter().map(String::as_str).collect();
    let live = desk.with_environment(&range, Live::with_progress);
    live.wait_for_stderr(SOON, |text| bars(text).len() >= 2);
    live.interrupt();
    let ended = live.ended();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    // Where no activation was, there is nothing to wait for.
    assert!(bars(&ended.stderr).iter().all(|(lines, percent)| *lines == 0 && *percent < 100), "{ended:?}");
}

#[test]
fn a_span_before_now_is_the_same_range_until_it_is_complete() {
    let desk = Desk::new(ReceiverOptions::default());
    desk.add(30, 5);
    let state = desk.file("state");
    let words = ["--from", "40m", "--state", state.to_str().unwrap()];
    desk.scene.api.refuse_connections(true);
    let live = desk.start(&words);
    live.wait_for_stderr(SOON, |text| text.contains("could not be asked"));
    live.kill();
    live.ended();
    let noted: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    desk.scene.api.refuse_connections(false);
    let again = desk.start(&words);
    again.wait_for_stderr(SOON, |text| text.contains("goes on with the unfinished backfill"));
    desk.receiver.wait_for_events(5, SOON);
    again.interrupt();
    again.ended();
    let kept: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    for time in ["from", "to"] {
        assert!(noted["backfill"][time].is_u64(), "{noted}");
        assert_eq!(kept["backfill"][time], noted["backfill"][time], "{time}");
    }
    assert_eq!(kept["sources"][ACTIONS[0]]["through"], noted["backfill"]["to"], "{kept}");
}

#[test]
fn a_misspelt_action_and_an_end_in_the_future_are_told() {
    let desk = Desk::new(ReceiverOptions::default());
    desk.scene.ask_api("PUT", "_/actions/hello", r#"{"exec":{"kind":"nodejs:20","code":"x"}}"#);
    let range = desk.range();
    let range: Vec<&str> = range.iter().map(String::as_str).collect();
    let misspelt = desk.call(&[&range[..], &["helo"]].concat());
    assert!(misspelt.stderr.contains("did you mean `hello`?"), "{misspelt:?}");
    let late = desk.call(&["--from", "1h", "--to", "2099-01-01"]);
    assert!(late.status.code() == Some(2) && late.stderr.contains("is in the future"), "{late:?}");
}
