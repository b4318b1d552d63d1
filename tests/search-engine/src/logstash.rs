//! A receiver that works like Logstash's pipelines: it acknowledges a window, and stores its events in the engine, in bulk.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use miniz_oxide::inflate::decompress_to_vec_zlib;
use serde_json::{Value, json};
use whiskjack::ports::{Connection, Step, Transport, TransportError};

use crate::engine::Engine;

/// So many bytes are sent at once.
const BULK: usize = 8 << 20;

/// The index of [`Output::PlainIndex`].
pub(crate) const PLAIN: &str = "whiskjack-2026.11.29";
/// The index of [`Output::AsTheyAre`].
pub(crate) const AS_THEY_ARE: &str = "whiskjack-2017.11.29";

/// Where the documents go, as in the files of `deploy/elastic/logstash`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// `data-stream.conf`.
    DataStream,
    /// `plain-index.conf`.
    PlainIndex,
    /// The same without the ingest pipeline, and into an index of its own.
    AsTheyAre,
}

/// What the engine has answered for so many documents.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    /// Stored anew.
    pub(crate) created: u64,
    /// Stored in the place of one with the same id.
    pub(crate) replaced: u64,
    /// Refused because of one with the same id (409).
    pub(crate) conflicts: u64,
    /// Refused for another reason: one of each kind.
    pub(crate) refused: BTreeMap<String, String>,
}

/// The receiver.
pub(crate) struct Logstash(Rc<State>);

struct State {
    engine: Rc<Engine>,
    output: Output,
    /// What is not sent yet.
    waiting: RefCell<Vec<u8>>,
    answers: RefCell<Answers>,
}

impl Logstash {
    pub(crate) fn new(engine: &Rc<Engine>, output: Output) -> Self {
        let (engine, waiting, answers) = (Rc::clone(engine), RefCell::default(), RefCell::default());
        Self(Rc::new(State { engine, output, waiting, answers }))
    }

    /// Stores what is left, and says what became of all.
    pub(crate) fn finish(self) -> Result<Answers> {
        self.0.flush()?;
        Ok(self.0.answers.take())
    }
}

impl State {
    fn take(&self, event: &[u8]) -> Result<()> {
        let mut event: Value = serde_json::from_slice(event)?;
        let object = event.as_object_mut().context("an event is an object")?;
        let metadata = object.remove("@metadata").context("@metadata")?;
        // The input does so.
        if let Some(line) = object.remove("line") {
            object.insert("message".into(), line);
        }
        let id = &metadata["_id"];
        let action = match self.output {
            Output::DataStream => {
                let of = |name: &str| event["data_stream"][name].as_str().unwrap_or("?").to_owned();
                let index = format!("{}-{}-{}", of("type"), of("dataset"), of("namespace"));
                json!({"create": {"_index": index, "_id": id}})
            }
            Output::PlainIndex => {
                json!({"index": {"_index": PLAIN, "_id": id, "pipeline": "whiskjack-2017"}})
            }
            Output::AsTheyAre => json!({"index": {"_index": AS_THEY_ARE, "_id": id}}),
        };
        let mut waiting = self.waiting.borrow_mut();
        waiting.extend_from_slice(format!("{action}\n{event}\n").as_bytes());
        let is_full = waiting.len() >= BULK;
        drop(waiting);
        if is_full { self.flush() } else { Ok(()) }
    }

    fn flush(&self) -> Result<()> {
        let lines = self.waiting.take();
        if lines.is_empty() {
            return Ok(());
        }
        self.answers.borrow_mut().add(&self.engine.bulk(&lines)?)
    }
}

impl Answers {
    /// Adds what a bulk request was answered.
    pub(crate) fn add(&mut self, answer: &Value) -> Result<()> {
        for item in answer["items"].as_array().context("items")? {
            let item = item.as_object().and_then(|item| item.values().next()).context("an item")?;
            match item["status"].as_u64() {
                Some(201) => self.created += 1,
                Some(200) => self.replaced += 1,
                Some(409) => self.conflicts += 1,
                _ => drop(self.refused.insert(item["error"]["type"].to_string(), item.to_string())),
            }
        }
        Ok(())
    }
}

impl Transport for Logstash {
    fn connect(&self, _: &str, _: u16, _: u64) -> Result<Box<dyn Connection>, TransportError> {
        Ok(Box::new(Wire { state: Rc::clone(&self.0), bytes: Vec::new(), acks: VecDeque::new() }))
    }
}

/// A connection: windows of version 2, each with one compressed frame.
struct Wire {
    state: Rc<State>,
    bytes: Vec<u8>,
    acks: VecDeque<u8>,
}

/// Bytes of a window's two headers.
const HEADERS: usize = 12;

impl Wire {
    /// Takes a window, if it is complete. Returns its size.
    fn window(&mut self) -> Result<Option<[u8; 4]>> {
        let Some((head, rest)) = self.bytes.split_first_chunk::<HEADERS>() else { return Ok(None) };
        let [b'2', b'W', a, b, c, d, b'2', b'C', e, f, g, h] = *head else { anyhow::bail!("not a window") };
        let Some(packed) = rest.get(..u32::from_be_bytes([e, f, g, h]) as usize) else { return Ok(None) };
        let end = HEADERS + packed.len();
        let frames = decompress_to_vec_zlib(packed).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let mut frames = frames.as_slice();
        while let Some((head, rest)) = frames.split_first_chunk::<10>() {
            let [b'2', b'J', _, _, _, _, e, f, g, h] = *head else { anyhow::bail!("not an event") };
            let (event, more) =
                rest.split_at_checked(u32::from_be_bytes([e, f, g, h]) as usize).context("a whole event")?;
            self.state.take(event)?;
            frames = more;
        }
        ensure!(frames.is_empty(), "bytes behind the events");
        self.bytes.drain(..end);
        Ok(Some([a, b, c, d]))
    }
}

impl Connection for Wire {
    fn write(&mut self, bytes: &[u8], _: u64) -> Result<(), TransportError> {
        self.bytes.extend_from_slice(bytes);
        let broken = |error: anyhow::Error| TransportError {
            step: Step::Write,
            retryable: false,
            message: format!("{error:#}"),
        };
        while let Some(size) = self.window().map_err(broken)? {
            self.acks.extend(b"2A".iter().chain(&size));
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
