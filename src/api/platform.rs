//! What a platform tells beside activations and packages: its limits, and logs that are kept in a store of their own.

use super::{Api, refused, said};
use crate::ports::{Failure, Method};
use crate::record::ActivationId;
use serde::Deserialize;

/// Largest log that is read, in bytes of JSON: a record may be as large.
const LOGS_BODY: usize = 32 << 20;

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
        #[derive(Deserialize)]
        struct Answer {
            logs: Vec<String>,
        }
        let what = format!("the logs of activation {id}");
        let target = format!("/api/v1/namespaces/_/activations/{id}/logs");
        let mut response = self.send(Method::Get, &target, Vec::new())?;
        if response.status == 404 {
            return match said(&mut response) {
                Some(_) => Ok(Logs::NoRecord),
                None => Err(refused(404, None, &what)),
            };
        }
        let Answer { logs } = self.read_json_up_to(LOGS_BODY, self.accept(response, &what)?, &what)?;
        Ok(match logs.as_slice() {
            [] => Logs::Empty,
            [only] if only == "Logs are not available." => Logs::NotAvailable,
            [only] if only.starts_with("The log message can't be retrieved") => Logs::NotRetrieved,
            _ => Logs::Lines(logs),
        })
    }
}
