use super::*;

fn with(annotations: &str, end: &str) -> String {
    format!(
        r#"{{"activationId":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","annotations":{annotations},"namespace":"guest","name":"hello",
        "publish":false,"response":{{"result":[1,{{"logs":["no"]}}]}},"start":1700000000000{end},"logs":["one","t\twö"],"new":null}}"#
    )
}

#[test]
fn a_full_record_gives_its_fields_and_entries() {
    let json =
        with(r#"[{"key":"path","value":"guest/hello"},{"key":"limits","value":{"logs":10}}]"#, ",\"end\":5");
    let record = Record::parse(json.as_bytes()).unwrap();
    assert_eq!(record.activation_id.to_string(), "0a1b2c3d4e5f60718293a4b5c6d7e8f9");
    assert_eq!((record.start, record.end), (1_700_000_000_000, Some(5)));
    assert_eq!(record.entries().map(|line| line.text()).collect::<Vec<_>>(), ["one", "t\twö"]);
    assert_eq!(record.annotation_text("path").unwrap(), "guest/hello");
    assert_eq!(record.annotation_text("limits"), None);
}

#[test]
fn sequences_and_compositions_have_no_entries() {
    for (annotations, end) in [
        (r#"[{"key":"path","value":"guest/s"},{"key":"kind","value":"sequence"}]"#, ",\"end\":5"),
        (r#"[{"key":"path","value":"guest/c"},{"key":"conductor","value":true}]"#, ",\"end\":5"),
    ] {
        let json = with(annotations, end);
        assert_eq!(Record::parse(json.as_bytes()).unwrap().entries().count(), 0, "{annotations}");
    }
}

#[test]
fn only_what_ran_and_may_log_can_have_lines_elsewhere() {
    for (annotations, end, expected) in [
        (r#"[{"key":"path","value":"g/h"},{"key":"limits","value":{"logs":10}}]"#, ",\"end\":5", true),
        (r#"[{"key":"path","value":"g/h"}]"#, ",\"end\":5", true),
        (r#"[{"key":"path","value":"g/h"},{"key":"limits","value":"odd"}]"#, ",\"end\":5", true),
        (r#"[{"key":"path","value":"g/h"},{"key":"limits","value":{"logs":0}}]"#, ",\"end\":5", false),
        (r#"[{"key":"path","value":"g/h"},{"key":"kind","value":"sequence"}]"#, ",\"end\":5", false),
        (
            r#"[{"key":"path","value":"g/h"},{"key":"kind","value":"unknown"}]"#,
            ",\"end\":1700000000000",
            false,
        ),
        ("[]", "", false),
    ] {
        let inline = with(annotations, end);
        let empty = inline.replace(r#""logs":["one","t\twö"]"#, r#""logs":[]"#);
        assert_ne!(inline, empty);
        assert!(!Record::parse(inline.as_bytes()).unwrap().may_have_lines_elsewhere());
        let record = Record::parse(empty.as_bytes()).unwrap();
        assert_eq!(record.may_have_lines_elsewhere(), expected, "{annotations}");
    }
}

/// A sound record, with one piece of it replaced.
fn odd(piece: &str, instead: &[u8]) -> Vec<u8> {
    let annotations = r#"[{"key":"path","value":"guest/pkg/hello"},{"key":"kind","value":"nodejs:20"}]"#;
    let json = with(annotations, ",\"end\":1700000000052");
    let (before, after) = json.split_once(piece).unwrap();
    [before.as_bytes(), instead, after.as_bytes()].concat()
}

fn lines(json: &[u8]) -> Vec<(String, bool)> {
    let record = Record::parse(json).unwrap();
    record.entries().map(|line| (line.text().into_owned(), line.is_mended())).collect()
}

#[test]
fn a_bad_entry_is_mended_and_its_neighbours_arrive_as_they_were() {
    let sound = |text: &str| (text.to_owned(), false);
    for (bad, mended) in [
        (&br#""\ud83d""#[..], "\u{fffd}"),
        (b"\"caf\xe9\"", "caf\u{fffd}"),
        (b"\"bell \x07\"", "bell \u{7}"),
        (b"null", "null"),
        (b"17", "17"),
        (br#"{"level": "info"}"#, r#"{"level": "info"}"#),
        (br#"["a"]"#, r#"["a"]"#),
    ] {
        let json = odd(r#""one","#, &[br#""one","#, bad, b","].concat());
        let expected = [sound("one"), (mended.to_owned(), true), sound("t\twö")];
        assert_eq!(lines(&json), expected, "{}", String::from_utf8_lossy(bad));
    }
}

#[test]
fn a_field_that_is_missing_or_odd_loses_no_line() {
    const LOGS: &str = r#""logs":["one","t\twö"]"#;
    for (piece, instead) in [
        (r#""namespace":"guest","#, &b""[..]),
        (r#""guest""#, b"null"),
        (r#""guest""#, b"\"gu\xe9st\""),
        (r#""name":"hello","#, b""),
        (r#""hello""#, b"5"),
        (",\"end\":1700000000052", b""),
        ("1700000000052", b"null"),
        ("1700000000052", b"0"),
        ("1700000000052", b"-1"),
        ("1700000000052", b"1700000000052.5"),
        ("1700000000052", br#""soon""#),
        ("1700000000000", b"1700000000000.0"),
        ("1700000000000", b"\"1700000000000\""),
        ("1700000000000", b"1.7e12"),
        (r#"[{"key":"path","value":"guest/pkg/hello"},{"key":"kind","value":"nodejs:20"}]"#, b"null"),
        (r#"[{"key":"path","value":"guest/pkg/hello"},{"key":"kind","value":"nodejs:20"}]"#, b"{}"),
        (r#"{"key":"path","value":"guest/pkg/hello"}"#, b"7"),
        (r#"{"key":"path","value":"guest/pkg/hello"}"#, br#"{"value":"guest/pkg/hello"}"#),
        (r#""guest/pkg/hello""#, b"\"\xff\""),
        (r#""publish":false"#, br#""name":"twice""#),
        ("false", b"\"\xe9\x01\""),
    ] {
        let json = odd(piece, instead);
        let record = Record::parse(&json).unwrap();
        assert_eq!((record.start, record.entries().count()), (1_700_000_000_000, 2), "{piece}");
        assert_eq!(Summary::parse(&json).unwrap().start, record.start);
    }
    for (logs, expected) in [
        (r#""logs":null"#, &[][..]),
        (r#""new":[]"#, &[]),
        (r#""logs":"one""#, &["one"]),
        (r#""logs":{"a":1}"#, &[r#"{"a":1}"#]),
    ] {
        let texts: Vec<_> = lines(&odd(LOGS, logs.as_bytes())).into_iter().map(|(text, _)| text).collect();
        assert_eq!(texts, expected);
    }
}

#[test]
fn what_has_no_end_and_no_annotations_is_a_trigger_only_if_its_logs_say_so() {
    let rule = r#""{\"rule\":\"guest/r\",\"statusCode\":0}""#;
    for (logs, expected) in [(format!(r#""one",{rule}"#), 2), (format!("{rule},{rule}"), 0)] {
        for end in ["", ",\"end\":0", ",\"end\":null"] {
            let json = with("[]", end).replace(r#""one","t\twö""#, &logs);
            assert_eq!(lines(json.as_bytes()).len(), expected, "{logs}");
        }
    }
}

#[test]
fn an_unreadable_record_is_named_by_its_id_and_its_text_is_not_repeated() {
    for json in [
        &br#"{"activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9","logs":["secret"]}"#[..],
        br#"{"activationId":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","start":"secret"}"#,
        br#"{"activationId":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","start":1,"logs":["secret"#,
        br#"{"activationId":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","start":1,"secret" 2}"#,
    ] {
        let error = Record::parse(json).unwrap_err();
        assert_eq!(error.id, "0a1b2c3d4e5f60718293a4b5c6d7e8f9");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
