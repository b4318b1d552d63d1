//! Packages as a small store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use openwhisk_double::{Double, Limits, Options};
use serde_json::{Value, json};
use support::{Answer, ask, double, get};

fn put(double: &Double, path: &str, body: &Value) -> Answer {
    ask(double, "PUT", path, body.to_string().as_bytes()).unwrap()
}

fn state(value: &str) -> Value {
    json!({"annotations": [{"key": "state", "value": value}]})
}

#[test]
fn a_package_is_created_once_and_read_back() {
    let double = double();
    assert_eq!(get(&double, "_/packages/whiskjack").status, 404);
    let created = put(&double, "_/packages/whiskjack", &state("one"));
    assert_eq!((created.status, &created.json()["version"]), (200, &json!("0.0.1")));
    let again = put(&double, "_/packages/whiskjack", &state("two"));
    assert_eq!((again.status, again.error()), (409, "resource already exists".to_owned()));
    let read = get(&double, "_/packages/whiskjack").json();
    assert_eq!(read["annotations"], state("one")["annotations"]);
    assert_eq!(
        (&read["namespace"], &read["name"], &read["publish"]),
        (&json!("guest"), &json!("whiskjack"), &json!(false))
    );
    assert_eq!((&read["actions"], &read["feeds"], &read["binding"]), (&json!([]), &json!([]), &json!({})));
    assert_eq!(double.world().package("whiskjack").unwrap()["version"], "0.0.1");
}

#[test]
fn overwriting_replaces_what_is_given_and_counts_the_version_up() {
    let double = double();
    let path = "_/packages/whiskjack?overwrite=true";
    let both = json!({"annotations": [], "parameters": [{"key": "p", "value": [1]}]});
    assert_eq!(put(&double, path, &both).status, 200);
    let merged = put(&double, path, &state("two")).json();
    assert_eq!(merged["annotations"], state("two")["annotations"]);
    assert_eq!(merged["parameters"], both["parameters"]);
    assert_eq!(merged["version"], "0.0.2");
    assert_eq!(put(&double, path, &json!({"version": "3.1.4"})).json()["version"], "3.1.4");
    assert_eq!(put(&double, path, &json!({})).json()["version"], "3.1.5");
}

#[test]
fn a_deleted_package_is_gone() {
    let double = double();
    put(&double, "_/packages/whiskjack", &state("one"));
    let deleted = ask(&double, "DELETE", "_/packages/whiskjack", b"").unwrap();
    assert_eq!((deleted.status, &deleted.json()["name"]), (200, &json!("whiskjack")));
    assert_eq!(ask(&double, "DELETE", "_/packages/whiskjack", b"").unwrap().status, 404);
    assert_eq!(get(&double, "_/packages/whiskjack").status, 404);
}

#[test]
fn what_cannot_be_stored_is_refused() {
    let limits = Limits { max_parameters_bytes: 1_000, ..Limits::default() };
    let double = Double::start(Options { limits, ..Options::default() });
    let large = put(&double, "_/packages/whiskjack", &state(&"x".repeat(1_000)));
    assert_eq!(large.status, 413);
    assert!(large.error().starts_with("annotations larger than allowed: "), "{}", large.error());
    let reserved = put(&double, "_/packages/default", &state("one"));
    assert_eq!((reserved.status, reserved.error()), (400, "Package name 'default' is reserved.".to_owned()));
    let broken = ask(&double, "PUT", "_/packages/whiskjack", b"{").unwrap();
    assert_eq!(broken.status, 400);
    assert_eq!(ask(&double, "POST", "_/packages/whiskjack", b"").unwrap().status, 405);
    assert_eq!(get(&double, "other/packages/whiskjack").status, 403);
    assert_eq!(double.world().package("whiskjack"), None);
}
