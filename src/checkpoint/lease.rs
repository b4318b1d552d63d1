//! The lease: it says beside the checkpoint that a run is at work, so that overlapping runs notice each other.
//!
//! It saves work and repeats, and nothing depends on it: runs that miss each other's lease each keep a checkpoint that is true by itself.

use crate::openwhisk::record::ActivationId;
use serde::{Deserialize, Serialize};

/// How long a lease holds unless it is renewed, in milliseconds: the lease of a killed run runs out by itself.
const HOLDS_MS: u64 = 60_000;
/// A lease that claims to hold for longer than this is not one that a run wrote, or was written by a clock that is far off.
const LONGEST_MS: u64 = 2 * HOLDS_MS;

/// Whose turn it is, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The run: its activation's id, or a random number.
    pub run: String,
    /// Milliseconds since 1970.
    pub until_ms: u64,
}

impl Lease {
    /// A lease from now on; it need not outlast the run's deadline.
    pub fn new(run: &str, now_ms: u64, deadline_ms: u64) -> Self {
        Self { run: run.into(), until_ms: now_ms.saturating_add(HOLDS_MS).min(deadline_ms) }
    }

    /// Whether it still holds.
    pub fn holds(&self, now_ms: u64) -> bool {
        now_ms < self.until_ms && self.until_ms - now_ms <= LONGEST_MS
    }

    /// Who is at work until when, in words. What somebody else may have written is not repeated.
    pub fn describe(&self) -> String {
        let activation = match self.run.parse::<ActivationId>() {
            Ok(id) => format!(" (activation {id})"),
            Err(_) => String::new(),
        };
        format!("another run{activation} is at work until {}", crate::time::rfc3339(self.until_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_holds_for_a_minute_and_not_beyond_the_deadline() {
        let lease = Lease::new("me", 1000, u64::MAX);
        assert!(lease.holds(1000) && lease.holds(60_999) && !lease.holds(61_000));
        assert_eq!(Lease::new("me", 1000, 5000).until_ms, 5000);
    }

    #[test]
    fn a_lease_that_claims_too_much_holds_nobody_up() {
        assert!(!Lease { run: "x".into(), until_ms: u64::MAX }.holds(0));
    }

    #[test]
    fn only_an_activation_id_is_shown() {
        let text = |run: &str| Lease { run: run.into(), until_ms: 0 }.describe();
        let id = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
        assert_eq!(
            text(id),
            format!("another run (activation {id}) is at work until 1970-01-01T00:00:00.000Z")
        );
        assert_eq!(text("<script>"), "another run is at work until 1970-01-01T00:00:00.000Z");
    }
}
