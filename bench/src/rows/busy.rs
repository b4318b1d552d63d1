//! B11: what a busy namespace costs.

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use openwhisk_double::{Activation, Double, Options};
use serde_json::json;
use whiskjack_testbed::Certificates;

use super::Effort;
use crate::cpu;
use crate::product::{Action, config, now_ms};
use crate::receiver::Receiver;
use crate::relay::Relay;
use crate::report::{Row, Sense};
use crate::summary::Summary;
use crate::world::Shape;

const SHAPE: Shape = Shape { actions: 50, records: 1_000, lines: 3, span_ms: 1 };
/// One of so many becomes visible after a run has been by.
const LATE: usize = 20;
/// A second stands for a minute.
const APART: Duration = Duration::from_secs(1);
/// How much later, in milliseconds: a minute and a half.
const LATE_BY_MS: i64 = 1_500;
const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn measure(row: &mut Row, effort: Effort) -> Result<()> {
    row.note(
        "1,000 activations of three lines between two runs, of 50 actions, every twentieth of each with a start that lies before the run before; a second stands \
         for a minute; a warm action, ten runs after three that are not counted, so that the look-back knows what a namespace with so many each minute has. CPU is that of the action's process; \
         requests and bytes are those to the API, heads included.",
    );
    let certificates = Certificates::new();
    let receiver = Receiver::tls(&certificates)?;
    let api = Double::start(Options::default());
    let relay = Relay::start(api.address())?;
    let origin = format!("http://{}", relay.address());
    let logstash = json!({"host": "localhost", "port": receiver.port(), "ca": certificates.ca});
    let mut before_ms = now_ms() - LATE_BY_MS;
    // The first late one starts a millisecond later: `from` is not in it.
    let params = config(&SHAPE.names(), before_ms - LATE_BY_MS - 1, logstash, "busy");
    let mut action = Action::start(&origin, &api)?;
    let (mut spent, mut requests, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    let per = |value: f64| value / SHAPE.records as f64;
    for round in 0..3 + effort.times(10) {
        thread::sleep(APART);
        let now = now_ms();
        api.world().add_all(minute(before_ms, now));
        api.forget_requests();
        let (moved, took) = (relay.bytes(), cpu::of_process(action.id())?);
        let (result, _) = action.run(&api, &params, LIMIT)?;
        // What starts while the run begins would be late too.
        before_ms = now_ms();
        ensure!(result["activations"] == json!(SHAPE.records), "not all that is new was forwarded: {result}");
        let after = relay.bytes();
        if round >= 3 {
            spent.push(per((cpu::of_process(action.id())? - took).as_secs_f64() * 1e6));
            requests.push(per(api.requests().len() as f64));
            bytes.push(per((after.0 + after.1 - moved.0 - moved.1) as f64));
        }
    }
    receiver.expect((3 + effort.times(10)) as u64 * SHAPE.events())?;
    let requests = Summary::of(requests);
    row.figure("CPU an activation", "µs", Summary::of(spent));
    row.figure("requests an activation", "", requests);
    row.figure("bytes an activation", "", Summary::of(bytes));
    // One page for each action, and as much again.
    let bound = per(2.0 * SHAPE.actions as f64);
    row.goal("requests ÷ two a minute and action", "×", requests.median / bound, Sense::AtMost, 2.0);
    Ok(())
}

/// What starts between two times, and what started before and is seen only now.
fn minute(before_ms: i64, now_ms: i64) -> impl Iterator<Item = Activation> {
    let new = SHAPE.activations(now_ms);
    new.enumerate().map(move |(number, activation)| {
        let part = number as i64 * (now_ms - before_ms) / SHAPE.records as i64;
        let start = before_ms + part;
        // Not at its end, which may come after the run has begun.
        let activation = activation.visible_at(now_ms);
        // In turn of each action.
        let is_late = (number + number / SHAPE.actions).is_multiple_of(LATE);
        activation.start(if is_late { start - LATE_BY_MS } else { start })
    })
}
