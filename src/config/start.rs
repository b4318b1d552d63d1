//! Where a first run begins, and where forwarding ends: `from` and `to`.

use super::Config;
use super::reader::Reader;
use crate::checkpoint::SKEW_MS;
use crate::time;
use serde_json::Value;
use whiskjack_settings::Faults;
use whiskjack_settings::endpoint;

const FORM: &str =
    "give milliseconds since 1970, such as 1700000000000, or a time, such as \"2023-11-14T22:13:20Z\"";

/// The last millisecond of the year 9999, the last year that has a form.
const LAST_MS: u64 = 253_402_300_799_999;

/// Seconds since 1970 of this time; milliseconds in these numbers would be times from before 1974.
const SECONDS: std::ops::Range<u64> = 100_000_000..100_000_000_000;

/// Reads the time at `key`, milliseconds since 1970.
pub(super) fn read(reader: &mut Reader, key: &str) -> Option<u64> {
    let read = reader.read(key, FORM, milliseconds)?;
    if SECONDS.contains(&read) {
        let meant = read * 1000;
        reader.fault(
            key,
            format!("these are seconds: give milliseconds, {meant}, or \"{}\"", time::rfc3339(meant)),
        );
        return None;
    }
    Some(read)
}

/// Reads `to`, which must not be before `from`.
pub(super) fn read_end(reader: &mut Reader, from: Option<u64>) -> Option<u64> {
    let to = read(reader, "to")?;
    if from.is_some_and(|from| to <= from) {
        reader.fault("to", "is not later than `from`: give a time after it");
        return None;
    }
    Some(to)
}

fn milliseconds(value: &Value) -> Option<u64> {
    let ms = match value.as_str().map(str::trim) {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok(),
        Some(text) => time::epoch_ms(text),
        None => endpoint::whole_number(value),
    };
    ms.filter(|ms| *ms <= LAST_MS)
}

impl Config {
    /// Whether the run may begin now. A `from` in the future would forward nothing until then, and nobody would know why.
    pub fn check_clock(&self, now_ms: u64) -> Result<(), Faults> {
        match self.from.filter(|from| *from > now_ms.saturating_add(SKEW_MS)) {
            None => Ok(()),
            Some(from) => {
                let remedy = format!(
                    "{} is in the future: give a time that is past; it is {} now",
                    time::rfc3339(from),
                    time::rfc3339(now_ms)
                );
                Err(Faults::one("from", &Value::from(from), remedy))
            }
        }
    }
}
