//! RFC 3339 in UTC, as OpenWhisk and Logstash write it; no time zones, no calendar crate.

use whiskjack_settings::calendar;

/// Whether `text` is an RFC 3339 time in UTC with 0–9 fraction digits: `2023-11-14T22:13:20.010000001Z`.
pub fn is_rfc3339_utc(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some((date_time, rest)) = bytes.split_at_checked(19) else { return false };
    let shape = date_time.iter().zip(b"dddd-dd-ddTdd:dd:dd").all(|(byte, shape)| match shape {
        b'd' => byte.is_ascii_digit(),
        _ => byte == shape,
    });
    let fraction = match rest {
        [b'Z'] => return shape && in_calendar(text),
        [b'.', digits @ .., b'Z'] => digits,
        _ => return false,
    };
    shape && (1..=9).contains(&fraction.len()) && fraction.iter().all(u8::is_ascii_digit) && in_calendar(text)
}

/// Whether there is such a day and such a time of day; the shape is already checked. A receiver refuses an event of 31 February, of a
/// leap second or of the year 0, or moves it to another time.
fn in_calendar(text: &str) -> bool {
    let number = |at: std::ops::Range<usize>| text.get(at).and_then(|digits| digits.parse::<u64>().ok());
    let within = |value: Option<u64>, low: u64, high: u64| value.is_some_and(|n| (low..=high).contains(&n));
    let (year, month) = (number(0..4).unwrap_or_default(), number(5..7).unwrap_or_default());
    within(Some(year), 1, 9999)
        && within(Some(month), 1, 12)
        && within(number(8..10), 1, calendar::days_of(year, month))
        && within(number(11..13), 0, 23)
        && within(number(14..16), 0, 59)
        && within(number(17..19), 0, 59)
}

/// An RFC 3339 time, in any time zone, as milliseconds since 1970. Fractions of a millisecond are cut off; times before 1970, and after the
/// year 9999 in UTC, give `None`.
pub fn epoch_ms(text: &str) -> Option<u64> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let digits =
        rest.strip_prefix('.').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count() + 1);
    let (fraction, zone) = rest.split_at_checked(digits)?;
    // In UTC, and with `T` and `Z` as the other function wants them; RFC 3339 also allows a blank, and small letters.
    let utc = format!("{}Z", date_time.replace(['t', ' '], "T"));
    if fraction == "." || !is_rfc3339_utc(&utc) {
        return None;
    }
    let number = |at: std::ops::Range<usize>| utc.get(at).and_then(|digits| digits.parse::<u64>().ok());
    let days = calendar::day_of(number(0..4)?, number(5..7)?, number(8..10)?);
    let of_day = number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?;
    let ms: u64 = format!("{:0<3}", fraction.trim_start_matches('.')).get(..3)?.parse().ok()?;
    let ms = days * 86_400_000 + (of_day * 1000 + ms).cast_signed() - zone_ms(zone)?;
    u64::try_from(ms).ok().filter(|ms| *ms <= LAST_MS)
}

/// An RFC 3339 time, in any time zone, in UTC: with milliseconds, or with all digits behind the second, up to nine. The zone may also lack its
/// colon (ISO 8601).
pub fn in_utc(text: &str) -> Option<String> {
    let colon = text.len().checked_sub(2)?;
    let has_colon = !text.get(colon.checked_sub(3)?..colon)?.starts_with(['+', '-']);
    let with_colon =
        if has_colon { None } else { Some([text.get(..colon)?, ":", text.get(colon..)?].concat()) };
    let ms = rfc3339(epoch_ms(with_colon.as_deref().unwrap_or(text))?);
    let fraction = text.get(19..).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).take(9).count();
    match fraction.get(..digits).filter(|digits| digits.len() > 3) {
        Some(digits) => Some([ms.get(..20)?, digits, "Z"].concat()),
        None => Some(ms),
    }
}

/// A date of HTTP in any of its three forms (RFC 9110 5.6.7), as milliseconds since 1970: `Sun, 06 Nov 1994 08:49:37 GMT`,
/// `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`. Years of two digits are of this century.
pub fn http_date_ms(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.split([' ', '-', ',']).filter(|word| !word.is_empty()).collect();
    let (day, month, year, time) = match words[..] {
        [_, day, month, year, time, "GMT"] => (day, month, year, time),
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let century = if year.len() == 2 { "20" } else { "" };
    epoch_ms(&format!("{century}{year}-{month:02}-{day:0>2}T{time}Z"))
}

/// `Z`, `+01:00` or `-01:00`, in milliseconds.
fn zone_ms(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes() {
        b"Z" | b"z" => return Some(0),
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let number = |at: std::ops::Range<usize>| {
        let digits = zone.get(at).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        digits.and_then(|digits| digits.parse::<i64>().ok())
    };
    let (hours, minutes) = (number(1..3)?, number(4..6)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60_000)
}

/// Milliseconds since 1970 as `2023-11-14T22:13:20.010Z`; what is after the year 9999 as the end of that year.
pub fn rfc3339(epoch_ms: u64) -> String {
    let epoch_ms = epoch_ms.min(LAST_MS);
    let (days, ms) = (epoch_ms / 86_400_000, epoch_ms % 86_400_000);
    let (year, month, day) = calendar::date_of(days);
    let (s, ms) = (ms / 1000, ms % 1000);
    let parts = [
        (year, 4, '-'),
        (month, 2, '-'),
        (day, 2, 'T'),
        (s / 3600, 2, ':'),
        (s / 60 % 60, 2, ':'),
        (s % 60, 2, '.'),
        (ms, 3, 'Z'),
    ];
    // Each activation has three of them, and the standard library's formatting is ten times slower.
    let mut text = String::with_capacity(24);
    for (number, digits, end) in parts {
        for digit in (0..digits).rev() {
            text.push(char::from(b'0' + (number / 10_u64.pow(digit) % 10) as u8));
        }
        text.push(end);
    }
    text
}

/// The last millisecond of the year 9999: RFC 3339 has no later one.
const LAST_MS: u64 = 253_402_300_799_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epoch_milliseconds_become_dates() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_700_000_000_010), "2023-11-14T22:13:20.010Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(4_107_542_399_999), "2100-02-28T23:59:59.999Z");
        assert_eq!(rfc3339(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
        assert_eq!(rfc3339(u64::MAX), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn dates_become_epoch_milliseconds() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2023-11-14T22:13:20.010Z", 1_700_000_000_010),
            ("2023-11-14t22:13:20.0109999999999z", 1_700_000_000_010),
            ("2023-11-14 23:13:20.5+01:00", 1_700_000_000_500),
            ("2023-11-14T20:43:20-01:30", 1_700_000_000_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("9999-12-31T23:59:59.999Z", LAST_MS),
        ] {
            assert_eq!(epoch_ms(text), Some(ms), "{text}");
        }
        for ms in (0..5_000_000_000_000).step_by(86_400_000 * 13 + 12_345_678) {
            assert_eq!(epoch_ms(&rfc3339(ms)), Some(ms));
        }
        for text in [
            "",
            "2023-11-14",
            "2023-11-14T22:13:20",
            "2023-11-14T22:13:20.Z",
            "2023-11-14T22:13:20+1",
            "2023-11-14T22:13:20+24:00",
            "2023-02-31T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "0001-01-01T00:00:00Z",
            "2023-11-14T22:13:20+é:0",
            "9999-12-31T23:59:59-01:00",
        ] {
            assert_eq!(epoch_ms(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_of_another_zone_keeps_its_digits_in_utc() {
        for (text, utc) in [
            ("2026-11-30T14:00:00.123456789+02:00", "2026-11-30T12:00:00.123456789Z"),
            ("2026-11-30T12:00:00.1234567899Z", "2026-11-30T12:00:00.123456789Z"),
            ("2026-12-01 00:30:00.1234-00:30", "2026-12-01T01:00:00.1234Z"),
            ("2026-11-30T14:00:00.12+0200", "2026-11-30T12:00:00.120Z"),
            ("2026-11-30T14:00:00-0200", "2026-11-30T16:00:00.000Z"),
            ("2026-11-30t12:00:00z", "2026-11-30T12:00:00.000Z"),
        ] {
            assert_eq!(in_utc(text).as_deref(), Some(utc), "{text}");
        }
        for text in [
            "",
            "Z",
            "+0200",
            "2026-11-30",
            "2026-11-30T14:00:00",
            "2026-11-30T14:00:00+02",
            "2026-11-30T14:00:00+02000",
        ] {
            assert_eq!(in_utc(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_that_does_not_exist_is_not_a_time() {
        for text in [
            "2023-02-31T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2023-04-31T00:00:00Z",
            "2023-11-14T23:59:60Z",
            "0000-01-01T00:00:00Z",
            "2023-00-10T00:00:00Z",
            "2023-01-00T00:00:00Z",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:60:00Z",
        ] {
            assert!(!is_rfc3339_utc(text), "{text}");
        }
        for text in [
            "2024-02-29T00:00:00Z",
            "2000-02-29T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999999Z",
        ] {
            assert!(is_rfc3339_utc(text), "{text}");
        }
    }

    #[test]
    fn a_time_has_0_to_9_fraction_digits_and_a_z() {
        for good in ["2023-11-14T22:13:20Z", "2023-11-14T22:13:20.1Z", "2023-11-14T22:13:20.123456789Z"] {
            assert!(is_rfc3339_utc(good), "{good}");
        }
        for bad in [
            "",
            "2023-11-14",
            "2023-11-14T22:13:20",
            "2023-11-14T22:13:20.Z",
            "2023-11-14T22:13:20.1234567890Z",
            "2023-11-14T22:13:20+01:00",
            "2023-13-14T22:13:20Z",
            "2023-11-14T25:13:20Z",
            "2023-11-14 22:13:20Z",
            "é023-11-14T22:13:20Z",
        ] {
            assert!(!is_rfc3339_utc(bad), "{bad}");
        }
    }
}
