//! The double's time: the system's, or the test's.

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, shared by all its clones.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Mutex<Time>>);

#[derive(Debug, Clone, Copy)]
enum Time {
    /// Ahead of the system's clock by this many milliseconds.
    Running {
        ahead: i64,
    },
    Standing {
        now: i64,
    },
}

impl Clock {
    /// Runs with the system's clock.
    pub fn real() -> Self {
        Self::skewed(0)
    }

    /// Runs `ahead` milliseconds before the system's clock (behind it, if negative).
    pub fn skewed(ahead: i64) -> Self {
        Self(Arc::new(Mutex::new(Time::Running { ahead })))
    }

    /// Stands still until moved.
    pub fn fixed(now: i64) -> Self {
        Self(Arc::new(Mutex::new(Time::Standing { now })))
    }

    /// The time, in milliseconds since 1970.
    pub fn now(&self) -> i64 {
        match *self.0.lock().unwrap() {
            Time::Running { ahead } => system_now() + ahead,
            Time::Standing { now } => now,
        }
    }

    /// Stops the clock at this time.
    pub fn set(&self, now: i64) {
        *self.0.lock().unwrap() = Time::Standing { now };
    }

    /// Moves the clock by `ms`; it goes on running or standing.
    pub fn advance(&self, ms: i64) {
        match &mut *self.0.lock().unwrap() {
            Time::Running { ahead } => *ahead += ms,
            Time::Standing { now } => *now += ms,
        }
    }
}

fn system_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
