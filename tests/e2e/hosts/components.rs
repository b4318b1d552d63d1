//! Components that a host cannot run: of another release, or none at all.

use super::{assert_all_say, run};
use crate::support::Scene;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use whiskjack_testbed::artifacts;
use whiskjack_testbed::hosts::run_host;

/// The built component with other names in it, of the same length.
struct Renamed {
    directory: TempDir,
}

impl Renamed {
    fn new(from: &str, to: &str) -> Self {
        let mut component = std::fs::read(artifacts().component()).unwrap();
        let found: Vec<usize> = component
            .windows(from.len())
            .enumerate()
            .filter(|(_, bytes)| *bytes == from.as_bytes())
            .map(|(at, _)| at)
            .collect();
        assert!(!found.is_empty() && from.len() == to.len());
        for at in found {
            component[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("whiskjack.wasm"), component).unwrap();
        Self { directory }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Each host on this component.
    fn hosts(&self) -> [(&'static str, Command); 3] {
        let component = self.file("whiskjack.wasm");
        let mut transpile = Command::new("node");
        transpile.arg(artifacts().example("node/transpile.mjs")).arg(&component).arg(self.file("node"));
        let native = self.file("whiskjack.cwasm");
        let mut compile = artifacts().precompiler();
        compile.arg(&component).arg(&native);
        for command in [transpile, compile] {
            let output = run_host(command);
            assert!(output.status.success(), "{output:?}");
        }
        [
            ("Node.js", artifacts().node_host(&self.file("node"))),
            ("Python", artifacts().python_host(&component)),
            ("Rust", artifacts().rust_host(&native)),
        ]
    }

    fn answers(&self) -> Vec<(&'static str, Option<i32>, String)> {
        let scene = Scene::new();
        let answer = |(name, host)| {
            let output = run(host, &scene, &scene.params(1));
            (name, output.status.code(), format!("{}{}", output.stdout, output.stderr))
        };
        self.hosts().into_iter().map(answer).collect()
    }
}

#[test]
fn a_component_of_another_version_is_refused_and_both_versions_are_named() {
    let other = Renamed::new("whiskjack:forwarder/forwarder@0.1.0", "whiskjack:forwarder/forwarder@0.2.0");
    assert_all_say(&other.answers(), 1, &["forwarder@0.2.0", "@0.1.0", "of the same release"]);
}

#[test]
fn an_import_that_a_host_does_not_have_is_named() {
    let other = Renamed::new("whiskjack:forwarder/transport@0.1.0", "whiskjack:forwarder/telegraph@0.1.0");
    assert_all_say(&other.answers(), 1, &["whiskjack:forwarder/telegraph", "of the same release"]);
}

#[test]
fn a_component_that_is_not_there_is_answered_with_how_to_get_one() {
    let scene = Scene::new();
    let nowhere = Path::new("/nowhere/whiskjack");
    let hosts = [
        ("Node.js", artifacts().node_host(nowhere), "npm run transpile"),
        ("Python", artifacts().python_host(nowhere), "cargo xtask build"),
        ("Rust", artifacts().rust_host(nowhere), "cargo xtask build"),
    ];
    for (name, host, remedy) in hosts {
        let output = run(host, &scene, &scene.params(1));
        assert_all_say(&[(name, output.status.code(), output.stderr)], 1, &["/nowhere/whiskjack", remedy]);
    }
}
