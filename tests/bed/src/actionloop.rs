//! An OpenWhisk container with the ActionLoop proxy, started for one test.

use std::env;
use std::ffi::OsString;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::artifacts;
use crate::invoker::{END_OF_LOGS, RunContext, init_body, post, wait_for_ends};
use crate::process::Peer;

/// How the container behaves. The default: as the Rust and base images.
#[derive(Clone, Copy, Debug, Default)]
pub struct ActionLoopOptions {
    /// As the Go images: the action must acknowledge that it has started, before its first run.
    pub wait_for_ack: bool,
    /// The action is killed when a run passes its deadline.
    pub deadline_kill: bool,
    /// As the Go images: `exec.env` in the zip must hold this text.
    pub execution_env: Option<&'static str>,
}

/// A running container.
#[derive(Debug)]
pub struct ActionLoop {
    peer: Peer,
    // How many ends of logs have been written: two for each run.
    ends: AtomicUsize,
}

impl ActionLoop {
    /// Starts the proxy; it accepts requests when this returns.
    ///
    /// `WHISKJACK_ACTIONLOOP_PROXY` may name another executable that prints the same first line, takes the same flags
    /// and puts the action's output on stderr.
    #[track_caller]
    pub fn start(options: ActionLoopOptions) -> Self {
        let proxy = env::var_os("WHISKJACK_ACTIONLOOP_PROXY")
            .unwrap_or_else(|| OsString::from(artifacts().actionloop_proxy()));
        let mut command = Command::new(proxy);
        // The proxy hands these on: a container has none but the platform's.
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("__OW_") {
                command.env_remove(name);
            }
        }
        if options.wait_for_ack {
            command.arg("-wait-for-ack");
        }
        if options.deadline_kill {
            command.arg("-deadline-kill");
        }
        if let Some(text) = options.execution_env {
            command.args(["-execution-env", text]);
        }
        Self { peer: Peer::start("actionloop-proxy", command, |_| ()), ends: AtomicUsize::new(0) }
    }

    /// `/init`: unpacks and starts the action. `env` is all that the action sees of an environment; the API host is in
    /// `__OW_API_HOST`. Returns status and body.
    #[track_caller]
    pub fn init(&self, zip: &[u8], env: &[(&str, &str)]) -> (u16, Value) {
        post(self.peer.address(), "/init", &init_body(Some(zip), env))
    }

    /// `/run`: one activation. Returns status and body, when the logs of the run are complete.
    #[track_caller]
    pub fn run(&self, params: &Value, context: &RunContext) -> (u16, Value) {
        let answer = post(self.peer.address(), "/run", &context.body(params));
        // With 500 there was nothing to run.
        if answer.0 != 500 {
            let ends = self.ends.fetch_add(2, Ordering::SeqCst) + 2;
            wait_for_ends(self.peer.stderr(), ends);
        }
        answer
    }

    /// What the action has printed so far on stdout and stderr, in the order in which it came. Complete after each run.
    pub fn log(&self) -> String {
        self.peer.stderr().text().replace(END_OF_LOGS, "")
    }
}
