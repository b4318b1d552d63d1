//! B5: how long a backlog takes.

use std::num::NonZero;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use openwhisk_double::{Double, Options};
use serde_json::json;
use whiskjack_testbed::Certificates;

use super::Effort;
use crate::cpu;
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
/// Actions whose shares of the records are very unequal: each has two thirds of what the one before has.
const UNEQUAL: usize = 20;

/// What is drained, and with how many for `logstash.worker`.
#[derive(Clone, Copy)]
struct Case {
    workers: u32,
    is_unequal: bool,
}

const CASES: [Case; 3] = [
    Case { workers: 1, is_unequal: false },
    Case { workers: 4, is_unequal: false },
    Case { workers: 16, is_unequal: true },
];

impl Case {
    fn name(self) -> String {
        let workers =
            if self.workers == 1 { "1 worker".to_owned() } else { format!("{} workers", self.workers) };
        if self.is_unequal { format!("{workers}, {UNEQUAL} unequal actions") } else { workers }
    }
}

pub(super) fn measure(row: &mut Row, effort: Effort) -> Result<()> {
    row.note(
        "100,000 records of three lines, of ten actions, from the start of `whiskjack run` to its end, with 1 and with 4 for `logstash.worker`; and \
         with 16, of twenty actions of which each has two thirds of the records of the one before. The \
         bound is four requests for checkpoint, lease and counts at 30 ms, of which each needs the answer of the one before, and the greater of two: 500 requests (200 records a page) at 30 ms, \
         one after the other on each worker; and the CPU time that the run and its peers took, shared by the cores of this machine. The API double and \
         the receiver run on the same cores; the receiver checks that events are JSON, but does not decode them.",
    );
    let certificates = Certificates::new();
    let receiver = Receiver::frugal(&certificates)?;
    let now = now_ms();
    let even = Double::start(Options::default());
    even.world().add_all(SHAPE.activations(now));
    let unequal = Double::start(Options::default());
    unequal.world().add_all(SHAPE.activations_of(now, |number| unequal_name(share(number))));
    let mut seen = CASES.map(|_| Drained::default());
    for round in 0..effort.times(3) {
        for (case, drained) in CASES.into_iter().zip(&mut seen) {
            let (api, names) =
                if case.is_unequal { (&unequal, unequal_names()) } else { (&even, SHAPE.names()) };
            api.set_latency(LATENCY);
            api.forget_requests();
            let logstash = json!({
                "host": "localhost", "port": receiver.port(), "ca": certificates.ca, "worker": case.workers,
            });
            let from = now - SHAPE.span_ms - 60_000;
            let params = config(&names, from, logstash, &format!("drain-{}-{round}", case.workers));
            let expected = receiver.arrived() + SHAPE.events();
            let peers = || Ok::<_, anyhow::Error>(cpu::of_this_process()? + cpu::of_process(receiver.id())?);
            let before = peers()?;
            let ran = product::run(&api.origin(), api, &params, |_| ())?.forwarded(SHAPE.events())?;
            receiver.expect(expected)?;
            drained.peers.push((peers()? - before).as_secs_f64());
            drained.requests.push(api.requests().len() as f64);
            drained.wall.push(ran.wall.as_secs_f64());
            drained.cpu.push(ran.cpu.as_secs_f64());
        }
    }
    for (case, drained) in CASES.into_iter().zip(seen) {
        drained.report(row, case);
    }
    Ok(())
}

fn unequal_names() -> Vec<String> {
    (0..UNEQUAL).map(unequal_name).collect()
}

fn unequal_name(share: usize) -> String {
    format!("share-{share}")
}

/// To which action a record belongs: to the first one of three, to the next two thirds of that, and so on; to the last what is left.
fn share(number: usize) -> usize {
    // Spreads numbers that follow each other over all 32 bits (Knuth's multiplicative hash).
    let spread = (number as u32).wrapping_mul(2_654_435_761);
    let draw = (f64::from(spread) + 1.0) / (f64::from(u32::MAX) + 1.0);
    ((draw.ln() / (2.0_f64 / 3.0).ln()) as usize).min(UNEQUAL - 1)
}

#[derive(Default)]
struct Drained {
    requests: Vec<f64>,
    wall: Vec<f64>,
    cpu: Vec<f64>,
    /// CPU time of the API double and the receiver.
    peers: Vec<f64>,
}

impl Drained {
    fn report(self, row: &mut Row, case: Case) {
        let name = case.name();
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let all = self.cpu.iter().zip(&self.peers).map(|(own, peers)| own + peers);
        let bounds: Vec<f64> = all.map(|cpu| bound(case.workers, cpu / cores as f64)).collect();
        let ratio = Summary::of(self.wall.iter().zip(&bounds).map(|(wall, bound)| wall / bound));
        row.figure(&name, "s", Summary::of(self.wall));
        row.figure("its bound", "s", Summary::of(bounds));
        row.figure("its requests", "", Summary::of(self.requests));
        row.figure("its CPU", "s", Summary::of(self.cpu));
        row.figure("its peers'", "s", Summary::of(self.peers));
        row.goal(&name, "×", ratio.median, Sense::AtMost, 1.2);
    }
}

/// Seconds that it takes at least, if each core has to work for so many.
fn bound(workers: u32, busy_seconds: f64) -> f64 {
    let pages = (SHAPE.records as u64).div_ceil(PAGE) as f64;
    let waiting = pages / f64::from(workers) * LATENCY.as_secs_f64();
    FIXED as f64 * LATENCY.as_secs_f64() + waiting.max(busy_seconds)
}

#[cfg(test)]
mod tests {
    use super::{SHAPE, UNEQUAL, bound, share};

    #[test]
    fn shares_are_very_unequal_and_nobody_has_none() {
        let mut shares = [0_usize; UNEQUAL];
        (0..SHAPE.records).for_each(|number| shares[share(number)] += 1);
        assert!((32_000..35_000).contains(&shares[0]) && (21_000..24_000).contains(&shares[1]), "{shares:?}");
        assert!(shares.iter().all(|share| *share >= 10), "{shares:?}");
    }

    #[test]
    fn the_bound_is_waiting_or_working_whichever_takes_longer() {
        assert!((bound(1, 2.0) - 15.12).abs() < 1e-9);
        assert!((bound(4, 2.0) - 3.87).abs() < 1e-9);
        assert!((bound(4, 5.0) - 5.12).abs() < 1e-9);
    }
}
