//! What is joined, what stays apart, and what can not be told.

use super::json::json_rules;
use super::printed::{OTHERS, PRINTED};
use super::*;

fn texts(lines: &Lines, text: &str) -> Vec<String> {
    documents(lines, &errors(text)).into_iter().map(|(_, _, text)| text).collect()
}

pub(super) fn auto(text: &str) -> Vec<String> {
    texts(&multiline(By::Auto), text)
}

fn auto_with_json() -> Lines {
    Lines { json: Some(json_rules()), ..multiline(By::Auto) }
}

#[test]
fn each_trace_of_messages_causes_and_groups_that_a_runtime_printed_is_one_document() {
    for (printed, begins) in PRINTED {
        let all = auto(&format!("{printed}done"));
        assert_eq!(all.len(), begins.len() + 1, "{all:#?}");
        let is_sound = all.iter().zip(begins).all(|(text, begin)| text.starts_with(begin));
        assert!(is_sound, "{all:#?}");
        assert_eq!(all.join("\n"), format!("{printed}done"));
    }
    for trace in OTHERS {
        assert_eq!(auto(&format!("before\n{trace}\nafter")), ["before", trace, "after"]);
    }
}

/// A terminal ends lines with two characters.
#[test]
fn traces_are_joined_alike_whether_or_not_their_lines_end_with_a_carriage_return() {
    let all = |text: &str| -> Vec<String> {
        let entries: Vec<String> = text.split('\n').map(|line| entry("stderr", line)).collect();
        documents(&multiline(By::Auto), &entries).into_iter().map(|(_, _, text)| text).collect()
    };
    for trace in PRINTED.iter().map(|(printed, _)| *printed).chain(OTHERS) {
        let with = all(&trace.replace('\n', "\r\n"));
        let without: Vec<String> = with.iter().map(|text| text.replace('\r', "")).collect();
        assert_eq!(without, all(trace));
    }
}

/// Wherever a trace ends, and whatever it has announced: only the line that a panic of Rust announces is taken for its message.
#[test]
fn no_part_of_a_trace_takes_an_innocent_line_behind_it() {
    let innocent: Vec<String> = (0..80).map(|number| format!("fetched {number}")).collect();
    for trace in PRINTED.iter().map(|(printed, _)| *printed).chain(OTHERS) {
        let lines: Vec<&str> = trace.lines().collect();
        for end in 1..=lines.len() {
            let beginning = lines[..end].join("\n");
            let all = auto(&format!("{beginning}\n{}", innocent.join("\n")));
            let is_panic = lines[end - 1].contains("panicked at");
            let alone = all.iter().filter(|text| innocent.contains(text)).count();
            assert_eq!(alone, innocent.len() - usize::from(is_panic), "{beginning}");
        }
    }
}

/// Real traces of runtimes that print no stack: what follows them is not theirs.
#[test]
fn a_cause_without_frames_ends_at_the_first_line_that_is_none_of_its_own() {
    let served: Vec<String> = (0..2000).map(|number| format!("INFO served {number}")).collect();
    for cause in ["Caused by: java.lang.Exception: quiet", "\tSuppressed: java.lang.Exception: quiet"] {
        let trace = format!("java.lang.RuntimeException: a\n\tat x.Y.z(Y.java:1)\n{cause}");
        let all = format!("{trace}\n{}", served.join("\n"));
        let seen = auto(&all);
        assert_eq!((seen[0].as_str(), &seen[1..]), (trace.as_str(), &served[..]));
        let lines = Lines { exclude: vec!["quiet".into()], ..multiline(By::Auto) };
        assert_eq!(texts(&lines, &all), served);
        let other = "java.lang.Error: b\n\tat x.Y.z(Y.java:2)";
        assert_eq!(auto(&format!("{trace}\n{other}")), [&trace, other]);
    }
    assert_eq!(auto("java.lang.Exception: a\njava.lang.Exception: b\nc").len(), 3);
}

#[test]
fn a_line_that_is_a_json_object_is_no_part_of_a_trace() {
    let object = "{\"level\":\"error\",\"msg\":\"failed\"}";
    let trace = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nValueError: x";
    let java = "java.lang.Exception: a\n\tat x.Y.z(Y.java:1)";
    let (head, tail) = java.split_once('\n').unwrap();
    for (printed, expected) in [
        (format!("{object}\n{trace}"), vec!["failed", trace]),
        (format!("{trace}\n{object}"), vec![trace, "failed"]),
        (format!("{head}\n{object}\n{tail}"), vec![head, "failed", tail]),
        (format!("{object}\n{tail}"), vec!["failed", tail]),
        (
            format!("thread 'main' panicked at a.rs:1:1:\n{object}"),
            vec!["thread 'main' panicked at a.rs:1:1:", "failed"],
        ),
        (format!("{head}\nmore\n{object}\n{java}"), vec![head, "more", "failed", java]),
    ] {
        assert_eq!(texts(&auto_with_json(), &printed), expected, "{printed}");
    }
}

#[test]
fn a_frame_joins_no_innocent_line() {
    for (innocent, line) in [
        ("menu", "    at the bar"),
        ("menu", "    at noon (or later)"),
        ("error: no seat", "    at the bar"),
        ("error: no seat", "    at 10:30"),
        ("mail", "\tfrom a.rb:3:in `f'"),
        ("served", "\tat x.Y.z(Y.java:1)"),
        ("INFO: served", "\tat x.Y.z(Y.java:1)"),
        ("served", "Traceback (most recent call last):"),
        ("\tat x.Y.z(Y.java:1)", "  indented"),
        ("    at f (/a.js:1:2)", "}"),
        ("\tat x.Y.z(Y.java:1)", ""),
        ("ValueError: x", ""),
        ("/orders/1:2", "served"),
        ("#0 served", "#1 served"),
        ("goroutine 1 [running]:", "served(1)"),
    ] {
        let entries = [entry("stderr", innocent), entry("stderr", line)];
        let seen = documents(&multiline(By::Auto), &entries);
        assert_eq!(seen, [(0, 1, innocent.into()), (1, 1, line.into())]);
    }
    for (head, frame) in [
        ("shop.Broke: x", "\tat x.Y.z(Y.java:1)"),
        ("Broke: x", "    at async pay (file:///a.mjs:1:2)"),
        ("U$Störung: bäm", "\tat x.U.z(U.java:1)"),
        ("shop.Ünfall: x", "\tat x.Y.z(Y.java:1)"),
        ("läden.Unfall", "\tat x.Y.z(Y.java:1)"),
        ("shop.故障: x", "\tat x.Y.z(Y.java:1)"),
        ("Überfall: bäm", "    at f (/a.js:1:2)"),
        ("SEVERE: x", "\tat app//x.Y.z(Unknown Source) ~[a.jar:1.0]"),
        ("request failed", "    at new Order (/a.js:1:2)"),
        ("2026-11-29 ERROR x", "   at Shop.Pay.Run() in /action/Pay.cs:line 12"),
    ] {
        assert_eq!(auto(&format!("{head}\n{frame}")).len(), 1, "{head}");
    }
}

#[test]
fn frames_behind_a_message_that_mentions_no_error_are_one_document_beside_it() {
    for (head, frames) in [
        ("broke", "a.rb:3:in `f'\na.rb:4:in `<main>'"),
        ("not paid", "#0 /a.php(3): f()\n#1 [internal function]: {closure}()\n#2 {main}"),
    ] {
        assert_eq!(auto(&format!("{head}\n{frames}\nserved")), [head, frames, "served"]);
        let message = format!("BrokeError: {head}\nthe bank says no");
        assert_eq!(auto(&format!("{message}\n{frames}\nserved"))[0], format!("{message}\n{frames}"));
    }
}

#[test]
fn a_line_that_a_logger_begins_is_no_part_of_the_message_before_it() {
    for next in [
        "06:18:23.123 [main] INFO  shop.Pay - served",
        "2026-11-30 06:18:23,123 INFO shop.pay: served",
        "I, [2026-11-30T06:18:23.123456 #7]  INFO -- : served",
        "WARNING:shop:late: Traceback (most recent call last):",
    ] {
        for head in ["java.lang.Exception: a", "ERROR it failed:", "2026-11-30 06:18:23,123 WARNING late"] {
            let all = auto(&format!("{head}\n{next}\n  File \"a.py\", line 1, in f"));
            assert_eq!((all[0].as_str(), all[1].lines().next()), (head, Some(next)));
        }
    }
    let warnings = ["PHP Warning:  careful", "PHP Warning:  late in /a.php on line 3"];
    assert_eq!(auto(&warnings.join("\n")), warnings);
}

#[test]
fn a_group_of_exceptions_has_an_end() {
    let group = PRINTED[1].0.split("next").next().unwrap().trim_end_matches('\n');
    let table = "  | id | name |";
    assert_eq!(auto(&format!("{group}\n{table}")), [group, table]);
}

#[test]
fn two_traces_are_two_documents_however_the_first_one_ends() {
    let java =
        "java.lang.Exception: b\n\tat x.Y.z(Y.java:1)\nCaused by: java.lang.Error: c\n\tat x.Y.z(Y.java:2)";
    let python = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nValueError: x";
    let ruby = "a.rb:2:in 'f': x (Broke)\n\tfrom a.rb:3:in '<main>'";
    let go = "panic: x\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:4 +0x27";
    for first in [java, python, ruby, go] {
        for second in [java, python, ruby, go] {
            assert_eq!(auto(&format!("{first}\n{second}")), [first, second]);
        }
    }
}

#[test]
fn a_message_with_a_trace_does_not_take_what_waits_behind_an_error_without_one() {
    let frame = "\tat x.Y.z(Y.java:1)";
    for head in ["ERROR failed", "shop.Broke: b", "request failed", "java.lang.Exception: b"] {
        for first in
            ["java.lang.Exception: a", "a\njava.lang.Exception: a\n\tat x.Y.z(Y.java:1)\nCaused by: b.C: c"]
        {
            let all = auto(&format!("{first}\nfetched\n{head}\n{frame}"));
            assert_eq!(all[all.len() - 2..], ["fetched", &format!("{head}\n{frame}")], "{first}");
        }
    }
    let go = "error: caught\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:4 +0x27";
    assert_eq!(auto(&format!("panic: x\nfetched\n{go}")), ["panic: x", "fetched", go]);
}

#[test]
fn of_a_message_with_more_lines_than_wait_nothing_is_lost() {
    for lines in [31, 32, 33, 100] {
        let message: Vec<String> = (0..lines).map(|number| format!("part {number}")).collect();
        let text = format!("java.lang.Exception: a\n{}\n\tat x.Y.z(Y.java:1)", message.join("\n"));
        let all = auto(&text);
        assert_eq!(all.join("\n"), text);
        assert_eq!(all.len(), if lines <= 32 { 1 } else { lines + 2 }, "{lines}");
    }
}

#[test]
fn lines_that_wait_keep_their_place_among_those_of_the_other_stream() {
    let entries = [
        entry("stderr", "java.lang.Exception: a"),
        entry("stdout", "one"),
        entry("stderr", "two"),
        entry("stdout", "three"),
        entry("stderr", "four"),
        entry("stderr", "INFO five"),
    ];
    let seen = documents(&multiline(By::Auto), &entries);
    assert_eq!(seen.iter().map(|(first, ..)| *first).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    // What waits may begin a document itself.
    let entries: Vec<String> = errors("a.B: x\njava.lang.C: y\nmore\nINFO z");
    assert_eq!(documents(&multiline(By::Auto), &[errors("ERROR x"), entries].concat()).len(), 5);
}

/// As Docker cuts a line and its writer mends the pieces.
fn cut(line: &str) -> Vec<String> {
    let mended = |piece: &[u8]| {
        piece.utf8_chunks().fold(String::new(), |text, chunk| {
            text + chunk.valid() + &"\u{fffd}".repeat(chunk.invalid().len())
        })
    };
    line.as_bytes().chunks(16 << 10).map(mended).collect()
}

#[test]
fn what_docker_has_cut_in_the_middle_of_a_character_is_one_line_with_a_sign_for_each_byte() {
    for character in ["ä", "€", "🦀"] {
        for shift in 0..4 {
            let line = "x".repeat(shift) + &character.repeat(50_000 / character.len());
            let pieces = cut(&line);
            let entries: Vec<String> =
                pieces.iter().map(|piece| entry("stdout", piece)).chain(errors("next")).collect();
            for lines in [multiline(By::Auto), redacting(&ALL), auto_with_json()] {
                let seen = documents(&lines, &entries);
                assert_eq!(seen.len(), 2, "{character} {shift}");
                assert_eq!(seen[0].2, pieces.concat(), "{character} {shift}");
            }
        }
    }
}

#[test]
fn a_json_line_that_docker_has_cut_is_read_as_one() {
    let lines = Lines { json: Some(json_rules()), ..Lines::default() };
    for bytes in [20_000, 100_000, 250_000] {
        let object = json!({"message": "x".repeat(bytes), "level": "info"}).to_string();
        let mut entries: Vec<String> = cut(&object).iter().map(|piece| entry("stdout", piece)).collect();
        entries.push(entry("stdout", "{\"message\":\"next\"}"));
        for lines in [&lines, &auto_with_json()] {
            let seen: Vec<(u64, usize)> =
                documents(lines, &entries).iter().map(|(_, entries, text)| (*entries, text.len())).collect();
            assert_eq!(seen, [(entries.len() as u64 - 1, bytes), (1, 4)]);
        }
    }
}

#[test]
fn pieces_are_joined_however_many_lines_of_the_other_stream_stand_between() {
    let secret = format!("{}password=hun", " ".repeat((16 << 10) - 12));
    for between in [63, 64, 65, 5_000] {
        let mut entries = vec![entry("stdout", &secret)];
        entries.extend((0..between).map(|number| entry("stderr", &format!("between {number}"))));
        entries.push(entry("stdout", "ter2 is it"));
        let seen = documents(&redacting(&ALL), &entries);
        assert_eq!(seen.len(), between + 1);
        assert!(seen[0].2.ends_with("password=[key] is it"), "{between}");
    }
}

#[test]
fn between_two_pieces_no_more_waits_than_a_few_megabytes() {
    let treatment = Treatment::new(&redacting(&ALL));
    let mut reading = Reading::new(&treatment, None, 0, true);
    let mut documents = 0;
    let mut take = |_: Document<'_>| {
        documents += 1;
        true
    };
    assert!(reading.entry(0, entry("stdout", &"x".repeat(16 << 10)).as_str().into(), &mut take));
    let between = entry("stderr", "x");
    for index in 1..100_000 {
        assert!(reading.entry(index, between.as_str().into(), &mut take));
        assert!(reading.groups.bytes() <= 5 << 20, "{index}");
    }
    assert!(reading.finish(&mut take));
    assert_eq!(documents, 100_000);
}

#[test]
fn the_most_bytes_of_an_event_are_those_of_its_texts() {
    let by = By::Pattern { pattern: "^ ".into(), negate: false, before: false };
    let lines =
        Lines { multiline: Some(Multiline { by, max_lines: 500, max_bytes: 1_024 }), ..Lines::default() };
    let line = |bytes: usize| entry("stdout", &format!(" {}", "x".repeat(bytes - 1)));
    assert_eq!(documents(&lines, &[line(512), line(512)]).len(), 1);
    assert_eq!(documents(&lines, &[line(512), line(513)]).len(), 2);
}

#[test]
fn a_trace_beyond_the_limits_goes_on_in_the_next_document() {
    let by = By::Auto;
    let lines =
        Lines { multiline: Some(Multiline { by, max_lines: 4, max_bytes: 1 << 20 }), ..Lines::default() };
    let text = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    f()\n  File \"a.py\", line 1, in g\n    g()\nValueError: x\nafter";
    let seen = texts(&lines, text);
    assert_eq!(seen.iter().map(|text| text.lines().count()).collect::<Vec<_>>(), [4, 2, 1]);
}

/// Any lines: what is joined was printed by one stream in this order, and nothing is missing.
#[test]
fn whatever_is_joined_each_entry_is_in_one_document_in_its_order() {
    let mut parts: Vec<&str> = PRINTED.iter().flat_map(|(printed, _)| printed.lines()).collect();
    parts.extend(OTHERS.iter().flat_map(|trace| trace.lines()));
    parts.extend(["served", "", "INFO x", "{\"a\":1}", "ERROR y", "  indented"]);
    let piece = "x".repeat(16 << 10);
    parts.extend([piece.as_str(); 4]);
    for seed in 1..100 {
        let mut chance = Chance(seed);
        let mut lines = if seed % 2 == 0 { multiline(By::Auto) } else { auto_with_json() };
        if let Some(multiline) = &mut lines.multiline {
            multiline.max_lines = [2, 7, 500][chance.below(3)];
        }
        let entries: Vec<(&str, &str)> = (0..chance.below(100))
            .map(|_| (chance.one(&["stdout", "stderr", "stderr"]), chance.one(&parts)))
            .collect();
        let printed: Vec<String> = entries.iter().map(|(stream, text)| entry(stream, text)).collect();
        let treatment = Treatment::new(&lines);
        let mut reading = Reading::new(&treatment, None, 0, true);
        let mut told = vec![0; entries.len()];
        let mut last_first = None;
        let mut take = |document: Document<'_>| {
            let (stream, message) = document.line.behind(document.line.time());
            let own = (document.first..=document.last)
                .filter(|index| stream.is_some_and(|stream| stream.name() == entries[*index].0));
            let own: Vec<usize> = own.collect();
            assert_eq!(own.len() as u64, document.entries, "seed {seed}");
            let mut text = String::new();
            for (place, index) in own.iter().enumerate() {
                told[*index] += 1;
                let is_rest = place > 0 && entries[own[place - 1]].1 == piece;
                text += if place == 0 || is_rest { "" } else { "\n" };
                text += entries[*index].1;
            }
            assert_eq!(message.text(), text, "seed {seed}");
            assert!(last_first < Some(document.first), "seed {seed}");
            last_first = Some(document.first);
            true
        };
        read_all(&mut reading, &printed, &mut take);
        assert!(told.iter().all(|times| *times == 1), "seed {seed}");
        let (all, _) = documents_from(0, &lines, &printed);
        for from in (0..=entries.len()).step_by(31) {
            let rest: Vec<Seen> = all.iter().filter(|(first, ..)| *first >= from).cloned().collect();
            assert_eq!(documents_from(from, &lines, &printed).0, rest, "seed {seed} from {from}");
        }
    }
}

#[test]
fn the_place_at_the_end_of_a_message_of_php_makes_no_trace_without_the_stack() {
    for (head, line) in [("Order: 4", "served in /a.php:3"), ("it failed", "again in /a.php:3")] {
        assert_eq!(auto(&format!("{head}\n{line}\nserved\nStack trace:")).len(), 4);
        let trace = "Boom: x in /a.php:3\nStack trace:\n#0 {main}";
        assert_eq!(auto(&format!("{head}\n{line}\n{trace}")), [head, line, trace]);
        assert_eq!(auto(&format!("{head}\n{trace}")), [head, trace]);
    }
    let lower = "app\\Boom: x\ny in /a.php:3\nStack trace:\n#0 {main}";
    assert_eq!(auto(&format!("{lower}\nserved")), [lower, "served"]);
}

#[test]
fn the_chain_of_php_is_one_document_whatever_the_next_exception_is_called() {
    for next in ["RuntimeException", "TypeError", "App\\PayException", "NoMoney"] {
        let trace = format!(
            "DomainException: a in /a.php:7\nStack trace:\n#0 {{main}}\n\nNext {next}: broke in /a.php:12\nStack trace:\n#0 {{main}}"
        );
        assert_eq!(auto(&format!("{trace}\nafter")), [trace.as_str(), "after"]);
    }
}
