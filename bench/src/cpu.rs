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

/// What another process has taken so far, in steps of the kernel's clock (10 ms).
pub fn of_process(pid: u32) -> Result<Duration> {
    const STEP: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name before them may hold anything.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    let steps: u32 = fields.map(|field| field.parse::<u32>()).sum::<Result<u32, _>>()?;
    Ok(STEP * steps)
}

fn spent(who: UsageWho) -> Result<Duration> {
    let usage = getrusage(who).context("the kernel does not tell the CPU time")?;
    Ok(duration(usage.user_time()) + duration(usage.system_time()))
}

fn duration(time: TimeVal) -> Duration {
    let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_time_of_a_process_is_what_it_says_itself() {
        let busy = std::time::Instant::now();
        while busy.elapsed() < std::time::Duration::from_millis(100) {}
        let own = super::of_this_process().unwrap();
        let seen = super::of_process(std::process::id()).unwrap();
        assert!(seen.abs_diff(own).as_millis() <= 50, "{seen:?} {own:?}");
    }
}
