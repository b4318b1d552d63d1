//! The built product: as the command, and as an action under ActionLoop.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use openwhisk_double::Double;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use whiskjack_testbed::artifacts;

use crate::cpu;

/// The static binary.
pub fn binary() -> Result<PathBuf> {
    let path = artifacts().directory().join("whiskjack");
    ensure!(path.is_file(), "the product is not built: run `cargo xtask build`");
    Ok(path)
}

/// A configuration that forwards these actions from `from` (milliseconds since 1970) on. `package` keeps the checkpoint: each series of runs has its own.
pub fn config(actions: &[String], from: i64, logstash: Value, package: &str) -> Value {
    json!({"actions": actions, "from": from, "logstash": logstash, "checkpoint": {"package": package}})
}

/// What came of a run of the command.
#[derive(Debug)]
pub struct Ran {
    /// Its result.
    pub result: Value,
    /// From start to end.
    pub wall: Duration,
    /// User and system time of the whole process.
    pub cpu: Duration,
}

impl Ran {
    /// A number in the result.
    pub fn number(&self, pointer: &str) -> Result<u64> {
        let found = self.result.pointer(pointer).and_then(Value::as_u64);
        found.with_context(|| format!("no {pointer} in the result {}", self.result))
    }

    /// All lines were forwarded.
    pub fn forwarded(self, events: u64) -> Result<Self> {
        ensure!(
            self.number("/lines/acknowledged")? == events,
            "not everything was forwarded: {}",
            self.result
        );
        Ok(self)
    }
}

/// Runs `whiskjack run` to its end. `started` is called with its process id.
pub fn run(api: &str, double: &Double, config: &Value, started: impl FnOnce(u32)) -> Result<Ran> {
    let mut file = NamedTempFile::new()?;
    file.write_all(config.to_string().as_bytes())?;
    let mut command = Command::new(binary()?);
    command.arg("run").arg("--config").arg(file.path());
    environment(&mut command, api, double);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let (cpu_before, began) = (cpu::of_children()?, Instant::now());
    let child = command.spawn().context("cannot start the product")?;
    started(child.id());
    let output = child.wait_with_output()?;
    let (wall, cpu) = (began.elapsed(), cpu::of_children()?.saturating_sub(cpu_before));
    let result = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("the product gave no result ({})", output.status))?;
    Ok(Ran { result, wall, cpu })
}

/// An action's process, started as the ActionLoop proxy does it, but for the proxy itself. It ends when dropped.
pub struct Action {
    child: Child,
    input: ChildStdin,
    results: BufReader<ChildStdout>,
}

impl Action {
    /// Starts it.
    pub fn start(api: &str, double: &Double) -> Result<Self> {
        // The result goes to descriptor 3, as in a container; what is printed goes nowhere.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#"exec "$0" 3>&1 >/dev/null 2>&1"#]).arg(binary()?);
        environment(&mut command, api, double);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let input = child.stdin.take().context("piped")?;
        let results = BufReader::new(child.stdout.take().context("piped")?);
        Ok(Self { child, input, results })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// One activation: its result, and how long that took.
    pub fn run(&mut self, double: &Double, params: &Value, limit: Duration) -> Result<(Value, Duration)> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let activation = json!({
            "value": params, "namespace": double.namespace(), "action_name": "/guest/whiskjack", "api_key": double.key(),
            "activation_id": format!("{:032x}", now.as_nanos()), "deadline": (now + limit).as_millis().to_string(),
        });
        let line = format!("{activation}\n");
        let began = Instant::now();
        self.input.write_all(line.as_bytes())?;
        self.input.flush()?;
        let mut result = String::new();
        self.results.read_line(&mut result)?;
        let wall = began.elapsed();
        Ok((serde_json::from_str(&result).context("the action gave no result")?, wall))
    }
}

impl Drop for Action {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The variables of an action, and no others.
pub fn environment(command: &mut Command, api: &str, double: &Double) {
    command.env_clear().env("__OW_API_HOST", api);
    command.env("__OW_API_KEY", double.key()).env("__OW_NAMESPACE", double.namespace());
}

/// Most memory that a process has had resident so far, in KiB.
pub fn high_water_mark(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
