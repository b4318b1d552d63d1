//! Windows as the forwarder sends them: the product's code reads activation records with log lines of several kinds, makes events of them
//! and frames these.
//!
//! The lines are made from fixed seeds: no real log may be kept here. Use a text file of your own to see the figures for a real log.

mod lines;

use anyhow::{Context, Result};
use serde_json::json;
use std::convert::Infallible;
use std::path::Path;
use whiskjack::events::{Document, Events, Form};
use whiskjack::lumberjack::{Options, Outbox, Protocol};
use whiskjack::openwhisk::record::Record;
use whiskjack::time;

use lines::Dice;

/// Windows of one kind of log.
pub(crate) struct Corpus {
    pub(crate) name: String,
    /// The frames of each window.
    pub(crate) windows: Vec<Vec<u8>>,
}

impl Corpus {
    /// Bytes before compression.
    pub(crate) fn bytes(&self) -> usize {
        self.windows.iter().map(Vec::len).sum()
    }
}

/// The kinds that are made: `count` windows each, of at most `events` events.
pub(crate) fn made(count: usize, events: u32) -> Result<Vec<Corpus>> {
    lines::KINDS
        .iter()
        .map(|(name, stream, make)| {
            let mut dice = Dice::new(7);
            let mut activation = move || make(&mut dice);
            corpus(name, stream, count, events, &mut activation)
        })
        .collect()
}

/// The lines of a text file, three to an activation, from the first on again when they are used up.
pub(crate) fn file(path: &Path, count: usize, events: u32) -> Result<Corpus> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).cycle();
    anyhow::ensure!(lines.next().is_some(), "{} has no lines", path.display());
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    corpus(&name, "stdout", count, events, &mut || lines.by_ref().take(3).collect())
}

/// `activation` gives the lines of one run after the other.
fn corpus(
    name: &str,
    stream: &str,
    count: usize,
    events: u32,
    activation: &mut dyn FnMut() -> Vec<String>,
) -> Result<Corpus> {
    let mut dice = Dice::new(1);
    // Newest first, as the API has them.
    let mut start = 1_700_000_000_000_u64;
    let mut outbox = Outbox::new(Protocol::V2);
    let wanted = count * events as usize;
    while outbox.len() < wanted {
        start -= dice.below(900);
        let record = record(&mut dice, start, stream, &activation());
        let record = Record::parse(record.as_bytes())?;
        let events = Events::of(&record, &Form::new(Protocol::V2));
        for (index, line) in record.entries().enumerate() {
            let Ok(()) = outbox.push(|out| {
                events.write(Document::plain(index, line), out);
                Ok::<(), Infallible>(())
            });
        }
    }
    let mut windows = Vec::new();
    let mut first = 0;
    while windows.len() < count {
        let fitting = outbox.fitting(first, Options::default().window_bytes).min(events);
        windows.push(outbox.window(first, fitting));
        first += u64::from(fitting);
    }
    Ok(Corpus { name: name.to_owned(), windows })
}

/// A full activation record.
fn record(dice: &mut Dice, start: u64, stream: &str, lines: &[String]) -> String {
    const ACTIONS: [&str; 4] = ["checkout", "resize-image", "orders-by-customer", "notify"];
    let action = *dice.pick(&ACTIONS);
    let mut nanos = 1_000_000 * start + dice.below(40_000_000);
    let logs: Vec<String> = lines
        .iter()
        .map(|line| {
            nanos += 20_000 + dice.below(3_000_000);
            let time = time::rfc3339(nanos / 1_000_000);
            let time = format!("{}{:06}Z", time.trim_end_matches('Z'), nanos % 1_000_000);
            format!("{time:<30} {stream}: {line}")
        })
        .collect();
    json!({
        "activationId": format!("{:016x}{:016x}", dice.next(), dice.next()),
        "namespace": "acme_production",
        "name": action,
        "start": start,
        "end": nanos / 1_000_000,
        "annotations": [{"key": "path", "value": format!("acme_production/shop/{action}")}],
        "logs": logs,
    })
    .to_string()
}
