//! What is known where more is monitored than before: the range is walked again, and only what was not monitored is new in it.

use crate::checkpoint::{Admission, Seen, selection};
use crate::record::{Record, Summary};
use crate::source::Source;
use std::collections::HashSet;

/// The admissions of a source, in a turn.
#[derive(Debug, Default)]
pub(super) struct Admitted<'a> {
    admissions: Vec<(&'a Admission, Source)>,
    /// Done in this run.
    done: HashSet<Summary>,
}

impl<'a> Admitted<'a> {
    pub(super) fn new(admissions: &'a [Admission], done: &[Summary]) -> Self {
        let admissions: Vec<_> = admissions
            .iter()
            .map(|admission| (admission, Source::Namespace(selection(&admission.before))))
            .collect();
        let done = if admissions.is_empty() { HashSet::new() } else { done.iter().copied().collect() };
        Self { admissions, done }
    }

    /// Whether a record is done already. `seen` says that too of those that were passed over, as they were not monitored.
    pub(super) fn knows(&self, seen: &Seen, summary: Summary, record: &Record<'_>) -> bool {
        let mut known = seen.contains(summary);
        let of_range = |(admission, _): &&(&Admission, Source)| admission.range.contains(summary.start);
        for (admission, before) in self.admissions.iter().filter(of_range) {
            let owed = || admission.owed.iter().any(|range| range.contains(summary.start));
            if before.matches(record) {
                // Not remembered by its id.
                let done = summary.start < admission.kept_from && !owed();
                if done || seen.digest_at(summary.start).is_some() {
                    return true;
                }
            } else if admission.passed_over {
                known = self.done.contains(&summary);
            }
        }
        known
    }
}
