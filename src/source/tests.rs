use super::*;

fn record(name: &str, annotations: &str) -> String {
    format!(
        r#"{{"activationId":"00000000000000000000000000000001","namespace":"guest","name":"{name}","start":1,"end":2,
        "annotations":[{annotations}],"logs":[]}}"#
    )
}

fn matches(source: &Source, name: &str, path: &str, binding: Option<&str>) -> bool {
    let binding = binding.map_or(String::new(), |b| format!(r#",{{"key":"binding","value":"{b}"}}"#));
    let json = record(name, &format!(r#"{{"key":"path","value":"{path}"}}{binding}"#));
    source.matches(&Record::parse(json.as_bytes()).unwrap())
}

fn action(name: &str) -> Source {
    Source::Action(Action::parse(name).unwrap())
}

fn selection(entries: &[&str], own: Option<&str>) -> Source {
    Source::Namespace(Selection::new(entries.iter().map(|entry| Entry::parse(entry).unwrap()), own))
}

#[test]
fn names_with_dashes_dots_ats_and_spaces_are_taken() {
    for name in ["a", "my-action", "v1.2", "me@home", "two words", "pkg/my action", "R & D/x_1"] {
        assert_eq!(Action::parse(name).unwrap().name(), name);
    }
}

#[test]
fn names_that_openwhisk_cannot_have_are_refused_with_the_reason() {
    for (name, reason) in [
        ("", "empty"),
        ("!", "empty"),
        ("/guest/a", "leave the namespace out"),
        ("!/guest/a", "leave the namespace out"),
        ("pkg/", "empty"),
        ("a/b/c", "'/'"),
        ("a?", "'?'"),
        ("ümlaut", "'ü'"),
        (" a", "begins"),
    ] {
        let error = Entry::parse(name).unwrap_err();
        assert!(error.contains(reason), "{name}: {error}");
    }
}

#[test]
fn a_record_matches_by_package_and_by_binding_and_not_by_a_longer_name() {
    assert!(matches(&action("hello"), "hello", "guest/hello", None));
    assert!(!matches(&action("hello"), "hello", "guest/pkg/hello", None));
    assert!(!matches(&action("hello"), "hello-world", "guest/hello-world", None));
    assert!(matches(&action("pkg/hello"), "hello", "guest/pkg/hello", None));
    assert!(matches(&action("mine/hello"), "hello", "provider/pkg/hello", Some("guest/mine")));
    assert!(!matches(&action("other/hello"), "hello", "provider/pkg/hello", Some("guest/mine")));
}

#[test]
fn a_trigger_of_the_same_name_does_not_match() {
    let json = record("hello", "");
    let trigger = Record::parse(json.as_bytes()).unwrap();
    assert!(!action("hello").matches(&trigger));
    assert!(!selection(&["*"], None).matches(&trigger));
}

#[test]
fn a_selection_takes_patterns_and_names_but_not_what_is_excluded_nor_the_forwarder() {
    let chosen = selection(
        &["shop/*", "hello", "report-*", "!shop/debug", "!report-old*"],
        Some("/guest/report-forwarder"),
    );
    for (name, path, expected) in [
        ("checkout", "guest/shop/checkout", true),
        ("debug", "guest/shop/debug", false),
        ("hello", "guest/hello", true),
        ("hello", "guest/other/hello", false),
        ("report-1", "guest/report-1", true),
        ("report-old1", "guest/report-old1", false),
        ("report-forwarder", "guest/report-forwarder", false),
    ] {
        assert_eq!(matches(&chosen, name, path, None), expected, "{path}");
    }
    assert!(matches(&chosen, "x", "provider/pkg/x", Some("guest/shop")), "as bound");
}

#[test]
fn a_selection_can_be_made_again_from_its_entries() {
    let Source::Namespace(chosen) = selection(&["shop/*", "!shop/debug"], Some("/guest/tools/fwd")) else {
        panic!()
    };
    assert_eq!(chosen.entries(), ["shop/*", "!shop/debug", "!tools/fwd"]);
    let again = Selection::new(chosen.entries().iter().map(|entry| Entry::parse(entry).unwrap()), None);
    assert_eq!(again, chosen);
}

#[test]
fn an_action_knows_its_full_name() {
    let action = Action::parse("pkg/a").unwrap();
    assert!(action.is("/guest/pkg/a"));
    assert!(!action.is("/guest/a"));
}
