//! What is visible when: late records, stale lists, changes between requests, storage, clocks (checklist 21–25).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use openwhisk_double::{Activation, Clock, Double, Matcher, Options, Status, Storage};
use serde_json::{Value, json};
use support::{NOW, column, double, get, list};

fn names(rows: &Value) -> Vec<Value> {
    column(rows, "name")
}

#[test]
fn a_long_run_appears_below_rows_that_were_listed_before_it() {
    let double = double();
    let world = double.world();
    let slow = world.add(Activation::new("slow").start(NOW - 1_000).duration(300_000));
    world.add(Activation::new("quick").start(NOW - 500));
    assert_eq!(names(&list(&double, "")), ["quick"]);
    assert_eq!(get(&double, &format!("_/activations/{slow}")).status, 404);
    world.clock().advance(298_999);
    assert_eq!(names(&list(&double, "")), ["quick"]);
    world.clock().advance(1);
    assert_eq!(names(&list(&double, "")), ["quick", "slow"]);
    assert_eq!(get(&double, &format!("_/activations/{slow}")).status, 200);
}

#[test]
fn a_record_can_become_visible_long_after_its_end() {
    let double = double();
    double.world().add(Activation::new("hello").start(NOW - 100).visible_at(NOW + 20_000));
    assert_eq!(list(&double, "count=true")["activations"], 0);
    double.world().clock().set(NOW + 20_000);
    assert_eq!(list(&double, "count=true")["activations"], 1);
}

#[test]
fn stale_lists_show_what_the_one_before_could_have_shown() {
    let double = Double::start(Options { clock: Clock::fixed(NOW), stale: true, ..Options::default() });
    let id = double.world().add(Activation::new("hello"));
    assert!(names(&list(&double, "name=hello")).is_empty());
    assert_eq!(get(&double, &format!("_/activations/{id}")).status, 200);
    assert_eq!(names(&list(&double, "name=hello")), ["hello"]);
    double.world().add(Activation::new("hello"));
    assert_eq!(list(&double, "name=hello&count=true")["activations"], 1);
    assert_eq!(names(&list(&double, "name=hello&docs=true")).len(), 2);
}

#[test]
fn queries_with_and_without_a_name_are_stale_on_their_own() {
    let double = double();
    double.world().set_stale(true);
    double.world().add(Activation::new("hello"));
    assert_eq!(names(&list(&double, "name=other")).len(), 0);
    assert_eq!(names(&list(&double, "name=hello")).len(), 1);
    assert_eq!(names(&list(&double, "")).len(), 0);
    double.world().set_stale(false);
    assert_eq!(names(&list(&double, "")).len(), 1);
}

#[test]
fn a_deleted_record_in_a_stale_list_fails_the_page_of_full_records_once() {
    let double = double();
    let id = double.world().add(Activation::new("hello"));
    double.world().set_stale(true);
    double.world().remove(&id);
    assert_eq!(get(&double, "_/activations?docs=true").status, 500);
    assert_eq!(list(&double, "docs=true"), json!([]));
}

#[test]
fn the_world_can_change_between_two_requests_of_a_client() {
    let double = double();
    let ids = double.world().add_all((1..=4).map(|n| Activation::new("hello").start(n)));
    double.before_next(Matcher::list().param("skip", "2"), |world| {
        world.add(Activation::new("hello").start(9));
    });
    let page = |query: &str| column(&list(&double, query), "start");
    assert_eq!(page("limit=2"), [4, 3]);
    assert_eq!(page("limit=2&skip=2"), [3, 2]);
    let gone = ids[0].clone();
    let record = format!("_/activations/{gone}");
    double.before_next(Matcher::record(), move |world| world.remove(&gone));
    assert_eq!(get(&double, &record).status, 404);
}

#[test]
fn logs_can_be_blanked_later() {
    let double = double();
    let id = double.world().add(Activation::new("hello").stdout("hi"));
    double.world().blank_logs(&id);
    assert_eq!(list(&double, "docs=true")[0]["logs"], json!([]));
    assert_eq!(get(&double, &format!("_/activations/{id}/logs")).json(), json!({"logs": []}));
}

#[test]
fn namespaces_keep_what_their_policy_says() {
    let kept = |policy| {
        let double = double();
        double.world().set_storage("guest", policy);
        for status in [Status::Success, Status::ApplicationError, Status::DeveloperError] {
            double.world().add(Activation::new("hello").status(status));
        }
        double.world().records().len()
    };
    assert_eq!(kept(Storage::Always), 3);
    assert_eq!(kept(Storage::FailuresOnly), 2);
    assert_eq!(kept(Storage::FailuresNotApplicationErrors), 1);
    assert_eq!(kept(Storage::Never), 0);
}

#[test]
fn a_skewed_clock_decides_what_is_visible() {
    let real = Clock::real().now();
    let ahead = Double::start(Options { clock: Clock::skewed(3_600_000), ..Options::default() });
    ahead.world().add(Activation::new("hello").start(real + 1_800_000));
    assert_eq!(names(&list(&ahead, "")).len(), 1);
    let behind = Double::start(Options { clock: Clock::skewed(-3_600_000), ..Options::default() });
    behind.world().add(Activation::new("hello").start(real - 1_800_000));
    assert_eq!(names(&list(&behind, "")).len(), 0);
}
