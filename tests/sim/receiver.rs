//! A Lumberjack receiver: reads windows from real bytes, keeps the events, and acknowledges them as receivers do (docs/facts/lumberjack.md 2).

use super::between;
use super::documents::Documents;
use super::endless;
use super::faults::{self, TransportFault};
use super::ports::{RunPorts, Sim};
use super::record::{NAMESPACE, Record};
use super::spoiled;
use super::world::World;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use whiskjack::ports::{Connection, Step, Transport, TransportError};

/// Longest time between two answers of a receiver that is well.
const LONGEST_ANSWER_MS: u64 = 5_000;

/// What the receiver kept.
#[derive(Debug, Default)]
pub struct Arrived {
    /// By activation, how often each of its lines came.
    pub lines: HashMap<u128, Vec<u32>>,
    /// How often each activation's own document came.
    pub summaries: HashMap<u128, u32>,
    /// Events that are not what they should be.
    pub wrong: Vec<String>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "@timestamp")]
    timestamp: String,
    #[serde(rename = "@metadata")]
    metadata: Metadata,
    line: String,
    activation: String,
    action: String,
    namespace: String,
    #[serde(default)]
    log: Log,
}

#[derive(Deserialize, Default)]
struct Log {
    #[serde(default)]
    flags: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "_id")]
    id: String,
}

impl Transport for RunPorts {
    fn connect(&self, host: &str, port: u16, timeout_ms: u64) -> Result<Box<dyn Connection>, TransportError> {
        assert_eq!((host, port), (self.sim.receiver.get(), 5044));
        self.enter();
        let fault = faults::of_connect(&self.sim);
        self.sim.trace(|| format!("connect {fault:?}"));
        let takes = self.sim.random.heavy(5, 2_000);
        let late = takes >= timeout_ms || fault == Some(TransportFault::TimedOut);
        self.pass(if late { timeout_ms } else { takes });
        self.leave();
        match fault {
            _ if late => Err(error(Step::Timeout)),
            Some(_) => Err(error(Step::Connect)),
            None => Ok(Box::new(Line { ports: self.shared(), answers: VecDeque::new(), begun: Vec::new() })),
        }
    }
}

/// An open connection, with what the receiver will say and when.
struct Line {
    ports: Rc<RunPorts>,
    answers: VecDeque<(u64, Vec<u8>)>,
    /// A window of which some is not written yet.
    begun: Vec<u8>,
}

impl Connection for Line {
    fn write(&mut self, bytes: &[u8], timeout_ms: u64) -> Result<(), TransportError> {
        use TransportFault::*;
        self.ports.enter();
        self.begun.extend_from_slice(bytes);
        if !is_whole(&self.begun) {
            self.ports.pass(1);
            self.ports.leave();
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.begun);
        let ports = self.ports.clone();
        let sim = &ports.sim;
        let fault = faults::of_window(sim);
        if fault.is_some() {
            sim.met.note("receiver");
        }
        if sim.world.trouble.editor && ports.depth == 0 && sim.luck.chance(50) {
            between::edit(sim);
        }
        let takes = sim.random.heavy(3, 500);
        let late = takes >= timeout_ms || fault == Some(TimedOut);
        ports.pass(if late { timeout_ms } else { takes });
        let events = window(&bytes);
        let all = events.len() as u32;
        let some = sim.random.below(u64::from(all)) as u32;
        sim.trace(|| format!("write {all} events {fault:?}{}", if late { " late" } else { "" }));
        let (taken, acked) = match fault {
            Some(Refused | TimedOut | Dropped) => (0, 0),
            _ if late => (0, 0),
            Some(PartlyAndClosed) => (some, some),
            Some(PartlyAndSilent) => (some, sim.random.below(u64::from(some) + 1) as u32),
            Some(WrittenAndFailed | TakenAndClosed | KeptAlive | Garbage) => (all, 0),
            Some(Beyond) => (all, all + 1),
            None => (all, all),
        };
        events.iter().take(taken as usize).for_each(|event| sim.arrived.borrow_mut().take(sim, event));
        self.answer(fault, acked);
        ports.leave();
        match fault {
            _ if late => Err(error(Step::Timeout)),
            Some(Refused | WrittenAndFailed) => Err(error(Step::Write)),
            _ => Ok(()),
        }
    }

    fn read(&mut self, max: u32, timeout_ms: u64) -> Result<Vec<u8>, TransportError> {
        self.ports.enter();
        let now = self.ports.sim.now.get();
        let ready =
            self.answers.front().map(|(at, _)| at.saturating_sub(now)).filter(|wait| *wait <= timeout_ms);
        if !self.ports.pass(ready.unwrap_or(timeout_ms)) {
            // Whoever still waits at the deadline is killed with the next call.
            self.ports.sim.pass(1);
        }
        let Some((_, bytes)) = ready.and_then(|_| self.answers.front_mut()) else {
            // No answer takes longer, so it was the run that had no more time. Without any, it only looked whether the connection is still up.
            let waited = timeout_ms > 0 && timeout_ms < LONGEST_ANSWER_MS;
            self.ports.sim.cut_short.set(self.ports.sim.cut_short.get() || waited);
            return Err(error(Step::Timeout));
        };
        let most = self.ports.sim.random.between(1, 12).min(u64::from(max)) as usize;
        let read: Vec<u8> = bytes.drain(..most.min(bytes.len())).collect();
        // An empty answer is the end and stays.
        if bytes.is_empty() && !read.is_empty() {
            self.answers.pop_front();
        }
        self.ports.sim.trace(|| format!("read {read:?}"));
        self.ports.leave();
        Ok(read)
    }
}

impl Line {
    /// Puts the receiver's answer on its way: signs of life, partial acks, the last ack, and the end.
    fn answer(&mut self, fault: Option<TransportFault>, acked: u32) {
        use TransportFault::*;
        let random = &self.ports.sim.random;
        let mut at = self.ports.sim.now.get();
        if let Some(rate) = self.ports.sim.world.trouble.lines_per_second {
            // Until it has worked through what it took before, and this, it says that it lives, and how far it is.
            let begin = self.ports.sim.busy_until.get().max(at);
            let done = begin + u64::from(acked) * 1_000 / rate;
            while done > at + 3_000 {
                at += 3_000;
                let some = at.saturating_sub(begin) * rate / 1_000;
                self.answers.push_back((at, ack_frame((some as u32).min(acked.saturating_sub(1)))));
                self.ports.sim.met.note("slow-receiver");
            }
            at = at.max(done);
            self.ports.sim.busy_until.set(done);
        }
        for _ in 0..random.heavy(1, 4) {
            at += random.heavy(20, LONGEST_ANSWER_MS);
            // Below the last one: no receiver says twice that a window is complete. A number that goes back is a sign of life.
            let partial = random.chance(500) && fault != Some(Beyond);
            self.answers
                .push_back((at, ack_frame(if partial { random.below(u64::from(acked)) as u32 } else { 0 })));
        }
        at += random.heavy(20, LONGEST_ANSWER_MS);
        if acked > 0 {
            self.answers.push_back((at, ack_frame(acked)));
        }
        match fault {
            Some(Dropped | TakenAndClosed | PartlyAndClosed) => self.answers.push_back((at, Vec::new())),
            Some(Garbage) => self.answers.push_back((at, b"HTTP/1.1 400 Bad Request".to_vec())),
            Some(KeptAlive) => (1..=endless::signs_of_life(&self.ports.sim))
                .for_each(|n| self.answers.push_back((at + n * 3_000, ack_frame(0)))),
            _ => {}
        }
    }
}

impl Arrived {
    /// Before anything has.
    pub fn in_world(world: &World) -> Self {
        let records = world.records.iter().filter(|record| record.has_lines());
        let of = |documents: &Documents| {
            records.map(|record| (record.id, documents.none_arrived(record))).collect()
        };
        Self { lines: world.documents.as_ref().map(of).unwrap_or_default(), ..Self::default() }
    }

    fn take(&mut self, sim: &Sim, json: &[u8]) {
        if let Err(reason) = self.check(sim, json) {
            self.wrong.push(format!("{reason}: {}", String::from_utf8_lossy(json)));
        }
    }

    fn check(&mut self, sim: &Sim, json: &[u8]) -> Result<(), String> {
        match &sim.world.documents {
            None => self.check_2017(sim, json),
            Some(documents) => self.check_configured(sim, documents, json),
        }
    }

    fn check_configured(&mut self, sim: &Sim, documents: &Documents, json: &[u8]) -> Result<(), String> {
        let event: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        let id = event["@metadata"]["_id"].as_str().ok_or("no id")?;
        let (rest, number) = id.rsplit_once('-').ok_or("no index")?;
        let (_, activation) = rest.split_once('-').ok_or("no activation")?;
        let id = u128::from_str_radix(activation, 16).map_err(|error| error.to_string())?;
        let record = sim.world.by_id(id).ok_or("no such activation")?;
        let index =
            if number == "activation" { None } else { Some(number.parse().map_err(|_| "no number")?) };
        let entries = documents.check(record, index, &event)?;
        if !is_wanted(sim, record) {
            return Err("nobody wants it".into());
        }
        match index {
            None => *self.summaries.entry(id).or_default() += 1,
            Some(_) => {
                let counts = self.lines.get_mut(&id).ok_or("it has no lines")?;
                entries.into_iter().for_each(|entry| counts[entry] += 1);
            }
        }
        Ok(())
    }

    fn check_2017(&mut self, sim: &Sim, json: &[u8]) -> Result<(), String> {
        let event: Event = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        let (rest, index) = event.metadata.id.rsplit_once('-').ok_or("no index")?;
        let (_, activation) = rest.split_once('-').ok_or("no activation")?;
        let id = u128::from_str_radix(activation, 16).map_err(|error| error.to_string())?;
        let index: u32 = index.parse().map_err(|_| "no number")?;
        let record = sim.world.by_id(id).ok_or("no such activation")?;
        let flagged = event.log.flags.iter().any(|flag| flag == "mended");
        let line = match spoiled::bad_entry(record, index) {
            Some(bad) if !spoiled::is_mended(&bad.mended, &event.line) => return Err("not mended".into()),
            Some(_) if !flagged => return Err("mended and not marked".into()),
            Some(_) => event.line.clone(),
            None if flagged => return Err("marked although there was nothing to mend".into()),
            None => record.line(index),
        };
        let expected = (line, activation, record.name(), NAMESPACE);
        if (event.line, event.activation.as_str(), event.action.as_str(), event.namespace.as_str())
            != expected
        {
            return Err("not the line of that id".into());
        }
        if !whiskjack::time::is_rfc3339_utc(&event.timestamp) {
            return Err("no time".into());
        }
        if !record.has_lines() || index >= record.lines || !is_wanted(sim, record) {
            return Err("nobody wants it".into());
        }
        let counts = self.lines.entry(id).or_insert_with(|| vec![0; record.lines as usize]);
        counts[index as usize] += 1;
        Ok(())
    }
}

/// Whether the record's action is monitored.
fn is_wanted(sim: &Sim, record: &Record) -> bool {
    // To a second forwarder the action of the first is one of those that patterns choose.
    sim.wanted.borrow().contains(record.key.as_str())
        || record.key == "fwd" && sim.own_name.get() != "fwd" && sim.config.borrow().actions.contains(&"*")
}

/// Whether a window is written to its end: large ones come in pieces.
fn is_whole(bytes: &[u8]) -> bool {
    bytes.len() >= 12 && bytes.len() - 12 >= number(&bytes[8..]) as usize
}

/// Reads one window: `W n`, one compressed frame, in it the events 1..=n.
fn window(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (header, rest) = bytes.split_at(6);
    assert_eq!(&header[..2], b"2W");
    assert_eq!(&rest[..2], b"2C");
    assert_eq!(number(&rest[2..]) as usize, rest.len() - 6, "one compressed frame and nothing else");
    let frames = miniz_oxide::inflate::decompress_to_vec_zlib(&rest[6..]).expect("zlib");
    let mut events = Vec::new();
    let mut at = 0;
    while at < frames.len() {
        assert_eq!(&frames[at..at + 2], b"2J");
        assert_eq!(number(&frames[at + 2..]) as usize, events.len() + 1, "events are numbered from 1 on");
        let length = number(&frames[at + 6..]) as usize;
        events.push(frames[at + 10..at + 10 + length].to_vec());
        at += 10 + length;
    }
    assert_eq!(number(&header[2..]) as usize, events.len());
    assert!(!events.is_empty(), "an empty window is answered by nobody");
    events
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().expect("4 bytes"))
}

fn ack_frame(sequence: u32) -> Vec<u8> {
    [b"2A".as_slice(), &sequence.to_be_bytes()].concat()
}

fn error(step: Step) -> TransportError {
    TransportError { step, retryable: true, message: format!("simulated failure: {step:?}") }
}
