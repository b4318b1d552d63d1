use super::super::Settling;
use super::*;
use crate::openwhisk::record::Summary;
use crate::openwhisk::source::Action;

const MINUTE: u64 = 60_000;

fn activation(start: u64, id: u64) -> Summary {
    Summary { start, activation_id: format!("{id:032x}").parse().unwrap() }
}

fn range(since: u64, upto: u64) -> Range {
    Range::new(since, upto).unwrap()
}

/// A source, as it is when these patterns take its place; what they admit begins at minute 90.
fn admitting(name: &str, state: SourceState, entries: &[&str]) -> SourceState {
    let mut checkpoint = Checkpoint::default();
    checkpoint.sources.insert(name.into(), state);
    let entries = entries.iter().map(|entry| Entry::parse(entry).unwrap());
    checkpoint.monitor(&[Source::Namespace(Selection::new(entries, None))], 90 * MINUTE);
    checkpoint.sources.remove(NAMESPACE).unwrap()
}

/// Up to minute 100 all is done: two activations in minute 80 that a digest stands for, two in minute 95, and one in minute 98.
fn state(selection: &[&str]) -> SourceState {
    let selection = selection.iter().map(ToString::to_string).collect();
    let mut state = SourceState { complete_until: 100 * MINUTE, selection, ..SourceState::new(1) };
    [80, 80, 95, 95].into_iter().zip(1..).for_each(|(minute, id)| {
        state.seen.insert(activation(minute * MINUTE, id));
    });
    state.seen.digest_upto(96 * MINUTE, MINUTE, &[]);
    state.seen.insert(activation(98 * MINUTE, 5));
    state
}

#[test]
fn digests_of_what_is_walked_again_are_forgotten_as_they_do_not_tell_what_they_stand_for() {
    let more = admitting(NAMESPACE, state(&["*", "!b"]), &["*"]);
    assert!(more.seen.contains(activation(98 * MINUTE, 5)));
    assert_eq!(
        (more.seen.count(range(1, 89 * MINUTE)), more.seen.count(range(90 * MINUTE, u64::MAX))),
        (2, 1)
    );
    let of_a_name = admitting("a", state(&[]), &["*"]);
    assert_eq!(of_a_name.seen.count(range(1, u64::MAX)), 1, "none is one of all that patterns look at");
}

#[test]
fn doubts_of_a_source_that_another_one_takes_in_stay() {
    let doubting = |id: u64| {
        let mut state = state(&[]);
        let mut doubtful = super::super::Seen::default();
        doubtful.insert(activation(98 * MINUTE, id));
        state.doubt(doubtful, 1);
        state
    };
    let mut checkpoint = Checkpoint::default();
    ["a", "b"].into_iter().zip(7..).for_each(|(name, id)| {
        checkpoint.sources.insert(name.into(), doubting(id));
    });
    checkpoint.monitor(&[Source::Action(Action::parse("a").unwrap())], 90 * MINUTE);
    let all = Entry::parse("*").unwrap();
    checkpoint.monitor(&[Source::Namespace(Selection::new([all], None))], 90 * MINUTE);
    let doubtful = &checkpoint.sources[NAMESPACE].doubtful;
    assert!([7, 8].into_iter().all(|id| doubtful.contains(activation(98 * MINUTE, id))), "{doubtful:?}");
}

#[test]
fn what_patterns_have_done_is_not_new_for_a_name_but_counts_for_it_only_when_its_list_shows_it() {
    let mut checkpoint = Checkpoint::default();
    checkpoint.sources.insert(NAMESPACE.into(), state(&["*"]));
    checkpoint.monitor(&[Source::Action(Action::parse("b").unwrap())], 90 * MINUTE);
    let mut seen = checkpoint.sources["b"].seen.clone();
    let done = activation(98 * MINUTE, 5);
    assert_eq!((seen.contains(done), seen.count(range(1, u64::MAX))), (true, 0));
    seen.set_listed(done, true);
    seen.digest_upto(u64::MAX, u64::MAX, &[]);
    assert_eq!(seen.count(range(1, u64::MAX)), 1, "no digest stands for those of other names");
}

#[test]
fn parked_sources_keep_ids_until_they_do_not_fit_and_then_digests() {
    let mut checkpoint = Checkpoint::default();
    let mut large = state(&["*"]);
    (0..5_000).for_each(|n| large.seen.insert(activation(90 * MINUTE + n, 100 + n)));
    checkpoint.park(NAMESPACE, large.clone());
    checkpoint.park("b", state(&[]));
    assert_eq!(checkpoint.bound_parked(), Vec::<String>::new());
    let ids = |name: &str| checkpoint.parked[name].seen.starts().count();
    assert!(ids("* *") < 10 && ids("b") == state(&[]).seen.starts().count());
    assert_eq!(checkpoint.parked["* *"].seen.count(range(1, u64::MAX)), large.seen.count(range(1, u64::MAX)));
}

#[test]
fn digests_of_a_name_that_was_parked_are_forgotten_where_patterns_walk_again() {
    let mut checkpoint = Checkpoint::default();
    let owed = vec![Owed { range: range(79 * MINUTE, 96 * MINUTE), part: Part::Lookback }];
    checkpoint.sources.insert("a".into(), SourceState { owed, ..state(&[]) });
    checkpoint.monitor(&[Source::Action(Action::parse("b").unwrap())], 90 * MINUTE);
    assert_eq!(checkpoint.parked["a"].seen.count(range(90 * MINUTE, 96 * MINUTE)), 2);
    checkpoint.sources.get_mut("b").unwrap().complete_until = 100 * MINUTE;
    let all = Selection::new([Entry::parse("*").unwrap()], None);
    checkpoint.monitor(&[Source::Namespace(all)], 90 * MINUTE);
    let seen = &checkpoint.sources[NAMESPACE].seen;
    assert_eq!(seen.count(range(90 * MINUTE, 96 * MINUTE)), 0, "they would be counted twice");
    assert_eq!(seen.count(range(1, 89 * MINUTE)), 2, "this is compared, not walked");
}

#[test]
fn what_settles_counts_as_done_only_if_it_is_remembered() {
    let mut before = state(&["*", "!b"]);
    let settles = range(91 * MINUTE, 92 * MINUTE);
    before.settling.push(Settling { range: settles, since_ms: 1, renewed: false });
    let more = admitting(NAMESPACE, before, &["*"]);
    assert_eq!(more.admissions[0].owed, [settles]);
}

#[test]
fn a_record_without_a_name_that_patterns_owe_is_owed_to_each_name_they_become() {
    let owed = |id: u64, name: &str| crate::checkpoint::OwedRecord {
        start: 98 * MINUTE,
        id: activation(0, id).activation_id,
        end: None,
        name: name.into(),
        namespace: String::new(),
        details: None,
        acknowledged: 0,
        treatment: None,
        trouble: None,
    };
    let mut checkpoint = Checkpoint::default();
    let records = vec![owed(1, ""), owed(2, "a"), owed(3, "b")];
    checkpoint.sources.insert(NAMESPACE.into(), SourceState { records, ..state(&["*"]) });
    let names = ["a", "b"].map(|name| Source::Action(Action::parse(name).unwrap()));
    checkpoint.monitor(&names, 90 * MINUTE);
    let owed = |source: &str| checkpoint.sources[source].records.clone();
    let ids = |source: &str| owed(source).into_iter().map(|record| record.id).collect::<Vec<_>>();
    let id = |id: u64| activation(0, id).activation_id;
    assert_eq!((ids("a"), ids("b")), (vec![id(1), id(2)], vec![id(1), id(3)]));
    assert!(owed("a").iter().all(|record| record.name.is_empty()), "another package may have an `a`");
}

#[test]
fn names_and_patterns_have_an_index_each_of_which_nobody_knows_how_old_it_is_when_they_change() {
    let lookback = 10 * MINUTE;
    let before = |selection: &[&str]| SourceState {
        kept_from: 80 * MINUTE,
        compared_ms: 99 * MINUTE,
        runs: [98 * MINUTE, 100 * MINUTE],
        settling: vec![Settling { range: range(1, 2), since_ms: 90 * MINUTE, renewed: false }],
        ..state(selection)
    };
    let mut checkpoint = Checkpoint::default();
    checkpoint.sources.insert(NAMESPACE.into(), before(&["*"]));
    checkpoint.monitor(&[Source::Action(Action::parse("b").unwrap())], 90 * MINUTE);
    for mut state in [admitting("a", before(&[]), &["*"]), checkpoint.sources["b"].clone()] {
        let now = 130 * MINUTE;
        let work = state.work(now, lookback);
        assert!(work.iter().all(|owed| owed.part != Part::Settling), "{work:?}");
        assert!(state.must_compare(now, lookback));
        state.advance(&work, &work, now, lookback);
        let settles = |ms: u64| state.settling.iter().any(|settling| settling.range.contains(ms));
        assert!(settles(1) && settles(85 * MINUTE) && settles(110 * MINUTE), "{:?}", state.settling);
        assert_eq!((state.runs, state.compared_ms), ([0, now], 0));
    }
}

#[test]
fn what_fewer_patterns_have_passed_over_is_looked_for_when_the_former_ones_are_back() {
    let (all, fewer) = (["*"].map(String::from).to_vec(), ["*", "!b"].map(String::from).to_vec());
    let settling = vec![Settling { range: range(1, 2), since_ms: 1, renewed: false }];
    let before = SourceState { kept_from: 80 * MINUTE, settling, ..state(&["*"]) };
    let mut checkpoint = Checkpoint::default();
    checkpoint.sources.insert(NAMESPACE.into(), before);
    checkpoint.monitor_selection(&fewer, 90 * MINUTE);
    let (late, new) = (activation(97 * MINUTE, 8), activation(101 * MINUTE, 9));
    let state = checkpoint.sources.get_mut(NAMESPACE).unwrap();
    state.note([late, new]);
    state.complete_until = 102 * MINUTE;
    checkpoint.monitor_selection(&all, 90 * MINUTE);
    let state = &checkpoint.sources[NAMESPACE];
    assert!(!state.seen.contains(late), "it may have been passed over");
    assert!(state.seen.contains(activation(98 * MINUTE, 5)), "the former ones have done it");
    assert!(state.seen.contains(new), "its name tells when it is walked again");
}

#[test]
fn what_a_name_is_owed_was_passed_over_by_patterns_that_did_not_admit_it_and_is_new_for_those_that_do() {
    let selection = |entries: &[&str]| {
        let entries = entries.iter().map(|entry| Entry::parse(entry).unwrap());
        Source::Namespace(Selection::new(entries, None))
    };
    for part in [Part::Lookback, Part::Fresh] {
        let mut checkpoint = Checkpoint::default();
        let owed = Owed { range: range(80 * MINUTE, 99 * MINUTE), part };
        checkpoint.sources.insert("a".into(), SourceState { owed: vec![owed], ..state(&[]) });
        checkpoint.monitor(&[selection(&["tools/*"])], 90 * MINUTE);
        let late = activation(85 * MINUTE, 9);
        let whole = checkpoint.sources.get_mut(NAMESPACE).unwrap();
        whole.owed.clear();
        whole.seen.insert(late);
        whole.complete_until = 101 * MINUTE;
        checkpoint.monitor(&[selection(&["tools/*", "*"])], 96 * MINUTE);
        let state = &checkpoint.sources[NAMESPACE];
        assert!(state.owed.contains(&owed) && checkpoint.parked.is_empty(), "{state:?}");
        match part {
            // The list of a look-back is compared by ids alone.
            Part::Lookback => assert!(!state.seen.contains(late), "{state:?}"),
            _ => assert!(
                state.admissions.iter().any(|admission| admission.range.contains(late.start)),
                "{state:?}"
            ),
        }
    }
}

#[test]
fn what_a_name_put_off_to_its_next_look_back_is_looked_for_by_patterns_that_admit_it_again() {
    let selection = |entries: &[&str]| {
        let entries = entries.iter().map(|entry| Entry::parse(entry).unwrap());
        Source::Namespace(Selection::new(entries, None))
    };
    let (put_off, done) = (activation(97 * MINUTE, 9), activation(98 * MINUTE, 5));
    let look_back = Owed { range: range(80 * MINUTE, 100 * MINUTE), part: Part::Lookback };
    let between = [selection(&["tools/*"]), Source::Action(Action::parse("b").unwrap())];
    for others in between {
        let mut checkpoint = Checkpoint::default();
        checkpoint.sources.insert("a".into(), SourceState { kept_from: 80 * MINUTE, ..state(&[]) });
        checkpoint.monitor(std::slice::from_ref(&others), 90 * MINUTE);
        let whole = checkpoint.sources.get_mut(&others.name()).unwrap();
        whole.seen.insert(put_off);
        whole.complete_until = 130 * MINUTE;
        checkpoint.monitor(&[selection(&["tools/*", "*"])], 120 * MINUTE);
        let state = &checkpoint.sources[NAMESPACE];
        assert!(state.owed.contains(&look_back) && checkpoint.parked.is_empty(), "{state:?}");
        assert!(!state.seen.contains(put_off), "it was passed over");
        assert!(state.seen.contains(done), "the name has done it");
    }
}
