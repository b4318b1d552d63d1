//! Log entries as the platform writes them into a record.

/// Time column of the default log store: shorter times are padded to it.
const TIME_COLUMNS: usize = 30;

/// An entry of the default (Docker) log store: time padded to 30 columns, stream tag, message as it is.
pub fn entry(nanos: i128, stream: &str, message: &str) -> String {
    format!("{:<TIME_COLUMNS$} {stream}: {message}", time(nanos))
}

/// An entry of the standalone server: time, one space, message; no stream tag.
pub fn untagged(nanos: i128, message: &str) -> String {
    format!("{} {message}", time(nanos))
}

/// What the platform adds when an activation logs more than it may.
pub fn truncated(limit_bytes: u64) -> String {
    format!("Logs were truncated because the total bytes size exceeds the limit of {limit_bytes} bytes.")
}

/// What the platform says when it could not read the container's log to its end: tagged, or alone without any time.
pub const LOG_FAILURE: &str = "There was an issue while collecting your logs. Data might be missing.";

/// What the platform adds last when an action crashed, timed out or did not start.
pub const DEVELOPER_ERROR: &str =
    "The action did not initialize or run as expected. Log data might be missing.";

/// What `/logs` answers where a log driver took them elsewhere.
pub const NOT_AVAILABLE: &str = "Logs are not available.";

/// RFC 3339 in UTC with as many of nine fraction digits as are not trailing zeros: Docker's form.
/// `nanos`: nanoseconds since 1970.
pub fn time(nanos: i128) -> String {
    const NANOS: i128 = 1_000_000_000;
    let (seconds, fraction) = (nanos.div_euclid(NANOS) as i64, nanos.rem_euclid(NANOS));
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let fraction = format!(".{fraction:09}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Year, month, day of a day number since 1970. Counts years from March, so that the leap day comes last.
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let day = day.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_follow_the_calendar() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(1_700_000_000_010_000_001), "2023-11-14T22:13:20.010000001Z");
        assert_eq!(time(951_782_400_000_000_000), "2000-02-29T00:00:00Z");
        assert_eq!(time(1_735_689_599_999_000_000), "2024-12-31T23:59:59.999Z");
    }

    #[test]
    fn times_of_29_columns_are_followed_by_two_spaces() {
        let full = entry(1_700_000_000_010_000_001, "stdout", "hi");
        assert_eq!(full, "2023-11-14T22:13:20.010000001Z stdout: hi");
        let short = entry(1_700_000_000_010_000_010, "stdout", "hi");
        assert_eq!(short, "2023-11-14T22:13:20.01000001Z  stdout: hi");
    }
}
