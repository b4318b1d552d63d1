//! Elastic's Lumberjack server; its events are counted and not kept.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use whiskjack_testbed::{Certificates, artifacts};

/// How long events may take that a sender says have arrived, or that it has written.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running server. It ends when dropped.
pub struct Receiver {
    child: Child,
    port: u16,
    arrived: Arc<(Mutex<u64>, Condvar)>,
    /// When each has arrived, if that is kept.
    stamps: Option<Arc<Mutex<Vec<Instant>>>>,
}

impl Receiver {
    /// One that speaks TLS.
    pub fn tls(certificates: &Certificates) -> Result<Self> {
        let tls = certificates.server_tls();
        Self::start(|command| command.arg("-cert").arg(&tls.certificate).arg("-key").arg(&tls.key))
    }

    /// One that speaks TLS and takes little of the machine itself: it only checks that events are JSON, where others would decode them.
    pub fn frugal(certificates: &Certificates) -> Result<Self> {
        let tls = certificates.server_tls();
        Self::start(|command| {
            command.arg("-frugal").arg("-cert").arg(&tls.certificate).arg("-key").arg(&tls.key)
        })
    }

    /// One that does not.
    pub fn plain() -> Result<Self> {
        Self::start(|command| command)
    }

    /// The same; it keeps when each event arrives.
    pub fn stamping() -> Result<Self> {
        Self::with(Some(Arc::default()), |command| command)
    }

    fn start(options: impl FnOnce(&mut Command) -> &mut Command) -> Result<Self> {
        Self::with(None, options)
    }

    fn with(
        stamps: Option<Arc<Mutex<Vec<Instant>>>>,
        options: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Result<Self> {
        let mut command = Command::new(artifacts().directory().join("lumberjack-receiver"));
        options(&mut command).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("Elastic's server: run `cargo xtask build`")?;
        let mut stdout = BufReader::with_capacity(1 << 20, child.stdout.take().context("piped")?);
        let arrived = Arc::<(Mutex<u64>, Condvar)>::default();
        let mut receiver = Self { child, port: 0, arrived: arrived.clone(), stamps: stamps.clone() };
        let mut ready = String::new();
        stdout.read_line(&mut ready)?;
        let ready: Value = serde_json::from_str(&ready).context("the server's address")?;
        let port =
            ready.get("address").and_then(Value::as_str).and_then(|address| address.rsplit(':').next());
        receiver.port = port.context("the server's port")?.parse()?;
        thread::spawn(move || count(stdout, &arrived, stamps.as_deref()));
        Ok(receiver)
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens, on `localhost`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Events so far.
    pub fn arrived(&self) -> u64 {
        self.arrived.0.lock().map_or(0, |count| *count)
    }

    /// When each event has arrived, if that is kept.
    pub fn stamps(&self) -> Vec<Instant> {
        let stamps = self.stamps.as_ref().and_then(|stamps| stamps.lock().ok());
        stamps.map(|stamps| stamps.clone()).unwrap_or_default()
    }

    /// Waits until `count` events have arrived, and no more than that.
    pub fn expect(&self, count: u64) -> Result<()> {
        let (arrived, changed) = &*self.arrived;
        let seen = arrived.lock().map_err(|_| anyhow::anyhow!("the counting thread failed"))?;
        let waited = changed.wait_timeout_while(seen, PATIENCE, |seen| *seen < count);
        let seen = waited.map_or(0, |(seen, _)| *seen);
        ensure!(seen == count, "{seen} of {count} events have arrived");
        Ok(())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn count(mut from: impl Read, arrived: &(Mutex<u64>, Condvar), stamps: Option<&Mutex<Vec<Instant>>>) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let lines = buffer.iter().take(read).filter(|byte| **byte == b'\n').count() as u64;
        if let Some(Ok(mut stamps)) = stamps.map(Mutex::lock) {
            stamps.extend((0..lines).map(|_| Instant::now()));
        }
        if let Ok(mut count) = arrived.0.lock() {
            *count += lines;
        }
        arrived.1.notify_all();
    }
}
