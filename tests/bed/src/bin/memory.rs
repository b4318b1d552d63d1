//! How much memory the forwarder takes at most, with a short and with a long backlog: `cargo run --release -p whiskjack-testbed --bin memory`.
//!
//! The built command forwards all of it in one run, from the API double to Elastic's Lumberjack server over TLS. Both backlogs begin with
//! the same records, as large as the platform makes them, on a page of more than 100 MB; what differs is how much comes after them.
//! What is printed is the kernel's own mark (`VmHWM` of /proc, so this needs Linux), read each time the run saves its checkpoint: that is
//! the last thing that it does.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use openwhisk_double::{Activation, Double, Matcher, Options, World};
use serde_json::{Value, json};
use whiskjack_testbed::{Certificates, artifacts};

/// Log entries in the backlogs.
const SHORT: u64 = 10_000;
const LONG: u64 = 1_000_000;

/// A record of nearly 10 MB of logs, the most that the platform keeps of one activation: so many entries of so many bytes.
const LARGE: (u64, usize) = (800, 12_000);
/// Large records in each backlog, the newest ones: as many as the short one has room for.
const LARGE_ONES: u64 = 12;
/// Any other record.
const SMALL: (u64, usize) = (20, 90);

/// Times a run may save its checkpoint, every 15 s and at the end.
const SAVES: u64 = 500;
/// The backlog begins this long ago, in milliseconds.
const SPAN_MS: i64 = 6 * 3_600_000;

fn main() -> Result<()> {
    let short = measure(SHORT)?;
    println!("{short}");
    let long = measure(LONG)?;
    println!("{long}");
    println!("peak with {LONG} entries / with {SHORT}: {:.2}", long.peak_kib as f64 / short.peak_kib as f64);
    Ok(())
}

struct Measured {
    entries: u64,
    records: usize,
    largest_page: usize,
    seconds: f64,
    peak_kib: u64,
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { entries, records, largest_page, seconds, peak_kib } = self;
        let (page, peak) = (*largest_page as f64 / 1e6, *peak_kib as f64 / 1024.0);
        write!(
            f,
            "{entries} entries in {records} records, largest page {page:.1} MB: peak {peak:.1} MiB ({seconds:.1} s)"
        )
    }
}

/// One run over a backlog of so many entries.
fn measure(entries: u64) -> Result<Measured> {
    let api = Double::start(Options::default());
    let from = now_ms()? - SPAN_MS;
    let records = fill(api.world(), entries, from);
    let certificates = Certificates::new();
    let receiver = Receiver::start(&certificates)?;
    let params = json!({
        "actions": ["busy"], "from": from,
        "logstash": {"host": "localhost", "port": receiver.port, "ca": certificates.ca},
    });

    let directory = tempfile::tempdir()?;
    let config = directory.path().join("config");
    fs::write(&config, params.to_string())?;
    let (pid, peak_kib) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU64::new(0)));
    watch(&api, &pid, &peak_kib);
    let began = Instant::now();
    let mut command = Command::new(artifacts().whiskjack());
    command.arg("run").arg("--config").arg(&config).env_clear().stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
        .env("__OW_API_HOST", api.origin())
        .env("__OW_API_KEY", api.key())
        .env("__OW_NAMESPACE", api.namespace());
    let run = command.spawn()?;
    pid.store(run.id(), Ordering::Relaxed);
    let output = run.wait_with_output()?;
    let seconds = began.elapsed().as_secs_f64();

    let result: Value = serde_json::from_slice(&output.stdout).context("the result of the run")?;
    let acknowledged = result.pointer("/lines/acknowledged").and_then(Value::as_u64);
    ensure!(acknowledged == Some(entries), "not everything was forwarded: {result}");
    ensure!(receiver.end()? == entries, "not everything arrived");
    let peak_kib = peak_kib.load(Ordering::Relaxed);
    ensure!(peak_kib > 0, "/proc does not tell how much memory the run took");
    let largest_page = api.requests().iter().map(|request| request.reply_bytes).max().unwrap_or_default();
    Ok(Measured { entries, records, largest_page, seconds, peak_kib })
}

/// Adds the backlog: the large records are the newest, so that they share a page. Returns how many records there are.
fn fill(world: &World, entries: u64, from: i64) -> usize {
    let small = entries.saturating_sub(LARGE_ONES * LARGE.0) / SMALL.0;
    let step = (SPAN_MS - 60_000) / i64::try_from(small + LARGE_ONES).unwrap_or(i64::MAX);
    let shapes = (0..small).map(|_| SMALL).chain((0..LARGE_ONES).map(|_| LARGE));
    let activations = (1..).zip(shapes).map(|(number, (lines, bytes))| {
        let activation = Activation::new("busy").start(from + number * step);
        (0..lines).fold(activation, |activation, line| activation.stdout(&message(line, bytes)))
    });
    world.add_all(activations).len()
}

/// Text of so many bytes, with what JSON must escape in it.
fn message(line: u64, bytes: usize) -> String {
    let mut text = format!("{line} GET \"/cart\"\tin {} ms ", line * 7919 % 1000);
    while text.len() < bytes {
        text.push_str("customer=8f14e45f ");
    }
    text.truncate(bytes);
    text
}

/// Reads the process's mark whenever it saves its checkpoint, which waits for the answer meanwhile.
fn watch(api: &Double, pid: &Arc<AtomicU32>, peak_kib: &Arc<AtomicU64>) {
    for save in 0..SAVES {
        let (pid, peak_kib) = (pid.clone(), peak_kib.clone());
        api.before_next(Matcher::package().method("PUT").after(save), move |_| {
            peak_kib.fetch_max(
                high_water_mark(pid.load(Ordering::Relaxed)).unwrap_or_default(),
                Ordering::Relaxed,
            );
        });
    }
}

/// Most memory that the process has had resident so far, in KiB.
fn high_water_mark(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

fn now_ms() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

/// Elastic's server; its events are counted and not kept.
struct Receiver {
    child: Child,
    port: u64,
    counting: Option<JoinHandle<u64>>,
}

impl Receiver {
    fn start(certificates: &Certificates) -> Result<Self> {
        let tls = certificates.server_tls();
        let mut child = Command::new(artifacts().directory().join("lumberjack-receiver"))
            .arg("-cert")
            .arg(&tls.certificate)
            .arg("-key")
            .arg(&tls.key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("the receiver: run `cargo xtask build`")?;
        let mut stdout = BufReader::with_capacity(1 << 20, child.stdout.take().context("piped")?);
        let mut receiver = Self { child, port: 0, counting: None };
        let mut ready = String::new();
        stdout.read_line(&mut ready)?;
        let ready: Value = serde_json::from_str(&ready).context("the receiver's address")?;
        let port =
            ready.get("address").and_then(Value::as_str).and_then(|address| address.rsplit(':').next());
        receiver.port = port.context("the receiver's port")?.parse()?;
        receiver.counting = Some(thread::spawn(move || count_lines(stdout)));
        Ok(receiver)
    }

    /// Ends it and says how many events arrived.
    fn end(mut self) -> Result<u64> {
        drop(self.child.stdin.take());
        let count = self.counting.take().and_then(|counting| counting.join().ok());
        count.context("the count of events")
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn count_lines(mut from: impl Read) -> u64 {
    let (mut buffer, mut lines) = (vec![0; 1 << 20], 0);
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        lines += buffer.iter().take(count).filter(|byte| **byte == b'\n').count() as u64;
    }
    lines
}
