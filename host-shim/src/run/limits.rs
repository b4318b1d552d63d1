//! When a run must be done.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Time before the deadline at which each party must be done: the component by itself, a worker by force, the report by force.
pub(super) const COMPONENT_MARGIN_MS: u64 = 1500;
const FORWARD_MARGIN_MS: u64 = 1000;
const REPORT_MARGIN_MS: u64 = 500;

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

/// When whom to stop; none without a deadline.
pub(super) struct Limits {
    component: Option<Instant>,
    pub(super) forward: Option<Instant>,
    pub(super) report: Option<Instant>,
}

impl Limits {
    pub(super) fn new(deadline_ms: Option<u64>) -> Self {
        let now_ms = now_ms();
        let at = |margin: u64| {
            deadline_ms.map(|deadline| {
                crate::net::instant_in(deadline.saturating_sub(margin).saturating_sub(now_ms))
            })
        };
        Self {
            component: at(COMPONENT_MARGIN_MS),
            forward: at(FORWARD_MARGIN_MS),
            report: at(REPORT_MARGIN_MS),
        }
    }

    pub(super) fn component_is_done(&self) -> bool {
        self.component.is_some_and(|limit| Instant::now() >= limit)
    }
}
