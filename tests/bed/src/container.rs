//! The forwarder as a container of its own (`whiskjack serve`); the test is the invoker.

use std::ffi::OsString;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::invoker::{END_OF_LOGS, RunContext, init_body, post, wait_for_ends};
use crate::shared::Shared;

/// How long it may take to listen.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// What it says when it does, if the port is its own choice.
const READY: &str = "whiskjack: listening on port ";

/// A running container.
pub struct Container {
    child: Child,
    stdout: Arc<Shared<Vec<u8>>>,
    stderr: Arc<Shared<Vec<u8>>>,
    address: SocketAddr,
    // How many ends of logs each stream has.
    ends: AtomicUsize,
}

impl Container {
    /// Starts `program serve --port 0`, with an environment of `env` only. `program` may be a command with arguments.
    #[track_caller]
    pub fn start(program: &[OsString], env: &[(&str, &str)]) -> Self {
        let (program, arguments) = program.split_first().expect("a program");
        let mut command = Command::new(program);
        command.args(arguments).args(["serve", "--port", "0"]).env_clear().envs(env.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the container starts");
        let (stdout, stderr) =
            (Shared::read(child.stdout.take().unwrap()), Shared::read(child.stderr.take().unwrap()));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        // Before anything that may panic: dropping it ends the child.
        let mut container = Self { child, stdout, stderr, address, ends: AtomicUsize::new(0) };
        let port = container.stderr.wait_for(READY_WITHIN, |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let (port, _) = text.split_once(READY)?.1.split_once('\n')?;
            port.parse().ok()
        });
        let port = port.unwrap_or_else(|_| panic!("the container is not ready: {}", container.stderr.text()));
        container.address.set_port(port);
        container
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `/init` without code. Returns status and body; if it failed, when its logs are complete.
    #[track_caller]
    pub fn init(&self, env: &[(&str, &str)]) -> (u16, Value) {
        self.init_with(&init_body(None, env))
    }

    /// `/init` with this body.
    #[track_caller]
    pub fn init_with(&self, body: &Value) -> (u16, Value) {
        let answer = post(self.address, "/init", body);
        if answer.0 != 200 {
            self.wait_for_end();
        }
        answer
    }

    /// `/run`: one activation. Returns status and body, when the logs of the run are complete.
    #[track_caller]
    pub fn run(&self, params: &Value, context: &RunContext) -> (u16, Value) {
        self.run_with(&context.body(params))
    }

    /// `/run` with this body.
    #[track_caller]
    pub fn run_with(&self, body: &Value) -> (u16, Value) {
        let answer = post(self.address, "/run", body);
        self.wait_for_end();
        answer
    }

    /// What is on stdout and stderr, besides the marks of the ends of logs and that it listens.
    pub fn logs(&self) -> [String; 2] {
        [&self.stdout, &self.stderr].map(|stream| {
            let text = stream.text().replace(END_OF_LOGS, "");
            text.lines().filter(|line| !line.starts_with(READY)).map(|line| format!("{line}\n")).collect()
        })
    }

    /// How many ends of logs are on stdout and stderr.
    pub fn ends(&self) -> [usize; 2] {
        [&self.stdout, &self.stderr].map(|stream| stream.text().matches(END_OF_LOGS).count())
    }

    /// Tells it to end, and returns its exit status.
    #[track_caller]
    pub fn stop(&mut self) -> Option<i32> {
        let told = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill");
        assert!(told.success(), "it has ended by itself");
        assert!(self.stderr.wait_until_complete(READY_WITHIN), "it does not end");
        self.child.wait().expect("its status").code()
    }

    #[track_caller]
    fn wait_for_end(&self) {
        let ends = self.ends.fetch_add(1, Ordering::SeqCst) + 1;
        wait_for_ends(&self.stdout, ends);
        wait_for_ends(&self.stderr, ends);
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- stderr of the container ---\n{}--- end ---", self.stderr.text());
        }
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container").field("address", &self.address).finish_non_exhaustive()
    }
}
