//! Runs have a thread of their own, so that the program answers in time whatever they do.
//!
//! Nothing interrupts the component's code. A run sees its time limits whenever an instance waits for something. An instance that computes
//! for ever waits for nothing, and then only another thread can answer. A program cannot end a thread that computes, so the process must
//! end (see `entrypoint/successor.rs`).

use std::io;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use serde_json::Value;

use super::{RunContext, RunResult, Shim, now_ms, runtime};
use crate::component::LoadError;

/// So long before the deadline the program answers by itself, in milliseconds: a run has answered long before.
const MARGIN_MS: u64 = 200;

/// A run that begins when its time is over gets so much, to say so.
const LEAST: Duration = Duration::from_secs(1);

/// A run did not end in time. Its thread still computes: the process is of no further use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the forwarder did not end before its time limit and was stopped; the next run sends again what this one has not saved"
)]
pub struct Stuck;

impl From<Stuck> for RunResult {
    fn from(stuck: Stuck) -> Self {
        Self::unsaved(stuck.to_string())
    }
}

/// The reason why no run is possible.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// There is no component, or it does not fit.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The system gives no thread, or no runtime.
    #[error("the thread for runs cannot start: {0}")]
    Thread(#[from] io::Error),
}

/// The thread on which runs take place, one after the other.
#[derive(Clone, Debug)]
pub struct Runner {
    jobs: Sender<Job>,
}

#[derive(Debug)]
struct Job {
    params: Value,
    context: RunContext,
    done: SyncSender<RunResult>,
}

impl Runner {
    /// Makes the embedded component ready.
    pub fn new() -> Result<Self, RunnerError> {
        let (shim, runtime) = (Shim::new()?, runtime()?);
        // One runtime for all runs: it holds the connections that are kept alive, and rests between runs.
        Ok(Self::of(move |params, context| runtime.block_on(shim.run(params, context)))?)
    }

    /// With `run` for the work.
    pub fn of(mut run: impl FnMut(Value, RunContext) -> RunResult + Send + 'static) -> io::Result<Self> {
        let (jobs, queue) = channel::<Job>();
        std::thread::Builder::new().name("runs".to_owned()).spawn(move || {
            for Job { params, context, done } in queue {
                // Nobody waits any longer for a run that ends late.
                done.send(run(params, context)).ok();
            }
        })?;
        Ok(Self { jobs })
    }

    /// Runs once, and waits for the result until shortly before the deadline.
    pub fn run(&self, params: Value, context: RunContext) -> Result<RunResult, Stuck> {
        let patience = context.deadline_ms.map(|deadline| {
            let left = deadline.saturating_sub(MARGIN_MS).saturating_sub(now_ms());
            Duration::from_millis(left).max(LEAST)
        });
        let (done, result) = sync_channel(1);
        self.jobs.send(Job { params, context, done }).map_err(|_| Stuck)?;
        match patience {
            Some(patience) => result.recv_timeout(patience).map_err(|_| Stuck),
            None => result.recv().map_err(|_| Stuck),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Instant;

    use serde_json::json;

    use super::*;

    fn until(deadline_ms: u64) -> RunContext {
        RunContext { deadline_ms: Some(deadline_ms), ..RunContext::default() }
    }

    #[test]
    fn a_run_that_never_ends_is_given_up_before_its_deadline() {
        let (_keep, never) = mpsc::channel::<()>();
        let runner = Runner::of(move |_, _| {
            never.recv().ok();
            RunResult::error("late")
        })
        .unwrap();
        let (begin, deadline) = (Instant::now(), now_ms() + 1500);
        assert_eq!(runner.run(json!({}), until(deadline)).unwrap_err(), Stuck);
        assert!(
            begin.elapsed() >= Duration::from_millis(1200),
            "no run is given up early: {:?}",
            begin.elapsed()
        );
        assert!(now_ms() < deadline, "the answer is in time");
    }

    #[test]
    fn runs_take_place_one_after_the_other_and_one_that_begins_late_still_answers() {
        let mut count = 0;
        let runner = Runner::of(move |_, _| {
            count += 1;
            RunResult::error(format!("run {count}"))
        })
        .unwrap();
        for (context, expected) in [(RunContext::default(), "run 1"), (until(1), "run 2")] {
            assert_eq!(runner.run(json!({}), context).unwrap().object["error"], expected);
        }
    }
}
