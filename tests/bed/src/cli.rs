//! The `whiskjack` command, run once.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::artifacts;
use crate::shared::Shared;

/// How long a run may take.
const ENDS_WITHIN: Duration = Duration::from_secs(120);

/// The built `whiskjack` command.
#[derive(Clone, Copy, Debug)]
pub struct Cli;

/// What came of a run of the command.
#[derive(Clone, Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// All of its stdout.
    pub stdout: String,
    /// All of its stderr.
    pub stderr: String,
}

impl Cli {
    /// Runs `whiskjack run --config FILE [--state FILE]` to its end, with an environment of `env` only: `__OW_API_HOST`,
    /// `__OW_API_KEY`, `__OW_NAMESPACE`.
    #[track_caller]
    pub fn run(config: &Value, state: Option<&Path>, env: &[(&str, &str)]) -> Output {
        let state = state.map(|state| ("--state", state));
        Self::run_with(config, state.as_slice(), env)
    }

    /// As [`Cli::run`], with these options and their files besides `--config`.
    #[track_caller]
    pub fn run_with(config: &Value, options: &[(&str, &Path)], env: &[(&str, &str)]) -> Output {
        let directory = tempfile::tempdir().expect("a temporary directory");
        run(command(Command::new(artifacts().whiskjack()), directory.path(), config, options, env))
    }

    /// Runs `whiskjack` with these arguments to its end, with an environment of `env` only.
    #[track_caller]
    pub fn call(arguments: &[&str], env: &[(&str, &str)]) -> Output {
        let mut command = Command::new(artifacts().whiskjack());
        command.args(arguments).env_clear().envs(env.iter().copied());
        run(command)
    }

    /// As [`Cli::run`] with another `/etc/hosts`, in a mount namespace of its own: for names with several addresses.
    #[track_caller]
    pub fn run_with_hosts(hosts: &str, config: &Value, state: Option<&Path>, env: &[(&str, &str)]) -> Output {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("hosts");
        fs::write(&file, hosts).expect("a file in the temporary directory");
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "--mount", "sh", "-c"]);
        unshare.arg(r#"PATH=/usr/bin:/bin mount --bind "$0" /etc/hosts && exec "$@""#).arg(file);
        unshare.arg(artifacts().whiskjack());
        let state = state.map(|state| ("--state", state));
        run(command(unshare, directory.path(), config, state.as_slice(), env))
    }
}

/// `program run --config FILE [OPTION FILE]…`
fn command(
    mut program: Command,
    directory: &Path,
    config: &Value,
    options: &[(&str, &Path)],
    env: &[(&str, &str)],
) -> Command {
    let file = directory.join("config.json");
    fs::write(&file, config.to_string()).expect("a file in the temporary directory");
    program.arg("run").arg("--config").arg(&file);
    for (option, file) in options {
        program.arg(option).arg(file);
    }
    program.env_clear().envs(env.iter().copied());
    program
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run(mut command: Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Killed(command.spawn().expect("the command starts"));
    let stdout = Shared::read(child.0.stdout.take().unwrap());
    let stderr = Shared::read(child.0.stderr.take().unwrap());
    let ended = stdout.wait_until_complete(ENDS_WITHIN) && stderr.wait_until_complete(ENDS_WITHIN);
    assert!(ended, "the command has not ended after {ENDS_WITHIN:?}; stderr so far:\n{}", stderr.text());
    let status = child.0.wait().expect("the command's status");
    Output { status, stdout: stdout.text(), stderr: stderr.text() }
}

/// A child that does not outlive a failing test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
