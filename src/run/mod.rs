//! A run: [`plan`] lists the work, [`forward`] does it slice by slice, and [`report`] saves the checkpoint and makes the result. [`look`]
//! reports without a run.

pub mod forward;
pub mod look;
pub mod plan;
pub mod report;
pub mod store;

use self::forward::{Outcome, Worker};
use self::plan::{Context, PlanError, Slice};
use self::report::Report;
use crate::config::Config;
use crate::ports::Ports;
use std::collections::VecDeque;

/// How long a run may go on before the checkpoint is saved in between, in milliseconds.
const SAVE_EVERY_MS: u64 = 15_000;

/// Plans, forwards every slice, and concludes: a whole run on one worker, for hosts that do not spread the work.
pub fn run(config: &Config, context: &Context, ports: Ports<'_>) -> Result<Report, PlanError> {
    let plan = plan::plan(config, context, ports)?;
    let mut queue: VecDeque<Slice> = plan.slices().into();
    let mut worker = Worker::default();
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut saved_ms = ports.clock.now_ms();
    while let Some(slice) = queue.pop_front() {
        let mut outcome = worker.forward(ports, &plan, &slice);
        // At the end, so that a long backlog holds up nobody.
        queue.extend(outcome.rest.take());
        outcomes.push(outcome);
        let now = ports.clock.now_ms();
        if now >= plan.stop_ms {
            break;
        }
        if now.saturating_sub(saved_ms) >= SAVE_EVERY_MS {
            report::conclude(ports, &plan, &outcomes, false);
            saved_ms = now;
        }
    }
    Ok(report::conclude(ports, &plan, &outcomes, true))
}
