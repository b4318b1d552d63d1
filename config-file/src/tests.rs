use super::*;
use serde_json::json;

const SECRET: &str = "hunter2";

fn environment(name: &str) -> Option<String> {
    let value = match name {
        "HOST" => "logs.example.com",
        "PORT" => "5044",
        "DIGITS" => "0123",
        "YES" => "true",
        "HOSTS" => "one:5044, two,",
        "JSON" => r#"["a", "b/c"]"#,
        "TRICK" => "${PORT}$${PORT}",
        "EMPTY" => "",
        "SECRET" => SECRET,
        _ => return None,
    };
    Some(value.to_owned())
}

fn read_as(name: &str, text: &str) -> Result<ConfigFile, String> {
    read(name, text.as_bytes(), &environment)
}

fn params(text: &str) -> Value {
    Value::Object(read_as("c", text).unwrap_or_else(|fault| panic!("{text}\n{fault}")).params)
}

#[track_caller]
fn refused(text: &str, parts: &[&str]) {
    let fault = read_as("c", text).unwrap_err();
    assert!(fault.starts_with("c: ") && !fault.contains(SECRET), "{text}\n{fault}");
    for part in parts {
        assert!(fault.contains(part), "{text}\n{fault}\n{part}");
    }
}

#[test]
fn yaml_with_comments_says_what_json_says() {
    let yaml = "# ours\n---\nactions: [hello, \"shop/*\"]   # two\nlogstash:\n  host: logs.example.com\n  port: 5044\n  backoff.init: 5s\n  \
                ca: |\n    -----BEGIN CERTIFICATE-----\n    AAAA\n    -----END CERTIFICATE-----\n  tls: true\napi: {host: \"https://a:1\"}\n...\n";
    let expected = json!({
        "actions": ["hello", "shop/*"],
        "logstash": {
            "host": "logs.example.com", "port": 5044, "backoff.init": "5s",
            "ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "tls": true,
        },
        "api": {"host": "https://a:1"},
    });
    assert_eq!(params(yaml), expected);
    assert_eq!(params(&expected.to_string()), expected);
    assert_eq!(params(&yaml.replace('\n', "\r\n")), expected, "lines that end as on Windows");
    assert_eq!(params(&format!("\u{feff}{yaml}")), expected, "a byte order mark");
    assert_eq!(params(&format!("\u{feff}{expected}")), expected, "a byte order mark");
    assert_eq!(params(&format!("\n {expected:#}\r\n")), expected);
}

#[test]
fn a_plain_word_of_yaml_is_what_json_takes_it_for() {
    for (word, expected) in [
        ("true", json!(true)),
        ("False", json!(false)),
        ("null", json!(null)),
        ("~", json!(null)),
        ("", json!(null)),
        ("5044", json!(5044)),
        ("-3", json!(-3)),
        ("0", json!(0)),
        ("1e3", json!(1000.0)),
        ("5044.0", json!(5044.0)),
        ("1700000000000", json!(1_700_000_000_000_u64)),
        ("no", json!("no")),
        ("yes", json!("yes")),
        ("on", json!("on")),
        ("off", json!("off")),
        ("NO", json!("NO")),
        ("n", json!("n")),
        ("5s", json!("5s")),
        ("1h", json!("1h")),
        ("1_000", json!("1_000")),
        ("12:30", json!("12:30")),
        ("2023-11-14T22:13:20Z", json!("2023-11-14T22:13:20Z")),
        ("2023-11-14", json!("2023-11-14")),
        ("1.2.3.4", json!("1.2.3.4")),
        ("::1", json!("::1")),
        (".inf", json!(".inf")),
        ("1e999", json!("1e999")),
        ("shop/*", json!("shop/*")),
        ("'true'", json!("true")),
        ("\"0777\"", json!("0777")),
        ("00ff", json!("00ff")),
    ] {
        assert_eq!(params(&format!("key: {word}\n"))["key"], expected, "{word}");
    }
    for word in ["0777", "00", "-01", "0x1F", "0o17", "0b11"] {
        refused(&format!("a: 1\nkey: {word}\n"), &["line 2: key: a number that begins with 0", "quotes"]);
    }
}

#[test]
fn a_key_that_is_given_twice_is_named_with_both_lines() {
    for text in [
        "actions: [a]\nlogstash:\n  port: 1\n  host: h\n  port: 2\n",
        "{\"actions\": [\"a\"],\n\"logstash\":\n {\"port\": 1,\n\"host\": \"{\",\n \"p\\u006frt\": 2}}",
    ] {
        refused(text, &["line 5: logstash.port: it is given in line 3 already"]);
    }
    refused("on: 1\n'on': 2", &["line 2: on: it is given in line 1 already"]);
    let list = params("{\"a\": [{\"b\": 1}, {\"b\": \"\\\"}{\"}], \"b\": 1}");
    assert_eq!(list, json!({"a": [{"b": 1}, {"b": "\"}{"}], "b": 1}), "the same name elsewhere");
}

#[test]
fn aliases_are_read_as_long_as_they_repeat_little() {
    assert_eq!(
        params("a: &x [1, {b: 2}]\nc: *x\nd: [*x, &y z, *y]"),
        json!({"a": [1, {"b": 2}], "c": [1, {"b": 2}], "d": [[1, {"b": 2}], "z", "z"]})
    );
    let mut laughs = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        laughs.push_str(&format!("a{level}: &a{level} [{before}*a{}]\n", level - 1));
    }
    refused(&laughs, &["aliases repeat too much"]);
    let long = format!("a: &a {}\nb: [{}]", "x".repeat(1000), "*a, ".repeat(2000));
    refused(&long, &["line 2: b[999]: aliases repeat too much"]);
    refused("a: &a [*a]", &["a[0]: an alias stands in what it repeats"]);
    refused("a: *nobody", &["line 1: column 4 is not YAML"]);
    refused("x: &x {b: 1}\na:\n  <<: *x\n", &["line 3: a: `<<`"]);
    refused("x: &x b\n*x : 1", &["line 2: an alias cannot be a key"]);
    refused(&"[".repeat(40).replace('[', "- "), &["too deeply"]);
}

#[test]
fn what_is_not_read_is_a_fault_that_names_the_line_and_shows_no_value() {
    for (text, parts) in [
        ("", &["it is empty; give `actions` and `logstash`"][..]),
        ("\u{feff}\r\n", &["it is empty"]),
        ("# only this\n", &["it is empty"]),
        ("---\n...\n", &["it is empty"]),
        ("hunter2", &["does not hold keys with values"]),
        ("- hunter2", &["does not hold keys with values"]),
        ("[1]", &["does not hold keys with values"]),
        ("actions: [a]\n---\nactions: [b]\n", &["line 2: another document begins there"]),
        ("a: 1\nlogstash:\n\tkey: hunter2\n", &["line 3: ", "not with tabs"]),
        ("a: 1\n key: hunter2\n", &["line 2: column", "is not YAML", "indentation"]),
        ("key: \"hunter2\nb: 1\n", &["is not YAML"]),
        ("key: @hunter2\n", &["line 1: ", "is not YAML"]),
        ("key: !secret hunter2\n", &["line 1: key: tags"]),
        ("key: !!str 1\n", &["line 1: key: tags"]),
        ("? [hunter2]\n: 1\n", &["line 1: a group or a list cannot be a key"]),
        ("hosts: [${HOST}]\n", &["line 1: ", "put quotes around `${…}` in brackets"]),
        ("a: {b: ${HOST}}\n", &["line 1: ", "put quotes around `${…}` in brackets"]),
        ("{\"key\": hunter2}", &["line 1: column 9 is not JSON (expected value); mend it, or"]),
        ("\u{feff}{\"key\": hunter2}", &["line 1: column 9 is not JSON"]),
        ("{\n\"a\": \"hunter2\" \"b\"}", &["line 2: column", "(expected `,` or `}`)"]),
        ("{\n\"port\": ${PORT}}", &["line 2: ", "put quotes around `${…}`; where a number belongs"]),
        ("{\n# hunter2\n\"a\": 1}", &["line 2: ", "JSON has no comments, YAML has"]),
        ("{\"a\": 1}\n}", &["line 2: column 1 is not JSON (trailing characters)"]),
    ] {
        refused(text, parts);
    }
    let wide: Vec<u8> = "\u{feff}a: 1".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let file = read("c", &wide, &environment).unwrap();
    assert_eq!(Value::Object(file.params), json!({"a": 1}), "UTF-16, as PowerShell writes it");
    for bytes in [&b"a: \xff"[..], b"\xff\xfea: [b, c]\n", b"\xfe\xffab"] {
        let refused = read("c", bytes, &environment).unwrap_err();
        assert_eq!(refused, "c: it is not UTF-8 text; save it as UTF-8", "{bytes:?}");
    }
}

#[test]
fn the_name_of_the_file_tells_yaml_in_brackets_from_json() {
    let text = "{actions: [a],  # a comment\n}";
    assert_eq!(Value::Object(read_as("--config c.YAML", text).unwrap().params), json!({"actions": ["a"]}));
    assert!(read_as("c", text).unwrap_err().contains("is not JSON"));
    assert!(read_as("c.json", "actions: [a]").unwrap_err().contains("is not JSON"));
    let pair = r#"{"a": "\ud83d\ude00"}"#;
    assert_eq!(Value::Object(read_as("c.yml", pair).unwrap().params), json!({"a": "\u{1f600}"}));
}

#[test]
fn variables_are_filled_in_as_beats_have_them() {
    for (written, expected) in [
        ("${HOST}", json!("logs.example.com")),
        ("${HOST}:${PORT}", json!("logs.example.com:5044")),
        ("${HOST:localhost}", json!("logs.example.com")),
        ("${NONE:localhost}", json!("localhost")),
        ("${NONE:a:b}", json!("a:b")),
        ("${NONE:${HOST}}/x", json!("logs.example.com/x")),
        ("${NONE:${NONE:c}}", json!("c")),
        ("${NONE:{$}}", json!("{}")),
        ("${HOST:?say where}", json!("logs.example.com")),
        ("${EMPTY:default}", json!("default")),
        ("${NONE:}", json!(null)),
        ("a${NONE:}", json!("a")),
        ("$${HOST}", json!("${HOST}")),
        ("$${HOST} ${HOST}", json!("${HOST} logs.example.com")),
        ("$$ $HOST $", json!("$$ $HOST $")),
        ("$}{", json!("$}{")),
        // Not looked through once more.
        ("${TRICK}", json!("${PORT}$${PORT}")),
        ("${NONE:${TRICK}}", json!("${PORT}$${PORT}")),
    ] {
        for text in
            [format!("key: \"{written}\""), format!("key: '{written}'"), json!({"key": written}).to_string()]
        {
            assert_eq!(params(&text)["key"], expected, "{text}");
        }
    }
    assert_eq!(
        params("a: ${HOST}\nb: ${NONE:x}\nc: ${HOST:?no}"),
        json!({"a": "logs.example.com", "b": "x", "c": "logs.example.com"}),
        "without quotes"
    );
}

#[test]
fn a_variable_is_a_number_or_a_list_only_where_one_belongs() {
    let yaml = "from: ${PORT}\nactions: ${JSON}\nlookback_minutes: ${NONE:5}\nlogstash.worker: '${DIGITS}'\nlogstash:\n  host: ${PORT}\n  port: \"${PORT}\"\n  \
                hosts: ${HOSTS}\n  passphrase: ${DIGITS}\n  tls: ${YES}\n  servername: ${YES}\n  loadbalance: ${HOST}\n  ca: ${HOSTS}\n";
    let expected = json!({
        "from": 5044, "actions": ["a", "b/c"], "lookback_minutes": 5, "logstash.worker": "0123",
        "logstash": {
            "host": "5044", "port": 5044, "hosts": ["one:5044", "two"], "passphrase": "0123", "tls": true, "servername": "true",
            "loadbalance": "logs.example.com", "ca": "one:5044, two,",
        },
    });
    assert_eq!(params(yaml), expected);
    assert_eq!(
        params(r#"{"logstash": {"port": "${PORT}"}, "actions": ["${HOST}"]}"#),
        json!({"logstash": {"port": 5044}, "actions": ["logs.example.com"]})
    );
}

#[test]
fn a_variable_that_cannot_be_filled_in_is_a_fault_that_names_it_its_key_and_its_line() {
    for (written, part) in [
        ("${NONE}", "the variable NONE is not set; set it, or give a default, such as `${NONE:default}`"),
        ("${EMPTY}", "the variable EMPTY is not set"),
        ("${HOST}${NONE}", "the variable NONE is not set"),
        ("${NONE:?ask Ann}", "the variable NONE is not set; ask Ann"),
        ("${NONE:?}", "the variable NONE is not set; set it"),
        ("${NONE:${NIL}}", "the variable NIL is not set"),
        ("${HOST:-x}", "`${HOST:…}` is written as for a shell; a default follows the colon at once"),
        ("${NONE:+x}", "is written as for a shell"),
        ("${HOST", "`${` has no `}`; close it, or write `$${`"),
        ("${}", "does not name a variable"),
        ("${hunter2 x}", "does not name a variable"),
        ("${1}", "does not name a variable"),
        ("${path.home}", "does not name a variable"),
    ] {
        refused(&format!("a: 1\nlogstash:\n  key: '{written}'\n"), &["line 3: logstash.key: ", part]);
        refused(
            &json!({"logstash": {"hosts": ["a", written]}}).to_string(),
            &["line 1: logstash.hosts[1]: ", part],
        );
    }
    refused("a: ${NONE}\nb: ${NIL}", &["line 1: a: the variable NONE", "; line 2: b: the variable NIL"]);
    let deep = format!("{}x{}", "${NONE:".repeat(50), "}".repeat(50));
    refused(&format!("a: '{deep}'"), &["too deeply"]);
}

#[test]
fn keys_are_found_again_in_the_file() {
    let yaml = "# first\nactions:\n- a\n- b\nlogstash.port: 1\nlogstash:\n  hosts: [x,\n   '${SECRET}']\n  key: {pem: p}\n  port: 1\n";
    let json = "{\n\"actions\": [\n\"a\",\n\"b\"], \"logstash.port\": 1, \n\n\n\"logstash\": {\"hosts\": [\"x\",\n\"${SECRET}\"],\n\"key\": {\"pem\": \"p\"},\n\"port\": 1}}";
    for (text, port) in [(yaml, "c, lines 5 and 10"), (json, "c, lines 4 and 10")] {
        let source = read_as("c", text).unwrap().source;
        for (key, place) in [
            ("actions", "c, line 2"),
            ("actions[1]", "c, line 4"),
            ("logstash.hosts[1]", "c, line 8"),
            ("logstash.key.passphrase", "c, line 9"),
            ("logstash.port", port),
            ("api.host", "c"),
            ("", "c"),
        ] {
            assert_eq!(source.place(key), place, "{key}\n{text}");
        }
        assert_eq!(source.place("logstash.host"), source.place("logstash"));
        assert_eq!(source.variable("logstash.hosts[1]"), Some("${SECRET}"));
        assert_eq!(source.variable("logstash.hosts"), Some("${SECRET}"), "it is in it");
        assert_eq!((source.variable("logstash.hosts[0]"), source.variable("actions")), (None, None));
    }
}

#[test]
fn a_group_of_dotted_keys_has_the_line_of_the_first_of_them() {
    let yaml = "# first\nactions: [a]\nlogstash.host: h\nlogstash.backoff.init: x\n";
    let json = "{\n\"actions\": [\"a\"],\n\"logstash.host\": \"h\",\n\"logstash.backoff.init\": \"x\"}";
    for text in [yaml, json] {
        let source = read_as("c", text).unwrap().source;
        for (key, place) in [
            ("logstash.host", "c, line 3"),
            ("logstash.port", "c, line 3"),
            ("logstash", "c, line 3"),
            ("logstash.backoff", "c, line 4"),
            ("logstash.backoff.max", "c, line 4"),
            ("logs", "c"),
            ("api.host", "c"),
        ] {
            assert_eq!(source.place(key), place, "{key}\n{text}");
        }
    }
}

#[test]
fn of_one_group_nothing_else_is_filled_in() {
    let text = "actions: ${NONE}\nlogstash: {host: h, key: \"${NONE}\"}\napi: {host: \"${HOST}\"}\napi.ca: C\napis: 1\n";
    assert!(read_as("c", text).is_err());
    let file = read_group("c", text.as_bytes(), &environment, "api").unwrap();
    assert_eq!(Value::Object(file.params), json!({"api": {"host": "logs.example.com"}, "api.ca": "C"}));
    assert_eq!(file.source.place("api.ca"), "c, line 4");
    let fault = read_group("c", b"api: {host: '${NONE}'}", &environment, "api").unwrap_err();
    assert!(fault.starts_with("c: line 1: api.host: the variable NONE is not set"), "{fault}");
}

mod any {
    use super::*;
    use proptest::prelude::*;

    /// Texts that look like configurations.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            proptest::sample::select(vec![
                "\n",
                " ",
                "  ",
                "\t",
                "- ",
                ": ",
                "a",
                "key",
                "logstash",
                "[",
                "]",
                "{",
                "}",
                ",",
                "\"",
                "'",
                "|",
                ">",
                "&a",
                "*a",
                "!t",
                "#",
                "? ",
                "---\n",
                "...\n",
                "${",
                "$${",
                "}",
                "${HOST}",
                "${NONE:",
                "%YAML 1.2\n",
                "0777",
                "1e3",
                "\r\n",
                "\u{feff}",
                "ä",
                "\\",
            ])
            .prop_map(str::to_owned),
            any::<char>().prop_map(String::from),
        ];
        proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    /// JSON values, as parameters are.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<Option<bool>>().prop_map(|value| json!(value)),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-z\"{ ]{0,4}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_or_refused(text in text()) {
            for name in ["c", "c.yaml", "c.json"] {
                if let Err(fault) = read(name, text.as_bytes(), &environment) {
                    let named = fault.starts_with(&format!("{name}: "));
                    prop_assert!(named, "{}", fault);
                }
            }
        }

        #[test]
        fn any_json_is_read_as_it_is_and_each_key_has_its_line(value in value()) {
            for text in [value.to_string(), format!("{value:#}")] {
                let document = json::parse(&text).unwrap();
                prop_assert_eq!(&document.value, &value);
                let lines = text.lines().count().max(1);
                prop_assert!(document.places.iter().all(|(_, line)| (1..=lines).contains(line)));
            }
        }
    }
}

#[test]
fn another_reader_of_yaml_reads_the_same() {
    for text in [
        include_str!("../../deploy/manifest.yaml"),
        include_str!("../../deploy/serverless.yml"),
        "a: >-\n  folded\n  text\n\n  more\nb: 'it''s'\nc: \"tab\\tx\"\nd:\n- - 1\n  - 2\n- {x: w, z}\ne: plain text\n  goes on\n",
    ] {
        let other: Value = serde_saphyr::from_str(text).unwrap();
        assert_eq!(yaml::parse(text).unwrap().value, other);
    }
}
