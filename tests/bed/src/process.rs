//! A peer as a child process: says where it listens on its first line of stdout, ends when its stdin is closed.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use crate::shared::Shared;

/// How long a peer may take to listen: generous, as the machine may be busy with other tests.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long a peer may take to end by itself.
const END_WITHIN: Duration = Duration::from_secs(5);

/// A running peer. Dropping it ends it; if the test is failing, its stderr is shown.
pub(crate) struct Peer {
    name: &'static str,
    child: Child,
    // Open as long as the peer is to live: also when this process is killed, the peer notices.
    stdin: Option<ChildStdin>,
    stdout_ended: Arc<Shared<()>>,
    stderr: Arc<Shared<Vec<u8>>>,
    address: SocketAddr,
}

#[derive(Deserialize)]
struct Ready {
    address: SocketAddr,
}

impl Peer {
    /// Starts the command and waits until it listens. `on_line` gets the lines of stdout after the first.
    #[track_caller]
    pub(crate) fn start(
        name: &'static str,
        mut command: Command,
        mut on_line: impl FnMut(&str) + Send + 'static,
    ) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().unwrap();
        let stderr = Shared::read(child.stderr.take().unwrap());

        let (announce, announced) = mpsc::channel();
        let stdout_ended = Arc::new(Shared::default());
        let ended = Arc::clone(&stdout_ended);
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            if let Some(first) = lines.next() {
                // Nobody listens any more: the test has given up.
                let _ = announce.send(first);
                lines.for_each(|line| on_line(&line));
            }
            ended.complete();
        });

        // Before anything that may panic: dropping it ends the child.
        let mut peer =
            Self { name, child, stdin, stdout_ended, stderr, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let first = announced.recv_timeout(READY_WITHIN).unwrap_or_else(|_| panic!("{name} is not ready"));
        let ready: Ready = serde_json::from_str(&first)
            .unwrap_or_else(|error| panic!("{name} said {first:?} instead of its address: {error}"));
        peer.address = ready.address;
        peer
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn stderr(&self) -> &Shared<Vec<u8>> {
        &self.stderr
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // By itself first: the peer may have children of its own to end.
        if !self.stdout_ended.wait_until_complete(END_WITHIN) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- stderr of {} ---\n{}--- end ---", self.name, self.stderr.text());
        }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("name", &self.name)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
