//! The scripted receiver is no softer than real ones, serves clients by others, and misbehaves as it is told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a panic is how they fail"
)]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use miniz_oxide::deflate::compress_to_vec_zlib;
use serde_json::{Value, json};
use whiskjack_testbed::{
    Answer, Client, Inflated, Journal, Receiver, ReceiverOptions, Rules, Scripted, ScriptedOptions, Session,
    inflate_with_python,
};

const SOON: Duration = Duration::from_secs(20);

fn number(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap().to_be_bytes()
}

fn header(count: usize) -> Vec<u8> {
    [b"2W", &number(count)[..]].concat()
}

fn frame(sequence: usize, payload: &[u8]) -> Vec<u8> {
    [b"2J", &number(sequence)[..], &number(payload.len()), payload].concat()
}

fn old_frame(sequence: usize, pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = [b"1D", &number(sequence)[..], &number(pairs.len())].concat();
    for text in pairs.iter().flat_map(|(key, value)| [key, value]) {
        bytes.extend([&number(text.len())[..], text.as_bytes()].concat());
    }
    bytes
}

fn packed(version: u8, frames: &[u8]) -> Vec<u8> {
    around(version, &compress_to_vec_zlib(frames, 6))
}

fn around(version: u8, stream: &[u8]) -> Vec<u8> {
    [&[version, b'C'][..], &number(stream.len()), stream].concat()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&String::from_iter(pair), 16).unwrap()).collect()
}

fn hi(sequence: usize) -> Vec<u8> {
    frame(sequence, br#"{"message":"hi"}"#)
}

/// What the receiver answers until it closes; our side stays open, as that of a waiting client.
fn answer(to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// How many windows of a client that sends this, and then no more, the scripted receiver takes; and why no more.
fn taken(receiver: &Scripted, bytes: &[u8]) -> (usize, String) {
    let before = receiver.journal().connections.len();
    let mut stream = TcpStream::connect(receiver.address()).unwrap();
    // It may be refused before the last byte.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
    receiver.wait_for(SOON, |journal| {
        let connection = journal.connections.get(before).filter(|connection| connection.closed)?;
        Some((connection.windows.len(), connection.refusal.clone().unwrap_or_default()))
    })
}

/// The same for go-lumber's server. It hands windows on in order, so those before a sentinel are all.
fn taken_by_go_lumber(receiver: &Receiver, seen: &mut usize, bytes: &[u8]) -> usize {
    let mut stream = TcpStream::connect(receiver.address()).unwrap();
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
    let mut sentinel = TcpStream::connect(receiver.address()).unwrap();
    sentinel.write_all(&[header(1), frame(1, br#"{"sentinel":true}"#)].concat()).unwrap();
    sentinel.read_exact(&mut [0; 6]).unwrap();
    let mut windows = std::collections::BTreeSet::new();
    loop {
        let events = receiver.wait_for_events(*seen + 1, SOON);
        let event = &events[*seen];
        *seen += 1;
        if event.event == json!({"sentinel": true}) {
            return windows.len();
        }
        windows.insert(event.window);
    }
}

fn texts(journal: &Journal) -> Vec<String> {
    journal.events().iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}

fn windows_of(sizes: &[usize]) -> (Vec<Vec<Value>>, Vec<String>) {
    let mut lines = (0..).map(|number| format!("line {number} Zürich 👋 \u{1}\""));
    let windows: Vec<Vec<String>> = sizes.iter().map(|size| lines.by_ref().take(*size).collect()).collect();
    let all = windows.concat();
    let event = |line: &String| json!({"message": line, "@timestamp": "2023-11-14T22:13:20.010Z"});
    (windows.iter().map(|window| window.iter().map(event).collect()).collect(), all)
}

fn all_acknowledged(sizes: &[usize]) -> Vec<Answer> {
    sizes.iter().map(|size| Answer { acknowledged: *size, error: None }).collect()
}

#[test]
fn elastics_client_is_served_at_every_level() {
    for level in 0..=9 {
        let receiver = Scripted::good();
        let sizes = [1, 2, 2048, 7];
        let (windows, lines) = windows_of(&sizes);
        assert_eq!(Client::GoLumber(level).send(receiver.address(), &windows), all_acknowledged(&sizes));
        let journal = receiver.settled(SOON);
        assert_eq!(journal.refusals(), [""; 0]);
        assert_eq!(texts(&journal), lines, "level {level}");
        assert!(journal.windows().all(|window| window.compressed == (level > 0)));
    }
}

#[test]
fn pylogbeat_is_served_a_window_a_connection() {
    let receiver = Scripted::good();
    let sizes = [1, 5, 300];
    let (windows, lines) = windows_of(&sizes);
    for (window, size) in windows.into_iter().zip(sizes) {
        assert_eq!(Client::Pylogbeat.send(receiver.address(), &[window]), all_acknowledged(&[size]));
    }
    let journal = receiver.settled(SOON);
    assert_eq!(journal.refusals(), [""; 0]);
    assert_eq!(texts(&journal), lines);
}

#[test]
fn pylogbeats_second_window_on_a_connection_is_refused_as_its_numbers_go_on() {
    let receiver = Scripted::good();
    let (windows, _) = windows_of(&[2, 2]);
    let answers = Client::Pylogbeat.send(receiver.address(), &windows);
    assert_eq!(answers[..1], all_acknowledged(&[2]));
    assert!(answers[1].error.is_some(), "{answers:?}");
    assert_eq!(receiver.settled(SOON).refusals(), ["the sequence number 3 where 1 comes"]);
}

#[test]
fn an_event_that_is_not_portable_costs_elastics_client_its_connection() {
    let receiver = Scripted::good();
    let answers = Client::GoLumber(3).send(receiver.address(), &[vec![json!({"beat": "x"})]]);
    assert!(answers[0].error.is_some(), "{answers:?}");
    assert_eq!(receiver.settled(SOON).refusals(), ["an event with the key \"beat\": must not be a string"]);
}

#[test]
fn the_worked_examples_are_answered_as_real_receivers_do() {
    // docs/facts/lumberjack.md 1.5
    let receiver = Scripted::with(
        ScriptedOptions { rules: Rules { pipelining: true, ..Rules::default() }, ..Default::default() },
        |session: &mut Session| {
            // As a receiver that closes after two windows, so that nobody waits.
            for _ in 0..2 {
                let Some(window) = session.window() else { return };
                session.ack(window.events.len() as u32);
            }
        },
    );
    let once = |text: &str| {
        let bytes = hex(text);
        let mut stream = TcpStream::connect(receiver.address()).unwrap();
        stream.write_all(&bytes).unwrap();
        let mut ack = [0; 6];
        stream.read_exact(&mut ack).map(|()| ack.to_vec()).unwrap_or_default()
    };
    let e1 = "3257 00000001 324a 00000001 00000010 7b226d657373616765223a226869227d";
    let e2 = "3257 00000002 3243 0000002b 789c33f2626060600462c16aa5dcd4e2e2c4f454252b05a58c4ca55a23901413865465be522d002bb10c55";
    let e4 = "3157 00000002 3143 0000001e 789c3374616060608462969cccbc54103bd11024cc842e9c040068f0050d";
    assert_eq!(once(e1), hex("3241 00000001"));
    assert_eq!(once(e2), hex("3241 00000002"));
    assert_eq!(once(e4), hex("3141 00000002"));
    assert_eq!(answer(receiver.address(), &hex(&format!("{e1}{e1}"))), hex("3241 00000001 3241 00000001"));
    for (example, rule) in [
        // Bare data frames: a Beats input fails on them as soon as TCP splits one.
        (
            "3157 00000001 3144 00000001 00000002 00000004 6c696e65 00000002 6869 00000004 686f7374 00000002 6831",
            "not compressed",
        ),
        ("3257 00000000", "an empty window"),
        (
            "3157 00000001 3143 00000023 789c33f4626060600462e16aa59cccbc54252ba58c4c251da53c252bc35a004983060c",
            "a frame of type 'J'",
        ),
        ("3257 00002711", "a window of 10001 events"),
    ] {
        let (windows, refusal) = taken(&receiver, &hex(example));
        assert!(windows == 0 && refusal.contains(rule), "{example}: {refusal}");
    }
}

/// Streams of docs/facts/lumberjack.md 1.3 and 2.4 that at least one receiver refuses, loses or reads differently.
fn bad_streams() -> Vec<(&'static str, Vec<u8>)> {
    let one = [header(1), packed(b'2', &hi(1))].concat();
    let zlib = compress_to_vec_zlib(&hi(1), 6);
    let whole = zlib.len();
    let mut checksum = zlib.clone();
    checksum[whole - 1] ^= 1;
    let raw = miniz_oxide::deflate::compress_to_vec(&hi(1), 6);
    let line = [("line", "hi")];
    let window = |parts: &[Vec<u8>]| parts.concat();
    let mut streams = vec![
        ("window inside", packed(b'2', &[header(1), hi(1)].concat())),
        ("two compressed frames", window(&[header(2), packed(b'2', &hi(1)), packed(b'2', &hi(2))])),
        ("compressed, then bare", window(&[header(2), packed(b'2', &hi(1)), hi(2)])),
        ("bare, then compressed", window(&[header(2), hi(1), packed(b'2', &hi(2))])),
        ("nested", window(&[header(1), packed(b'2', &packed(b'2', &hi(1)))])),
        ("more than announced", window(&[header(1), packed(b'2', &[hi(1), hi(2)].concat())])),
        ("fewer than announced", window(&[header(2), packed(b'2', &hi(1))])),
        ("no window", packed(b'2', &hi(1))),
        ("no window, bare", hi(1)),
        ("empty window", header(0)),
        (
            "1W, 1J",
            window(&[
                [b"1W", &number(1)[..]].concat(),
                hi(1).iter().enumerate().map(|(at, byte)| if at == 0 { b'1' } else { *byte }).collect(),
            ]),
        ),
        ("2W, 2D", window(&[header(1), packed(b'2', &[b"2D", &old_frame(1, &line)[2..]].concat())])),
        ("1W, 2C", window(&[[b"1W", &number(1)[..]].concat(), packed(b'2', &old_frame(1, &line))])),
        ("2W, 1J inside", window(&[header(1), packed(b'2', &[b"1J", &hi(1)[2..]].concat())])),
        ("no checksum", window(&[header(1), around(b'2', &zlib[..whole - 4])])),
        ("wrong checksum", window(&[header(1), around(b'2', &checksum)])),
        ("raw deflate", window(&[header(1), around(b'2', &raw)])),
        (
            "gzip",
            window(&[header(1), around(b'2', &[&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &raw].concat())]),
        ),
        ("junk after the stream", window(&[header(1), around(b'2', &[&zlib[..], b"junk"].concat())])),
        ("compressed frame of 0", window(&[header(1), around(b'2', b"")])),
        ("ends inside a frame", window(&[header(1), packed(b'2', &hi(1)[..20])])),
        ("sequence from 0", window(&[header(1), packed(b'2', &hi(0))])),
        ("sequence goes on", [&one[..], &window(&[header(1), packed(b'2', &hi(2))])].concat()),
        ("sequence stands", window(&[header(2), packed(b'2', &[hi(1), hi(1)].concat())])),
        ("an ack from the writer", [b"2A", &number(1)[..]].concat()),
        ("version 3", [b"3W", &number(1)[..]].concat()),
        ("a TLS hello", hex("16030100")),
        ("HTTP", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("over 10,000", window(&[header(10_001)])),
        ("an event of 0 bytes", window(&[header(1), packed(b'2', &frame(1, b""))])),
        ("an event of 4 GiB", window(&[header(1), b"2J\0\0\0\x01\xff\xff\xff\xff".to_vec()])),
        (
            "a data frame without pairs",
            window(&[[b"1W", &number(1)[..]].concat(), packed(b'1', &old_frame(1, &[]))]),
        ),
        (
            "a data frame without line",
            window(&[[b"1W", &number(1)[..]].concat(), packed(b'1', &old_frame(1, &[("a", "b")]))]),
        ),
        (
            "another version in the next window",
            [&one[..], &[b"1W", &number(1)[..]].concat(), &packed(b'1', &old_frame(1, &line))].concat(),
        ),
    ];
    for payload in [
        &b"[{}]"[..],
        b"1",
        b"\"a\"",
        b"null",
        b"{}junk",
        b"{}\n",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":\"\xc0\x80\"}",
        b"{\"a\":\"\\ud800\"}",
        b"{\"a\":\"\n\"}",
        b"\xef\xbb\xbf{}",
        b"{\"a\":NaN}",
        b"{\"a\":1e400}",
        b"{\"beat\":\"x\",\"message\":\"m\"}",
    ] {
        streams.push(("a payload", [header(1), packed(b'2', &frame(1, payload))].concat()));
        streams.push((
            "a payload after a good one",
            [header(2), packed(b'2', &[hi(1), frame(2, payload)].concat())].concat(),
        ));
    }
    streams
}

#[test]
fn what_any_receiver_refuses_is_refused() {
    let receiver = Scripted::good();
    let good = [header(1), packed(b'2', &hi(1))].concat();
    assert_eq!(taken(&receiver, &good), (1, String::new()));
    for (what, stream) in bad_streams() {
        let (windows, refusal) = taken(&receiver, &stream);
        let goods = usize::from(stream.len() > good.len() && stream.starts_with(&good));
        assert_eq!(windows, goods, "{what} was taken");
        assert!(!refusal.is_empty(), "{what}: no rule");
    }
}

#[test]
fn what_elastics_server_does_not_take_is_not_taken() {
    let ours = Scripted::with(
        ScriptedOptions { rules: Rules { pipelining: true, ..Rules::default() }, ..Default::default() },
        Session::serve,
    );
    let theirs = Receiver::start(ReceiverOptions::default());
    let (mut seen, mut both, mut neither, mut only_theirs) = (0, 0, 0, 0);
    let mut compare = |what: &str, stream: &[u8]| {
        let (we, _) = taken(&ours, stream);
        let they = taken_by_go_lumber(&theirs, &mut seen, stream);
        assert!(we <= they, "{what}: we took {we} windows, go-lumber {they}: {}", stream.escape_ascii());
        match (we, they) {
            (0, 0) => neither += 1,
            (we, they) if we == they => both += 1,
            _ => only_theirs += 1,
        }
    };
    for (what, stream) in bad_streams() {
        compare(what, &stream);
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for round in 0..120 {
        let stream = mutated(&mut random);
        compare(&format!("round {round}"), &stream);
    }
    assert!(
        both > 10 && neither > 10 && only_theirs > 5,
        "{both} {neither} {only_theirs}: a test of nothing"
    );
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// A good window, bare or compressed, of either version, with something changed before or after compression, or nothing.
fn mutated(random: &mut Random) -> Vec<u8> {
    let count = 1 + random.below(3);
    let old = random.below(3) == 0;
    let version = if old { b'1' } else { b'2' };
    let mut frames: Vec<u8> = (1..=count)
        .flat_map(|at| if old { old_frame(at, &[("line", "hi"), ("a", "b")]) } else { hi(at) })
        .collect();
    let what = random.below(5);
    if what < 2 {
        change(random, &mut frames);
    }
    let body = if !old && random.below(3) == 0 { frames } else { packed(version, &frames) };
    let mut stream = [&[version, b'W'][..], &number(count), &body].concat();
    if what == 2 || what == 3 {
        change(random, &mut stream);
    }
    stream
}

fn change(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = random.below(bytes.len());
    match random.below(4) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => drop(bytes.remove(at)),
        2 => bytes.insert(at, random.below(256) as u8),
        _ => bytes.truncate(at),
    }
}

#[test]
fn a_client_that_does_not_wait_for_its_ack_is_refused_unless_it_may() {
    for pipelining in [false, true] {
        let rules = Rules { pipelining, ..Rules::default() };
        let receiver = Scripted::with(ScriptedOptions { rules, ..Default::default() }, Session::serve);
        let two = [header(1), hi(1), header(1), hi(1)].concat();
        let (windows, refusal) = taken(&receiver, &two);
        assert_eq!(
            (windows, refusal.contains("before the last window")),
            if pipelining { (2, false) } else { (1, true) }
        );
    }
}

#[test]
fn a_script_can_ack_in_part_and_reset_close_or_close_half() {
    let receiver = Scripted::start(|session| {
        session.window();
        session.ack(1);
        match session.number() {
            1 => session.reset(),
            2 => session.close(),
            3 => {
                session.finish_writing();
                assert_eq!(session.bytes(4), b"more");
            }
            _ => {
                session.keep_alive();
                session.ack_as(b'1', 9);
            }
        }
    });
    let window = [header(2), hi(1), hi(2)].concat();
    let connect = || {
        let mut stream = TcpStream::connect(receiver.address()).unwrap();
        stream.write_all(&window).unwrap();
        let mut ack = [0; 6];
        stream.read_exact(&mut ack).map(|()| assert_eq!(&ack, b"2A\0\0\0\x01")).ok();
        stream
    };
    let reset = connect().read(&mut [0]);
    assert_eq!(reset.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(connect().read(&mut [0]).unwrap(), 0);
    let mut half = connect();
    assert_eq!(half.read(&mut [0]).unwrap(), 0);
    half.write_all(b"more").unwrap();
    let mut rest = Vec::new();
    connect().read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"2A\0\0\0\x001A\0\0\0\x09");
    let journal = receiver.settled(SOON);
    assert!(journal.windows().all(|window| (window.acknowledged, window.events.len()) == (1, 2)));
}

#[test]
fn a_slow_window_is_given_up() {
    let rules = Rules { within: Duration::from_millis(50), ..Rules::default() };
    let receiver = Scripted::with(ScriptedOptions { rules, ..Default::default() }, Session::serve);
    assert_eq!(answer(receiver.address(), &header(1)), b"");
    assert_eq!(receiver.settled(SOON).windows().count(), 0);
}

#[test]
fn pythons_zlib_finds_what_ours_has_packed() {
    let window = [header(2), packed(b'2', &[hi(1), hi(2)].concat())].concat();
    let expected = Inflated { announced: 2, left: 0, frames: vec![('J', 1), ('J', 2)] };
    assert_eq!(inflate_with_python(&[&window[..], &window].concat()), [expected.clone(), expected]);
}
