//! What counts as done in doubt.

use super::*;

#[test]
fn what_was_taken_for_done_under_a_wrong_belief_is_looked_at_again_and_owed_until_then() {
    let mut checkpoint = Checkpoint::default();
    let mut state = SourceState::new(1);
    let work = state.work(NOW, LOOKBACK);
    let [sure, doubted] = [activation(NOW - MINUTE, 1), activation(NOW - 2 * MINUTE, 2)];
    state.note([sure, doubted]);
    state.advance(&work, &work, NOW, LOOKBACK);
    let mut doubtful = Seen::default();
    doubtful.insert(doubted);
    state.doubt(doubtful, 1);
    checkpoint.sources.insert("a".into(), state);
    let mut checkpoint = Checkpoint::decode(&checkpoint.encode().unwrap()).unwrap();
    checkpoint.undo_doubtful();
    let state = &checkpoint.sources["a"];
    assert!(state.seen.contains(sure) && !state.seen.contains(doubted));
    assert_eq!(state.owed, [owed(Part::Lookback, NOW - 2 * MINUTE, NOW - 2 * MINUTE)]);
}

#[test]
fn all_that_an_older_forwarder_has_done_is_doubtful_unless_it_knew_of_a_store_with_lines() {
    let doubts = |version: u32, place: LogPlace| {
        let mut state = SourceState { complete_until: NOW, kept_from: 1, ..SourceState::new(1) };
        (1..=3).for_each(|id| state.seen.insert(activation(MINUTE + id, id)));
        state.seen.digest_upto(MINUTE + 2, MINUTE, &[]);
        let mut checkpoint = Checkpoint { version, saved_ms: NOW, ..Checkpoint::default() };
        checkpoint.platform.note_logs(place, NOW);
        checkpoint.sources.insert("a".into(), state);
        let mut checkpoint = Checkpoint::decode(&checkpoint.encode().unwrap()).unwrap();
        checkpoint.undo_doubtful();
        let state = &checkpoint.sources["a"];
        (state.seen.count(Range::new(0, NOW).unwrap()), state.owed.clone())
    };
    let all = vec![owed(Part::Lookback, MINUTE + 1, MINUTE + 3)];
    for place in [LogPlace::Unknown, LogPlace::Nowhere, LogPlace::Record] {
        assert_eq!(doubts(2, place), (0, all.clone()), "{place:?}");
    }
    assert_eq!([doubts(2, LogPlace::Api), doubts(3, LogPlace::Record)], [(3, Vec::new()), (3, Vec::new())]);
}

#[test]
fn doubts_whose_digests_overlap_stay_whoever_brings_them_together() {
    let digested = |starts: [u64; 2]| {
        let mut seen = Seen::default();
        starts.into_iter().for_each(|start| seen.insert(activation(start, start)));
        seen.digest_upto(u64::MAX, MINUTE, &[]);
        seen
    };
    let doubting = |doubtful: &Seen| {
        let mut state = SourceState::new(1);
        state.doubt(doubtful.clone(), 1);
        state
    };
    let of = |state: &SourceState| {
        let mut checkpoint = Checkpoint::default();
        checkpoint.sources.insert("a".into(), state.clone());
        checkpoint
    };
    let (one, other) = (digested([1, 50]), digested([40, 99]));
    let (ours, theirs) = (doubting(&one), doubting(&other));
    let mut twice = ours.clone();
    twice.doubt(other, 1);
    let merged = of(&ours).merged(of(&theirs), LOOKBACK).sources["a"].clone();
    for state in [twice, merged, SourceState::together([&ours, &theirs]).unwrap()] {
        assert_eq!(state.doubtful.ranges(), [Range::new(1, 99).unwrap()]);
    }
}

#[test]
fn doubts_older_than_the_look_back_are_owed_each_by_itself_up_to_sixteen_and_later_ones_as_one() {
    let undone = |starts: &[u64]| {
        let mut state = SourceState { kept_from: 100, ..SourceState::new(1) };
        starts.iter().for_each(|start| state.doubtful.insert(activation(*start, 7)));
        let mut checkpoint = Checkpoint::default();
        checkpoint.sources.insert("a".into(), state);
        checkpoint.undo_doubtful();
        checkpoint.sources["a"].owed.clone()
    };
    let look_backs = |ranges: &[(u64, u64)]| -> Vec<Owed> {
        ranges.iter().map(|(since, upto)| owed(Part::Lookback, *since, *upto)).collect()
    };
    assert_eq!(undone(&[10, 50, 150, 250]), look_backs(&[(10, 10), (50, 50), (150, 250)]));
    let many: Vec<u64> = (1..=17).map(|n| n * 5).collect();
    assert_eq!(undone(&many), look_backs(&[(5, 85)]));
}

#[test]
fn doubts_are_kept_as_far_as_a_run_looks_and_never_too_many() {
    let mut state = SourceState { kept_from: 100, ..SourceState::new(1) };
    state.owed = vec![owed(Part::Fresh, 40, 60)];
    [10, 50, 150].into_iter().for_each(|start| state.doubtful.insert(activation(start, 7)));
    state.keep_doubtful();
    assert_eq!(state.doubtful.starts().collect::<Vec<_>>(), [50, 150]);
    let mut many = Seen::default();
    (0..3_000).for_each(|n| many.insert(activation(NOW + n, n)));
    state.doubt(many, 1);
    assert!(state.doubtful.size() <= 2_000);
}
