//! The forwarder of 2017: `node/forward.js` makes its calls with its own packages.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use openwhisk_double::{Activation, Double};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::cpu;

/// Most records that it asks for of an action: it gives no limit, and knows no pages.
pub const MOST_RECORDS: usize = 30;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("node")
}

/// Says what is missing, if it cannot run.
pub fn check() -> Result<()> {
    ensure!(directory().join("node_modules").is_dir(), "its packages are missing: run `cargo xtask bench`");
    version().map(|_| ())
}

/// The version of Node.
pub fn version() -> Result<String> {
    let output = Command::new("node").arg("--version").output().context("there is no Node: install it")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().trim_start_matches('v').to_owned())
}

/// Its own last record, in which it looks for where to go on. Without one it fails.
pub fn own_record(double: &Double) {
    let old = Activation::new("forwarder-2017").start(double.world().clock().now() - 7_200_000);
    double.world().add(old.stdout("LAST_ACTIVATION unrelated 1"));
}

/// What it took, in user and system time of the whole process, until `arrived` has returned: then it is ended, as it does not end by itself.
pub fn run(
    double: &Double,
    actions: &[String],
    from: i64,
    logstash: &Value,
    window: u64,
    arrived: impl FnOnce() -> Result<()>,
) -> Result<Duration> {
    let before = cpu::of_children()?;
    let mut started = start(double, actions, from, logstash, window)?;
    let seen = arrived();
    let ended = started.child.try_wait()?;
    started.end()?;
    seen?;
    ensure!(ended.is_none_or(|status| status.success()), "the forwarder of 2017 has failed");
    Ok(cpu::of_children()?.saturating_sub(before))
}

/// Milliseconds of runs one after the other in one process, as in a container that is warm. Nothing is new.
pub fn warm(
    double: &Double,
    actions: &[String],
    from: i64,
    logstash: &Value,
    rounds: usize,
) -> Result<Vec<f64>> {
    let params =
        json!({"actions": actions, "from": from, "logstash": logstash, "window": 1, "rounds": rounds});
    let mut file = NamedTempFile::new()?;
    file.write_all(params.to_string().as_bytes())?;
    let output = command(double, &file).stdout(Stdio::piped()).output().context("cannot start Node")?;
    ensure!(output.status.success(), "the forwarder of 2017 has failed");
    let printed = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(printed.lines().last().unwrap_or_default()).context("its times")
}

/// Node with its program; what it prints goes nowhere.
fn command(double: &Double, params: &NamedTempFile) -> Command {
    let mut command = Command::new("node");
    // Its packages use what Node warns of today.
    command.arg("--no-deprecation").arg("forward.js").arg(params.path()).current_dir(directory());
    command.env("__OW_API_HOST", double.origin()).env("__OW_API_KEY", double.key());
    command.env("__OW_NAMESPACE", double.namespace());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    command
}

/// A running one. It ends when dropped.
pub struct Started {
    child: Child,
    /// When it was started.
    pub at: Instant,
    _params: NamedTempFile,
}

/// Starts it.
pub fn start(
    double: &Double,
    actions: &[String],
    from: i64,
    logstash: &Value,
    window: u64,
) -> Result<Started> {
    let mut params = NamedTempFile::new()?;
    let text = json!({"actions": actions, "from": from, "logstash": logstash, "window": window}).to_string();
    params.write_all(text.as_bytes())?;
    let at = Instant::now();
    let child = command(double, &params).spawn().context("cannot start Node")?;
    Ok(Started { child, at, _params: params })
}

impl Started {
    /// Ends it.
    pub fn end(mut self) -> Result<()> {
        self.child.kill().context("cannot end Node")?;
        self.child.wait().context("cannot wait for Node")?;
        Ok(())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
