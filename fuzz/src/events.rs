//! Any texts as lines and names become events that every receiver reads as they were; one that is too long is cut between two characters and says so.

use serde_json::{Value, json};
use whiskjack::events::{self, Document, Events, Form};
use whiskjack::lumberjack::{LARGEST_EVENT, Protocol};
use whiskjack::openwhisk::record::{Line, Record};
use whiskjack_testbed::{Rules, read_window};

use crate::script::Script;

const MOST_LINES: usize = 8;
/// First millisecond of the year 10000: no platform's clock gets there, and times are written with four digits.
const YEAR_10000_MS: u64 = 253_402_300_800_000;
/// How much shorter than it may be an event is that was cut: the room for the marker, and a character that did not fit.
const SLACK: usize = 70;

/// Tries them as a description of a record.
pub fn try_with(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let most = script.one_of([LARGEST_EVENT, 300, 320, 400, 1_000, 0]);
    let (namespace, name, path) = (script.text(), script.text(), script.text());
    let id = format!("{:016x}{:016x}", script.number(), script.number());
    let start = script.number() % YEAR_10000_MS;
    let end = script.flag().then(|| script.number() % YEAR_10000_MS);
    let mut lines = Vec::new();
    while !script.is_over() && lines.len() < MOST_LINES {
        let times = script.one_of([1, 1, 1, 40]);
        lines.push(script.text().repeat(times));
    }
    let json = json!({"activationId": id, "namespace": namespace, "name": name, "start": start, "end": end,
        "annotations": [{"key": "path", "value": path}], "logs": lines})
    .to_string();
    let record = Record::parse(json.as_bytes()).unwrap();
    assert!(record.entries().map(|line| line.text().into_owned()).eq(lines.iter().cloned()));
    for (index, line) in record.entries().enumerate() {
        let text = line.text();
        let of = Of { record: &record, index, text: &text };
        for protocol in [Protocol::V2, Protocol::V1] {
            // As it came with the record, and as it comes from a store of log lines.
            of.check(protocol, line, most);
            of.check(protocol, (&*text).into(), most);
        }
    }
}

/// An entry of a record.
struct Of<'a> {
    record: &'a Record<'a>,
    index: usize,
    text: &'a str,
}

impl Of<'_> {
    fn check(&self, protocol: Protocol, line: Line<'_>, most: usize) {
        let events = Events::of(self.record, &Form::new(protocol));
        let write = |most| {
            // Behind something else, as in a window.
            let mut out = b"before".to_vec();
            let whole = events.write_within(most, Document::plain(self.index, line), &mut out);
            assert!(out.starts_with(b"before"));
            (whole, out.split_off(6))
        };
        let (whole, payload) = write(usize::MAX);
        assert!(whole);
        let read = self.read(protocol, &payload, false);
        assert_eq!(read, self.text);
        let (whole, cut) = write(most);
        assert_eq!(whole, payload.len() <= most);
        if whole {
            return assert_eq!(cut, payload);
        }
        let kept = self.read(protocol, &cut, true);
        assert!(self.text.starts_with(&kept) && kept.len() <= self.text.len());
        // Lines are cut, names are not.
        let besides = payload.len() - size(protocol, self.text);
        if besides + SLACK <= most {
            assert!(cut.len() <= most && cut.len() + SLACK > most, "{} of {most}", cut.len());
        } else {
            assert!(cut.len() <= besides + SLACK);
        }
    }

    /// The line, as a receiver reads it that takes nothing unsound; all other fields are as they should be.
    fn read(&self, protocol: Protocol, payload: &[u8], is_cut: bool) -> String {
        let event = received(protocol, payload);
        let id = events::id(&self.record.namespace, self.record.activation_id, self.index as u64);
        assert_eq!(event["activation"], self.record.activation_id.to_string());
        assert_eq!(event["action"], *self.record.name);
        assert_eq!(event["namespace"], *self.record.namespace);
        let (given, marker) = match protocol {
            Protocol::V1 => (&event["id"], &event["log.flags"]),
            Protocol::V2 => (&event["@metadata"]["_id"], &event["log"]["flags"][0]),
        };
        assert_eq!(*given, id);
        assert_eq!(marker.as_str(), is_cut.then_some("truncated"));
        event["line"].as_str().unwrap().to_owned()
    }
}

/// Bytes that a line takes.
fn size(protocol: Protocol, line: &str) -> usize {
    match protocol {
        Protocol::V1 => line.len(),
        Protocol::V2 => serde_json::to_string(line).unwrap().len() - 2,
    }
}

/// The event that our receiver reads.
fn received(protocol: Protocol, payload: &[u8]) -> Value {
    let number = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
    let wire = match protocol {
        Protocol::V2 => [b"2W\0\0\0\x012J\0\0\0\x01", &number(payload.len())[..], payload].concat(),
        Protocol::V1 => {
            let frame = [b"1D\0\0\0\x01", payload].concat();
            let stream = stored(&frame);
            [b"1W\0\0\0\x011C", &number(stream.len())[..], &stream].concat()
        }
    };
    let mut window = read_window(&mut wire.as_slice(), Rules::default(), None).unwrap();
    window.events.remove(0)
}

/// The bytes as a zlib stream that is not compressed (RFC 1950 and 1951): a compressor's tables would take longer than all the rest.
fn stored(bytes: &[u8]) -> Vec<u8> {
    const MOST: usize = 0xffff;
    let mut stream = vec![0x78, 0x01];
    let blocks = bytes.chunks(MOST).count();
    for (block, bytes) in bytes.chunks(MOST).enumerate() {
        let length = u16::try_from(bytes.len()).unwrap();
        stream.push(u8::from(block + 1 == blocks));
        stream.extend_from_slice(&length.to_le_bytes());
        stream.extend_from_slice(&(!length).to_le_bytes());
        stream.extend_from_slice(bytes);
    }
    let (low, high) = bytes.iter().fold((1u32, 0u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    stream.extend_from_slice(&(high << 16 | low).to_be_bytes());
    stream
}
