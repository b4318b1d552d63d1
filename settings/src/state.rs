//! The file in which a command keeps its checkpoint.

use crate::Fault;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// The folder of a file.
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The file of that name with `.suffix` behind it: a lock, or what is written before it takes the file's place.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// The fault of parameters that keep the checkpoint elsewhere although `--state` names a file for it: one of the two is a mistake. Dotted
/// keys are in their groups already.
pub fn unused_state(params: &Map<String, Value>, file: &Path) -> Option<Fault> {
    let store = params.get("checkpoint")?.get("store")?.as_str();
    let store = store.filter(|store| ["package", "activation"].contains(store))?;
    let remedy = format!(
        "the file of --state {} would not be used; remove this key to keep the checkpoint there, or leave --state out",
        file.display()
    );
    Some(Fault { key: "checkpoint.store".into(), value: format!("\"{store}\""), remedy })
}
