//! The world of the trial: activations of a small shop whose logs are those of the benchmarks, and the true numbers about it. It is the
//! same each time.

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
    "no stock for the article",
    "the payment service did not answer",
    "customer unknown",
    "the connection pool is exhausted",
];
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
            let start_ms = END_MS - SPAN_MS + SPAN_MS * number as u64 / count as u64;
            let slow = if dice.below(50) == 0 { 3_000 } else { 0 };
            let duration_ms = 20 + dice.below(200) + slow;
            // Several in a millisecond.
            let line = |(at, (stream, text)): (usize, (&'static str, String))| {
                (start_ms + (at / 3) as u64, stream, text)
            };
            Run {
                id: format!("{:016x}{:016x}", dice.next(), number),
                action: ACTIONS[number % ACTIONS.len()],
                start_ms,
                duration_ms,
                wait_ms: dice.below(60),
                cold: (number % 13 == 0).then(|| 100 + dice.below(400)),
                error: (number % 11 == 0).then(|| *dice.pick(&ERRORS)),
                lines: waiting.drain(..LINES).enumerate().map(line).collect(),
            }
        })
        .collect()
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
