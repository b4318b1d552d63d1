//! Runs whose documents stay here: `run --output` and `run --dry-run`, between the API double and the disk.

use crate::support::{ACTIONS, Scene, refused_port};
use openwhisk_double::Activation;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use whiskjack_testbed::{Cli, Output, artifacts};

/// A scene, and files for a run: the configuration names no receiver.
struct Desk {
    scene: Scene,
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { scene: Scene::new(), folder: tempfile::tempdir().unwrap() };
        desk.configure(&json!({"actions": ACTIONS}));
        desk
    }

    fn configure(&self, params: &Value) {
        std::fs::write(self.file("config.json"), params.to_string()).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, options: &[&str]) -> Output {
        let config = self.file("config.json");
        let arguments = [&["run", "--config", config.to_str().unwrap()], options].concat();
        let environment = self.scene.environment();
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let output = Cli::call(&arguments, &environment);
        assert!(!self.scene.shows_key(&output.stdout) && !self.scene.shows_key(&output.stderr), "{output:?}");
        output
    }

    /// Writes that the API has seen.
    fn writes(&self) -> usize {
        self.scene.api.requests().iter().filter(|request| request.method != "GET").count()
    }
}

/// The lines of documents in the shape of 2017, with how often each is there.
fn lines(documents: &str) -> BTreeMap<(String, String), usize> {
    let mut lines = BTreeMap::new();
    for document in documents.lines() {
        let document: Value =
            serde_json::from_str(document).unwrap_or_else(|error| panic!("{error}: {document}"));
        let text = |key: &str| document[key].as_str().unwrap().to_owned();
        *lines.entry((text("activation"), text("line"))).or_default() += 1;
    }
    lines
}

#[test]
fn an_output_gets_every_line_once_with_a_checkpoint_as_a_receiver_does() {
    let desk = Desk::new();
    desk.scene.add_activations(10);
    let [out, state] = ["out.jsonl", "state"].map(|name| desk.file(name));
    let options = ["--output", out.to_str().unwrap(), "--state", state.to_str().unwrap()];
    let first = desk.run(&options);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    let result: Value = serde_json::from_str(&first.stdout).unwrap();
    assert_eq!((&result["lines"]["acknowledged"], &result["error"]), (&json!(60), &Value::Null));
    desk.scene.api.world().add(Activation::new(ACTIONS[0]).stdout("one more"));
    // A program that was killed has left half a line.
    let mut torn = std::fs::read_to_string(&out).unwrap();
    torn.push_str("{\"half");
    std::fs::write(&out, &torn).unwrap();
    let second = desk.run(&options);
    assert_eq!(second.status.code(), Some(0), "{second:?}");
    let text = std::fs::read_to_string(&out).unwrap();
    let whole = text.lines().filter(|line| *line != "{\"half").collect::<Vec<_>>().join("\n");
    assert_eq!(lines(&whole), desk.scene.lines(), "all of them, once, and none joined to the torn one");
}

#[test]
fn documents_on_stdout_leave_the_result_to_stderr() {
    let desk = Desk::new();
    desk.scene.add_activations(3);
    let output = desk.run(&["--output", "-", "--state", desk.file("state").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(lines(&output.stdout), desk.scene.lines());
    assert!(output.stderr.contains("\"acknowledged\":18"), "{output:?}");
}

#[test]
fn what_does_not_fit_on_the_disk_stays_owed() {
    let desk = Desk::new();
    desk.scene.add_activations(3);
    let full = in_shell(
        &desk,
        "exec \"$@\" >/dev/full",
        &["run", "--config", "config.json", "--state", "state", "--output", "-"],
    );
    assert_eq!(full.status.code(), Some(1), "{full:?}");
    let told = String::from_utf8_lossy(&full.stderr);
    let error = "--output -: cannot be written: no space left on device; make room there";
    assert!(told.contains(error) && told.contains("\"acknowledged\":0"), "{told}");
    let state = desk.file("state");
    let state = ["--state", state.to_str().unwrap()];
    let out = desk.file("out.jsonl");
    desk.run(&[&state[..], &["--output", out.to_str().unwrap()]].concat());
    assert_eq!(lines(&std::fs::read_to_string(&out).unwrap()), desk.scene.lines());
}

#[test]
fn of_a_window_that_the_disk_takes_a_part_of_nothing_stays_and_all_of_it_is_owed() {
    let desk = Desk::new();
    desk.scene.add_activations(20);
    let [config, state, disk] = ["config.json", "state", "disk"].map(|name| desk.file(name));
    std::fs::create_dir(&disk).unwrap();
    // A disk that is as large as a few of the lines.
    let script = "PATH=/usr/bin:/bin; mount -t tmpfs -o size=8k none \"$0\" || exit 9; cd \"$0\"; \"$@\" --output out.jsonl; \
                  echo status $?, $(stat -c %s out.jsonl) bytes";
    let output = std::process::Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script, disk.to_str().unwrap()])
        .args([artifacts().whiskjack().to_str().unwrap(), "run", "--config", config.to_str().unwrap()])
        .args(["--state", state.to_str().unwrap()])
        .envs(desk.scene.environment())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("cannot be written: no space left on device; make room there"), "{output:?}");
    assert!(stdout.ends_with("status 1, 0 bytes\n"), "it is as it was before: {output:?}");
    let out = desk.file("out.jsonl");
    desk.run(&["--output", out.to_str().unwrap(), "--state", state.to_str().unwrap()]);
    assert_eq!(lines(&std::fs::read_to_string(&out).unwrap()), desk.scene.lines(), "once");
}

#[test]
fn a_dry_run_shows_what_the_next_run_sends_and_changes_nothing() {
    let desk = Desk::new();
    desk.scene.add_activations(4);
    let receiver = desk.scene.receiver();
    desk.configure(&desk.scene.params(receiver.port()));
    for state in [None, Some(desk.file("state"))] {
        let state: Vec<&str> = state.iter().flat_map(|path| ["--state", path.to_str().unwrap()]).collect();
        let dry = || {
            let writes = desk.writes();
            let dry = desk.run(&[&state[..], &["--dry-run"]].concat());
            assert_eq!((dry.status.code(), desk.writes()), (Some(0), writes), "{dry:?}");
            assert!(dry.stderr.ends_with("nothing was sent or saved\n"), "{dry:?}");
            dry.stdout
        };
        let before = receiver.events_after(0).len();
        let all = dry();
        assert_eq!(receiver.events_after(0).len(), before, "nothing was sent");
        assert_eq!(lines(&all), desk.scene.lines());
        assert_eq!(dry(), all, "nothing was saved");
        let run = desk.run(&state);
        assert_eq!(run.status.code(), Some(0), "{run:?}");
        assert_eq!(dry(), "", "the checkpoint of the run counts");
        desk.scene.api.world().add(Activation::new(ACTIONS[0]).stdout("one more"));
        assert_eq!(lines(&dry()).len(), 1, "{state:?}");
        // So that the other place for the checkpoint begins with as many lines.
        let records = desk.scene.api.world().records();
        desk.run(&state);
        assert_eq!(desk.scene.api.world().records().len(), records.len());
        desk.scene.api.world().records().iter().for_each(|record| desk.scene.api.world().remove(&record.id));
        desk.scene.add_activations(4);
        if state.is_empty() {
            // Its own, so that a file does not go on from it.
            desk.scene.ask_api("DELETE", "_/packages/whiskjack.cli", "");
        }
    }
}

#[test]
fn a_dry_run_shows_no_more_than_it_is_asked_for_and_needs_no_receiver_that_answers() {
    let desk = Desk::new();
    desk.scene.add_activations(20);
    desk.configure(&desk.scene.params(refused_port()));
    let output = desk.run(&["--dry-run", "--limit", "3"]);
    assert_eq!((output.status.code(), output.stdout.lines().count()), (Some(0), 3), "{output:?}");
    assert!(output.stderr.contains("3 documents would be sent; there may be more"), "{output:?}");
    desk.scene.api.fail_always(openwhisk_double::Matcher::list(), openwhisk_double::Fault::status(500));
    let refused = desk.run(&["--dry-run", "--state", desk.file("none").to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(!Path::new(&desk.file("none")).exists() && !desk.file("none.lock").exists());
}

#[test]
fn an_output_that_another_run_holds_is_waited_for_by_whoever_calls_again() {
    let desk = Desk::new();
    desk.scene.add_activations(2);
    let [out, state] = ["out.jsonl", "state"].map(|name| desk.file(name));
    let options = ["--output", out.to_str().unwrap(), "--state", state.to_str().unwrap()];
    let held = std::fs::File::create(&out).unwrap();
    held.lock().unwrap();
    let blocked = desk.run(&options);
    assert_eq!(blocked.status.code(), Some(1), "it may get better by itself: {blocked:?}");
    assert!(blocked.stderr.contains("another run writes to it"), "{blocked:?}");
    drop(held);
    assert_eq!(desk.run(&options).status.code(), Some(0));
    assert_eq!(lines(&std::fs::read_to_string(&out).unwrap()), desk.scene.lines());
}

#[test]
fn no_output_is_made_while_the_configuration_has_faults() {
    let desk = Desk::new();
    desk.configure(&json!({"actions": [], "lookback_minutes": "soon"}));
    let out = desk.file("out.jsonl");
    let wrong = desk.run(&["--output", out.to_str().unwrap()]);
    assert!(wrong.status.code() == Some(2) && wrong.stderr.contains("lookback_minutes"), "{wrong:?}");
    assert!(!out.exists());
}

#[test]
fn what_cannot_be_given_together_is_told() {
    let desk = Desk::new();
    for (options, said) in [
        (&["--dry-run", "--output", "x"][..], "exclude each other"),
        (&["--limit", "3"], "--limit: is for --dry-run"),
        (&["--dry-run", "--limit", "0"], "--limit 0"),
    ] {
        let output = desk.run(options);
        assert!(output.status.code() == Some(2) && output.stderr.contains(said), "{output:?}");
    }
}

/// What comes of the command when a shell starts it so: `"$@"` is the program with its arguments.
fn in_shell(desk: &Desk, script: &str, arguments: &[&str]) -> std::process::Output {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(artifacts().whiskjack()).args(arguments);
    shell.current_dir(desk.folder.path()).env_clear().envs(desk.scene.environment());
    shell.env("PATH", "/usr/bin:/bin").output().unwrap()
}

#[test]
fn documents_for_a_closed_stdout_are_refused_before_anything_is_asked_and_may_go_to_dev_null() {
    let desk = Desk::new();
    desk.scene.add_activations(2);
    for command in [&["run"][..], &["backfill", "--from", "1h"]] {
        let arguments = [command, &["--config", "config.json", "--state", "state", "--output", "-"]].concat();
        let closed = in_shell(&desk, "exec \"$@\" >&-", &arguments);
        assert_eq!(closed.status.code(), Some(2), "{closed:?}");
        let said = "whiskjack: --output -: stdout is closed; ";
        assert!(String::from_utf8_lossy(&closed.stderr).starts_with(said), "{closed:?}");
        assert!(desk.scene.api.requests().is_empty() && !desk.file("state").exists(), "{command:?}");
    }
    let arguments = ["run", "--config", "config.json", "--output", "-"];
    let unwanted = in_shell(&desk, "exec \"$@\" >/dev/null", &arguments);
    assert_eq!(unwanted.status.code(), Some(0), "{unwanted:?}");
}

#[test]
fn an_output_that_is_no_regular_file_is_refused_with_status_2() {
    let desk = Desk::new();
    let pipe = desk.file("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for output in ["/dev/full", "/dev/null", "/dev/stdout", pipe.to_str().unwrap()] {
        let refused = desk.run(&["--output", output]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        let said = format!("--output {output}: is not a regular file; give a file, or - for stdout");
        assert!(refused.stderr.contains(&said), "{refused:?}");
    }
    assert!(desk.scene.api.requests().is_empty());
}

#[test]
fn a_configuration_may_come_through_a_pipe_and_one_without_end_is_refused() {
    let desk = Desk::new();
    desk.scene.add_activations(1);
    let arguments = |config| ["run", "--config", config, "--output", "-"];
    let piped = in_shell(&desk, "cat config.json | \"$@\"", &arguments("/dev/stdin"));
    assert_eq!(piped.status.code(), Some(0), "{piped:?}");
    // The limit keeps a program that reads on from taking all memory.
    let endless = in_shell(&desk, "ulimit -v 1000000; exec \"$@\"", &arguments("/dev/zero"));
    assert_eq!(endless.status.code(), Some(2), "{endless:?}");
    let said = "whiskjack: --config /dev/zero: cannot be read: it has more than 64 MiB; name another file\n";
    assert_eq!(String::from_utf8_lossy(&endless.stderr), said);
}
