//! What activations and JSON lines say, and what is cut of it.

use super::*;

/// The documents of a record with these lines and that error; its own document last.
fn documents(lines: &Value, logs: &[&str], error: &Value) -> Vec<(bool, Value)> {
    let params = json!({"actions": ["hello"], "logstash.host": "h:1", "events": {"shape": "ecs", "activations": true}, "lines": lines});
    let config = Config::parse(params.to_string().as_bytes(), None).unwrap();
    let record = json!({"activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "namespace": "guest", "name": "hello", "start": 1, "end": 2000,
        "logs": logs, "response": {"status": "application error", "result": {"error": error}}})
    .to_string();
    let record = Record::parse(record.as_bytes()).unwrap();
    let form = Form::of(&config.documents, Protocol::V2, None, 1);
    let events = Events::of(&record, &form);
    let mut reading = Reading::new(form.style_of(&record).treatment(), None, 0, true);
    let mut seen = Vec::new();
    let mut take = |document: Document<'_>| {
        let mut out = Vec::new();
        let is_whole = events.write(document, &mut out);
        // What is not whole must not go the short way, which counts nothing.
        assert!(is_whole || events.write_own(document, &mut Vec::new()).is_none());
        seen.push((is_whole, serde_json::from_slice(&out).unwrap()));
        true
    };
    for (index, line) in record.entries().enumerate() {
        assert!(reading.entry(index, line, &mut take));
    }
    assert!(reading.finish(&mut take));
    let mut out = Vec::new();
    events.write_summary(&Logs::default(), &mut out);
    seen.push((true, serde_json::from_slice(&out).unwrap()));
    seen
}

#[test]
fn a_json_line_of_which_a_member_is_cut_says_so_and_counts_as_truncated() {
    let long = "x".repeat(8_193);
    let is_cut = |line: Value| {
        let (is_whole, document) =
            documents(&json!({"json": true}), &[&line.to_string()], &json!(null)).remove(0);
        assert_eq!(document["log"]["flags"] == json!(["truncated"]), !is_whole, "{document}");
        !is_whole
    };
    assert!(is_cut(json!({"a": long})));
    assert!(is_cut(json!({"a": [long]})));
    assert!(is_cut(json!({"n".repeat(257): 1})));
    assert!(is_cut(json!({"user.id": long})), "a keyword of the schema");
    assert!(is_cut(json!({"service.name": long})));
    for whole in [
        json!({"a": "x".repeat(8_192)}),
        json!({"n".repeat(256): 1}),
        json!({"msg": long}),
        json!({"error": {"stack": long}}),
    ] {
        assert!(!is_cut(whole));
    }
    let long_level =
        documents(&json!({"json": true}), &[&json!({"level": "l".repeat(33)}).to_string()], &json!(null))
            .remove(0)
            .1;
    assert_eq!(long_level["labels"]["level"], "l".repeat(33));
}

#[test]
fn of_an_error_that_is_cut_no_half_of_a_secret_is_left() {
    let secrets = [
        ("bob@example.com", "[email]"),
        ("4111 1111 1111 1111", "[card]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[jwt]"),
        ("postgres://shop:hunter2hunter2@db/orders", "postgres://shop:[key]@db/orders"),
        ("203.0.113.77", "[ip]"),
    ];
    let lines = json!({"redact": ["email", "card", "jwt", "key", "ip"]});
    for (secret, sign) in secrets {
        for room in 0..secret.len() + 2 {
            let before = format!("{} ", "y".repeat(511 - room));
            let clean: String = format!("{before}{sign} z").chars().take(512).collect();
            for error in
                [json!(format!("{before}{secret} z")), json!({"code": format!("{before}{secret} z")})]
            {
                let document = documents(&lines, &[], &error).remove(0).1;
                let told = if error.is_string() {
                    &document["error"]["message"]
                } else {
                    &document["error"]["type"]
                };
                assert_eq!(told, &json!(clean), "{secret}");
            }
        }
    }
}

#[test]
fn an_activations_own_event_has_what_its_error_says() {
    let of = |error: Value| documents(&json!({}), &[], &error).remove(0).1["error"].clone();
    assert_eq!(
        of(json!({"statusCode": 500, "body": "it failed"})),
        json!({"type": "500", "message": "it failed"})
    );
    assert_eq!(of(json!({"code": "E_FAIL"})), json!({"type": "E_FAIL"}));
    assert_eq!(of(json!(12)), json!({"message": "12"}));
    assert_eq!(of(json!(null)), Value::Null);
}
