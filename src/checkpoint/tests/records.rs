//! Records that are owed by themselves.

use super::*;

fn single(start: u64, id: u64, acknowledged: u64) -> OwedRecord {
    OwedRecord {
        start,
        id: activation(start, id).activation_id,
        end: Some(start + 1),
        name: "hello".into(),
        details: None,
        treatment: None,
        namespace: "guest".into(),
        acknowledged,
        trouble: Some("it cannot be had: ".to_owned() + &"x".repeat(250)),
    }
}

#[test]
fn single_records_are_written_and_read_and_unite_when_sources_become_one() {
    let (mut one, mut other) = (SourceState::new(1), SourceState::new(1));
    [single(5, 1, 3), single(7, 2, 0), single(5, 1, 4)].into_iter().for_each(|record| one.owe(record));
    [single(7, 2, 9), single(8, 3, 0)].into_iter().for_each(|record| other.owe(record));
    let all = SourceState::together([&one, &other]).unwrap();
    let known: Vec<(u64, u64)> =
        all.records.iter().map(|record| (record.start, record.acknowledged)).collect();
    assert_eq!(known, [(5, 4), (7, 9), (8, 0)]);
    let mut checkpoint = Checkpoint::default();
    checkpoint.sources.insert("hello".into(), all);
    assert_eq!(Checkpoint::decode(&checkpoint.encode().unwrap()).unwrap(), checkpoint);
}

#[test]
fn of_two_runs_the_one_that_got_further_with_a_single_record_counts() {
    let mut base = SourceState::new(1);
    [single(5, 1, 3), single(7, 2, 0)].into_iter().for_each(|record| base.owe(record));
    base.note([activation(5, 1), activation(7, 2)]);
    let of = |state: &SourceState| {
        let mut checkpoint = Checkpoint::default();
        checkpoint.sources.insert("a".into(), state.clone());
        checkpoint
    };
    let mut further = base.clone();
    further.owe(single(5, 1, 8));
    further.settle_record(activation(7, 2));
    for (ours, theirs) in [(&base, &further), (&further, &base)] {
        let merged = of(ours).merged(of(theirs), LOOKBACK);
        let known: Vec<(u64, u64)> =
            merged.sources["a"].records.iter().map(|record| (record.start, record.acknowledged)).collect();
        assert_eq!(known, [(5, 8)]);
    }
}

#[test]
fn single_records_that_do_not_fit_are_owed_as_ranges() {
    let mut checkpoint = Checkpoint::default();
    for source in 0..100 {
        let mut state = SourceState::new(1);
        (0..100).for_each(|n| state.owe(single(1_000 * n + 5, 1000 * source + n, 1)));
        state.complete_until = 200_000;
        checkpoint.sources.insert(format!("{source:0>100}"), state);
    }
    let json = checkpoint.encode().unwrap();
    assert!(json.len() <= LARGEST, "{}", json.len());
    for state in Checkpoint::decode(&json).unwrap().sources.values() {
        assert!(state.records.is_empty());
        assert_eq!(state.owed, [owed(Part::Fresh, 5, 99_005)]);
    }
}
