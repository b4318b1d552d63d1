//! The command in a stock `wasmtime`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::artifacts;
use crate::cli::{Output, run};

/// `whiskjack-command.wasm` under `wasmtime run`, with a folder of its own for configuration and checkpoint.
#[derive(Debug)]
pub struct Stock {
    directory: TempDir,
}

impl Stock {
    /// What the command needs of wasmtime, as docs/hosts.md says.
    pub const GRANTS: &str = "http,tls,inherit-network,allow-ip-name-lookup";

    /// With an empty folder.
    #[track_caller]
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.directory.path()
    }

    /// The checkpoint file of [`Stock::run`].
    pub fn state(&self) -> PathBuf {
        self.folder().join("state.json")
    }

    /// Puts the configuration where [`Stock::run`] has it.
    #[track_caller]
    pub fn configure(&self, config: &Value) -> PathBuf {
        let file = self.folder().join("config.json");
        fs::write(&file, config.to_string()).expect("a file in the temporary directory");
        file
    }

    /// `run --config FILE --state FILE`, with all that it needs of wasmtime.
    #[track_caller]
    pub fn run(&self, config: &Value, env: &[(&str, String)]) -> Output {
        self.run_granted(Self::GRANTS, config, env)
    }

    /// The same with other grants: what follows `-S`.
    #[track_caller]
    pub fn run_granted(&self, grants: &str, config: &Value, env: &[(&str, String)]) -> Output {
        let (config, state, folder) = (self.configure(config), self.state(), self.folder());
        let flags = ["-S".as_ref(), grants.as_ref(), "--dir".as_ref(), folder.as_os_str()];
        let arguments =
            ["run".as_ref(), "--config".as_ref(), config.as_os_str(), "--state".as_ref(), state.as_os_str()];
        Self::run_with(&flags, &arguments, env)
    }

    /// `wasmtime run FLAGS --env NAME=VALUE… whiskjack-command.wasm ARGUMENTS`.
    #[track_caller]
    pub fn run_with(
        flags: &[impl AsRef<std::ffi::OsStr>],
        arguments: &[impl AsRef<std::ffi::OsStr>],
        env: &[(&str, String)],
    ) -> Output {
        let mut wasmtime = Command::new(artifacts().wasmtime());
        wasmtime.env_clear().arg("run").args(flags);
        for (name, value) in env {
            wasmtime.arg("--env").arg(format!("{name}={value}"));
        }
        wasmtime.arg(artifacts().command()).args(arguments);
        run(wasmtime)
    }
}

impl Default for Stock {
    fn default() -> Self {
        Self::new()
    }
}
