//! No line is lost when the forwarder is killed: the built command between the API double and Elastic's Lumberjack server over TLS, ended
//! by SIGKILL again and again, while activations keep appearing. A seed and an event choose the moment: a request that the API sees, or a
//! line that the receiver gets.

use crate::support::{ACTIONS, SOON, Scene, now_ms};
use openwhisk_double::{Activation, Double, Fault, Matcher, Options, Request, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver as Inbox, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use whiskjack_testbed::{Received, Receiver, ReceiverOptions, artifacts};

/// Kills in each scenario, and the most runs to come to them: some end before their moment.
const KILLS: u64 = 50;
const MOST_RUNS: u64 = 150;
/// Most runs, left in peace, until nothing is left.
const CLEAN_RUNS: usize = 5;
/// A run asks the API about this often, so a moment is one of its requests, or just not reached.
const REQUESTS: u64 = 9;
/// How long after its start an activation may appear, in milliseconds: well inside the look-back of 15 minutes.
const LATEST_MS: u64 = 600_000;
/// How long a run may take, or come to its moment.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
struct Scenario {
    seed: u64,
    /// The checkpoint is in a file; otherwise in a package.
    state_file: bool,
    /// Lists and counts are behind by one question.
    stale: bool,
    /// Lines that wait before the first run: several windows.
    backlog: usize,
    ack_delay: Duration,
    latency: Duration,
}

const SCENARIOS: [Scenario; 4] = [
    Scenario { seed: 1, state_file: true, stale: false, backlog: 6000, ack_delay: ms(8), latency: ms(0) },
    Scenario { seed: 2, state_file: false, stale: false, backlog: 6000, ack_delay: ms(0), latency: ms(2) },
    Scenario { seed: 3, state_file: true, stale: true, backlog: 0, ack_delay: ms(4), latency: ms(1) },
    Scenario { seed: 4, state_file: false, stale: true, backlog: 0, ack_delay: ms(1), latency: ms(0) },
];

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[test]
fn every_line_arrives_however_often_the_forwarder_is_killed() {
    let threads = SCENARIOS.map(|scenario| std::thread::spawn(move || scenario.play()));
    let mut total = Tally::default();
    for thread in threads {
        total.add(&thread.join().expect("the scenario's own message is above"));
    }
    let Tally { kills, runs, lines, repeated, lost } = total;
    // Not `println!`: that is only shown when the test fails.
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nkills={kills} runs={runs} lines={lines} repeated={repeated} lost={lost}").unwrap();
    assert!(kills >= 100, "only {kills} kills");
    assert_eq!(lost, 0, "lines were lost");
}

#[test]
fn a_long_run_that_is_killed_repeats_only_what_came_after_its_last_save() {
    let stage = Stage::new(Scenario { seed: 0, backlog: 0, ..SCENARIOS[1] });
    let mut params = stage.scene.params(stage.receiver.port());
    params["actions"] = json!(["a", "b", "c"]);
    std::fs::write(stage.directory.path().join("config"), params.to_string()).unwrap();
    for name in ["a", "b", "c"] {
        stage.scene.api.world().add(Activation::new(name).stdout("one\ntwo"));
    }
    // The first two actions take longer than the time between two saves; the third is still to come.
    let slow = Matcher::list().param("name", "b").param("docs", "true");
    stage.scene.api.fail_next(slow, Fault::delay(Duration::from_secs(16)));
    assert_eq!(stage.run(Moment::Saved).signal(), Some(9));
    let listed = |name| {
        let is_list = |request: &Request| request.param("docs") == Some("true");
        stage
            .scene
            .api
            .requests()
            .iter()
            .any(|request| request.param("name") == Some(name) && is_list(request))
    };
    assert!(listed("b") && !listed("c"), "it was saved in between");

    assert_eq!(stage.run(Moment::Never).code(), Some(0));
    let events = stage.receiver.wait_for_events(6, SOON);
    assert_eq!(events.len(), 6, "nothing came twice");
}

#[derive(Default)]
struct Tally {
    kills: u64,
    runs: u64,
    lines: usize,
    repeated: usize,
    lost: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.runs += other.runs;
        self.lines += other.lines;
        self.repeated += other.repeated;
        self.lost += other.lost;
    }
}

impl Scenario {
    fn play(self) -> Tally {
        let mut stage = Stage::new(self);
        let mut tally = Tally::default();
        while tally.kills < KILLS && tally.runs < MOST_RUNS {
            let new_lines = stage.grow();
            let moment = stage.moment(new_lines);
            let status = stage.run(moment);
            tally.runs += 1;
            match status.signal() {
                Some(9) => tally.kills += 1,
                _ => assert_eq!(status.code(), Some(0), "a run that nobody killed: {status}"),
            }
        }
        // From now on everything shows at once, also what was to appear in an hour.
        stage.scene.api.world().set_stale(false);
        stage.scene.api.world().clock().advance(2 * 3_600_000);
        for _ in 0..CLEAN_RUNS {
            tally.runs += 1;
            let events = stage.run_in_peace();
            (tally.lines, tally.repeated, tally.lost) = compare(&stage.scene.lines(), &events);
            if tally.lost == 0 {
                break;
            }
        }
        tally
    }
}

/// Every line of the world against every event that arrived: lines, events that came again, lines that never came.
fn compare(world: &BTreeMap<(String, String), usize>, events: &[Received]) -> (usize, usize, usize) {
    let text = |event: &Value, key: &str| event[key].as_str().unwrap().to_owned();
    let mut ids = BTreeMap::new();
    for Received { event, .. } in events {
        let line = (text(event, "activation"), text(event, "line"));
        assert!(world.contains_key(&line), "nobody wrote {line:?}");
        let first = ids.entry(text(&event["@metadata"], "_id")).or_insert_with(|| line.clone());
        assert_eq!(*first, line, "two lines with one id");
    }
    let mut arrived: BTreeMap<&(String, String), usize> = BTreeMap::new();
    ids.values().for_each(|line| *arrived.entry(line).or_default() += 1);
    let missing = |(line, count): (&(String, String), &usize)| {
        count.checked_sub(*arrived.get(line).unwrap_or(&0)).expect("a line came under several ids")
    };
    let lost = world.iter().map(missing).sum();
    (world.values().sum(), events.len() - ids.len(), lost)
}

/// When a run is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// The API has the request with this number, from 0, and never answers it.
    BeforeAnswer(u64),
    /// The API has the request with this number and answers at the same time.
    AtAnswer(u64),
    /// The receiver has this many lines of the run, the ack may be on its way.
    AtLine(usize),
    /// The checkpoint is saved, and the run does not know it yet, or has just said so.
    Saved,
    Never,
}

struct Stage {
    scenario: Scenario,
    scene: Scene,
    receiver: Receiver,
    directory: tempfile::TempDir,
    random: Random,
    /// Events of the receiver that were there before the run.
    arrived: usize,
    markers: u64,
}

impl Stage {
    fn new(scenario: Scenario) -> Self {
        let scene = Scene::with(Options { stale: scenario.stale, ..Options::default() });
        scene.api.set_latency(scenario.latency);
        let receiver = Receiver::start(ReceiverOptions {
            tls: Some(scene.certificates.server_tls()),
            ack_delay: scenario.ack_delay,
            ..ReceiverOptions::default()
        });
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("config"), scene.params(receiver.port()).to_string()).unwrap();
        let text = vec!["backlog"; scenario.backlog / 6].join("\n");
        for minutes in (0..6).filter(|_| scenario.backlog > 0) {
            let start = now_ms() - 1000 - minutes * 60_000;
            scene.api.world().add(Activation::new(ACTIONS[0]).start(start).stdout(&text));
        }
        let random = Random(scenario.seed);
        Self { scenario, scene, receiver, directory, random, arrived: 0, markers: 0 }
    }

    /// New activations: now, in the middle of the next run, or at the end of the test. Returns lines that show now.
    fn grow(&mut self) -> usize {
        let mut lines = 0;
        for _ in 0..1 + self.random.below(4) {
            let entries = 1 + self.random.below(5);
            let activation = self.activation(entries);
            match self.random.below(8) {
                0 => {
                    let some_request = Matcher::any().after(self.random.below(REQUESTS));
                    self.scene.api.before_next(some_request, |world| _ = world.add(activation));
                }
                1 => _ = self.scene.api.world().add(activation.visible_at(now_ms() + 3_600_000)),
                _ => {
                    self.scene.api.world().add(activation);
                    lines += usize::try_from(entries).unwrap();
                }
            }
        }
        lines
    }

    /// One that started a moment ago, together with others, or long ago; equal lines are in it.
    fn activation(&mut self, entries: u64) -> Activation {
        let ago =
            if self.random.below(2) == 0 { self.random.below(3) * 50 } else { self.random.below(LATEST_MS) };
        let now = now_ms();
        let activation = match self.random.below(2) {
            0 => Activation::new(ACTIONS[0]),
            _ => Activation::new("check out").package("shop"),
        };
        let activation = activation.start(now - i64::try_from(ago).unwrap()).visible_at(now);
        (0..entries).fold(activation, |activation, _| activation.raw_log("the same line"))
    }

    fn moment(&mut self, new_lines: usize) -> Moment {
        self.arrived += self.receiver.events_after(self.arrived).len();
        // A stale index may hide the new lines from this run.
        let kinds = if new_lines > 0 && !self.scenario.stale { 8 } else { 5 };
        match self.random.below(kinds) {
            0 | 1 => Moment::BeforeAnswer(self.random.below(REQUESTS)),
            2 | 3 => Moment::AtAnswer(self.random.below(REQUESTS)),
            4 => Moment::Saved,
            _ => Moment::AtLine(1 + usize::try_from(self.random.below(new_lines as u64)).unwrap()),
        }
    }

    /// One run, killed at the moment, or ended before it.
    fn run(&self, moment: Moment) -> ExitStatus {
        let api = &self.scene.api;
        let state = self.scenario.state_file.then(|| self.directory.path().join("state"));
        if state.is_none() {
            api.before_next(Matcher::package().method("GET"), lease_runs_out);
        }
        let so_far = api.requests().len();
        if state.is_none() && matches!(moment, Moment::Saved) {
            // The first thing that a run saves is its lease.
            api.fail_next(Matcher::package().method("PUT").after(1), Fault::stall_after(0));
        }
        let run =
            Run::start(&self.scene.environment(), &self.directory.path().join("config"), state.as_deref());
        match moment {
            Moment::BeforeAnswer(number) => {
                let child = run.child.clone();
                api.before_next(Matcher::any().after(number), move |_| kill(&child));
            }
            Moment::AtAnswer(number) => {
                let messages = run.sender.clone();
                // Nobody listens once the run is over.
                api.before_next(Matcher::any().after(number), move |_| _ = messages.send(Message::Asked));
            }
            Moment::AtLine(number) => {
                self.receiver.wait_for_events(self.arrived + number, SOON);
                kill(&run.child);
            }
            Moment::Saved if state.is_none() => kill_when_package_is_saved(api, &run, so_far),
            Moment::Saved | Moment::Never => {}
        }
        run.end(moment)
    }

    /// A run to the end, with a line of its own: when that has arrived, so has everything before it. Returns all events.
    fn run_in_peace(&mut self) -> Vec<Received> {
        self.markers += 1;
        let marker = format!("marker {}", self.markers);
        // The oldest of all, so that the run sends it last.
        let start = now_ms() - i64::try_from(LATEST_MS).unwrap() - 60_000;
        let activation = Activation::new("check out").package("shop").start(start).visible_at(now_ms());
        self.scene.api.world().add(activation.raw_log(&*marker));
        let status = self.run(Moment::Never);
        assert_eq!(status.code(), Some(0), "{status}");
        let mut events = self.receiver.events();
        while !events.iter().any(|received| received.event["line"] == *marker) {
            events = self.receiver.wait_for_events(events.len() + 1, SOON);
        }
        events
    }
}

/// The lease of a killed run holds for half a minute, for which nobody waits here.
fn lease_runs_out(world: &World) {
    world.change_package("whiskjack.cli", |package| {
        package["annotations"].as_array_mut().unwrap().retain(|pair| pair["key"] != "whiskjack-lease");
    });
}

/// The platform has the checkpoint, but its answer stops at the first byte.
fn kill_when_package_is_saved(api: &Double, run: &Run, so_far: usize) {
    let saved = api.wait_until(PATIENCE, |requests| {
        let written = |request: &&Request| request.method == "PUT" && request.status.is_some();
        requests.iter().skip(so_far).filter(written).count() == 2
    });
    assert!(saved, "the run has not saved its checkpoint");
    kill(&run.child);
}

enum Message {
    /// The API was asked what the moment waits for.
    Asked,
    /// The result is on stdout.
    Said,
    Ended,
}

/// A running `whiskjack run`. It does not outlive the test.
struct Run {
    child: Arc<Mutex<Child>>,
    sender: Sender<Message>,
    messages: Inbox<Message>,
}

impl Run {
    fn start(environment: &[(&str, String)], config: &Path, state: Option<&Path>) -> Self {
        let mut command = Command::new(artifacts().whiskjack());
        command.arg("run").arg("--config").arg(config);
        if let Some(state) = state {
            command.arg("--state").arg(state);
        }
        command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (sender, messages) = channel();
        let said = sender.clone();
        std::thread::spawn(move || {
            // What it says ends with it, whatever ended it. Nobody may listen any more.
            while matches!(stdout.read(&mut [0; 4096]), Ok(1..)) {
                let _ = said.send(Message::Said);
            }
            let _ = said.send(Message::Ended);
        });
        Self { child: Arc::new(Mutex::new(child)), sender, messages }
    }

    /// Waits for the end, kills it at its moment, and says how it ended.
    fn end(self, moment: Moment) -> ExitStatus {
        loop {
            match (self.messages.recv_timeout(PATIENCE).expect("the run ends"), moment) {
                (Message::Ended, _) => return self.child.lock().unwrap().wait().unwrap(),
                (Message::Asked, _) | (Message::Said, Moment::Saved) => kill(&self.child),
                (Message::Said, _) => {}
            }
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        kill(&self.child);
        let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).wait();
    }
}

/// SIGKILL; nothing happens to a child that has been waited for.
fn kill(child: &Mutex<Child>) {
    let _ = child.lock().unwrap_or_else(PoisonError::into_inner).kill();
}

/// Splitmix64: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}
