//! Instructions of the hot loops, counted by callgrind: the counts are the same on each run, so that a review shows a regression.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use openwhisk_double::{Clock, Double, Options};
use tempfile::NamedTempFile;

use crate::world::{Shape, recorded};

/// By loop, per event.
type Counts = BTreeMap<String, u64>;

const LOOPS: [&str; 8] = ["splitter", "parse", "event", "send", "acks", "pipeline", "ecs", "all"];
const SHAPE: Shape = Shape { actions: 10, records: 400, lines: 20, span_ms: 600_000 };
/// 2023-11-14T22:13:20Z: always the same digits.
const END_MS: i64 = 1_700_000_000_000;
/// A difference of so much is worth a mark, in per cent.
const REMARKABLE: f64 = 1.0;

/// Counts, compares with what is kept, and keeps it if `keep`.
pub fn run(keep: bool) -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/instructions.json");
    let kept: Counts = match fs::read(&file) {
        Ok(text) => {
            serde_json::from_slice(&text).with_context(|| format!("cannot read {}", file.display()))?
        }
        Err(_) => Counts::new(),
    };
    let records = world()?;
    let mut counts = Counts::new();
    println!("| loop | instructions an event | kept | change |\n|---|---|---|---|");
    for name in LOOPS {
        let count = count(name, records.path())?;
        println!("{}", line(name, count, kept.get(name).copied()));
        counts.insert(name.to_owned(), count);
    }
    if keep {
        fs::write(file, serde_json::to_string_pretty(&counts)? + "\n")?;
    }
    Ok(())
}

fn line(name: &str, count: u64, kept: Option<u64>) -> String {
    let Some(kept) = kept else { return format!("| {name} | {count} | – | new |") };
    let change = (count as f64 / kept as f64 - 1.0) * 100.0;
    let mark = if change.abs() >= REMARKABLE { " !" } else { "" };
    format!("| {name} | {count} | {kept} | {change:+.1} %{mark} |")
}

fn world() -> Result<NamedTempFile> {
    let api = Double::start(Options { clock: Clock::fixed(END_MS), ..Options::default() });
    api.world().add_all(SHAPE.activations(END_MS));
    let mut file = NamedTempFile::new()?;
    for record in recorded(&api)? {
        file.write_all(&record)?;
        file.write_all(b"\n")?;
    }
    Ok(file)
}

/// Of one event: what two rounds more take, so that nothing counts that is done once.
fn count(name: &str, records: &Path) -> Result<u64> {
    let [one, three] = [collected(name, records, 1)?, collected(name, records, 3)?];
    Ok(three.saturating_sub(one) / 2 / SHAPE.events())
}

fn collected(name: &str, records: &Path, rounds: u32) -> Result<u64> {
    let program = env::current_exe()?.with_file_name("loops");
    ensure!(program.is_file(), "the loops are not built: run `cargo xtask bench instructions`");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .arg(name)
        .arg(records)
        .arg(rounds.to_string())
        .output()
        .context("cannot start valgrind: install it")?;
    let told = String::from_utf8_lossy(&output.stderr);
    let Some(count) = collected_in(&told).filter(|_| output.status.success()) else {
        bail!("callgrind has failed on {name}: {}", told.trim_end());
    };
    Ok(count)
}

/// `==1== Collected : 12345`
fn collected_in(told: &str) -> Option<u64> {
    let (_, rest) = told.split_once("Collected : ")?;
    rest.lines().next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callgrinds_count_is_found() {
        assert_eq!(collected_in("==7== Events    : Ir\n==7== Collected : 12345\n==7==\n"), Some(12_345));
        assert_eq!(collected_in("==7== Fatal error\n"), None);
    }

    #[test]
    fn a_change_is_seen() {
        assert_eq!(line("parse", 105, Some(100)), "| parse | 105 | 100 | +5.0 % ! |");
        assert_eq!(line("parse", 1000, Some(1001)), "| parse | 1000 | 1001 | -0.1 % |");
        assert_eq!(line("parse", 7, None), "| parse | 7 | – | new |");
    }
}
