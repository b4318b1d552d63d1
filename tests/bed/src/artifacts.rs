//! The place where `cargo xtask build` puts the programs that the tests run.

use std::env;
use std::path::{Path, PathBuf};

/// The artifacts' directory: `whiskjack/` in cargo's target directory (`CARGO_TARGET_DIR`, else the workspace's `target/`).
pub fn artifacts() -> Artifacts {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // Relative to the workspace, as cargo reads it when it is started there.
    let target = workspace.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
    Artifacts { directory: target.join("whiskjack") }
}

/// The built artifacts. Asking for one that is missing panics with what to do.
#[derive(Clone, Debug)]
pub struct Artifacts {
    directory: PathBuf,
}

impl Artifacts {
    /// The directory itself, whether it exists or not.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The static binary: command, action `exec`, and one-shot executable.
    #[track_caller]
    pub fn whiskjack(&self) -> PathBuf {
        self.file("whiskjack")
    }

    /// The component.
    #[track_caller]
    pub fn component(&self) -> PathBuf {
        self.file("whiskjack.wasm")
    }

    /// The component, compiled ahead of time for the static binary.
    #[track_caller]
    pub fn precompiled(&self) -> PathBuf {
        self.file("whiskjack.cwasm")
    }

    /// The command for a stock wasmtime: the component with a program above it and sockets below it.
    #[track_caller]
    pub fn command(&self) -> PathBuf {
        self.file("whiskjack-command.wasm")
    }

    /// The same, compiled ahead of time for a host without a compiler: `cargo xtask test` does that.
    #[track_caller]
    pub fn compiled_command(&self) -> PathBuf {
        self.file("whiskjack-command.cwasm")
    }

    /// The `wasmtime` command, which `cargo xtask setup` has seen to.
    #[track_caller]
    pub fn wasmtime(&self) -> PathBuf {
        let path = self.directory.join("wasmtime");
        assert!(path.is_file(), "wasmtime is missing: run `cargo xtask setup`");
        path
    }

    #[track_caller]
    pub(crate) fn receiver(&self) -> PathBuf {
        self.file("lumberjack-receiver")
    }

    #[track_caller]
    pub(crate) fn client(&self) -> PathBuf {
        self.file("lumberjack-client")
    }

    /// Where `cargo xtask setup` has put the Python packages of the tests.
    #[track_caller]
    pub(crate) fn python_packages(&self) -> PathBuf {
        let path = self.directory.join("python");
        assert!(path.join("pylogbeat.py").is_file(), "pylogbeat is missing: run `cargo xtask setup`");
        path
    }

    /// The component, transpiled for Node.js: a directory.
    #[track_caller]
    pub fn node_component(&self) -> PathBuf {
        self.file("node-component/whiskjack.js").parent().expect("it is in a directory").to_owned()
    }

    /// The action for OpenWhisk's Node.js runtime.
    #[track_caller]
    pub fn node_action(&self) -> PathBuf {
        self.file("whiskjack-node.zip")
    }

    /// A file below `examples/`.
    #[track_caller]
    pub fn example(&self, path: &str) -> PathBuf {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(path);
        assert!(file.is_file(), "{} is missing", file.display());
        file
    }

    /// Where `cargo xtask setup` has put wasmtime for Python.
    #[track_caller]
    pub fn python_wasmtime(&self) -> PathBuf {
        let path = self.directory.join("python-wasmtime");
        assert!(path.join("wasmtime").is_dir(), "wasmtime for Python is missing: run `cargo xtask setup`");
        path
    }

    #[track_caller]
    pub(crate) fn actionloop_proxy(&self) -> PathBuf {
        self.file("actionloop-proxy")
    }

    #[track_caller]
    fn file(&self, name: &str) -> PathBuf {
        let path = self.directory.join(name);
        assert!(path.is_file(), "{} is missing: run `cargo xtask build`", path.display());
        path
    }
}
