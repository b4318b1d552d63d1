//! The log entries of one activation, of any size, one at a time: from its record, or from the store that `/logs` asks.

use super::Api;
use super::patience::Answer;
use super::refusal::{refused, said};
use crate::openwhisk::record::{ActivationId, Content, EntryReader, Line};
use crate::ports::{Failure, Method};

/// What `/logs` says in place of lines, as its only entry, where a log driver took them elsewhere (docs/facts/openwhisk.md 1.8).
const NOT_AVAILABLE: &str = "Logs are not available.";
/// What it begins with where their store failed.
const NOT_RETRIEVED: &str = "The log message can't be retrieved";

/// The place where entries are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntriesAt {
    /// In the activation's record.
    Record,
    /// Wherever `/logs` finds them.
    Store,
}

/// The outcome of reading entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entries {
    /// All were visited; their number. A record may have none.
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

impl<'a> Api<'a> {
    /// Hands each log entry of an activation to `visit`, with its index, until that returns `false`. It asks only once: if it fails, some
    /// entries may have been visited. It cuts an entry that is longer than an event while it reads it, so it takes no more memory than one
    /// entry.
    pub fn entries(
        &self,
        id: ActivationId,
        at: EntriesAt,
        mut visit: impl FnMut(usize, Line<'_>) -> bool,
    ) -> Result<Entries, Failure> {
        self.hand_entries(id, at, &mut visit)
    }

    /// [`Self::entries`], compiled once for all who call it.
    fn hand_entries(
        &self,
        id: ActivationId,
        at: EntriesAt,
        visit: &mut dyn FnMut(usize, Line<'_>) -> bool,
    ) -> Result<Entries, Failure> {
        let what = match at {
            EntriesAt::Record => format!("the record of activation {id}"),
            EntriesAt::Store => format!("the logs of activation {id}"),
        };
        let Some(mut response) = self.open(id, at, &what)? else { return Ok(Entries::NoRecord) };
        let (mut reader, mut notice) = (EntryReader::default(), None);
        let broken = |error| Failure::passing(format!("{what}: {error}"));
        while let Some(piece) = response.body.chunk()? {
            let mut visited = false;
            let fed = reader.feed(&piece, |index, line| {
                visited = true;
                // A notice stands alone. If another entry follows, it was a line like any other.
                let held: Option<Notice> = notice.take();
                if held.is_some_and(|held| !visit(0, held.text.as_str().into())) {
                    return false;
                }
                notice = Notice::of(at, index, line);
                notice.is_some() || visit(index, line)
            });
            if visited {
                response.body.is_of_use();
            }
            if !fed.map_err(broken)? {
                return Ok(Entries::Stopped);
            }
        }
        let Content { entries, has_logs, id: whose } = reader.finish().map_err(broken)?;
        let told = match at {
            EntriesAt::Record => whose == Some(id),
            EntriesAt::Store => has_logs,
        };
        if !told {
            let message =
                format!("{what}: the answer is not what an OpenWhisk API says; is `api.host` right?");
            return Err(Failure::passing(message));
        }
        Ok(match (notice, at) {
            (Some(Notice { means, .. }), _) => means,
            (None, EntriesAt::Store) if entries == 0 => Entries::Empty,
            _ => Entries::All(entries),
        })
    }

    /// The answer that holds the entries; `None` if there is no such activation.
    fn open(&self, id: ActivationId, at: EntriesAt, what: &str) -> Result<Option<Answer<'a>>, Failure> {
        let place = match at {
            EntriesAt::Record => "",
            EntriesAt::Store => "/logs",
        };
        let target = format!("/api/v1/namespaces/_/activations/{id}{place}");
        let mut response = self.send(Method::Get, &target, Vec::new())?;
        if response.status != 404 {
            return self.accept(response, what).map(Some);
        }
        // A gateway says 404 too while the controller is away. That must not pass for "it was deleted".
        match said(&mut response) {
            Some(_) => Ok(None),
            None => Err(refused(404, None, what)),
        }
    }
}

/// An entry that may stand in place of the lines.
struct Notice {
    text: String,
    means: Entries,
}

impl Notice {
    fn of(at: EntriesAt, index: usize, line: Line<'_>) -> Option<Self> {
        if at == EntriesAt::Record || index > 0 {
            return None;
        }
        let text = line.text();
        let means = match &*text {
            NOT_AVAILABLE => Entries::NotAvailable,
            text if text.starts_with(NOT_RETRIEVED) => Entries::NotRetrieved,
            _ => return None,
        };
        Some(Self { text: text.into_owned(), means })
    }
}

#[cfg(test)]
mod tests;
