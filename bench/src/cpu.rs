//! CPU time, user and system together, as the kernel counts it for whole processes.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// What all children have taken that have ended and were waited for. Before and after one of them, the difference is its own.
pub fn of_children() -> Result<Duration> {
    spent(UsageWho::RUSAGE_CHILDREN)
}

/// What this process has taken so far, all its threads together.
pub fn of_this_process() -> Result<Duration> {
    spent(UsageWho::RUSAGE_SELF)
}

fn spent(who: UsageWho) -> Result<Duration> {
    let usage = getrusage(who).context("the kernel does not tell the CPU time")?;
    Ok(duration(usage.user_time()) + duration(usage.system_time()))
}

fn duration(time: TimeVal) -> Duration {
    let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}
