//! The index that list and count read: it may be as of the question before (docs/facts/openwhisk.md 1.7), take its time, or be renewed in steps.

use super::settings::Settings;
use std::cell::Cell;

/// As of when the index is. Lists and counts with a name have one, and those of the whole namespace another: each is renewed by its own questions.
#[derive(Debug)]
pub struct Index {
    as_of: Cell<u64>,
    /// A question brings it up to date: to the time of the question, at the later time.
    renewed: Cell<Option<(u64, u64)>>,
}

impl Index {
    pub fn new(begin: u64) -> Self {
        Self { as_of: Cell::new(begin), renewed: Cell::new(None) }
    }

    /// As of when a question at `now` is answered.
    pub fn as_of(&self, now: u64, settings: &Settings) -> u64 {
        let step = settings.index_step_ms.max(1);
        if !settings.stale {
            return now - now % step;
        }
        if let Some((asked, _)) = self.renewed.get().filter(|(_, ready)| *ready <= now) {
            self.as_of.set(asked);
            self.renewed.set(None);
        }
        if self.renewed.get().is_none() {
            let takes = settings.index_step_ms;
            self.renewed.set(Some((now, now + takes)));
        }
        self.as_of.get()
    }
}
