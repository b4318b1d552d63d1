//! A platform's answers beside activations and packages: its limits, and logs in a store of their own.

use super::{Api, Entries, EntriesAt};
use crate::openwhisk::record::{ActivationId, OwnedLine};
use crate::ports::Failure;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use whiskjack_settings::text::json;

/// Most text of log lines that is kept at once, in bytes. What is larger is read line by line ([`Api::entries`]).
const LARGEST_LOGS: usize = 16 << 20;

/// The platform's limits, as far as they say how late a record may become visible (docs/facts/openwhisk.md 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Limits {
    /// Longest run of an action, and longest time for its initialisation; milliseconds.
    #[serde(deserialize_with = "number")]
    pub max_action_duration: u64,
    /// Largest log of one activation, in bytes; that of a stock platform, if it does not say.
    #[serde(default = "stock_logs", deserialize_with = "number_or_stock_logs")]
    pub max_action_logs: u64,
}

/// 10 MB.
fn stock_logs() -> u64 {
    10 << 20
}

/// A whole number, also one that is written as `300000.0` or as a text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    whole(&Value::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("a limit is not a whole number"))
}

fn number_or_stock_logs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(whole(&Value::deserialize(deserializer)?).unwrap_or_else(stock_logs))
}

fn whole(value: &Value) -> Option<u64> {
    let text = value.as_str().map_or_else(|| json(value), str::to_owned);
    let digits = text.split_once('.').map_or(text.as_str(), |(whole, fraction)| {
        if fraction.bytes().all(|digit| digit == b'0') { whole } else { &text }
    });
    digits.parse().ok()
}

/// The answer of `/logs` about one activation (docs/facts/openwhisk.md 1.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logs {
    /// Its log entries.
    Lines(Vec<OwnedLine>),
    /// It has more lines than are kept at once: [`Api::entries`] reads them.
    Many,
    /// There are none, or none yet.
    Empty,
    /// A log driver took them elsewhere: this platform has no logs to give.
    NotAvailable,
    /// The store failed, and says so in place of the lines.
    NotRetrieved,
    /// There is no such activation.
    NoRecord,
}

/// The target at which the platform tells its limits.
pub(super) const LIMITS: &str = "/";

impl Api<'_> {
    /// The platform's limits. It asks only once, as nothing depends on the answer.
    pub fn limits(&self) -> Result<Limits, Failure> {
        #[derive(Deserialize)]
        struct Info {
            limits: Limits,
        }
        let what = "the platform's limits";
        let info: Info = self.read_json(self.get(LIMITS, what)?, what)?;
        Ok(info.limits)
    }

    /// The log entries of an activation, from the place where the platform keeps them. It asks only once, as the caller can do without an
    /// answer.
    pub fn logs(&self, id: ActivationId) -> Result<Logs, Failure> {
        let (mut lines, mut bytes) = (Vec::new(), 0);
        let read = self.entries(id, EntriesAt::Store, |_, line| {
            bytes += line.text().len() + size_of::<OwnedLine>();
            lines.push(OwnedLine::from(line));
            bytes <= LARGEST_LOGS
        })?;
        Ok(match read {
            Entries::All(_) => Logs::Lines(lines),
            Entries::Stopped => Logs::Many,
            Entries::Empty => Logs::Empty,
            Entries::NoRecord => Logs::NoRecord,
            Entries::NotAvailable => Logs::NotAvailable,
            Entries::NotRetrieved => Logs::NotRetrieved,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_may_be_written_as_any_whole_number_and_that_of_logs_may_be_missing() {
        let read = |json: &str| serde_json::from_slice::<Limits>(json.as_bytes()).ok();
        let limits = |max_action_logs| Some(Limits { max_action_duration: 300_000, max_action_logs });
        for (json, expected) in [
            (r#"{"max_action_duration":300000,"max_action_logs":0}"#, limits(0)),
            (r#"{"max_action_duration":300000.0,"max_action_logs":"5"}"#, limits(5)),
            (r#"{"max_action_duration":"300000"}"#, limits(10 << 20)),
            (r#"{"max_action_duration":300000,"max_action_logs":null}"#, limits(10 << 20)),
            (r#"{"max_action_duration":"5 m"}"#, None),
            (r#"{"max_action_duration":-1}"#, None),
            (r#"{"max_action_logs":5}"#, None),
        ] {
            assert_eq!(read(json), expected, "{json}");
        }
    }
}
