//! How far a long command is, for people who wait.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::times;
use crate::attached::Counters;
use crate::run::{OwnFile, done};
use whiskjack_settings::text::many;

/// Nothing is shown before, and then so often: on a terminal in one line, else in a line each.
const PATIENCE: Duration = Duration::from_secs(2);
const ON_TERMINAL: Duration = Duration::from_millis(500);
const ELSEWHERE: Duration = Duration::from_secs(10);

/// Steps of the bar.
const STEPS: u64 = 1000;

/// A bar of the part that is done, with the text behind it.
fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{bar:20} {msg}") {
        Ok(style) => bar.with_style(style),
        // The template is sound.
        Err(_) => bar,
    }
}

/// Shows progress on stderr.
#[derive(Clone, Debug)]
pub(super) struct Meter(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    begin: Instant,
    is_terminal: bool,
    /// What a terminal shows now.
    bar: Option<ProgressBar>,
    /// Lines that processes before this one brought, and those of this one.
    before: u64,
    counters: Arc<Counters>,
    /// The part that was done when this process began, and that is done.
    done_before: f64,
    done: f64,
}

impl Meter {
    /// One for the checkpoint in this file, if there is one.
    pub(super) fn new(own: Option<&OwnFile>, counters: Arc<Counters>) -> Self {
        let saved = own.and_then(|own| std::fs::read(own.path()).ok());
        let done = saved.and_then(|saved| done(&saved)).unwrap_or(0.0);
        Self(Arc::new(Mutex::new(State {
            begin: Instant::now(),
            is_terminal: io::stderr().is_terminal(),
            bar: None,
            before: own.map_or(0, OwnFile::acknowledged),
            counters,
            done_before: done,
            done,
        })))
    }

    /// Takes in which part the checkpoint has done.
    pub(super) fn note(&self, done: f64) {
        self.state().done = done;
    }

    /// A run is over. What is shown gives way to what is said now.
    pub(super) fn run_is_over(&self) {
        if let Some(bar) = self.state().bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Shows it again and again, for ever.
    pub(super) async fn go_on(&self) {
        tokio::time::sleep(PATIENCE).await;
        let every = if self.state().is_terminal { ON_TERMINAL } else { ELSEWHERE };
        loop {
            self.show();
            tokio::time::sleep(every).await;
        }
    }

    fn show(&self) {
        let mut state = self.state();
        let text = state.told(state.begin.elapsed());
        if !state.is_terminal {
            io::stderr().write_all(format!("{text}\n").as_bytes()).ok();
            return;
        }
        let done = state.done;
        let bar = state.bar.get_or_insert_with(bar);
        bar.set_position((done * STEPS as f64) as u64);
        bar.set_message(text);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// `12000 lines acknowledged (2000 before), 2000 lines/s, 40 % of the range, 7 s left`
    fn told(&self, elapsed: Duration) -> String {
        let (new, done) = (self.counters.acknowledged(), self.done);
        let rate = new as f64 / elapsed.as_secs_f64().max(0.001);
        let before = if self.before > 0 { format!(" ({} before)", self.before) } else { String::new() };
        // Only what is done is: 99.9 % are not 100.
        let percent = (done * 100.0).floor();
        let lines = many(self.before + new, "line");
        let mut text =
            format!("{lines} acknowledged{before}, {rate:.0} lines/s, {percent:.0} % of the range");
        let gained = done - self.done_before;
        if gained > 0.001 && done < 1.0 {
            let left = Duration::try_from_secs_f64(elapsed.as_secs_f64() * (1.0 - done) / gained);
            let left = left.map_or(u64::MAX, |left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
            text.push_str(&format!(", {} left", times::told(left)));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn told(meter: &Meter, elapsed: Duration) -> String {
        meter.state().told(elapsed)
    }

    #[test]
    fn progress_tells_lines_their_rate_and_the_time_left() {
        let counters = Arc::new(Counters::default());
        let meter = Meter::new(None, counters.clone());
        assert_eq!(told(&meter, 3 * SECOND), "0 lines acknowledged, 0 lines/s, 0 % of the range");
        counters.note_acknowledged(12_000);
        meter.note(0.4);
        let expected = "12000 lines acknowledged, 2400 lines/s, 40 % of the range, 7 s left";
        assert_eq!(told(&meter, 5 * SECOND), expected);
        meter.note(0.9999);
        assert!(told(&meter, 5 * SECOND).contains(", 99 % of"), "not all");
        meter.note(1.0);
        assert!(told(&meter, 5 * SECOND).ends_with(", 100 % of the range"));
    }

    #[test]
    fn what_processes_before_have_done_counts_and_is_none_of_the_rate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let kept = r#"{"version":3,"sources":{"a":{"origin":1,"through":100,"owed":[{"range":[1,50]}]}},"backfill":{"acknowledged":500}}"#;
        std::fs::write(&path, kept).unwrap();
        let own = OwnFile::new(path, serde_json::Map::new());
        let counters = Arc::new(Counters::default());
        let meter = Meter::new(Some(&own), counters.clone());
        assert_eq!(
            told(&meter, 2 * SECOND),
            "500 lines acknowledged (500 before), 0 lines/s, 50 % of the range"
        );
        counters.note_acknowledged(100);
        meter.note(0.75);
        let expected = "600 lines acknowledged (500 before), 50 lines/s, 75 % of the range, 2 s left";
        assert_eq!(told(&meter, 2 * SECOND), expected);
    }
}
