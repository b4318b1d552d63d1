//! When the alarm goes off: a cron pattern, as far as is needed to know how often (docs/facts/openwhisk.md 4).

use std::time::Duration;

const DAY: u32 = 24 * 3600;

/// A cron pattern that the alarms feed takes: five fields, or six with leading seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    cron: String,
    period: Duration,
}

impl Schedule {
    /// Reads a pattern. Errors are sentences that name the field.
    pub fn parse(cron: &str) -> Result<Self, String> {
        let fields: Vec<&str> = cron.split_whitespace().collect();
        let (seconds, fields) = match fields.as_slice() {
            [seconds, rest @ ..] if rest.len() == 5 => (*seconds, rest),
            rest if rest.len() == 5 => ("0", rest),
            other => {
                return Err(format!(
                    "has {} fields; give five (minute, hour, day, month, weekday), or six with leading seconds",
                    other.len()
                ));
            }
        };
        let [minutes, hours, days @ ..] = fields else { return Err("has no fields".to_owned()) };
        for field in days {
            if !field.chars().all(|c| c.is_ascii_alphanumeric() || "*,-/?#".contains(c)) {
                return Err(format!("`{field}` is no day, month or weekday"));
            }
        }
        let seconds = values("second", seconds, 59)?;
        let minutes = values("minute", minutes, 59)?;
        let hours = values("hour", hours, 23)?;
        let period = shortest_gap(&hours, &minutes, &seconds);
        Ok(Self { cron: fields_joined(cron), period })
    }

    /// The pattern, fields apart by one space.
    pub fn cron(&self) -> &str {
        &self.cron
    }

    /// Shortest time between two alarms, as if every day were one with alarms: a day at most.
    pub fn period(&self) -> Duration {
        self.period
    }
}

fn fields_joined(cron: &str) -> String {
    cron.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The values of a field, ascending: `*`, `5`, `1-5`, `*/10`, `1-30/5`, and lists of these.
fn values(what: &str, field: &str, largest: u32) -> Result<Vec<u32>, String> {
    let wrong = || format!("`{field}` is no {what}; give 0–{largest}, `*`, `a-b`, `*/n`, or a list of these");
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number <= largest).ok_or_else(wrong);
    let mut all = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0).ok_or_else(wrong)?),
            None => (part, 1),
        };
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None if range == "*" || range == "?" => (0, largest),
            None if part.contains('/') => (number(range)?, largest),
            None => (number(range)?, number(range)?),
        };
        if first > last {
            return Err(wrong());
        }
        all.extend((first..=last).step_by(step));
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
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
            ("0,1 0 1 1 *", 60),
            ("59 23 * * *", 86_400),
            ("*/30 * * * * *", 30),
            ("0 */2 * * * *", 120),
            ("0 0,23 * * *", 3_600),
            ("7/20 * * * *", 1_200),
            ("0 0 0 ? * SUN#1", 86_400),
        ] {
            assert_eq!(Schedule::parse(cron).unwrap().period(), Duration::from_secs(seconds), "{cron}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_the_field() {
        for (cron, part) in [
            ("", "has 0 fields"),
            ("@hourly", "has 1 fields"),
            ("60 * * * *", "`60` is no minute"),
            ("* 24 * * *", "`24` is no hour"),
            ("*/0 * * * *", "`*/0` is no minute"),
            ("5-1 * * * *", "`5-1` is no minute"),
            ("x * * * * *", "`x` is no second"),
            ("* * * * $(id)", "`$(id)` is no day"),
        ] {
            let message = Schedule::parse(cron).unwrap_err();
            assert!(message.contains(part), "{cron}: {message}");
        }
    }
}
