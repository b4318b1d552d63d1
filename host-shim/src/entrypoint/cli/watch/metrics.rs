//! Numbers for Prometheus, in its text format.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use super::super::times;
use super::super::trouble::Cause;
use super::number;
use crate::attached::Counters;
use crate::os_error;
use crate::result::{RunResult, Verdict};
use crate::said;

/// A client may take so long to send the head of its request.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was counted since the begin, and what the last run said.
#[derive(Debug)]
pub(super) struct Metrics {
    counters: Arc<Counters>,
    seen: Mutex<Seen>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    complete_runs: u64,
    incomplete_runs: u64,
    /// By their cause, in the order of [`Cause::ALL`].
    failed_runs: [u64; Cause::ALL.len()],
    activations: u64,
    acknowledged: u64,
    resent: u64,
    set_aside: u64,
    owed: u64,
    oldest_age_ms: u64,
    lag_ms: u64,
    /// When what is owed and the lag were known.
    known_ms: u64,
    /// When a run came to something; 0 before the first.
    at_ms: u64,
}

/// How far the forwarder had come when the command began, by its checkpoint; without one it is up to date, and lags from then on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Begin {
    pub(super) lag_ms: u64,
    pub(super) owed: u64,
    pub(super) oldest_age_ms: u64,
}

impl Metrics {
    pub(super) fn new(counters: Arc<Counters>, begin: Begin, now_ms: u64) -> Self {
        let Begin { lag_ms, owed, oldest_age_ms } = begin;
        let seen = Seen { lag_ms, owed, oldest_age_ms, known_ms: now_ms, ..Seen::default() };
        Self { counters, seen: Mutex::new(seen) }
    }

    /// Takes in the result of a run, and why it failed if it did.
    pub(super) fn note(&self, result: &RunResult, cause: Option<Cause>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let number = |path: &str| number(result, path);
        match result.verdict {
            Verdict::Complete => seen.complete_runs += 1,
            Verdict::Incomplete | Verdict::InvalidConfig => seen.incomplete_runs += 1,
        }
        let causes = Cause::ALL.iter().zip(&mut seen.failed_runs);
        causes.filter(|((known, _), _)| Some(*known) == cause).for_each(|(_, runs)| *runs += 1);
        seen.activations += number("/activations");
        seen.acknowledged += number("/lines/acknowledged");
        seen.resent += number("/lines/resent");
        seen.set_aside += number("/lines/set_aside");
        // A run that did nothing, or came to nothing, knows neither.
        if result.object.contains_key("lag_ms") && !result.object.contains_key("skipped") {
            seen.owed = number("/left/ranges") + number("/left/records");
            seen.oldest_age_ms = number("/left/oldest_age_ms");
            seen.lag_ms = number("/lag_ms");
            seen.at_ms = times::now_ms();
            seen.known_ms = seen.at_ms;
        }
    }

    fn text(&self, now_ms: u64) -> String {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let [api_errors, receiver_errors] = self.counters.errors();
        // Time goes on between runs, and while they fail.
        let since_ms = now_ms.saturating_sub(seen.known_ms);
        let age_ms = if seen.oldest_age_ms == 0 { 0 } else { seen.oldest_age_ms + since_ms };
        let seconds = |ms: u64| format!("{}.{:03}", ms / 1000, ms % 1000);
        let mut out = String::new();
        let mut put = |name: &str, kind: &str, help: &str, values: &[(&str, String)]| {
            out.push_str(&format!("# HELP whiskjack_{name} {help}\n# TYPE whiskjack_{name} {kind}\n"));
            for (labels, value) in values {
                out.push_str(&format!("whiskjack_{name}{labels} {value}\n"));
            }
        };
        let runs = [
            ("{result=\"complete\"}", seen.complete_runs.to_string()),
            ("{result=\"incomplete\"}", seen.incomplete_runs.to_string()),
        ];
        put("runs_total", "counter", "Runs.", &runs);
        let causes = Cause::ALL.map(|(_, name)| format!("{{cause=\"{name}\"}}"));
        let failed = causes.iter().zip(seen.failed_runs);
        let failed: Vec<(&str, String)> = failed.map(|(cause, runs)| (&**cause, runs.to_string())).collect();
        put("failed_runs_total", "counter", "Runs that failed.", &failed);
        for (name, help, value) in [
            (
                "activations_total",
                "New activations that were read; those of a run that failed are read again.",
                seen.activations,
            ),
            ("lines_acknowledged_total", "Lines that receivers have acknowledged.", seen.acknowledged),
            ("lines_resent_total", "Lines that were sent again.", seen.resent),
            ("lines_set_aside_total", "Lines that no receiver takes.", seen.set_aside),
            ("api_errors_total", "Requests to the API that failed, or that it could not serve.", api_errors),
            ("receiver_errors_total", "Connections to receivers that failed.", receiver_errors),
        ] {
            put(name, "counter", help, &[("", value.to_string())]);
        }
        for (name, help, value) in [
            ("owed", "Ranges and records that the next run goes on with.", seen.owed.to_string()),
            ("owed_age_seconds", "Age of the oldest start that is owed.", seconds(age_ms)),
            (
                "lag_seconds",
                "Time since the oldest start that is not forwarded yet, or since the last run asked.",
                seconds(seen.lag_ms + since_ms),
            ),
            (
                "last_run_timestamp_seconds",
                "End of the last run that came to something.",
                seconds(seen.at_ms),
            ),
        ] {
            put(name, "gauge", help, &[("", value)]);
        }
        out
    }
}

/// Answers on this address as long as the process lives, and tells where that is.
pub(super) async fn serve(address: SocketAddr, metrics: Arc<Metrics>) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| anyhow::anyhow!("--metrics {address}: {}", os_error::deaf(&error)))?;
    said::to_stderr(format_args!("whiskjack: metrics at http://{}/metrics", listener.local_addr()?));
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => _ = tokio::spawn(answer(stream, metrics.clone())),
                // Too many connections: another one must end first.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    });
    Ok(())
}

async fn answer(stream: TcpStream, metrics: Arc<Metrics>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let metrics = metrics.clone();
        async move {
            let (status, body) = match request.uri().path() {
                "/metrics" => (StatusCode::OK, metrics.text(times::now_ms())),
                _ => (StatusCode::NOT_FOUND, "see /metrics\n".to_owned()),
            };
            let mut response = Response::new(Full::new(Bytes::from(body)));
            *response.status_mut() = status;
            if let Ok(kind) = "text/plain; version=0.0.4; charset=utf-8".parse() {
                response.headers_mut().insert(CONTENT_TYPE, kind);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE).keep_alive(false);
    // A client that hangs up is not our fault.
    http.serve_connection(TokioIo::new(stream), service).await.ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn counts_grow_from_run_to_run_and_the_lag_grows_between_them() {
        let metrics = Metrics::new(Arc::default(), Begin::default(), 0);
        let report = |object: serde_json::Value, complete: bool| {
            metrics.note(&RunResult::report(object.to_string().as_bytes(), complete, true, &[], &[]), None);
        };
        report(
            json!({"activations": 2, "lines": {"acknowledged": 5, "resent": 1}, "lag_ms": 20, "left": {"ranges": 0}}),
            true,
        );
        report(
            json!({"error": "x", "lines": {"acknowledged": 1}, "lag_ms": 7_500, "left": {"ranges": 2, "records": 1, "oldest_age_ms": 7_500}}),
            false,
        );
        report(json!({"skipped": "another", "lag_ms": 0}), false);
        let at_ms = metrics.seen.lock().unwrap().at_ms;
        let text = metrics.text(at_ms + 1_000);
        for line in [
            "whiskjack_runs_total{result=\"complete\"} 1",
            "whiskjack_runs_total{result=\"incomplete\"} 2",
            "whiskjack_lines_acknowledged_total 6",
            "whiskjack_lines_resent_total 1",
            "whiskjack_owed 3",
            "whiskjack_owed_age_seconds 8.500",
            "whiskjack_lag_seconds 8.500",
            "# TYPE whiskjack_lag_seconds gauge",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn the_lag_grows_from_the_begin_on_while_no_run_comes_to_anything() {
        let has = |metrics: &Metrics, line: &str| {
            let text = metrics.text(90_000);
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        };
        let anew = Metrics::new(Arc::default(), Begin::default(), 30_000);
        anew.note(&RunResult::error("the API refuses the key"), Some(Cause::Key));
        has(&anew, "whiskjack_failed_runs_total{cause=\"key\"} 1");
        has(&anew, "whiskjack_failed_runs_total{cause=\"api\"} 0");
        has(&anew, "whiskjack_lag_seconds 60.000");
        has(&anew, "whiskjack_last_run_timestamp_seconds 0.000");
        has(&anew, "whiskjack_runs_total{result=\"incomplete\"} 1");
        let begin = Begin { lag_ms: 3_600_000, owed: 2, oldest_age_ms: 7_200_000 };
        let behind = Metrics::new(Arc::default(), begin, 30_000);
        has(&behind, "whiskjack_lag_seconds 3660.000");
        has(&behind, "whiskjack_owed 2");
        has(&behind, "whiskjack_owed_age_seconds 7260.000");
    }
}
