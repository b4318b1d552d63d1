//! Records that are owed by themselves: large ones, and those that the API does not give. The whole forwarder in virtual time.

mod rig;

use rig::{MINUTE, Ran, Record, State, World, peak_since_last, record};
use std::rc::Rc;

/// Most lines that come again where a run ends: a window.
const WINDOW: u64 = 2_048;
/// The name of record `id` in results.
fn named(id: u64) -> String {
    format!("{id:032x}")
}

/// 29 records of three lines before record 100, which is the newest.
fn world(rate: u64, hundredth: Record) -> Rc<World> {
    World::new(rate, (1..30).map(|id| record(60_000 + 1_000 * id, id, 3)).chain([hundredth]))
}

fn older_came(world: &World) -> bool {
    (1..30).all(|id| world.came(id) == (3, 0))
}

fn runs_until_complete(world: &Rc<World>, most: usize) -> Vec<Ran> {
    let mut runs = Vec::new();
    while runs.last().is_none_or(|ran: &Ran| !ran.complete) {
        assert!(runs.len() < most, "not complete after {most} runs");
        runs.push(world.run());
    }
    runs
}

#[test]
fn a_record_that_takes_longer_than_a_run_arrives_in_two_and_what_is_older_in_the_first() {
    let world = world(1_000, record(30_000, 100, 80_000));
    let first = world.run();
    assert!(!first.complete && older_came(&world), "{first:?}");
    assert_eq!(first.result["left"]["records"], 1);
    assert!(world.came(100).0 > 40_000);
    let second = world.run();
    assert!(second.result["left"]["records"].is_null(), "{second:?}");
    let (different, again) = world.came(100);
    assert_eq!(different, 80_000);
    assert!(again <= WINDOW, "{again} came again");
    // What is as old as `from` settles first.
    runs_until_complete(&world, 3);
    assert!(older_came(&world));
}

#[test]
fn a_record_of_a_million_lines_and_one_of_100_mb_arrive_once_and_in_little_memory() {
    for (lines, length) in [(1_000_000, 10), (100, 1_000_000)] {
        let record = Record { length, ..record(30_000, 100, lines) };
        let world = world(25_000, record);
        // Room for what the test itself notes.
        world.arrived.borrow_mut().insert(100, vec![0; 1_000_000]);
        peak_since_last();
        runs_until_complete(&world, 4);
        let peak = peak_since_last();
        println!("{lines} lines of {length}: {} KiB at most", peak >> 10);
        let (different, again) = world.came(100);
        assert_eq!((different, older_came(&world)), (lines, true));
        assert!(again <= WINDOW, "{again} came again");
        assert!(peak < 48 << 20, "{} KiB", peak >> 10);
    }
}

#[test]
fn a_record_that_no_page_can_be_had_with_holds_up_nobody_and_is_tried_until_it_is_deleted() {
    let mut bad = record(75_500, 100, 5);
    bad.state = State::BadGateway;
    let world = world(10_000, bad);
    let first = world.run();
    assert!(older_came(&world), "{first:?}");
    for ran in [first, world.run(), world.run()] {
        assert!(!ran.complete && ran.error().contains(&named(100)) && ran.error().contains("502"), "{ran:?}");
        assert_eq!(ran.result["left"]["records"], 1);
    }
    let asked = world.asked.borrow().iter().filter(|target| target.contains(&named(100))).count();
    assert_eq!(asked, 1, "tried once a run");
    world.set(100, State::Deleted);
    let told = world.run();
    assert!(
        !told.complete && told.error().contains(&named(100)) && told.error().contains("0 of its entries"),
        "{told:?}"
    );
    let after = world.run();
    assert!(after.complete && after.error().is_empty(), "{after:?}");
}

#[test]
fn a_record_that_could_not_be_had_arrives_when_it_can_be_and_is_no_error_any_more() {
    let world = world(10_000, Record { state: State::BadGateway, ..record(75_500, 100, 5) });
    let first = world.run();
    assert!(!first.complete && first.error().contains(&named(100)) && older_came(&world), "{first:?}");
    world.set(100, State::Sound);
    let second = world.run();
    assert!(second.result["left"]["records"].is_null() && second.error().is_empty(), "{second:?}");
    assert!(world.all_came_once());
    runs_until_complete(&world, 3);
    assert!(world.all_came_once());
}

#[test]
fn a_store_that_gives_lines_of_a_record_owed_by_itself_is_asked_for_those_that_counted_as_done_without() {
    let stored =
        (2..30).map(|id| Record { state: State::Stored, ..record(120 * MINUTE + 1_000 * id, id, 3) });
    let world = World::new(10_000, stored.chain([record(60 * MINUTE, 1, 3)]));
    world.no_logs.set(true);
    let first = world.run();
    assert!(first.result["left"]["records"].as_u64() > Some(0), "{first:?}");
    assert!((2..30).all(|id| world.came(id) == (0, 0)));
    world.no_logs.set(false);
    runs_until_complete(&world, 8);
    assert!(world.all_came_once());
}

#[test]
fn a_record_that_the_list_of_full_records_leaves_out_is_owed_by_itself_by_the_next_run() {
    for age in [75_500, 10 * 60 * MINUTE] {
        let world = world(10_000, Record { state: State::LeftOut, ..record(age, 100, 5) });
        let first = world.run();
        assert!(older_came(&world) && first.result["left"]["ranges"].as_u64() > Some(0), "{first:?}");
        let named_in =
            |ran: Ran| !ran.complete && ran.error().contains(&named(100)) && ran.error().contains("502");
        let later = [world.run(), world.run(), world.run()].map(named_in);
        assert_eq!(later[1..], [true; 2], "{age} ms old: in the look-back, or when it has settled");
        world.set(100, State::Sound);
        runs_until_complete(&world, 3);
        assert!(world.all_came_once());
    }
}

#[test]
fn a_record_of_which_not_even_the_id_can_be_read_is_an_error_and_holds_up_nobody() {
    let world = world(10_000, Record { state: State::Broken, ..record(75_500, 100, 5) });
    let ran = world.run();
    assert!(!ran.complete && ran.error().contains("could not be read") && older_came(&world), "{ran:?}");
}

#[test]
fn a_record_of_which_only_the_id_can_be_read_stays_in_its_range_until_the_list_tells_which_it_is() {
    let world = world(10_000, Record { state: State::Headless, ..record(75_500, 100, 5) });
    world.no_summaries.set(true);
    let first = world.run();
    assert!(!first.complete && first.error().contains("502"), "{first:?}");
    assert!(first.result["left"]["ranges"].as_u64() > Some(0) && !first.error().contains(&named(100)));
    world.no_summaries.set(false);
    let second = world.run();
    assert!(second.error().contains(&named(100)) && older_came(&world), "{second:?}");
    world.set(100, State::Sound);
    runs_until_complete(&world, 3);
    assert!(world.all_came_once());
}

#[test]
fn records_of_one_millisecond_arrive_though_one_of_them_cannot_be_had() {
    let same = (100..110).map(|id| record(75_000, id, 2));
    let world = World::new(10_000, same.chain([record(90_000, 1, 3)]));
    [103, 109, 100].into_iter().for_each(|id| world.set(id, State::BadGateway));
    let ran = world.run();
    assert!(!ran.complete && world.came(1) == (3, 0), "{ran:?}");
    assert_eq!(ran.result["left"]["records"], 3);
    for id in [101, 102, 104, 105, 106, 107, 108] {
        assert_eq!(world.came(id), (2, 0), "{id}");
    }
}

#[test]
fn where_no_record_can_be_had_the_api_is_at_fault_and_the_range_stays_owed() {
    let all = (1..40).map(|id| Record { state: State::BadGateway, ..record(60_000 + 1_000 * id, id, 3) });
    let world = World::new(10_000, all);
    let ran = world.run();
    assert!(!ran.complete && ran.result["left"]["ranges"].as_u64() > Some(0), "{ran:?}");
    assert!(ran.result["left"]["records"].as_u64() <= Some(8), "{ran:?}");
    (1..40).for_each(|id| world.set(id, State::Sound));
    runs_until_complete(&world, 3);
    assert!(world.all_came_once());
}

#[test]
fn lines_that_their_store_does_not_give_are_owed_beyond_the_look_back_until_it_does() {
    let old = 10 * 60 * MINUTE;
    let stored = |age: u64, id: u64, state| Record { state, ..record(age, id, 4) };
    let world = World::new(10_000, [stored(old, 100, State::Lost), stored(old + 5_000, 1, State::Stored)]);
    let first = world.run();
    assert!(!first.complete && first.error().contains(&named(100)), "{first:?}");
    assert_eq!(world.came(1), (4, 0));
    world.set(100, State::Stored);
    runs_until_complete(&world, 4);
    assert!(world.all_came_once());
}

#[test]
fn a_record_that_may_have_its_lines_elsewhere_is_not_done_before_somebody_has_said_so() {
    for (age, down) in [(0, 1), (0, 40), (10 * 60 * MINUTE, 1), (10 * 60 * MINUTE, 40)] {
        let moved = Record { state: State::Stored, ..record(age + 75_500, 100, 3) };
        let others = (1..=20).map(|id| record(age + 60_000 + 1_000 * id, id, 2));
        let world = World::new(10_000, others.chain([moved]));
        world.no_logs.set(true);
        for run in 1..=down {
            let ran = world.run();
            assert!(!ran.complete, "run {run} of {down}, {age} ms ago: {ran:?}");
        }
        let others_came = (1..=20).all(|id| world.came(id) == (2, 0));
        assert!(world.came(100) == (0, 0) && others_came, "{age} ms ago, {down} runs");
        world.no_logs.set(false);
        runs_until_complete(&world, 4);
        assert!(world.all_came_once(), "{age} ms ago, {down} runs without an answer");
    }
}

#[test]
fn lines_of_a_store_follow_the_records_own_notice_and_keep_their_numbers_from_run_to_run() {
    let world = world(1_000, Record { state: State::Noticed, ..record(75_500, 100, 80_000) });
    let runs = runs_until_complete(&world, 5);
    let (different, again) = world.came(100);
    assert!(
        different == 80_000 && again <= WINDOW * runs.len() as u64,
        "{different} came, {again} came again"
    );
    assert!(older_came(&world));
}

#[test]
fn of_a_record_that_could_not_be_had_the_notice_and_the_lines_of_its_store_arrive() {
    let world = world(10_000, Record { state: State::BadGateway, ..record(75_500, 100, 5) });
    assert!(!world.run().complete);
    world.set(100, State::Noticed);
    runs_until_complete(&world, 4);
    assert!(world.all_came_once(), "{:?}", world.came(100));
}

#[test]
fn with_a_receiver_that_is_down_no_record_is_owed_by_itself() {
    let world = world(0, record(30_000, 100, 80_000));
    let ran = world.run();
    assert!(!ran.complete && ran.result["left"]["records"].is_null(), "{ran:?}");
    world.rate.set(10_000);
    runs_until_complete(&world, 3);
    assert!(world.all_came_once());
}

/// Ten lines make a document.
fn by_tens() -> serde_json::Value {
    serde_json::json!({"multiline": {"pattern": "^[0-9]*[1-9] ", "match": "after"}})
}

#[test]
fn a_record_owed_by_itself_is_done_when_its_last_entries_are_left_out() {
    let world = world(10_000, Record { state: State::BadGateway, ..record(75_500, 100, 5) });
    *world.lines.borrow_mut() = serde_json::json!({"exclude": ["^[34] "]});
    assert_eq!(world.run().result["left"]["records"], 1);
    world.set(100, State::Sound);
    let second = world.run();
    assert!(second.result["left"]["records"].is_null() && second.error().is_empty(), "{second:?}");
    assert_eq!(world.came(100), (3, 0));
}

#[test]
fn a_record_whose_lines_are_joined_is_gone_on_with_where_it_was_left() {
    let world = world(1_000, record(30_000, 100, 80_000));
    *world.lines.borrow_mut() = by_tens();
    // A document counts as one line.
    world.rate.set(100);
    let first = world.run();
    assert_eq!(first.result["left"]["records"], 1);
    runs_until_complete(&world, 4);
    let (different, again) = world.came(100);
    assert_eq!(different, 80_000);
    assert!(again <= 10 * WINDOW, "{again} came again");
}

#[test]
fn entries_that_a_new_configuration_joins_with_settled_ones_arrive_too() {
    let world = world(1_000, record(30_000, 100, 80_000));
    world.forgets.set(true);
    world.run();
    let (before, _) = world.came(100);
    assert!(before > 40_000 && before % 10 > 0, "{before}");
    *world.lines.borrow_mut() = by_tens();
    runs_until_complete(&world, 4);
    let (different, again) = world.came(100);
    assert_eq!(different, 80_000);
    assert!(again < 10, "{again} came again");
}

#[test]
fn a_record_owed_by_itself_that_turns_out_to_have_no_lines_is_named() {
    for (lines, expected) in [(0, serde_json::json!([named(100)])), (5, serde_json::Value::Null)] {
        let world = world(10_000, Record { state: State::BadGateway, ..record(75_500, 100, lines) });
        assert_eq!(world.run().result["left"]["records"], 1);
        world.set(100, State::Sound);
        let second = world.run();
        assert!(second.result["left"]["records"].is_null(), "{second:?}");
        assert_eq!(second.result["empty_activations"], expected);
    }
}
