//! Running tools, and saying what takes time.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write, stdout};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Does a step that may take long; prints one line with what it is and how long it took.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    print!("{what} … ");
    stdout().flush()?;
    let began = Instant::now();
    let done = work();
    let outcome = if done.is_ok() { "" } else { "failed after " };
    println!("{outcome}{:.1} s", began.elapsed().as_secs_f64());
    done
}

/// Does a step whose tool says itself what it is doing; a line before it and one after it with how long it took.
pub(crate) fn long_step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("{what}");
    let began = Instant::now();
    let done = work();
    let outcome = if done.is_ok() { "took" } else { "failed after" };
    println!("{what} {outcome} {:.1} s", began.elapsed().as_secs_f64());
    done
}

/// A command of another program.
#[derive(Debug)]
pub(crate) struct Tool {
    command: Command,
}

impl Tool {
    pub(crate) fn new(program: &str) -> Self {
        let mut command = Command::new(program);
        // No questions asked.
        command.stdin(Stdio::null());
        Self { command }
    }

    /// Lets it read our input.
    pub(crate) fn interactive(mut self) -> Self {
        self.command.stdin(Stdio::inherit());
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn at(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it with our output.
    pub(crate) fn run(mut self) -> Result<()> {
        let name = self.name();
        let status = self.command.status().with_context(|| format!("cannot start {name}"))?;
        if !status.success() {
            bail!("{name} failed ({status})");
        }
        Ok(())
    }

    /// Runs it, shows its stdout and hands over each line of it. An error if it fails.
    pub(crate) fn run_watching(mut self, mut watch: impl FnMut(&str)) -> Result<()> {
        let name = self.name();
        let mut child =
            self.command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {name}"))?;
        let output = child.stdout.take().context("its stdout is ours")?;
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            watch(&line);
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("{name} failed ({status})");
        }
        Ok(())
    }

    /// Runs it in silence; its output becomes part of the error.
    pub(crate) fn run_silently(mut self) -> Result<()> {
        let name = self.name();
        let output = self.command.output().with_context(|| format!("cannot start {name}"))?;
        if !output.status.success() {
            let stdout = String::from_utf8_lossy(&output.stdout);
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!("{name} failed ({})\n{}", output.status, format!("{stdout}{stderr}").trim_end());
        }
        Ok(())
    }

    /// Runs it with its output into a file, and hands that over. An error if it fails.
    pub(crate) fn run_into(mut self, log: &Path) -> Result<String> {
        let name = self.name();
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let status = self.command.stdout(file.try_clone()?).stderr(file).status();
        let status = status.with_context(|| format!("cannot start {name}"))?;
        let told = String::from_utf8_lossy(&fs::read(log)?).into_owned();
        if !status.success() {
            bail!("{name} failed ({status})");
        }
        Ok(told)
    }

    /// Its stdout, or nothing if it cannot be run or fails.
    pub(crate) fn answer(mut self) -> Option<String> {
        let output = self.command.stderr(Stdio::null()).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    }

    /// The program and its first argument: enough to know what failed.
    fn name(&self) -> String {
        let program = self.command.get_program().to_string_lossy();
        match self.command.get_args().next() {
            Some(first) => format!("{program} {}", first.to_string_lossy()),
            None => program.into_owned(),
        }
    }
}
