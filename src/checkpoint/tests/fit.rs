//! A checkpoint that is made to fit its store.

use super::*;

#[test]
fn however_many_activations_there_are_the_checkpoint_stays_small_and_forgets_the_oldest_ids() {
    let mut checkpoint = Checkpoint::default();
    for source in ["a", "b"] {
        let mut state = SourceState::new(1);
        state.note((0..50_000).map(|n| activation(n * 180, n)));
        checkpoint.sources.insert(source.into(), state);
    }
    let json = checkpoint.encode().unwrap();
    assert!(json.len() <= COMFORTABLE, "{}", json.len());
    let read = Checkpoint::decode(&json).unwrap();
    let all = Range::new(0, 50_000 * 180).unwrap();
    for state in read.sources.values() {
        assert_eq!(state.seen.count(all), 50_000);
        assert!(state.seen.starts().count() > 500, "{}", state.seen.starts().count());
        assert!(state.seen.starts().min() > Some(0));
    }
}

#[test]
fn however_many_ids_have_no_neighbours_digests_stand_for_the_oldest_and_the_newest_stay() {
    let mut checkpoint = Checkpoint::default();
    for source in 0..50 {
        let mut state = SourceState::new(1);
        // One every two minutes for an hour, then one every three seconds.
        let start = |n: u64| if n < 30 { 2 * n * MINUTE } else { 60 * MINUTE + (n - 30) * 3_000 };
        state.note((0..150).map(|n| activation(start(n) + source, n * 100 + source)));
        checkpoint.sources.insert(source.to_string(), state);
    }
    let read = Checkpoint::decode(&checkpoint.encode().unwrap()).unwrap();
    for state in read.sources.values() {
        assert_eq!(state.seen.count(Range::new(0, 99 * MINUTE).unwrap()), 150);
        assert!(state.seen.starts().filter(|start| *start > 64 * MINUTE).count() >= 39);
    }
}

#[test]
fn very_many_sources_with_few_activations_each_fit_too() {
    let mut checkpoint = Checkpoint::default();
    for source in 0..1000 {
        let mut state = SourceState::new(1);
        // One every five minutes for a day.
        state.note((0..288).map(|n| activation(n * 5 * MINUTE + source, n * 1000 + source)));
        state.owed = (0..40).map(|n| owed(Part::Fresh, n * 1000, n * 1000 + 1)).collect();
        checkpoint.sources.insert(format!("{source:0>100}"), state);
    }
    let json = checkpoint.encode().unwrap();
    assert!(json.len() <= LARGEST, "{}", json.len());
    let read = Checkpoint::decode(&json).unwrap();
    for (name, state) in &read.sources {
        let before = &checkpoint.sources[name];
        assert_eq!((state.complete_until, state.origin), (before.complete_until, before.origin));
        assert_eq!(range::difference(before.owed_ranges(Part::Fresh), &state.owed_ranges(Part::Fresh)), []);
    }
}
