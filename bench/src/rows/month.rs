//! B10: what a month of quiet minutes costs.

use anyhow::Result;
use openwhisk_double::{Double, Options};
use serde_json::json;
use whiskjack_testbed::Certificates;

use super::Effort;
use super::steady::{ACTIONS, KNOWN, LATENCY, Quiet};
use crate::node;
use crate::product::now_ms;
use crate::receiver::Receiver;
use crate::report::{Row, Sense};
use crate::summary::Summary;

/// Minutes of thirty days: runs of an alarm that fires each minute.
const RUNS: f64 = 30.0 * 24.0 * 60.0;
/// Memory of an action, in GB as platforms count it.
const MEMORY: f64 = 128.0 / 1024.0;
/// Of runs that find nothing, so many write, as the checkpoint is too old to rest by then: each third at one a minute. They write twice.
const WRITING: f64 = 1.0 / 3.0;
/// Platforms bill the time of a run in steps of so many milliseconds, rounded up.
const STEP_MS: f64 = 100.0;

pub(super) fn measure(row: &mut Row, effort: Effort) -> Result<()> {
    row.note(
        "Thirty days of an alarm that fires each minute, ten actions in which nothing is new, a warm container of 128 MB, 30 ms for each answer of the API. \
         GB-seconds: runs, times the median run in steps of 100 ms, times 0.125. Writes: requests that change a document in the platform's database, besides the \
         record that the platform writes of each run itself. The measured runs follow each other at once, so none of them writes; the two writes of each third run are added. The forwarder of 2017 keeps its state in that record; its run is timed in a Node.js process that is warm too. \
         A poller that always runs, as Filebeat with its `httpjson` input: one request a minute and action (`request.url`, `interval: 1m`), its state in a file, and \
         the same memory for all seconds of the month; computed, not measured.",
    );
    let mut quiet = Quiet::start(ACTIONS, KNOWN)?;
    quiet.run()?;
    quiet.api.set_latency(LATENCY);
    let (mut walls, mut requests, mut writes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.times(15) {
        quiet.api.forget_requests();
        walls.push(quiet.run()?);
        let seen = quiet.api.requests();
        requests.push(seen.len() as f64);
        writes.push(seen.iter().filter(|request| request.method != "GET").count() as f64);
    }
    let written = 2.0 * WRITING;
    let ours = Month::of(walls, vec![mean(&requests) + written]);
    row.figure("GB-seconds", "", Summary::exact(ours.gb_seconds));
    row.figure("requests", "thousand", Summary::exact(ours.requests / 1e3));
    row.figure("writes", "thousand", Summary::exact((mean(&writes) + written) * RUNS / 1e3));
    node::check()?;
    let old = of_2017(effort)?;
    row.figure("2017: GB-seconds", "", Summary::exact(old.gb_seconds));
    row.figure("its requests", "thousand", Summary::exact(old.requests / 1e3));
    row.figure("a poller that always runs: GB-seconds", "", Summary::exact(RUNS * 60.0 * MEMORY));
    row.figure("its requests", "thousand", Summary::exact(RUNS * ACTIONS as f64 / 1e3));
    row.goal("GB-seconds ÷ 2017", "×", ours.gb_seconds / old.gb_seconds, Sense::AtMost, 1.0);
    row.goal("requests ÷ 2017", "×", ours.requests / old.requests, Sense::AtMost, 1.1);
    Ok(())
}

struct Month {
    gb_seconds: f64,
    requests: f64,
}

impl Month {
    /// Of runs that took so many milliseconds and requests.
    fn of(walls: Vec<f64>, requests: Vec<f64>) -> Self {
        let billed = (Summary::of(walls).median / STEP_MS).ceil() * STEP_MS / 1e3;
        Self { gb_seconds: RUNS * billed * MEMORY, requests: RUNS * mean(&requests) }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn of_2017(effort: Effort) -> Result<Month> {
    let certificates = Certificates::new();
    let receiver = Receiver::tls(&certificates)?;
    let api = Double::start(Options::default());
    node::own_record(&api);
    let names: Vec<String> = (0..ACTIONS).map(|n| format!("quiet-{n}")).collect();
    let logstash = json!({"host": "localhost", "port": receiver.port(), "ca": certificates.ca});
    api.set_latency(LATENCY);
    let rounds = effort.times(15);
    let walls = node::warm(&api, &names, now_ms(), &logstash, rounds)?;
    let requests = api.requests().len() as f64 / walls.len() as f64;
    // The first is not warm.
    Ok(Month::of(walls.into_iter().skip(1).collect(), vec![requests]))
}

#[cfg(test)]
mod tests {
    use super::Month;

    #[test]
    fn a_run_is_billed_in_steps_of_100_ms() {
        let month = Month::of(vec![101.0, 101.0], vec![3.0]);
        assert_eq!((month.gb_seconds, month.requests), (43_200.0 * 0.2 * 0.125, 129_600.0));
    }
}
