//! The parts that a command attaches to its work: an output of its own, a way to stop it, and those who learn how far it is.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::doing::Doing;
use crate::output::Output;

/// The attached parts; none by default.
#[derive(Clone, Debug, Default)]
pub struct Attached {
    /// In the place of the receivers.
    pub output: Option<Output>,
    /// Ends the run early.
    pub stop: Stop,
    /// Learns how far the run is.
    pub watcher: Option<Watcher>,
    /// Learns which step is at hand, of work that has steps.
    pub doing: Doing,
    /// Most lines a second.
    pub rate: Option<Rate>,
    /// Counters over all runs.
    pub counters: Arc<Counters>,
    /// Whether the component's log goes nowhere.
    pub is_quiet: bool,
    /// Whether the checkpoint is saved after each turn, as that costs little where it is.
    pub saves_often: bool,
}

/// Gets each checkpoint that is saved.
#[derive(Clone)]
pub struct Watcher(Arc<dyn Fn(Advance<'_>) + Send + Sync>);

/// Two checkpoints of a run.
#[derive(Clone, Copy, Debug)]
pub struct Advance<'c> {
    /// The one that it began with; none at the very first run.
    pub before: Option<&'c [u8]>,
    /// The one that it has saved last.
    pub now: &'c [u8],
}

impl Watcher {
    /// One that calls `told`.
    pub fn new(told: impl Fn(Advance<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(told))
    }

    pub(crate) fn tell(&self, advance: Advance<'_>) {
        (self.0)(advance);
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watcher")
    }
}

/// How soon a run is to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    #[default]
    Never,
    /// After the turns that have begun.
    Soon,
    /// Without them: what they have done is done again.
    Now,
}

/// A wish that a run may end early. Its work so far is saved; the rest is owed.
#[derive(Clone, Debug, Default)]
pub struct Stop(watch::Sender<Urgency>);

impl Stop {
    /// Begin nothing more.
    pub fn soon(&self) {
        self.raise(Urgency::Soon);
    }

    /// Wait for nothing more, either.
    pub fn now(&self) {
        self.raise(Urgency::Now);
    }

    fn raise(&self, urgency: Urgency) {
        self.0.send_modify(|known| *known = urgency.max(*known));
    }

    /// Whether anybody wishes it.
    pub fn is_wished(&self) -> bool {
        *self.0.borrow() > Urgency::Never
    }

    /// Waits until somebody wishes it.
    pub async fn wished(&self) {
        self.reached(Urgency::Soon).await;
    }

    /// Waits until it is urgent.
    pub async fn urgent(&self) {
        self.reached(Urgency::Now).await;
    }

    async fn reached(&self, urgency: Urgency) {
        // The sender is here, so it does not go away.
        self.0.subscribe().wait_for(|known| *known >= urgency).await.ok();
    }
}

/// Most lines a second, for all connections together.
#[derive(Clone, Debug)]
pub struct Rate {
    /// Lines a second.
    lines: u32,
    /// When the next line may go.
    next: Arc<Mutex<Option<Instant>>>,
}

impl Rate {
    /// So many lines a second, at least 1.
    pub fn new(lines: u32) -> Self {
        Self { lines: lines.max(1), next: Arc::default() }
    }

    /// Waits until these bytes may go: the number of lines is at the begin of a window.
    pub(crate) async fn wait_for(&self, bytes: &[u8]) {
        let (Some((&[_, b'W'], rest)), Some(now)) = (bytes.split_first_chunk::<2>(), Some(Instant::now()))
        else {
            return;
        };
        let Some(count) = rest.first_chunk::<4>().map(|count| u32::from_be_bytes(*count)) else { return };
        tokio::time::sleep_until(self.reserve(count, now)).await;
    }

    fn reserve(&self, count: u32, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.unwrap_or(now).max(now);
        *next = Some(at + Duration::from_secs_f64(f64::from(count) / f64::from(self.lines)));
        at
    }
}

/// Counters over all runs of a process.
#[derive(Debug, Default)]
pub struct Counters {
    api_errors: AtomicU64,
    refusals: AtomicU64,
    receiver_errors: AtomicU64,
    acknowledged: AtomicU64,
}

impl Counters {
    /// A request failed, or the API could not serve it.
    pub(crate) fn note_api_error(&self) {
        self.api_errors.fetch_add(1, Ordering::Relaxed);
    }

    /// The API refused the key. That is an error of the API, too.
    pub(crate) fn note_refusal(&self) {
        self.refusals.fetch_add(1, Ordering::Relaxed);
        self.note_api_error();
    }

    /// A connection to a receiver failed.
    pub(crate) fn note_receiver_error(&self) {
        self.receiver_errors.fetch_add(1, Ordering::Relaxed);
    }

    /// Errors of the API, and of receivers.
    pub fn errors(&self) -> [u64; 2] {
        [&self.api_errors, &self.receiver_errors].map(|count| count.load(Ordering::Relaxed))
    }

    /// Receivers acknowledged so many lines more.
    pub(crate) fn note_acknowledged(&self, lines: u64) {
        self.acknowledged.fetch_add(lines, Ordering::Relaxed);
    }

    /// Lines that receivers have acknowledged, up to this moment.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// How often the API refused the key.
    pub fn refusals(&self) -> u64 {
        self.refusals.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn windows_wait_until_the_lines_before_them_have_had_their_time() {
        let (rate, begin) = (Rate::new(100), Instant::now());
        for expected in [0, 500, 1000] {
            rate.wait_for(b"2W\0\0\0\x32").await;
            assert_eq!(begin.elapsed().as_millis(), expected);
        }
        rate.wait_for(b"rest of a window").await;
        assert_eq!(begin.elapsed().as_millis(), 1000);
        tokio::time::sleep(Duration::from_secs(60)).await;
        rate.wait_for(b"2W\0\0\0\x01").await;
        assert_eq!(begin.elapsed().as_secs(), 61, "no credit for a pause, and no debt");
    }

    #[tokio::test]
    async fn a_wish_to_stop_can_only_become_more_urgent() {
        let stop = Stop::default();
        assert!(!stop.is_wished());
        stop.now();
        stop.soon();
        stop.clone().urgent().await;
        stop.wished().await;
        assert!(stop.is_wished());
    }
}
