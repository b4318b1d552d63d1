use super::*;
use crate::config::{By, Multiline, Redaction, Secret};
use serde_json::{Value, json};

mod bodies;
mod cards;
mod coloured;
mod joins;
mod json;
mod layouts;
mod loggers;
mod printed;
mod redaction;
mod secrets;
mod wrapped;

/// A document as a test looks at it: first entry, number of entries, text behind time and stream.
type Seen = (usize, u64, String);

fn entry(stream: &str, text: &str) -> String {
    format!("2023-11-14T22:13:20.01Z {stream}: {text}")
}

fn errors(text: &str) -> Vec<String> {
    text.lines().map(|line| entry("stderr", line)).collect()
}

/// Reads all of these entries.
#[track_caller]
fn read_all(reading: &mut Reading<'_>, entries: &[String], take: &mut Take<'_>) {
    for (index, entry) in entries.iter().enumerate() {
        assert!(reading.entry(index, entry.as_str().into(), take));
    }
    assert!(reading.finish(take));
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
    read_all(&mut reading, entries, &mut take);
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

/// Written after the documentation of each language.
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
fn a_line_within_which_docker_has_cut_a_character_says_so() {
    for (piece, is_mended) in [("x".repeat(16 << 10), false), ("x".repeat((16 << 10) - 1) + "\u{fffd}", true)]
    {
        let treatment = Treatment::new(&multiline(By::Auto));
        let mut reading = Reading::new(&treatment, None, 0, true);
        let mut take = |document: Document<'_>| {
            assert_eq!((document.entries, document.line.is_mended()), (2, is_mended));
            true
        };
        let end = if is_mended { "\u{fffd}\u{fffd}end" } else { "end" };
        read_all(&mut reading, &[entry("stdout", &piece), entry("stdout", end)], &mut take);
    }
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
        read_all(&mut reading, &entries, &mut take);
        assert_eq!(seen, expected);
    }
}
