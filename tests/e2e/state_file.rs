//! The file of `--state`: what can be none, all commands refuse in the same words, with status 2.

use crate::support::{Scene, refused_port};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use whiskjack_testbed::{Cli, Output, artifacts};

const RUN: &[&str] = &["run"];
const CHECK: &[&str] = &["check", "--json"];
const COMMANDS: &[&[&str]] =
    &[RUN, &["run", "--dry-run"], &["watch"], &["backfill", "--from", "1h"], CHECK, &["status", "--json"]];

/// A scene, and a folder with a configuration.
struct Desk {
    scene: Scene,
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { scene: Scene::new(), folder: tempfile::tempdir().unwrap() };
        std::fs::write(desk.file("config.json"), desk.scene.params(refused_port()).to_string()).unwrap();
        desk
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn call(&self, command: &[&str], state: &str) -> Output {
        let config = self.file("config.json");
        let files = ["--config", config.to_str().unwrap(), "--state", state];
        let environment = self.scene.environment();
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Cli::call(&[command, &files].concat(), &environment)
    }
}

#[test]
fn what_cannot_be_the_file_of_the_checkpoint_is_refused_by_each_command_in_the_same_words() {
    let desk = Desk::new();
    let [pipe, missing, config] = ["pipe", "none/state", "config.json"].map(|name| desk.file(name));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for command in COMMANDS {
        desk.scene.api.forget_requests();
        for (state, said) in [
            (desk.folder.path().to_owned(), "is a folder; name a file in it"),
            (missing.clone(), "its folder is not there; make it first"),
            ("/dev/null".into(), "is not a plain file but a device, pipe or socket; name another"),
            (config.clone(), "is the file of --config; name another file"),
            (pipe.clone(), "is not a plain file but a device, pipe or socket; name another"),
        ] {
            let refused = desk.call(command, state.to_str().unwrap());
            assert_eq!(refused.status.code(), Some(2), "{command:?}: {refused:?}");
            let said = format!("--state {}: {said}", state.display());
            assert!(refused.stderr.contains(&said), "{command:?}: {refused:?}");
            if *command == CHECK && state != config {
                assert!(refused.stderr.ends_with(&format!("whiskjack: checkpoint: {said}\n")), "{refused:?}");
            }
        }
        assert!(*command == CHECK || desk.scene.api.requests().is_empty(), "{command:?}");
    }
}

#[test]
fn check_says_what_a_run_says_of_a_folder_that_cannot_be_written_and_writes_nothing_itself() {
    let desk = Desk::new();
    let disk = desk.file("disk");
    std::fs::create_dir(&disk).unwrap();
    let told = |command: &[&str]| {
        let script = "PATH=/usr/bin:/bin; mount -t tmpfs -o ro none \"$0\" || exit 9; exec \"$@\"";
        let output = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c", script, disk.to_str().unwrap()])
            .arg(artifacts().whiskjack())
            .args(command)
            .args(["--config", desk.file("config.json").to_str().unwrap()])
            .args(["--state", disk.join("state").to_str().unwrap()])
            .envs(desk.scene.environment())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let run = told(RUN);
    let error = run["error"].as_str().unwrap();
    assert!(error.contains("state.lock cannot be opened: "), "{error}");
    assert_eq!(told(CHECK)["cause"], format!("checkpoint: {error}"));
    let fine = desk.call(CHECK, desk.file("state").to_str().unwrap());
    assert!(!fine.stdout.contains("\"cause\":\"checkpoint"), "{fine:?}");
    assert_eq!(std::fs::read_dir(desk.folder.path()).unwrap().count(), 2, "nothing was made");
}
