//! `codec-bench GUEST.wasm [OPTIONS]`: bytes and CPU time of zlib encoders on the windows that are really sent. Run by
//! `cargo xtask bench codec`.
//!
//! The clock counts CPU time of this thread. Every measurement is a pair, miniz_oxide at level 3 and then the candidate, so that other work
//! of the machine affects both; the figure that counts is the median of the pairs' ratios.

mod corpus;
mod options;
mod places;
mod references;
mod report;

use anyhow::{Context, Result, ensure};
use codec_bench::codecs::{self, LEVELLED, MINIZ, NATIVE, PLAIN, WAYS};
use corpus::Corpus;
use options::Options;
use places::{Native, Place, Wasm};

/// The levels that are compared; the last one for reference.
const LEVELS: [u8; 7] = [1, 2, 3, 4, 5, 6, 9];

/// Numbers of probes that are compared. `miniz_oxide` counts them in threes.
const PROBES: [u8; 8] = [1, 4, 7, 10, 16, 24, 32, 64];

/// What all are compared with.
const BASE: (&str, u8) = (MINIZ, 3);

/// An encoder at a level, and what was measured of it.
struct Candidate {
    name: &'static str,
    /// `None` if it has no levels.
    level: Option<u8>,
    /// Bytes of its streams, for each kind of log.
    bytes: Vec<u64>,
    native: Vec<Pair>,
    /// Nothing if it cannot be a component.
    wasm: Vec<Pair>,
}

/// Milliseconds of CPU for all windows.
struct Pair {
    base: f64,
    candidate: f64,
}

fn main() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    let mut corpora = corpus::made(options.windows, options.events)?;
    for path in &options.files {
        corpora.push(corpus::file(path, options.windows, options.events)?);
    }
    let windows: Vec<Vec<u8>> = corpora.iter().flat_map(|corpus| corpus.windows.clone()).collect();
    if let Some((name, level)) = &options.once {
        return once(name, *level, &windows);
    }
    let mut candidates = candidates();
    let mut native = Native::new(&windows);
    let mut wasm = Wasm::new(&options.guest, &windows)?;
    for candidate in &mut candidates {
        candidate.bytes = check(candidate, &corpora, &mut native)?;
        if candidate.portable() {
            let bytes = check(candidate, &corpora, &mut wasm)?;
            ensure!(
                bytes == candidate.bytes,
                "{} packs differently as a component: {bytes:?} and {:?}",
                candidate.name,
                candidate.bytes
            );
        }
    }
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        for candidate in &mut candidates {
            candidate.native.push(measure(candidate, &mut native)?);
            if candidate.portable() {
                candidate.wasm.push(measure(candidate, &mut wasm)?);
            }
        }
    }
    report::print(&corpora, &candidates, &references::all(&windows, &LEVELS));
    Ok(())
}

impl Candidate {
    fn new(name: &'static str, level: Option<u8>) -> Self {
        Self { name, level, bytes: Vec::new(), native: Vec::new(), wasm: Vec::new() }
    }

    fn portable(&self) -> bool {
        self.name != NATIVE
    }
}

fn candidates() -> Vec<Candidate> {
    let levels = |name| LEVELS.map(|level| Candidate::new(name, Some(level)));
    let probes = |(name, _)| PROBES.map(|probes| Candidate::new(name, Some(probes)));
    let plain = PLAIN.map(|name| Candidate::new(name, None));
    let levelled = LEVELLED.into_iter().chain([NATIVE]).flat_map(levels);
    levelled.chain(WAYS.into_iter().flat_map(probes)).chain(plain).collect()
}

fn measure(candidate: &Candidate, place: &mut dyn Place) -> Result<Pair> {
    place.open(BASE.0, BASE.1)?;
    let base = clock(place)?;
    place.open(candidate.name, candidate.level.unwrap_or(0))?;
    Ok(Pair { base, candidate: clock(place)? })
}

/// Milliseconds of CPU that one run takes.
fn clock(place: &mut dyn Place) -> Result<f64> {
    let now = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
    };
    let began = now();
    place.run()?;
    Ok(now() - began)
}

/// Inflates what the candidate made and compares; returns its bytes for each kind of log.
fn check(candidate: &Candidate, corpora: &[Corpus], place: &mut dyn Place) -> Result<Vec<u64>> {
    place.open(candidate.name, candidate.level.unwrap_or(0))?;
    place.run()?;
    let streams = place.streams()?;
    let mut rest = streams.as_slice();
    let mut bytes = Vec::new();
    for corpus in corpora {
        let before = rest.len();
        for window in &corpus.windows {
            rest = inflated(rest, window)
                .with_context(|| format!("{} at level {:?}", candidate.name, candidate.level))?;
        }
        bytes.push((before - rest.len()) as u64);
    }
    ensure!(rest.is_empty(), "{}: something follows the last stream", candidate.name);
    Ok(bytes)
}

/// What follows the stream that `streams` begin with, if that stream holds `window`.
fn inflated<'a>(streams: &'a [u8], window: &[u8]) -> Result<&'a [u8]> {
    use miniz_oxide::inflate::stream::{InflateState, inflate};
    use miniz_oxide::{DataFormat, MZFlush};

    let mut text = vec![0; window.len() + 1];
    let mut state = InflateState::new_boxed(DataFormat::Zlib);
    let done = inflate(&mut state, streams, &mut text, MZFlush::Finish);
    ensure!(text.get(..done.bytes_written) == Some(window), "not what went in ({:?})", done.status);
    streams.get(done.bytes_consumed..).context("more than there is")
}

fn once(name: &str, level: u8, windows: &[Vec<u8>]) -> Result<()> {
    let mut codec = codecs::open(name, level).context("no such encoder and level")?;
    let mut out = Vec::new();
    windows.iter().for_each(|window| codec.append(window, &mut out));
    println!("{} bytes from {}", out.len(), windows.iter().map(Vec::len).sum::<usize>());
    Ok(())
}
