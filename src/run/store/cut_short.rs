//! Runs that were ended from outside before they had handed over their checkpoint, as their records show: a run after them stops earlier.
//!
//! Where only the result holds the checkpoint, such a run achieves nothing: the next one does the same work, and would be ended as well, for ever. That
//! happens if the clock of its container is behind the platform's, if the container is frozen, or if the time limit is another than the platform says.

use crate::openwhisk::record::{Record, Status};

/// So many of the newest records tell. When those of the runs that were ended are older, runs take all of their time again.
pub(super) const NEWEST: u32 = 5;
/// The least time that a run takes; in less than that it achieves nothing. In milliseconds.
const SHORTEST_MS: u64 = 2_000;

/// Those among the newest runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CutShort {
    /// Records that were looked at.
    looked_at: u32,
    runs: u32,
    /// So many of them are newer than all runs that ended well.
    since: u32,
    /// How long the shortest of them lasted, in milliseconds.
    shortest_ms: u64,
}

impl CutShort {
    /// Takes in the next older record. `says_unsaved`: its result says that the checkpoint was not saved.
    pub(super) fn visit(&mut self, record: &Record<'_>, says_unsaved: bool) {
        if self.looked_at == NEWEST {
            return;
        }
        self.looked_at += 1;
        let lasted_ms = record.end.unwrap_or_default().saturating_sub(record.start);
        let is_ended = matches!(record.status(), Some(Status::DeveloperError | Status::InternalError));
        if (is_ended || says_unsaved) && lasted_ms > SHORTEST_MS {
            self.shortest_ms = if self.runs == 0 { lasted_ms } else { self.shortest_ms.min(lasted_ms) };
            self.runs += 1;
            self.since += u32::from(self.runs == self.looked_at);
        }
    }

    /// When a run stops that began at `began_ms` and would stop at `stop_ms`: after half of the time that is left, or that the shortest of them had; and
    /// after half of that for each further one since a run ended well.
    pub fn stop_ms(&self, began_ms: u64, stop_ms: u64) -> u64 {
        if self.runs == 0 {
            return stop_ms;
        }
        let most_ms = stop_ms.saturating_sub(began_ms).min(self.shortest_ms);
        let time_ms = (most_ms >> self.since.max(1)).max(SHORTEST_MS);
        began_ms.saturating_add(time_ms).min(stop_ms)
    }

    /// Whether there are any.
    pub fn has_runs(&self) -> bool {
        self.runs > 0
    }

    /// What a run that stops after `time_ms` has to say of it.
    pub fn warning(&self, time_ms: u64) -> Option<String> {
        let seconds = |ms: u64| ms.div_ceil(1_000);
        self.has_runs().then(|| {
            format!(
                "{} of the last {} runs of this forwarder: ended from outside, after {} s or more, before the checkpoint was saved, so their lines \
                 come again, and this run stops after {} s. If that goes on, set the clocks of the platform's hosts, give the action a \
                 longer time limit or more memory, or give its key the right to write packages",
                self.runs,
                self.looked_at,
                seconds(self.shortest_ms),
                seconds(time_ms)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Milliseconds that each run lasted, how it ended, and what its result says of the checkpoint, newest first.
    fn seen(runs: &[(u64, &str, Value)]) -> CutShort {
        let mut seen = CutShort::default();
        for (lasted_ms, status, checkpoint) in runs {
            let json = json!({"activationId": format!("{:032x}", 7), "namespace": "guest", "name": "fwd", "start": 1_000, "end": 1_000 + lasted_ms,
                "response": {"status": status, "result": {"checkpoint": checkpoint}}})
            .to_string();
            seen.visit(&Record::parse(json.as_bytes()).unwrap(), *checkpoint == "not saved");
        }
        seen
    }

    const ENDED: &str = "action developer error";

    #[test]
    fn the_time_is_halved_once_for_each_run_that_was_ended_since_one_ended_well() {
        let ended = (60_000, ENDED, Value::Null);
        let well = (40_000, "success", json!("in this result"));
        for (runs, stop_ms) in [
            (vec![], 68_000),
            (vec![well.clone(); 5], 68_000),
            (vec![ended.clone()], 30_000),
            (vec![well.clone(), ended.clone(), ended.clone()], 30_000),
            (vec![ended.clone(), well.clone(), ended.clone()], 30_000),
            (vec![ended.clone(), ended.clone(), well.clone(), ended.clone()], 15_000),
            (vec![ended.clone(); 4], 3_750),
            (vec![ended.clone(); 100], 2_000),
            // It has not ended from outside for a while.
            ([vec![well.clone(); 5], vec![ended.clone(); 5]].concat(), 68_000),
            ([vec![well.clone(); 4], vec![ended.clone(); 5]].concat(), 30_000),
        ] {
            assert_eq!(seen(&runs).stop_ms(1_000, 69_000), 1_000 + stop_ms, "{runs:?}");
        }
    }

    #[test]
    fn a_run_without_a_deadline_takes_half_of_what_the_platform_gave_the_last_one() {
        assert_eq!(seen(&[(60_000, ENDED, Value::Null)]).stop_ms(1_000, u64::MAX - 5_000), 31_000);
        let seen = seen(&[(60_000, ENDED, Value::Null), (20_000, "whisk internal error", Value::Null)]);
        assert_eq!(seen.stop_ms(1_000, u64::MAX), 6_000);
        assert_eq!(seen.stop_ms(1_000, 2_500), 2_500, "never later than it would");
    }

    #[test]
    fn a_run_that_failed_by_itself_or_soon_was_not_ended() {
        for run in [
            (60_000, "application error", Value::Null),
            (60_000, "success", json!("saved")),
            (2_000, ENDED, Value::Null),
        ] {
            assert_eq!(seen(&[run]).stop_ms(1_000, 69_000), 69_000);
        }
        assert_eq!(seen(&[(60_000, "application error", json!("not saved"))]).stop_ms(1_000, 69_000), 31_000);
    }

    #[test]
    fn the_warning_says_how_many_and_what_to_do() {
        assert_eq!(seen(&[(60_000, "success", Value::Null)]).warning(1), None);
        let warning =
            seen(&[(9_000, "success", Value::Null), (60_000, ENDED, Value::Null)]).warning(29_001).unwrap();
        assert!(warning.starts_with("1 of the last 2 runs of this forwarder: "), "{warning}");
        assert!(warning.contains("after 60 s or more") && warning.contains("stops after 30 s"), "{warning}");
    }
}
