//! Who keeps the checkpoint.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Map, Value};

use super::NOTHING;
use crate::checkpoint::{CheckpointFile, Unusable};
use crate::component::CheckpointKeeper;
use crate::deploy::Answer;
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
    OwnFile(PathBuf),
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

/// The place of a run's checkpoint, made ready.
pub(super) enum Kept {
    Platform,
    File(CheckpointFile),
    Memory(Memory),
    Nowhere,
}

impl Kept {
    /// Keeps what a run has saved.
    pub(super) fn save(&self, bytes: &[u8]) -> Result<(), String> {
        match self {
            Self::File(file) => return file.save(bytes),
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
            Self::File(file) | Self::OwnFile(file) => Some(file),
            Self::Rehearsal(file) => file.as_ref(),
            Self::Platform | Self::Memory(_) => None,
        }
    }

    /// Locks the file, if it is one that is written.
    pub(super) fn open(&self) -> Result<Kept, RunResult> {
        match self {
            Self::File(path) | Self::OwnFile(path) => match CheckpointFile::open(path) {
                Ok(file) => Ok(Kept::File(file)),
                Err(Unusable::Named(message)) => Err(RunResult::misused(message)),
                Err(Unusable::Blocked(message)) => Err(RunResult::error(message)),
            },
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
            (Self::OwnFile(_), Kept::File(file)) => Some(file.load()?.unwrap_or_else(|| NOTHING.to_vec())),
            (_, Kept::File(file)) => file.load()?,
            (Self::Memory(memory), _) => Some(memory.load().unwrap_or_else(|| NOTHING.to_vec())),
            (Self::Rehearsal(Some(path)), _) => read(path)?,
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

fn read(path: &PathBuf) -> Result<Option<Vec<u8>>, String> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("--state {}: {}", path.display(), crate::os_error::unreadable(&error))),
    }
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
}
