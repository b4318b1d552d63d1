//! `backfill` of a long range, killed a hundred times.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use openwhisk_double::{Activation, Double, Options};
use serde_json::json;
use whiskjack_testbed::{Certificates, Dice};

use super::command::Running;
use super::counted::{Arrived, Counted, lock};
use super::now_ms;

const KILLS: u64 = 100;
/// A process lives so long at most, in milliseconds: long enough for two saves of its checkpoint, and short enough to be killed before the first.
const LIVES: u64 = 12_000;
/// What such a life brings on average, in seconds of work that was saved.
const USEFUL: f64 = 2.5;
/// Lines of an activation.
const LINES: u64 = 20;
/// The range ends so long ago, and is so long, in milliseconds.
const ENDS: i64 = 3_600_000;
const SPAN: i64 = 6 * 3_600_000;

struct Desk {
    api: Double,
    certificates: Certificates,
    folder: tempfile::TempDir,
    range: [i64; 2],
}

/// What a process came to.
struct Life {
    peak_kib: u64,
    /// It ended by itself.
    is_over: bool,
}

pub(crate) fn run(seed: u64, lines: u64) -> Result<()> {
    let mut dice = Dice::new(seed, 0);
    let begin = now_ms() - ENDS - SPAN;
    let desk = Desk {
        api: Double::start(Options::default()),
        certificates: Certificates::new(),
        folder: tempfile::tempdir()?,
        range: [begin, begin + SPAN],
    };
    desk.fill("small", lines / 100);
    let ids = desk.fill("large", lines);
    println!("{lines} lines in {} activations", ids.len());

    let (small, _) = desk.whole("small", lines / 100)?;
    let (large, seconds) = desk.whole("large", lines)?;
    println!(
        "in one go: {seconds:.0} s; peak with {lines} lines {:.1} MiB, with {} lines {:.1} MiB",
        mib(large),
        lines / 100,
        mib(small)
    );

    let arrived = Arc::new(Mutex::new(Arrived::default()));
    let receiver = Counted::start(&desk.certificates, None, Duration::ZERO, arrived.clone())?;
    desk.configure("large", &receiver)?;
    let (began, mut peaks, mut kills) = (Instant::now(), Vec::new(), 0);
    for round in 0..KILLS {
        let so_far = lock(&arrived).lines.len() as u64;
        let useful = (KILLS + 1 - round) as f64 * USEFUL;
        // So that the kills are spread over all of the range.
        let rate = ((lines.saturating_sub(so_far) as f64 / useful) as u64).max(50);
        let life = Duration::from_millis(dice.below(LIVES));
        let lived = desk.live("killed", Some(rate), Some(life))?;
        if lived.is_over {
            break;
        }
        kills += 1;
        peaks.push(lived.peak_kib);
        if round % 10 == 9 {
            let arrived = lock(&arrived);
            println!(
                "{} kills, {:.0} s: {} lines, {} events, rate {rate}",
                round + 1,
                began.elapsed().as_secs_f64(),
                arrived.lines.len(),
                arrived.events
            );
        }
    }
    let last = desk.live("killed", None, None)?;
    receiver.settle(Duration::from_secs(30))?;
    receiver.kill();
    let arrived = lock(&arrived);
    let lost = ids
        .iter()
        .flat_map(|id| (0..LINES as u32).map(move |number| (*id, number)))
        .filter(|id| !arrived.lines.contains_key(id))
        .count();
    let strange = arrived.lines.len() as u64 + lost as u64 - lines;
    let peak = peaks.iter().copied().chain([last.peak_kib]).max().unwrap_or_default();
    let mean = |peaks: &[u64]| mib(peaks.iter().sum::<u64>() / peaks.len().max(1) as u64);
    let fifth = peaks.len() / 5;
    println!(
        "killed {kills} times in {:.0} s: {lost} lost, {strange} strange, {} of {} events came again; \
         peak {:.1} MiB, first fifth of the lives {:.1} MiB on average, last fifth {:.1} MiB",
        began.elapsed().as_secs_f64(),
        arrived.repeated(),
        arrived.events,
        mib(peak),
        mean(peaks.get(..fifth).unwrap_or_default()),
        mean(peaks.get(peaks.len() - fifth..).unwrap_or_default()),
    );
    ensure!(lost == 0 && strange == 0, "{lost} lines are missing, {strange} are not of the range");
    ensure!(kills == KILLS, "it was ready after {kills} kills: give more lines");
    ensure!(large < 2 * small && peak < 2 * small, "memory grows with the range");
    Ok(())
}

impl Desk {
    /// Adds lines of an action, all over the range. Returns the activations' ids.
    fn fill(&self, action: &str, lines: u64) -> Vec<u128> {
        let count = i64::try_from(lines / LINES).unwrap_or(1).max(1);
        let activations = (0..count).map(|number| {
            let start = self.range[0] + SPAN * number / count;
            let text: Vec<String> = (0..LINES)
                .map(|line| format!("{number} {line} GET /cart 200 in {} ms", line * 7919 % 1000))
                .collect();
            Activation::new(action).start(start).stdout(&text.join("\n"))
        });
        let ids = self.api.world().add_all(activations);
        ids.iter().filter_map(|id| u128::from_str_radix(id, 16).ok()).collect()
    }

    fn configure(&self, action: &str, receiver: &Counted) -> Result<()> {
        let params = json!({
            "actions": [action],
            "logstash": {"host": "localhost", "port": receiver.address.port(), "ca": self.certificates.ca, "worker": 2},
        });
        std::fs::write(self.config(), params.to_string())?;
        Ok(())
    }

    fn config(&self) -> std::path::PathBuf {
        self.folder.path().join("config.json")
    }

    /// Peak of memory in KiB, and seconds, of a backfill that nobody disturbs.
    fn whole(&self, action: &str, lines: u64) -> Result<(u64, f64)> {
        let arrived = Arc::new(Mutex::new(Arrived::default()));
        let receiver = Counted::start(&self.certificates, None, Duration::ZERO, arrived.clone())?;
        self.configure(action, &receiver)?;
        let began = Instant::now();
        let life = self.live(action, None, None)?;
        receiver.settle(Duration::from_secs(30))?;
        receiver.kill();
        let arrived = lock(&arrived);
        ensure!(arrived.lines.len() as u64 == lines, "{} of {lines} lines arrived", arrived.lines.len());
        ensure!(arrived.repeated() == 0, "{} lines came again without a fault", arrived.repeated());
        Ok((life.peak_kib, began.elapsed().as_secs_f64()))
    }

    /// One process; it is killed after that time.
    fn live(&self, state: &str, rate: Option<u64>, life: Option<Duration>) -> Result<Life> {
        let config = self.config();
        let state = self.folder.path().join(state);
        let [config, state] =
            [&config, &state].map(|path: &std::path::PathBuf| path.to_string_lossy().into_owned());
        let [from, to] = self.range.map(|time| time.to_string());
        let mut arguments =
            vec!["backfill", "--config", &config, "--from", &from, "--to", &to, "--state", &state];
        let rate = rate.map(|rate| rate.to_string());
        if let Some(rate) = &rate {
            arguments.extend(["--rate", rate]);
        }
        let said = self.folder.path().join("stderr");
        let mut running = Running::start(&self.api, &arguments, File::create(&said)?)?;
        let status = running.wait(life)?;
        // The double's notes of requests are not what is measured.
        self.api.forget_requests();
        if let Some(status) = status {
            ensure!(status.success(), "it ended with {status}: {}", said_in(&said));
        }
        Ok(Life { peak_kib: running.peak_kib, is_over: status.is_some() })
    }
}

fn said_in(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
