//! Stand-in until the real one is merged.
use super::{Api, ERROR_BODY, api_message, read_body};
use crate::ports::{Failure, Method};
use crate::record::{ActivationId, Line};
use serde::Deserialize;

/// Where entries are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntriesAt {
    /// In the activation's record.
    Record,
    /// Wherever `/logs` finds them.
    Store,
}

/// What came of reading entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entries {
    /// All were visited, so many. A record may have none.
    All(usize),
    /// The visitor has had enough.
    Stopped,
    /// There is no such activation.
    NoRecord,
    /// The store has none, or none yet.
    Empty,
    /// A log driver took them elsewhere: this platform has no logs to give.
    NotAvailable,
    /// The store failed, and says so in place of the lines.
    NotRetrieved,
}

impl Api<'_> {
    /// Stand-in.
    pub fn entries(
        &self,
        id: ActivationId,
        at: EntriesAt,
        mut visit: impl FnMut(usize, Line<'_>) -> bool,
    ) -> Result<Entries, Failure> {
        #[derive(Deserialize)]
        struct Answer {
            logs: Vec<String>,
        }
        let what = format!("the record of activation {id}");
        let place = if at == EntriesAt::Record { "" } else { "/logs" };
        let target = format!("/api/v1/namespaces/_/activations/{id}{place}");
        let mut response = self.send(Method::Get, &target, Vec::new())?;
        if response.status == 404
            && read_body(&mut response, ERROR_BODY).is_ok_and(|body| api_message(&body).is_some())
        {
            return Ok(Entries::NoRecord);
        }
        let Answer { logs } = self.read_json_up_to(32 << 20, self.accept(response, &what)?, &what)?;
        for (index, line) in logs.iter().enumerate() {
            if !visit(index, line.as_str().into()) {
                return Ok(Entries::Stopped);
            }
        }
        if logs.is_empty() && at == EntriesAt::Store {
            Ok(Entries::Empty)
        } else {
            Ok(Entries::All(logs.len()))
        }
    }
}
