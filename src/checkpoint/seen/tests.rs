use super::*;

const MINUTE: u64 = 60_000;

fn activation(start: u64, id: u32) -> Summary {
    Summary { start, activation_id: format!("{id:032x}").parse().unwrap() }
}

fn seen(activations: &[(u64, u32)]) -> Seen {
    let mut seen = Seen::default();
    activations.iter().for_each(|&(start, id)| seen.insert(activation(start, id)));
    seen
}

fn range(since: u64, upto: u64) -> Range {
    Range::new(since, upto).unwrap()
}

#[test]
fn a_digest_keeps_the_count_and_tells_sets_apart() {
    let mut one = seen(&[(1, 1), (2, 2), (70_000, 3)]);
    let mut other = seen(&[(1, 1), (2, 9), (70_000, 3)]);
    one.digest_upto(5, MINUTE, &[]);
    other.digest_upto(5, MINUTE, &[]);
    assert_eq!((one.count(range(0, 59_999)), one.count(range(0, 99_999))), (2, 3));
    assert_ne!(one.digest_at(1), other.digest_at(1));
    assert_eq!(one.digest_at(2).map(Digest::range), Some(range(1, 2)));
    assert!(!one.contains(activation(1, 1)) && one.contains(activation(70_000, 3)));
}

#[test]
fn a_fine_digest_stands_for_few_but_for_all_of_a_start() {
    let mut many = Seen::default();
    (0..99).for_each(|n| many.insert(activation(u64::from(n / 3), n)));
    many.digest(u64::MAX, Grain::FINEST, &[]);
    let digests: Vec<Digest> = many.digests_in(range(0, 99)).collect();
    assert_eq!(digests.iter().map(|digest| digest.count()).collect::<Vec<_>>(), [33, 33, 33]);
    let apart = digests.windows(2).all(|two| two[0].range().upto() < two[1].range().since());
    assert!(apart && many.starts().next().is_none(), "{digests:?}");
    let mut newest_first = Digest::of(activation(9, 0)).unwrap();
    (1..40).for_each(|n| assert!(newest_first.stretch(activation(9, n), Grain::FINEST), "{n}"));
    assert!(!newest_first.stretch(activation(8, 99), Grain::FINEST));
}

#[test]
fn an_activation_that_comes_later_joins_the_digest_that_it_starts_in() {
    let mut early = seen(&[(1, 1), (3, 3)]);
    early.digest_upto(3, MINUTE, &[]);
    early.insert(activation(2, 2));
    early.insert(activation(4, 4));
    let mut late = seen(&[(1, 1), (2, 2), (3, 3), (4, 4)]);
    late.digest_upto(3, MINUTE, &[]);
    assert_eq!(early, late);
    assert!(early.contains(activation(4, 4)));
}

#[test]
fn one_that_is_gone_is_not_counted_but_known_until_it_comes_back() {
    let mut seen = seen(&[(1, 1), (2, 2)]);
    seen.set_listed(activation(1, 1), false);
    assert_eq!((seen.count(range(0, 9)), seen.gone(range(0, 9)).count()), (1, 1));
    assert!(seen.contains(activation(1, 1)));
    seen.set_listed(activation(1, 1), true);
    assert_eq!((seen.count(range(0, 9)), seen.gone(range(0, 9)).count()), (2, 0));
}

#[test]
fn digests_never_take_more_room_than_what_they_stand_for() {
    let sparse = seen(&[(1, 1), (90_000, 2), (200_000, 3), (200_001, 4), (700_000, 5)]);
    let size = |seen: &Seen| serde_json::to_vec(seen).unwrap().len();
    let mut before = sparse;
    for widest in [MINUTE, 4 * MINUTE, 16 * MINUTE] {
        let mut after = before.clone();
        after.digest_upto(u64::MAX, widest, &[]);
        assert!(size(&after) < size(&before), "{widest}");
        assert_eq!(after.count(range(0, 700_000)), 5);
        before = after;
    }
    assert_eq!(before.digest_at(5).map(Digest::range), Some(range(1, 700_000)));
}

#[test]
fn the_start_of_the_newest_cuts_no_digest() {
    let mut seen = seen(&[(1, 1), (2, 2), (3, 3), (70_000, 4), (70_000, 5), (80_000, 6)]);
    seen.digest_upto(3, MINUTE, &[]);
    let start = |newer| seen.start_of_newest(newer, range(0, 99_999));
    assert_eq!(
        [1, 2, 3, 4, 6, 7].map(start),
        [Some(80_000), Some(70_000), Some(70_000), Some(1), Some(1), None]
    );
}

#[test]
fn two_sets_united_count_no_activation_twice() {
    let range = range(0, 999_999);
    let mut exact = seen(&[(1, 1), (70_000, 2)]);
    exact.unite(seen(&[(1, 1), (2, 3)]));
    assert_eq!(exact.count(range), 3);
    let mut digest = seen(&[(1, 1), (2, 3)]);
    digest.digest_upto(5, MINUTE, &[]);
    let mut forth = exact.clone();
    forth.unite(digest.clone());
    let mut back = digest;
    back.unite(exact);
    assert_eq!((forth.count(range), back.count(range)), (3, 3));
}

#[test]
fn what_is_not_done_after_all_is_new_again_though_the_list_did_not_show_it_for_some_time() {
    let doubtful = seen(&[(1, 1)]);
    let mut known = seen(&[(1, 1), (2, 2)]);
    known.unlist();
    known.undo(&doubtful);
    assert!(!known.contains(activation(1, 1)) && known.contains(activation(2, 2)));
}

#[test]
fn what_covers_two_sets_leaves_nothing_of_their_digests_out() {
    let digested = |activations: &[(u64, u32)]| {
        let mut seen = seen(activations);
        seen.digest_upto(u64::MAX, MINUTE, &[]);
        seen
    };
    let (older, newer) = (digested(&[(1, 1), (50, 2)]), digested(&[(40, 3), (99, 4)]));
    for (one, other) in [(&older, &newer), (&newer, &older)] {
        let mut all = one.clone();
        all.cover(other.clone());
        all.cover(seen(&[(70, 5), (120, 6)]));
        assert_eq!(all.ranges(), [range(1, 99), range(120, 120)]);
    }
    let mut same = older.clone();
    same.cover(older.clone());
    assert_eq!(same, older);
}

#[test]
fn one_that_is_gone_for_one_set_counts_for_the_digest_of_the_other() {
    let mut digest = seen(&[(1, 1), (2, 2)]);
    digest.digest_upto(5, MINUTE, &[]);
    let mut gone = seen(&[(1, 1)]);
    gone.set_listed(activation(2, 2), false);
    gone.unite(digest.clone());
    assert_eq!(gone, digest, "known twice, it would be left out when the list is compared with the digest");
}

#[test]
fn what_the_parts_of_a_run_have_done_counts_once_in_whatever_order_they_come() {
    let mut digested = seen(&[(10, 1), (30, 2)]);
    digested.digest_upto(99, MINUTE, &[]);
    let mut older = seen(&[(5, 3), (12, 4)]);
    older.digest_upto(99, MINUTE, &[]);
    let parts = [digested, older, seen(&[(20, 5), (40, 6)])];
    let mut all = seen(&[(10, 1), (30, 2), (5, 3), (12, 4), (20, 5), (25, 7)]);
    all.digest_upto(99, MINUTE, &[]);
    all.insert(activation(40, 6));
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let mut known = seen(&[(25, 7)]);
        order.into_iter().for_each(|part| known.take_up(&parts[part]));
        assert_eq!(known, all, "{order:?}");
    }
}

#[test]
fn ids_in_a_range_that_is_owed_are_not_digested() {
    let mut seen = seen(&[(1, 1), (2, 2), (5, 3), (6, 4), (11, 5), (12, 6)]);
    seen.digest_upto(99, MINUTE, &[range(5, 10)]);
    assert_eq!(seen.starts().collect::<Vec<_>>(), [5, 6]);
    assert_eq!(seen.count(range(0, 99)), 6);
}

#[test]
fn what_is_older_than_the_look_back_is_forgotten_unless_owed() {
    let mut seen = seen(&[(1, 1), (50, 2), (100, 3)]);
    seen.keep(90, &[range(40, 60)]);
    assert_eq!(seen.starts().collect::<Vec<_>>(), [50, 100]);
}

fn digested(activations: &[(u64, u32)]) -> Seen {
    let mut seen = seen(activations);
    seen.digest_upto(u64::MAX, MINUTE, &[]);
    seen
}

fn digests(seen: &Seen) -> Vec<(Range, u64)> {
    seen.digests_in(range(0, u64::MAX)).map(|digest| (digest.range(), digest.count())).collect()
}

#[test]
fn a_digest_inside_of_another_joins_it_and_the_other_keeps_its_range() {
    let mut known = digested(&[(1, 1), (99, 2)]);
    known.insert_digest(digested(&[(40, 3), (60, 4)]).digest_at(40).unwrap());
    assert_eq!(digests(&known), [(range(1, 99), 4)]);
}

#[test]
fn a_set_of_what_is_gone_and_one_of_digests_are_not_empty() {
    let mut gone = seen(&[(1, 1)]);
    gone.set_listed(activation(1, 1), false);
    assert!(!gone.is_empty() && !digested(&[(1, 1), (2, 2)]).is_empty() && Seen::default().is_empty());
}

#[test]
fn what_does_not_fit_becomes_digests_as_coarse_as_need_be_and_what_fits_stays() {
    let many: Vec<(u64, u32)> = (0..200).map(|n| (u64::from(n) * 1_000, n)).collect();
    let mut fitting = seen(&many);
    fitting.fit(200);
    assert_eq!(fitting, seen(&many));
    fitting.fit(3);
    assert_eq!((fitting.starts().count(), digests(&fitting).len() <= 3), (0, true));
    assert_eq!(fitting.count(range(0, u64::MAX)), 200);
}

#[test]
fn of_two_digests_that_overlap_the_others_counts_and_what_is_gone_for_both_stays_known() {
    let mut ours = digested(&[(1, 1), (50, 2), (100_000, 5), (100_010, 6)]);
    let mut theirs = digested(&[(40, 3), (99, 4)]);
    [(300, 7), (450, 9)].into_iter().for_each(|(start, id)| ours.set_listed(activation(start, id), false));
    theirs.set_listed(activation(400, 8), false);
    theirs.insert(activation(450, 9));
    ours.unite(theirs);
    assert_eq!(digests(&ours), [(range(40, 99), 2), (range(100_000, 100_010), 2)]);
    assert!(ours.contains(activation(300, 7)) && ours.contains(activation(400, 8)));
    assert_eq!((ours.gone(range(0, 999)).count(), ours.count(range(450, 450))), (2, 1), "the list shows it");
}

#[test]
fn digests_and_what_is_gone_are_kept_as_ids_are() {
    let mut known = digested(&[(1, 1), (2, 2)]);
    known.take_up(&digested(&[(50, 3), (60, 4)]));
    known.take_up(&digested(&[(88, 5), (95, 6)]));
    [3, 56, 97].into_iter().for_each(|start| known.set_listed(activation(start, 7), false));
    known.keep(90, &[range(56, 70)]);
    assert_eq!(digests(&known), [(range(50, 60), 2), (range(88, 95), 2)]);
    assert_eq!(known.gone(range(0, 99)).map(|gone| gone.start).collect::<Vec<_>>(), [56, 97]);
    known.forget(&[range(56, 56), range(90, 90)]);
    assert_eq!((digests(&known).len(), known.gone(range(0, 99)).count()), (0, 1));
}

#[test]
fn a_digest_that_stands_for_what_is_not_done_is_forgotten() {
    let mut known = digested(&[(1, 1), (2, 2)]);
    known.insert(activation(70, 3));
    known.undo(&seen(&[(1, 1)]));
    assert_eq!((digests(&known).len(), known.contains(activation(70, 3))), (0, true));
}

#[test]
fn what_is_gone_is_forgotten_where_digests_are_made_and_nowhere_else() {
    let mut known = seen(&[(1, 1), (2, 2)]);
    [3, 9].into_iter().for_each(|start| known.set_listed(activation(start, 7), false));
    known.digest_upto(5, MINUTE, &[]);
    assert_eq!(known.gone(range(0, 99)).map(|gone| gone.start).collect::<Vec<_>>(), [9]);
}

#[test]
fn ids_and_digests_are_joined_in_the_order_of_their_starts() {
    let mut known = digested(&[(50, 3), (60, 4)]);
    [(1, 1), (2, 2), (100, 5), (101, 6)]
        .into_iter()
        .for_each(|(start, id)| known.insert(activation(start, id)));
    known.digest_upto(u64::MAX, 20, &[]);
    assert_eq!(digests(&known), [(range(1, 2), 2), (range(50, 60), 2), (range(100, 101), 2)]);
}

#[test]
fn a_minute_of_version_1_stays_one_though_it_counts_one_and_those_that_overlap_are_dropped() {
    let minute = r#"{"count":1,"ids":"0000000000000000000000000000000a"}"#;
    let json =
        format!(r#"{{"digests":{{"0":{minute},"60000":{minute},"90000":{minute},"120000":{minute}}}}}"#);
    let mut known: Seen = serde_json::from_str(&json).unwrap();
    let minutes = [0, 1, 2].map(|at| (range(at * MINUTE, at * MINUTE + 59_999), 1));
    assert_eq!(digests(&known), minutes);
    known.digest_upto(u64::MAX, MINUTE, &[]);
    assert_eq!((digests(&known), known.starts().count()), (minutes.to_vec(), 0));
}

#[test]
fn a_count_shows_that_nothing_is_new_unless_a_comparison_is_asked_for_and_something_is_known() {
    let known = digested(&[(10, 1), (20, 2)]);
    assert_eq!(known.expected_count(range(15, 99), false), Some((range(10, 99), 2)));
    assert_eq!(known.expected_count(range(1, 15), false), Some((range(1, 20), 2)));
    assert_eq!(known.expected_count(range(15, 99), true), None);
    assert_eq!(
        known.expected_count(range(30, 99), true),
        Some((range(30, 99), 0)),
        "there is nothing to compare"
    );
}

#[test]
fn a_digest_that_is_stretched_stands_for_what_starts_near_and_one_that_is_forgotten_for_nothing() {
    let mut digest = Digest::of(activation(9, 1)).unwrap();
    assert!(
        digest.stretch(activation(5, 2), Grain::FINEST)
            && !digest.stretch(activation(MINUTE + 5, 3), Grain::FINEST)
    );
    assert_eq!((digest.range(), digest.count()), (range(5, 9), 2));
    let mut known = Seen::default();
    known.insert_digest(digest);
    known.forget_range(range(5, 9));
    assert_eq!(known, Seen::default());
}
