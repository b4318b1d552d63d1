//! Lines that are JSON.

use super::*;

pub(super) fn json_rules() -> Json {
    Json { target: None, overwrite_keys: false, add_error_key: false, message_key: None, expand_keys: true }
}

/// Message, time and level; all else as an object.
pub(super) fn parsed(line: &str, rules: &Json) -> Option<Value> {
    parsed_with(line, rules, &Redactor::default())
}

/// The same without secrets.
pub(super) fn parsed_with(line: &str, rules: &Json, redactor: &Redactor) -> Option<Value> {
    let parsed = Parsed::of(line, rules, redactor)?;
    let Parsed { message, time, level, log, event, members, replaced, .. } = parsed;
    let group = |members: &str| -> Value {
        serde_json::from_str(&format!("{{{}}}", members.strip_prefix(',').unwrap_or(members))).unwrap()
    };
    Some(
        json!({"message": message, "time": time, "level": level, "log": group(&log), "event": group(&event), "rest": group(&members), "replaced": replaced}),
    )
}

#[test]
fn lines_of_the_usual_loggers_get_the_fields_of_the_schema() {
    let of = |line: &str| parsed(line, &json_rules()).unwrap();
    // ecs-logging of Java and Python.
    let ecs = of(
        r#"{"@timestamp":"2023-11-14T22:13:20.123Z","log.level":"ERROR","message":"it failed","ecs.version":"1.2.0","service.name":"shop","log":{"logger":"shop.Pay"},"process.thread.name":"main","error":{"type":"E","message":"no money","stack_trace":"E: no money"},"http.response.status_code":500}"#,
    );
    assert_eq!(
        ecs,
        json!({"message": "it failed", "time": "2023-11-14T22:13:20.123Z", "level": "error", "log": {"logger": "shop.Pay"}, "event": {}, "replaced": [],
            "rest": {"error": {"type": "E", "message": "no money", "stack_trace": "E: no money"}, "http": {"response": {"status_code": 500}},
                "process": {"thread": {"name": "main"}}, "labels": {"service_name": "shop"}}})
    );
    // pino, winston, slog, zap.
    let pino = of(
        r#"{"level":50,"time":1700000000123,"pid":7,"hostname":"h","err":{"type":"Error","message":"boom","stack":"Error: boom"},"msg":"failed"}"#,
    );
    assert_eq!((&pino["level"], &pino["message"]), (&json!("error"), &json!("failed")));
    assert_eq!(
        pino["rest"],
        json!({"error": {"type": "Error", "message": "boom", "stack_trace": "Error: boom"}, "labels": {"hostname": "h"},
            "numeric_labels": {"time": 1_700_000_000_123_u64}, "process": {"pid": 7}})
    );
    let winston =
        of(r#"{"level":"warn","message":"slow","service":"shop","timestamp":"2023-11-14T22:13:20Z"}"#);
    assert_eq!((&winston["level"], &winston["time"]), (&json!("warn"), &json!(null)));
    let slog = of(
        r#"{"time":"2023-11-14T22:13:20Z","level":"INFO","msg":"hi","user":{"id":7,"tags":["a"],"ok":true}}"#,
    );
    assert_eq!(
        slog["rest"],
        json!({"labels": {"time": "2023-11-14T22:13:20Z", "user_tags": "[\"a\"]", "user_ok": "true"}, "user": {"id": "7"}})
    );
}

#[test]
fn names_and_numbers_that_an_index_refuses_become_others() {
    let rest = |line: &str| parsed(line, &json_rules()).unwrap()["rest"].clone();
    assert_eq!(
        rest(r#"{"":"a"," ":"b","  ":1}"#),
        json!({"labels": {"_": "a", "__": "b"}, "numeric_labels": {"_": 1}})
    );
    let long = "ä".repeat(20_000);
    let cut = "ä".repeat(128);
    assert_eq!(
        rest(&format!(r#"{{"{long}":"a","x{long}":1}}"#)),
        json!({"labels": {cut.as_str(): "a"}, "numeric_labels": {format!("x{}", "ä".repeat(127)): 1}})
    );
    assert_eq!(rest(r#"{"process.pid":9223372036854775807}"#), json!({"process": {"pid": i64::MAX}}));
    assert_eq!(
        rest(r#"{"process.pid":9223372036854775808}"#),
        json!({"numeric_labels": {"process_pid": 1_u64 << 63}})
    );
}

#[test]
fn what_is_no_object_or_too_much_stays_a_line() {
    let of = |line: &str| parsed(line, &json_rules());
    for line in ["", "text", "[1]", "1", "{", "{\"a\":1} x", "{\"a\":}"] {
        assert_eq!(of(line), None, "{line}");
    }
    let deep = format!("{}1{}", "{\"a\":".repeat(17), "}".repeat(17));
    let many = format!("{{{}}}", (0..257).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(","));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(256 << 10));
    for line in [deep, many, long] {
        assert_eq!(of(&line), None);
        let told = parsed(&line, &Json { add_error_key: true, ..json_rules() }).unwrap();
        assert_eq!((&told["rest"]["error"]["type"], &told["message"]), (&json!("json"), &json!(line)));
    }
}

#[test]
fn a_field_is_of_one_kind_whatever_loggers_write() {
    let kinds = [
        r#"{"error":"text"}"#,
        r#"{"error":{"message":"m","code":7}}"#,
        r#"{"error":{"a":{"b":1}}}"#,
        r#"{"error":7}"#,
        r#"{"error":[{"a":1}]}"#,
        r#"{"error":null}"#,
        r#"{"user":"ann"}"#,
        r#"{"user":{"name":"ann"}}"#,
        r#"{"http":"x"}"#,
        r#"{"http":{"response":{"status_code":"200"}}}"#,
        r#"{"http":{"response":{"status_code":200}}}"#,
        r#"{"trace":"t"}"#,
        r#"{"trace":{"id":"t"}}"#,
        r#"{"a.b":1,"a":{"b":2},"a_b":3}"#,
        r#"{"labels":{"a":"1"}}"#,
        r#"{"labels":"x"}"#,
        r#"{"labels.a":2}"#,
        r#"{"event":"x"}"#,
        r#"{"event":{"action":"pay","dataset":"y"}}"#,
        r#"{"log":"x"}"#,
        r#"{"log":{"level":"info"}}"#,
        r#"{"host":"h"}"#,
        r#"{"host":{"name":"h"}}"#,
        r#"{"message":{"a":1}}"#,
        r#"{"message":7}"#,
        r#"{"level":{"a":1}}"#,
        r#"{"process":{"pid":1.5}}"#,
        r#"{"":1,".":2,"..a":3}"#,
    ];
    let mut seen = std::collections::BTreeMap::new();
    for line in kinds {
        let parsed = parsed(line, &json_rules()).unwrap();
        note_kinds("", &parsed["rest"], &mut seen, line);
        note_kinds("log", &parsed["log"], &mut seen, line);
        note_kinds("event", &parsed["event"], &mut seen, line);
    }
    assert!(!seen.contains_key("host"), "{seen:?}");
}

fn note_kinds(
    path: &str,
    value: &Value,
    seen: &mut std::collections::BTreeMap<String, &'static str>,
    line: &str,
) {
    let kind = match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                note_kinds(&path, value, seen, line);
            }
            "object"
        }
        Value::String(_) => "text",
        Value::Number(_) => "number",
        other => panic!("{line}: {path} is {other}"),
    };
    assert_eq!(*seen.entry(path.to_owned()).or_insert(kind), kind, "{line}: {path}");
}

#[test]
fn json_keys_follow_the_configuration() {
    let line = r#"{"msg":"a","text":"b","service.name":"shop","data_stream":{"dataset":"Bad Name"},"x.y":1}"#;
    let said = |rules: Json| parsed(line, &rules).unwrap();
    let named = said(Json { message_key: Some("text".into()), ..json_rules() });
    assert_eq!((&named["message"], &named["rest"]["labels"]["msg"]), (&json!("b"), &json!("a")));
    let replaced = said(Json { overwrite_keys: true, ..json_rules() });
    assert_eq!(replaced["replaced"], json!([["service.name", "shop"]]));
    assert_eq!(replaced["rest"]["labels"]["data_stream_dataset"], "Bad Name");
    let target = said(Json { target: Some("app".into()), ..json_rules() });
    assert_eq!(target["rest"]["app"]["numeric_labels"], json!({"x_y": 1}));
    let flat = said(Json { expand_keys: false, overwrite_keys: true, ..json_rules() });
    assert_eq!((&flat["replaced"], &flat["rest"]["labels"]["service_name"]), (&json!([]), &json!("shop")));
}

#[test]
fn names_of_members_are_redacted_before_they_become_labels() {
    let redactor = Redactor::new(&redacting(&ALL).redact);
    let line = r#"{"msg":"x","bob@example.com":"hello","10.0.0.1":"y","user":{"ann@example.com":{"n":1}},"name":"z",
        "list":[{"bob@example.com":1,"ann@example.com":2}],"4111111111111111":true,"password@example.com":"p"}"#;
    let parsed = Parsed::of(line, &json_rules(), &redactor).unwrap();
    let members: Value =
        serde_json::from_str(&format!("{{{}}}", parsed.members.strip_prefix(',').unwrap())).unwrap();
    assert_eq!(
        members,
        json!({"labels": {"[email]": "hello", "[ip]": "y", "[email]_": "p", "[card]": "true", "name": "z",
                "list": r#"[{"[email]":2,"[email]_1":1}]"#},
            "numeric_labels": {"user_[email]_n": 1}})
    );
}

#[test]
fn a_line_without_a_message_is_shown_without_secrets_that_an_escape_hides() {
    let redactor = Redactor::new(&redacting(&ALL).redact);
    for line in [
        r#"{"h":"Basic abcdef\/hunter2xyz=="}"#,
        r#"{"auth":"Bearer abcdef\/hunter2xyz"}"#,
        r#"{"d":"\t1.2.3.4"}"#,
        r#"{"x":"a\u0040b.co"}"#,
        r#"{"pass\u0077ord":"hunter2"}"#,
        r#"{"message":{"list":["a\u0040b.co"]}}"#,
        r#"{"msg":null,"x":"a\u0040b.co"}"#,
    ] {
        let parsed = Parsed::of(line, &json_rules(), &redactor).unwrap();
        let leaks = ["hunter2", "1.2.3.4", "b.co"].iter().any(|secret| parsed.message.contains(secret));
        assert!(!leaks && parsed.message.contains('['), "{line}: {}", parsed.message);
    }
    let plain = r#"{ "x" : "\u00e4" }"#;
    assert_eq!(Parsed::of(plain, &json_rules(), &redactor).unwrap().message, plain, "as it is");
}

#[test]
fn a_field_for_an_address_gets_sound_addresses_only() {
    let rest = |address: &str| {
        parsed(&json!({"client.ip": address}).to_string(), &json_rules()).unwrap()["rest"].clone()
    };
    for sound in ["10.0.0.1", "2001:db8::7", "::ffff:10.0.0.1"] {
        assert_eq!(rest(sound), json!({"client": {"ip": sound}}));
    }
    for odd in ["unknown", "", "10.0.0.1, 10.0.0.2", "[ip]", "10.0.0.1:80", "fe80::1%eth0", "1"] {
        assert_eq!(rest(odd), json!({"labels": {"client_ip": odd}}));
    }
    assert_eq!(
        parsed(r#"{"source":{"ip":7}}"#, &json_rules()).unwrap()["rest"],
        json!({"numeric_labels": {"source_ip": 7}})
    );
}

#[test]
fn a_time_that_is_not_in_the_years_1970_to_9999_is_a_label() {
    let of = |time: &str| parsed(&json!({"@timestamp": time}).to_string(), &json_rules()).unwrap();
    let odd = of("9999-12-31T23:59:59-01:00");
    assert_eq!(
        (&odd["time"], &odd["rest"]["labels"]["@timestamp"]),
        (&Value::Null, &json!("9999-12-31T23:59:59-01:00"))
    );
    assert_eq!(of("9999-12-31T23:59:59+01:00")["time"], "9999-12-31T22:59:59.000Z");
}

#[test]
fn the_name_of_an_error_is_its_type_unless_it_has_one() {
    let rest = |line: &str| parsed(line, &json_rules()).unwrap()["rest"].clone();
    // bunyan.
    assert_eq!(
        rest(r#"{"name":"app","err":{"message":"m","name":"TypeError","stack":"s","code":"E1"}}"#),
        json!({"labels": {"name": "app"}, "error": {"message": "m", "type": "TypeError", "stack_trace": "s", "code": "E1"}})
    );
    assert_eq!(
        rest(r#"{"err":{"name":"N","type":"T"}}"#),
        json!({"labels": {"err_name": "N"}, "error": {"type": "T"}})
    );
}

#[test]
fn of_a_key_that_is_there_twice_the_last_value_counts() {
    assert_eq!(parsed(r#"{"a":"1","a":"2"}"#, &json_rules()).unwrap()["rest"], json!({"labels": {"a": "2"}}));
}

#[test]
fn names_that_become_the_same_are_no_longer_than_others() {
    let long = "a".repeat(300);
    let members: Vec<String> = (0..20).map(|n| format!(r#""{long}{n}":"{n}""#)).collect();
    let rest = parsed(&format!("{{{}}}", members.join(",")), &json_rules()).unwrap()["rest"].clone();
    let labels = rest["labels"].as_object().unwrap();
    assert_eq!(labels.len(), 20);
    assert!(labels.keys().all(|name| name.len() == 256), "{labels:?}");
    let short =
        Parsed::of(r#"{"a.b":"1","a_b":"2","a*b":"3"}"#, &json_rules(), &Redactor::default()).unwrap();
    assert!(!short.is_cut && short.members.contains(r#""a_b":"3","a_b_":"1","a_b__":"2""#), "{short:?}");
}

#[test]
fn a_line_with_half_of_a_character_is_read_and_says_so() {
    for (message, mended) in [
        (r"cut \\ud83d", None),
        (r"cut \ud83d", Some("cut \u{fffd}")),
        (r"\udc4b\ud83d\udc4b\ud83d!", Some("\u{fffd}👋\u{fffd}!")),
        (r#"\\\ud83d\""#, Some("\\\u{fffd}\"")),
    ] {
        let lines = Lines { json: Some(json_rules()), ..Lines::default() };
        let treatment = Treatment::new(&lines);
        let mut reading = Reading::new(&treatment, None, 0, true);
        let mut take = |document: Document<'_>| {
            let parsed = document.parsed.unwrap();
            assert_eq!(document.line.is_mended(), mended.is_some());
            assert_eq!(parsed.message, mended.unwrap_or(r"cut \ud83d"));
            assert_eq!(parsed.level.as_deref(), Some("info"));
            true
        };
        read_all(&mut reading, &errors(&format!(r#"{{"level":"info","message":"{message}"}}"#)), &mut take);
    }
    assert_eq!(parsed(r#"{"message":"\ud83d"#, &json_rules()), None);
}

#[test]
fn a_time_with_a_zone_keeps_its_nanoseconds() {
    let line = r#"{"@timestamp":"2026-11-30T14:00:00.123456789+02:00","message":"m"}"#;
    assert_eq!(parsed(line, &json_rules()).unwrap()["time"], "2026-11-30T12:00:00.123456789Z");
}

#[test]
fn a_number_that_is_larger_than_others_can_hold_is_a_text_as_written() {
    let of = |line: &str| parsed(line, &Json { add_error_key: true, ..json_rules() }).unwrap();
    let read = of(r#"{"message":"n","f":1e400,"g":[-1E+400,"\"1e400",1],"h":"\\","i":2}"#);
    assert_eq!(read["message"], "n");
    let labels = json!({"f": "1e400", "g": r#"["-1E+400","\"1e400",1]"#, "h": "\\"});
    assert_eq!(read["rest"], json!({"labels": labels, "numeric_labels": {"i": 2}}));
    assert_eq!(of("{\"message\":\"n\",\"f\":1e400}")["rest"]["labels"]["f"], "1e400");
    assert_eq!(of(r#"{"m":"\ud83d","f":1e400}"#)["rest"]["labels"], json!({"f": "1e400", "m": "\u{fffd}"}));
    for (line, reason) in [
        (r#"{"f":1e400,"g":01e400}"#, "column 17 is not JSON"),
        (r#"{"f":1e400,"g":}"#, "column 16 is not JSON"),
        (r#"{"f":1e400"#, "column 10 is not JSON"),
        (&format!("{{\"f\":{}{}}}", "[".repeat(200), "]".repeat(200)), "too many lists or objects"),
    ] {
        let told = of(line);
        assert!(told["rest"]["error"]["message"].as_str().unwrap().contains(reason), "{line}: {told}");
        assert_eq!(told["message"], *line);
    }
}

#[test]
fn a_mark_of_the_encoding_before_a_json_line_is_skipped() {
    let read = parsed("\u{feff}{\"message\":\"n\",\"a\":\"b\"}", &json_rules()).unwrap();
    assert_eq!((&read["message"], &read["rest"]), (&json!("n"), &json!({"labels": {"a": "b"}})));
}
