//! What a world's configuration makes of lines: the shape of their documents, what is left out, what is joined, and whether activations have a
//! document of their own. What one record makes is told by the core's own function, which has tests of its own; what arrives of it, here.

use super::random::Random;
use super::record::{NAMESPACE, Record};
use super::spoiled;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use whiskjack::config::{Config, Shape, Summaries};
use whiskjack::events::{Document, Reading, Treatment};
use whiskjack::openwhisk::record::Status;

/// What is configured about documents.
#[derive(Debug)]
pub struct Documents {
    /// The parameters.
    pub params: Value,
    shape: Shape,
    /// Each activation has a document of its own.
    pub summaries: bool,
    treatment: Treatment,
    /// By activation: the text of each document, by the place of its first entry.
    made: RefCell<HashMap<u128, Rc<BTreeMap<usize, String>>>>,
}

impl Documents {
    /// Those of a world, if they are not those of 2017 with every line.
    pub fn draw(luck: &Random) -> Option<Self> {
        if !luck.chance(300) {
            return None;
        }
        let all = [
            json!({"events": {"shape": "ecs"}}),
            json!({"events": {"shape": "ecs", "activations": true}, "lines.multiline": {"pattern": "the same again"}}),
            json!({"events": {"shape": "ecs", "activations": true}, "lines.streams": "stderr"}),
            json!({"lines.exclude": ["quoted", "^\u{1b}"], "tags": ["x"]}),
            json!({"lines.multiline": {"pattern": "again$", "negate": true, "match": "before", "max_lines": 7}}),
            json!({"events.shape": "ecs", "lines": {"multiline": "auto", "json": true, "redact": ["email"]}}),
        ];
        let chosen = all[luck.below(all.len() as u64) as usize].clone();
        let mut params = json!({"actions": ["a"], "logstash.host": "h:1"});
        params.as_object_mut().unwrap().extend(chosen.as_object().unwrap().clone());
        let read =
            Config::parse(params.to_string().as_bytes(), None).expect("a sound configuration").documents;
        Some(Self {
            params: chosen,
            shape: read.shape,
            summaries: read.common.activations == Summaries::All,
            treatment: Treatment::new(&read.common.lines),
            made: RefCell::default(),
        })
    }

    /// What is in the world.
    pub fn kinds(&self) -> Vec<&'static str> {
        let of = |key: &str| self.params.get(key).is_some();
        let kinds = [
            ("ecs", self.is_ecs()),
            ("summaries", self.summaries),
            ("joined", of("lines.multiline") || of("lines")),
            ("filtered", of("lines.exclude") || of("lines.streams")),
        ];
        kinds.into_iter().filter(|(_, is)| *is).map(|(kind, _)| kind).collect()
    }

    fn is_ecs(&self) -> bool {
        matches!(self.shape, Shape::Ecs { .. })
    }

    /// The text of each document of `record`, by the place of its first entry.
    fn of(&self, record: &Record) -> Rc<BTreeMap<usize, String>> {
        if let Some(made) = self.made.borrow().get(&record.id) {
            return made.clone();
        }
        let mut made = BTreeMap::new();
        let mut reading = Reading::new(&self.treatment, Some(Status::Success), 0);
        let mut take = |document: Document<'_>| {
            let (_, message) = document.line.behind(document.line.time());
            let text = if self.is_ecs() { message.text() } else { document.line.text() };
            made.insert(document.first, text.into_owned());
            true
        };
        for index in 0..record.lines {
            let entry =
                spoiled::bad_entry(record, index).map_or_else(|| record.line(index), |bad| bad.text());
            assert!(reading.entry(index as usize, entry.as_str().into(), &mut take));
        }
        assert!(reading.finish(&mut take));
        let made = Rc::new(made);
        self.made.borrow_mut().insert(record.id, made.clone());
        made
    }

    /// How often each entry has come before anything has: once, if it makes no document of its own.
    pub fn none_arrived(&self, record: &Record) -> Vec<u32> {
        let made = self.of(record);
        (0..record.lines as usize).map(|index| u32::from(!made.contains_key(&index))).collect()
    }

    /// What is wrong with a document that came for the entry at `index`, or for the activation itself.
    pub fn check(&self, record: &Record, index: Option<u32>, json: &Value) -> Result<(), String> {
        let id = format!("{:032x}", record.id);
        let (name, namespace, activation) = match self.is_ecs() {
            true => (&json["faas"]["name"], &json["orchestrator"]["namespace"], &json["faas"]["execution"]),
            false => (&json["action"], &json["namespace"], &json["activation"]),
        };
        if (name, namespace, activation) != (&json!(record.name()), &json!(NAMESPACE), &json!(id)) {
            return Err("not of that activation".into());
        }
        if !json["@timestamp"].as_str().is_some_and(whiskjack::time::is_rfc3339_utc) {
            return Err("no time".into());
        }
        let Some(index) = index else {
            let is_summary = self.summaries && json["event"]["dataset"] == "openwhisk.activation";
            return if is_summary { Ok(()) } else { Err("no document of an activation".into()) };
        };
        let made = self.of(record);
        let expected = made.get(&(index as usize)).ok_or("no document begins there")?;
        let text = if self.is_ecs() { &json["message"] } else { &json["line"] };
        // Of bad entries not every byte is known; a notice may come before the lines that it is joined with.
        let is_known = !record.spoiled && !record.notice;
        if is_known && text != &json!(expected) {
            return Err(format!("the text should be {expected:?}"));
        }
        if self.is_ecs() && json["event"]["sequence"] != index {
            return Err("not its place".into());
        }
        Ok(())
    }
}
