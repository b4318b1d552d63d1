//! B6: the peak memory of an action, with a short and with a long backlog.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use openwhisk_double::{Activation, Double, Matcher, Options};
use serde_json::{Value, json};
use whiskjack_testbed::Certificates;

use super::Effort;
use crate::product::{Action, config, high_water_mark, now_ms};
use crate::receiver::Receiver;
use crate::report::{Row, Sense};
use crate::summary::Summary;
use crate::world::Shape;

/// Monitored actions of the long backlog.
const ACTIONS: usize = 10;
/// Lines in a record.
const LINES: usize = 20;
const SHORT: usize = 10_000;
const LONG: usize = 1_000_000;
const LONGEST: usize = 10_000_000;
/// A run may take all that the platform ever gives it, and more.
const LIMIT: Duration = Duration::from_secs(3600);
/// The starts are spread over so many milliseconds: what is left after a day without a receiver.
const DAY_MS: i64 = 24 * HOUR_MS;
/// The same within an hour: then the look-back alone has many thousands of activations, and each must be accounted for.
const HOUR_MS: i64 = 3_600_000;
/// Times that a run may save its checkpoint.
const SAVES: u64 = 2_000;

/// A record of nearly 10 MB of logs, the most that the platform keeps of one activation: so many lines of so many bytes.
const LARGE: (usize, usize) = (800, 12_000);
const LARGE_ONES: i64 = 12;

pub(super) fn measure(row: &mut Row, effort: Effort) -> Result<()> {
    row.note(
        "The kernel's own mark (`VmHWM`) of an action's process under ActionLoop, read at the end of its run and each time that it saves its \
         checkpoint; API over plain HTTP, receiver over TLS. Records of 20 lines, their starts spread over a day; the long backlog is of ten actions. What it is compared with is of one action: 10,000 lines of \
         ten actions are a thousand each, which fill neither a page nor a window, so that a run never comes to hold what it may hold. Their figure is for information, and so are: the long backlog within an hour, \
         so that 19,000 of its activations are in the look-back and must be known to the next run; the long backlog as documents of ECS, with `lines.multiline` `auto`, `lines.json` and redaction; and twelve records of nearly 10 MB on one page.",
    );
    let (short, long) = if effort.long { (SHORT, LONGEST) } else { (SHORT, LONG) };
    let backlog = |actions: usize, lines: usize, span_ms: i64| {
        let shape = Shape { actions, records: lines / LINES, lines: LINES, span_ms };
        peak(shape.events(), &shape.names(), shape.activations(now_ms()), &Value::Null)
    };
    let shorts = |actions: usize| -> Result<Summary> {
        let peaks =
            (0..effort.times(5)).map(|_| backlog(actions, short, DAY_MS)).collect::<Result<Vec<f64>>>()?;
        Ok(Summary::of(peaks))
    };
    let (short_peak, of_ten) = (shorts(1)?, shorts(ACTIONS)?);
    let long_peak = backlog(ACTIONS, long, DAY_MS)?;
    row.figure(&format!("{} of one action", lines(short)), "MiB", short_peak);
    row.figure(&format!("{} of ten", lines(short)), "MiB", of_ten);
    row.figure(&lines(long), "MiB", Summary::exact(long_peak));
    let large = peak(
        (LARGE.0 as i64 * LARGE_ONES) as u64,
        &["busy".to_owned()],
        (0..LARGE_ONES).map(large_record),
        &Value::Null,
    )?;
    row.figure(
        &format!("{} within an hour", lines(long)),
        "MiB",
        Summary::exact(backlog(ACTIONS, long, HOUR_MS)?),
    );
    let shape = Shape { actions: ACTIONS, records: long / LINES, lines: LINES, span_ms: DAY_MS };
    let all = json!({"events.shape": "ecs", "lines": {"multiline": "auto", "json": true, "redact": ["email", "key"]}});
    let treated = peak(shape.events(), &shape.names(), shape.activations(now_ms()), &all)?;
    row.figure(&format!("{} as ECS, joined, with JSON", lines(long)), "MiB", Summary::exact(treated));
    row.figure("twelve records of 10 MB", "MiB", Summary::exact(large));
    row.goal("peak", "MiB", short_peak.median.max(long_peak), Sense::AtMost, 24.0);
    row.goal("long ÷ short", "×", long_peak / short_peak.median, Sense::AtMost, 1.1);
    Ok(())
}

fn lines(count: usize) -> String {
    if count >= 1_000_000 {
        format!("{} million lines", count / 1_000_000)
    } else {
        format!("{},{:03} lines", count / 1000, count % 1000)
    }
}

fn large_record(number: i64) -> Activation {
    let activation = Activation::new("busy").start(now_ms() - 120_000 + number * 1000);
    (0..LARGE.0).fold(activation, |activation, line| {
        let mut text = format!("{line} GET \"/cart\"\tin {} ms ", line * 7919 % 1000);
        while text.len() < LARGE.1 {
            text.push_str("customer=8f14e45f ");
        }
        text.truncate(LARGE.1);
        activation.stdout(&text)
    })
}

/// The peak in MiB of one run that forwards all of these lines, with `more` in its configuration.
fn peak(
    printed: u64,
    names: &[String],
    activations: impl Iterator<Item = Activation>,
    more: &Value,
) -> Result<f64> {
    let api = Double::start(Options::default());
    api.world().add_all(activations);
    let certificates = Certificates::new();
    let receiver = Receiver::tls(&certificates)?;
    let logstash = json!({"host": "localhost", "port": receiver.port(), "ca": certificates.ca});
    let mut params = config(names, now_ms() - 2 * DAY_MS, logstash, "memory");
    for (key, value) in more.as_object().into_iter().flatten() {
        params[key] = value.clone();
    }
    let mut action = Action::start(&api.origin(), &api)?;
    let seen = watch(&api, action.id());
    let (result, _) = action.run(&api, &params, LIMIT)?;
    let count = |name: &str| result["lines"][name].as_u64().unwrap_or_default();
    let events = count("acknowledged");
    ensure!(events + count("joined") == printed, "not everything was forwarded: {result}");
    receiver.expect(events)?;
    let last = high_water_mark(action.id()).unwrap_or_default();
    let peak = seen.load(Ordering::Relaxed).max(last);
    ensure!(peak > 0, "/proc does not tell how much memory the run took");
    Ok(peak as f64 / 1024.0)
}

/// Reads the mark whenever the process saves its checkpoint: it waits for the answer meanwhile.
fn watch(api: &Double, pid: u32) -> Arc<AtomicU64> {
    let (pid, peak) = (Arc::new(AtomicU32::new(pid)), Arc::new(AtomicU64::new(0)));
    for save in 0..SAVES {
        let (pid, peak) = (pid.clone(), peak.clone());
        api.before_next(Matcher::package().method("PUT").after(save), move |_| {
            let seen = high_water_mark(pid.load(Ordering::Relaxed)).unwrap_or_default();
            peak.fetch_max(seen, Ordering::Relaxed);
        });
    }
    peak
}
