//! Where things are, and the commands that need to know it.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::step::Tool;

/// The WebAssembly target of the component.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";

/// The target of the static binary for ARM.
pub(crate) const ARM64_TARGET: &str = "aarch64-unknown-linux-musl";

/// Directories of this checkout and its build.
#[derive(Debug)]
pub(crate) struct Places {
    /// The workspace's root.
    pub(crate) root: PathBuf,
    /// Cargo's target directory, absolute.
    pub(crate) target: PathBuf,
    /// Where the artifacts go: `whiskjack/` in the target directory.
    pub(crate) artifacts: PathBuf,
}

impl Places {
    pub(crate) fn find() -> Result<Self> {
        // Of the checkout that Cargo runs it for: another one may have built it.
        let here = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&here).parent().context("xtask is in the workspace")?.to_owned();
        // Made absolute once, so that no child can read it relative to somewhere else.
        let target = root.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
        let artifacts = target.join("whiskjack");
        fs::create_dir_all(&artifacts).with_context(|| format!("cannot create {}", artifacts.display()))?;
        Ok(Self { root, target, artifacts })
    }

    /// An artifact, whether it exists or not.
    pub(crate) fn artifact(&self, name: &str) -> PathBuf {
        self.artifacts.join(name)
    }

    /// Cargo, for the host.
    pub(crate) fn cargo<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Tool {
        Tool::new("cargo")
            .args(arguments)
            .at(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            // Always the same: cargo builds again what was built with another value.
            .env("WHISKJACK_CWASM", self.artifact("whiskjack.cwasm"))
    }
}

/// The target of the static binary: containers have no common libc.
pub(crate) fn static_target() -> String {
    format!("{}-unknown-linux-musl", env::consts::ARCH)
}
