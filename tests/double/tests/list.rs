//! What the list shows: defaults, bounds, order, names, shapes, counts (checklist 8–16).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use openwhisk_double::{Activation, BindingKeys};
use serde_json::{Value, json};
use support::{NOW, column, double, get, list};

fn starts(rows: &Value) -> Vec<i64> {
    column(rows, "start").iter().map(|start| start.as_i64().unwrap()).collect()
}

fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn a_page_has_30_rows_by_default_and_200_at_most() {
    let double = double();
    double.world().add_all((0..250).map(|n| Activation::new("hello").start(NOW - 1_000 - n)));
    assert_eq!(list(&double, "").as_array().unwrap().len(), 30);
    assert_eq!(list(&double, "limit=0").as_array().unwrap().len(), 200);
    assert_eq!(list(&double, "limit=200&skip=100").as_array().unwrap().len(), 150);
    assert_eq!(list(&double, "skip=999999").as_array().unwrap().len(), 0);
}

#[test]
fn bad_parameters_are_named_and_explained() {
    let double = double();
    let cases = [
        ("limit=201", "limit", "The value '201' is not in the range of 0 to 200 for activations."),
        ("limit=-1", "limit", "The value '-1' is not in the range of 0 to 200 for activations."),
        ("limit=abc", "limit", "The value 'abc' is not an integer for activations."),
        ("skip=-1", "skip", "The value '-1' is not greater than or equal to 0 for activations."),
        ("skip=abc", "skip", "The value 'abc' is not an integer for activations."),
        ("since=yesterday", "since", "Parameter is not a valid value for epoch seconds: yesterday"),
        ("upto=1.5", "upto", "Parameter is not a valid value for epoch seconds: 1.5"),
        ("docs=maybe", "docs", "'maybe' is not a valid Boolean value"),
        ("count=maybe", "count", "'maybe' is not a valid Boolean value"),
        ("limit=", "limit", "The value '' is not an integer for activations."),
        ("since=", "since", "Parameter is not a valid value for epoch seconds: "),
        ("name=p/a/b", "name", "Parameter may be a 'simple' name or 'package-name/simple' name: p/a/b"),
    ];
    for (query, parameter, why) in cases {
        let answer = get(&double, &format!("_/activations?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.error(), format!("The query parameter '{parameter}' was malformed:\n{why}"));
    }
}

#[test]
fn a_switch_without_a_value_counts_as_not_given() {
    let double = double();
    double.world().add(Activation::new("hello").stdout("hi"));
    let answer = get(&double, "_/activations?docs=&count=");
    assert_eq!((answer.status, &answer.json()[0]["logs"]), (200, &Value::Null));
}

#[test]
fn since_and_upto_are_inclusive_and_look_at_the_start() {
    let double = double();
    double.world().add_all([10, 20, 30].map(|start| Activation::new("hello").start(start).duration(1_000)));
    assert_eq!(starts(&list(&double, "since=20")), [30, 20]);
    assert_eq!(starts(&list(&double, "upto=20")), [20, 10]);
    assert_eq!(starts(&list(&double, "since=20&upto=20&name=hello")), [20]);
    assert_eq!(list(&double, "since=30&upto=20"), json!([]));
    let all = format!("since={}&upto={}", i64::MIN, i64::MAX);
    assert_eq!(starts(&list(&double, &all)), [30, 20, 10]);
}

#[test]
fn rows_come_newest_first_and_equal_starts_by_descending_id() {
    let double = double();
    let id = |digit: &str| digit.repeat(32);
    for (start, digit) in [(10, "5"), (20, "1"), (20, "f"), (20, "a"), (30, "0")] {
        double.world().add(Activation::new("hello").start(start).id(id(digit)));
    }
    let order = [id("0"), id("f"), id("a"), id("1"), id("5")];
    assert_eq!(column(&list(&double, ""), "activationId"), order);
    assert_eq!(column(&list(&double, "skip=1&limit=3"), "activationId"), order[1..4]);
}

#[test]
fn the_name_filter_tells_packages_apart() {
    let double = double();
    double.world().add(Activation::new("a").version("1.0.0"));
    double.world().add(Activation::new("a").package("p").version("2.0.0"));
    double.world().add(Activation::trigger("t").version("3.0.0"));
    let versions = |query: &str| column(&list(&double, query), "version");
    assert_eq!(versions("name=a"), ["1.0.0"]);
    assert_eq!(versions("name=p/a"), ["2.0.0"]);
    assert_eq!(versions("name=p%2Fa"), ["2.0.0"]);
    assert_eq!(versions("name=t"), ["3.0.0"]);
    assert!(versions("name=A").is_empty());
    assert!(versions("name=/guest/a").is_empty());
    assert_eq!(versions("name=").len(), 3);
}

#[test]
fn bindings_are_filed_as_the_store_does() {
    let double = double();
    let world = double.world();
    world.add(Activation::new("a").package("p").binding("b").owner("provider").version("1.0.0"));
    world.add(Activation::new("hello").version("2.0.0"));
    world.add(Activation::new("hello-world").version("3.0.0"));
    let count = |query: &str| list(&double, query).as_array().unwrap().len();
    assert_eq!((count("name=b/a"), count("name=p/a"), count("name=a")), (1, 0, 0));
    world.set_binding_keys(BindingKeys::Memory);
    assert_eq!((count("name=b/a"), count("name=p/a"), count("name=a")), (0, 1, 0));
    world.set_binding_keys(BindingKeys::Phrase);
    assert_eq!(column(&list(&double, "name=hello"), "version"), ["2.0.0", "3.0.0"].map(|v| json!(v)));
}

#[test]
fn names_with_special_characters_are_found() {
    let double = double();
    for name in ["send-mail", "report.v2", "jane@home", "two words", "R&D"] {
        double.world().add(Activation::new(name));
        let query: String =
            form_urlencoded::Serializer::new(String::new()).append_pair("name", name).finish();
        assert_eq!(column(&list(&double, &query), "name"), [name]);
    }
}

#[test]
fn summaries_and_full_records_have_exactly_their_fields() {
    let double = double();
    let id = double.world().add(Activation::new("hello").stdout("hi"));
    let summary = list(&double, "")[0].clone();
    let common = "activationId annotations duration end name namespace publish start";
    let fields = |more: &str| {
        let mut all: Vec<String> = format!("{common} {more}").split(' ').map(str::to_owned).collect();
        all.sort();
        all
    };
    assert_eq!(keys(&summary), fields("statusCode version"));
    let full = list(&double, "docs=true")[0].clone();
    assert_eq!(keys(&full), fields("logs response subject version"));
    assert_eq!(full, get(&double, &format!("_/activations/{id}")).json());
    assert_eq!(summary["statusCode"], 0);
}

#[test]
fn counts_are_reduced_by_skip_and_exclude_docs() {
    let double = double();
    double.world().add_all((0..40).map(|n| Activation::new("hello").start(n)));
    assert_eq!(list(&double, "count=true"), json!({"activations": 40}));
    assert_eq!(list(&double, "count=true&limit=1&skip=15&since=10"), json!({"activations": 15}));
    assert_eq!(list(&double, "count=yes&skip=50"), json!({"activations": 0}));
    let answer = get(&double, "_/activations?count=true&docs=true");
    assert_eq!(
        (answer.status, answer.error()),
        (400, "The parameter 'docs' is not permitted with 'count'.".to_owned())
    );
}

#[test]
fn unknown_parameters_are_ignored_and_the_first_of_equal_ones_counts() {
    let double = double();
    double.world().add_all((0..5).map(|n| Activation::new("hello").start(n)));
    assert_eq!(list(&double, "color=red&limit=2&limit=4").as_array().unwrap().len(), 2);
}

#[test]
fn a_corrupt_record_shortens_the_page_of_full_records() {
    let double = double();
    let world = double.world();
    let corrupt = world.add(Activation::new("hello").start(2).corrupt());
    world.add_all([1, 3].map(|start| Activation::new("hello").start(start)));
    assert_eq!(starts(&list(&double, "docs=true&limit=2")), [3]);
    assert_eq!(starts(&list(&double, "limit=2")), [3, 2]);
    assert_eq!(get(&double, &format!("_/activations/{corrupt}")).status, 500);
}

#[test]
fn replies_over_the_limit_fail_and_smaller_pages_do_not() {
    let double = double();
    double.world().add_all((0..3).map(|n| Activation::new("hello").start(n).stdout(&"x".repeat(4_000))));
    double.world().set_reply_limit(Some(10_000));
    assert_eq!(get(&double, "_/activations?docs=true").status, 500);
    assert_eq!(get(&double, "_/activations?docs=true&limit=2").status, 200);
}
