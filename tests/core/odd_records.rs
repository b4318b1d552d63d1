//! Records that are too large to hold in memory, and records with faults: their lines arrive all the same. The core, compiled natively,
//! from the API's bytes to what a receiver reads.

mod world;

use serde_json::json;
use world::{Run, World};

const PATH: &str =
    r#""annotations":[{"key":"path","value":"guest/hello"},{"key":"kind","value":"nodejs:20"}]"#;

/// A record's members behind id and start.
fn hello(logs: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!(r#""end":1699999999999,"namespace":"guest","name":"hello",{PATH},"logs":["#);
    [head.as_bytes(), logs.as_ref(), b"]"].concat()
}

fn plain(text: &str) -> (String, String) {
    (text.to_owned(), String::new())
}

fn warnings_of_mending(run: &Run) -> usize {
    let warnings = run.result["warnings"].as_array().into_iter().flatten();
    warnings.filter(|warning| warning.as_str().unwrap().contains("not sound text")).count()
}

#[test]
fn one_bad_entry_is_mended_marked_and_counted_and_loses_no_neighbour() {
    for (bad, text) in [
        (&br#""\ud83d""#[..], "\u{fffd}"),
        (b"\"caf\xe9\"", "caf\u{fffd}"),
        (b"\"\x07\"", "\u{7}"),
        (b"null", "null"),
        (br#"{"level":"info"}"#, r#"{"level":"info"}"#),
    ] {
        let mut world = World::default();
        world.add(10, hello([br#""one","#, bad, br#","two""#].concat()));
        world.add(11, hello(r#""older""#));
        let run = world.run(&["hello"]);
        let mended = (text.to_owned(), r#"["mended"]"#.to_owned());
        assert_eq!(run.lines(), [plain("one"), mended, plain("two"), plain("older")]);
        assert_eq!(run.result["lines"]["mended"], 1);
        assert_eq!(warnings_of_mending(&run), 1);
        assert!(run.complete && run.result["unreadable_records"].is_null(), "{}", run.result);
    }
}

#[test]
fn a_run_with_sound_entries_only_says_nothing_of_mending() {
    let mut world = World::default();
    world.add(10, hello(r#""half a pair of words: \\ud83d \ud83d\udc4b""#));
    let run = world.run(&["hello"]);
    assert_eq!(run.lines(), [plain("half a pair of words: \\ud83d 👋")]);
    assert!(run.result["lines"].get("mended").is_none());
    assert_eq!(warnings_of_mending(&run), 0);
}

#[test]
fn a_record_without_a_path_is_forwarded_by_name_and_by_pattern_alike() {
    for annotations in
        [r#""annotations":[{"key":"kind","value":"nodejs:20"}],"#, r#""annotations":null,"#, ""]
    {
        let mut world = World::default();
        world.add(
            10,
            format!(r#""end":1699999999999,"namespace":"guest","name":"hello",{annotations}"logs":["one"]"#),
        );
        for actions in [&["hello"][..], &["*", "*/*"], &["pkg/*"]] {
            let run = world.run(actions);
            assert_eq!(run.lines(), [plain("one")], "{annotations} {actions:?}");
            assert_eq!(run.events[0]["action"], "hello");
            assert!(run.complete);
        }
    }
}

#[test]
fn a_record_of_any_size_arrives_line_by_line_and_its_neighbours_with_it() {
    // 6 MB of control characters are 36 MB of JSON.
    let line = format!("2023-11-14T22:13:19.5Z stdout: {}", "\u{1}".repeat(500_000));
    let logs = vec![json!(line).to_string(); 12].join(",");
    let mut world = World::default();
    world.add(9, hello(r#""newer""#));
    world.add(10, hello(&logs));
    world.add(11, hello(r#""older""#));
    assert!(world.records[1].json.len() > 36_000_000);
    let run = world.run(&["hello"]);
    let texts = run.texts();
    assert_eq!((texts.len(), &*texts[0], &*texts[13]), (14, "newer", "older"));
    assert!(texts[1..13].iter().all(|text| *text == line));
    assert!(run.complete && run.result.get("error").is_none(), "{}", run.result);
}

#[test]
fn a_log_of_any_size_in_a_store_of_its_own_arrives_line_by_line() {
    let line = "x".repeat(100_000);
    let logs = json!({"logs": vec![&line; 360]}).to_string();
    assert!(logs.len() > 36_000_000);
    let mut world = World::default();
    world.add(10, hello("")).logs = logs.into_bytes();
    let run = world.run(&["hello"]);
    assert_eq!((run.events.len(), run.texts().iter().all(|text| *text == line)), (360, true));
    assert!(run.complete && run.result.get("error").is_none(), "{}", run.result);
}

/// What the platform adds to the record of a run whose logs were too large.
const NOTICE: &str = "2023-11-14T22:13:19.5Z stderr: Logs were truncated because the total bytes size exceeds the limit of 10485760 bytes.";

#[test]
fn before_a_log_of_any_size_in_a_store_of_its_own_comes_the_records_own_notice_once() {
    let line = "x".repeat(100_000);
    for stored in [vec![&*line; 360], [vec![&*line; 360], vec![NOTICE]].concat()] {
        let mut world = World::default();
        world.add(10, hello(json!(NOTICE).to_string())).logs =
            json!({"logs": stored}).to_string().into_bytes();
        let run = world.run(&["hello"]);
        let texts = run.texts();
        assert_eq!((texts.len(), &*texts[0]), (361, NOTICE));
        assert!(texts[1..].iter().all(|text| *text == line));
        assert!(run.complete && run.result.get("error").is_none(), "{}", run.result);
    }
}

#[test]
fn a_run_is_not_complete_while_a_notice_waits_for_the_lines_that_come_after_it() {
    let mut world = World::default();
    world.add(10, hello(json!(NOTICE).to_string()));
    let run = world.run(&["hello"]);
    assert_eq!((run.events.len(), run.complete), (0, false), "{}", run.result);
    assert_eq!(run.result["left"]["activations"], 1, "{}", run.result);
}

#[test]
fn the_event_of_an_activation_whose_logs_are_not_there_yet_is_left_to_a_later_run_and_counted() {
    let record =
        [&hello("")[..], br#","response":{"status":"application error","statusCode":1,"success":false}"#]
            .concat();
    for (activations, waits) in [(json!(true), true), (json!("failed"), true), (json!(false), false)] {
        let mut world = World::default();
        world.add(20, &record);
        world.add(10, &record);
        let run = world.run_with(&["hello"], json!({"events": {"shape": "ecs", "activations": activations}}));
        let left = &run.result["left"];
        let (count, age_ms) = if waits { (json!(2), json!(20_000)) } else { (json!(null), json!(null)) };
        assert_eq!((run.events.len(), run.complete), (0, true), "nothing is wrong: {}", run.result);
        assert_eq!((&left["activations"], &left["oldest_age_ms"]), (&count, &age_ms), "{}", run.result);
        let lag_ms = run.result["lag_ms"].as_u64();
        assert_eq!(lag_ms, Some(if waits { 20_000 } else { 0 }), "{}", run.result);
    }
}

#[test]
fn events_that_a_receiver_refuses_are_counted_and_ten_of_them_named_by_their_ids() {
    let lines: Vec<String> = (0..14).map(|number| format!(r#""line {number:02}""#)).collect();
    for (poison, refused, named, last) in [
        (&["line 03"][..], 1, 1, "-3"),
        (&["-activation"], 2, 2, "-activation"),
        (&["line 0", "line 10"], 11, 10, "-9"),
    ] {
        let mut world = World::default();
        world.poison = poison.iter().map(ToString::to_string).collect();
        world.add(11, hello(r#""older""#));
        world.add(10, hello(lines.join(",")));
        let run = world.run_with(&["hello"], json!({"events": {"shape": "ecs", "activations": true}}));
        let told = &run.result["lines"];
        assert_eq!((&told["set_aside"], &told["acknowledged"]), (&json!(refused), &json!(17 - refused)));
        let error = run.result["error"].as_str().unwrap();
        let ids: Vec<&str> = error.rsplit(": ").next().unwrap().split(", ").collect();
        let is_one = |id: &&&str| id.contains(&world::id(10)) && id.ends_with(last);
        assert_eq!((ids.len(), ids.iter().filter(is_one).count()), (named, 1), "{error}");
    }
}

#[test]
fn a_line_that_no_event_can_hold_is_cut_and_says_so_however_large_it_is() {
    let long = "y".repeat(20 << 20);
    let mut world = World::default();
    world.add(10, hello(format!(r#""one","{long}","three","{long}\ud83d""#)));
    let run = world.run(&["hello"]);
    let lines = run.lines();
    assert_eq!((&lines[0], &lines[2]), (&plain("one"), &plain("three")));
    for (text, flags) in [&lines[1], &lines[3]] {
        assert!(text.len() > 10_000_000 && long.starts_with(text.as_str()));
        assert_eq!(flags, r#"["truncated"]"#);
    }
    assert_eq!((&run.result["lines"]["truncated"], lines.len()), (&json!(2), 4));
}
