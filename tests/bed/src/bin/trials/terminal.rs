//! `backfill` on a terminal, with Ctrl-C at random moments.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use openwhisk_double::{Activation, Double, Options};
use serde_json::json;
use whiskjack_testbed::{Certificates, Dice, Live};

use super::counted::{Arrived, Counted, lock};
use super::now_ms;

/// Activations of a round, and lines of an activation.
const ACTIVATIONS: i64 = 300;
const LINES: u64 = 20;
const ALL: u64 = ACTIVATIONS.unsigned_abs() * LINES;
/// Ctrl-C comes within so many milliseconds.
const WITHIN: u64 = 9_000;
/// The range, in milliseconds before the round: so new that nothing is compared once more.
const RANGE: [i64; 2] = [600_000, 120_000];

struct Round {
    api: Double,
    arguments: Vec<String>,
}

pub(crate) fn run(seed: u64, rounds: u64) -> Result<()> {
    let mut dice = Dice::new(seed, 2);
    let certificates = Certificates::new();
    let (mut bars, mut early, mut urgent, mut repeated) = (0, 0, 0, 0);
    for number in 0..rounds {
        let arrived = Arc::new(Mutex::new(Arrived::default()));
        let delay = Duration::from_millis(dice.heavy(100));
        let receiver = Counted::start(&certificates, None, delay, arrived.clone())?;
        let folder = tempfile::tempdir()?;
        let round = Round::new(&certificates, &receiver, folder.path(), 300 + dice.below(1_500))?;
        let live = round.start();
        std::thread::sleep(Duration::from_millis(dice.below(WITHIN)));
        live.interrupt();
        let is_urgent = dice.below(4) == 0;
        if is_urgent {
            std::thread::sleep(Duration::from_millis(dice.below(200)));
            live.interrupt();
        }
        let ended = live.ended();
        receiver.settle(Duration::from_secs(20))?;
        let first = lock(&arrived).lines.len() as u64;
        let shown = shown(&ended.stderr);
        bars += shown.len();
        let what = || format!("round {number}, {first} arrived, {is_urgent}: {ended:?}");
        ensure!(shown.is_sorted_by_key(|(lines, _)| *lines), "lines went back; {}", what());
        ensure!(
            shown.iter().all(|(lines, percent)| *lines <= first && (*percent < 100 || first == ALL)),
            "more was shown than arrived; {}",
            what()
        );
        match ended.status.code() {
            // It was ready before, or nothing had begun.
            Some(0) => ensure!(first == ALL, "complete too early; {}", what()),
            Some(1) => early += 1,
            _ => ensure!(first == 0, "an odd end; {}", what()),
        }
        if let Some(told) = number_before(&ended.stderr, " acknowledged, more are owed") {
            ensure!(if is_urgent { told <= first } else { told == first }, "{told} told; {}", what());
        }
        urgent += u64::from(is_urgent);
        let again = round.start().ended();
        receiver.settle(Duration::from_secs(20))?;
        let arrived = lock(&arrived);
        ensure!(again.status.success(), "the second time it ended with {}; {}", again.status, again.stderr);
        ensure!(arrived.lines.len() as u64 == ALL, "{} lines arrived; {}", arrived.lines.len(), again.stderr);
        ensure!(is_urgent || arrived.repeated() == 0, "{} came again; {}", arrived.repeated(), what());
        repeated += arrived.repeated();
    }
    println!(
        "{rounds} rounds with Ctrl-C at random moments, {early} of them before the end, {urgent} with a second Ctrl-C: 0 lost, {repeated} came again, \
              all of them after a second Ctrl-C; {bars} bars shown, none untrue"
    );
    Ok(())
}

impl Round {
    fn new(
        certificates: &Certificates,
        receiver: &Counted,
        folder: &std::path::Path,
        rate: u64,
    ) -> Result<Self> {
        let api = Double::start(Options::default());
        let now = now_ms();
        let [from, to] = RANGE.map(|before| now - before);
        let text: Vec<String> = (0..LINES).map(|line| format!("line {line}")).collect();
        let step = (to - from) / ACTIVATIONS;
        api.world().add_all(
            (0..ACTIVATIONS)
                .map(|number| Activation::new("busy").start(from + number * step).stdout(&text.join("\n"))),
        );
        let params = json!({
            "actions": ["busy"],
            "logstash": {"host": "localhost", "port": receiver.address.port(), "ca": certificates.ca, "bulk_max_size": 100},
        });
        let [config, state] = ["config.json", "state"].map(|name| folder.join(name));
        std::fs::write(&config, params.to_string())?;
        let text = |path: &std::path::Path| path.to_str().map(str::to_owned).context("a path that is text");
        let [from, to, rate] = [from.to_string(), to.to_string(), rate.to_string()];
        let arguments = [
            "backfill",
            "--config",
            &text(&config)?,
            "--state",
            &text(&state)?,
            "--from",
            &from,
            "--to",
            &to,
            "--rate",
            &rate,
        ];
        Ok(Self { api, arguments: arguments.map(str::to_owned).to_vec() })
    }

    fn start(&self) -> Live {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let (origin, key, namespace) = (self.api.origin(), self.api.key(), self.api.namespace());
        Live::with_progress(
            &arguments,
            &[("__OW_API_HOST", &origin), ("__OW_API_KEY", &key), ("__OW_NAMESPACE", &namespace)],
        )
    }
}

/// Lines and percent of each bar.
fn shown(stderr: &str) -> Vec<(u64, u64)> {
    let bars = stderr.split(['\r', '\n']).filter(|text| text.contains("% of the range"));
    bars.filter_map(|bar| Some((number_before(bar, " acknowledged")?, number_before(bar, "% of the range")?)))
        .collect()
}

/// The last number before these words.
fn number_before(text: &str, words: &str) -> Option<u64> {
    let (before, _) = text.split_once(words)?;
    before.rsplit(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty())?.parse().ok()
}
