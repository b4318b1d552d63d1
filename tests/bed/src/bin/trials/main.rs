//! What takes too long for a test: `cargo run -p whiskjack-testbed --bin trials -- [--seed N] backfill|watch|terminal [SIZE]`, after
//! `cargo xtask build`.
//!
//! | trial | what is promised | SIZE |
//! |---|---|---|
//! | `backfill` | no line is lost however often it is killed, and its memory does not grow with the range | lines; 1,000,000 |
//! | `watch` | nothing is lost, and nothing comes twice that was acknowledged, while API and receiver go up and down; the metrics are true | seconds; 600 |
//! | `terminal` | what a terminal is shown is true, and Ctrl-C at any moment loses and repeats nothing | rounds; 30 |
//!
//! Each prints its figures and ends with status 1 if a promise was broken. The same seed makes the same plan; what programs do with it depends on
//! the machine.

mod backfill;
mod command;
mod counted;
mod terminal;
mod watch;

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

const USAGE: &str = "usage: trials [--seed N] backfill|watch|terminal [SIZE]";

fn main() -> Result<()> {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let mut seed = now_ms().unsigned_abs();
    if arguments.first().is_some_and(|first| first == "--seed") {
        seed = arguments.get(1).context(USAGE)?.parse().context(USAGE)?;
        arguments.drain(..2);
    }
    println!("seed {seed}");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let size = |text: &str| text.replace(['_', ','], "").parse().context(USAGE);
    match arguments.as_slice() {
        ["backfill"] => backfill::run(seed, 1_000_000),
        ["backfill", lines] => backfill::run(seed, size(lines)?),
        ["watch"] => watch::run(seed, 600),
        ["watch", seconds] => watch::run(seed, size(seconds)?),
        ["terminal"] => terminal::run(seed, 30),
        ["terminal", rounds] => terminal::run(seed, size(rounds)?),
        _ => bail!("{USAGE}"),
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}
