//! Known activations in a range where more is monitored than before: the range is walked again, and only activations that were not
//! monitored are new in it.

use crate::checkpoint::{Admission, Seen, selection};
use crate::openwhisk::record::{Record, Summary};
use crate::openwhisk::source::Source;
use std::collections::HashSet;

/// The admissions of a source, in a turn.
#[derive(Debug, Default)]
pub(super) struct Admitted<'a> {
    admissions: Vec<(&'a Admission, Source)>,
    /// Done in this run.
    done: HashSet<Summary>,
}

/// What is known of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It is new.
    Not,
    /// It is done, and that is remembered.
    Remembered,
    /// It is done, as it was monitored before and is that old. From now on it must be remembered: when its range has settled, all in it is
    /// compared with what is.
    Forgotten,
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

    /// Whether a record is done already. `seen` says that too of those that were passed over, as they were not monitored: patterns look at all, and
    /// some stores find more by a name than what is called so.
    pub(super) fn knows(&self, seen: &Seen, summary: Summary, record: &Record<'_>) -> Known {
        let of_ids = |known: bool| if known { Known::Remembered } else { Known::Not };
        let mut known = of_ids(seen.contains(summary));
        let of_range = |(admission, _): &&(&Admission, Source)| admission.range.contains(summary.start);
        for (admission, before) in self.admissions.iter().filter(of_range) {
            let owed = || admission.owed.iter().any(|range| range.contains(summary.start));
            if before.matches(record) {
                if known == Known::Not && summary.start < admission.kept_from && !owed() {
                    return Known::Forgotten;
                }
            } else {
                known = of_ids(self.done.contains(&summary));
            }
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{Checkpoint, SourceState};
    use crate::openwhisk::source::{Entry, NAMESPACE, Selection};

    #[test]
    fn what_a_store_found_beside_a_name_is_new_when_patterns_admit_it() {
        let beside = r#"{"activationId":"0000000000000000000000000000000a","namespace":"guest","name":"hello-2","start":95,
            "annotations":[{"key":"path","value":"guest/tools/hello-2"}]}"#;
        let record = Record::parse(beside.as_bytes()).unwrap();
        let summary = Summary { activation_id: record.activation_id, start: record.start };
        let mut state = SourceState { complete_until: 100, ..SourceState::new(1) };
        state.seen.insert(summary);
        let mut checkpoint = Checkpoint::default();
        checkpoint.sources.insert("tools/hello".into(), state);
        let patterns = Selection::new([Entry::parse("tools/*").unwrap()], None);
        checkpoint.monitor(&[Source::Namespace(patterns)], 50);
        let state = &checkpoint.sources[NAMESPACE];
        let knows =
            |done: &[Summary]| Admitted::new(&state.admissions, done).knows(&state.seen, summary, &record);
        assert_eq!(knows(&[]), Known::Not);
        assert_eq!(knows(&[summary]), Known::Remembered, "in this run it is done once");
    }
}
