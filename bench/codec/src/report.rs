//! The table.

use crate::corpus::Corpus;
use crate::references::Reference;
use crate::{BASE, Candidate, Pair};

pub(crate) fn print(corpora: &[Corpus], candidates: &[Candidate], references: &[Reference]) {
    let total: usize = corpora.iter().map(Corpus::bytes).sum();
    versions();
    for corpus in corpora {
        let windows = corpus.windows.len();
        println!("{}: {windows} windows of {} bytes", corpus.name, corpus.bytes() / windows);
    }
    println!(
        "\nms/MB: CPU for a million bytes of frames; ratio: to {} {} beside it, median and quartiles\n",
        BASE.0, BASE.1
    );
    print!("{:<12} {:>5}", "encoder", "level");
    for corpus in corpora {
        print!(" {:>9.9}", corpus.name);
    }
    println!(" {:>7} | wasm {:>6} {:>18} | native {:>6} {:>18}", "all", "ms/MB", "ratio", "ms/MB", "ratio");
    for candidate in candidates {
        let level = candidate.level.map_or("-".to_owned(), |level| level.to_string());
        print!("{:<12} {level:>5}", candidate.name);
        for (corpus, bytes) in corpora.iter().zip(&candidate.bytes) {
            print!(" {:>8.2}%", percent(*bytes, corpus.bytes()));
        }
        let bytes = candidate.bytes.iter().sum();
        println!(
            " {:>6.2}% | {} | {}",
            percent(bytes, total),
            times(&candidate.wasm, total, 11),
            times(&candidate.native, total, 13)
        );
    }
    println!();
    for Reference { name, level, bytes, milliseconds } in references {
        let time = milliseconds / total as f64 * 1e6;
        println!("{name:<12} {level:>5} {:>6.2}%   {time:>6.1} ms/MB, once", percent(*bytes, total));
    }
}

/// The versions that the lock file names, and whether the product's has the same.
fn versions() {
    let (ours, product) = (include_str!("../Cargo.lock"), include_str!("../../../Cargo.lock"));
    for name in ["miniz_oxide", "zlib-rs", "libflate", "fdeflate", "libdeflater", "wasmtime"] {
        let ours = version(ours, name).unwrap_or("none");
        match version(product, name) {
            Some(product) if product != ours => println!("{name} {ours} (but the product has {product})"),
            _ => println!("{name} {ours}"),
        }
    }
}

fn version<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let package =
        lock.split("[[package]]").find(|package| package.contains(&format!("name = \"{name}\"\n")))?;
    package.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
}

fn percent(part: u64, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}

/// Milliseconds a megabyte, and the ratio to the base with its quartiles.
fn times(pairs: &[Pair], bytes: usize, width: usize) -> String {
    if pairs.is_empty() {
        return format!("{:>w$}", "", w = width + 19);
    }
    let time = quantile(pairs.iter().map(|pair| pair.candidate / bytes as f64 * 1e6), 0.5);
    let ratio = |part| quantile(pairs.iter().map(|pair| pair.candidate / pair.base), part);
    format!("{time:>width$.2} {:>6.2} {:.2}–{:.2}", ratio(0.5), ratio(0.25), ratio(0.75))
}

fn quantile(values: impl Iterator<Item = f64>, part: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = part * values.len().saturating_sub(1) as f64;
    values.get(at.round() as usize).copied().unwrap_or(f64::NAN)
}
