//! Copying artifacts.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Copies a file unless the copy is the same already, so that its time says when it last changed.
pub(crate) fn copy_if_changed(from: &Path, to: &Path) -> Result<()> {
    let new = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(());
    }
    // Through a new file: the old one may be running.
    let beside = to.with_extension("new");
    fs::copy(from, &beside)
        .and_then(|_| fs::rename(&beside, to))
        .with_context(|| format!("cannot write {}", to.display()))
}
