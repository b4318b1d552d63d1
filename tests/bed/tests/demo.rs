//! The demo shows every line of its namespace, once, and nothing that should not be seen.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a panic is how they fail"
)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

/// How long anything may take that ought to be there at once.
const SOON: Duration = Duration::from_secs(60);
/// The parts of the demo's API key.
const SECRETS: [&str; 2] = ["an-invented-secret", "00000000-1111-4222-8333-444444444444"];

#[test]
fn every_line_is_shown_once_and_the_second_run_shows_only_what_is_new() {
    let output = demo(&["--all"]).output().unwrap();
    let text = successful(&output);
    let [(read, acknowledged), (new, new_acknowledged), nothing] = counts(&text);
    assert!(read > 200 && new > 10, "{text}");
    assert_eq!((read, new, nothing), (acknowledged, new_acknowledged, (0, 0)), "{text}");
    assert_eq!(rows(section(&text, "\nRun 1", "\nRun 2")).len(), read);

    let second = rows(section(&text, "\nRun 2", "\nRun 3"));
    assert_eq!(second.len(), new);
    let first = ids(&rows(section(&text, "\nRun 1", "\nRun 2")));
    assert!(ids(&second).iter().all(|id| !first.contains(id)), "{text}");
    assert_eq!(ids(&second).len(), 5, "{text}");
    assert!(section(&text, "\nRun 2", "\nRun 3").contains("resize-image ran from "), "{text}");

    assert!(section(&text, "\nRun 3", "\nSum").contains("nothing new, no connection"), "{text}");
    let sum = format!("{} lines in the API, {} documents received, no id twice", read + new, read + new);
    assert!(text.contains(&sum), "{text}");
}

#[test]
fn rows_are_sorted_by_time_fit_the_terminal_and_have_nothing_in_them_that_it_obeys() {
    let output = demo(&["--all"]).env("COLUMNS", "90").output().unwrap();
    let text = successful(&output);
    for run in [section(&text, "\nRun 1", "\nRun 2"), section(&text, "\nRun 2", "\nRun 3")] {
        let rows = rows(run);
        assert!(rows.iter().all(|row| row.width() <= 90), "{run}");
        assert!(rows.is_sorted_by_key(|row| row.split_whitespace().next()), "{run}");
        assert!(rows.iter().any(|row| row.contains("stderr  ␛[33mwarn␛[0m")), "{run}");
    }
    assert!(text.chars().all(|char| char == '\n' || !char.is_control()));
}

#[test]
fn of_many_lines_the_first_and_the_last_are_shown() {
    let text = successful(&demo(&[]).output().unwrap());
    let [(read, _), ..] = counts(&text);
    let first = section(&text, "\nRun 1", "\nRun 2");
    assert_eq!(rows(first).len(), 40, "{first}");
    assert!(first.contains(&format!("\n  … {} more lines …\n", read - 40)), "{first}");
}

#[test]
fn a_failed_activation_becomes_a_stack_trace_a_line_with_its_level_and_a_summary() {
    let text = successful(&demo(&[]).output().unwrap());
    let (_, act) = text.split_once("\nRun 4").unwrap();
    let json = &act[act.find("\n{").unwrap()..act.find("\n  its own log").unwrap()];
    let documents: Vec<serde_json::Value> =
        serde_json::Deserializer::from_str(json).into_iter().map(Result::unwrap).collect();
    assert_eq!(documents.len(), 3, "{act}");
    let find = |path: &str, value: &str| {
        documents.iter().find(|document| document.pointer(path).is_some_and(|found| found == value)).unwrap()
    };
    let trace = find("/log/iostream", "stderr")["message"].as_str().unwrap();
    assert!(trace.starts_with("java.lang.IllegalStateException: "), "{trace}");
    assert!(trace.contains("\nCaused by: ") && trace.ends_with("\t... 2 more"), "{trace}");
    assert_eq!(find("/log/level", "warn")["message"], "the bank does not answer, once more");
    let summary = find("/event/dataset", "openwhisk.activation");
    assert_eq!(summary["openwhisk"]["status"], "action developer error");
    assert_eq!(summary["error"]["message"], "order 4051 is not refunded");
}

#[test]
fn the_key_is_not_shown() {
    let output = demo(&[]).output().unwrap();
    successful(&output);
    for bytes in [output.stdout, output.stderr] {
        let text = String::from_utf8(bytes).unwrap();
        assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{text}");
    }
}

#[test]
fn an_unknown_option_gets_the_usage_and_status_2() {
    let output = demo(&["--keep", "--kepe"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("demo: --kepe: no such option\nusage: "), "{message}");
}

#[test]
fn kept_up_it_shows_what_the_pasted_command_sends_and_ends_with_stdin() {
    let mut demo = Kept::start();
    let (export, run) = demo.paste();
    let everything = shell(&export, &run);
    demo.wait_for_rows(everything);

    writeln!(demo.child.stdin.as_ref().unwrap()).unwrap();
    demo.line(|line| line.contains("5 more activations are in the API"));
    let new = shell(&export, &run);
    demo.wait_for_rows(new);
    assert!(
        0 < new && new < everything,
        "the second run goes on where the first stopped: {new}, {everything}"
    );

    drop(demo.child.stdin.take());
    assert!(demo.child.wait().unwrap().success());
    let config = run.split(' ').find(|word| word.ends_with("config.json")).unwrap();
    assert!(!Path::new(config).exists(), "{config} is left behind");
}

#[test]
fn kept_up_it_ends_with_ctrl_c() {
    let mut demo = Kept::start();
    demo.paste();
    demo.line(|line| line.starts_with("  time (UTC)"));
    let interrupted = Command::new("kill").args(["-INT", &demo.child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert!(demo.child.wait().unwrap().success());
}

fn demo(options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command.args(options).stdin(Stdio::null()).env_remove("COLUMNS");
    command
}

fn successful(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert_eq!(errors, "");
    text
}

fn section<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    text.split_once(begin).unwrap().1.split_once(end).unwrap().0
}

fn is_row(line: &str) -> bool {
    let time = line.strip_prefix("  ").and_then(|line| line.get(..12)).unwrap_or_default();
    time.len() == 12 && time.chars().all(|char| char.is_ascii_digit() || ":.".contains(char))
}

fn rows(text: &str) -> Vec<&str> {
    text.lines().filter(|line| is_row(line)).collect()
}

/// The activations of these rows: the columns before them have a fixed width.
fn ids<'a>(rows: &[&'a str]) -> BTreeSet<&'a str> {
    rows.iter().map(|row| &row[34..42]).collect()
}

/// Read and acknowledged, of each of the three runs.
fn counts(text: &str) -> [(usize, usize); 3] {
    let sum = text.split_once("\nSum\n").unwrap().1;
    let numbers =
        |line: &str| -> Vec<usize> { line.split_whitespace().map(|word| word.parse().unwrap()).collect() };
    let counts = sum.lines().skip(1).take(3).map(numbers).map(|row| (row[1], row[2]));
    counts.collect::<Vec<_>>().try_into().unwrap()
}

/// Runs the two pasted lines; returns how many lines were acknowledged.
fn shell(export: &str, run: &str) -> usize {
    let script = format!("{export}\n{run}\n");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    usize::try_from(result["lines"]["acknowledged"].as_u64().unwrap()).unwrap()
}

/// A demo with `--keep --all`, ended when dropped.
struct Kept {
    child: Child,
    lines: Receiver<String>,
}

impl Kept {
    fn start() -> Self {
        let mut command = demo(&["--keep", "--all"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (tell, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { child, lines }
    }

    /// The next line that is wanted.
    fn line(&self, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let line = self.lines.recv_timeout(SOON).expect("the line that is waited for");
            if wanted(&line) {
                return line;
            }
        }
    }

    /// The two lines to paste.
    fn paste(&self) -> (String, String) {
        (self.line(|line| line.starts_with("export ")), self.line(|line| line.contains(" run --config ")))
    }

    /// Waits until so many more rows have been shown.
    fn wait_for_rows(&self, count: usize) {
        for _ in 0..count {
            self.line(is_row);
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
