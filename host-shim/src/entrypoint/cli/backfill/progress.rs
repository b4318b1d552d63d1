//! How far a long command is, for people who wait.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::times;
use crate::attached::Progress;
use whiskjack_settings::text::many;

/// Nothing is shown before, and then so often: on a terminal in one line, else in a line each.
const PATIENCE: Duration = Duration::from_secs(2);
const ON_TERMINAL: Duration = Duration::from_millis(500);
const ELSEWHERE: Duration = Duration::from_secs(10);

/// Shows progress on stderr.
#[derive(Clone, Debug)]
pub(super) struct Meter(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    begin: Instant,
    shown: Option<Instant>,
    is_terminal: bool,
    /// By the runs before this one.
    acknowledged: u64,
    /// Where this run began.
    run: Instant,
}

impl Meter {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let is_terminal = io::stderr().is_terminal();
        Self(Arc::new(Mutex::new(State { begin: now, shown: None, is_terminal, acknowledged: 0, run: now })))
    }

    /// Shows it, unless that is too soon.
    pub(super) fn show(&self, progress: Progress) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let every = if state.is_terminal { ON_TERMINAL } else { ELSEWHERE };
        let is_due = state.shown.is_none_or(|shown| now - shown >= every);
        if now - state.begin < PATIENCE || !is_due {
            return;
        }
        state.shown = Some(now);
        let lines = state.acknowledged + progress.acknowledged;
        let text = told(lines, progress, now - state.begin, now - state.run);
        let text = if state.is_terminal { format!("\r{text}\x1b[K") } else { format!("{text}\n") };
        io::stderr().write_all(text.as_bytes()).ok();
    }

    /// A run is over; so many lines were acknowledged in all.
    pub(super) fn run_is_over(&self, acknowledged: u64) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_terminal && state.shown.take().is_some() {
            io::stderr().write_all(b"\r\x1b[K").ok();
        }
        (state.acknowledged, state.run) = (acknowledged, Instant::now());
    }
}

/// `12000 lines, 2400 lines/s, 40 %, 7 s left`
fn told(lines: u64, progress: Progress, since_begin: Duration, since_run: Duration) -> String {
    let rate = lines as f64 / since_begin.as_secs_f64().max(0.001);
    let mut text = format!("{}, {rate:.0} lines/s, {:.0} %", many(lines, "line"), progress.done * 100.0);
    if progress.done > 0.001 && progress.done < 1.0 {
        let left = since_run.as_secs_f64() * (1.0 - progress.done) / progress.done;
        let left = Duration::try_from_secs_f64(left)
            .map_or(u64::MAX, |left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        text.push_str(&format!(", {} left", times::told(left)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_tells_lines_their_rate_and_the_time_left() {
        let seconds = Duration::from_secs;
        let progress = Progress { acknowledged: 10_000, done: 0.4 };
        assert_eq!(
            told(12_000, progress, seconds(5), seconds(4)),
            "12000 lines, 2400 lines/s, 40 %, 6 s left"
        );
        let over = Progress { acknowledged: 1, done: 1.0 };
        assert_eq!(told(1, over, seconds(1), seconds(1)), "1 line, 1 lines/s, 100 %");
        assert_eq!(told(0, Progress::default(), seconds(3), seconds(3)), "0 lines, 0 lines/s, 0 %");
    }
}
