//! The `whiskjack` command while it runs: what it has said so far, and signals to it; on a terminal if need be.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::artifacts;
use crate::cli::Output;
use crate::shared::{Shared, Vain};

/// How long it may take to end.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// A running command. Dropping it kills it.
#[derive(Debug)]
pub struct Live {
    child: Child,
    stdout: Arc<Shared<Vec<u8>>>,
    stderr: Arc<Shared<Vec<u8>>>,
}

impl Live {
    /// Starts `whiskjack` with these arguments, and an environment of `env` only.
    #[track_caller]
    pub fn start(arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = command(arguments, env);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        let stdout = Shared::read(child.stdout.take().unwrap());
        let stderr = Shared::read(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// The same with a terminal for stdout, which sees colours.
    #[track_caller]
    pub fn on_terminal(arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let (master, terminal) = pseudo_terminal();
        let mut command = command(arguments, env);
        command.env("TERM", "xterm").stdout(terminal).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        // It holds the terminal open, and its reader would wait for more.
        drop(command);
        let stderr = Shared::read(child.stderr.take().unwrap());
        Self { child, stdout: Shared::read(master), stderr }
    }

    /// The same with a terminal for stderr, which sees progress.
    #[track_caller]
    pub fn with_progress(arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let (master, terminal) = pseudo_terminal();
        let mut command = command(arguments, env);
        command.env("TERM", "xterm").stdout(Stdio::piped()).stderr(terminal);
        let mut child = command.spawn().expect("the command starts");
        drop(command);
        let stdout = Shared::read(child.stdout.take().unwrap());
        Self { child, stdout, stderr: Shared::read(master) }
    }

    /// The same with one terminal for both, as a person starts it. All of it is [`Live::stdout`].
    #[track_caller]
    pub fn at_desk(arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let (master, terminal) = pseudo_terminal();
        let mut command = command(arguments, env);
        let too = terminal.try_clone().expect("the terminal once more");
        command.env("TERM", "xterm").stdout(terminal).stderr(too);
        let child = command.spawn().expect("the command starts");
        drop(command);
        Self { child, stdout: Shared::read(master), stderr: Shared::read(std::io::empty()) }
    }

    /// What it has written to stdout so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it has written to stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits until what it has written to stdout is as it should be.
    #[track_caller]
    pub fn wait_for_stdout(&self, patience: Duration, is_enough: impl Fn(&str) -> bool) -> String {
        self.wait(&self.stdout, patience, is_enough)
    }

    /// The same for stderr.
    #[track_caller]
    pub fn wait_for_stderr(&self, patience: Duration, is_enough: impl Fn(&str) -> bool) -> String {
        self.wait(&self.stderr, patience, is_enough)
    }

    #[track_caller]
    fn wait(&self, from: &Shared<Vec<u8>>, patience: Duration, is_enough: impl Fn(&str) -> bool) -> String {
        let found = from.wait_for(patience, |bytes| {
            Some(String::from_utf8_lossy(bytes).into_owned()).filter(|text| is_enough(text))
        });
        found.unwrap_or_else(|vain: Vain| {
            panic!("{vain:?}; stdout:\n{}\nstderr:\n{}", self.stdout(), self.stderr())
        })
    }

    /// As Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// As a service manager does.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Without a last word.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        // It may have ended by itself.
        kill_process(pid, signal).ok();
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ended(mut self) -> Output {
        let ended =
            self.stderr.wait_until_complete(ENDS_WITHIN) && self.stdout.wait_until_complete(ENDS_WITHIN);
        assert!(ended, "it has not ended; stdout:\n{}\nstderr:\n{}", self.stdout(), self.stderr());
        let status: ExitStatus = self.child.wait().expect("its status");
        Output { status, stdout: self.stdout(), stderr: self.stderr() }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(artifacts().whiskjack());
    command.args(arguments).env_clear().envs(env.iter().copied()).stdin(Stdio::null());
    command
}

/// A terminal: the side of its reader, and that of a program.
fn pseudo_terminal() -> (File, File) {
    // The terminal of nobody but the program: a session without one would end with it.
    let foreign = OpenptFlags::NOCTTY;
    let master = openpt(OpenptFlags::RDWR | foreign).expect("a pseudo-terminal");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("its other side");
    let name = ptsname(&master, Vec::new()).expect("its name").into_string().unwrap();
    let flags = i32::try_from(foreign.bits()).expect("flags of the system");
    let terminal = File::options().read(true).write(true).custom_flags(flags).open(name);
    let terminal = terminal.expect("the terminal");
    (File::from(master), terminal)
}
