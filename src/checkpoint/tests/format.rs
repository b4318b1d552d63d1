//! The JSON of a checkpoint: versions, and what is damaged.

use super::*;

#[test]
fn a_checkpoint_is_read_as_it_was_written() {
    let mut checkpoint = Checkpoint::default();
    let mut state = SourceState::new(5);
    state.note([activation(7, 1), activation(MINUTE, 2)]);
    state.note([activation(8, 3), activation(9, 4)]);
    state.seen.digest_upto(10, MINUTE, &[]);
    state.seen.set_listed(activation(MINUTE, 2), false);
    state.owed.push(owed(Part::Fresh, 6, 9));
    checkpoint.sources.insert("pkg/my action".into(), state);
    let json = checkpoint.encode().unwrap();
    assert_eq!(Checkpoint::decode(&json).unwrap(), checkpoint);
}

#[test]
fn a_checkpoint_of_version_1_stays_readable() {
    let json = br#"{"version":1,"sources":{"a":{"origin":1,"through":9,"owed":[{"range":[2,3],"part":"fresh"}],
        "seen":{"ids":[[70005,"00000000000000000000000000000001"]],"digests":{"0":{"count":2,"ids":"00000000000000000000000000000003"}}}}}}"#;
    let checkpoint = Checkpoint::decode(json).unwrap();
    let state = &checkpoint.sources["a"];
    assert!(state.seen.contains(activation(70_005, 1)));
    assert_eq!(state.seen.count(Range::new(0, 9).unwrap()), 2, "the digest of a minute counts for all of it");
    assert_eq!((state.kept_from, state.look_back_from(9, 5)), (0, 2), "it looks back as far as before");
    let again = Checkpoint::decode(&checkpoint.encode().unwrap()).unwrap();
    assert_eq!(again, checkpoint);
}

#[test]
fn minutes_of_version_1_come_in_any_order_and_where_they_overlap_the_first_counts() {
    let json = br#"{"version":1,"sources":{"a":{"origin":0,"through":300000,
        "seen":{"ids":[[130000,"00000000000000000000000000000001"],[190000,"00000000000000000000000000000002"]],"digests":{
        "70000":{"count":4,"ids":"00000000000000000000000000000005"},
        "120000":{"count":3,"ids":"00000000000000000000000000000004"},
        "60000":{"count":2,"ids":"00000000000000000000000000000003"}}}}}}"#;
    let checkpoint = Checkpoint::decode(json).unwrap();
    let state = &checkpoint.sources["a"];
    assert_eq!(state.seen.count(Range::new(0, 119_999).unwrap()), 2);
    assert_eq!(
        state.seen.starts().collect::<Vec<_>>(),
        [190_000],
        "one that a digest counts does not count twice"
    );
    assert_eq!((state.seen.count(Range::new(0, 300_000).unwrap()), state.origin), (6, 1));
}

#[test]
fn damage_and_newer_versions_are_told_apart() {
    assert_eq!(Checkpoint::decode(br#"{"version":7,"anything":1}"#), Err(BadCheckpoint::Newer(7)));
    for bytes in [
        &b""[..],
        b"{}",
        b"[]",
        b"\xff\xfe",
        br#"{"version":0,"sources":{}}"#,
        br#"{"version":1,"sources":{"a":{"origin":9,"through":1,"owed":[{"range":[3,2],"part":"fresh"}]}}}"#,
        br#"{"version":2,"sources":{"a":{"origin":1,"through":9,"seen":{"digests":[[5,9,2,"00000000000000000000000000000003"],[9,9,2,"00000000000000000000000000000003"]]}}}}"#,
    ] {
        assert!(matches!(Checkpoint::decode(bytes), Err(BadCheckpoint::Damaged(_))), "{bytes:?}");
    }
}
