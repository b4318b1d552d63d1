//! What a platform tells beside activations and packages: its limits, and logs that are kept in a store of their own.

use super::{Api, Entries, EntriesAt};
use crate::ports::Failure;
use crate::record::ActivationId;
use serde::Deserialize;

/// Most text of log lines that is kept at once, in bytes. What is larger is read line by line ([`Api::entries`]).
const LARGEST_LOGS: usize = 16 << 20;

/// The platform's limits, as far as they say how late a record may become visible (facts/openwhisk.md 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Limits {
    /// Longest run of an action, and longest time for it to get ready; milliseconds.
    pub max_action_duration: u64,
    /// Largest log of one activation, in bytes.
    pub max_action_logs: u64,
}

/// What `/logs` says of one activation (facts/openwhisk.md 1.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logs {
    /// Its log entries.
    Lines(Vec<String>),
    /// It has more than are kept at once: [`Api::entries`] reads them.
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

impl Api<'_> {
    /// What the platform says of its limits. Asked once only: nothing depends on the answer.
    pub fn limits(&self) -> Result<Limits, Failure> {
        #[derive(Deserialize)]
        struct Info {
            limits: Limits,
        }
        let what = "the platform's limits";
        let info: Info = self.read_json(self.get("/", what)?, what)?;
        Ok(info.limits)
    }

    /// The log entries of an activation, from wherever the platform keeps them. Asked once only: the caller knows what to do without.
    pub fn logs(&self, id: ActivationId) -> Result<Logs, Failure> {
        let (mut lines, mut bytes) = (Vec::new(), 0);
        let read = self.entries(id, EntriesAt::Store, |_, line| {
            let text = line.text().into_owned();
            bytes += text.len() + size_of::<String>();
            lines.push(text);
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
