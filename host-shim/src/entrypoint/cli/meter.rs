//! The line at the end of the terminal that tells how far a command is. `indicatif` draws it.
//!
//! It is on stderr, if that is a terminal, and comes when the command has lasted for two seconds. Messages go above it (`said.rs`), and nothing
//! of it stays when the work is over. A thread of its own shows it, so that it is there whatever the work waits for.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::said;

/// Nothing is shown before, and then so often: on a terminal in one place, else in a line each.
const PATIENCE: Duration = Duration::from_secs(2);
const ON_TERMINAL: Duration = Duration::from_millis(500);
const ELSEWHERE: Duration = Duration::from_secs(10);

/// Steps of the bar.
const STEPS: u64 = 1000;
const WITH_BAR: &str = "{bar:20} {msg}";
const WITHOUT_BAR: &str = "{msg}";

/// What is known of work that lasts.
pub(super) trait Progress: Send + 'static {
    /// What there is to show when the work has lasted so long; nothing if nobody can say anything.
    fn shown(&self, elapsed: Duration) -> Option<Shown>;
}

/// What is shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown {
    pub(super) text: String,
    /// The part that is done, from 0 to 1, if it is known.
    pub(super) part: Option<f64>,
}

/// Shows progress until it is dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Meter {
    ended: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Whether somebody sees the line.
pub(super) fn is_seen() -> bool {
    !ProgressDrawTarget::stderr().is_hidden()
}

impl Meter {
    /// For people only.
    pub(super) fn on_terminal(progress: impl Progress) -> Self {
        match is_seen() {
            true => Self::start(progress, ON_TERMINAL, draw),
            false => Self { ended: None, thread: None },
        }
    }

    /// In lines now and then where nothing can be drawn.
    pub(super) fn anywhere(progress: impl Progress) -> Self {
        match is_seen() {
            true => Self::on_terminal(progress),
            false => Self::start(progress, ELSEWHERE, |shown| said::to_stderr(shown.text)),
        }
    }

    fn start(progress: impl Progress, every: Duration, show: fn(Shown)) -> Self {
        let (ended, end) = channel();
        let begin = Instant::now();
        let work = move || show_until(&end, &progress, begin, every, show);
        // Without a thread there is no progress to see, and the work goes on.
        let thread = thread::Builder::new().name("progress".to_owned()).spawn(work).ok();
        Self { ended: Some(ended), thread }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        drop(self.ended.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn show_until(
    end: &Receiver<()>,
    progress: &impl Progress,
    begin: Instant,
    every: Duration,
    show: fn(Shown),
) {
    let mut pause = PATIENCE;
    // Nobody sends: the other side goes away.
    while end.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        progress.shown(begin.elapsed()).into_iter().for_each(show);
        pause = every;
    }
    said::draw(|drawn| drawn.take().into_iter().for_each(|bar| bar.finish_and_clear()));
}

fn draw(shown: Shown) {
    let Shown { text, part } = shown;
    said::draw(|drawn| {
        let new = || ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
        let bar = drawn.get_or_insert_with(new);
        let template = if part.is_some() { WITH_BAR } else { WITHOUT_BAR };
        // The templates are sound.
        ProgressStyle::with_template(template).into_iter().for_each(|style| bar.set_style(style));
        bar.set_position((part.unwrap_or_default() * STEPS as f64) as u64);
        bar.set_message(text);
    });
}
