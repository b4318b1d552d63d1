//! Times and spans as options have them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use whiskjack_settings::calendar;

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// A span with its unit: `500ms`, `60s`, `10m`, `24h`, `7d`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    const FORM: &str = "is not a time; give a number with its unit, such as 30s, 10m, 2h or 7d";
    match milliseconds(text.strip_prefix('-').unwrap_or(text)) {
        Some(0) => Err("is no time at all; give a longer one, such as 30s".to_owned()),
        Some(_) if text.starts_with('-') => {
            Err(format!("is negative; give {}", text.trim_start_matches('-')))
        }
        Some(ms) => Ok(Duration::from_millis(ms)),
        None if is_number(text) => Err(format!("has no unit; give {text}s, {text}m, {text}h or {text}d")),
        None => Err(FORM.to_owned()),
    }
}

/// A number with its unit, 0 too.
pub(super) fn milliseconds(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, ms) = UNITS.iter().find(|(known, _)| *known == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*ms)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A point in time, milliseconds since 1970: RFC 3339 in UTC or with an offset, milliseconds, or a span before now.
pub(super) fn point(text: &str) -> Result<u64, String> {
    at(text, now_ms())
}

/// The same, but not in the future: nothing can have begun there.
pub(super) fn past(text: &str) -> Result<u64, String> {
    past_at(text, now_ms())
}

fn past_at(text: &str, now_ms: u64) -> Result<u64, String> {
    match at(text, now_ms)? {
        ms if ms > now_ms => {
            Err(format!("is in the future; give a time before now, which is {}", shown(now_ms)))
        }
        ms => Ok(ms),
    }
}

pub(super) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

fn at(text: &str, now_ms: u64) -> Result<u64, String> {
    if text == "now" {
        return Ok(now_ms);
    }
    if is_number(text) {
        return match (text.len(), text.parse()) {
            // All times since 1973; fewer digits are seconds, or lack their unit.
            (11.., Ok(ms)) => Ok(ms),
            (9 | 10, Ok(seconds)) => {
                Err(format!("has no unit; give milliseconds since 1970, such as {}", seconds * 1000))
            }
            (..9, Ok(_)) => Err(format!(
                "has no unit; give {text}m, {text}h or {text}d for so long before now, or a time"
            )),
            _ => Err(not_a_time()),
        };
    }
    if let Some(ms) = text.strip_prefix('-').and_then(milliseconds) {
        let before = text.trim_start_matches('-');
        return Err(match ms {
            0 => not_a_time(),
            _ => format!("is negative; give {before}, which is that long before now"),
        });
    }
    match milliseconds(text) {
        Some(0) => Err("is no time at all; give `now`, or a longer one, such as 2h".to_owned()),
        Some(ms) => Ok(now_ms.saturating_sub(ms)),
        None => rfc3339(text),
    }
}

fn not_a_time() -> String {
    "is not a time; give one such as 2026-11-29T14:00:00Z, 2026-11-29 for its first moment in UTC, milliseconds since 1970, now, or a span \
     before now such as 2h"
        .to_owned()
}

/// Reads `2026-11-29`, `2026-11-29T14:00Z`, `2026-11-29T14:00:00.5+01:00`.
fn rfc3339(text: &str) -> Result<u64, String> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        None => (text, "00:00:00Z"),
        Some(parts) => parts,
    };
    let [year, month, day] = numbers(date, '-').ok_or_else(not_a_time)?;
    if !time.contains(['Z', 'z', '+', '-'])
        && numbers(&format!("{time}:0"), ':').is_some() | numbers(time, ':').is_some()
    {
        return Err(format!("has no zone; give {text}Z for UTC, or an offset such as {text}+01:00"));
    }
    let (clock, offset_minutes) = offset(time).ok_or_else(not_a_time)?;
    let (clock, fraction_ms) = match clock.split_once('.') {
        None => (clock, 0),
        Some((clock, digits)) => (clock, fraction(digits).ok_or_else(not_a_time)?),
    };
    let clock = if clock.matches(':').count() == 1 { format!("{clock}:00") } else { clock.to_owned() };
    let [hour, minute, second] = numbers(&clock, ':').ok_or_else(not_a_time)?;
    if !(1970..=9999).contains(&year) {
        return Err(format!("is in the year {year}; give a time from 1970 to now"));
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err("there is no such time of day; give hours to 23, minutes and seconds to 59".to_owned());
    }
    let days = days_since_1970(year, month, day)?;
    let of_day = (hour * 60 + minute) * 60 + second;
    let seconds = days * 86_400 + of_day.cast_signed() - offset_minutes * 60;
    u64::try_from(seconds * 1000 + fraction_ms)
        .map_err(|_| "is before 1970; give a time from then to now".to_owned())
}

fn numbers(text: &str, between: char) -> Option<[u64; 3]> {
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<u64> =
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

fn days_since_1970(year: u64, month: u64, day: u64) -> Result<i64, String> {
    if !(1..=12).contains(&month) {
        return Err("there is no such month; give one from 01 to 12, behind the year".to_owned());
    }
    let length = calendar::days_of(year, month);
    if !(1..=length).contains(&day) {
        return Err(format!("there is no such day; that month has the days 01 to {length}"));
    }
    Ok(calendar::day_of(year, month, day))
}

/// Milliseconds since 1970 in UTC, to the second: `2026-11-29T14:00:00Z`.
pub(super) fn shown(ms: u64) -> String {
    let (days, second) = (ms / 86_400_000, ms / 1000 % 86_400);
    let (year, month, day) = calendar::date_of(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
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
        for (text, expected) in [
            ("", "is not a time; give one such as"),
            ("yesterday", "is not a time; give one such as"),
            ("2026-11", "is not a time; give one such as"),
            ("2026-11-29T14Z", "is not a time; give one such as"),
            ("2026-13-01", "there is no such month; "),
            ("2026-00-01", "there is no such month; "),
            ("2026-11-31", "there is no such day; that month has the days 01 to 30"),
            ("2025-02-29", "there is no such day; that month has the days 01 to 28"),
            ("2026-11-00T00:00Z", "there is no such day; "),
            ("2026-11-29T25:00Z", "there is no such time of day; "),
            ("2026-11-29T14:16:04", "has no zone; give 2026-11-29T14:16:04Z for UTC"),
            ("2026-11-29 14:16", "has no zone; give 2026-11-29 14:16Z for UTC"),
            ("1969-12-31", "is in the year 1969; give a time from 1970 to now"),
            ("1970-01-01T00:00+01:00", "is before 1970; "),
            ("12", "has no unit; give 12m, 12h or 12d for so long before now"),
            ("1700000000", "has no unit; give milliseconds since 1970, such as 1700000000000"),
            ("-1h", "is negative; give 1h, which is that long before now"),
            ("0s", "is no time at all; "),
            ("99999999999999999999", "is not a time; "),
        ] {
            let refused = at(text, NOW).unwrap_err();
            assert!(refused.starts_with(expected), "{text}: {refused}");
        }
    }

    #[test]
    fn a_begin_in_the_future_is_refused_with_the_present_time() {
        assert_eq!(past_at("now", NOW), Ok(NOW));
        let refused = past_at("2099-01-01", NOW).unwrap_err();
        assert_eq!(refused, "is in the future; give a time before now, which is 2026-11-29T14:16:04Z");
    }

    #[test]
    fn a_span_needs_a_unit() {
        assert_eq!(span("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(span("7d"), Ok(Duration::from_secs(7 * 86_400)));
        for (text, expected) in [
            ("", "is not a time; "),
            ("m", "is not a time; "),
            ("1w", "is not a time; "),
            ("1.5h", "is not a time; "),
            ("99999999999999999999h", "is not a time; "),
            ("10", "has no unit; give 10s, 10m, 10h or 10d"),
            ("0s", "is no time at all; give a longer one, such as 30s"),
            ("-1s", "is negative; give 1s"),
        ] {
            let refused = span(text).unwrap_err();
            assert!(refused.starts_with(expected), "{text}: {refused}");
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
