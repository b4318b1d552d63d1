//! Who keeps the checkpoint.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Map, Value};

use super::NOTHING;
use crate::checkpoint::{self, CheckpointFile, Unusable};
use crate::component::CheckpointKeeper;
use crate::http::Answer;
use crate::http::Api;
use crate::result::RunResult;
use whiskjack_settings::{Fault, package_of};

/// The annotation of a package that holds the checkpoint.
const ANNOTATION: &str = "whiskjack-checkpoint";

/// Who keeps the checkpoint.
#[derive(Clone, Debug, Default)]
pub enum Keeper {
    /// The platform, where the component finds it by itself.
    #[default]
    Platform,
    /// This file, for one run at a time.
    File(PathBuf),
    /// This file, and no checkpoint is looked for elsewhere if it is not there yet.
    OwnFile(OwnFile),
    /// The process.
    Memory(Memory),
    /// Nobody: the run reads what the next one would read, from this file or else from the platform, and saves nothing.
    Rehearsal(Option<PathBuf>),
}

/// A checkpoint that ends with the process.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Option<Vec<u8>>>>);

impl Memory {
    /// One that begins with these bytes.
    pub fn holding(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Some(bytes))))
    }

    fn load(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn save(&self, bytes: &[u8]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes.to_vec());
    }
}

/// A file of a command's own, in which there is a note of the command beside the checkpoint. The component passes over it.
#[derive(Clone, Debug)]
pub struct OwnFile {
    path: PathBuf,
    note: Arc<Mutex<Note>>,
}

/// What a command notes beside its checkpoint.
#[derive(Debug, Default)]
struct Note {
    /// As the command has it, without the lines.
    own: Map<String, Value>,
    /// Lines that were acknowledged before the present run, and in all.
    before: u64,
    acknowledged: u64,
    /// The checkpoint, as it was saved last.
    checkpoint: Vec<u8>,
}

/// The member of a checkpoint's object that is the note, and that of the note with the lines.
const NOTE: &str = "backfill";
const LINES: &str = "acknowledged";

impl OwnFile {
    /// The file at `path`, with this note. Lines of a note that is there already count on.
    pub fn new(path: PathBuf, own: Map<String, Value>) -> Self {
        let acknowledged = Self::note_in(&path).and_then(|note| note.get(LINES)?.as_u64()).unwrap_or(0);
        let note = Note { own, acknowledged, ..Note::default() };
        Self { path, note: Arc::new(Mutex::new(note)) }
    }

    /// The note in the file at `path`, if there is one.
    pub fn note_in(path: &Path) -> Option<Map<String, Value>> {
        let kept: Value = serde_json::from_slice(&checkpoint::glance(path).ok()??).ok()?;
        kept.get(NOTE)?.as_object().cloned()
    }

    /// Where it is.
    pub fn path(&self) -> &PathBuf {
        &self.path
    }

    /// Lines that were acknowledged, in all runs of all processes.
    pub fn acknowledged(&self) -> u64 {
        self.note().acknowledged
    }

    /// Changes the note, and saves it with the checkpoint that there is; none yet is a checkpoint of nothing. Errors are sentences.
    pub(crate) fn keep(
        &self,
        changes: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Result<(), Unusable> {
        let file = CheckpointFile::open(&self.path)?;
        let known = file.load().map_err(Unusable::Blocked)?;
        let mut note = self.note();
        note.own.extend(changes.into_iter().map(|(key, value)| (key.to_owned(), value)));
        let bytes = match known {
            Some(known) if note.checkpoint.is_empty() => without_note(&known),
            None if note.checkpoint.is_empty() => NOTHING.to_vec(),
            _ => note.checkpoint.clone(),
        };
        file.save(&note.beside(&bytes)).map_err(Unusable::Blocked)
    }

    fn note(&self) -> MutexGuard<'_, Note> {
        self.note.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Note {
    /// The checkpoint with the note as its last member.
    fn beside(&self, checkpoint: &[u8]) -> Vec<u8> {
        let mut note = self.own.clone();
        note.insert(LINES.to_owned(), self.acknowledged.into());
        let member = format!(",\"{NOTE}\":{}}}", Value::Object(note));
        match checkpoint.strip_suffix(b"}") {
            Some(members) => [members, member.as_bytes()].concat(),
            None => checkpoint.to_vec(),
        }
    }
}

/// A checkpoint without its note. It is the last member.
fn without_note(bytes: &[u8]) -> Vec<u8> {
    let member = format!(",\"{NOTE}\":{{");
    let text = String::from_utf8_lossy(bytes);
    match text.rfind(&member) {
        Some(at) => [text.get(..at).unwrap_or_default().as_bytes(), b"}"].concat(),
        None => bytes.to_vec(),
    }
}

/// The place of a run's checkpoint, made ready.
pub(super) enum Kept {
    Platform,
    File(CheckpointFile),
    OwnFile(CheckpointFile, OwnFile),
    Memory(Memory),
    Nowhere,
}

impl Kept {
    /// Keeps what a run has saved, which has brought so many lines.
    pub(super) fn save(&self, bytes: &[u8], acknowledged: u64) -> Result<(), String> {
        match self {
            Self::File(file) => return file.save(bytes),
            Self::OwnFile(file, own) => {
                let mut note = own.note();
                note.acknowledged = note.before.saturating_add(acknowledged);
                note.checkpoint = bytes.to_vec();
                return file.save(&note.beside(bytes));
            }
            Self::Memory(memory) => memory.save(bytes),
            Self::Platform | Self::Nowhere => {}
        }
        Ok(())
    }
}

impl Keeper {
    /// The file that it is, as the result names it.
    pub(super) fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::File(file) => Some(file),
            Self::OwnFile(own) => Some(&own.path),
            Self::Rehearsal(file) => file.as_ref(),
            Self::Platform | Self::Memory(_) => None,
        }
    }

    /// Locks the file, if it is one that is written.
    pub(super) fn open(&self) -> Result<Kept, RunResult> {
        let opened = |path: &Path| {
            CheckpointFile::open(path).map_err(|unusable| match unusable {
                Unusable::Named(message) => RunResult::misused(message),
                Unusable::Blocked(message) => RunResult::error(message),
            })
        };
        match self {
            Self::File(path) => opened(path).map(Kept::File),
            Self::OwnFile(own) => {
                let file = opened(&own.path)?;
                let mut note = own.note();
                note.before = note.acknowledged;
                drop(note);
                Ok(Kept::OwnFile(file, own.clone()))
            }
            Self::Platform => Ok(Kept::Platform),
            Self::Memory(memory) => Ok(Kept::Memory(memory.clone())),
            Self::Rehearsal(_) => Ok(Kept::Nowhere),
        }
    }

    /// What the component gets to begin with. `package` is the one that holds the checkpoint, if the platform keeps it.
    pub(super) async fn load(
        &self,
        kept: &Kept,
        api: &Api,
        package: &str,
    ) -> Result<CheckpointKeeper, String> {
        let bytes = match (self, kept) {
            (Self::Platform, _) => return Ok(CheckpointKeeper::Platform),
            (Self::OwnFile(_), Kept::OwnFile(file, _)) => {
                Some(file.load()?.unwrap_or_else(|| NOTHING.to_vec()))
            }
            (_, Kept::File(file)) => file.load()?,
            (Self::Memory(memory), _) => Some(memory.load().unwrap_or_else(|| NOTHING.to_vec())),
            (Self::Rehearsal(Some(path)), _) => checkpoint::glance(path)?,
            _ => in_package(api, package).await?,
        };
        Ok(CheckpointKeeper::Host(bytes))
    }

    /// The fault of parameters that keep the checkpoint elsewhere, though there is a file for it: one of the two is not meant.
    pub(super) fn unused(&self, params: &Map<String, Value>) -> Option<Fault> {
        whiskjack_settings::unused_state(params, self.file()?)
    }
}

/// The package that holds the checkpoint of a command with these parameters, and whether the platform keeps it at all.
pub(super) fn package(params: &Map<String, Value>) -> String {
    let named = params.get("checkpoint").and_then(|group| group.get("package")).and_then(Value::as_str);
    named.map_or_else(|| package_of(None), str::to_owned)
}

/// The checkpoint that a package holds; none if there is no package, or nothing in it.
async fn in_package(api: &Api, name: &str) -> Result<Option<Vec<u8>>, String> {
    let path = format!("/api/v1/namespaces/_/packages/{}", encoded(name));
    let what = |why: String| format!("the package `{name}` cannot be read: {why}");
    let answer = api.call(Method::GET, &path, None::<Bytes>).await;
    let answer = answer.map_err(|error| what(format!("the API at {error}")))?;
    match answer.status {
        StatusCode::NOT_FOUND => return Ok(None),
        StatusCode::OK => {}
        _ => return Err(what(Answer::new(&answer).refusal())),
    }
    let package: Value =
        serde_json::from_slice(&answer.body).map_err(|_| what(Answer::new(&answer).refusal()))?;
    let annotations = package.get("annotations").and_then(Value::as_array).into_iter().flatten();
    let mut ours =
        annotations.filter(|annotation| annotation.get("key").is_some_and(|key| key == ANNOTATION));
    Ok(ours.next().and_then(|annotation| annotation.get("value")).map(|value| value.to_string().into_bytes()))
}

fn encoded(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::HostParams;
    use serde_json::json;

    #[test]
    fn a_file_for_the_checkpoint_beside_another_place_is_a_fault_that_names_both() {
        let unused = |keeper: &Keeper, mut params: Value| {
            let host = HostParams::take(params.as_object_mut().unwrap());
            assert!(host.faults.is_empty(), "{:?}", host.faults);
            keeper.unused(params.as_object().unwrap()).map(|fault| fault.to_string())
        };
        let file = Keeper::File("s.json".into());
        for params in [json!({"checkpoint": {"store": "package"}}), json!({"checkpoint.store": "activation"})]
        {
            assert_eq!(unused(&Keeper::Platform, params.clone()), None);
            let fault = unused(&file, params.clone()).unwrap();
            assert!(
                fault.starts_with("checkpoint.store: the file of --state s.json would not be used; "),
                "{fault}"
            );
        }
        for params in [json!({}), json!({"checkpoint": {"store": "host"}}), json!({"checkpoint": "package"})]
        {
            assert_eq!(unused(&file, params.clone()), None, "{params}");
        }
    }

    #[test]
    fn a_command_s_own_file_has_its_note_beside_the_checkpoint_and_its_lines_count_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let own = || {
            let Value::Object(note) = json!({"from": 1, "is_complete": false}) else { panic!() };
            OwnFile::new(path.clone(), note)
        };
        own().keep([]).unwrap();
        let kept = || serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()).unwrap();
        let note = json!({"from": 1, "is_complete": false, "acknowledged": 0});
        assert_eq!(kept(), json!({"version": 3, "sources": {}, "backfill": note}));
        let saved = br#"{"version":3,"sources":{"a":{"origin":1,"through":9}}}"#;
        for (acknowledged, in_all) in [(5, 5), (0, 5), (7, 12)] {
            let file = own();
            let keeper = Keeper::OwnFile(file.clone());
            let opened = keeper.open().unwrap_or_else(|_| panic!());
            opened.save(saved, acknowledged).unwrap();
            assert_eq!(
                (kept()["backfill"]["acknowledged"].clone(), file.acknowledged()),
                (json!(in_all), in_all)
            );
            drop(opened);
        }
        own().keep([("is_complete", true.into())]).unwrap();
        assert_eq!(kept()["sources"]["a"]["through"], 9, "the checkpoint stays");
        assert_eq!(kept()["backfill"], json!({"from": 1, "is_complete": true, "acknowledged": 12}));
    }
}
