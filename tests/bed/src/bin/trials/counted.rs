//! Elastic's server, of which only the ids of events are kept: a million lines fit into memory so.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use whiskjack_testbed::{Certificates, artifacts};

/// A line: the activation's id, and its number.
pub(crate) type Id = (u128, u32);

/// What arrived, at all incarnations of the receiver.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    /// How often each line came.
    pub(crate) lines: HashMap<Id, u32>,
    /// All events.
    pub(crate) events: u64,
    /// Of each incarnation, the window that came last: nobody knows whether it was acknowledged.
    pub(crate) last_windows: Vec<Vec<Id>>,
    /// Lines that came again though their activation was in windows only that were followed by others, and so were acknowledged.
    pub(crate) needless: Vec<Id>,
    window: u64,
}

impl Arrived {
    fn note(&mut self, line: &str) {
        let Some(id) = line.split_once("\"_id\":\"").and_then(|(_, rest)| parse(rest.split('"').next()?))
        else {
            return;
        };
        let window =
            line.split_once("\"window\":").and_then(|(_, rest)| rest.split(',').next()?.parse().ok());
        let window = window.unwrap_or(self.window);
        self.events += 1;
        let count = self.lines.entry(id).or_default();
        *count += 1;
        // An activation is done when all of its lines are acknowledged.
        let doubtful = |last: &Vec<Id>| last.iter().any(|(activation, _)| *activation == id.0);
        if *count > 1 && !self.last_windows.iter().rev().skip(1).any(doubtful) {
            self.needless.push(id);
        }
        if self.last_windows.is_empty() {
            self.last_windows.push(Vec::new());
        }
        if let Some(last) = self.last_windows.last_mut() {
            if window != self.window {
                self.window = window;
                last.clear();
            }
            last.push(id);
        }
    }

    /// Lines that came more than once, and how often more.
    pub(crate) fn repeated(&self) -> u64 {
        self.lines.values().map(|count| u64::from(*count) - 1).sum()
    }
}

/// `namespace-activation-number`
fn parse(id: &str) -> Option<Id> {
    let mut parts = id.rsplitn(3, '-');
    let number = parts.next()?.parse().ok()?;
    Some((u128::from_str_radix(parts.next()?, 16).ok()?, number))
}

/// A running receiver.
#[derive(Debug)]
pub(crate) struct Counted {
    child: Child,
    pub(crate) address: SocketAddr,
    reading: Option<JoinHandle<()>>,
    arrived: Arc<Mutex<Arrived>>,
}

impl Counted {
    /// Starts one, on a port of its own or where another one was, whose events count too.
    pub(crate) fn start(
        certificates: &Certificates,
        listen: Option<SocketAddr>,
        ack_delay: Duration,
        arrived: Arc<Mutex<Arrived>>,
    ) -> Result<Self> {
        let tls = certificates.server_tls();
        let mut command = Command::new(artifacts().directory().join("lumberjack-receiver"));
        command.arg("-cert").arg(&tls.certificate).arg("-key").arg(&tls.key);
        command.arg("-ack-delay").arg(format!("{}ms", ack_delay.as_millis()));
        if let Some(address) = listen {
            command.args(["-listen", &address.to_string()]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("the receiver: run `cargo xtask build`")?;
        let mut stdout = BufReader::with_capacity(1 << 20, child.stdout.take().context("piped")?);
        let mut ready = String::new();
        stdout.read_line(&mut ready)?;
        let ready: Value = serde_json::from_str(&ready).context("the receiver's address")?;
        let address = ready.get("address").and_then(Value::as_str).context("its address")?.parse()?;
        let filled = arrived.clone();
        {
            let mut arrived = lock(&arrived);
            arrived.last_windows.push(Vec::new());
            arrived.window = 0;
        }
        let reading = thread::spawn(move || {
            let mut line = String::new();
            while stdout.read_line(&mut line).is_ok_and(|read| read > 0) {
                lock(&filled).note(&line);
                line.clear();
            }
        });
        Ok(Self { child, address, reading: Some(reading), arrived })
    }

    /// Ends it at once; what it has told is read to the end.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    /// Waits until nothing new has come for a moment.
    pub(crate) fn settle(&self, patience: Duration) -> Result<()> {
        let (until, mut seen) = (Instant::now() + patience, None);
        while Instant::now() < until {
            let now = lock(&self.arrived).events;
            if seen == Some(now) {
                return Ok(());
            }
            seen = Some(now);
            thread::sleep(Duration::from_millis(300));
        }
        bail!("events went on arriving")
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reading) = self.reading.take() {
            let _ = reading.join();
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.end();
    }
}

pub(crate) fn lock(arrived: &Mutex<Arrived>) -> MutexGuard<'_, Arrived> {
    arrived.lock().unwrap_or_else(PoisonError::into_inner)
}
