//! What is told of work that lasts: its lines, or its steps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::meter::{self, Meter, Progress, Shown};
use super::times;
use crate::attached::{Counters, Watcher};
use crate::doing::{Doing, Step};
use crate::run::{Keeper, RunContext, done_since};
use whiskjack_settings::text::many;

/// Words for what moves on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    /// One of them.
    pub(super) unit: &'static str,
    /// What has become of those that count.
    pub(super) done: &'static str,
    /// What the part is a part of.
    pub(super) whole: &'static str,
}

/// Of runs that forward what there is to forward.
const FORWARDED: Words = Words { unit: "line", done: "acknowledged", whole: "of what was owed" };

/// How far the lines are. Only those count that are acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Lines(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    words: Words,
    counters: Arc<Counters>,
    /// What the counters showed at the begin.
    at_begin: u64,
    /// Lines that processes before this one brought.
    before: u64,
    /// The part that was done at the begin, and that is done, if it is known.
    part: Option<[f64; 2]>,
    /// What is waited for, and until when.
    rest: Option<(&'static str, Instant)>,
}

impl Lines {
    /// From now on.
    pub(super) fn new(words: Words, counters: Arc<Counters>) -> Self {
        let at_begin = counters.acknowledged();
        Self(Arc::new(Mutex::new(State { words, counters, at_begin, before: 0, part: None, rest: None })))
    }

    /// The same after processes that brought so many lines and did this part.
    pub(super) fn after(self, lines: u64, part: f64) -> Self {
        let mut state = self.state();
        (state.before, state.part) = (lines, Some([part; 2]));
        drop(state);
        self
    }

    /// This part is done.
    pub(super) fn note(&self, done: f64) {
        let mut state = self.state();
        let [begin, _] = state.part.unwrap_or_default();
        state.part = Some([begin, done]);
    }

    /// Nothing moves on until then.
    pub(super) fn rest(&self, what: &'static str, pause: Duration) {
        self.state().rest = Some((what, Instant::now() + pause));
    }

    /// It goes on.
    pub(super) fn go_on(&self) {
        self.state().rest = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows how far the next run in this context is.
pub(super) fn of_run(context: &mut RunContext) -> Meter {
    let lines = Lines::new(FORWARDED, context.attached.counters.clone());
    if meter::is_seen() {
        let noting = lines.clone();
        context.attached.watcher = Some(Watcher::new(move |advance| {
            done_since(advance).into_iter().for_each(|done| noting.note(done));
        }));
        // Only a save tells what is done; in a file it costs little.
        context.attached.saves_often = matches!(context.checkpoint, Keeper::File(_));
    }
    Meter::on_terminal(lines)
}

impl Progress for Lines {
    fn shown(&self, elapsed: Duration) -> Option<Shown> {
        let state = self.state();
        Some(Shown { text: state.told(elapsed), part: state.part.map(|[_, done]| done) })
    }
}

impl State {
    /// `12000 lines acknowledged (2000 before), 2000 lines/s, 40 % of the range, 7 s left`
    fn told(&self, elapsed: Duration) -> String {
        let Words { unit, done, whole } = self.words;
        let new = self.counters.acknowledged().saturating_sub(self.at_begin);
        let before = if self.before > 0 { format!(" ({} before)", self.before) } else { String::new() };
        let mut text = format!("{} {done}{before}", many(self.before + new, unit));
        if let Some((what, until)) = self.rest {
            let left = until.saturating_duration_since(Instant::now());
            return format!("{text}; {what} in {}", words(left));
        }
        let rate = new as f64 / elapsed.as_secs_f64().max(0.001);
        text.push_str(&format!(", {rate:.0} {unit}s/s"));
        if let Some([begin, done]) = self.part {
            // Only what is done is: 99.9 % are not 100.
            text.push_str(&format!(", {:.0} % {whole}", (done * 100.0).floor()));
            let gained = done - begin;
            if gained > 0.001 && done < 1.0 {
                let left = Duration::try_from_secs_f64(elapsed.as_secs_f64() * (1.0 - done) / gained);
                text.push_str(&format!(", {} left", words(left.unwrap_or(Duration::MAX))));
            }
        }
        text
    }
}

impl Progress for Doing {
    /// `3 of 14 done; index template whiskjack, 4 s`, or `waiting for the first run, 12 s; 108 s left at most`
    fn shown(&self, _: Duration) -> Option<Shown> {
        let Step { name, since, at_most, count } = self.now()?;
        let elapsed = since.elapsed();
        let step = format!("{name}, {}", words(whole(elapsed)));
        let mut text = match count {
            Some([over, all]) => format!("{over} of {all} done; {step}"),
            None => format!("waiting for {step}"),
        };
        if let Some(limit) = at_most {
            text.push_str(&format!("; {} left at most", words(whole(limit.saturating_sub(elapsed)))));
        }
        Some(Shown { text, part: count.map(|[over, all]| over as f64 / all.max(1) as f64) })
    }
}

/// In whole seconds: `0 s`, not `3 ms`.
fn whole(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs())
}

fn words(time: Duration) -> String {
    match time.as_secs() {
        0 if time.is_zero() => "0 s".to_owned(),
        _ => times::told(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const RANGE: Words = Words { whole: "of the range", ..FORWARDED };

    fn told(lines: &Lines, elapsed: Duration) -> String {
        lines.shown(elapsed).unwrap().text
    }

    #[test]
    fn progress_tells_lines_their_rate_and_the_time_left() {
        let counters = Arc::new(Counters::default());
        let lines = Lines::new(RANGE, counters.clone()).after(0, 0.0);
        assert_eq!(told(&lines, 3 * SECOND), "0 lines acknowledged, 0 lines/s, 0 % of the range");
        counters.note_acknowledged(12_000);
        lines.note(0.4);
        let expected = "12000 lines acknowledged, 2400 lines/s, 40 % of the range, 7 s left";
        assert_eq!(told(&lines, 5 * SECOND), expected);
        lines.note(0.9999);
        assert!(told(&lines, 5 * SECOND).contains(", 99 % of"), "not all");
        lines.note(1.0);
        assert!(told(&lines, 5 * SECOND).ends_with(", 100 % of the range"));
        lines.rest("compared once more", 60 * SECOND);
        assert!(told(&lines, 5 * SECOND).starts_with("12000 lines acknowledged; compared once more in "));
        lines.go_on();
        assert!(told(&lines, 5 * SECOND).ends_with(", 100 % of the range"));
    }

    #[test]
    fn what_processes_before_have_done_counts_and_is_none_of_the_rate() {
        let counters = Arc::new(Counters::default());
        let lines = Lines::new(RANGE, counters.clone()).after(500, 0.5);
        let expected = "500 lines acknowledged (500 before), 0 lines/s, 50 % of the range";
        assert_eq!(told(&lines, 2 * SECOND), expected);
        counters.note_acknowledged(100);
        lines.note(0.75);
        let expected = "600 lines acknowledged (500 before), 50 lines/s, 75 % of the range, 2 s left";
        assert_eq!(told(&lines, 2 * SECOND), expected);
    }

    #[test]
    fn without_a_checkpoint_to_look_at_there_is_no_part_and_lines_of_earlier_runs_are_not_of_this_one() {
        let counters = Arc::new(Counters::default());
        counters.note_acknowledged(70);
        let lines = Lines::new(FORWARDED, counters.clone());
        counters.note_acknowledged(1);
        let shown = lines.shown(2 * SECOND).unwrap();
        let text = "1 line acknowledged, 0 lines/s".to_owned();
        assert_eq!(shown, Shown { text, part: None });
        lines.note(0.5);
        assert_eq!(
            told(&lines, 2 * SECOND),
            "1 line acknowledged, 0 lines/s, 50 % of what was owed, 2 s left"
        );
    }

    #[test]
    fn a_step_is_told_with_its_time_with_those_that_are_over_and_with_its_limit() {
        let doing = Doing::default();
        assert_eq!(doing.shown(SECOND), None);
        doing.begin_limited("the first run", Some(100 * SECOND));
        let shown = doing.shown(SECOND).unwrap();
        assert!(
            shown.text.starts_with("waiting for the first run, 0 s; ")
                && shown.text.ends_with(" s left at most")
        );
        assert_eq!(shown.part, None);
        doing.count(4);
        doing.begin("one");
        doing.begin("two");
        let expected = Shown { text: "1 of 4 done; two, 0 s".to_owned(), part: Some(0.25) };
        assert_eq!(doing.shown(SECOND), Some(expected));
    }
}
