//! What must have arrived, and what must not have happened.

use super::ports::Sim;
use super::record::{LogsAt, Record};
use whiskjack::checkpoint::Digest;
use whiskjack::range::Range;

/// What became of a seed.
#[derive(Debug, Default)]
pub struct Verdict {
    pub runs: u64,
    /// Entries that had to arrive.
    pub entries: u64,
    pub lost: u64,
    /// Entries that came again in a world without faults.
    pub repeated_clean: u64,
    pub max_checkpoint_bytes: usize,
    /// What is wrong, in sentences.
    pub complaints: Vec<String>,
}

/// Compares what arrived with what the world held.
pub fn judge(sim: &Sim, settled: bool) -> Verdict {
    let settings = &sim.world.settings;
    let arrived = sim.arrived.borrow();
    let mut verdict = Verdict {
        runs: sim.runs.get(),
        max_checkpoint_bytes: sim.kept.borrow().largest,
        ..Verdict::default()
    };
    let mut first = None;
    for record in sim.world.records.iter().filter(|record| must_arrive(sim, record)) {
        let lines = arrived.lines.get(&record.id);
        let lost =
            (0..record.lines).filter(|&index| lines.is_none_or(|lines| lines[index as usize] == 0)).count();
        verdict.entries += u64::from(record.lines);
        verdict.lost += lost as u64;
        if lost > 0 {
            first = first.or(Some(record));
        }
    }
    if let Some(record) = first {
        let since_begin = |ms: u64| (ms as f64 - settings.begin as f64) / 1000.0;
        verdict.complaints.push(format!(
            "lost {} of {} entries, first those of {:032x} (`{}`), which started at {:.3} s and was visible at {:.3} s",
            verdict.lost,
            verdict.entries,
            record.id,
            record.key,
            since_begin(record.start),
            since_begin(record.visible)
        ));
    }
    let digested = settings.heavy || settings.few_ids.is_some() && !settings.punctual;
    if settings.clean && !digested && !sim.cut_short.get() {
        let again =
            |counts: &Vec<u32>| counts.iter().map(|count| u64::from(count.saturating_sub(1))).sum::<u64>();
        verdict.repeated_clean = arrived.lines.values().map(again).sum();
        if verdict.repeated_clean > 0 {
            let (id, _) =
                arrived.lines.iter().filter(|(_, counts)| again(counts) > 0).min().expect("one of them");
            verdict.complaints.push(format!(
                "{} entries came again although nothing went wrong, first those of {id:032x}",
                verdict.repeated_clean
            ));
        }
    }
    if sim.overruns.get() > 0 {
        verdict.complaints.push(format!("{} runs went on after their deadline", sim.overruns.get()));
    }
    if !settled {
        verdict.complaints.push("the clean runs did not come to rest".into());
    }
    verdict.complaints.extend(sim.untrue.borrow().iter().take(1).cloned());
    verdict.complaints.extend(arrived.wrong.iter().take(3).cloned());
    verdict
}

/// What the digests of a checkpoint say that cannot be true: one that counts more activations than there are could hide one that is not done.
pub fn untrue_digests(sim: &Sim) -> Vec<String> {
    let all = Range::new(0, u64::MAX).expect("a range");
    let Some(checkpoint) = sim.kept.borrow().checkpoint() else { return Vec::new() };
    let mut untrue = Vec::new();
    for (source, state) in &checkpoint.sources {
        let filter = Some(source.as_str()).filter(|_| !sim.world.settings.patterns);
        let own = sim.own.borrow();
        let mut records = sim.world.named(filter);
        records.extend(own.iter().filter(|_| filter.is_none_or(|name| name == "fwd")));
        for digest in state.seen.digests_in(all) {
            let mut truth = Digest::empty(digest.range());
            let there = records
                .iter()
                .filter(|record| digest.range().contains(record.start) && record.visible <= sim.now.get());
            there.for_each(|record| truth.add(format!("{:032x}", record.id).parse().expect("an id")));
            if digest.count() > truth.count() || digest.count() == truth.count() && digest != truth {
                untrue.push(format!("{digest:?} of `{source}` should be {truth:?}"));
            }
        }
    }
    untrue
}

/// Whether the record's lines have to arrive: it is monitored, starts within what was asked for, and was there long enough.
fn must_arrive(sim: &Sim, record: &Record) -> bool {
    let settings = &sim.world.settings;
    let asked_for = match settings.taken_over(&record.key).or(settings.from) {
        Some(from) => record.start > from,
        // The first run begins with the look-back: the checkpoint says when that was.
        None => origin(sim, &record.key).is_some_and(|origin| record.start >= origin),
    };
    record.has_lines()
        && settings.logs != LogsAt::Nowhere
        && settings.chosen.contains(&record.key.as_str())
        && record.deleted == u64::MAX
        && asked_for
}

fn origin(sim: &Sim, source: &str) -> Option<u64> {
    let source = if sim.world.settings.patterns { "*" } else { source };
    Some(sim.kept.borrow().checkpoint()?.sources.get(source)?.origin)
}
