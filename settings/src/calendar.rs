//! The Gregorian calendar, for times in UTC.

/// Days from 1 March of the year 0 to 1970-01-01.
const DAYS_BEFORE_1970: u64 = 719_468;

/// How many days a month of 1 to 12 has.
pub fn days_of(year: u64, month: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day of a date, counted from 1970-01-01. The calendar has the date.
pub fn day_of(year: u64, month: u64, day: u64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.saturating_sub(1), month + 9) };
    let since_year_0 = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    since_year_0.cast_signed() - DAYS_BEFORE_1970.cast_signed()
}

/// Year, month and day of a day counted from 1970-01-01. The year begins in March, so that the leap day is its last.
pub fn date_of(day: u64) -> (u64, u64, u64) {
    let since_year_0 = day + DAYS_BEFORE_1970;
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
    fn days_become_dates_one_after_the_other_and_back() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for number in 0..days(400) {
            assert_eq!(
                (date_of(number), day_of(year, month, day)),
                ((year, month, day), number.cast_signed())
            );
            day += 1;
            if day > days_of(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!((year, month, day), (2370, 1, 1));
    }

    #[test]
    fn a_leap_year_is_one_in_four_but_for_three_in_four_hundred() {
        let [leap, others] = [[1996, 2000, 2024], [1900, 2023, 2100]];
        assert_eq!(
            (leap.map(|year| days_of(year, 2)), others.map(|year| days_of(year, 2))),
            ([29; 3], [28; 3])
        );
    }

    #[test]
    fn days_before_1970_are_negative() {
        assert_eq!([day_of(1969, 12, 31), day_of(1, 1, 1)], [-1, -719_162]);
    }

    fn days(years: u64) -> u64 {
        years * 365 + years / 4 - 3
    }
}
