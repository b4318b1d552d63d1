//! The configuration of events and lines.

use super::*;

fn with(more: Value) -> Value {
    let mut params = json!({"actions": ["a"], "logstash.host": "h:1"});
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params
}

fn documents(more: Value) -> Documents {
    parse(with(more)).unwrap().documents
}

#[test]
fn without_keys_about_events_they_are_those_of_2017() {
    assert_eq!(documents(json!({})), Documents::default());
    assert_eq!(documents(json!({"events": {"shape": 2017}, "lines": {}})), Documents::default());
    let of_2017 = documents(json!({"events.shape": "2017", "events.package": true, "events.sequence": true}));
    assert_eq!(of_2017.shape, Shape::Of2017 { package: true, sequence: true });
    assert_eq!(
        documents(json!({"events": {"shape": "ecs", "original": true}})).shape,
        Shape::Ecs { original: true }
    );
}

#[test]
fn a_namespace_is_one_that_a_data_stream_can_have() {
    let of_ecs = |namespace: &str| with(json!({"events": {"shape": "ecs", "namespace": namespace}}));
    for good in ["production", "eu_west.1", "größe", &"a".repeat(100)] {
        assert_eq!(parse(of_ecs(good)).unwrap().documents.namespace.as_str(), good);
    }
    assert_eq!(documents(json!({"events.shape": "ecs"})).namespace.as_str(), "default");
    for bad in ["", "Prod", "eu-west", "a b", "a*", "a:b", "a,b", "#", "a/b", "a\\b", &"a".repeat(101)] {
        let said = parse(of_ecs(bad)).unwrap_err().to_string();
        assert!(said.contains("events.namespace") && said.contains("such as `production`"), "{bad}: {said}");
    }
    let of_2017 = parse(with(json!({"events.namespace": "production"}))).unwrap_err().to_string();
    assert!(of_2017.contains("set `events.shape` to `ecs`"), "{of_2017}");
}

#[test]
fn keys_about_events_and_lines_are_read_as_filebeat_means_them() {
    let read = documents(json!({
        "events": {"shape": "ecs", "activations": "failed"}, "tags": ["prod"], "fields": {"team": "shop", "n": 1}, "fields_under_root": true,
        "lines.include": ["^  x"], "lines.exclude": ["DEBUG"], "lines.streams": "stderr", "lines.only": "failed",
        "lines.multiline": {"pattern": "^ ", "negate": true, "match": "before", "max_lines": 10},
        "lines.json.message_key": "msg", "lines.redact": ["email", {"pattern": "a+", "with": ""}]
    }));
    let by = By::Pattern { pattern: "^ ".into(), negate: true, before: true };
    let expected = Style {
        activations: Summaries::Failed,
        lines: Lines {
            include: vec!["^  x".into()],
            exclude: vec!["DEBUG".into()],
            stream: Some(Channel::Stderr),
            only_failed: true,
            multiline: Some(Multiline { by, max_lines: 10, max_bytes: 1 << 20 }),
            json: Some(Json {
                target: None,
                overwrite_keys: false,
                add_error_key: false,
                message_key: Some("msg".into()),
                expand_keys: true,
            }),
            redact: vec![
                Redaction::Known(Secret::Email),
                Redaction::Pattern { pattern: "a+".into(), with: String::new() },
            ],
        },
        tags: vec!["prod".into()],
        fields: r#"{"n":1,"team":"shop"}"#.into(),
        fields_under_root: true,
    };
    assert_eq!(read.common, expected);
    let auto =
        documents(json!({"lines": {"multiline": "auto", "json": false, "streams": ["stdout", "stderr"]}}))
            .common
            .lines;
    assert_eq!(
        auto,
        Lines {
            multiline: Some(Multiline { by: By::Auto, max_lines: 500, max_bytes: 1 << 20 }),
            ..Lines::default()
        }
    );
}

#[test]
fn what_is_wrong_about_events_and_lines_is_told_all_at_once() {
    let found = faults(with(json!({
        "events": {"shape": "elastic", "activations": true, "original": true}, "tags": [7, ""], "fields": "x",
        "lines": {"include": ["a[b", "same"], "exclude": ["same"], "streams": ["stdin"], "only": "all", "json": true,
            "multiline": {"max_lines": 1}, "redact": ["emails", {"pattern": "x*"}, {"with": "y"}, "email"]}
    })));
    let expected = [
        ("tags[0]", "this item is not a text"),
        ("tags[1]", "it is empty"),
        ("fields", "give an object"),
        ("events.shape", "`ecs` or `2017`"),
        ("events.activations", "set `events.shape` to `ecs`"),
        ("events.original", "set `events.shape` to `ecs`"),
        ("lines.redact", "`events.original` would show"),
        ("lines.include[0]", "from character 2 on it is not a regular expression"),
        ("lines.exclude", "so no line is left"),
        ("lines.streams", "give `stdout`, `stderr`"),
        ("lines.only", "`failed`"),
        ("lines.json", "set `events.shape` to `ecs`"),
        ("lines.multiline.max_lines", "from 2 to 10000"),
        ("lines.multiline.pattern", "give `auto`"),
        ("lines.redact[0]", "`email`"),
        ("lines.redact[1]", "can match nothing"),
        ("lines.redact[2]", "it has no `pattern`"),
    ];
    for (key, remedy) in expected {
        let is_told =
            found.iter().any(|fault| fault.starts_with(&format!("{key}: ")) && fault.contains(remedy));
        assert!(is_told, "{key}: {remedy}\n{found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    let found = faults(with(
        json!({"events": {"shape": "ecs", "sequence": true}, "fields": {"message": 1}, "fields_under_root": true, "lines.json": {"target": "faas"}}),
    ));
    assert_eq!(found.len(), 3, "{found:#?}");
}

#[test]
fn some_actions_may_have_keys_of_their_own() {
    let read = documents(json!({
        "actions": [{"name": "java/*", "lines.multiline": "auto", "lines": {"exclude": ["x"]}}, "java/b", {"name": "c", "tags": ["c"]}],
        "lines": {"exclude": ["DEBUG"], "streams": "stdout"}
    }));
    let [(java, own), (plain, none), (c, tagged)] = &read.special[..] else { panic!("{read:?}") };
    assert!(java.chooses("b", Some("guest/java/b"), None) && !java.chooses("b", Some("guest/b"), None));
    let own = own.as_ref().unwrap();
    assert_eq!(
        (own.lines.exclude.as_slice(), own.lines.stream),
        (&["x".to_owned()][..], Some(Channel::Stdout))
    );
    assert!(own.lines.multiline.is_some());
    assert!(plain.chooses("b", Some("guest/java/b"), None) && none.is_none());
    assert!(c.chooses("c", Some("guest/c"), None));
    assert_eq!(tagged.as_ref().unwrap().tags, ["c"]);
    assert_eq!(documents(json!({"actions": ["a", {"name": "b"}]})).special.len(), 2);
    assert!(documents(json!({})).special.is_empty());
}

#[test]
fn faults_in_an_entry_of_actions_name_its_place() {
    let found = faults(with(json!({
        "actions": [{"name": "a", "lines.streams": "x"}, {"name": "b", "logs": "api"}, {"lines": {}}, {"name": "*"}, {"name": "!c", "tags": ["x"]}, {"name": "d", "events.shape": "ecs"}, {"name": "e", "lines.redact": ["key"]}],
        "events": {"shape": "ecs", "original": true}, "lines.only": "bad"
    })));
    let keys: Vec<&str> = found.iter().map(|fault| fault.split(": ").next().unwrap()).collect();
    assert_eq!(
        keys,
        [
            "actions[2].name",
            "actions[4]",
            "lines.only",
            "actions[0].lines.streams",
            "actions[1].logs",
            "actions[5].events.shape",
            "actions[6].lines.redact"
        ],
        "{found:#?}"
    );
}

#[test]
fn of_an_entry_of_actions_all_faults_are_told() {
    let own = json!({
        "tagz": 1, "event": {"x": 1}, "logs": "api", "log_level": "debug", "events": {"shape": "ecs", "activations": 7}, "tags": 5,
        "lines": {"multiline": "Auto", "redact": ["emial"]}
    });
    let entry = |name: Value| {
        let mut entry = own.clone();
        entry["name"] = name;
        entry
    };
    let names = [json!("x"), json!("x"), json!("a/b/c/d/e"), json!(null)];
    let entries: Vec<Value> = names.into_iter().map(entry).collect();
    let found = faults(with(json!({"actions": entries, "events.shape": "ecs", "lines.only": "bad"})));
    for index in 0..4 {
        for key in [
            "tagz",
            "event",
            "logs",
            "log_level",
            "events.shape",
            "events.activations",
            "tags",
            "lines.multiline",
            "lines.redact[0]",
        ] {
            let key = format!("actions[{index}].{key}: ");
            assert!(found.iter().any(|fault| fault.starts_with(&key)), "{key}{found:#?}");
        }
    }
    assert_eq!(found.len(), 4 * 9 + 3, "{found:#?}");
}

#[test]
fn a_field_that_elasticsearch_refuses_is_a_fault() {
    for (name, place) in [
        ("", "fields[\"\"]"),
        (" ", "fields[\" \"]"),
        ("a..b", "fields.a[\".b\"]"),
        (".a", "fields[\".a\"]"),
        ("a.", "fields[\"a.\"]"),
        ("a. ", "fields.a[\" \"]"),
    ] {
        let found = faults(with(json!({"actions": ["a", {"name": "b", "tags": []}], "fields": {name: 3}})));
        let is_told = found[0].starts_with(&format!("{place}: ")) && found[0].ends_with("(it is 3)");
        assert!(found.len() == 1 && is_told, "{found:?}");
        let found = faults(with(json!({"fields": {"x": [{"y": {name: 3}}]}})));
        assert!(found.len() == 1 && found[0].starts_with("fields.x[0].y["), "{found:?}");
        let found = faults(with(json!({"actions": [{"name": "b", "fields": {name: 3}}]})));
        assert!(found.len() == 1 && found[0].starts_with("actions[0].fields"), "{found:?}");
    }
    for name in
        ["_id", "_index", "_source", "_type", "_routing", "_field_names", "_ignored", "_doc_count", "_tier"]
    {
        let found = faults(with(json!({"fields": {name: 3}, "fields_under_root": true})));
        assert!(found.len() == 1 && found[0].starts_with(&format!("fields.{name}: ")), "{found:?}");
        let below = faults(with(json!({"fields": {format!("{name}.x"): 3}, "fields_under_root": true})));
        assert!(below.len() == 1 && below[0].contains("of its own"), "{below:?}");
        let target = faults(with(json!({"events.shape": "ecs", "lines.json.target": name})));
        assert!(target.len() == 1 && target[0].starts_with("lines.json.target: "), "{target:?}");
        documents(json!({"fields": {name: 3, "a.b": 1, "a b": 2}}));
    }
}

#[test]
fn a_redaction_of_ones_own_is_told_by_the_member_that_is_wrong() {
    for (item, told) in [
        (json!({"pattern": "x", "wiht": "y"}), "no member `wiht`"),
        (json!({"pattern": "x", "with": 5}), "its `with` is not a text"),
        (json!({"pattern": 5}), "its `pattern` is not a text"),
        (json!({"with": "y"}), "it has no `pattern`"),
        (json!(5), "give one of `email`"),
    ] {
        let found = faults(with(json!({"lines.redact": [item]})));
        assert!(found.len() == 1 && found[0].contains(told), "{found:?}");
    }
}

#[test]
fn a_pattern_that_matches_every_line_is_refused() {
    for pattern in ["hello|", "x*", "|", "^", "$", ".*", "(a|b)?", "\\s*", "(?m)^", ""] {
        for key in ["lines.include", "lines.exclude"] {
            let found = faults(with(json!({key: [pattern]})));
            assert!(found.len() == 1 && found[0].contains("match"), "{pattern}: {found:?}");
        }
        let found = faults(with(json!({"lines.multiline": {"pattern": pattern}})));
        assert_eq!(found.len(), 1, "{pattern}: {found:?}");
    }
    // Empty lines, and such of blanks, are often left out.
    let sound = ["^$", "^\\s*$", "x", "^x*$", "\\bx\\b", "."];
    assert_eq!(documents(json!({"lines.exclude": sound})).common.lines.exclude, sound);
}

#[test]
fn a_redaction_that_can_match_nothing_is_refused() {
    let redact = |pattern: &str| with(json!({"lines.redact": [{"pattern": pattern}]}));
    for pattern in ["\\b", "\\B", "^", "$", "(?m)^", "x*", "x|", "cust-[0-9]+|\\b", "(?m)$", "\\b(?:x)?", ""]
    {
        let found = faults(redact(pattern));
        assert!(found.len() == 1 && found[0].contains("match nothing"), "{pattern}: {found:?}");
    }
    for pattern in ["x+", "\\bcust-[0-9]+\\b", "^x", "x$", "."] {
        assert!(parse(redact(pattern)).is_ok(), "{pattern}");
    }
}

#[test]
fn an_entry_of_actions_may_empty_the_lists_that_hold_for_all() {
    let read = documents(json!({
        "actions": [{"name": "a", "tags": [], "lines": {"exclude": [], "include": [], "redact": [], "streams": ["stdout", "stderr"], "only": null}}],
        "tags": ["x"], "lines": {"exclude": ["a"], "include": ["b"], "redact": ["email"], "only": "failed", "streams": "stdout"}
    }));
    assert_eq!(read.special[0].1, Some(Style::default()));
    assert_eq!(
        documents(json!({"tags": [], "lines": {"exclude": [], "include": [], "redact": []}})).common,
        Style::default()
    );
}

#[test]
fn what_is_wrong_only_with_the_keys_of_all_and_of_an_action_together_is_told() {
    let told = |entry: Value, common: Value| {
        let mut params = with(common);
        params["actions"] = json!([entry]);
        faults(params)
    };
    let ecs = "ecs";
    for (entry, common, expected) in [
        (
            json!({"name": "a", "lines.include": ["x"]}),
            json!({"lines.exclude": ["x"]}),
            "actions[0].lines.exclude: ",
        ),
        (
            json!({"name": "a", "fields_under_root": true}),
            json!({"fields": {"message": 1}}),
            "actions[0].fields.message: ",
        ),
        (
            json!({"name": "a", "fields": {"x": 1}, "fields_under_root": true}),
            json!({"events.shape": ecs, "lines.json.target": "x"}),
            "actions[0].lines.json.target: ",
        ),
        (
            json!({"name": "a", "lines.json.target": "x"}),
            json!({"events.shape": ecs, "fields": {"x": 1}, "fields_under_root": true}),
            "actions[0].lines.json.target: ",
        ),
    ] {
        let found = told(entry, common);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{found:?}");
    }
}

#[test]
fn names_that_a_json_line_may_fill_are_taken_in_the_shape_that_has_them() {
    let under_root = |name: &str, shape: &str| {
        parse(with(json!({"events.shape": shape, "fields": {name: 1}, "fields_under_root": true})))
    };
    for name in [
        "http",
        "url",
        "user",
        "client",
        "source",
        "user_agent",
        "trace",
        "span",
        "transaction",
        "process",
        "whiskjack",
    ] {
        assert!(under_root(name, "ecs").unwrap_err().to_string().contains("choose another name"), "{name}");
        assert_eq!(under_root(name, "2017").is_ok(), name != "whiskjack", "{name}");
        let target = with(json!({"events.shape": "ecs", "lines.json.target": name}));
        assert!(parse(target).unwrap_err().to_string().contains("choose another name"), "{name}");
    }
    assert!(under_root("http.version", "ecs").is_err());
    let own = with(
        json!({"events.shape": "ecs", "lines.json.target": "app", "fields": {"app": 1}, "fields_under_root": true}),
    );
    assert!(parse(own).unwrap_err().to_string().contains("lines.json.target"));
}

#[test]
fn a_key_of_lines_that_an_action_has_without_its_group_is_told_with_it() {
    for (name, meant) in [
        ("multiline", "`lines.multiline`"),
        ("redact", "`lines.redact`"),
        ("exclude", "`lines.exclude`"),
        ("activations", "`events.activations`"),
    ] {
        let found = faults(with(json!({"actions": [{"name": "a", name: "auto"}]})));
        assert!(
            found.len() == 1
                && found[0].starts_with(&format!("actions[0].{name}: "))
                && found[0].contains(meant),
            "{found:?}"
        );
    }
    let other = faults(with(
        json!({"actions": [{"name": "a", "timeout": "5s"}, {"name": "b", "log_level": "debug"}]}),
    ));
    assert!(other.len() == 2 && other.iter().all(|fault| fault.contains("keys of `lines`")), "{other:?}");
    let timeout = faults(with(json!({"lines.multiline": {"pattern": "x", "timeout": "5s"}})));
    assert!(
        timeout.len() == 1 && timeout[0].contains("remove it") && !timeout[0].contains("logstash"),
        "{timeout:?}"
    );
}

#[test]
fn an_entry_of_actions_that_never_applies_is_told_with_the_one_that_takes_its_place() {
    let told = |actions: Value| parse(json!({"actions": actions, "logstash.host": "h:1"})).unwrap().warnings;
    let failed = |name: &str| json!({"name": name, "lines.only": "failed"});
    for (actions, late, early) in [
        (json!(["*", failed("probe")]), "`actions[1]`: the entry `probe`", "`actions[0]`, `*`"),
        (json!([failed("*"), "probe"]), "`actions[1]`: the entry `probe`", "`actions[0]`, `*`"),
        (
            json!(["x", "s*/*", failed("shop/*-a")]),
            "`actions[2]`: the entry `shop/*-a`",
            "`actions[1]`, `s*/*`",
        ),
        (
            json!([failed("*"), {"name": "a*", "tags": ["a"]}]),
            "`actions[1]`: the entry `a*`",
            "`actions[0]`, `*`",
        ),
        (json!(["*", "!p*", failed("probe")]), "`actions[2]`: the entry `probe`", "`!p*` excludes"),
        (json!(["*/*", "shop/a", "!shop/*"]), "`actions[1]`: the entry `shop/a`", "`!shop/*` excludes"),
    ] {
        let warnings = told(actions.clone());
        assert!(warnings.len() == 1, "{actions}: {warnings:?}");
        assert!(warnings[0].starts_with(late) && warnings[0].contains(early), "{warnings:?}");
        assert!(warnings[0].contains("never applies") && warnings[0].contains("remove"), "{warnings:?}");
    }
    for actions in [
        json!([failed("probe"), "*"]),
        json!(["*", "probe"]),
        json!([failed("*"), failed("probe")]),
        json!(["*", failed("*/*"), failed("shop/a")]),
        json!(["probe-*", failed("probe*")]),
        json!(["*", "!probe-*", failed("probe*")]),
    ] {
        let warnings = told(actions.clone());
        assert!(warnings.iter().all(|warning| !warning.contains("actions[1]")), "{actions}: {warnings:?}");
    }
}

#[test]
fn fields_under_root_without_fields_is_told() {
    let told = |more: Value| parse(with(more)).unwrap().warnings;
    let none: [&str; 0] = [];
    let warnings = told(json!({"fields_under_root": true}));
    assert!(warnings.len() == 1 && warnings[0].starts_with("`fields_under_root` is true"), "{warnings:?}");
    assert!(warnings[0].contains("give `fields`, or remove it"), "{warnings:?}");
    let of_some = |own: Value, fields: Value| told(json!({"fields": fields, "actions": [own]}));
    let own = json!({"name": "a", "fields_under_root": true});
    let warnings = of_some(own.clone(), json!({}));
    assert!(warnings.len() == 1 && warnings[0].starts_with("`actions[0].fields_under_root`"), "{warnings:?}");
    assert_eq!(of_some(own, json!({"team": "shop"})), none);
    assert_eq!(told(json!({"fields_under_root": true, "fields": {"team": "shop"}})), none);
    assert_eq!(
        told(json!({"fields_under_root": true, "actions": [{"name": "a", "fields": {"team": "shop"}}]})),
        none
    );
    assert_eq!(told(json!({"fields_under_root": false})), none);
}
