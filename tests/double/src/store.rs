//! The data behind a world: records by start, packages, and the list index with its staleness.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::entities::Entities;
use crate::invoker::Invoker;
use crate::options::{BindingKeys, Storage};
use crate::record::Record;

pub(crate) struct Store {
    pub(crate) namespaces: Vec<Namespace>,
    pub(crate) packages: BTreeMap<(String, String), Value>,
    pub(crate) entities: Entities,
    /// Runs what is invoked.
    pub(crate) invoker: Option<Invoker>,
    pub(crate) binding_keys: BindingKeys,
    /// Replies with more bytes than this become a server error.
    pub(crate) reply_limit: Option<usize>,
    /// Whether parameters of actions are shown encrypted.
    pub(crate) encrypts_parameters: bool,
    records: BTreeMap<Key, Arc<Record>>,
    /// The same by simple name: a backlog is asked for by name, page by page.
    named: BTreeMap<(String, Key), Arc<Record>>,
    starts: HashMap<String, (String, i64)>,
    /// With stale answers on: what the list showed last.
    stale: Option<Indexes>,
    made: u64,
}

/// Namespace, start, id: the index's order.
type Key = (String, i64, String);

#[derive(Debug)]
pub(crate) struct Namespace {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) storage: Storage,
}

/// The database keeps two views, one for queries by name, and refreshes a view when that view is asked.
#[derive(Debug, Default)]
struct Indexes {
    named: Vec<Arc<Record>>,
    all: Vec<Arc<Record>>,
}

/// What of a namespace a list or count looks at; bounds are inclusive.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) since: i64,
    pub(crate) upto: i64,
    /// Rows that are wanted, from the newest on.
    pub(crate) most: usize,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("records", &self.records.len()).finish_non_exhaustive()
    }
}

impl Store {
    pub(crate) fn new(first: Namespace, binding_keys: BindingKeys, stale: bool) -> Self {
        Self {
            namespaces: vec![first],
            packages: BTreeMap::new(),
            entities: Entities::default(),
            invoker: None,
            binding_keys,
            reply_limit: None,
            encrypts_parameters: false,
            records: BTreeMap::new(),
            named: BTreeMap::new(),
            starts: HashMap::new(),
            stale: stale.then(Indexes::default),
            made: 0,
        }
    }

    /// An id that no other call returned; the same ones in every world.
    pub(crate) fn new_id(&mut self) -> String {
        self.made += 1;
        format!("{:016x}{:016x}", mix(self.made), mix(!self.made))
    }

    pub(crate) fn insert(&mut self, record: Record) {
        self.starts.insert(record.id.clone(), (record.namespace.clone(), record.start));
        self.put(Arc::new(record));
    }

    fn put(&mut self, record: Arc<Record>) {
        let key = (record.namespace.clone(), record.start, record.id.clone());
        self.named.insert((record.name.clone(), key.clone()), record.clone());
        self.records.insert(key, record);
    }

    pub(crate) fn remove(&mut self, id: &str) {
        if let Some(key) = self.key(id) {
            self.starts.remove(id);
            if let Some(record) = self.records.remove(&key) {
                self.named.remove(&(record.name.clone(), key));
            }
        }
    }

    pub(crate) fn blank_logs(&mut self, id: &str) {
        if let Some(mut record) = self.key(id).and_then(|key| self.records.get(&key).cloned()) {
            Arc::make_mut(&mut record).blank();
            self.put(record);
        }
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.records.values()
    }

    /// The record as of now: reading by id knows no staleness.
    pub(crate) fn get(&self, namespace: &str, id: &str, now: i64) -> Option<Arc<Record>> {
        let record = self.records.get(&self.key(id)?)?;
        (record.namespace == namespace && record.visible_at <= now).then(|| record.clone())
    }

    pub(crate) fn set_stale(&mut self, stale: bool, now: i64) {
        self.stale = stale.then(|| Indexes { named: self.visible(now), all: self.visible(now) });
    }

    /// What the index shows of a selection, newest start first, equal starts by descending id.
    pub(crate) fn select(&mut self, selection: &Selection<'_>, now: i64) -> Vec<Arc<Record>> {
        let keys = self.binding_keys;
        let wanted = |record: &Record| selection.name.is_none_or(|name| matches_name(record, name, keys));
        if self.stale.is_some() {
            let fresh = self.visible(now);
            let inside = |record: &Record| {
                record.namespace == selection.namespace
                    && (selection.since..=selection.upto).contains(&record.start)
            };
            let mut rows = self.exchange(selection.name.is_some(), fresh);
            rows.retain(|record| inside(record) && wanted(record));
            return rows;
        }
        if selection.since > selection.upto {
            return Vec::new();
        }
        let bound = |start, id: &str| (selection.namespace.to_owned(), start, id.to_owned());
        let (first, last) = (bound(selection.since, ""), bound(selection.upto, "~"));
        let shown = |record: &&Arc<Record>| record.visible_at <= now && wanted(record);
        // A phrase may match several names.
        match selection.name.filter(|_| keys != BindingKeys::Phrase) {
            None => {
                let rows = self.records.range(first..=last).rev().map(|(_, record)| record);
                rows.filter(shown).take(selection.most).cloned().collect()
            }
            Some(name) => {
                let name = name.rsplit('/').next().unwrap_or(name).to_owned();
                let rows = self.named.range((name.clone(), first)..=(name, last)).rev();
                rows.map(|(_, record)| record).filter(shown).take(selection.most).cloned().collect()
            }
        }
    }

    /// Puts a fresh view in the place of the one asked for, which is returned.
    fn exchange(&mut self, named: bool, fresh: Vec<Arc<Record>>) -> Vec<Arc<Record>> {
        let indexes = self.stale.get_or_insert_default();
        std::mem::replace(if named { &mut indexes.named } else { &mut indexes.all }, fresh)
    }

    fn visible(&self, now: i64) -> Vec<Arc<Record>> {
        self.records.values().rev().filter(|record| record.visible_at <= now).cloned().collect()
    }

    fn key(&self, id: &str) -> Option<Key> {
        self.starts.get(id).map(|(namespace, start)| (namespace.clone(), *start, id.to_owned()))
    }
}

fn matches_name(record: &Record, name: &str, keys: BindingKeys) -> bool {
    let package = match keys {
        BindingKeys::Memory => record.package.as_ref(),
        BindingKeys::CouchDb | BindingKeys::Phrase => record.binding.as_ref().or(record.package.as_ref()),
    };
    if keys != BindingKeys::Phrase {
        // Asked of every record of a backlog for each page: without making a text of it.
        return match package {
            None => record.name == name,
            Some(package) => {
                let rest = name.strip_prefix(package.as_str()).and_then(|rest| rest.strip_prefix('/'));
                rest == Some(record.name.as_str())
            }
        };
    }
    let filed = package.map_or_else(|| record.name.clone(), |package| format!("{package}/{}", record.name));
    let text = words(&format!("{}/{filed}", record.owner));
    let phrase = words(&format!("{}/{name}", record.namespace));
    text.windows(phrase.len()).any(|window| window == phrase)
}

/// Words as a search index with default settings sees them.
fn words(text: &str) -> Vec<String> {
    let apart = |c: char| !(c.is_alphanumeric() || c == '_' || c == '.');
    text.split(apart).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// A number that looks random (the finaliser of splitmix64).
fn mix(number: u64) -> u64 {
    let z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
