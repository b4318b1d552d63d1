//! The built command as a child, and the memory that it takes.

use std::fs;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use openwhisk_double::Double;
use whiskjack_testbed::artifacts;

/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// A running command.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) peak_kib: u64,
}

impl Running {
    /// Starts it for this API, with its stderr in a file.
    pub(crate) fn start(api: &Double, arguments: &[&str], stderr: fs::File) -> Result<Self> {
        let mut command = Command::new(artifacts().whiskjack());
        command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
        for (name, value) in [
            ("__OW_API_HOST", api.origin()),
            ("__OW_API_KEY", api.key()),
            ("__OW_NAMESPACE", api.namespace()),
        ] {
            command.env(name, value);
        }
        let child = command.spawn().context("the command: run `cargo xtask build`")?;
        Ok(Self { child, peak_kib: 0 })
    }

    /// Waits for its end, or kills it after that time. Returns its status if it ended by itself.
    pub(crate) fn wait(&mut self, at_most: Option<Duration>) -> Result<Option<ExitStatus>> {
        let begin = Instant::now();
        loop {
            self.peak_kib = self.peak_kib.max(high_water_mark(self.child.id()).unwrap_or_default());
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            let left = at_most.map(|most| most.saturating_sub(begin.elapsed()));
            if left.is_some_and(|left| left.is_zero()) {
                self.child.kill()?;
                self.child.wait()?;
                return Ok(None);
            }
            thread::sleep(left.unwrap_or(LOOK).min(LOOK));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Most memory that the process has had resident so far, in KiB.
fn high_water_mark(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
