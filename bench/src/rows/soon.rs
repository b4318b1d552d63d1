//! B12: how soon a line is forwarded once the API shows it.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use openwhisk_double::{Activation, Double, Options};
use serde_json::json;

use super::Effort;
use crate::product::{self, Action, config, now_ms};
use crate::receiver::Receiver;
use crate::report::{Row, Sense};
use crate::summary::Summary;

/// Between two lines. No divisor of the times between runs, so that lines come at all moments between them.
const BETWEEN: Duration = Duration::from_millis(370);
/// Between two runs of the alarm.
const MINUTE: Duration = Duration::from_secs(60);
/// What `watch --every` gets.
const EVERY: &str = "5s";

pub(super) fn measure(row: &mut Row, effort: Effort) -> Result<()> {
    row.note(
        "A line every 370 ms for some minutes, each the only one of its activation. From the moment at which the API shows it until the receiver has it: with an action \
         that is run each minute, and with `whiskjack watch --every 5s`, both at the same time, each with an API and a receiver of its own. The bound is the time between two runs: a line \
         that comes right after one waits for the next.",
    );
    let minutes = if effort.quick { 1 } else { 3 };
    let alarm = thread::spawn(move || by_alarm(minutes));
    let watched = by_watch(MINUTE * minutes)?;
    let alarm = alarm.join().map_err(|_| anyhow::anyhow!("the thread of the alarm failed"))??;
    row.figure("alarm, median", "s", Summary::of(alarm.iter().copied()));
    row.figure("99 of 100 within", "s", Summary::exact(within(&alarm)));
    row.figure("watch, median", "s", Summary::of(watched.iter().copied()));
    row.figure("99 of 100 within", "s", Summary::exact(within(&watched)));
    row.goal("alarm", "s", within(&alarm), Sense::AtMost, 61.0);
    row.goal("watch", "s", within(&watched), Sense::AtMost, 6.0);
    Ok(())
}

/// The time within which 99 of 100 have come.
fn within(seconds: &[f64]) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get((sorted.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// An API that shows a new line now and then, and a receiver.
struct Scene {
    api: Double,
    receiver: Receiver,
    shown: Vec<Instant>,
}

impl Scene {
    fn new() -> Result<Self> {
        Ok(Self {
            api: Double::start(Options::default()),
            receiver: Receiver::stamping()?,
            shown: Vec::new(),
        })
    }

    fn params(&self) -> serde_json::Value {
        let logstash = json!({"host": "localhost", "port": self.receiver.port(), "tls": false});
        config(&["ticker".to_owned()], now_ms() - 60_000, logstash, "soon")
    }

    /// Shows lines until `end`.
    fn show(&mut self, end: Instant) {
        while Instant::now() < end {
            self.api.world().add(Activation::new("ticker").start(now_ms() - 50).duration(40).stdout("tick"));
            self.shown.push(Instant::now());
            thread::sleep(BETWEEN);
        }
    }

    /// Seconds that each line took. They come in the order in which they were shown, but for those of one window, which come together.
    fn took(self) -> Result<Vec<f64>> {
        self.receiver.expect(self.shown.len() as u64)?;
        let arrived = self.receiver.stamps();
        Ok(self.shown.iter().zip(arrived).map(|(shown, arrived)| (arrived - *shown).as_secs_f64()).collect())
    }
}

fn by_alarm(minutes: u32) -> Result<Vec<f64>> {
    let mut scene = Scene::new()?;
    let params = scene.params();
    let mut action = Action::start(&scene.api.origin(), &scene.api)?;
    for _ in 0..minutes {
        scene.show(Instant::now() + MINUTE);
        action.run(&scene.api, &params, MINUTE)?;
    }
    scene.took()
}

fn by_watch(time: Duration) -> Result<Vec<f64>> {
    let mut scene = Scene::new()?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("config.json");
    fs::write(&file, scene.params().to_string())?;
    let mut command = Command::new(product::binary()?);
    command.args(["watch", "--every", EVERY, "--config"]).arg(&file);
    product::environment(&mut command, &scene.api.origin(), &scene.api);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _watch = Watch(command.spawn().context("cannot start the product")?);
    scene.show(Instant::now() + time);
    scene.took()
}

struct Watch(Child);

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn of_a_hundred_values_the_last_but_one_bounds_ninety_nine() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(super::within(&values), 99.0);
    }
}
