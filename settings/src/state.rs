//! The file in which a command keeps its checkpoint.

use crate::Fault;
use serde_json::{Map, Value};
use std::path::Path;

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
