//! The schedule of the alarm: a cron pattern, as the alarms feed reads it (docs/facts/openwhisk.md 4).
//!
//! The feed takes nearly everything. The provider behind it then never fires for a value out of range, and gives other values a meaning
//! of its own. So a pattern is refused here unless it means the same to everybody.

use std::time::Duration;

use pkcs8::der::DateTime;
use whiskjack_settings::text::many;

const DAY: u32 = 24 * 3600;
/// Days within which any pattern fires: somewhat more than four years.
const YEARS: u64 = 1500;
/// A run a minute is as often as runs make sense: a record takes longer than that to appear.
const SHORTEST: Duration = Duration::from_secs(60);
const FIELDS: &str = "five (minute, hour, day, month, weekday), or six with leading seconds";
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// The most days that each month has.
const DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// A cron pattern that means the same to the alarms feed as to people: five fields, or six with leading seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    cron: String,
    period: Duration,
    has_seconds: bool,
}

impl Schedule {
    /// Reads a pattern. Errors are sentences that name the field.
    pub fn parse(cron: &str) -> Result<Self, String> {
        let fields: Vec<&str> = cron.split_whitespace().collect();
        let (seconds, [minute, hour, day, month, weekday]) = match *fields.as_slice() {
            [minute, hour, day, month, weekday] => ("0", [minute, hour, day, month, weekday]),
            [second, minute, hour, day, month, weekday] => (second, [minute, hour, day, month, weekday]),
            ref other => {
                return Err(format!(
                    "has {}; give {FIELDS}",
                    many(u64::try_from(other.len()).unwrap_or(u64::MAX), "field")
                ));
            }
        };
        let seconds = Field::new("second", 0, 59).values(seconds)?;
        let minutes = Field::new("minute", 0, 59).values(minute)?;
        let hours = Field::new("hour", 0, 23).values(hour)?;
        let days = Field::new("day", 1, 31).values(day)?;
        let months = Field::named("month", 0, 11, &MONTHS).values(month)?;
        Field::named("weekday", 0, 6, &WEEKDAYS).values(weekday)?;
        let most_days = months.iter().filter_map(|month| DAYS.get(*month as usize)).max();
        if days.first() > most_days {
            return Err(format!(
                "`{day}` is not a day of `{month}`; it would never fire on the day that is meant"
            ));
        }
        let period = shortest_gap(&hours, &minutes, &seconds);
        if period < SHORTEST {
            return Err(format!(
                "would fire every {} s, as the first of six fields is the second; runs start once a minute at most, so give five fields, \
                 or a single second first, such as \"0 {}\"",
                period.as_secs(),
                fields.get(1..).unwrap_or_default().join(" ")
            ));
        }
        Ok(Self { cron: fields.join(" "), period, has_seconds: fields.len() == 6 })
    }

    /// The pattern, fields apart by one space.
    pub fn cron(&self) -> &str {
        &self.cron
    }

    /// Shortest time between two alarms, as if every day were one with alarms: a day at most.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// When it fires next after `after`, time since 1970; `None` if not within years. A day must match month, day and weekday, as for the
    /// alarms feed.
    pub fn next(&self, after: Duration) -> Option<Duration> {
        let fields: Vec<&str> = self.cron.split(' ').collect();
        let (seconds, rest) = match fields.len() {
            6 => fields.split_first().map(|(second, rest)| (*second, rest))?,
            _ => ("0", fields.as_slice()),
        };
        let [minute, hour, day, month, weekday] = *rest else { return None };
        let seconds = Field::new("second", 0, 59).values(seconds).ok()?;
        let minutes = Field::new("minute", 0, 59).values(minute).ok()?;
        let hours = Field::new("hour", 0, 23).values(hour).ok()?;
        let days = Field::new("day", 1, 31).values(day).ok()?;
        let months = Field::named("month", 0, 11, &MONTHS).values(month).ok()?;
        let weekdays = Field::named("weekday", 0, 6, &WEEKDAYS).values(weekday).ok()?;
        let today = after.as_secs() / u64::from(DAY);
        (today..today + YEARS).find_map(|number| {
            let midnight = Duration::from_secs(number * u64::from(DAY));
            let date = DateTime::from_unix_duration(midnight).ok()?;
            // 1970 began on a Thursday.
            let weekday = u32::try_from((number + 4) % 7).ok()?;
            let suits = months.contains(&(u32::from(date.month()) - 1))
                && days.contains(&u32::from(date.day()))
                && weekdays.contains(&weekday);
            let mut times = hours.iter().flat_map(|hour| {
                let of_minute = move |minute: &u32| hour * 3600 + minute * 60;
                minutes.iter().map(of_minute)
            });
            let next = |minute: u32| {
                let at = |second: &u32| midnight + Duration::from_secs(u64::from(minute + second));
                seconds.iter().map(at).find(|at| *at > after)
            };
            suits.then(|| times.find_map(next)).flatten()
        })
    }

    /// How often it fires, if the pattern is easily misread: with six fields the others move by one.
    pub fn note(&self) -> Option<String> {
        let seconds = self.period.as_secs();
        self.has_seconds.then(|| {
            format!(
                "the schedule \"{}\" has six fields, so the first is the second: it fires every {seconds} s at the shortest",
                self.cron
            )
        })
    }
}

/// What a field of a pattern may hold.
struct Field {
    what: &'static str,
    smallest: u32,
    largest: u32,
    /// Names of the values; empty if they are numbers only.
    names: &'static [&'static str],
}

impl Field {
    fn new(what: &'static str, smallest: u32, largest: u32) -> Self {
        Self::named(what, smallest, largest, &[])
    }

    fn named(what: &'static str, smallest: u32, largest: u32, names: &'static [&'static str]) -> Self {
        Self { what, smallest, largest, names }
    }

    /// The values of a field, ascending: `*`, `5`, `1-5`, `*/10`, `1-30/5`, and lists of these.
    fn values(&self, field: &str) -> Result<Vec<u32>, String> {
        let mut all = Vec::new();
        for part in field.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(self.step(step, field)?)),
                None => (part, None),
            };
            let (first, last) = match range.split_once('-') {
                Some((first, last)) => (self.value(first, field)?, self.value(last, field)?),
                None if range == "*" => (self.smallest, self.largest),
                None if range == "?" => {
                    return Err(self.wrong(field, "the alarms feed knows no `?`; give `*`"));
                }
                None => {
                    let value = self.value(range, field)?;
                    if step.is_some() {
                        let remedy = format!(
                            "the alarms feed takes it for {range} alone; give `{range}-{}/…`",
                            self.largest
                        );
                        return Err(self.wrong(field, &remedy));
                    }
                    (value, value)
                }
            };
            if first > last {
                return Err(
                    self.wrong(field, "its range ends before it begins; swap the two, or give two ranges")
                );
            }
            all.extend((first..=last).step_by(step.unwrap_or(1)));
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    fn value(&self, text: &str, field: &str) -> Result<u32, String> {
        let named = self.names.iter().zip(self.smallest..).find(|(name, _)| name.eq_ignore_ascii_case(text));
        if let Some((_, value)) = named {
            return Ok(value);
        }
        let number = number(text).ok_or_else(|| self.wrong(field, &self.form()))?;
        match self.what {
            // The feed counts from 0, everybody else from 1.
            "month" => {
                Err(self
                    .wrong(field, "the alarms feed counts months from 0; give them by name, as JAN, or `*`"))
            }
            "weekday" if number == 7 => {
                Err(self.wrong(field, "the alarms feed takes 7 for Saturday; give 0 or SUN for Sunday"))
            }
            _ if (self.smallest..=self.largest).contains(&number) => Ok(number),
            _ => Err(self.wrong(field, &self.form())),
        }
    }

    fn step(&self, text: &str, field: &str) -> Result<usize, String> {
        let most = self.largest - self.smallest;
        let step = number(text).filter(|step| (1..=most).contains(step));
        let step = step.and_then(|step| usize::try_from(step).ok());
        step.ok_or_else(|| self.wrong(field, &format!("its step must be a number from 1 to {most}")))
    }

    fn form(&self) -> String {
        let Self { smallest, largest, .. } = self;
        match self.what {
            "month" => "give JAN to DEC, `*`, `*/n`, a range, or a list of these".to_owned(),
            "weekday" => "give 0 (Sunday) to 6, SUN to SAT, `*`, a range, or a list of these".to_owned(),
            _ => format!("give {smallest} to {largest}, `*`, `a-b`, `*/n`, or a list of these"),
        }
    }

    fn wrong(&self, field: &str, remedy: &str) -> String {
        let article = if self.what == "hour" { "an" } else { "a" };
        format!("`{field}` is not {article} {}: {remedy}", self.what)
    }
}

/// Digits only, as the feed wants them.
fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn shortest_gap(hours: &[u32], minutes: &[u32], seconds: &[u32]) -> Duration {
    let times = hours.iter().flat_map(|hour| {
        minutes
            .iter()
            .flat_map(move |minute| seconds.iter().map(move |second| (hour * 60 + minute) * 60 + second))
    });
    let (mut first, mut last, mut gap) = (None, None, DAY);
    for time in times {
        first.get_or_insert(time);
        if let Some(before) = last.replace(time) {
            gap = gap.min(time - before);
        }
    }
    if let (Some(first), Some(last)) = (first, last) {
        gap = gap.min(first + DAY - last);
    }
    Duration::from_secs(u64::from(gap))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_period_is_the_shortest_time_between_two_alarms() {
        for (cron, seconds) in [
            ("* * * * *", 60),
            ("*/5 * * * *", 300),
            (" 0   3 * * 1 ", 86_400),
            ("0 9-17 * * MON-FRI", 3_600),
            ("0,1 0 1 jan *", 60),
            ("59 23 * * *", 86_400),
            ("30 * * * * *", 60),
            ("0 */2 * * * *", 120),
            ("0 0,23 * * *", 3_600),
            ("7-59/20 * * * *", 1_200),
            ("0 0 0 29 Feb SUN,3-5", 86_400),
            ("0 0 31 */3 *", 86_400),
        ] {
            assert_eq!(Schedule::parse(cron).unwrap().period(), Duration::from_secs(seconds), "{cron}");
        }
    }

    #[test]
    fn a_pattern_that_the_feed_would_bend_into_another_one_is_refused_with_its_field() {
        for (cron, parts) in [
            ("", &["has 0 fields", "five (minute, hour, day, month, weekday)"][..]),
            ("@hourly", &["has 1 field"]),
            ("* * * * * * *", &["has 7 fields"]),
            ("61 * * * *", &["`61` is not a minute: give 0 to 59"]),
            ("60 * * * *", &["`60` is not a minute"]),
            ("0 25 * * *", &["`25` is not an hour: give 0 to 23"]),
            ("* 24 * * *", &["`24` is not an hour"]),
            ("* * 32 * *", &["`32` is not a day: give 1 to 31"]),
            ("* * 0 * *", &["`0` is not a day"]),
            ("* * * 13 *", &["`13` is not a month: ", "give them by name"]),
            ("0 0 1 1 *", &["`1` is not a month: the alarms feed counts months from 0"]),
            ("* * * JANUARY *", &["`JANUARY` is not a month: give JAN to DEC"]),
            ("* * * * 9", &["`9` is not a weekday: give 0 (Sunday) to 6"]),
            ("* * * * 7", &["takes 7 for Saturday; give 0 or SUN"]),
            ("* * 30 FEB *", &["`30` is not a day of `FEB`"]),
            ("* * 31 FEB,jun *", &["`31` is not a day of `FEB,jun`"]),
            ("*/0 * * * *", &["`*/0` is not a minute: its step must be a number from 1 to 59"]),
            ("*/90 * * * *", &["its step must be"]),
            ("*/x * * * *", &["its step must be"]),
            ("7/20 * * * *", &["takes it for 7 alone; give `7-59/…`"]),
            ("5-1 * * * *", &["ends before it begins"]),
            ("+5 * * * *", &["`+5` is not a minute"]),
            ("1, * * * *", &["`1,` is not a minute"]),
            ("x * * * * *", &["`x` is not a second"]),
            ("60 * * * * *", &["`60` is not a second"]),
            ("0 0 ? * *", &["knows no `?`; give `*`"]),
            ("0 0 * * SUN#1", &["`SUN#1` is not a weekday"]),
            ("0 0 L * *", &["`L` is not a day"]),
            ("* * * * $(id)", &["`$(id)` is not a weekday"]),
        ] {
            let message = Schedule::parse(cron).unwrap_err();
            for part in parts {
                assert!(message.contains(part), "{cron}: {message}");
            }
        }
    }

    #[test]
    fn a_sixth_field_never_makes_runs_of_seconds_and_how_often_it_fires_is_said() {
        for (cron, parts) in [
            ("* * * * * *", ["would fire every 1 s", "as \"0 * * * * *\""]),
            ("*/30 * * * * *", ["would fire every 30 s", "give five fields"]),
            ("0,59 */5 * * * *", ["would fire every 59 s", "as \"0 */5 * * * *\""]),
            ("0-30/30 0 3 * * *", ["would fire every 30 s", "the first of six fields is the second"]),
        ] {
            let message = Schedule::parse(cron).unwrap_err();
            for part in parts {
                assert!(message.contains(part), "{cron}: {message}");
            }
        }
        assert_eq!(Schedule::parse("0 3 * * *").unwrap().note(), None);
        let note = Schedule::parse("0 3 * * * *").unwrap().note().unwrap();
        assert!(note.contains("\"0 3 * * * *\"") && note.contains("every 3600 s"), "{note}");
    }

    #[test]
    fn the_next_alarm_is_the_first_time_after_now_that_suits_all_fields() {
        // 2023-11-14T22:13:20Z, a Tuesday.
        let now = Duration::from_secs(1_700_000_000);
        for (cron, seconds) in [
            ("* * * * *", 40),
            ("*/15 * * * *", 100),
            ("0 3 * * *", 17_200),
            ("30 22 * * tue", 1_000),
            ("30 21 * * tue", 7 * 86_400 - 2_600),
            ("0 0 29 feb *", 1_709_164_800 - 1_700_000_000),
            ("15 0 * * * *", 2_815),
        ] {
            let next = Schedule::parse(cron).unwrap().next(now).unwrap();
            assert_eq!((next - now).as_secs(), seconds, "{cron}");
        }
    }
}
