//! The checkpoint is read as it was written, stays within its bound, and survives any damage.

use super::any::{bytes, cases, text};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use whiskjack::checkpoint::{Checkpoint, Owed, Part, SourceState};
use whiskjack::openwhisk::record::Summary;
use whiskjack::range::Range;

fn summaries(how_many: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Summary>> {
    let summary = (0..20_000_000u64, any::<u128>())
        .prop_map(|(start, id)| Summary { start, activation_id: format!("{id:032x}").parse().unwrap() });
    vec(summary, how_many)
}

fn owed() -> impl Strategy<Value = Vec<Owed>> {
    let part = select(vec![Part::Fresh, Part::Lookback]);
    let owed = (0..20_000_000u64, 0..12_000_000u64, part)
        .prop_map(|(since, length, part)| Owed { range: Range::new(since, since + length).unwrap(), part });
    vec(owed, 0..6)
}

fn fresh(state: &SourceState) -> Vec<Range> {
    state.owed.iter().filter(|owed| owed.part == Part::Fresh).map(|owed| owed.range).collect()
}

/// How many are known: all, or those outside of what is owed as new, if that had to become one range.
fn known(state: &SourceState, forgotten: Option<Range>) -> u64 {
    let ends = match forgotten {
        None => [Range::new(0, u64::MAX), None],
        Some(hull) => [
            hull.since().checked_sub(1).and_then(|upto| Range::new(0, upto)),
            hull.upto().checked_add(1).and_then(|since| Range::new(since, u64::MAX)),
        ],
    };
    ends.into_iter().flatten().map(|range| state.seen.count(range)).sum()
}

fn checkpoint(ids: usize, sources: usize) -> impl Strategy<Value = Checkpoint> {
    let ends = (any::<u64>(), any::<u64>(), 0..20_000_000u64);
    let state = (ends, owed(), summaries(0..ids), any::<Option<u16>>());
    let state = state.prop_map(|((origin, complete_until, kept_from), owed, seen, digested)| {
        let mut state = SourceState::new(origin);
        (state.complete_until, state.kept_from, state.owed) = (complete_until, kept_from, owed);
        state.note(seen);
        // As every run does: what nobody will ask for is not kept, and no digest lies in what is read again.
        let ranges: Vec<Range> = state.owed.iter().map(|owed| owed.range).collect();
        state.seen.keep(kept_from, &ranges);
        let fresh = fresh(&state);
        digested
            .into_iter()
            .for_each(|seconds| state.seen.digest_upto(u64::from(seconds) * 1000, 60_000, &fresh));
        state
    });
    btree_map(text(), state, 0..sources).prop_map(|sources| {
        let mut checkpoint = Checkpoint::default();
        checkpoint.sources = sources.into_iter().collect();
        checkpoint
    })
}

/// Some bytes replaced, taken out or put in.
fn mutated(mut bytes: Vec<u8>, changes: &[(Index, u8, u8)]) -> Vec<u8> {
    for (at, kind, byte) in changes {
        let at = at.index(bytes.len() + 1);
        match kind % 4 {
            0 => bytes.insert(at, *byte),
            1 => _ = bytes.splice(at..bytes.len().min(at + 1), []),
            2 => bytes.truncate(at),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|old| *old = *byte),
        }
    }
    bytes
}

/// A byte that may keep JSON sound, or any.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![select(b"0123456789\"[]{},:e-".as_slice()), any::<u8>()]
}

/// What a run does with a checkpoint that it could read.
fn use_up(checkpoint: Checkpoint) {
    checkpoint.encode().ok();
    for mut state in checkpoint.sources.into_values() {
        let now = 1_700_000_000_000;
        let work = state.work(now, 900_000);
        work.iter().for_each(|owed| _ = state.seen.count(owed.range));
        state.advance(&work, &work[..work.len() / 2], now, 900_000);
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_checkpoint_is_read_as_it_was_written(checkpoint in checkpoint(40, 6)) {
        let json = checkpoint.encode().unwrap();
        prop_assert_eq!(Checkpoint::decode(&json), Ok(checkpoint));
    }

    #[test]
    fn any_bytes_and_any_damage_are_an_error_or_a_checkpoint(
        any in bytes(), checkpoint in checkpoint(6, 3), changes in vec((any::<Index>(), any::<u8>(), byte()), 1..6)
    ) {
        for bytes in [any, mutated(checkpoint.encode().unwrap(), &changes)] {
            Checkpoint::decode(&bytes).map(use_up).ok();
        }
    }
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn a_checkpoint_is_never_over_its_bound_and_counts_what_it_forgets(checkpoint in checkpoint(25_000, 5)) {
        let json = checkpoint.encode().unwrap();
        prop_assert!(json.len() <= 512 << 10, "{}", json.len());
        let read = Checkpoint::decode(&json).unwrap();
        for (name, state) in &checkpoint.sources {
            // What is owed as new keeps its ids. Where they are too much, they are forgotten, and all that lies between is owed.
            let fresh = fresh(state);
            let hull = fresh.iter().map(|range| range.since()).min().zip(fresh.iter().map(|range| range.upto()).max());
            let hull = hull.and_then(|(since, upto)| Range::new(since, upto));
            let after = &read.sources[name];
            let forgotten = hull.filter(|hull| after.seen.count(*hull) == 0);
            prop_assert_eq!(known(after, forgotten), known(state, forgotten));
            let is_owed = |hull| after.owed.contains(&Owed { range: hull, part: Part::Fresh });
            prop_assert!(forgotten.is_none_or(is_owed));
        }
    }
}
