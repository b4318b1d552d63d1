//! B13: the cost of documents in the shape of ECS, and of the treatment of lines for them.

use std::fs;
use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use whiskjack_bench_guest::memory::{Acknowledging, Api};
use whiskjack_bench_guest::{Records, pipeline_with};

use super::Effort;
use crate::contest;
use crate::report::{Row, Sense};
use crate::summary::Summary;
use crate::world::Shape;

const SHAPE: Shape = Shape { actions: 10, records: 3_000, lines: 20, span_ms: 600_000 };

pub(super) fn measure(row: &mut Row, effort: Effort) -> Result<()> {
    row.note(
        "A whole run of the core, native, with API and receiver in its own memory, in turn with the shape of 2017: time a line, and bytes that the \
         receiver gets. All: `lines.multiline` `auto`, `lines.json`, redaction of `email` and `key`.",
    );
    let file = contest::records(SHAPE)?;
    let records = Records::new(&fs::read(file.path())?);
    let api = Api::new(&records);
    let of_2017 = Value::Null;
    let ecs = json!({"events.shape": "ecs"});
    let all = json!({"events.shape": "ecs", "lines": {"multiline": "auto", "json": true, "redact": ["email", "key"]}});
    let (mut cpu, mut bytes, mut treated) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.times(25) {
        let [plain, shaped, full] = [&of_2017, &ecs, &all].map(|parameters| one(&api, parameters));
        let (plain, shaped, full) = (plain?, shaped?, full?);
        cpu.push(shaped.0 / plain.0);
        bytes.push(shaped.1 / plain.1);
        treated.push(full.0 / plain.0);
    }
    let (cpu, bytes, treated) = (Summary::of(cpu), Summary::of(bytes), Summary::of(treated));
    row.figure("ECS, time", "×", cpu);
    row.figure("ECS, bytes", "×", bytes);
    row.figure("all, time", "×", treated);
    row.goal("ECS, time", "×", cpu.median, Sense::AtMost, 1.25);
    row.goal("ECS, bytes", "×", bytes.median, Sense::AtMost, 1.15);
    row.goal("all, time", "×", treated.median, Sense::AtMost, 2.5);
    Ok(())
}

/// Seconds and bytes of one run.
fn one(api: &Api<'_>, parameters: &Value) -> Result<(f64, f64)> {
    let receiver = Acknowledging::default();
    let began = Instant::now();
    let lines = pipeline_with(api, &receiver, parameters.clone());
    let seconds = began.elapsed().as_secs_f64();
    ensure!(lines == SHAPE.events(), "not everything was forwarded: {lines} lines");
    Ok((seconds, receiver.bytes() as f64))
}
