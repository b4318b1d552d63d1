//! The world of the trial: activations of a small shop whose logs are those of the benchmarks, and the true numbers about it. It is the
//! same each time.

use std::ops::Range;

use serde_json::{Value, json};
use whiskjack::time;

use crate::lines::{Dice, KINDS};

/// Shortly after the last start, in milliseconds since 1970.
const END_MS: u64 = 1_750_000_000_000;
/// The starts are spread over two hours: a run is complete with one look-back.
const SPAN_MS: u64 = 7_200_000;
const ACTIONS: [&str; 10] = [
    "checkout",
    "resize-image",
    "orders",
    "notify",
    "prices",
    "stock",
    "invoice",
    "search",
    "export",
    "mail",
];
const ERRORS: [&str; 4] = [
    "the payment service did not answer",
    "no stock for the article",
    "customer unknown",
    "the connection pool is exhausted",
];
/// A part of the time in which two of the actions fail.
const BROKEN: (Range<f64>, [&str; 2]) = (0.62..0.71, ["checkout", "invoice"]);
const SEED: u64 = 1859;
/// Lines of an activation.
pub(crate) const LINES: usize = 20;

/// An activation and what is true of it.
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) action: &'static str,
    start_ms: u64,
    pub(crate) duration_ms: u64,
    pub(crate) wait_ms: u64,
    cold: Option<u64>,
    pub(crate) error: Option<&'static str>,
    /// Their times in milliseconds, streams and texts.
    pub(crate) lines: Vec<(u64, &'static str, String)>,
}

impl Run {
    pub(crate) fn is_cold(&self) -> bool {
        self.cold.is_some()
    }

    pub(crate) fn end_ms(&self) -> u64 {
        self.start_ms + self.duration_ms
    }

    /// The record as the platform's API shows it.
    pub(crate) fn record(&self) -> Vec<u8> {
        let logs: Vec<String> = self
            .lines
            .iter()
            .enumerate()
            .map(|(number, (ms, stream, text))| {
                // Finer than milliseconds, as Docker writes it.
                let time = time::rfc3339(*ms);
                format!("{}{:06}Z {stream}: {text}", time.trim_end_matches('Z'), 1_000 * number)
            })
            .collect();
        let mut annotations = vec![
            json!({"key": "path", "value": format!("guest/{}", self.action)}),
            json!({"key": "kind", "value": "nodejs:20"}),
            json!({"key": "waitTime", "value": self.wait_ms}),
            json!({"key": "limits", "value": {"concurrency": 1, "logs": 10, "memory": 256, "timeout": 60_000}}),
            json!({"key": "timeout", "value": false}),
        ];
        annotations.extend(self.cold.map(|ms| json!({"key": "initTime", "value": ms})));
        let response = match self.error {
            None => json!({"status": "success", "statusCode": 0, "success": true, "result": {"ok": true}}),
            Some(error) => {
                json!({"status": "application error", "statusCode": 1, "success": false, "result": {"error": error}})
            }
        };
        let record = json!({
            "activationId": self.id, "annotations": annotations, "duration": self.duration_ms, "end": self.end_ms(), "logs": logs,
            "name": self.action, "namespace": "guest", "publish": false, "response": response, "start": self.start_ms, "subject": "guest",
            "version": "0.0.3",
        });
        record.to_string().into_bytes()
    }
}

/// So many activations, oldest first.
pub(crate) fn runs(count: usize) -> Vec<Run> {
    let mut dice = Dice::new(SEED);
    let mut waiting: Vec<(&'static str, String)> = Vec::new();
    (0..count)
        .map(|number| {
            while waiting.len() < LINES {
                let (_, stream, make) = dice.pick(&KINDS);
                waiting.extend(make(&mut dice).into_iter().map(|line| (*stream, line)));
            }
            let through = number as f64 / count as f64;
            let start_ms = END_MS - SPAN_MS + (SPAN_MS as f64 * tide(through)) as u64;
            // Some actions are called more often than others.
            let action = *dice.pick(&ACTIONS);
            let is_broken = BROKEN.0.contains(&through) && BROKEN.1.contains(&action);
            let error = if is_broken && dice.below(3) > 0 {
                Some(ERRORS[0])
            } else if dice.below(40) == 0 {
                Some(*dice.pick(&ERRORS))
            } else {
                None
            };
            let slow = if is_broken || dice.below(80) == 0 { 1_000 + dice.below(2_000) } else { 0 };
            let duration_ms = 20 + dice.below(200) + slow;
            // Several in a millisecond.
            let line = |(at, (stream, text)): (usize, (&'static str, String))| {
                (start_ms + (at / 3) as u64, stream, text)
            };
            Run {
                id: format!("{:016x}{:016x}", dice.next(), number),
                action,
                start_ms,
                duration_ms,
                wait_ms: dice.below(60),
                cold: (dice.below(20) == 0).then(|| 100 + dice.below(400)),
                error,
                lines: waiting.drain(..LINES).enumerate().map(line).collect(),
            }
        })
        .collect()
}

/// The share of the time after which that share of the activations has started: now more of them, now fewer.
fn tide(share: f64) -> f64 {
    let round = std::f64::consts::TAU * 1.5;
    share - 0.6 * (round * share).sin() / round
}

/// Heartbeats, one every 20 seconds: their times, and lag, owed ranges, acknowledged lines and errors. For five minutes the receiver did
/// not answer.
pub(crate) fn heartbeats(runs: &[Run]) -> Vec<(u64, [u64; 4])> {
    const EVERY_MS: u64 = 20_000;
    let mut waiting = runs.iter().peekable();
    let (mut beats, mut owed_lines) = (Vec::new(), 0);
    for number in 1..=SPAN_MS / EVERY_MS + 1 {
        let time_ms = END_MS - SPAN_MS + number * EVERY_MS;
        while let Some(run) = waiting.next_if(|run| run.end_ms() <= time_ms) {
            owed_lines += run.lines.len() as u64;
        }
        let silent_for = number.saturating_sub(284);
        let is_silent = (1..=15).contains(&silent_for);
        let lag_ms = if is_silent { silent_for * EVERY_MS } else { 900 + number * 7 % 1_500 };
        let acknowledged = if is_silent { 0 } else { std::mem::take(&mut owed_lines) };
        beats.push((time_ms, [lag_ms, u64::from(is_silent) * 3, acknowledged, u64::from(is_silent)]));
    }
    beats
}

/// What is true of a document, however it is written.
pub(crate) struct Row<'w> {
    pub(crate) dataset: &'static str,
    pub(crate) time_ms: u64,
    run: Option<&'w Run>,
    /// Of a heartbeat: lag, owed ranges, acknowledged lines, errors.
    beat: [u64; 4],
}

/// The rows of all lines, activations and heartbeats.
pub(crate) fn rows<'w>(runs: &'w [Run], heartbeats: &[(u64, [u64; 4])]) -> Vec<Row<'w>> {
    let of_run = |run: &'w Run| {
        let lines = run.lines.iter().map(|(time_ms, ..)| (*time_ms, "openwhisk.log"));
        let all = lines.chain([(run.end_ms(), "openwhisk.activation")]);
        all.map(move |(time_ms, dataset)| Row { dataset, time_ms, run: Some(run), beat: [0; 4] })
    };
    let of_beat = |(time_ms, beat): &(u64, [u64; 4])| Row {
        dataset: "openwhisk.forwarder",
        time_ms: *time_ms,
        run: None,
        beat: *beat,
    };
    runs.iter().flat_map(of_run).chain(heartbeats.iter().map(of_beat)).collect()
}

impl Row<'_> {
    /// The value of a field that panels ask for.
    pub(crate) fn value(&self, field: &str) -> Value {
        let Some(run) = self.run else {
            return match field {
                "event.dataset" => json!(self.dataset),
                "whiskjack.lag_ms" => json!(self.beat[0]),
                "whiskjack.owed_ranges" => json!(self.beat[1]),
                "whiskjack.acknowledged_lines" => json!(self.beat[2]),
                "whiskjack.errors" => json!(self.beat[3]),
                _ => Value::Null,
            };
        };
        match field {
            "event.dataset" => json!(self.dataset),
            "event.outcome" => json!(if run.error.is_some() { "failure" } else { "success" }),
            "faas.coldstart" => json!(run.is_cold()),
            "service.name" | "action" => json!(run.action),
            "namespace" => json!("guest"),
            "activation" => json!(run.id),
            "event.duration" => json!(run.duration_ms * 1_000_000),
            "openwhisk.wait_time_ms" => json!(run.wait_ms),
            "openwhisk.log_lines" if self.dataset == "openwhisk.activation" => json!(run.lines.len()),
            "error.message.keyword" if self.dataset == "openwhisk.activation" => json!(run.error),
            _ => Value::Null,
        }
    }
}
