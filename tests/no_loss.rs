//! No line is lost: the whole forwarder in a deterministic simulation, one random world for each seed.
//!
//! `WHISKJACK_SEEDS=FROM..TO cargo test --release --test no_loss` chooses the seeds; with `WHISKJACK_TRACE=1` and one seed it prints the
//! events.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test: what is not as it should be shall stop it, and nobody else uses it"
)]

mod sim;

use sim::{Gap, HOUR, KINDS, MINUTE, Verdict, simulate};
use std::collections::BTreeMap;
use std::io::Write;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Seeds, unless the environment says otherwise.
const SEEDS: (u64, u64) = (0, 300);
const THREADS: usize = 2;
/// Most seeds that are named when they fail.
const NAMED: usize = 20;

#[test]
fn every_line_arrives_whatever_goes_wrong_and_once_if_nothing_does() {
    let (from, to) = seeds();
    let trace = std::env::var_os("WHISKJACK_TRACE").is_some();
    let next = Arc::new(AtomicU64::new(from));
    let verdicts = Arc::new(Mutex::new(Vec::new()));
    let worker = || {
        let (next, verdicts) = (next.clone(), verdicts.clone());
        std::thread::spawn(move || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= to {
                    return;
                }
                let verdict = verdict(seed, trace);
                verdicts.lock().unwrap().push((seed, verdict));
            }
        })
    };
    let threads: Vec<_> = (0..THREADS).map(|_| worker()).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let mut verdicts = std::mem::take(&mut *verdicts.lock().unwrap());
    verdicts.sort_by_key(|(seed, _)| *seed);
    let failed = report(&verdicts);
    assert_eq!(failed, 0, "seeds failed: see above");
    let met = met(&verdicts);
    let never: Vec<_> = KINDS.iter().filter(|kind| !met.contains_key(*kind)).collect();
    assert!((from, to) != SEEDS || never.is_empty(), "kinds of trouble that no seed met: {never:?}");
}

/// Runs before a gap of ten hours, after it, and each minute from then on.
const BEFORE_AND_AFTER: [u64; 8] = [
    0,
    10 * HOUR,
    10 * HOUR + MINUTE,
    10 * HOUR + 2 * MINUTE,
    10 * HOUR + 3 * MINUTE,
    10 * HOUR + 4 * MINUTE,
    10 * HOUR + 5 * MINUTE,
    10 * HOUR + 6 * MINUTE,
];

#[test]
fn of_a_gap_all_arrives_though_the_index_takes_a_second_and_only_a_later_run_is_complete() {
    let gap = Gap { stale: true, index_step_ms: 1_000, deleted: 0, records: 600 };
    let runs = gap.runs_at(&BEFORE_AND_AFTER);
    assert!(!runs[1].complete, "nobody has counted it again: {runs:?}");
    assert_eq!((runs[7].lines, runs[7].repeated, runs[7].complete), (600, 0, true), "{runs:?}");
}

#[test]
fn of_a_gap_all_arrives_though_the_index_takes_a_minute() {
    let gap = Gap { stale: true, index_step_ms: MINUTE, deleted: 0, records: 600 };
    let runs = gap.runs_at(&BEFORE_AND_AFTER);
    assert!(!runs[1].complete && runs[1].lines < 600, "it does not show all of them yet: {runs:?}");
    assert_eq!((runs[7].lines, runs[7].repeated, runs[7].complete), (600, 0, true), "{runs:?}");
}

#[test]
fn a_job_that_deletes_the_oldest_records_of_a_gap_keeps_it_open_for_a_few_runs_and_repeats_little() {
    let gap = Gap { stale: false, index_step_ms: 0, deleted: 3, records: 1_500 };
    let runs = gap.runs_at(&BEFORE_AND_AFTER);
    assert_eq!((runs[7].lines, runs[7].complete), (1_500, true), "{runs:?}");
    assert!(runs[7].repeated <= 200, "what one digest stood for came again once: {runs:?}");
}

/// Simulates one seed; a panic is a verdict too.
fn verdict(seed: u64, trace: bool) -> Verdict {
    catch_unwind(|| simulate(seed, trace)).unwrap_or_else(|payload| {
        let text =
            payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
        Verdict { complaints: vec![format!("panicked: {}", text.unwrap_or("?"))], ..Verdict::default() }
    })
}

/// Prints what failed and the sum of it all. Returns how many seeds failed.
fn report(verdicts: &[(u64, Verdict)]) -> usize {
    // Not `println!`: that is only shown when the test fails.
    let mut out = std::io::stdout().lock();
    let failed: Vec<_> = verdicts.iter().filter(|(_, verdict)| !verdict.complaints.is_empty()).collect();
    for (seed, verdict) in failed.iter().take(NAMED) {
        let met: Vec<_> = verdict.met.keys().copied().collect();
        writeln!(out, "seed {seed}: {}", verdict.complaints.join("; ")).unwrap();
        writeln!(out, "  met: {}", met.join(" ")).unwrap();
        writeln!(out, "  again: WHISKJACK_SEEDS={seed}..{} cargo test --release --test no_loss", seed + 1)
            .unwrap();
    }
    if failed.len() > NAMED {
        let more: Vec<_> = failed.iter().skip(NAMED).map(|(seed, _)| seed.to_string()).collect();
        writeln!(out, "and {} more seeds: {}", more.len(), more.join(", ")).unwrap();
    }
    let met = met(verdicts);
    let sum = |of: fn(&Verdict) -> u64| verdicts.iter().map(|(_, verdict)| of(verdict)).sum::<u64>();
    writeln!(
        out,
        "\nseeds={} runs={} entries={} lost={} repeated_clean={} max_checkpoint_bytes={} kinds={}",
        verdicts.len(),
        sum(|verdict| verdict.runs),
        sum(|verdict| verdict.entries),
        sum(|verdict| verdict.lost),
        sum(|verdict| verdict.repeated_clean),
        verdicts.iter().map(|(_, verdict)| verdict.max_checkpoint_bytes).max().unwrap_or(0),
        met.len(),
    )
    .unwrap();
    let met: Vec<String> = met.iter().map(|(kind, seeds)| format!("{kind}={seeds}")).collect();
    writeln!(out, "met: {}", met.join(" ")).unwrap();
    failed.len()
}

/// How many seeds met each kind of trouble.
fn met(verdicts: &[(u64, Verdict)]) -> BTreeMap<&'static str, u64> {
    let mut met = BTreeMap::new();
    let kinds = verdicts.iter().flat_map(|(_, verdict)| verdict.met.keys());
    kinds.for_each(|kind| *met.entry(*kind).or_default() += 1);
    met
}

fn seeds() -> (u64, u64) {
    let Ok(text) = std::env::var("WHISKJACK_SEEDS") else { return SEEDS };
    text.split_once("..")
        .and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)))
        .expect("WHISKJACK_SEEDS is FROM..TO, as 17..18")
}
