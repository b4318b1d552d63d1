//! What goes over the wire: the sender alone, on a virtual clock (docs/facts/lumberjack.md 7.1, S1–S10 and others about bytes).

use crate::rig::{Happened, Rig, Say, ack, event, inflated, number, pairs, payloads, well};
use serde_json::Value;
use whiskjack::events::{Document, Events, Form};
use whiskjack::lumberjack::{Goal, LARGEST_EVENT, Options, Protocol};
use whiskjack::openwhisk::record::Record;

pub(crate) fn options() -> Options {
    Options::default()
}

pub(crate) fn v1() -> Options {
    Options { protocol: Protocol::V1, ..options() }
}

pub(crate) fn bare() -> Options {
    Options { compression_level: 0, ..options() }
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap()).collect()
}

/// The bytes of the first window with these payloads.
fn window(options: Options, payloads: &[&str]) -> Vec<u8> {
    let mut rig = Rig::new(options, well());
    payloads.iter().for_each(|payload| rig.push_payload(payload));
    rig.work(Goal::Settled);
    rig.windows[0].bytes.clone()
}

/// The payload of version 1 with these pairs.
pub(crate) fn flat(pairs: &[(&str, &str)]) -> String {
    let mut bytes = Vec::new();
    whiskjack::lumberjack::write_pairs(&mut bytes, pairs);
    String::from_utf8(bytes).unwrap()
}

/// The payloads of a record's lines.
fn written(lines: &[&str], protocol: Protocol) -> Vec<Vec<u8>> {
    let json = serde_json::json!({"activationId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "namespace": "guest", "name": "hello", "start": 1,
        "end": 2000, "annotations": [], "logs": lines})
    .to_string();
    let record = Record::parse(json.as_bytes()).unwrap();
    let events = Events::of(&record, &Form::new(protocol));
    let write = |(index, line)| {
        let mut payload = Vec::new();
        events.write(Document::plain(index, line), &mut payload);
        payload
    };
    record.entries().enumerate().map(write).collect()
}

/// Texts that are hard on JSON.
fn nasty() -> Vec<String> {
    let mut texts: Vec<String> = (0..0x20u8).map(|c| format!("a{}b", char::from(c))).collect();
    texts.extend(
        [
            "",
            " ",
            "\"quoted\" \\ back",
            "\u{7f}\u{80}\u{2028}\u{2029}\u{feff}",
            "𝄞 \u{10ffff} é",
            "{\"json\":[1e400,NaN]}",
            "[a][b]",
            "\u{1b}[31mred",
        ]
        .map(String::from),
    );
    texts
}

sentences! {
    fn s01_a_window_is_its_size_in_the_clear_and_one_compressed_frame_in_one_write() {
        let mut rig = Rig::new(options(), well());
        rig.send(0..100);
        let writes = rig.log.iter().filter(|(_, happened)| matches!(happened, Happened::Write { .. })).count();
        assert_eq!(writes, 1);
        let bytes = &rig.windows[0].bytes;
        assert_eq!((&bytes[..6], &bytes[6..8]), (&b"2W\0\0\0\x64"[..], &b"2C"[..]));
        assert_eq!(number(&bytes[8..12]) as usize, bytes.len() - 12, "and nothing behind it");
        let mut rig = Rig::new(bare(), well());
        rig.send(0..100);
        assert_eq!(rig.windows[0].bytes[6..8], *b"2J");
    }

    fn s02_every_window_is_numbered_from_1_also_the_rest_of_one_and_after_a_reconnect() {
        // The rig reads frames only if they are numbered from 1.
        let mut first = true;
        let mut rig = Rig::new(options(), move |window| match std::mem::take(&mut first) {
            true => vec![Say::Ack(2), Say::Reset],
            false => vec![Say::Ack(window.len())],
        });
        rig.send(0..5);
        rig.send(5..7);
        assert_eq!(rig.sizes(), [(1, 5), (2, 3), (2, 2)]);
        assert_eq!(rig.windows[1].events[0], event(2).into_bytes());
    }

    fn s03_one_version_for_all_frames_of_a_connection() {
        for (options, version, data) in [(options(), b'2', b"2J"), (v1(), b'1', b"1D")] {
            let payload = flat(&[("line", "a")]);
            let bytes = window(options, &[&payload, &payload]);
            assert_eq!((bytes[0], bytes[6]), (version, version));
            assert_eq!(inflated(&bytes[12..])[..2], *data);
        }
    }

    fn s04_nothing_to_send_touches_no_socket() {
        let mut rig = Rig::new(options(), well());
        for goal in [Goal::Room, Goal::Sent, Goal::Settled] {
            rig.work(goal);
        }
        assert_eq!(rig.log, []);
    }

    fn s05_windows_are_bounded_by_events_and_by_bytes_and_a_line_that_is_too_long_is_cut() {
        let mut rig = Rig::new(Options { window_events: 40, ..options() }, well());
        rig.send(0..100);
        assert_eq!(rig.sizes(), [(1, 40), (1, 40), (1, 20)]);
        let mut rig = Rig::new(Options { window_bytes: 1000, ..options() }, well());
        let long = format!("{{\"m\":\"{}\"}}", "x".repeat(2000));
        [&event(1), &long, &event(2), &event(3)].into_iter().for_each(|payload| rig.push_payload(payload));
        rig.work(Goal::Settled);
        assert_eq!(rig.sizes(), [(1, 1), (1, 1), (1, 2)], "the one that is larger than a window goes alone");

        let line = format!("2023-11-14T22:13:20.01Z stdout: {}", "é\u{1}".repeat(2 << 20));
        for protocol in [Protocol::V1, Protocol::V2] {
            let payload = written(&[&line], protocol).remove(0);
            let most = if protocol == Protocol::V1 { line.len() + 1000 } else { LARGEST_EVENT };
            assert!(payload.len() <= most, "{} bytes", payload.len());
            if protocol == Protocol::V2 {
                assert!(payload.len() > LARGEST_EVENT - 200);
                let event: Value = serde_json::from_slice(&payload).unwrap();
                assert_eq!(event["log"]["flags"][0], "truncated");
                assert!(line.starts_with(event["line"].as_str().unwrap()), "cut between two characters");
            }
        }
        let event: Value = serde_json::from_slice(&written(&["short"], Protocol::V2)[0]).unwrap();
        assert_eq!(event.get("log"), None);
    }

    fn s06_the_zlib_stream_is_whole_with_checksum_and_holds_exactly_the_window() {
        for level in 1..=9 {
            let mut rig = Rig::new(Options { compression_level: level, ..options() }, well());
            rig.send(0..3000);
            for window in &rig.windows {
                let stream = &window.bytes[12..];
                let frames = inflated(stream);
                assert_eq!(payloads(&frames, Protocol::V2).len() as u32, window.len());
                let sum = frames.iter().fold((1u32, 0u32), |(a, b), byte| {
                    let a = (a + u32::from(*byte)) % 65521;
                    (a, (b + a) % 65521)
                });
                assert_eq!(number(&stream[stream.len() - 4..]), sum.1 << 16 | sum.0, "Adler-32 at the end");
            }
        }
    }

    fn s07_any_text_becomes_json_that_every_receiver_reads() {
        let texts = nasty();
        let lines: Vec<&str> = texts.iter().map(String::as_str).collect();
        for (payload, line) in written(&lines, Protocol::V2).iter().zip(&lines) {
            let text = std::str::from_utf8(payload).expect("strict UTF-8");
            assert!(text.bytes().all(|byte| byte >= 0x20), "control characters are escaped: {text}");
            assert!(text.starts_with('{') && text.ends_with('}') && !text.starts_with('\u{feff}'));
            let event: Value = serde_json::from_str(text).unwrap();
            assert_eq!(event["line"], **line);
            for key in event.as_object().unwrap().keys() {
                assert!(!key.is_empty() && text.matches(&format!("\"{key}\":")).count() == 1, "{key} once");
            }
        }
    }

    fn s08_fields_have_the_kinds_that_logstash_wants() {
        let event: Value = serde_json::from_slice(&written(&["[a] beat"], Protocol::V2)[0]).unwrap();
        let event = event.as_object().unwrap();
        assert!(event["@metadata"].is_object());
        assert!(event.get("message").is_none_or(Value::is_string));
        assert!(["event", "host", "beat"].iter().all(|key| event.get(*key).is_none_or(Value::is_object)));
        assert!(event.keys().all(|key| !key.contains(['[', ']'])));
    }

    fn s09_version_1_has_texts_only_and_a_line_is_compressed_and_one_window_is_on_its_way() {
        for payload in written(&["hi", ""], Protocol::V1) {
            let (pairs, bytes) = pairs(&payload);
            assert_eq!(bytes, payload.len());
            let keys: Vec<&str> = pairs.iter().map(|(key, _)| key.as_str()).collect();
            assert_eq!(keys, ["line", "activation", "action", "namespace", "id"], "and no @timestamp");
        }
        let payload = flat(&[("line", "a")]);
        for level in [0, 3] {
            let bytes = window(Options { compression_level: level, ..v1() }, &[&payload]);
            assert_eq!(bytes[6..8], *b"1C", "also at level 0");
        }
    }

    fn s10_version_1_is_for_the_lumberjack_input_and_holds_no_value_that_it_cannot_read() {
        // Logstash's lumberjack input closes version 2 windows of 2 to 4 events and objects in them; ours always have one, `@metadata`.
        // So it is served by version 1, where windows of any size are fine.
        let mut rig = Rig::new(v1(), well());
        for events in 1..=6 {
            (0..events).for_each(|n| rig.push_payload(&flat(&[("line", &n.to_string())])));
            rig.work(Goal::Settled);
        }
        assert_eq!(rig.sizes().iter().map(|(_, size)| *size).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    }

    fn s27_ids_are_stable_and_equal_lines_have_different_ones() {
        let ids = || -> Vec<String> {
            let id = |payload: &Vec<u8>| {
                let event: Value = serde_json::from_slice(payload).unwrap();
                event["@metadata"]["_id"].as_str().unwrap().to_owned()
            };
            written(&["same", "same"], Protocol::V2).iter().map(id).collect()
        };
        assert_eq!(ids(), ids());
        assert_ne!(ids()[0], ids()[1]);
        let flat: Vec<String> =
            written(&["same", "same"], Protocol::V1).iter().map(|payload| pairs(payload).0[4].1.clone()).collect();
        assert_eq!(flat, ids(), "the same in both versions");
    }

    fn s28_beat_and_version_are_always_there_for_index_names() {
        let event: Value = serde_json::from_slice(&written(&["x"], Protocol::V2)[0]).unwrap();
        let metadata = &event["@metadata"];
        assert_eq!(metadata["beat"], "whiskjack");
        assert!(metadata["version"].as_str().unwrap().starts_with(|c: char| c.is_ascii_digit()));
    }

    fn s37_the_same_events_become_the_same_bytes() {
        let bytes = || {
            let mut rig = Rig::new(options(), well());
            rig.send(0..5000);
            rig.windows.iter().flat_map(|window| window.bytes.clone()).collect::<Vec<u8>>()
        };
        assert_eq!(bytes(), bytes());
    }

    fn s40_the_worked_examples_come_out_byte_for_byte() {
        // docs/facts/lumberjack.md 1.5. E1, by Elastic's client at level 0.
        assert_eq!(window(bare(), &["{\"message\":\"hi\"}"]),
            hex("3257 00000001 324a 00000001 00000010 7b226d657373616765223a226869227d"));
        // E2 by pylogbeat and E10 by Elastic's client: compressed bytes are not canonical, so what they inflate to.
        let e2 = hex("3257 00000002 3243 0000002b 789c33f2626060600462c16aa5dcd4e2e2c4f454252b05a58c4ca55a23901413865465be522d002bb10c55");
        let ours = window(options(), &["{\"message\": \"hi\"}", "{\"message\": \"yo\"}"]);
        assert_eq!((&ours[..8], inflated(&ours[12..])), (&e2[..8], inflated(&e2[12..])));
        // E3 is bare, which we never send in version 1: the frames in ours are the same.
        let e3 = hex("3157 00000001 3144 00000001 00000002 00000004 6c696e65 00000002 6869 00000004 686f7374 00000002 6831");
        let ours = window(v1(), &[&flat(&[("line", "hi"), ("host", "h1")])]);
        assert_eq!((&ours[..6], inflated(&ours[12..])), (&e3[..6], e3[6..].to_vec()));
        // E4, the portable shape of version 1.
        let e4 = hex("3157 00000002 3143 0000001e 789c3374616060608462969cccbc54103bd11024cc842e9c040068f0050d");
        let ours = window(v1(), &[&flat(&[("line", "a")]), &flat(&[("line", "b")])]);
        assert_eq!((&ours[..8], inflated(&ours[12..])), (&e4[..8], inflated(&e4[12..])));
        // E5: keep-alives of version 2 to a window of version 1, then its ack.
        let mut rig = Rig::new(v1(), |_| vec![
            Say::After(5_100), Say::Bytes(hex("324100000000")), Say::After(5_000), Say::Bytes(hex("324100000000")),
            Say::After(3_600), Say::Bytes(hex("314100000001")),
        ]);
        rig.push_payload(&flat(&[("line", "a")]));
        rig.work(Goal::Settled);
        assert_eq!((rig.settled, rig.counts().keep_alives), (1, 2));
        // E6, an empty window, is never sent: s04. E7: two windows, each numbered from 1, each acknowledged by itself.
        let pipelined = Options { in_flight: 2, window_events: 2, ..bare() };
        let mut rig = Rig::new(pipelined, |window| vec![Say::Bytes(ack(b'2', window.len()))]);
        rig.send(0..3);
        assert_eq!((rig.settled, rig.sizes()), (3, vec![(1, 2), (1, 1)]));
        // E8, JSON under version 1, is what we never send: s03. E9, a window over 10,000: the configuration refuses it.
        let faults = whiskjack::config::Config::parse(
            br#"{"actions":["a"],"logstash":{"host":"h","port":1,"bulk_max_size":10001}}"#, None).unwrap_err().to_string();
        assert!(faults.contains("logstash.bulk_max_size") && faults.contains("10000"), "{faults}");
    }
}
