//! `watch`, while API and receiver go up and down.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use openwhisk_double::{Activation, Double, Fault, Matcher, Options};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use whiskjack_testbed::{Certificates, Dice};

use super::command::Running;
use super::counted::{Arrived, Counted, Id, lock};
use super::now_ms;

const ACTION: &str = "busy";
/// Time between two looks at all.
const TICK: Duration = Duration::from_millis(250);
/// The lag may be behind the truth by a run and a pause: the run in which the API went down may still have ended well.
const SLACK: f64 = 8.0;
/// No lag can be longer: a start may be half a minute old, no outage lasts longer than 20.5 s, and several may follow one another.
const LONGEST: f64 = 240.0;
/// How long anything may take in the end.
const PATIENCE: Duration = Duration::from_secs(120);

/// Something that goes up and down.
struct Tide {
    is_up: bool,
    since: Instant,
    until: Instant,
    falls: u64,
}

impl Tide {
    fn new(dice: &mut Dice) -> Self {
        let now = Instant::now();
        Self {
            is_up: true,
            since: now,
            until: now + Duration::from_millis(3_000 + dice.below(12_000)),
            falls: 0,
        }
    }

    /// Whether it turns now.
    fn turns(&mut self, dice: &mut Dice) -> bool {
        let now = Instant::now();
        if now < self.until {
            return false;
        }
        self.is_up = !self.is_up;
        self.falls += u64::from(!self.is_up);
        let longest = if self.is_up { 15_000 } else { 20_000 };
        (self.since, self.until) = (now, now + Duration::from_millis(500 + dice.below(longest)));
        true
    }
}

pub(crate) fn run(seed: u64, seconds: u64) -> Result<()> {
    let mut dice = Dice::new(seed, 1);
    let (api, certificates, folder) =
        (Double::start(Options::default()), Certificates::new(), tempfile::tempdir()?);
    let arrived = Arc::new(Mutex::new(Arrived::default()));
    let mut receiver = Some(Counted::start(&certificates, None, Duration::ZERO, arrived.clone())?);
    let address = receiver.as_ref().map(|receiver| receiver.address);
    let params = json!({
        "actions": [ACTION],
        "logstash": {"host": "localhost", "port": address.map(|address| address.port()), "ca": certificates.ca, "timeout": "5s",
            "backoff": {"init": "100ms", "max": "1s"}},
    });
    let [config, state, said] = ["config.json", "state", "stderr"].map(|name| folder.path().join(name));
    fs::write(&config, params.to_string())?;
    let [config, state] = [&config, &state].map(|path| path.to_string_lossy().into_owned());
    let arguments = [
        "watch",
        "--config",
        &config,
        "--state",
        &state,
        "--every",
        "1s",
        "--metrics",
        "127.0.0.1:0",
        "--json",
    ];
    let mut running = Running::start(&api, &arguments, File::create(&said)?)?;
    let metrics = address_in(&said)?;

    let mut expected: Vec<Id> = Vec::new();
    let (mut api_tide, mut receiver_tide) = (Tide::new(&mut dice), Tide::new(&mut dice));
    let (began, mut activations, mut wrong, mut samples, mut worst) =
        (Instant::now(), 0, Vec::new(), 0, 0.0_f64);
    while began.elapsed() < Duration::from_secs(seconds) {
        if dice.below(3) > 0 {
            expected.extend(add(&api, &mut dice, activations)?);
            activations += 1;
        }
        if api_tide.turns(&mut dice) {
            match (api_tide.is_up, dice.below(2)) {
                (false, 0) => api.refuse_connections(true),
                (false, _) => api.fail_always(Matcher::any(), Fault::status(503)),
                (true, _) => {
                    api.refuse_connections(false);
                    api.clear_faults();
                }
            }
        }
        if receiver_tide.turns(&mut dice) {
            receiver = match (receiver_tide.is_up, receiver.take()) {
                (true, _) => Some(Counted::start(&certificates, address, Duration::ZERO, arrived.clone())?),
                (false, Some(receiver)) => {
                    receiver.kill();
                    None
                }
                (false, None) => None,
            };
        }
        let found = read(&metrics)?;
        samples += 1;
        let lag = found.get("whiskjack_lag_seconds").copied().unwrap_or(-1.0);
        worst = worst.max(lag);
        let down = api_tide.since.elapsed().as_secs_f64();
        if !api_tide.is_up && lag < down - SLACK {
            wrong.push(format!("the API was down for {down:.1} s, and the lag was {lag:.1} s"));
        }
        ensure!(running.child.try_wait()?.is_none(), "it has ended: {}", fs::read_to_string(&said)?);
        api.forget_requests();
        thread::sleep(TICK);
    }
    api.refuse_connections(false);
    api.clear_faults();
    if receiver.is_none() {
        receiver = Some(Counted::start(&certificates, address, Duration::ZERO, arrived.clone())?);
    }
    let end = settled(&metrics, &arrived, expected.len())?;
    kill_process(Pid::from_child(&running.child), Signal::TERM)?;
    let status =
        running.wait(Some(Duration::from_secs(15)))?.context("it did not end within 15 s of SIGTERM")?;
    drop(receiver);

    let arrived = lock(&arrived);
    let lost = expected.iter().filter(|id| !arrived.lines.contains_key(id)).count();
    let value = |name: &str| end.get(name).copied().unwrap_or(-1.0);
    println!(
        "{:.0} s, API down {} times, receiver {} times: {activations} activations, {} lines, {lost} lost, {} came again, {} of them needlessly; \
         peak {:.1} MiB; {samples} looks at the metrics, longest lag {worst:.1} s",
        began.elapsed().as_secs_f64(),
        api_tide.falls,
        receiver_tide.falls,
        expected.len(),
        arrived.repeated(),
        arrived.needless.len(),
        running.peak_kib as f64 / 1024.0,
    );
    for name in [
        "runs_total{result=\"complete\"}",
        "runs_total{result=\"incomplete\"}",
        "activations_total",
        "lines_acknowledged_total",
        "lines_resent_total",
        "api_errors_total",
        "receiver_errors_total",
        "owed",
        "lag_seconds",
    ] {
        println!("  whiskjack_{name} {}", value(&format!("whiskjack_{name}")));
    }
    let told = fs::read_to_string(&said)?;
    println!(
        "  {} lines on stderr, {} of the end of trouble",
        told.lines().count(),
        told.matches("the trouble is over").count()
    );
    ensure!(status.success(), "it ended with {status}");
    ensure!(
        lost == 0 && arrived.lines.len() == expected.len(),
        "lines are missing, or are not of this world"
    );
    ensure!(arrived.needless.is_empty(), "needlessly again: {:?}", arrived.needless);
    ensure!(wrong.is_empty(), "the metrics were wrong {} times, first: {:?}", wrong.len(), wrong.first());
    let acknowledged = value("whiskjack_lines_acknowledged_total");
    ensure!(
        acknowledged >= expected.len() as f64 && acknowledged <= arrived.events as f64,
        "{acknowledged} acknowledged"
    );
    // Those of a run that failed are read again.
    ensure!(
        value("whiskjack_activations_total") >= activations as f64,
        "fewer than {activations} activations"
    );
    ensure!(worst < LONGEST, "a lag of {worst:.1} s");
    ensure!(
        value("whiskjack_api_errors_total") > 0.0 && value("whiskjack_receiver_errors_total") > 0.0,
        "errors were not counted"
    );
    Ok(())
}

/// Adds an activation that began up to half a minute ago. Returns its lines.
fn add(api: &Double, dice: &mut Dice, number: u64) -> Result<Vec<Id>> {
    let lines = u32::try_from(1 + dice.heavy(60))?;
    let text: Vec<String> = (0..lines).map(|line| format!("{number} {line}")).collect();
    let age = i64::try_from(100 + dice.heavy(30_000))?;
    let id = api.world().add(Activation::new(ACTION).start(now_ms() - age).stdout(&text.join("\n")));
    let id = u128::from_str_radix(&id, 16)?;
    Ok((0..lines).map(|line| (id, line)).collect())
}

/// Waits until all has arrived and nothing is owed. Returns the metrics.
fn settled(metrics: &str, arrived: &Mutex<Arrived>, lines: usize) -> Result<HashMap<String, f64>> {
    let until = Instant::now() + PATIENCE;
    loop {
        let found = read(metrics)?;
        let is = |name: &str, most: f64| found.get(name).is_some_and(|value| *value <= most);
        if lock(arrived).lines.len() >= lines && is("whiskjack_owed", 0.0) && is("whiskjack_lag_seconds", 4.0)
        {
            return Ok(found);
        }
        ensure!(Instant::now() < until, "{} of {lines} lines arrived, {found:?}", lock(arrived).lines.len());
        thread::sleep(TICK);
    }
}

/// Where the metrics are, as it says on stderr.
fn address_in(said: &Path) -> Result<String> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let text = fs::read_to_string(said)?;
        if let Some((_, rest)) = text.split_once("metrics at http://") {
            return Ok(rest.split('/').next().unwrap_or_default().to_owned());
        }
        thread::sleep(TICK);
    }
    anyhow::bail!("it does not tell where its metrics are: {}", fs::read_to_string(said)?)
}

fn read(address: &str) -> Result<HashMap<String, f64>> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let lines = answer.lines().filter(|line| line.starts_with("whiskjack_"));
    let pairs = lines.filter_map(|line| line.rsplit_once(' '));
    Ok(pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
}
