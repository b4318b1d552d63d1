//! The hosts that are a command: `--config FILE --state FILE`, the API's host and key in the environment.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{Run, Stage};
use crate::cli::{Output, run};
use crate::{Artifacts, artifacts};

pub(super) fn native(stage: &Stage) -> Run<'_> {
    let command = || {
        let mut command = Command::new(artifacts().whiskjack());
        command.arg("run");
        command
    };
    repeated(stage, stage.params_with_api_ca(), command)
}

pub(super) fn rust(stage: &Stage) -> Run<'_> {
    repeated(stage, stage.params(), || artifacts().rust_host(&artifacts().precompiled()))
}

pub(super) fn node(stage: &Stage) -> Run<'_> {
    repeated(stage, stage.params(), || {
        let mut command = artifacts().node_host(&artifacts().node_component());
        command.env("NODE_EXTRA_CA_CERTS", stage.certificates.ca_file());
        command
    })
}

pub(super) fn python(stage: &Stage) -> Run<'_> {
    repeated(stage, stage.params(), || artifacts().python_host(&artifacts().component()))
}

/// Runs that find each other's checkpoint.
fn repeated<'a>(stage: &'a Stage, params: Value, command: impl Fn() -> Command + 'a) -> Run<'a> {
    Box::new(move || {
        let mut command = command();
        command.arg("--config").arg(stage.config(&params)).arg("--state").arg(stage.state());
        command.env("__OW_API_HOST", stage.api.origin()).env("__OW_API_KEY", stage.api.key());
        succeeded(stage, &run(command))
    })
}

fn succeeded(stage: &Stage, output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    assert!(!stage.shows_key(&format!("{output:?}")), "the key is in the output: {output:?}");
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

impl Artifacts {
    /// The example in Rust, on a component that was compiled ahead of time.
    #[track_caller]
    pub fn rust_host(&self, component: &Path) -> Command {
        let mut command = Command::new(self.beside("debug/whiskjack-example"));
        command.arg("--component").arg(component);
        command
    }

    /// The compiler that made the static binary's code: two files are its arguments.
    #[track_caller]
    pub fn precompiler(&self) -> Command {
        Command::new(self.beside("tool/precompile"))
    }

    /// What cargo has left in its target directory.
    #[track_caller]
    fn beside(&self, path: &str) -> PathBuf {
        let program = self.directory().with_file_name(path);
        assert!(program.is_file(), "{} is missing: run `cargo xtask hosts`", program.display());
        program
    }

    /// The example for Node.js, on a transpiled component.
    #[track_caller]
    pub fn node_host(&self, component: &Path) -> Command {
        let mut command = Command::new("node");
        command.arg(self.example("node/main.mjs")).arg("--component").arg(component);
        command.env_remove("NODE_EXTRA_CA_CERTS");
        command
    }

    /// The example in Python, on a component.
    #[track_caller]
    pub fn python_host(&self, component: &Path) -> Command {
        let mut command = Command::new("python3");
        command.arg(self.example("python/main.py")).arg("--component").arg(component);
        command.env("PYTHONPATH", self.python_wasmtime()).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

/// Runs a command to its end.
#[track_caller]
pub fn run_host(host: Command) -> Output {
    run(host)
}
