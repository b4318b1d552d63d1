use super::fit::COMFORTABLE;
use super::*;

const MINUTE: u64 = 60_000;
const NOW: u64 = 100 * MINUTE;
const LOOKBACK: u64 = 10 * MINUTE;
/// The look-back, and the time between two comparisons.
const REACH: u64 = 15 * MINUTE;

fn activation(start: u64, id: u64) -> Summary {
    Summary { start, activation_id: format!("{id:032x}").parse().unwrap() }
}

fn owed(part: Part, since: u64, upto: u64) -> Owed {
    Owed { range: Range::new(since, upto).unwrap(), part }
}

#[test]
fn the_first_run_asks_from_the_origin_on_and_not_before() {
    let state = SourceState::new(1000);
    assert_eq!(state.work(NOW, LOOKBACK), [owed(Part::Fresh, 1000, NOW)]);
}

#[test]
fn a_finished_run_is_followed_by_new_activations_and_the_look_back() {
    let mut state = SourceState::new(1);
    let work = state.work(NOW, LOOKBACK);
    state.advance(&work, &work, NOW, LOOKBACK);
    let next = state.work(NOW + MINUTE - 1, LOOKBACK);
    assert_eq!(next, [owed(Part::Fresh, NOW + 1, NOW + MINUTE - 1), owed(Part::Lookback, NOW - REACH, NOW)]);
}

/// A gap that was forwarded, and two minutes later.
fn after_a_gap() -> (SourceState, Vec<Owed>) {
    let mut state = SourceState::new(1);
    state.note([activation(5000, 1), activation(NOW - MINUTE, 2)]);
    let work = state.work(NOW, LOOKBACK);
    state.advance(&work, &work, NOW, LOOKBACK);
    let next = state.work(NOW + 2 * MINUTE, LOOKBACK);
    (state, next)
}

#[test]
fn what_no_later_look_back_reaches_settles_until_a_later_run_has_counted_it() {
    let (mut state, work) = after_a_gap();
    assert_eq!(work.last(), Some(&owed(Part::Settling, 1, NOW - REACH - 1)));
    assert!(state.seen.contains(activation(5000, 1)), "it is compared with what is known");
    state.advance(&work, &work[..2], NOW + 2 * MINUTE, LOOKBACK);
    assert_eq!(state.work(NOW + 4 * MINUTE, LOOKBACK).last(), work.last(), "it was not counted");
    let work = state.work(NOW + 4 * MINUTE, LOOKBACK);
    state.advance(&work, &work, NOW + 4 * MINUTE, LOOKBACK);
    assert_eq!((&state.settling[..], state.seen.contains(activation(5000, 1))), (&[][..], false));
    assert_eq!(state.seen.count(Range::new(1, NOW).unwrap()), 1, "the look-back is known");
}

#[test]
fn what_settles_waits_a_minute_by_any_two_clocks() {
    let (state, _) = after_a_gap();
    let is_due = |ms: u64| state.work(NOW + ms, LOOKBACK).iter().any(|owed| owed.part == Part::Settling);
    assert!(!is_due(89_999) && is_due(90_000), "one clock may be half a minute ahead");
    let runs = |ms: u64| state.runs_with(NOW + ms);
    assert_eq!([runs(94_999), runs(95_000)], [[0, NOW], [NOW, NOW + 95_000]]);
}

#[test]
fn a_run_that_covers_nothing_is_none_that_has_brought_the_index_up_to_date() {
    let mut state = SourceState::new(1);
    let work = state.work(NOW, LOOKBACK);
    state.advance(&work, &work, NOW, LOOKBACK);
    let (runs, later) = (state.runs, NOW + 20 * MINUTE);
    let work = state.work(later, LOOKBACK);
    state.advance(&work, &[], later, LOOKBACK);
    assert_eq!(state.runs, runs);
    // What became visible just after the first run is looked for still.
    let work = state.work(later + 2 * MINUTE, LOOKBACK);
    state.advance(&work, &work, later + 2 * MINUTE, LOOKBACK);
    let next = state.work(later + 4 * MINUTE, LOOKBACK);
    assert!(next.iter().any(|owed| owed.range.contains(NOW - LOOKBACK)), "{next:?}");
}

#[test]
fn a_pause_before_the_first_run_that_knows_of_runs_is_looked_over_too() {
    let mut state =
        SourceState { complete_until: NOW, kept_from: NOW - REACH, runs: [0, 0], ..SourceState::new(1) };
    let later = NOW + 30 * MINUTE;
    let work = state.work(later, LOOKBACK);
    state.advance(&work, &work, later, LOOKBACK);
    assert_eq!(state.runs, [NOW, later]);
    assert!(state.kept_from <= NOW - LOOKBACK && state.settling.is_empty(), "{}", state.kept_from);
}

#[test]
fn what_settles_is_finished_where_a_look_back_that_became_longer_reaches_it() {
    let (mut state, _) = after_a_gap();
    let longer = 60 * MINUTE;
    state.kept_from = 1;
    let work = state.work(NOW + 2 * MINUTE, longer);
    state.advance(&work, &work, NOW + 2 * MINUTE, longer);
    let next = state.work(NOW + 4 * MINUTE, longer);
    let late = next.iter().find(|owed| owed.part == Part::Lookback).unwrap();
    assert!(state.settling.iter().all(|settling| !settling.range.overlaps(late.range)), "{state:?}");
}

#[test]
fn what_was_found_in_a_gap_later_settles_anew_and_the_rest_of_it_is_finished() {
    let (mut state, work) = after_a_gap();
    let found = Range::new(5000, 6000).unwrap();
    state.settle_anew(&[found], NOW + 2 * MINUTE);
    let finished = [owed(Part::Settling, 1, 4999), owed(Part::Settling, 6001, NOW - REACH - 1)];
    state.advance(&work, &[&work[..2], &finished].concat(), NOW + 2 * MINUTE, LOOKBACK);
    assert_eq!(state.settling, [Settling { range: found, since_ms: NOW + 2 * MINUTE, renewed: true }]);
    assert!(state.is_renewed(found) && state.seen.contains(activation(5000, 1)));
    assert_eq!(state.work(NOW + 3 * MINUTE - 1, LOOKBACK).len(), 2, "a minute has to pass");
}

#[test]
fn a_gap_is_counted_as_one_when_nothing_of_it_is_owed_any_more() {
    let mut state = SourceState::new(1);
    let mut now = NOW;
    for done in [50 * MINUTE, 20 * MINUTE, 1] {
        let work = state.work(now, LOOKBACK);
        assert_eq!(work.iter().filter(|owed| owed.part == Part::Settling).count(), 0);
        state.advance(&work, &[owed(Part::Fresh, done, now), owed(Part::Lookback, 1, now)], now, LOOKBACK);
        now += 5 * MINUTE;
    }
    assert_eq!(state.settling.len(), 1);
    let due = |now: u64| state.work(now, LOOKBACK).last().copied();
    assert_eq!(due(now).map(|owed| owed.part), Some(Part::Settling));
    assert_eq!(due(now - 4 * MINUTE - 1).map(|owed| owed.part), Some(Part::Lookback));
}

#[test]
fn after_a_pause_of_an_hour_the_look_back_reaches_over_it_and_after_a_longer_one_it_settles() {
    let mut state = SourceState::new(NOW);
    let hour = 60 * MINUTE;
    let pauses = [(MINUTE, false), (REACH, false), (hour, false), (2 * MINUTE, false), (hour + 1, true)];
    for (after, settles) in pauses {
        let mut later = state.clone();
        let now = later.complete_until.max(NOW) + after;
        let work = later.work(now, LOOKBACK);
        later.advance(&work, &work, now, LOOKBACK);
        assert_eq!(!later.settling.is_empty(), settles, "{after}");
        if !settles {
            state = later;
        }
    }
}

#[test]
fn runs_hours_apart_settle_nothing_once_they_are_regular_and_each_looks_at_what_the_last_one_saw() {
    let mut state = SourceState::new(NOW);
    let mut now = NOW + 2 * MINUTE;
    let mut settling = Vec::new();
    for hours in [0, 2, 2, 3, 2, 30, 2, 2] {
        now += hours * 60 * MINUTE;
        let work = state.work(now, LOOKBACK);
        let looks_back_to =
            work.iter().filter(|owed| owed.part == Part::Lookback).map(|owed| owed.range.since()).min();
        let [before, _] = state.runs;
        // The last pause was longer than that of a day, or than twice the one before: its gap settles instead.
        if before > NOW && state.settling.is_empty() {
            assert_eq!(looks_back_to, Some((before - LOOKBACK).max(state.origin)));
            assert!(state.must_compare(now, LOOKBACK), "not only counted");
        }
        state.advance(&work, &work, now, LOOKBACK);
        settling.push(!state.settling.is_empty());
    }
    assert_eq!(settling, [false, true, false, false, false, true, false, false]);
}

#[test]
fn a_clock_that_was_ahead_does_not_keep_a_gap_waiting() {
    let (mut state, _) = after_a_gap();
    state.settling[0].since_ms = NOW + 1000 * MINUTE;
    for (now, due) in [(NOW + MINUTE, false), (NOW + 3 * MINUTE, true)] {
        let work = state.work(now, LOOKBACK);
        assert_eq!(work.iter().any(|owed| owed.part == Part::Settling), due);
        state.advance(&work, &work, now, LOOKBACK);
    }
}

#[test]
fn no_digest_stands_for_starts_of_which_some_are_forgotten() {
    let (mut state, _) = after_a_gap();
    let last = NOW - REACH - 1;
    let next = last + 30_000;
    state.note([activation(last - 1, 3), activation(last, 4), activation(next, 5), activation(next + 1, 6)]);
    state.kept_from = next;
    state.seen.digest_upto(NOW, MINUTE, &state.not_digested());
    assert_eq!(state.seen.digest_at(last).map(Digest::range), Range::new(last - 1, last));
    assert_eq!(state.seen.digest_at(next).map(Digest::range), Range::new(next, next + 1));
}

#[test]
fn what_was_not_covered_stays_owed_and_new_activations_still_come_first() {
    let mut state = SourceState::new(1);
    let work = state.work(NOW, LOOKBACK);
    state.advance(&work, &[owed(Part::Fresh, 5000, NOW)], NOW, LOOKBACK);
    let next = state.work(NOW + MINUTE, LOOKBACK);
    assert_eq!(
        next,
        [
            owed(Part::Fresh, NOW + 1, NOW + MINUTE),
            owed(Part::Lookback, NOW - REACH, NOW),
            owed(Part::Fresh, 1, 4999)
        ]
    );
}

#[test]
fn a_run_that_did_nothing_owes_everything_and_does_not_split_it() {
    let mut state = SourceState::new(1);
    let work = state.work(NOW, LOOKBACK);
    state.advance(&work, &[], NOW, LOOKBACK);
    assert_eq!(state.work(NOW + MINUTE, LOOKBACK), [owed(Part::Fresh, 1, NOW + MINUTE)]);
}

#[test]
fn a_look_back_that_failed_is_done_again_even_when_it_has_passed() {
    let mut state = SourceState::new(1);
    let work = state.work(NOW, LOOKBACK);
    state.advance(&work, &work, NOW, LOOKBACK);
    state.note([activation(NOW - MINUTE, 1)]);
    let later = NOW + 60 * MINUTE;
    let work = state.work(later, LOOKBACK);
    state.advance(&work, &work[..1], later, LOOKBACK);
    let next = state.work(later + MINUTE, LOOKBACK);
    assert!(next.contains(&owed(Part::Lookback, NOW - REACH, later)), "{next:?}");
    assert!(state.seen.contains(activation(NOW - MINUTE, 1)), "still needed there");
}

#[test]
fn a_clock_that_was_ahead_once_leaves_no_gap() {
    let ahead = NOW + 60 * MINUTE;
    let mut state = SourceState::new(1);
    let work = state.work(ahead, LOOKBACK);
    state.advance(&work, &work, ahead, LOOKBACK);
    for now in [NOW + MINUTE, NOW + 30 * MINUTE] {
        let work = state.work(now, LOOKBACK);
        assert_eq!(work[0], owed(Part::Lookback, now - REACH, ahead), "all that may appear is looked for");
        assert!(work[1..].iter().all(|owed| owed.part == Part::Settling && owed.range.upto() < now - REACH));
        state.note([activation(now, now)]);
        state.advance(&work, &work, now, LOOKBACK);
        assert_eq!(state.complete_until, ahead);
        assert!(state.seen.contains(activation(now, now)), "and not sent twice");
    }
}

#[test]
fn sources_that_become_one_owe_what_any_of_them_owed() {
    let mut first = SourceState::new(1);
    let work = first.work(NOW, LOOKBACK);
    first.note([activation(NOW - MINUTE, 1)]);
    first.advance(&work, &[owed(Part::Fresh, 5000, NOW)], NOW, LOOKBACK);
    let mut second = SourceState::new(50);
    let work = second.work(NOW + MINUTE, LOOKBACK);
    second.advance(&work, &work, NOW + MINUTE, LOOKBACK);
    let all = SourceState::together([&first, &second]).unwrap();
    assert_eq!((all.origin, all.complete_until), (1, NOW));
    assert_eq!(all.owed, [owed(Part::Fresh, 1, 4999)]);
    assert!(all.seen.contains(activation(NOW - MINUTE, 1)));
    assert_eq!(SourceState::together([]), None);
}

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

#[test]
fn a_look_back_that_grows_does_not_reach_over_what_was_forgotten() {
    let mut state = SourceState::new(1);
    let work = state.work(NOW, LOOKBACK);
    state.advance(&work, &work, NOW, LOOKBACK);
    let mut now = NOW;
    for _ in 0..30 {
        now += MINUTE;
        let work = state.work(now, 4 * LOOKBACK);
        assert_eq!(work[1], owed(Part::Lookback, NOW - REACH, now - MINUTE), "it grows with time");
        state.advance(&work, &work, now, 4 * LOOKBACK);
    }
    let work = state.work(now + 60 * MINUTE, 4 * LOOKBACK);
    assert_eq!(work[1].range.since(), NOW - REACH);
    let promised = state.kept_from;
    let work = state.work(now + MINUTE, LOOKBACK);
    assert_eq!(work[1].range.since(), promised, "what was put off to it is looked for before it shrinks");
    state.advance(&work, &work, now + MINUTE, LOOKBACK);
    assert_eq!(state.work(now + 2 * MINUTE, LOOKBACK)[1].range.since(), now + MINUTE - REACH);
}

#[test]
fn a_look_back_is_compared_as_a_whole_about_every_half_of_it() {
    let mut state = SourceState::new(1);
    let mut compared = Vec::new();
    for minute in 0..12 {
        let now = NOW + minute * MINUTE;
        let work = state.work(now, LOOKBACK);
        if state.must_compare(now, LOOKBACK) {
            compared.push(minute);
        }
        // The run in minute 5 does not get through.
        let covered = if minute == 5 { &work[..1] } else { &work[..] };
        state.advance(&work, covered, now, LOOKBACK);
    }
    assert_eq!(compared, [0, 5, 6, 9, 11], "each counts for the run that began a minute before it at least");
    assert!(state.must_compare(NOW - MINUTE, LOOKBACK), "the clock was ahead");
}

#[test]
fn what_a_comparison_may_not_have_seen_is_compared_again_before_it_leaves_the_look_back() {
    let mut state = SourceState::new(1);
    let mut run = |now: u64| {
        let work = state.work(now, LOOKBACK);
        let compares = state.must_compare(now, LOOKBACK);
        state.advance(&work, &work, now, LOOKBACK);
        compares
    };
    assert!(run(NOW));
    assert!(!run(NOW + 2 * MINUTE));
    // After a pause the index may be as of the run before it, and the next look-back does not reach so far.
    assert!(run(NOW + 25 * MINUTE) && run(NOW + 27 * MINUTE));
    assert!(!run(NOW + 29 * MINUTE), "this was as of the run in minute 25");
}

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
