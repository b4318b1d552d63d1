//! The work when other actions are monitored than before. Nothing that is owed is dropped, and new sources begin.
//!
//! A source that is not monitored any more is *parked*, and comes back as it was. If a source of patterns admits more actions than before,
//! that makes an *admission*: a range that is walked again, in which the activations of these actions are new and all others are known.

use super::{Checkpoint, Owed, Part, SourceState};
use crate::openwhisk::source::{Entry, NAMESPACE, Selection, Source};
use crate::range::{self, Range};
use crate::sorted;
use serde::{Deserialize, Serialize};

/// Most sources that are parked, and the bytes of JSON that they may take together.
const MOST_PARKED: usize = 32;
const PARKED_BYTES: usize = 64 << 10;
/// Most admissions of a source; beyond that, known activations in their ranges are forgotten, and come again.
const MOST_ADMISSIONS: usize = 4;
/// Starts that one digest of a parked source may stand for, in milliseconds.
const PARKED_DIGEST_MS: u64 = 5 * 60_000;

/// A range that is walked again, as more is monitored in it than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    /// Starts.
    pub range: Range,
    /// The entries of `actions` that were monitored before.
    pub before: Vec<String>,
    /// Activations that were monitored before and start earlier than this are done, unless they are owed; they are not remembered by id.
    pub kept_from: u64,
    /// The ranges of it that were owed or settling: there only remembered activations are done.
    pub owed: Vec<Range>,
}

impl Checkpoint {
    /// Gives every monitored source a state, and parks the others. New sources begin at `origin`. Returns warnings.
    pub fn monitor(&mut self, sources: &[Source], origin: u64) -> Vec<String> {
        let parked_before: Vec<String> = self.parked.keys().cloned().collect();
        match sources {
            [Source::Namespace(selection)] => self.monitor_selection(&selection.entries(), origin),
            _ => self.monitor_actions(sources, origin),
        }
        let mut warnings = self.bound_parked();
        let waits = |(name, state): &(&String, &SourceState)| !parked_before.contains(name) && state.owes();
        warnings.extend(self.parked.iter().filter(waits).map(|(name, _)| {
            let name = name.strip_prefix("* ").unwrap_or(name);
            format!("`{name}` is not monitored any more: the lines that it is owed wait until it is monitored again")
        }));
        warnings
    }

    fn monitor_actions(&mut self, sources: &[Source], origin: u64) {
        let before = std::mem::take(&mut self.sources);
        let whole = before.get(NAMESPACE).cloned();
        for source in sources {
            let name = source.name();
            let state = match before.get(&name) {
                Some(state) => state.clone(),
                None => self.returning(&name, whole.as_ref()).unwrap_or_else(|| SourceState::new(origin)),
            };
            self.sources.insert(name, state);
        }
        for (name, state) in before {
            if !self.sources.contains_key(&name) {
                self.park(&name, state);
            }
        }
    }

    /// The state of an action that is monitored by its name from now on: that of the patterns which admitted it, or its own from earlier.
    fn returning(&mut self, name: &str, whole: Option<&SourceState>) -> Option<SourceState> {
        let own = self.parked.remove(name);
        let of_patterns = |state: &&SourceState| state.selection.is_empty() || admits(&state.selection, name);
        let parked =
            || self.parked.iter().filter(|(key, _)| key.starts_with(NAMESPACE)).map(|(_, state)| state);
        let patterns = whole.filter(of_patterns).or_else(|| {
            let further = |state: &&SourceState| {
                own.as_ref().is_none_or(|own| own.complete_until < state.complete_until)
            };
            parked().filter(of_patterns).filter(further).max_by_key(|state| state.complete_until)
        });
        let Some(patterns) = patterns else { return own };
        // What the patterns have seen is of other actions too: no digest of it is one of this action, and no count of it, so it is compared at once.
        let mut state = SourceState { selection: Vec::new(), ..patterns.clone() };
        state.change_index();
        state.seen.forget_digests();
        state.seen.unlist();
        state
            .records
            .retain(|record| record.name.is_empty() || name.rsplit('/').next() == Some(record.name.as_str()));
        state.forget_names();
        own.into_iter().for_each(|own| state.owe_also(&own));
        Some(state)
    }

    fn monitor_selection(&mut self, entries: &[String], origin: u64) {
        let mut before = std::mem::take(&mut self.sources);
        let whole = before.remove(NAMESPACE);
        let had_patterns = whole.is_some();
        let (taken, left): (Vec<_>, Vec<_>) = before.into_iter().partition(|(name, _)| admits(entries, name));
        left.into_iter().for_each(|(name, state)| self.park(&name, state));
        let mut state = match whole {
            Some(state) => {
                let mut state = self.reselected(state, entries, origin);
                taken.iter().for_each(|(_, also)| state.owe_also(also));
                state
            }
            None => self.of_actions(&taken, entries, origin),
        };
        // Actions that were parked before are among those that the patterns admit now.
        let own: Vec<String> = self
            .parked
            .keys()
            .filter(|name| !name.starts_with(NAMESPACE) && admits(entries, name))
            .cloned()
            .collect();
        for mut parked in own.iter().filter_map(|name| self.parked.remove(name)) {
            parked.owe_look_back();
            state.owe_also(&parked);
        }
        if !had_patterns && !taken.is_empty() {
            state.change_index();
        }
        state.selection = entries.to_vec();
        self.sources.insert(NAMESPACE.into(), state);
    }

    /// Other patterns than before. Of a checkpoint that does not tell which they were it is taken for granted that they are the same.
    fn reselected(&mut self, mut state: SourceState, entries: &[String], origin: u64) -> SourceState {
        let before = std::mem::replace(&mut state.selection, entries.to_vec());
        if before.is_empty() || covers(entries, &before) && covers(&before, entries) {
            return state;
        }
        if !covers(entries, &before) && state.owes() {
            self.park(NAMESPACE, SourceState { selection: before.clone(), ..state.clone() });
        }
        if !covers(&before, entries) {
            self.admit(&mut state, before, entries, origin);
        }
        state
    }

    /// Patterns where actions were monitored by their names before.
    fn of_actions(
        &mut self,
        taken: &[(String, SourceState)],
        entries: &[String],
        origin: u64,
    ) -> SourceState {
        if let Some(mut state) = SourceState::together(taken.iter().map(|(_, state)| state)) {
            let names = taken.iter().map(|(name, _)| name.clone()).collect();
            // A digest of names is none of all that patterns look at.
            state.seen.forget_digests();
            self.admit(&mut state, names, entries, origin);
            return state;
        }
        let parked = self.parked.iter().filter(|(key, _)| key.starts_with(NAMESPACE));
        let last = parked.max_by_key(|(_, state)| state.complete_until).map(|(key, _)| key.clone());
        match last.and_then(|key| self.parked.remove(&key)) {
            Some(state) => self.reselected(state, entries, origin),
            None => SourceState::new(origin),
        }
    }

    /// Lets the source begin for what was not monitored `before`; and it is owed again what patterns, or names that it admits, owed when they were
    /// given up.
    fn admit(&mut self, state: &mut SourceState, before: Vec<String>, entries: &[String], origin: u64) {
        let settling = state.settling.iter().map(|settling| settling.range);
        let owed = range::union(state.owed.iter().map(|owed| owed.range).chain(settling).collect());
        let patterns = |key: &String| key.starts_with(NAMESPACE);
        // What a name is owed, the patterns since may have passed over.
        let parked: Vec<(String, SourceState)> = self
            .parked
            .iter()
            .filter(|(key, _)| patterns(key) || admits(entries, key))
            .map(|(key, state)| (key.clone(), state.clone()))
            .collect();
        // Patterns that admitted all of it have come so far; what became visible since they were given up is looked for too.
        let all = |(_, parked): &&(String, SourceState)| covers(&parked.selection, entries);
        let last = parked.iter().filter(all).map(|(_, state)| state).max_by_key(|state| state.complete_until);
        let since = last.map_or(origin, |last| last.complete_until.saturating_add(1));
        let mut walked: Vec<Range> = Range::new(since, state.complete_until).into_iter().collect();
        state.owed.extend(walked.iter().map(|range| Owed { range: *range, part: Part::Fresh }));
        // A digest does not tell which of those that are walked again it stands for.
        state.seen.forget_digests_in(&walked);
        let mut compare: Vec<SourceState> = Vec::new();
        for (key, mut parked) in parked {
            if patterns(&key) {
                parked.forget_names();
            }
            parked.owe_look_back();
            walked.extend(parked.owed.iter().map(|owed| owed.range));
            state.owe_also(&parked);
            if !patterns(&key) || covers(entries, &parked.selection) {
                self.parked.remove(&key);
            }
            compare.push(parked);
        }
        // When all is known that is walked: there names tell what was passed over.
        let mut compared: Vec<Range> = Vec::new();
        compare.iter().for_each(|others| state.compare_as(others, &mut compared));
        let walked = range::union(walked);
        let Some(range) = hull(&walked) else { return };
        state.origin = state.origin.min(range.since());
        let kept_from = state.kept_from;
        state.admissions.push(Admission { range, before, kept_from, owed });
        while state.admissions.len() > MOST_ADMISSIONS {
            let first = state.admissions.remove(0);
            state.seen.forget(&[first.range]);
        }
    }

    /// Sets a source aside.
    fn park(&mut self, name: &str, state: SourceState) {
        let key = if name == NAMESPACE { parked_name(&state.selection) } else { name.to_owned() };
        match self.parked.get_mut(&key) {
            Some(parked) => {
                let earlier = std::mem::replace(parked, state);
                parked.owe_also(&earlier);
            }
            None => _ = self.parked.insert(key, state),
        }
    }

    /// Makes parked sources fit: digests stand for the ids of the largest, and if that does not suffice, some are forgotten; first those that are owed
    /// nothing, then those that were given up first.
    fn bound_parked(&mut self) -> Vec<String> {
        let mut warnings = Vec::new();
        let size = |state: &SourceState| serde_json::to_vec(state).map_or(0, |json| json.len());
        loop {
            let bytes: usize = self.parked.values().map(size).sum();
            if self.parked.len() <= MOST_PARKED && bytes <= PARKED_BYTES {
                return warnings;
            }
            if bytes > PARKED_BYTES && self.digest_parked() {
                continue;
            }
            let first = self.parked.iter().min_by_key(|(_, state)| (state.owes(), state.complete_until));
            let Some((name, owes)) = first.map(|(name, state)| (name.clone(), state.owes())) else {
                return warnings;
            };
            self.parked.remove(&name);
            if owes {
                warnings.push(format!(
                    "`{name}` is not monitored any more, and the lines that it was owed are forgotten: the checkpoint keeps too many such actions already"
                ));
            }
        }
    }
}

impl Checkpoint {
    /// Lets digests stand for what the parked source with the most ids has done. Says whether that made a difference.
    fn digest_parked(&mut self) -> bool {
        let ids = |state: &SourceState| state.seen.starts().count();
        let Some(state) = self.parked.values_mut().max_by_key(|state| ids(state)) else { return false };
        let (before, fresh) = (ids(state), state.owed_ranges(Part::Fresh));
        state.seen.digest_upto(u64::MAX, PARKED_DIGEST_MS, &fresh);
        ids(state) < before
    }
}

impl SourceState {
    /// Whether anything is owed.
    pub fn owes(&self) -> bool {
        !(self.owed.is_empty() && self.records.is_empty() && self.settling.is_empty())
    }

    /// Owes the look-back that was to come next: what was put off is in it, and what became visible late.
    fn owe_look_back(&mut self) {
        let look_back = Range::new(self.kept_from, self.complete_until).filter(|_| self.kept_from > 0);
        self.owed.extend(look_back.map(|range| Owed { range, part: Part::Lookback }));
    }

    /// Also owes everything that another state owes.
    fn owe_also(&mut self, other: &Self) {
        self.origin = self.origin.min(other.origin);
        self.owed.extend(&other.owed);
        self.settling.extend(&other.settling);
        for record in &other.records {
            if self.records.iter().all(|known| known.id != record.id) {
                self.records.push(record.clone());
            }
        }
        sorted::sort_by_key(&mut self.records, |record| (record.start, record.id));
        let owed: Vec<Range> = other.owed.iter().map(|owed| owed.range).collect();
        let mut seen = other.seen.clone();
        seen.keep(u64::MAX, &owed);
        self.seen.unite(seen);
        self.doubtful.cover(other.doubtful.clone());
        // One of them may have done what the other one owes.
        self.forget_digests_of_backlog();
    }

    /// Whose the records are that are owed by themselves, a run finds out by the list: of a name without its package nobody knows whether it is
    /// selected. Those of other actions are not owed any more then.
    fn forget_names(&mut self) {
        self.records.iter_mut().for_each(|record| record.name.clear());
    }

    /// Where others compare what they know with the list, only what they knew themselves is done: what was known since was passed over, if it was not
    /// monitored. In what is `compared` with others already, nothing is taken for done. So some lines come again rather than not at all.
    fn compare_as(&mut self, others: &Self, compared: &mut Vec<Range>) {
        let settling = others.settling.iter().map(|settling| settling.range);
        let ranges = others.owed_ranges(Part::Lookback).into_iter().chain(settling).collect();
        let ranges = range::difference(range::union(ranges), &self.owed_ranges(Part::Fresh));
        let mut seen = others.seen.clone();
        seen.keep(u64::MAX, &ranges);
        seen.forget(compared);
        self.seen.forget(&ranges);
        self.seen.unite(seen);
        self.forget_digests_of_backlog();
        compared.extend(ranges);
    }

    /// Forgets the digests in what is walked through as if it were new: whatever is done there would be added to them a second time.
    fn forget_digests_of_backlog(&mut self) {
        let backlog = self.owed_ranges(Part::Fresh);
        self.seen.forget_digests_in(&backlog);
    }

    /// Drops admissions whose ranges are walked, or the part of them that is.
    pub(super) fn settle_admissions(&mut self) {
        let owed: Vec<Range> = self.owed.iter().map(|owed| owed.range).collect();
        self.admissions.retain_mut(|admission| {
            let left: Vec<Range> = owed.iter().filter_map(|owed| owed.shared_with(admission.range)).collect();
            hull(&left).is_some_and(|range| {
                admission.range = range;
                true
            })
        });
    }
}

/// The range from the first of these starts to the last.
fn hull(ranges: &[Range]) -> Option<Range> {
    Range::new(
        ranges.iter().map(|range| range.since()).min()?,
        ranges.iter().map(|range| range.upto()).max()?,
    )
}

/// The key of patterns that are parked: no action is called so.
fn parked_name(selection: &[String]) -> String {
    format!("{NAMESPACE} {}", selection.join(" "))
}

/// Whether these entries select the action of that name.
fn admits(entries: &[String], name: &str) -> bool {
    selection(entries).chooses(name)
}

/// The entries as a selection. An entry that cannot be read selects nothing.
pub fn selection(entries: &[String]) -> Selection {
    Selection::new(entries.iter().filter_map(|entry| Entry::parse(entry).ok()), None)
}

/// Whether `entries` plainly select all that `others` select.
fn covers(entries: &[String], others: &[String]) -> bool {
    let excludes = |entry: &&String| entry.starts_with('!');
    others.iter().filter(|entry| !excludes(entry)).all(|entry| entries.contains(entry))
        && entries.iter().filter(excludes).all(|entry| others.contains(entry))
}

#[cfg(test)]
mod tests;
