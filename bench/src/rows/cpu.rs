//! B2: events per second of CPU, from the API's page to the receiver's acknowledgement.

use std::time::Duration;

use anyhow::Result;
use openwhisk_double::{Double, Options};
use serde_json::json;
use whiskjack_testbed::Certificates;

use super::Effort;
use crate::node::{self, MOST_RECORDS};
use crate::product::{self, config, now_ms};
use crate::receiver::Receiver;
use crate::report::{Row, Sense};
use crate::summary::Summary;
use crate::world::Shape;

/// All that the forwarder of 2017 can take in one run.
const SHAPE: Shape = Shape { actions: 10, records: 10 * MOST_RECORDS, lines: 30, span_ms: 600_000 };
/// A backlog, for us alone.
const LARGE: Shape = Shape { actions: 10, records: 20_000, lines: 20, span_ms: 3_600_000 };

pub(super) fn measure(row: &mut Row, effort: Effort) -> Result<()> {
    row.note(
        "User and system time of the whole process from its start on; the forwarder of 2017, which does not end, until all lines have arrived. \
         Same records, same server (go-lumber over TLS), plain HTTP to the API. 9,000 lines are the most that the forwarder of 2017 takes of ten \
         actions; it is given a window of that size, as go-lumber closes its connection after the first one.",
    );
    let certificates = Certificates::new();
    let receiver = Receiver::tls(&certificates)?;
    let logstash = json!({"host": "localhost", "port": receiver.port(), "ca": certificates.ca});
    let (mut ours, mut old) = (Vec::new(), Vec::new());
    let there = node::check();
    {
        let api = Double::start(Options::default());
        let from = fill(&api, SHAPE);
        node::own_record(&api);
        for round in 0..effort.times(10) {
            let params = config(&SHAPE.names(), from, logstash.clone(), &format!("cpu-{round}"));
            let expected = receiver.arrived() + SHAPE.events();
            let ran = product::run(&api.origin(), &api, &params, |_| ())?.forwarded(SHAPE.events())?;
            receiver.expect(expected)?;
            ours.push(per_second(SHAPE, ran.cpu));
            if there.is_ok() {
                let expected = receiver.arrived() + SHAPE.events();
                let arrived = || receiver.expect(expected);
                let cpu = node::run(&api, &SHAPE.names(), from, &logstash, SHAPE.events(), arrived)?;
                old.push(per_second(SHAPE, cpu));
            }
        }
    }
    let (ours, old) = (Summary::of(ours), Summary::of(old));
    row.figure("whiskjack", "events/s", ours);
    row.figure("with a backlog of 400,000 lines", "events/s", backlog(&receiver, &logstash, effort)?);
    there?;
    row.figure("2017 on Node", "events/s", old);
    row.goal("", "×", ours.median / old.median, Sense::AtLeast, 10.0);
    Ok(())
}

fn backlog(receiver: &Receiver, logstash: &serde_json::Value, effort: Effort) -> Result<Summary> {
    let api = Double::start(Options::default());
    let from = fill(&api, LARGE);
    let mut seen = Vec::new();
    for round in 0..effort.times(3) {
        let params = config(&LARGE.names(), from, logstash.clone(), &format!("large-{round}"));
        let expected = receiver.arrived() + LARGE.events();
        let ran = product::run(&api.origin(), &api, &params, |_| ())?.forwarded(LARGE.events())?;
        receiver.expect(expected)?;
        seen.push(per_second(LARGE, ran.cpu));
    }
    Ok(Summary::of(seen))
}

/// Adds the records; returns where to begin.
fn fill(api: &Double, shape: Shape) -> i64 {
    let now = now_ms();
    api.world().add_all(shape.activations(now));
    now - shape.span_ms - 60_000
}

fn per_second(shape: Shape, cpu: Duration) -> f64 {
    shape.events() as f64 / cpu.as_secs_f64()
}
