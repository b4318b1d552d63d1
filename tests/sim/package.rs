//! Packages of the platform, as far as a checkpoint needs them (docs/facts/openwhisk.md 10).

use super::api::Answer;
use super::ports::Sim;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use whiskjack::run::store::ANNOTATION;

/// Key of an annotation that somebody else changes.
const NOTE: &str = "note";

/// A package.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Package {
    pub annotations: Vec<Value>,
    /// How often it was written: the patch number of its version.
    pub version: u64,
}

/// All packages of the namespace by their names, and what somebody else noted in them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Packages {
    pub by_name: BTreeMap<String, Package>,
    /// What the annotation `note` must say.
    pub notes: BTreeMap<String, u64>,
    /// When that was written last.
    pub edited: BTreeMap<String, u64>,
    /// Whether an annotation of somebody else was lost.
    pub lost: Option<String>,
}

/// An annotation of somebody else, which must survive.
pub fn foreign() -> Value {
    json!({"key": "description", "value": {"of": ["somebody", "else", 1.50]}})
}

impl Package {
    /// Its checkpoint.
    pub fn checkpoint(&self) -> Option<&Value> {
        self.annotations
            .iter()
            .find(|annotation| annotation["key"] == ANNOTATION)
            .map(|annotation| &annotation["value"])
    }

    /// Puts another checkpoint in the place of the one that is there.
    pub fn replace(&mut self, checkpoint: Value) {
        let ours = self.annotations.iter_mut().find(|annotation| annotation["key"] == ANNOTATION);
        ours.expect("a checkpoint")["value"] = checkpoint;
        self.version += 1;
    }

    fn json(&self, name: &str) -> String {
        json!({"namespace": "guest", "name": name, "version": format!("0.0.{}", self.version), "publish": false,
            "annotations": self.annotations, "parameters": [], "binding": {}, "actions": [], "feeds": []})
        .to_string()
    }
}

impl Packages {
    /// Somebody else writes the note of a package that is there.
    pub fn edit(&mut self, name: &str, note: u64, now: u64) -> bool {
        let Some(package) = self.by_name.get_mut(name) else { return false };
        package.annotations.retain(|annotation| annotation["key"] != NOTE);
        package.annotations.push(json!({"key": NOTE, "value": note}));
        package.version += 1;
        self.notes.insert(name.to_owned(), note);
        self.edited.insert(name.to_owned(), now);
        true
    }

    fn check(&mut self, name: &str, before: &[Value], now: u64, faulty: bool) {
        let after = &self.by_name[name].annotations;
        let note =
            after.iter().find(|annotation| annotation["key"] == NOTE).map(|note| note["value"].as_u64());
        let noted = self.notes.get(name).map(|note| Some(*note));
        // The API knows no conditional write: what was written within the last second may be overwritten, as the documentation says, and so may
        // what was written during a run that could not read the package before its last write.
        let most = if faulty { 60_000 } else { 2_500 };
        let excused = self.edited.get(name).is_some_and(|edited| now.saturating_sub(*edited) < most);
        if note != noted && excused {
            self.notes.remove(name);
            self.notes.extend(note.flatten().map(|note| (name.to_owned(), note)));
        } else if note != noted {
            self.lost = Some(format!("the note of `{name}` is {note:?} and should be {noted:?}"));
        }
        if before.contains(&foreign()) && !after.contains(&foreign()) {
            self.lost = Some(format!("an annotation of somebody else was lost from `{name}`"));
        }
    }
}

/// The answer to GET.
pub fn get(sim: &Sim, name: &str) -> Answer {
    match sim.packages.borrow().by_name.get(name) {
        Some(package) => Answer::json(200, package.json(name)),
        None => Answer::error(404, "The requested resource does not exist."),
    }
}

/// The answer to PUT: creates, or with `overwrite` changes what the body names.
pub fn put(sim: &Sim, name: &str, query: &str, body: &[u8]) -> Answer {
    let overwrite = query == "overwrite=true";
    assert!(overwrite || query.is_empty() || query == "overwrite=false", "{query}");
    if sim.config.borrow().refused {
        return Answer::error(403, "The supplied authentication is not authorized to access this resource.");
    }
    let mut packages = sim.packages.borrow_mut();
    let there = packages.by_name.get(name).cloned();
    if there.is_some() && !overwrite {
        sim.met.note("put-exists");
        return Answer::error(409, "resource already exists");
    }
    let body: Value = serde_json::from_slice(body).expect("the body of a PUT is JSON");
    let Package { annotations: before, version } = there.unwrap_or_default();
    let annotations =
        body.get("annotations").map_or(before.clone(), |new| new.as_array().expect("a list").clone());
    let package = Package { annotations, version: version + 1 };
    if let Some(ours) = package.checkpoint() {
        sim.kept.borrow_mut().take(ours.to_string().as_bytes());
    }
    let answer = Answer::json(200, package.json(name));
    packages.by_name.insert(name.to_owned(), package);
    packages.check(name, &before, sim.now.get(), sim.world.settings.api_faults > 0);
    drop(packages);
    super::demand::stored(sim);
    answer
}
