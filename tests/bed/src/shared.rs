//! A value that a reader thread fills and a test waits for.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// A growing value, and whether it is complete.
#[derive(Debug, Default)]
pub(crate) struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State<T> {
    value: T,
    complete: bool,
}

/// Why a wait was in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vain {
    TimedOut,
    /// Nothing more will come.
    Complete,
}

impl<T> Shared<T> {
    pub(crate) fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.lock().value);
        self.changed.notify_all();
    }

    pub(crate) fn complete(&self) {
        self.lock().complete = true;
        self.changed.notify_all();
    }

    pub(crate) fn look<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.lock().value)
    }

    /// Waits until `find` finds what it wants.
    pub(crate) fn wait_for<R>(
        &self,
        timeout: Duration,
        mut find: impl FnMut(&T) -> Option<R>,
    ) -> Result<R, Vain> {
        let until = Instant::now() + timeout;
        let mut state = self.lock();
        loop {
            if let Some(found) = find(&state.value) {
                return Ok(found);
            }
            if state.complete {
                return Err(Vain::Complete);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Vain::TimedOut);
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
    }

    /// Waits until nothing more will come; false if that took longer than `timeout`.
    pub(crate) fn wait_until_complete(&self, timeout: Duration) -> bool {
        self.wait_for(timeout, |_| None::<()>) == Err(Vain::Complete)
    }

    // A test that failed while it held the lock must not hide its own message behind a second one.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Shared<Vec<u8>> {
    /// Reads `from` to its end on a thread of its own.
    pub(crate) fn read(mut from: impl Read + Send + 'static) -> Arc<Self> {
        let shared = Arc::new(Self::default());
        let filled = Arc::clone(&shared);
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                filled.change(|bytes| bytes.extend_from_slice(&buffer[..count]));
            }
            filled.complete();
        });
        shared
    }

    pub(crate) fn text(&self) -> String {
        self.look(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}
