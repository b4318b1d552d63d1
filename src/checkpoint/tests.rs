use super::fit::COMFORTABLE;
use super::*;

const MINUTE: u64 = 60_000;
const NOW: u64 = 100 * MINUTE;
const LOOKBACK: u64 = 10 * MINUTE;
mod doubts;
mod fit;
mod format;
mod records;

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
