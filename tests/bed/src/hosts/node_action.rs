//! The component as an action of OpenWhisk's Node.js runtime.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use serde_json::Value;

use super::{Run, Stage};
use crate::shared::Shared;
use crate::{RunContext, artifacts};

pub(super) fn start(stage: &Stage) -> Run<'_> {
    let mut runtime = NodeRuntime::start(&stage.api.origin());
    Box::new(move || {
        let context = RunContext { api_key: Some(stage.api.key()), ..RunContext::default() };
        let result = runtime.run(&stage.params(), &context);
        assert!(result.get("error").is_none(), "{result}");
        assert!(!stage.shows_key(&format!("{result}{}", runtime.log())), "the key is in the output");
        result
    })
}

/// A stand-in for the runtime, with the packed action in it.
#[derive(Debug)]
pub struct NodeRuntime {
    runtime: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    stderr: Arc<Shared<Vec<u8>>>,
}

impl NodeRuntime {
    /// Starts it; `origin` is that of the API.
    #[track_caller]
    pub fn start(origin: &str) -> Self {
        let mut command = Command::new("node");
        command.arg(artifacts().example("node/stand-in.mjs")).arg(artifacts().node_action());
        command.env("__OW_API_HOST", origin).env_remove("NODE_EXTRA_CA_CERTS");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut runtime = command.spawn().unwrap_or_else(|error| panic!("node does not start: {error}"));
        let (stdin, stdout) = (runtime.stdin.take().unwrap(), BufReader::new(runtime.stdout.take().unwrap()));
        let stderr = Shared::read(runtime.stderr.take().unwrap());
        Self { runtime, stdin, stdout, stderr }
    }

    /// One activation; returns the action's result.
    #[track_caller]
    pub fn run(&mut self, params: &Value, context: &RunContext) -> Value {
        writeln!(self.stdin, "{}", context.body(params)).expect("the runtime reads");
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("the runtime answers");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}{}", self.log()))
    }

    /// What the action has logged so far.
    pub fn log(&self) -> String {
        self.stderr.text()
    }
}

impl Drop for NodeRuntime {
    fn drop(&mut self) {
        let _ = self.runtime.kill();
        let _ = self.runtime.wait();
    }
}
