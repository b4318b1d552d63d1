//! An OpenWhisk container with the proxy of `dockerskeleton`, started for one test: a process for each run.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::invoker::{END_OF_LOGS, RunContext, init_body, post, wait_for_ends};
use crate::process::Peer;

/// A running container.
#[derive(Debug)]
pub struct DockerSkeleton {
    peer: Peer,
    // How many ends of logs have been written: two for each run.
    ends: AtomicUsize,
}

impl DockerSkeleton {
    /// Starts the proxy with these variables besides `PATH`, as the platform starts the container: `__OW_API_HOST`.
    #[track_caller]
    pub fn start(env: &[(&str, &str)]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../peers/python/dockerskeleton.py");
        let mut command = Command::new("python3");
        command.arg("-B").arg(script).env_clear().envs(env.iter().copied());
        // Where Python is, and what some installations need to find their own parts.
        for name in ["PATH", "HOME"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        Self { peer: Peer::start("dockerskeleton", command, |_| ()), ends: AtomicUsize::new(0) }
    }

    /// `/init`: unpacks the action. Returns status and body.
    #[track_caller]
    pub fn init(&self, zip: &[u8]) -> (u16, Value) {
        // This image does not look at what else the platform sends.
        post(self.peer.address(), "/init", &init_body(Some(zip), &[]))
    }

    /// `/run`: one activation. Returns status and body, when the logs of the run are complete.
    #[track_caller]
    pub fn run(&self, params: &Value, context: &RunContext) -> (u16, Value) {
        let answer = post(self.peer.address(), "/run", &context.body(params));
        let ends = self.ends.fetch_add(2, Ordering::SeqCst) + 2;
        wait_for_ends(self.peer.stderr(), ends);
        answer
    }

    /// What runs have printed so far besides their results. Complete after each run.
    pub fn log(&self) -> String {
        self.peer.stderr().text().replace(END_OF_LOGS, "")
    }
}
