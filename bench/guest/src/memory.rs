//! The core's ports in memory: an API that lists the records, and a receiver that takes everything at once.

use std::cell::Cell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use whiskjack::openwhisk::record::Record;
use whiskjack::ports::{
    Body, Clock, Connection, Failure, Http, Request, Response, Step, Transport, TransportError,
};

use crate::Records;

/// Bytes in a piece of an answer, as the product reads them.
const CHUNK: usize = 64 << 10;

/// Bytes of a window's two headers.
const HEADERS: usize = 12;

/// An API that knows lists of full records and counts, by `name`, `since`, `upto`, `limit` and `skip`.
#[derive(Debug)]
pub struct Api<'a> {
    records: &'a Records,
    /// Name and start of each record.
    keys: Vec<(String, u64)>,
}

impl<'a> Api<'a> {
    /// Lists these records.
    pub fn new(records: &'a Records) -> Self {
        let key = |record: &Record<'_>| (record.name.to_string(), record.start);
        Self { records, keys: records.parsed().iter().map(key).collect() }
    }

    /// First and last start.
    pub fn span(&self) -> (u64, u64) {
        let start = |key: Option<&(String, u64)>| key.map_or(0, |(_, start)| *start);
        (start(self.keys.last()), start(self.keys.first()))
    }

    /// The names of all actions.
    pub fn names(&self) -> BTreeSet<&str> {
        self.keys.iter().map(|(name, _)| name.as_str()).collect()
    }
}

impl Http for Api<'_> {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        let Some((_, query)) = request.target.split_once('?') else {
            let body = br#"{"error":"The requested resource does not exist.","code":"x"}"#.to_vec();
            return Ok(Response { status: 404, retry_after: None, body: Box::new(Page { body, at: 0 }) });
        };
        let param = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let number = |name: &str| param(name).and_then(|value| value.parse::<u64>().ok());
        let range = number("since").unwrap_or(0)..=number("upto").unwrap_or(u64::MAX);
        let (limit, skip) = (number("limit").unwrap_or(30) as usize, number("skip").unwrap_or(0) as usize);
        let wanted = |(name, start): &(String, u64)| {
            range.contains(start) && param("name").is_none_or(|wanted| wanted == name)
        };
        let inside = self.keys.iter().zip(&self.records.json);
        let inside = inside.filter(|(key, _)| wanted(key)).map(|(_, json)| json).skip(skip);
        let mut body = Vec::new();
        if param("count") == Some("true") {
            body.extend_from_slice(format!("{{\"activations\":{}}}", inside.count()).as_bytes());
        } else {
            body.push(b'[');
            for (row, json) in inside.take(limit).enumerate() {
                if row > 0 {
                    body.push(b',');
                }
                body.extend_from_slice(json);
            }
            body.push(b']');
        }
        Ok(Response { status: 200, retry_after: None, body: Box::new(Page { body, at: 0 }) })
    }
}

struct Page {
    body: Vec<u8>,
    at: usize,
}

impl Body for Page {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let end = self.body.len().min(self.at + CHUNK);
        let chunk = self.body.get(self.at..end).unwrap_or_default().to_vec();
        self.at = end;
        Ok(Some(chunk).filter(|chunk| !chunk.is_empty()))
    }
}

/// The system's clock.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or_default()
    }

    fn sleep_ms(&self, ms: u64) {
        std::thread::sleep(std::time::Duration::from_millis(ms));
    }

    fn random(&self) -> u64 {
        7
    }
}

/// Acknowledges each window as a whole.
#[derive(Debug, Default)]
pub struct Acknowledging {
    bytes: Rc<Cell<u64>>,
}

impl Acknowledging {
    /// Bytes that came so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }
}

impl Transport for Acknowledging {
    fn connect(&self, _: &str, _: u16, _: u64) -> Result<Box<dyn Connection>, TransportError> {
        Ok(Box::new(Line { bytes: Rc::clone(&self.bytes), ..Line::default() }))
    }
}

#[derive(Default)]
struct Line {
    bytes: Rc<Cell<u64>>,
    /// Of the window that is arriving: how many events, and how many bytes are still to come.
    window: [u8; 4],
    missing: usize,
    acks: VecDeque<u8>,
}

impl Connection for Line {
    fn write(&mut self, bytes: &[u8], _: u64) -> Result<(), TransportError> {
        self.bytes.set(self.bytes.get() + bytes.len() as u64);
        // A window is its size and one compressed frame. It comes in pieces, of which the first holds both headers.
        if self.missing == 0
            && let [b'2', b'W', a, b, c, d, b'2', b'C', e, f, g, h, ..] = *bytes
        {
            self.window = [a, b, c, d];
            self.missing = HEADERS + u32::from_be_bytes([e, f, g, h]) as usize;
        }
        self.missing = self.missing.saturating_sub(bytes.len());
        if self.missing == 0 {
            self.acks.extend(b"2A".iter().chain(&self.window));
        }
        Ok(())
    }

    fn read(&mut self, max: u32, _: u64) -> Result<Vec<u8>, TransportError> {
        if self.acks.is_empty() {
            return Err(TransportError { step: Step::Timeout, retryable: true, message: "silence".into() });
        }
        let most = self.acks.len().min(max as usize);
        Ok(self.acks.drain(..most).collect())
    }
}
