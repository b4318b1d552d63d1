//! The work of a run that has a plan: its slices on several workers, and its end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::keeper::Kept;
use super::limits::Limits;
use crate::attached::{Advance, Attached};
use crate::component::{CallError, Outcome, Plan, Prepared, Reach, Report, Slice, Worker};
use crate::result::RunResult;
use crate::said;

/// A run that is killed repeats at most what it did in this time.
const SAVE_EVERY: Duration = Duration::from_secs(15);

/// The same where a save is cheap and a run is long: about the time of a turn.
const SAVE_OFTEN: Duration = Duration::from_secs(4);

/// Most instances at once, whatever a plan asks for: each may take 128 MiB.
const MOST_WORKERS: usize = 16;

/// What a run has before it has a plan.
pub(super) struct Begun {
    pub(super) component: Arc<Prepared>,
    pub(super) reach: Arc<Reach>,
    pub(super) limits: Limits,
    pub(super) kept: Kept,
    /// The checkpoint that it began with, for who watches.
    pub(super) before: Option<Vec<u8>>,
    pub(super) attached: Attached,
    /// What the host has to say of the configuration.
    pub(super) warnings: Vec<String>,
}

/// A run that has a plan.
pub(super) struct Run {
    begun: Begun,
    plan: Arc<Plan>,
    workers: usize,
    idle: Vec<Worker>,
    /// Lines that were acknowledged in the turns that are over.
    acknowledged: u64,
    outcomes: Vec<Outcome>,
    saved_at: Instant,
    problems: Vec<String>,
}

/// A slice that was worked on: the worker, if it is still good, and what came of it.
struct Done {
    worker: Option<Worker>,
    outcome: Result<Outcome, String>,
}

impl Run {
    /// With the worker that made the plan.
    pub(super) fn new(begun: Begun, plan: Plan, worker: Worker) -> Self {
        let workers = (plan.workers as usize).clamp(1, MOST_WORKERS);
        Self {
            begun,
            plan: Arc::new(plan),
            workers,
            idle: vec![worker],
            acknowledged: 0,
            outcomes: Vec::new(),
            saved_at: Instant::now(),
            problems: Vec::new(),
        }
    }

    /// Works through the slices, as many at once as there are workers. What fails has no outcome: it is still owed.
    pub(super) async fn forward_all(&mut self) {
        let mut queue: VecDeque<Slice> = self.plan.slices.iter().cloned().collect();
        let mut busy = JoinSet::new();
        loop {
            while busy.len() < self.workers && self.goes_on() {
                let Some(slice) = queue.pop_front() else { break };
                self.start(&mut busy, slice);
            }
            let done = tokio::select! {
                done = busy.join_next() => done,
                // The turns that have begun end here: what they have sent is sent again.
                () = self.begun.attached.stop.urgent() => None,
            };
            let Some(done) = done else { break };
            match done {
                Ok(Done { worker, outcome }) => {
                    self.idle.extend(worker);
                    match outcome {
                        Ok(mut outcome) => {
                            self.acknowledged = self.acknowledged.saturating_add(outcome.acknowledged);
                            // At the end, so that a long backlog holds up nobody.
                            queue.extend(outcome.rest.take());
                            self.outcomes.push(outcome);
                        }
                        Err(message) => self.problem(message),
                    }
                }
                Err(error) => self.problem(format!("a worker ended early: {error}")),
            }
            let every = if self.begun.attached.saves_often { SAVE_OFTEN } else { SAVE_EVERY };
            if self.saved_at.elapsed() >= every {
                self.save_so_far().await;
            }
        }
    }

    fn goes_on(&self) -> bool {
        !self.begun.limits.component_is_done() && !self.begun.attached.stop.is_wished()
    }

    fn start(&mut self, busy: &mut JoinSet<Done>, slice: Slice) {
        let (component, reach) = (self.begun.component.clone(), self.begun.reach.clone());
        let (plan, limit) = (self.plan.clone(), self.begun.limits.forward);
        let idle = self.idle.pop();
        busy.spawn(async move {
            let forwarded = async {
                let mut worker = match idle {
                    Some(worker) => worker,
                    None => component.worker(&reach).await?,
                };
                let outcome = worker.forward(&plan, &slice, limit).await?;
                Ok::<_, CallError>((worker, outcome))
            };
            match forwarded.await {
                Ok((worker, outcome)) => Done { worker: Some(worker), outcome: Ok(outcome) },
                Err(error) => Done { worker: None, outcome: Err(format!("{}: {error}", slice.source)) },
            }
        });
    }

    /// Saves what has been achieved so far. A failure here is not the run's: the last save decides.
    async fn save_so_far(&mut self) {
        self.saved_at = Instant::now();
        match self.conclude(false).await {
            Ok(report) => {
                if let Err(message) = self.keep(&report) {
                    said::to_stderr(format_args!("whiskjack: {message}"));
                }
            }
            Err(error) => {
                said::to_stderr(format_args!("whiskjack: the checkpoint was not saved in between: {error}"));
            }
        }
    }

    pub(super) async fn finish(&mut self) -> RunResult {
        let report = match self.conclude(true).await {
            Ok(report) => report,
            // An instance may be spoilt by what it did before. A fresh one needs nothing but plan and outcomes.
            Err(first) => {
                self.idle.clear();
                match self.conclude(true).await {
                    Ok(report) => report,
                    Err(_) => {
                        self.problem(first.to_string());
                        return RunResult::unsaved(format!(
                            "what this run sent could not be saved, so the next one sends it again: {}",
                            self.problems.join("; ")
                        ));
                    }
                }
            }
        };
        let kept = self.keep(&report);
        let saved = kept.is_ok();
        if let Err(message) = kept {
            self.problem(message);
        }
        RunResult::report(&report.result, report.complete, saved, &self.problems, &self.begun.warnings)
    }

    /// The instance that concluded it, if it may serve the next run.
    pub(super) fn warm(mut self) -> Option<Worker> {
        self.idle.pop().filter(|_| self.plan.slices.is_empty())
    }

    async fn conclude(&mut self, last: bool) -> Result<Report, CallError> {
        let mut worker = match self.idle.pop() {
            Some(worker) => worker,
            None => self.begun.component.worker(&self.begun.reach).await?,
        };
        let report = worker.conclude(&self.plan, &self.outcomes, last, self.begun.limits.report).await?;
        self.idle.push(worker);
        Ok(report)
    }

    fn keep(&self, report: &Report) -> Result<(), String> {
        let Some(bytes) = report.checkpoint.as_deref() else { return Ok(()) };
        self.begun.kept.save(bytes, self.acknowledged)?;
        if let Some(watcher) = &self.begun.attached.watcher {
            watcher.tell(Advance { before: self.begun.before.as_deref(), now: bytes });
        }
        Ok(())
    }

    /// Notes what went wrong; the same thing from several workers counts once.
    fn problem(&mut self, message: String) {
        if !self.problems.contains(&message) {
            self.problems.push(message);
        }
    }
}
