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
    let json = record("hello", "").replace(r#","end":2"#, "");
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

#[test]
fn a_record_without_a_path_is_of_whoever_asked_for_its_name() {
    let is_of = |source: &Source, name: &str, annotations: &str| {
        let json = record(name, annotations);
        source.matches(&Record::parse(json.as_bytes()).unwrap())
    };
    for annotations in ["", r#"{"key":"path","value":null}"#, r#"{"key":"kind","value":"nodejs:20"}"#] {
        assert!(is_of(&action("hello"), "hello", annotations));
        assert!(is_of(&action("pkg/hello"), "hello", annotations), "the API's filter has chosen it");
        assert!(!is_of(&action("hello"), "hello-world", annotations));
        for (entries, own, name, expected) in [
            (&["*", "*/*"][..], None, "hello", true),
            (&["hello"], None, "hello", true),
            (&["pkg/hello"], None, "hello", true),
            (&["pkg/*"], None, "hello", true),
            (&["pkg/he*"], None, "other", false),
            (&["*", "!hello"], None, "hello", false),
            (&["*", "!he*"], None, "hello", false),
            (&["*", "!pkg/hello"], None, "hello", false),
            (&["*", "!pkg/*"], None, "hello", true),
            (&["*"], Some("/guest/tools/fwd"), "fwd", false),
        ] {
            assert_eq!(is_of(&selection(entries, own), name, annotations), expected, "{entries:?} {name}");
        }
    }
    // What it was bound as is a place too.
    let bound = r#"{"key":"binding","value":"guest/mine"}"#;
    assert!(is_of(&selection(&["mine/*"], None), "hello", bound));
    assert!(!is_of(&selection(&["other/*"], None), "hello", bound));
    // So is a name that is not simple.
    assert!(
        is_of(&selection(&["pkg/*"], None), "pkg/hello", "") && is_of(&action("pkg/hello"), "pkg/hello", "")
    );
    assert!(!is_of(&selection(&["*"], None), "pkg/hello", ""));
}

#[test]
fn a_record_without_any_name_is_of_whoever_asked() {
    let json = record("hello", "").replace(r#""name":"hello","#, "");
    let nameless = Record::parse(json.as_bytes()).unwrap();
    for source in [action("hello"), action("pkg/x"), selection(&["report-*", "!a"], None)] {
        assert!(source.matches(&nameless), "{source:?}");
    }
    // The path tells it.
    let json =
        record("hello", r#"{"key":"path","value":"guest/pkg/hello"}"#).replace(r#""name":"hello","#, "");
    let named = Record::parse(json.as_bytes()).unwrap();
    assert!(action("pkg/hello").matches(&named) && !action("hello").matches(&named));
}
