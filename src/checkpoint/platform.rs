//! Knowledge about the platform from earlier runs, kept with the checkpoint so that a run in the steady state need not ask.

use super::look_back::{MOST_BETWEEN_COMPARISONS_MS, comparing_every};
use super::settling::APART_MS;
use crate::openwhisk::api::Limits;
use serde::{Deserialize, Serialize};

const MINUTE_MS: u64 = 60_000;
/// The look-back as long as nobody knows better, in milliseconds: enough for runs of an hour, the longest that is common.
const UNKNOWN_LOOKBACK_MS: u64 = 135 * MINUTE_MS;
/// Longest look-back, in milliseconds; as much as the configuration allows.
const LONGEST_LOOKBACK_MS: u64 = 24 * 60 * MINUTE_MS;
/// Time for queues, batched writes and the index, in milliseconds: generous, and with stock limits it makes up a quarter of an hour.
const SETTLING_MS: u64 = 280_000;
/// How long the known place of log lines is trusted, in milliseconds.
const LOGS_HOLD_MS: u64 = 24 * 60 * MINUTE_MS;

/// The platform, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// The look-back that its limits ask for, in milliseconds; `None` until they were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lookback_ms: Option<u64>,
    /// A longer look-back that earlier limits asked for, and until when it holds: activations that began under those limits may still be
    /// running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    longer: Option<Longer>,
    /// When the limits are to be read again, milliseconds since 1970.
    #[serde(default)]
    limits_due_ms: u64,
    /// Where it keeps log lines.
    #[serde(default)]
    logs: LogPlace,
    /// Until when `logs` is trusted, milliseconds since 1970: an operator may have chosen another store since.
    #[serde(default)]
    logs_until_ms: u64,
    /// Since when each run asks for the whole namespace too, milliseconds since 1970: lists and counts of that have an index of their own, which is up
    /// to date only if it is asked (docs/facts/openwhisk.md 1.7). 0 if not each run does.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    whole_since_ms: u64,
}

/// A look-back that is longer than the newest limits ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Longer {
    lookback_ms: u64,
    until_ms: u64,
}

/// Where a platform keeps log lines (docs/facts/openwhisk.md 1.8). If runs saw several, the last in this order counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogPlace {
    /// Not known yet.
    #[default]
    Unknown,
    /// Out of the API's reach.
    Nowhere,
    /// In the activation record.
    Record,
    /// In a store that `/logs` asks.
    Api,
}

impl Platform {
    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// Whether limits were read some time.
    pub fn has_limits(&self) -> bool {
        self.lookback_ms.is_some()
    }

    /// How far back a run at `now_ms` looks for late records, in milliseconds: as the limits say, or said before, or as far as any common
    /// limits would.
    pub fn lookback_ms(&self, now_ms: u64) -> u64 {
        let before = self.longer.filter(|longer| now_ms < longer.until_ms).map(|longer| longer.lookback_ms);
        self.lookback_ms.max(before).unwrap_or(UNKNOWN_LOOKBACK_MS).min(LONGEST_LOOKBACK_MS)
    }

    /// Whether the limits should be read: until they are known, in the run after that failed, after a clock went wrong, and before
    /// activations that began under higher limits can have left the look-back.
    pub fn limits_are_due(&self, now_ms: u64) -> bool {
        now_ms >= self.limits_due_ms || self.limits_due_ms - now_ms > MOST_BETWEEN_COMPARISONS_MS
    }

    /// The place of log lines, if it is still trusted.
    pub fn logs(&self, now_ms: u64) -> LogPlace {
        let believed = now_ms < self.logs_until_ms && self.logs_until_ms - now_ms <= LOGS_HOLD_MS;
        if believed { self.logs } else { LogPlace::Unknown }
    }

    /// Takes in whether a run at `now_ms` asks for the whole namespace.
    pub fn note_whole(&mut self, is_asked: bool, now_ms: u64) {
        let goes_on = (1..=now_ms).contains(&self.whole_since_ms);
        self.whole_since_ms = match (is_asked, goes_on) {
            (false, _) => 0,
            (true, true) => self.whole_since_ms,
            (true, false) => now_ms,
        };
    }

    /// Whether a list of the whole namespace at `now_ms` shows as much as one of an action: earlier runs have asked for it too.
    pub fn shows_whole(&self, now_ms: u64) -> bool {
        self.whole_since_ms > 0 && self.whole_since_ms.saturating_add(APART_MS) <= now_ms
    }

    /// Takes in the place where log lines were seen.
    pub fn note_logs(&mut self, place: LogPlace, now_ms: u64) {
        (self.logs, self.logs_until_ms) = (place, now_ms.saturating_add(LOGS_HOLD_MS));
    }

    /// Takes in the limits; `None` if the API did not give them: then the last ones stay. A longer look-back holds for as long again as it
    /// reached.
    pub fn note_limits(&mut self, limits: Option<Limits>, now_ms: u64) {
        let Some(new_ms) = limits.and_then(lookback_ms) else {
            self.limits_due_ms = now_ms;
            return;
        };
        let before_ms = self.lookback_ms(now_ms);
        // Runs that asked in vain looked back as if nothing was known.
        let unknown_ms = (self.limits_due_ms > 0).then_some(UNKNOWN_LOOKBACK_MS);
        if self.lookback_ms.or(unknown_ms).is_some_and(|last_ms| new_ms < last_ms) {
            self.longer = Some(Longer { lookback_ms: before_ms, until_ms: now_ms.saturating_add(before_ms) });
        } else if before_ms <= new_ms || self.longer.is_some_and(|longer| longer.until_ms <= now_ms) {
            self.longer = None;
        }
        self.lookback_ms = Some(new_ms);
        self.limits_due_ms = now_ms.saturating_add(comparing_every(new_ms));
    }

    /// The knowledge of two runs that did not notice each other; `newer` is of the one that ended later.
    pub(super) fn merged(self, newer: Self) -> Self {
        let logs = if self.logs == LogPlace::Api || newer.is_unknown() { self } else { newer };
        Self {
            lookback_ms: newer.lookback_ms.or(self.lookback_ms),
            longer: newer.longer.or(self.longer),
            limits_due_ms: newer.limits_due_ms,
            logs: logs.logs,
            logs_until_ms: logs.logs_until_ms,
            whole_since_ms: newer.whole_since_ms,
        }
    }
}

/// The longest time from a start until the record is visible: initialisation and run may each take the longest duration, collecting logs
/// takes up to two seconds for each megabyte (docs/facts/openwhisk.md 1.7). `None` for limits that cannot be.
fn lookback_ms(limits: Limits) -> Option<u64> {
    const MB: u64 = 1 << 20;
    let Limits { max_action_duration: duration_ms, max_action_logs: log_bytes } = limits;
    if duration_ms == 0 || duration_ms > LONGEST_LOOKBACK_MS || log_bytes > 1024 * MB {
        return None;
    }
    let collecting_ms = log_bytes.div_ceil(MB).max(5) * 2_000;
    Some((2 * duration_ms + collecting_ms + SETTLING_MS).min(LONGEST_LOOKBACK_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOCK: Limits = Limits { max_action_duration: 300_000, max_action_logs: 10 << 20 };
    const DAY: u64 = 24 * 60 * MINUTE_MS;
    const NOW: u64 = 5000;

    fn after(limits: Option<Limits>) -> Platform {
        let mut platform = Platform::default();
        platform.note_limits(limits, 1000);
        platform
    }

    #[test]
    fn stock_limits_make_a_quarter_of_an_hour_and_longer_runs_a_longer_look_back() {
        assert_eq!(after(Some(STOCK)).lookback_ms(NOW), 15 * MINUTE_MS);
        let vendor = Limits { max_action_duration: 600_000, ..STOCK };
        assert_eq!(after(Some(vendor)).lookback_ms(NOW), 25 * MINUTE_MS);
        let no_logs = Limits { max_action_duration: 60_000, max_action_logs: 0 };
        assert_eq!(after(Some(no_logs)).lookback_ms(NOW), 120_000 + 10_000 + SETTLING_MS);
        assert_eq!(after(Some(Limits { max_action_duration: DAY, ..STOCK })).lookback_ms(NOW), DAY);
    }

    #[test]
    fn without_sensible_limits_the_last_ones_stay_and_before_that_runs_of_an_hour_are_found() {
        let nonsense = [
            None,
            Some(Limits { max_action_duration: 0, ..STOCK }),
            Some(Limits { max_action_duration: u64::MAX, ..STOCK }),
            Some(Limits { max_action_logs: u64::MAX, ..STOCK }),
        ];
        for limits in nonsense {
            let mut platform = after(limits);
            assert_eq!(platform.lookback_ms(NOW), 135 * MINUTE_MS);
            platform.note_limits(Some(Limits { max_action_duration: 600_000, ..STOCK }), 2000);
            platform.note_limits(limits, 3000);
            let later = 2000 + 135 * MINUTE_MS;
            let at = |now| platform.lookback_ms(now);
            assert_eq!([at(later - 1), at(later)], [135 * MINUTE_MS, 25 * MINUTE_MS], "as in a fall");
        }
    }

    #[test]
    fn where_log_lines_are_is_believed_for_a_day() {
        let mut platform = Platform::default();
        platform.note_logs(LogPlace::Record, 10 * DAY);
        let at = |now| platform.logs(now);
        assert_eq!([at(10 * DAY), at(11 * DAY - 1)], [LogPlace::Record; 2]);
        assert_eq!([at(11 * DAY), at(9 * DAY)], [LogPlace::Unknown; 2], "also when the clock was ahead");
    }

    #[test]
    fn limits_are_read_every_half_look_back_in_the_run_after_a_failure_and_when_a_clock_was_wrong() {
        assert!(Platform::default().limits_are_due(1000));
        for (duration_ms, half_ms) in [(60_000, 210_000), (300_000, 450_000), (3_600_000, 600_000)] {
            let known = after(Some(Limits { max_action_duration: duration_ms, ..STOCK }));
            assert!(!known.limits_are_due(1000 + half_ms - 1) && known.limits_are_due(1000 + half_ms));
        }
        let failed = after(None);
        assert!(failed.limits_are_due(1001));
        let mut ahead = Platform::default();
        ahead.note_limits(Some(STOCK), 10 * DAY);
        assert!(ahead.limits_are_due(1000));
    }

    #[test]
    fn the_whole_namespace_is_listed_a_minute_after_each_run_has_begun_to_ask_for_it() {
        let mut platform = Platform::default();
        let at = |platform: &Platform, now_ms: u64| platform.shows_whole(now_ms);
        platform.note_whole(true, 1000);
        assert!(!at(&platform, 1000) && !at(&platform, 95_999) && at(&platform, 96_000));
        platform.note_whole(true, 96_000);
        assert!(at(&platform, 96_000));
        platform.note_whole(true, 500);
        assert!(!at(&platform, 95_499), "a clock was ahead");
        platform.note_whole(false, 96_000);
        assert!(!at(&platform, u64::MAX));
    }

    #[test]
    fn a_look_back_that_limits_asked_for_holds_as_long_again_when_they_become_lower() {
        let hour = Limits { max_action_duration: 60 * MINUTE_MS, ..STOCK };
        let mut platform = after(Some(hour));
        let long = platform.lookback_ms(NOW);
        assert_eq!(long, 125 * MINUTE_MS);
        platform.note_limits(Some(STOCK), DAY);
        let at = |now| platform.lookback_ms(now);
        assert_eq!([at(DAY), at(DAY + long - 1), at(DAY + long)], [long, long, 15 * MINUTE_MS]);
    }
}
