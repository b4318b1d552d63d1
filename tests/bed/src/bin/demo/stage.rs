//! The players: API double, receiver, and the action in its container.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use openwhisk_double::demo::ACTIONS;
use openwhisk_double::{Double, Options, Record, World, demo};
use serde::Deserialize;
use serde_json::{Value, json};
use whiskjack_testbed::{ActionLoop, ActionLoopOptions, Certificates, Receiver, ReceiverOptions, RunContext};
use whiskjack_testbed::{action_zip, artifacts};

use crate::document::Document;

/// How long a document may be on its way from the receiver, which has it, to this process.
const SOON: Duration = Duration::from_secs(20);
/// Where the forwarder begins, in milliseconds before the demo: longer ago than anything in the demo's namespace.
const BACK_MS: i64 = 14 * 60_000;

/// All players, and what has been seen of the documents. Dropping it ends them.
pub(crate) struct Stage {
    pub(crate) api: Double,
    pub(crate) receiver: Receiver,
    pub(crate) params: Value,
    /// Bytes of the action's code.
    pub(crate) action_size: usize,
    /// How long the container took to unpack and start it.
    pub(crate) init: Duration,
    container: ActionLoop,
    seen: usize,
    // Holds the receiver's certificate as a file.
    _certificates: Certificates,
}

/// What came of one run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) result: RunResult,
    pub(crate) documents: Vec<Document>,
    /// What the activation itself logged.
    pub(crate) log: String,
}

/// The action's result, as far as the demo shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct RunResult {
    error: Option<String>,
    pub(crate) lines: Lines,
    pub(crate) windows: u64,
    pub(crate) requests: u64,
    pub(crate) duration_ms: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Lines {
    pub(crate) read: usize,
    pub(crate) acknowledged: usize,
}

impl Stage {
    /// Starts the players, with ten minutes of activations in the API.
    pub(crate) fn set() -> Self {
        // First, as it is what may be missing.
        let zip = action_zip(&artifacts().whiskjack());
        let certificates = Certificates::new();
        let api = Double::start(Options::default());
        api.world().add_all(demo::first_wave(api.world().clock().now()));
        let receiver =
            Receiver::start(ReceiverOptions { tls: Some(certificates.server_tls()), ..Default::default() });
        let params = json!({
            "actions": ACTIONS,
            "from": api.world().clock().now() - BACK_MS,
            "logstash": {"host": "localhost", "port": receiver.port(), "ca": certificates.ca},
            "events": {"shape": "ecs"},
        });

        let container = ActionLoop::start(ActionLoopOptions::default());
        let began = Instant::now();
        let (status, answer) = container.init(&zip, &[("__OW_API_HOST", &api.origin())]);
        assert_eq!(status, 200, "the action does not start: {answer}");
        Self {
            api,
            receiver,
            params,
            action_size: zip.len(),
            init: began.elapsed(),
            container,
            seen: 0,
            _certificates: certificates,
        }
    }

    /// Adds a few activations that ended just now; returns their ids.
    pub(crate) fn add_activations(&self) -> Vec<String> {
        let world = self.api.world();
        world.add_all(demo::second_wave(world.clock().now()))
    }

    /// Fires the action once.
    ///
    /// # Errors
    /// If the result has an error, or is none.
    pub(crate) fn run(&mut self) -> Result<Run> {
        self.run_with(&self.params.clone())
    }

    /// The same with other parameters.
    pub(crate) fn run_with(&mut self, params: &Value) -> Result<Run> {
        let logged = self.container.log().len();
        let context = RunContext { api_key: Some(self.api.key()), ..RunContext::default() };
        let (status, answer) = self.container.run(params, &context);
        ensure!(status == 200, "the container answered {status}: {answer}");
        let result = RunResult::deserialize(&answer).with_context(|| format!("not a result: {answer}"))?;
        if let Some(error) = &result.error {
            anyhow::bail!("the run failed: {error}");
        }
        self.receiver.wait_for_events(self.seen + result.lines.acknowledged, SOON);
        let log = self.container.log().get(logged..).unwrap_or_default().trim_end().to_owned();
        Ok(Run { result, documents: self.arrived()?, log })
    }

    /// The documents that arrived since the last call.
    pub(crate) fn arrived(&mut self) -> Result<Vec<Document>> {
        let events = self.receiver.events_after(self.seen);
        self.seen += events.len();
        events.iter().map(|received| Document::new(&received.event)).collect()
    }
}

/// The records of monitored actions.
pub(crate) fn monitored(world: &World) -> Vec<Record> {
    let is_monitored = |record: &Record| match &record.package {
        Some(package) => ACTIONS.contains(&format!("{package}/{}", record.name).as_str()),
        None => ACTIONS.contains(&record.name.as_str()),
    };
    world.records().into_iter().filter(is_monitored).collect()
}
