//! The lease: a note beside the checkpoint that a run is at work, so that overlapping runs notice each other.
//!
//! It saves work and repeats, and correctness does not depend on it: runs that miss each other's lease each keep a checkpoint that is true
//! by itself.
//!
//! The API writes unconditionally, so if two runs read at the same time, the later one overwrites the lease of the earlier one. The version
//! shows that, as it went up by more than the run's own write: the later run stands back, and its lease keeps the place of the other run,
//! which does not notice.

use super::Checkpoint;
use crate::openwhisk::record::ActivationId;
use serde::{Deserialize, Serialize};

/// How long the lease of an action's run holds unless it is renewed, in milliseconds: the lease of a killed run expires by itself.
pub const HOLDS_MS: u64 = 60_000;
/// The same for a command: a person who interrupts it does not want to wait. It is twice the time between two saves, which renew the lease.
pub const COMMAND_HOLDS_MS: u64 = 30_000;
/// So long after the checkpoint was saved, runs that find nothing new leave it as it is, in milliseconds.
pub const RESTS_MS: u64 = 170_000;
/// How long a run that stands back keeps the place of the other run, in milliseconds: until that run saves for the first time.
const PLACE_MS: u64 = 30_000;
/// If a lease claims to hold for longer than this, no run wrote it, or the clock of its writer is far off.
const LONGEST_MS: u64 = 2 * HOLDS_MS;

/// The run that is at work, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The run: its activation's id, or a random number.
    pub run: String,
    /// Milliseconds since 1970.
    pub until_ms: u64,
    /// The run stood back: it has overwritten the possible lease of another run, and keeps that run's place.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stood_back: bool,
    /// Another run has saved its checkpoint beside it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_shared: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Checkpoint {
    /// Whether a run at `now_ms` that finds nothing may leave it as it is. What is new must not begin before the look-back by the time of the next.
    pub fn is_recent(&self, now_ms: u64, lookback_ms: u64) -> bool {
        let age_ms = now_ms.checked_sub(self.saved_ms);
        age_ms.is_some_and(|age_ms| age_ms < RESTS_MS.min(lookback_ms / 2))
    }
}

impl Lease {
    /// A lease of `holds_ms` from now on; it need not outlast the run's deadline.
    pub fn new(run: &str, holds_ms: u64, now_ms: u64, deadline_ms: u64) -> Self {
        let until_ms = now_ms.saturating_add(holds_ms).min(deadline_ms);
        Self { run: run.into(), until_ms, stood_back: false, is_shared: false }
    }

    /// A lease in the place of another run's, by this run, which stands back.
    pub fn in_place_of_another(run: &str, now_ms: u64) -> Self {
        Self { stood_back: true, ..Self::new(run, PLACE_MS, now_ms, u64::MAX) }
    }

    /// The same, beside the checkpoint of another run.
    pub fn shared(&self) -> Self {
        Self { is_shared: true, ..self.clone() }
    }

    /// Whether it still holds.
    pub fn holds(&self, now_ms: u64) -> bool {
        now_ms < self.until_ms && self.until_ms - now_ms <= LONGEST_MS
    }

    /// Names the run that is at work, and until when, in words. It does not repeat text that somebody else may have written.
    pub fn describe(&self) -> String {
        let activation = match self.run.parse::<ActivationId>() {
            Ok(id) if !self.stood_back => format!(" (activation {id})"),
            _ => String::new(),
        };
        format!("another run{activation} is at work until {}", crate::time::rfc3339(self.until_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_holds_for_a_minute_and_not_beyond_the_deadline() {
        let lease = Lease::new("me", HOLDS_MS, 1000, u64::MAX);
        assert!(lease.holds(1000) && lease.holds(60_999) && !lease.holds(61_000));
        assert_eq!(Lease::new("me", HOLDS_MS, 1000, 5000).until_ms, 5000);
    }

    #[test]
    fn a_lease_that_claims_too_much_holds_nobody_up() {
        assert!(!Lease::new("x", u64::MAX, 0, u64::MAX).holds(0));
    }

    #[test]
    fn only_an_activation_id_is_shown() {
        let text = |run: &str| Lease::new(run, 0, 0, 0).describe();
        let id = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
        let place = Lease::in_place_of_another(id, 0).describe();
        assert_eq!(place, "another run is at work until 1970-01-01T00:00:30.000Z", "nobody knows which");
        assert_eq!(
            text(id),
            format!("another run (activation {id}) is at work until 1970-01-01T00:00:00.000Z")
        );
        assert_eq!(text("<script>"), "another run is at work until 1970-01-01T00:00:00.000Z");
    }
}
