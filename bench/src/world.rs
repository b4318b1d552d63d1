//! The recorded world: activations of a small shop with JSON logs, access logs, stack traces and plain text in several scripts. The world
//! is the same each time, except for the starts, which lie before the time of the run.
//!
//! The lines are made from fixed seeds: no real log may be kept here.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use openwhisk_double::{Activation, Double};
use serde_json::json;
use whiskjack::openwhisk::record::{SplitError, Splitter};

use crate::lines::{Dice, KINDS};

/// The starts end so long before the world's end, in milliseconds: nothing is too new for anybody.
const MARGIN_MS: i64 = 10_000;
const SEED: u64 = 1859;

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Monitored actions.
    pub actions: usize,
    /// Activation records, over all actions in turn.
    pub records: usize,
    /// Log lines of each.
    pub lines: usize,
    /// The starts are spread over so many milliseconds.
    pub span_ms: i64,
}

impl Shape {
    /// All log lines.
    pub fn events(&self) -> u64 {
        (self.records * self.lines) as u64
    }

    /// The actions' names.
    pub fn names(&self) -> Vec<String> {
        const NAMES: [&str; 5] = ["checkout", "resize-image", "orders-by-customer", "notify", "prices"];
        (0..self.actions).map(|n| format!("{}-{}", NAMES[n % NAMES.len()], n / NAMES.len() + 1)).collect()
    }

    /// The activations, oldest first; the last one starts shortly before `end_ms`, milliseconds since 1970.
    pub fn activations(self, end_ms: i64) -> impl Iterator<Item = Activation> {
        let names = self.names();
        self.activations_of(end_ms, move |number| names[number % names.len()].clone())
    }

    /// The same, of the action that has this name for the number of its record.
    pub fn activations_of(
        self,
        end_ms: i64,
        name: impl Fn(usize) -> String,
    ) -> impl Iterator<Item = Activation> {
        let mut text = Text::new();
        let begin = end_ms - MARGIN_MS - self.span_ms;
        let step = self.span_ms as f64 / self.records.max(1) as f64;
        (0..self.records).map(move |number| {
            let start = begin + (number as f64 * step) as i64;
            let activation = Activation::new(name(number)).start(start).duration(40);
            let activation = activation.result(json!({"ok": true, "number": number}));
            text.lines(self.lines).into_iter().fold(activation, |activation, (stream, line)| match stream {
                "stderr" => activation.stderr(&line),
                _ => activation.stdout(&line),
            })
        })
    }
}

/// The lines, without end.
struct Text {
    dice: Dice,
    waiting: Vec<(&'static str, String)>,
}

impl Text {
    fn new() -> Self {
        Self { dice: Dice::new(SEED), waiting: Vec::new() }
    }

    /// The next `count` lines, with their streams.
    fn lines(&mut self, count: usize) -> Vec<(&'static str, String)> {
        while self.waiting.len() < count {
            let pick = self.dice.below(8) as usize;
            // Of eight runs one ends in a stack trace, and one says something in other scripts.
            let (stream, lines) = match KINDS.get(pick.min(6) / 3) {
                Some((_, stream, make)) if pick < 7 => (*stream, make(&mut self.dice)),
                _ => ("stdout", vec![scripts(&mut self.dice)]),
            };
            self.waiting.extend(lines.into_iter().map(|line| (stream, line)));
        }
        self.waiting.drain(..count).collect()
    }
}

fn scripts(dice: &mut Dice) -> String {
    const TEXTS: [&str; 5] = [
        "Bestellung angenommen für Jürgen Groß, Straße der Befreiung 12 – Lieferung übermorgen",
        "注文を受け付けました。お届け先: 東京都千代田区 担当: 佐藤",
        "заказ принят, получатель: Екатерина Иванова, доставка завтра",
        "commande acceptée ✓ « Le Petit Café », livraison prévue à 18 h 30 🚚",
        "customer wrote: \"ça marche\"\t\\o/ \u{1b}[32mok\u{1b}[0m",
    ];
    format!("{} #{}", dice.pick(&TEXTS), dice.below(100_000))
}

/// The records of a double as its API shows them, newest first: what a program can be given that does not ask an API.
pub fn recorded(api: &Double) -> Result<Vec<Vec<u8>>> {
    const PAGE: usize = 200;
    let mut records = Vec::new();
    loop {
        let before = records.len();
        let namespace = api.namespace();
        let body = get(
            api,
            &format!("/api/v1/namespaces/{namespace}/activations?docs=true&limit={PAGE}&skip={before}"),
        )?;
        let mut splitter = Splitter::default();
        splitter.feed(&body, |row| {
            records.push(row.json.to_vec());
            Ok::<(), SplitError>(())
        })?;
        splitter.finish()?;
        if records.len() == before {
            return Ok(records);
        }
    }
}

fn get(api: &Double, target: &str) -> Result<Vec<u8>> {
    use base64::Engine as _;
    let key = base64::engine::general_purpose::STANDARD.encode(api.key());
    let mut stream = TcpStream::connect(api.address())?;
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nhost: api\r\nauthorization: Basic {key}\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    ensure!(answer.starts_with(b"HTTP/1.1 200"), "the API double refuses {target}");
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").context("the end of the head")?;
    Ok(answer.split_off(end + 4))
}
