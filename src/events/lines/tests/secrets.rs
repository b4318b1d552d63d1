//! The edges of secrets: what just is one, and what just is none.

use super::super::redact::KeyBlock;
use super::*;

fn redacted(text: &str) -> String {
    let redactor = Redactor::new(&redacting(&ALL).redact);
    redactor.redact(text).unwrap_or_else(|| text.into())
}

#[test]
fn what_only_looks_like_a_secret_stays() {
    for text in [
        "a@b.c",
        "xfe80::1 and fe80::1z",
        "v10.0.0.7 and 10.0.0.7z and 0010.0.0.7",
        "_10.0.0.7 and 10.0.0.7_",
        "basic example.com",
        "bearer abc",
        "bearerabc123",
        "eyJh..c",
        "0000 0000 0000 0000",
        "token> abc",
        "mysql --password --verbose",
        "password={} token=[] n=1",
        "http://u:@h",
        "http://h?x=u:p@y z",
        "http://h/u:p@y http://h#u:p@y",
        "'http://h','u:p@y' <http://h><u:p@y> http://h<u:p@y",
        "\"http://h\",\"u:p@y\"",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "400000000002 and 40000000000000000002",
    ] {
        assert_eq!(redacted(text), text);
    }
}

#[test]
fn secrets_end_where_they_end() {
    for (text, clean) in [
        ("at 10.0.0.7.", "at [ip]."),
        ("4000000000006 and 4000000000000000006", "[card] and [card]"),
        ("{'password' : 'x y'}", "{'password' : '[key]'}"),
        ("password : x", "password : [key]"),
        ("token: Digest abc123 x", "token: [key] x"),
        (
            "password=a,b_c=1,token=a,b-c=1 secret=a,b.c:1",
            "password=[key],b_c=1,token=[key],b-c=1 secret=[key],b.c:1",
        ),
        ("password=[[a],b] token=[u']', r']', b']'] n", "password=[key] token=[key] n"),
        ("Cookie: a=b\rHost: x", "Cookie: [key]\rHost: x"),
        ("Authorization: Digest username='bob', response='e9'\nHost: x", "Authorization: [key]\nHost: x"),
        ("secret: basic abc x", "secret: [key] x"),
        ("secret: token abc x", "secret: [key] x"),
        ("token: Bearer abc\"x", "token: [key]\"x"),
        ("token: Bearer abc'x", "token: [key]'x"),
        ("token: Bearer abc<x", "token: [key]<x"),
        ("token: Bearer abc>x", "token: [key]>x"),
        ("Cookie=abc user=x", "Cookie=[key] user=x"),
        ("Authorization=Custom dXNlcjpwdw== x", "Authorization=[key] x"),
        (r#"{"m":"Cookie: a=b\nHost: x"}"#, r#"{"m":"Cookie: [key]\nHost: x"}"#),
        (r#"{"m":"Cookie: a=b\r\nHost: x"}"#, r#"{"m":"Cookie: [key]\r\nHost: x"}"#),
        ("Cookie: a=b \nHost: x", "Cookie: [key] \nHost: x"),
        ("at ...10.0.0.7, ::1: x, ...fe80::1", "at ...[ip], [ip]: x, ...[ip]"),
        ("at fe80::1.", "at [ip]."),
        (r"a_b%c+d-e'f@x-y.co-", "[email]-"),
        ("nora@example.com", "[email]"),
        (r"a\nbob@x.co a\rbob@x.co a\tbob@x.co", r"a\n[email] a\r[email] a\t[email]"),
        (r"a\bbob@x.co a\fbob@x.co a\xbob@x.co", r"a\b[email] a\f[email] a\[email]"),
        ("bearer a.b_c~d+e/f=g-h i", "bearer [bearer] i"),
        ("bearer='abcdef', bearer=abcdef", "bearer='[bearer]', bearer=[bearer]"),
        (r#"bearer \"abcdef\" bearer:abcdef"#, r#"bearer \"[bearer]\" bearer:[bearer]"#),
        ("eyJ_a-b.c_d-e.f_g-h i", "[jwt] i"),
        // A value is hidden before what is in it.
        ("password=a@b.co/hunter2 x", "password=[key] x"),
        ("postgres://shop:hun@ter2@db/x", "postgres://shop:[key]@db/x"),
    ] {
        assert_eq!(redacted(text), clean, "{text}");
    }
}

#[test]
fn each_name_of_a_secret_hides_its_value_however_it_is_written() {
    const NAMES: [&str; 20] = [
        "password",
        "passwords",
        "passwd",
        "passphrase",
        "passcode",
        "pwd",
        "secret",
        "token",
        "credential",
        "credentials",
        "authorization",
        "cookie",
        "session_id",
        "api_key",
        "access_key",
        "account_key",
        "secret_key",
        "private_key",
        "signing_key",
        "encryption_key",
    ];
    for name in NAMES {
        for name in [name.to_owned(), name.to_uppercase(), name.replace('_', "-"), name.replace('_', "")] {
            assert_eq!(redacted(&format!("x.{name}=hunter2")), format!("x.{name}=[key]"));
            assert_eq!(redacted(&format!("{{\"{name}\":\"hunter2\"}}")), format!("{{\"{name}\":\"[key]\"}}"));
        }
    }
}

#[test]
fn the_value_of_a_json_member_with_such_a_name_is_hidden_though_the_name_is_escaped() {
    let lines = Lines { json: Some(super::json::json_rules()), ..redacting(&[Secret::Key]) };
    let treatment = Treatment::new(&lines);
    let mut reading = Reading::new(&treatment, None, 0, true);
    let mut take = |document: Document<'_>| {
        let parsed = format!("{:?}", document.parsed.unwrap());
        assert!(parsed.contains("[key]") && !parsed.contains("hunter2"), "{parsed}");
        true
    };
    read_all(&mut reading, &errors(r#"{"message":"x","pass\u0077ord":"hunter2"}"#), &mut take);
}

#[test]
fn the_name_above_a_json_member_counts_as_a_part_of_its_name() {
    let redactor = Redactor::new(&redacting(&[Secret::Key]).redact);
    for line in [
        r#"{"api":{"key":"hunter2"}}"#,
        r#"{"aws":{"secret":{"access":{"key":"hunter2"}}}}"#,
        r#"{"message":"x","private":{"key":"hunter2"},"session":{"id":"hunter2"}}"#,
        r#"{"message":"x","list":[{"api":{"key":["hunter2"]}}]}"#,
        r#"{"message":"x","api":[{"keys":["hunter2"]}]}"#,
    ] {
        let shown = format!("{:?}", Parsed::of(line, &super::json::json_rules(), &redactor).unwrap());
        assert!(shown.contains("[key]") && !shown.contains("hunter2"), "{shown}");
    }
    let line = r#"{"message":"x","cache":{"key":"a"},"api":{"key_id":"b","keys":7},"user":{"id":"c"}}"#;
    let shown = Parsed::of(line, &super::json::json_rules(), &redactor).unwrap();
    assert!(!format!("{shown:?}").contains("[key]"), "{shown:?}");
}

#[test]
fn a_long_name_above_many_members_costs_no_more_than_a_short_one() {
    let redactor = Redactor::new(&redacting(&[Secret::Key]).redact);
    let [above, members] = ["_".repeat(128 << 10), r#"{"d":1},"#.repeat(15 << 10)];
    let line = format!("{{\"message\":\"x\",\"{above}\":[{members}1]}}");
    assert!(Parsed::of(&line, &super::json::json_rules(), &redactor).is_some());
}

#[test]
fn of_a_private_key_each_kind_of_line_is_hidden_and_nothing_behind_it() {
    let redactor = Redactor::new(&redacting(&ALL).redact);
    let mut block = KeyBlock::default();
    assert_eq!(block.redact(&redactor, "-----BEGIN PRIVATE KEY-----"), None);
    for head in
        ["Proc-Type: 4", "DEK-Info: AES", "Version: 1", "Comment: mine", "Hash: SHA1", "Charset: UTF-8"]
    {
        assert_eq!(block.redact(&redactor, head).as_deref(), Some("[key]"));
    }
    assert_eq!(block.redact(&redactor, "  MIIB  ").as_deref(), Some("[key]"));
    assert_eq!(block.redact(&redactor, "MIIC\nserved it").as_deref(), Some("[key]\nserved it"));
    assert_eq!(block.redact(&redactor, "MIID"), None, "it has ended");
    block.redact(&redactor, "-----BEGIN PRIVATE KEY-----MIIB-----END PRIVATE KEY-----");
    assert_eq!(block.redact(&redactor, "MIID"), None, "it was whole");
    let others = Redactor::new(&redacting(&[Secret::Email]).redact);
    let mut block = KeyBlock::default();
    block.redact(&others, "-----BEGIN PRIVATE KEY-----");
    assert_eq!(block.redact(&others, "MIIB"), None, "nobody asked for it");
}

#[test]
fn tabs_and_the_prefix_of_a_namespace_hide_no_secret() {
    for text in [
        "password\t=\thunter2",
        "password\t: hunter2",
        "\"password\"\t:\t\"hunter2\"",
        "mysql --password\thunter2",
        "<wsse:Password>hunter2</wsse:Password>",
    ] {
        let clean = redacted(text);
        assert!(clean.contains("[key]") && !clean.contains("hunter2"), "{text}: {clean}");
    }
}

/// Lines of a key, some of them before others, as a logger of text and one of JSON print them.
#[test]
fn of_a_private_key_that_a_logger_prints_line_by_line_no_line_is_left() {
    let [full, last, other] = ["MIIEpAIBAAKCAQEA7bq+/u".repeat(3), "kZ8h3Q==".into(), "b/E".repeat(16)];
    let key = [
        "-----BEGIN RSA PRIVATE KEY-----",
        "Proc-Type: 4,ENCRYPTED",
        "DEK-Info: AES,AB",
        "",
        &full,
        &other,
        &last,
    ];
    let key = [&key[..], &["-----END RSA PRIVATE KEY-----"]].concat();
    let frame = |number: usize, n: usize, line: &str| match number {
        0 => line.into(),
        1 => format!("2026-11-30 12:00:00,00{n} INFO shop: {line}"),
        2 => format!("12:00:00.00{n} {line}"),
        3 => format!("[{}] {line} (key.js:{n})", ["main", "io-1"][n / 6 % 2]),
        4 => format!(r#"{{"time":{n},"level":"info","msg":"{line}"}}"#),
        5 => format!(r#"{{"msg":"{line}\n","time":{n},"request":"a"}}"#),
        _ => format!(r#"{{"log":"{}","n":{n}}}"#, line.replace('/', "\\/")),
    };
    for number in 0..=6 {
        let frame = |n: usize, line: &str| frame(number, n, line);
        for json in [None, Some(super::json::json_rules())] {
            let lines = Lines { json, ..redacting(&ALL) };
            let printed: Vec<String> = key.iter().enumerate().map(|(n, line)| frame(n, line)).collect();
            let after = [frame(8, "served"), frame(9, &full)];
            let all: Vec<String> = printed.iter().chain(&after).map(|line| entry("stdout", line)).collect();
            let shown: Vec<String> = documents(&lines, &all).into_iter().map(|(_, _, text)| text).collect();
            let of_key = shown[..key.len()].join("\n").replace('\\', "");
            for secret in [&full, &other] {
                assert!(!of_key.contains(secret.as_str()), "{number}: {of_key}");
            }
            // Where the prefix changes, the last line has nothing by which it is known.
            assert_eq!(of_key.contains(&last), number == 3, "{of_key}");
            let is_json = |line: &String| serde_json::from_str::<Value>(line).is_ok();
            assert!(number < 4 || lines.json.is_some() || shown[1..].iter().all(is_json), "{shown:#?}");
            assert!(of_key.contains("RSA PRIVATE KEY-----") && of_key.contains("[key]"), "{of_key}");
            assert!(shown[8].contains("served") && shown[9].replace('\\', "").contains(&full), "{shown:#?}");
        }
    }
}

#[test]
fn a_private_key_that_breaks_off_hides_one_word_behind_it_at_most() {
    let full = "MIIEpAIBAAKCAQEA7bq+/u".repeat(3);
    let shown = |lines: &[&str]| -> Vec<String> {
        let all: Vec<String> =
            lines.iter().map(|line| entry("stdout", &format!("INFO shop: {line}"))).collect();
        documents(&redacting(&ALL), &all).into_iter().map(|(_, _, text)| text).collect()
    };
    let begin = "-----BEGIN PRIVATE KEY-----";
    assert_eq!(shown(&[begin, "served", "paid"])[1..], ["INFO shop: served", "INFO shop: paid"]);
    assert_eq!(
        shown(&[begin, &full, "it is served", "paid"])[2..],
        ["INFO shop: it is served", "INFO shop: paid"]
    );
    assert_eq!(
        shown(&[begin, &full, "served", "paid"])[1..],
        ["INFO shop: [key]", "INFO shop: [key]", "INFO shop: paid"]
    );
}

#[test]
fn a_mark_that_begins_a_private_key_hides_no_sign_of_json_behind_it() {
    for text in [r#"{"msg":"-----BEGIN PRIVATE KEY-----"}"#, r#"{"a":["-----BEGIN PRIVATE KEY-----"],"#] {
        assert_eq!(redacted(text), text);
    }
    assert_eq!(redacted("[\"-----BEGIN PRIVATE KEY-----\",\"MII"), "[\"-----BEGIN PRIVATE KEY-----[key]");
}
