//! Times and spans as options have them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// A span with its unit: `500ms`, `60s`, `10m`, `24h`, `7d`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    const FORM: &str = "must be a number with its unit: 30s, 10m, 2h or 7d";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or(FORM)?;
    let (_, ms) = UNITS.iter().find(|(known, _)| *known == unit).ok_or(FORM)?;
    let number: u64 = number.parse().map_err(|_| FORM)?;
    number.checked_mul(*ms).filter(|ms| *ms > 0).map(Duration::from_millis).ok_or_else(|| FORM.to_owned())
}

/// A point in time, milliseconds since 1970: RFC 3339 in UTC or with an offset, milliseconds, or a span before now.
pub(super) fn point(text: &str) -> Result<u64, String> {
    at(text, now_ms())
}

pub(super) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

fn at(text: &str, now_ms: u64) -> Result<u64, String> {
    const FORM: &str = "must be a time: 2026-11-29T14:00:00Z, 2026-11-29 for its first moment in UTC, milliseconds since 1970, now, or a span before now such as 2h";
    if text == "now" {
        return Ok(now_ms);
    }
    if text.len() >= 11 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| FORM.to_owned());
    }
    if let Ok(span) = span(text) {
        let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        return Ok(now_ms.saturating_sub(ms));
    }
    rfc3339(text).ok_or_else(|| FORM.to_owned())
}

/// Reads `2026-11-29`, `2026-11-29T14:00Z`, `2026-11-29T14:00:00.5+01:00`.
fn rfc3339(text: &str) -> Option<u64> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        None => (text, "00:00:00Z"),
        Some(parts) => parts,
    };
    let [year, month, day] = numbers(date, '-')?;
    let (clock, offset_minutes) = offset(time)?;
    let (clock, fraction_ms) = match clock.split_once('.') {
        None => (clock, 0),
        Some((clock, digits)) => (clock, fraction(digits)?),
    };
    let clock = if clock.matches(':').count() == 1 { format!("{clock}:00") } else { clock.to_owned() };
    let [hour, minute, second] = numbers(&clock, ':')?;
    let fits = (1970..=9999).contains(&year) && hour < 24 && minute < 60 && second < 60;
    let days = days_since_1970(year, month, day).filter(|_| fits)?;
    let seconds = ((days * 24 + hour) * 60 + minute - offset_minutes) * 60 + second;
    u64::try_from(seconds * 1000 + fraction_ms).ok()
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<i64> =
        text.split(between).filter(is_number).filter_map(|part| part.parse().ok()).collect();
    if text.split(between).count() == 3 { parts.try_into().ok() } else { None }
}

/// The time of day, and the minutes that it is ahead of UTC.
fn offset(time: &str) -> Option<(&str, i64)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let at = time.rfind(['+', '-'])?;
    let (clock, offset) = time.split_at_checked(at)?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let minutes: i64 = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
    Some((clock, if offset.starts_with('-') { -minutes } else { minutes }))
}

fn fraction(digits: &str) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.chars().chain("000".chars()).take(3).collect::<String>().parse().ok()
}

/// By the calendar that all use; none if there is no such day.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month - 1).ok()?;
    let length = *lengths.get(before)?;
    let leap_days = |year: i64| (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    let days_of_years = (year - 1970) * 365 + leap_days(year) - leap_days(1970);
    let in_year: i64 = lengths.iter().take(before).sum();
    (1..=length).contains(&day).then_some(days_of_years + in_year + day - 1)
}

/// Milliseconds since 1970 in UTC, to the second: `2026-11-29T14:00:00Z`.
pub(super) fn shown(ms: u64) -> String {
    let (days, second) = (ms / 86_400_000, ms / 1000 % 86_400);
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// Year, month and day of a day since 1970: the days of 400 years repeat, and a year that begins in March has its odd day at the end.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

/// A span in words: `850 ms`, `12 s`, `5 min`, `3 h`, `2 d`.
pub(super) fn told(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..120_000 => format!("{} s", ms / 1000),
        120_000..7_200_000 => format!("{} min", ms / 60_000),
        7_200_000..172_800_000 => format!("{} h", ms / 3_600_000),
        _ => format!("{} d", ms / 86_400_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_961_764_300;

    #[test]
    fn a_point_in_time_may_be_written_as_people_write_it() {
        for (text, expected) in [
            ("2026-11-29T14:16:04.3Z", NOW),
            ("2026-11-29T15:16:04.300+01:00", NOW),
            ("2026-11-29t07:46:04.300999-06:30", NOW),
            ("2026-11-29 14:16Z", NOW - 4_300),
            ("2026-11-29", 1_795_910_400_000),
            ("2024-02-29", 1_709_164_800_000),
            ("1970-01-01T00:00:00Z", 0),
            ("1795961764300", NOW),
            ("2h", NOW - 7_200_000),
            ("now", NOW),
        ] {
            assert_eq!(at(text, NOW), Ok(expected), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "2025-02-29",
            "2026-11-29T14:16:04",
            "2026-11-29T25:00Z",
            "12",
            "2026-11-29T14Z",
        ] {
            assert!(at(text, NOW).unwrap_err().starts_with("must be a time"), "{text}");
        }
    }

    #[test]
    fn a_span_needs_a_unit() {
        assert_eq!(span("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(span("7d"), Ok(Duration::from_secs(7 * 86_400)));
        for text in ["", "10", "m", "1w", "0s", "-1s", "1.5h", "99999999999999999999h"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_shown_as_they_are_read() {
        for text in
            ["1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2026-11-29T14:16:04Z", "2100-03-01T00:00:00Z"]
        {
            assert_eq!(shown(at(text, 0).unwrap()), text);
        }
        assert_eq!(
            [5, 61_000, 600_000, 86_400_000, 200_000_000].map(told),
            ["5 ms", "61 s", "10 min", "24 h", "2 d"]
        );
    }
}
