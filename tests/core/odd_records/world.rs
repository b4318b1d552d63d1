//! An API with a few records, whatever their bytes are, and a receiver that takes everything: the core's ports, in memory.

use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use whiskjack::ports::{
    Body, Clock, Connection, Failure, Http, Ports, Request, Response, Step, Transport, TransportError,
};
use whiskjack::run::plan::{self, CheckpointKeeper, Context};
use whiskjack_testbed::{Rules, read_window};

/// When the run is: 2023-11-14T22:13:20Z.
const NOW: u64 = 1_700_000_000_000;
/// Bytes in a piece of an answer.
const PIECE: usize = 64 << 10;

/// A record, with its start.
pub struct Record {
    pub start: u64,
    pub json: Vec<u8>,
    /// What `/logs` says of it.
    pub logs: Vec<u8>,
}

#[derive(Default)]
pub struct World {
    /// Newest first.
    pub records: Vec<Record>,
    /// The receiver closes the connection for events with one of these texts.
    pub poison: Vec<String>,
    /// Milliseconds.
    slept: Cell<u64>,
    events: Rc<RefCell<Vec<Value>>>,
}

/// What came of a run.
pub struct Run {
    pub result: Value,
    pub complete: bool,
    pub events: Vec<Value>,
}

/// The id of the record that starts so many seconds before the run.
pub fn id(age: u64) -> String {
    format!("{age:032x}")
}

impl World {
    /// Adds a record that starts so many seconds before the run. `json` goes on behind id and start.
    pub fn add(&mut self, age: u64, json: impl AsRef<[u8]>) -> &mut Record {
        let start = NOW - age * 1000;
        let begin = format!(r#"{{"activationId":"{}","start":{start},"#, id(age));
        let json = [begin.as_bytes(), json.as_ref(), b"}"].concat();
        self.records.push(Record { start, json, logs: br#"{"logs":[]}"#.to_vec() });
        self.records.sort_by_key(|record| std::cmp::Reverse(record.start));
        self.records.iter_mut().find(|record| record.start == start).unwrap()
    }

    /// The first run with these `actions`.
    pub fn run(&self, actions: &[&str]) -> Run {
        self.run_with(actions, json!({}))
    }

    /// The same with more parameters.
    pub fn run_with(&self, actions: &[&str], more: Value) -> Run {
        let context = Context {
            api_host: Some("http://memory".into()),
            authorized: true,
            keeper: CheckpointKeeper::Host(None),
            deadline_ms: Some(NOW + 600_000),
            ..Context::default()
        };
        let mut params = json!({"actions": actions, "from": NOW - 600_000, "logstash": {"host": "memory", "port": 5044, "tls": false}});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (config, _) = plan::configure(params.to_string().as_bytes(), &context).unwrap();
        let ports = Ports { clock: self, http: self, transport: self };
        let report = whiskjack::run::run(&config, &context, ports).unwrap();
        let result = serde_json::from_slice(&report.result).unwrap();
        Run { result, complete: report.complete, events: self.events.take() }
    }
}

impl Run {
    /// Lines and flags of the events, in the order of their ids.
    pub fn lines(&self) -> Vec<(String, String)> {
        let mut events: Vec<&Value> = self.events.iter().collect();
        let number = |event: &&Value| {
            let id = event["@metadata"]["_id"].as_str().unwrap();
            let (rest, index) = id.rsplit_once('-').unwrap();
            (rest.to_owned(), index.parse::<u32>().unwrap())
        };
        events.sort_by_key(number);
        let flags =
            |event: &Value| event["log"]["flags"].as_array().map(|_| event["log"]["flags"].to_string());
        events
            .into_iter()
            .map(|event| (event["line"].as_str().unwrap().to_owned(), flags(event).unwrap_or_default()))
            .collect()
    }

    /// The lines alone.
    pub fn texts(&self) -> Vec<String> {
        self.lines().into_iter().map(|(text, _)| text).collect()
    }
}

impl Http for World {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let param = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let number = |name: &str| param(name).map_or(0, |value| value.parse::<u64>().unwrap());
        let range = number("since")..=number("upto");
        let inside: Vec<&Record> =
            self.records.iter().filter(|record| range.contains(&record.start)).collect();
        let one = path.strip_prefix("/api/v1/namespaces/_/activations/").map(|rest| {
            let (id, logs) = rest.split_once('/').map_or((rest, false), |(id, _)| (id, true));
            let age = u64::from_str_radix(id, 16).unwrap();
            let record = self.records.iter().find(|record| record.start == NOW - age * 1000).unwrap();
            if logs { record.logs.clone() } else { record.json.clone() }
        });
        let (mut status, missing) =
            (200, br#"{"error":"The requested resource does not exist.","code":"x"}"#);
        let body = match one {
            None if path.contains("/packages/") => {
                status = 404;
                missing.to_vec()
            }
            Some(body) => body,
            None if query.ends_with("count=true") => {
                format!(r#"{{"activations":{}}}"#, inside.len()).into_bytes()
            }
            None if path.ends_with("/activations") => {
                let rows = inside.iter().skip(number("skip") as usize).take(number("limit") as usize);
                let rows: Vec<&[u8]> = rows.map(|record| record.json.as_slice()).collect();
                [b"[".as_slice(), &rows.join(&b','), b"]"].concat()
            }
            None => br#"{"limits":{"max_action_duration":300000,"max_action_logs":10485760}}"#.to_vec(),
        };
        let pieces = body.chunks(PIECE).map(<[u8]>::to_vec).collect();
        Ok(Response { status, retry_after: None, body: Box::new(Pieces(pieces)) })
    }
}

struct Pieces(VecDeque<Vec<u8>>);

impl Body for Pieces {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.0.pop_front())
    }
}

impl Clock for World {
    fn now_ms(&self) -> u64 {
        NOW + self.slept.get()
    }
    fn sleep_ms(&self, ms: u64) {
        self.slept.set(self.slept.get() + ms);
    }
    fn random(&self) -> u64 {
        7
    }
}

impl Transport for World {
    fn connect(&self, _: &str, _: u16, _: u64) -> Result<Box<dyn Connection>, TransportError> {
        Ok(Box::new(Receiver {
            events: self.events.clone(),
            poison: self.poison.clone(),
            window: Vec::new(),
            acks: VecDeque::new(),
        }))
    }
}

/// Acknowledges each window as a whole.
struct Receiver {
    events: Rc<RefCell<Vec<Value>>>,
    poison: Vec<String>,
    window: Vec<u8>,
    acks: VecDeque<u8>,
}

impl Connection for Receiver {
    fn write(&mut self, bytes: &[u8], _: u64) -> Result<(), TransportError> {
        self.window.extend_from_slice(bytes);
        let [b'2', b'W', count @ .., b'2', b'C', _, _, _, _] = &self.window[..12] else {
            panic!("not a window")
        };
        let size = u32::from_be_bytes(self.window[8..12].try_into().unwrap()) as usize;
        if self.window.len() == 12 + size {
            let acks = b"2A".iter().chain(count);
            let window = read_window(&mut self.window.as_slice(), Rules::default(), None).unwrap();
            let is_poison = |event: &Value| self.poison.iter().any(|text| event.to_string().contains(text));
            if window.events.iter().any(is_poison) {
                return Err(TransportError { step: Step::Write, retryable: true, message: "reset".into() });
            }
            self.acks.extend(acks);
            self.events.borrow_mut().extend(window.events);
            self.window.clear();
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
