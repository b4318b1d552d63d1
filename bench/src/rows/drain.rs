//! B5: how long a backlog takes.

use std::time::Duration;

use anyhow::Result;
use openwhisk_double::{Double, Options};
use serde_json::json;
use whiskjack_testbed::Certificates;

use super::Effort;
use crate::product::{self, config, now_ms};
use crate::receiver::Receiver;
use crate::report::{Row, Sense};
use crate::summary::Summary;
use crate::world::Shape;

const SHAPE: Shape = Shape { actions: 10, records: 100_000, lines: 3, span_ms: 3_600_000 };
const LATENCY: Duration = Duration::from_millis(30);
/// Rows of the API's largest page.
const PAGE: u64 = 200;
/// Requests before and after the pages, one behind the other whatever the number of workers: package, lease, counts, checkpoint.
const FIXED: u64 = 4;
/// `logstash.worker`: one, and some.
const WORKERS: [u32; 2] = [1, 4];

pub(super) fn measure(row: &mut Row, effort: Effort) -> Result<()> {
    row.note(
        "100,000 records of three lines, of ten actions, from the start of `whiskjack run` to its end, with 1 and with 4 for `logstash.worker`. The \
         bound is the greater of two: 500 requests (200 records a page), one after the other on each worker, and four for checkpoint, lease and counts, of which each \
         needs the answer of the one before, at 30 ms; and the CPU time that the run took. The receiver checks that events are JSON, but does not decode them: it runs on the same \
         two cores, as the API double does.",
    );
    let certificates = Certificates::new();
    let receiver = Receiver::frugal(&certificates)?;
    let api = Double::start(Options::default());
    let now = now_ms();
    api.world().add_all(SHAPE.activations(now));
    api.set_latency(LATENCY);
    let from = now - SHAPE.span_ms - 60_000;
    let mut seen = WORKERS.map(|_| Drained::default());
    for round in 0..effort.times(3) {
        for (workers, drained) in WORKERS.into_iter().zip(&mut seen) {
            api.forget_requests();
            let logstash = json!({
                "host": "localhost", "port": receiver.port(), "ca": certificates.ca, "worker": workers,
            });
            let params = config(&SHAPE.names(), from, logstash, &format!("drain-{workers}-{round}"));
            let expected = receiver.arrived() + SHAPE.events();
            let ran = product::run(&api.origin(), &api, &params, |_| ())?.forwarded(SHAPE.events())?;
            receiver.expect(expected)?;
            drained.requests.push(api.requests().len() as f64);
            drained.wall.push(ran.wall.as_secs_f64());
            drained.cpu.push(ran.cpu.as_secs_f64());
        }
    }
    for (workers, drained) in WORKERS.into_iter().zip(seen) {
        drained.report(row, workers);
    }
    Ok(())
}

#[derive(Default)]
struct Drained {
    requests: Vec<f64>,
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Drained {
    fn report(self, row: &mut Row, workers: u32) {
        let name = if workers == 1 { "1 worker".to_owned() } else { format!("{workers} workers") };
        let bounds = self.cpu.iter().map(|cpu| bound(workers, *cpu));
        let bounds: Vec<f64> = bounds.collect();
        let ratio = Summary::of(self.wall.iter().zip(&bounds).map(|(wall, bound)| wall / bound));
        row.figure(&name, "s", Summary::of(self.wall));
        row.figure("its bound", "s", Summary::of(bounds));
        row.figure("its requests", "", Summary::of(self.requests));
        row.figure("its CPU", "s", Summary::of(self.cpu));
        row.goal(&name, "×", ratio.median, Sense::AtMost, 1.2);
    }
}

/// Seconds that it takes at least.
fn bound(workers: u32, cpu_seconds: f64) -> f64 {
    let pages = (SHAPE.records as u64).div_ceil(PAGE) as f64;
    let waiting = (FIXED as f64 + pages / f64::from(workers)) * LATENCY.as_secs_f64();
    waiting.max(cpu_seconds)
}

#[cfg(test)]
mod tests {
    use super::bound;

    #[test]
    fn the_bound_is_waiting_or_working_whichever_takes_longer() {
        assert!((bound(1, 2.0) - 15.12).abs() < 1e-9);
        assert!((bound(4, 2.0) - 3.87).abs() < 1e-9);
        assert!((bound(4, 5.0) - 5.0).abs() < 1e-9);
    }
}
