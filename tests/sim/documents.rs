//! The documents that a world's configuration makes of lines: their shape, lines that are left out or joined, and whether activations have
//! a document of their own. The core's own function, which has its own tests, gives the documents of one record; this module checks which
//! of them arrive.

use super::random::Random;
use super::record::{NAMESPACE, Record};
use super::spoiled;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use whiskjack::config::{Config, Shape, Summaries};
use whiskjack::events::{Document, Reading, Treatment};
use whiskjack::openwhisk::record::{Line, Status};

/// What is configured about documents, and from when on.
#[derive(Debug)]
pub struct Documents(Vec<(u64, Setting)>);

/// What is configured about documents.
#[derive(Debug)]
struct Setting {
    params: Value,
    shape: Shape,
    /// Each activation has a document of its own.
    summaries: bool,
    treatment: Treatment,
    /// By activation: each document, by the place of its first entry.
    made: RefCell<HashMap<u128, Rc<BTreeMap<usize, Made>>>>,
}

/// What is known of a document that came.
#[derive(Debug)]
struct Known {
    /// The places of its entries.
    entries: Vec<usize>,
    /// Its text is the expected one.
    is_exact: bool,
}

/// A document of a record.
#[derive(Debug)]
struct Made {
    text: String,
    /// The places of its entries.
    entries: Vec<usize>,
}

impl Documents {
    /// Those of a world, if they are not those of 2017 with every line all the time. Some are configured otherwise at some time of the world.
    pub fn draw(luck: &Random, (begin, end): (u64, u64)) -> Option<Self> {
        if !luck.chance(300) {
            return None;
        }
        let mut all = vec![(0, Setting::draw(luck))];
        if luck.chance(300) {
            all.push((luck.between(begin, end), Setting::draw(luck)));
        }
        Some(Self(all))
    }

    /// Whether they are configured otherwise at some time: then some come again.
    pub fn change(&self) -> bool {
        self.0.len() > 1
    }

    /// What is in the world.
    pub fn kinds(&self) -> Vec<&'static str> {
        let changed = self.change().then_some("documents-changed");
        self.0.iter().flat_map(|(_, setting)| setting.kinds()).chain(changed).collect()
    }

    /// The parameters at this time.
    pub fn params(&self, now: u64) -> &Value {
        let (_, setting) = self.0.iter().rfind(|(since, _)| *since <= now).expect("the first is since ever");
        &setting.params
    }

    /// Whether each activation has a document of its own, all the time.
    pub fn summarize(&self) -> bool {
        self.0.iter().all(|(_, setting)| setting.summaries)
    }

    /// How often each entry has come before anything has: once, if it is left out at some time.
    pub fn none_arrived(&self, record: &Record) -> Vec<u32> {
        let mut told = vec![0; record.lines as usize];
        for (_, setting) in &self.0 {
            setting.of(record).values().flat_map(|made| &made.entries).for_each(|entry| told[*entry] += 1);
        }
        told.iter().map(|times| u32::from(*times < self.0.len())).collect()
    }

    /// The entries that are in a document that came for the one at `index`; none for that of the activation itself. Or what is wrong with it.
    pub fn check(&self, record: &Record, index: Option<u32>, json: &Value) -> Result<Vec<usize>, String> {
        let found = self.0.iter().map(|(_, setting)| setting.check(record, index, json));
        let (sound, wrong): (Vec<_>, Vec<_>) = found.partition(Result::is_ok);
        let mut sound: Vec<Known> = sound.into_iter().flatten().collect();
        // One whose text is the right one is the one.
        if sound.iter().any(|known| known.is_exact) {
            sound.retain(|known| known.is_exact);
        }
        let mut sound = sound.into_iter().map(|known| known.entries);
        let Some(first) = sound.next() else {
            return Err(wrong.into_iter().find_map(Result::err).expect("there is a setting"));
        };
        // If nobody knows which one it is, it has what both have.
        Ok(sound.fold(first, |common, entries| {
            common.into_iter().filter(|entry| entries.contains(entry)).collect()
        }))
    }
}

impl Setting {
    fn draw(luck: &Random) -> Self {
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
        Self {
            params: chosen,
            shape: read.shape,
            summaries: read.common.activations == Summaries::All,
            treatment: Treatment::new(&read.common.lines),
            made: RefCell::default(),
        }
    }

    fn kinds(&self) -> Vec<&'static str> {
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

    /// Each document of `record`, by the place of its first entry.
    fn of(&self, record: &Record) -> Rc<BTreeMap<usize, Made>> {
        if let Some(made) = self.made.borrow().get(&record.id) {
            return made.clone();
        }
        let entry =
            |index| spoiled::bad_entry(record, index).map_or_else(|| record.line(index), |bad| bad.text());
        let entries: Vec<String> = (0..record.lines).map(entry).collect();
        let stream = |index: usize| {
            let line = Line::from(entries[index].as_str());
            line.behind(line.time()).0
        };
        let mut made = BTreeMap::new();
        let mut reading = Reading::new(&self.treatment, Some(Status::Success), 0, true);
        let mut take = |document: Document<'_>| {
            let (of, message) = document.line.behind(document.line.time());
            let text = if self.is_ecs() { message.text() } else { document.line.text() };
            let entries: Vec<usize> =
                (document.first..=document.last).filter(|index| stream(*index) == of).collect();
            assert_eq!(entries.len() as u64, document.entries);
            made.insert(document.first, Made { text: text.into_owned(), entries });
            true
        };
        for (index, entry) in entries.iter().enumerate() {
            assert!(reading.entry(index, entry.as_str().into(), &mut take));
        }
        assert!(reading.finish(&mut take));
        let made = Rc::new(made);
        self.made.borrow_mut().insert(record.id, made.clone());
        made
    }

    fn check(&self, record: &Record, index: Option<u32>, json: &Value) -> Result<Known, String> {
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
            let none = Known { entries: Vec::new(), is_exact: true };
            return if is_summary { Ok(none) } else { Err("no document of an activation".into()) };
        };
        let made = self.of(record);
        let expected = made.get(&(index as usize)).ok_or("no document begins there")?;
        let text = if self.is_ecs() { &json["message"] } else { &json["line"] };
        let is_exact = text.as_str().is_some_and(|text| match record.spoiled {
            true => spoiled::is_alike(text, &expected.text),
            false => text == expected.text,
        });
        // Of bad entries not every byte is known; a notice may come before the lines that it is joined with.
        let is_known = !record.spoiled && !record.notice;
        if is_known && !is_exact {
            return Err(format!("the text should be {:?}", expected.text));
        }
        if self.is_ecs() && json["event"]["sequence"] != index {
            return Err("not its place".into());
        }
        Ok(Known { entries: expected.entries.clone(), is_exact })
    }
}
