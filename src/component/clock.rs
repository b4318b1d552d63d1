//! Time and chance from WASI.

use crate::ports::Clock;
use wasi::clocks::{monotonic_clock, wall_clock};
use wasi::random::random;

pub(super) struct Wasi;

impl Clock for Wasi {
    fn now_ms(&self) -> u64 {
        let now = wall_clock::now();
        now.seconds * 1000 + u64::from(now.nanoseconds / 1_000_000)
    }

    fn sleep_ms(&self, ms: u64) {
        monotonic_clock::subscribe_duration(ms.saturating_mul(1_000_000)).block();
    }

    fn random(&self) -> u64 {
        random::get_random_u64()
    }
}
