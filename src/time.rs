//! RFC 3339 in UTC, as OpenWhisk and Logstash write it; no time zones, no calendar crate.

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

/// Whether month, day, hour, minute and second are in range; the shape is already checked.
fn in_calendar(text: &str) -> bool {
    let number = |at: std::ops::Range<usize>| text.get(at).and_then(|digits| digits.parse::<u8>().ok());
    let within = |value: Option<u8>, low: u8, high: u8| value.is_some_and(|n| (low..=high).contains(&n));
    within(number(5..7), 1, 12)
        && within(number(8..10), 1, 31)
        && within(number(11..13), 0, 23)
        && within(number(14..16), 0, 59)
        && within(number(17..19), 0, 60)
}

/// Milliseconds since 1970 as `2023-11-14T22:13:20.010Z`.
pub fn rfc3339(epoch_ms: u64) -> String {
    let (days, ms) = (epoch_ms / 86_400_000, epoch_ms % 86_400_000);
    let (year, month, day) = civil(days);
    let (s, ms) = (ms / 1000, ms % 1000);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z", s / 3600, s / 60 % 60, s % 60)
}

/// Date of a day counted from 1970-01-01, in the Gregorian calendar. The year begins in March, so that the leap day is its last.
fn civil(days: u64) -> (u64, u64, u64) {
    let since_year_0 = days + 719_468;
    let era = since_year_0 / 146_097;
    let day_of_era = since_year_0 % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

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
