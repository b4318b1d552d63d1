use super::*;
use crate::config::{By, Multiline, Redaction, Secret};
use serde_json::{Value, json};

mod loggers;

/// A document as a test looks at it: first entry, number of entries, text behind time and stream.
type Seen = (usize, u64, String);

fn entry(stream: &str, text: &str) -> String {
    format!("2023-11-14T22:13:20.01Z {stream}: {text}")
}

fn errors(text: &str) -> Vec<String> {
    text.lines().map(|line| entry("stderr", line)).collect()
}

/// The documents of a record with these entries, of which those before `from` are settled.
fn documents_from(from: usize, lines: &Lines, entries: &[String]) -> (Vec<Seen>, Spared) {
    let treatment = Treatment::new(lines);
    let mut reading = Reading::new(&treatment, Some(Status::DeveloperError), from, true);
    let mut seen = Vec::new();
    let mut take = |document: Document<'_>| {
        let (_, message) = document.line.behind(document.line.time());
        let text =
            document.parsed.map_or_else(|| message.text().into_owned(), |parsed| parsed.message.clone());
        seen.push((document.first, document.entries, text));
        true
    };
    for (index, entry) in entries.iter().enumerate() {
        assert!(reading.entry(index, entry.as_str().into(), &mut take));
    }
    assert!(reading.finish(&mut take));
    (seen, reading.take_spared())
}

fn documents(lines: &Lines, entries: &[String]) -> Vec<Seen> {
    documents_from(0, lines, entries).0
}

fn multiline(by: By) -> Lines {
    Lines { multiline: Some(Multiline { by, max_lines: 500, max_bytes: 1 << 20 }), ..Lines::default() }
}

fn by_pattern(pattern: &str, negate: bool, before: bool) -> Lines {
    multiline(By::Pattern { pattern: pattern.into(), negate, before })
}

fn redacting(secrets: &[Secret]) -> Lines {
    Lines { redact: secrets.iter().map(|secret| Redaction::Known(*secret)).collect(), ..Lines::default() }
}

const ALL: [Secret; 6] = [Secret::Email, Secret::Ip, Secret::Bearer, Secret::Jwt, Secret::Card, Secret::Key];

/// What programs in `tests/loggers` print when they fail, with the runtimes of late 2026.
#[test]
fn each_trace_that_a_runtime_printed_is_one_document() {
    let traces = [
        (
            "java",
            include_str!("../../../tests/loggers/Traces.java.txt"),
            &["starting", "Exception in thread"][..],
        ),
        (
            "python",
            include_str!("../../../tests/loggers/traces.py.txt"),
            &["ERROR:root:it failed", "Traceback"][..],
        ),
        ("node", include_str!("../../../tests/loggers/uncaught.js.txt"), &["/action/uncaught.js:1"][..]),
        ("node", include_str!("../../../tests/loggers/rejection.js.txt"), &["/action/rejection.js:1"][..]),
        ("go", include_str!("../../../tests/loggers/panic.go.txt"), &["panic: assignment"][..]),
        ("rust", include_str!("../../../tests/loggers/panic.rs.txt"), &["", "thread 'main'"][..]),
    ];
    for (language, text, begins) in traces {
        let entries = [errors(text), errors("done")].concat();
        let seen = documents(&multiline(By::Auto), &entries);
        let firsts: Vec<&str> =
            seen.iter().map(|(_, _, text)| text.lines().next().unwrap_or_default()).collect();
        assert_eq!(firsts.len(), begins.len() + 1, "{language}: {seen:#?}");
        assert!(
            firsts.iter().zip(begins).all(|(first, begin)| first.starts_with(begin)),
            "{language}: {firsts:?}"
        );
        let all: Vec<String> = seen.iter().map(|(_, _, text)| text.clone()).collect();
        assert_eq!(all.join("\n"), format!("{}\ndone", text.trim_end_matches('\n')), "{language}");
    }
}

/// Written after the documentation of each language, as their runtimes are not at hand.
#[test]
fn traces_of_other_languages_are_one_document_too() {
    let traces = [
        "job.rb:3:in `pay': no money (RuntimeError)\n\tfrom job.rb:7:in `block in <main>'\n\tfrom job.rb:6:in `each'",
        "PHP Fatal error:  Uncaught RuntimeException: no money in /action/pay.php:3\nStack trace:\n#0 /action/index.php(7): pay()\n#1 {main}\n  thrown in /action/pay.php on line 3",
        "Unhandled exception. System.InvalidOperationException: no money\n ---> System.IO.IOException: disk full\n   at Shop.Disk.Write() in /action/Disk.cs:line 7\n   --- End of inner exception stack trace ---\n   at Shop.Pay.Run() in /action/Pay.cs:line 12",
        "main/main.swift:3: Fatal error: no money\nCurrent stack trace:\n0    libswiftCore.so                    0x00007f3c _swift_stdlib_reportFatalErrorInFile + 112\n1    main                               0x0000558a pay() + 41",
        "2023-11-14 22:13:20,010 ERROR [main] shop.Pay - no money\njava.lang.IllegalStateException: no money\n\tat shop.Pay.run(Pay.java:12)\n\t... 3 more\nCaused by: java.io.IOException: disk full\n\tat shop.Disk.write(Disk.java:7)",
    ];
    for trace in traces {
        let entries = [errors("before"), errors(trace), errors("after")].concat();
        let texts: Vec<String> =
            documents(&multiline(By::Auto), &entries).into_iter().map(|(_, _, text)| text).collect();
        assert_eq!(texts, ["before", trace, "after"]);
    }
}

#[test]
fn lines_that_are_no_trace_stay_apart() {
    let text =
        "starting\n  indented\n\n- item\n{\n  \"a\": 1\n}\nat noon\nfrom here\nerror: it failed\nretrying";
    assert_eq!(documents(&multiline(By::Auto), &errors(text)).len(), 11);
}

#[test]
fn streams_do_not_mix_and_documents_keep_the_order_of_their_first_entries() {
    let entries = [
        entry("stderr", "Exception in thread \"main\" a.B: x"),
        entry("stdout", "one"),
        entry("stderr", "\tat a.B.c(B.java:1)"),
        entry("stdout", "two"),
        entry("stderr", "\tat a.B.d(B.java:2)"),
        entry("stderr", "over"),
    ];
    let trace = "Exception in thread \"main\" a.B: x\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)";
    assert_eq!(
        documents(&multiline(By::Auto), &entries),
        [(0, 3, trace.into()), (1, 1, "one".into()), (3, 1, "two".into()), (5, 1, "over".into())]
    );
}

#[test]
fn patterns_join_as_filebeat_joins() {
    let entries = errors("b\na\na\nb\na");
    let texts = |negate, before| -> Vec<String> {
        documents(&by_pattern("^a", negate, before), &entries).into_iter().map(|(_, _, text)| text).collect()
    };
    assert_eq!(texts(false, false), ["b\na\na", "b\na"]);
    assert_eq!(texts(true, false), ["b", "a", "a\nb", "a"]);
    assert_eq!(texts(false, true), ["b", "a\na\nb", "a"]);
    assert_eq!(texts(true, true), ["b\na", "a", "b\na"]);
}

#[test]
fn a_document_has_an_end_and_loses_nothing_at_it() {
    let entries: Vec<String> = (0..1_001).map(|number| entry("stdout", &format!(" {number}"))).collect();
    let seen = documents(&by_pattern("^ ", false, false), &entries);
    assert_eq!(seen.iter().map(|(_, entries, _)| *entries).collect::<Vec<_>>(), [500, 500, 1]);
    let long = vec![entry("stdout", &format!(" {}", "x".repeat(1_000_000))); 3];
    assert_eq!(documents(&by_pattern("^ ", false, false), &long).len(), 3);
}

#[test]
fn of_a_stack_trace_of_a_hundred_thousand_lines_no_more_is_kept_than_one_document_holds() {
    let treatment = Treatment::new(&multiline(By::Auto));
    let mut reading = Reading::new(&treatment, None, 0, true);
    let mut entries = 0;
    let mut take = |document: Document<'_>| {
        entries += document.entries;
        document.entries <= 500
    };
    let frame = entry("stderr", &format!("\tat a.B.{}(B.java:1)", "c".repeat(1_000)));
    for index in 0..100_000 {
        assert!(reading.entry(index, frame.as_str().into(), &mut take));
        assert!(reading.groups.bytes() <= 500 * (frame.len() + 1), "{index}");
    }
    assert!(reading.finish(&mut take));
    assert_eq!(entries, 100_000);
}

#[test]
fn what_docker_has_cut_is_one_line_again() {
    let piece = "x".repeat(16 << 10);
    let entries = [
        entry("stdout", &piece),
        entry("stderr", "between"),
        entry("stdout", &piece),
        entry("stdout", "end"),
        entry("stdout", "next"),
    ];
    let seen = documents(&multiline(By::Auto), &entries);
    assert_eq!(
        seen.iter().map(|(first, entries, text)| (*first, *entries, text.len())).collect::<Vec<_>>(),
        [(0, 3, 2 * piece.len() + 3), (1, 1, 7), (4, 1, 4)]
    );
    // Where nobody asked for it, each entry stays what it is.
    assert!(Treatment::new(&Lines::default()).is_plain());
}

#[test]
fn lines_are_left_out_by_pattern_stream_and_outcome_and_counted() {
    let entries = [
        entry("stdout", "DEBUG a"),
        entry("stdout", "INFO health"),
        entry("stderr", "INFO b"),
        "INFO c".to_owned(),
    ];
    let lines = Lines { include: vec!["INFO".into()], exclude: vec!["health".into()], ..Lines::default() };
    let (seen, spared) = documents_from(0, &lines, &entries);
    assert_eq!(seen.iter().map(|(first, ..)| *first).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(spared, Spared { filtered: 2, joined: 0 });
    let (_, spared) = documents_from(1, &lines, &entries);
    assert_eq!(spared.filtered, 1, "what is settled is not counted again");
    let of_stdout = Lines { stream: Some(Channel::Stdout), ..Lines::default() };
    assert_eq!(
        documents(&of_stdout, &entries).iter().map(|(first, ..)| *first).collect::<Vec<_>>(),
        [0, 1, 3]
    );
    let treatment = Treatment::new(&Lines { only_failed: true, ..Lines::default() });
    for (status, documents) in [(Some(Status::Success), 0), (Some(Status::ApplicationError), 4), (None, 4)] {
        let mut reading = Reading::new(&treatment, status, 0, true);
        let mut seen = 0;
        let mut take = |_: Document<'_>| {
            seen += 1;
            true
        };
        entries
            .iter()
            .enumerate()
            .for_each(|(index, entry)| assert!(reading.entry(index, entry.as_str().into(), &mut take)));
        assert_eq!(seen, documents, "{status:?}");
    }
}

/// A generator for properties: xorshift.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn one<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }
}

/// Every entry is in exactly one document, or left out and counted; and a record that is read again from some document on makes the same documents.
#[test]
fn each_entry_is_in_one_document_or_counted_and_a_record_read_again_makes_the_same_documents() {
    let texts = [
        "a",
        "INFO x",
        "\tat a.B.c(B.java:1)",
        "Traceback (most recent call last):",
        "  File \"a.py\", line 1, in f",
        "E: x",
        "",
        "panic: x",
        "{\"a\":1}",
        "ERROR y",
    ];
    for seed in 1..400 {
        let mut chance = Chance(seed);
        let mut lines = match chance.below(4) {
            0 => Lines::default(),
            1 => multiline(By::Auto),
            2 => by_pattern("^[\\s{]", chance.below(2) == 0, chance.below(2) == 0),
            _ => redacting(&ALL),
        };
        if chance.below(2) == 0 {
            lines.exclude = vec!["INFO".into()];
        }
        if chance.below(4) == 0 {
            lines.stream = Some(Channel::Stderr);
        }
        let entries: Vec<String> = (0..chance.below(40))
            .map(|_| entry(chance.one(&["stdout", "stderr", "stderr"]), chance.one(&texts)))
            .collect();
        let (all, spared) = documents_from(0, &lines, &entries);
        let told: u64 = all.iter().map(|(_, entries, _)| entries).sum();
        assert_eq!(told + spared.filtered, entries.len() as u64, "seed {seed}");
        assert_eq!(told - all.len() as u64, spared.joined, "seed {seed}");
        assert!(all.is_sorted_by_key(|(first, ..)| *first), "seed {seed}");
        for from in 0..=entries.len() {
            let rest: Vec<Seen> = all.iter().filter(|(first, ..)| *first >= from).cloned().collect();
            assert_eq!(documents_from(from, &lines, &entries).0, rest, "seed {seed} from {from}");
        }
    }
}

/// Ten entries, of which five are acknowledged one by one; then somebody asks for stack traces.
#[test]
fn what_is_joined_with_settled_entries_since_the_configuration_changed_is_not_lost() {
    let entries: Vec<String> =
        errors("a\nb\nE: x\n\tat a.B.c(B.java:1)\n\tat a.B.c(B.java:2)\n\tat a.B.c(B.java:3)\nz");
    let treatment = Treatment::new(&multiline(By::Auto));
    for (is_same, expected) in [(true, &[(6, 6)][..]), (false, &[(2, 5), (6, 6)][..])] {
        let mut reading = Reading::new(&treatment, None, 5, is_same);
        let mut seen = Vec::new();
        let mut take = |document: Document<'_>| {
            seen.push((document.first, document.last));
            true
        };
        entries
            .iter()
            .enumerate()
            .for_each(|(index, entry)| assert!(reading.entry(index, entry.as_str().into(), &mut take)));
        assert!(reading.finish(&mut take));
        assert_eq!(seen, expected);
    }
}

fn redacted(text: &str) -> String {
    let redactor = Redactor::new(&redacting(&ALL).redact);
    redactor.redact(text).unwrap_or_else(|| text.into())
}

#[test]
fn secrets_are_known_by_their_form() {
    for (text, clean) in [
        ("mail to jörg.o'neil+x@mail.example.co.uk.", "mail to [email]."),
        ("user@localhost and @handle stay", "user@localhost and @handle stay"),
        ("from 10.0.0.7:8080 to 256.1.1.1", "from [ip]:8080 to 256.1.1.1"),
        ("from 2001:db8::7, ::1 and fe80::1", "from [ip], [ip] and [ip]"),
        ("at 12:34:56 in v1.2.3 of std::fmt", "at 12:34:56 in v1.2.3 of std::fmt"),
        ("Authorization: Bearer abc.DEF-123", "Authorization: [key]"),
        ("got bearer abcdef123 there", "got bearer [bearer] there"),
        (
            "Basic authentication failed for basic dXNlcjpwdw==",
            "Basic authentication failed for basic [bearer]",
        ),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln here", "token [jwt] here"),
        ("card 4111 1111 1111 1111 or 4111-1111-1111-1111", "card [card] or [card]"),
        (
            "card 4111111111111112 and order 12345678901234567890",
            "card 4111111111111112 and order 12345678901234567890",
        ),
        ("order 12 5500 0000 0000 0004", "order [card]"),
        ("DB_PASSWORD=hunter2; next", "DB_PASSWORD=[key]; next"),
        ("{\"api_key\": \"a\\\"b\", \"n\": 1}", "{\"api_key\": \"[key]\", \"n\": 1}"),
        ("{\\\"secret\\\":\\\"x y\\\",\\\"n\\\":1}", "{\\\"secret\\\":\\\"[key]\\\",\\\"n\\\":1}"),
        ("password: 'it is long' and token => abc)", "password: '[key]' and token => [key])"),
        ("postgres://shop:hunter2@db/orders", "postgres://shop:[key]@db/orders"),
        (
            "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----[key]-----END PRIVATE KEY-----",
        ),
        ("tokens: 7, monkey=1, secretary: Ann", "tokens: 7, monkey=1, secretary: Ann"),
    ] {
        assert_eq!(redacted(text), clean, "{text}");
    }
}

#[test]
fn patterns_of_ones_own_are_replaced_as_they_say() {
    let redaction = Redaction::Pattern { pattern: "cust-[0-9]+".into(), with: "$0 CUSTOMER".into() };
    let lines = Lines { redact: vec![redaction], ..Lines::default() };
    assert_eq!(documents(&lines, &errors("cust-12 and cust-7"))[0].2, "$0 CUSTOMER and $0 CUSTOMER");
}

/// However it is wrapped, joined, cut by Docker or put into JSON.
#[test]
fn no_secret_is_left_in_a_document() {
    const SECRETS: [&str; 7] = [
        "alice@example.com",
        "203.0.113.7",
        "2001:db8::dead:beef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "4111111111111111",
        "Bearer s3cr3t-t0ken",
        "password=hunter2hunter2",
    ];
    let words = [
        "", " ", "a", "(", ")", "\"", "'", ": ", "é", ", ", "x=", "[", "]", "<", ">", "\t", "https://", "/",
        "  at ", "end.",
    ];
    for seed in 1..2_000 {
        let mut chance = Chance(seed);
        let secret = chance.one(&SECRETS);
        // A sign before and after, as a secret inside of a word is none.
        let signs = [" ", "(", "\"", "<", ",", "\t", "="];
        let text = format!(
            "{}{}{secret}{}{}",
            chance.one(&words),
            chance.one(&signs),
            [" ", ")", "\"", ">", ",", ";"][chance.below(6)],
            chance.one(&words)
        );
        let hidden = secret.rsplit([' ', '=']).next().unwrap();
        let mut lines = redacting(&ALL);
        let entries = match chance.below(4) {
            0 => errors(&text),
            1 => {
                lines.multiline = multiline(By::Auto).multiline;
                errors(&format!("ERROR\nTraceback (most recent call last):\n  {text}\nE: x"))
            }
            2 => {
                // Docker cuts somewhere in it.
                let begin = (16 << 10) - chance.below(text.len().min(16 << 10));
                let whole = format!("{}{text}", "y ".repeat(8 << 10).get(..begin).unwrap());
                let cut = (0..=(16 << 10)).rev().find(|at| whole.is_char_boundary(*at)).unwrap();
                if cut == 16 << 10 && whole.len() > cut {
                    vec![entry("stdout", &whole[..cut]), entry("stdout", &whole[cut..])]
                } else {
                    errors(&text)
                }
            }
            _ => {
                lines.json = Some(Json {
                    target: None,
                    overwrite_keys: false,
                    add_error_key: true,
                    message_key: None,
                    expand_keys: true,
                });
                errors(&json!({"message": text, "user": {"note": [text]}, "n": 1}).to_string())
            }
        };
        let treatment = Treatment::new(&lines);
        let mut reading = Reading::new(&treatment, None, 0, true);
        let mut take = |document: Document<'_>| {
            let shown = document
                .parsed
                .map_or_else(|| document.line.text().into_owned(), |parsed| format!("{parsed:?}"));
            assert!(!shown.contains(hidden), "seed {seed}: {shown}");
            true
        };
        entries
            .iter()
            .enumerate()
            .for_each(|(index, entry)| assert!(reading.entry(index, entry.as_str().into(), &mut take)));
        assert!(reading.finish(&mut take));
    }
}

fn json_rules() -> Json {
    Json { target: None, overwrite_keys: false, add_error_key: false, message_key: None, expand_keys: true }
}

/// Message, time and level; all else as an object.
fn parsed(line: &str, rules: &Json) -> Option<Value> {
    let parsed = Parsed::of(line, rules, &Redactor::default())?;
    let Parsed { message, time, level, log, event, members, replaced } = parsed;
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
