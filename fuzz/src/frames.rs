//! Any bytes for our own receiver are windows by all its rules, or refused; any events come there as they were sent.

use std::io::Cursor;

use serde_json::{Map, Value};
use whiskjack::lumberjack::{Goal, Options, Protocol, Sender, Step, write_pairs};
use whiskjack_testbed::{Refusal, Rules, Window, event_fault, read_window};

use crate::script::Script;

/// Most events of a case: a case shall be quick.
const MOST_EVENTS: u32 = 12;

/// Tries them on the wire, and as a description of events.
pub fn try_with(bytes: &[u8]) {
    for no_small_windows in [false, true] {
        decode(bytes, Rules { no_small_windows, ..Rules::default() });
    }
    there_and_back(Script::new(bytes));
}

fn decode(bytes: &[u8], rules: Rules) {
    let mut from = Cursor::new(bytes);
    let mut version = None;
    loop {
        let began = from.position();
        let window = match read_window(&mut from, rules, version) {
            Ok(window) => window,
            Err(Refusal::Rule(rule)) => return assert!(!rule.is_empty()),
            Err(Refusal::Closed | Refusal::Cut(_)) => return,
        };
        assert_eq!(began + window.bytes as u64, from.position());
        assert!(version.is_none_or(|version| version == window.version));
        version = Some(window.version);
        let count = u32::try_from(window.events.len()).unwrap();
        assert!((1..=rules.most_events).contains(&count));
        assert!(!(rules.no_small_windows && window.version == b'2' && (2..=4).contains(&count)));
        for event in &window.events {
            assert!(window.version == b'1' || event_fault(event).is_none(), "{event}");
            assert!(window.version == b'2' || event["line"].is_string(), "{event}");
        }
    }
}

fn there_and_back(mut script: Script<'_>) {
    let protocol = script.one_of([Protocol::V2, Protocol::V1]);
    let options = Options {
        protocol,
        window_events: 1 + script.below(MOST_EVENTS),
        compression_level: script.one_of([0, 1, 3, 6, 9]),
        ..Options::default()
    };
    let version = if protocol == Protocol::V1 { b'1' } else { b'2' };
    let compressed = protocol == Protocol::V1 || options.compression_level > 0;
    let mut sender = Sender::new(options, vec!["receiver".into()], None, 0);
    let mut sent = Vec::new();
    for _ in 0..script.below(MOST_EVENTS) {
        let event = match protocol {
            Protocol::V1 => pairs(&mut script),
            Protocol::V2 => object(&mut script, 0),
        };
        sender.outbox().push(|out| write(protocol, &event, out)).unwrap();
        sent.push(Value::Object(event));
    }
    let windows = through(&mut sender);
    assert!(windows.iter().all(|window| (window.version, window.compressed) == (version, compressed)));
    let came: Vec<Value> = windows.into_iter().flat_map(|window| window.events).collect();
    assert_eq!(came, sent);
}

/// What comes through to a receiver that acknowledges each window.
fn through(sender: &mut Sender) -> Vec<Window> {
    let (mut unread, mut windows, mut acks) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match sender.step(0, Goal::Settled, u64::MAX) {
            Step::Done => return windows,
            Step::Connect { .. } => sender.connected(0, Ok(())),
            Step::Write { bytes, .. } => {
                unread.extend_from_slice(bytes);
                sender.written(0, Ok(()));
                if let Ok(window) = read_window(&mut Cursor::new(&unread), Rules::default(), None) {
                    unread.drain(..window.bytes);
                    acks.extend_from_slice(b"2A");
                    acks.extend_from_slice(&u32::try_from(window.events.len()).unwrap().to_be_bytes());
                    windows.push(window);
                }
            }
            Step::Read { timeout_ms: 0 } => sender.received(0, Err(nothing())),
            Step::Read { .. } => {
                let refusal = || read_window(&mut Cursor::new(&unread), Rules::default(), None);
                assert!(!acks.is_empty(), "{:?}", refusal());
                sender.received(0, Ok(&std::mem::take(&mut acks)));
            }
            step => panic!("{step:?}"),
        }
    }
}

fn nothing() -> whiskjack::ports::TransportError {
    whiskjack::ports::TransportError {
        step: whiskjack::ports::Step::Timeout,
        retryable: true,
        message: String::new(),
    }
}

fn write(protocol: Protocol, event: &Map<String, Value>, out: &mut Vec<u8>) -> serde_json::Result<()> {
    match protocol {
        Protocol::V1 => {
            let pairs: Vec<(&str, &str)> =
                event.iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap())).collect();
            write_pairs(out, &pairs);
            Ok(())
        }
        Protocol::V2 => serde_json::to_writer(out, event),
    }
}

/// An event of version 1.
fn pairs(script: &mut Script<'_>) -> Map<String, Value> {
    let mut event = Map::new();
    for _ in 0..script.below(6) {
        event.insert(key(script), script.text().into());
    }
    event.insert("line".into(), script.text().into());
    event
}

fn object(script: &mut Script<'_>, levels: u32) -> Map<String, Value> {
    (0..script.below(5)).map(|_| (key(script), value(script, levels + 1))).collect()
}

fn value(script: &mut Script<'_>, levels: u32) -> Value {
    match script.below(if levels < 6 { 8 } else { 6 }) {
        0 => Value::Null,
        1 => script.flag().into(),
        2 => script.number().cast_signed().into(),
        // Floats that are whole and large are read as such by some; ours has none.
        3 => (f64::from(script.byte()) / 8.0).into(),
        4 | 5 => script.text().into(),
        6 => (0..script.below(4)).map(|_| value(script, levels + 1)).collect(),
        _ => Value::Object(object(script, levels)),
    }
}

/// A key without a meaning of its own to a receiver.
fn key(script: &mut Script<'_>) -> String {
    format!("k{}", script.text().replace(['[', ']'], ""))
}
