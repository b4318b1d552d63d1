//! A run's document about itself. The checkpoint does not cover it: the run sends it once, after it has saved the checkpoint, and is
//! complete without it.

use super::RunResult;
use crate::checkpoint::Owner;
use crate::events::Heartbeat;
use crate::lumberjack::Goal;
use crate::output::Delivery;
use crate::ports::Ports;
use crate::run::plan::Plan;

/// Longest time for it, in milliseconds.
const PATIENCE_MS: u64 = 5_000;

/// Sends it. Gives a warning if no receiver has acknowledged it.
pub(super) fn send(ports: Ports<'_>, plan: &Plan, result: &RunResult, errors: usize) -> Option<String> {
    let now_ms = ports.clock.now_ms();
    let heartbeat = Heartbeat {
        at_ms: now_ms,
        began_ms: plan.began_ms,
        forwarder: plan.own_action.as_deref(),
        owner: plan.checkpoint.owner.as_ref().map(Owner::to_string).unwrap_or_default(),
        lag_ms: result.lag_ms,
        owed_ranges: result.left.ranges,
        acknowledged_lines: result.lines.acknowledged,
        errors: errors as u64,
    };
    let mut delivery = Delivery::new(plan.config.output.clone(), 0, ports.clock.random());
    delivery.push_heartbeat(&heartbeat, &plan.config.documents);
    let stop_ms = now_ms.saturating_add(PATIENCE_MS).min(plan.deadline_ms);
    let settled = delivery.work(ports, Goal::Settled, stop_ms);
    if settled.events > 0 && settled.set_aside.is_empty() {
        return None;
    }
    let why = match delivery.given_up() {
        Some(failure) => failure.message.clone(),
        None => "the time did not suffice".into(),
    };
    Some(format!("the heartbeat of this run was not acknowledged: {why}"))
}
