//! The lines that must have arrived, and the events that must not have happened.

use super::behind;
use super::busy;
use super::demand;
use super::ports::Sim;
use super::record::{Kind, LogsAt, Record};
use serde_json::Value;
use std::collections::BTreeMap;
use whiskjack::checkpoint::Digest;
use whiskjack::range::Range;

/// So long after its end a record without lines may wait for lines in a store of their own, in milliseconds.
const WAITS_MS: u64 = 130_000;

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
    /// Kinds of trouble, and how often they were met.
    pub met: BTreeMap<&'static str, u64>,
    /// What is wrong, in sentences.
    pub complaints: Vec<String>,
}

impl Verdict {
    /// Adds what became of a second forwarder.
    pub fn add(&mut self, other: Verdict) {
        self.entries += other.entries;
        self.lost += other.lost;
        self.repeated_clean += other.repeated_clean;
        self.max_checkpoint_bytes = self.max_checkpoint_bytes.max(other.max_checkpoint_bytes);
        self.complaints
            .extend(other.complaints.into_iter().map(|complaint| format!("second forwarder: {complaint}")));
    }
}

/// Compares what arrived with what the world held.
pub fn judge(sim: &Sim, settled: bool) -> Verdict {
    let settings = &sim.world.settings;
    let arrived = sim.arrived.borrow();
    let mut verdict = Verdict {
        runs: sim.runs.get(),
        max_checkpoint_bytes: sim.kept.borrow().largest,
        met: met(sim),
        ..Verdict::default()
    };
    let mut first = None;
    for record in sim.world.records.iter().filter(|record| demand::must_arrive(sim, record)) {
        let lines = arrived.lines.get(&record.id);
        let lost =
            (0..record.lines).filter(|&index| lines.is_none_or(|lines| lines[index as usize] == 0)).count();
        let is_told = sim
            .world
            .documents
            .as_ref()
            .is_none_or(|documents| !documents.summarize() || arrived.summaries.contains_key(&record.id));
        let lost = lost + usize::from(!is_told);
        verdict.entries += u64::from(record.lines);
        verdict.lost += lost as u64;
        if lost > 0 {
            first = first.or(Some(record));
        }
    }
    let untold = sim
        .world
        .records
        .iter()
        .find(|record| must_be_summarized(sim, record) && !arrived.summaries.contains_key(&record.id));
    if let Some(record) = untold {
        verdict
            .complaints
            .push(format!("no document of {:032x} (`{}`), which has no lines", record.id, record.key));
    }
    if let Some(record) = first {
        let since_begin = |ms: u64| (ms as f64 - settings.begin as f64) / 1000.0;
        verdict.complaints.push(format!(
            "lost {} of {} entries, first those of {:032x} (`{}`, lacking {}), which started at {:.3} s and was visible at {:.3} s",
            verdict.lost,
            verdict.entries,
            record.id,
            record.key,
            record.bare,
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
    verdict.complaints.extend(sim.packages.borrow().lost.clone());
    verdict.complaints.extend(sim.untrue.borrow().iter().take(1).cloned());
    verdict.complaints.extend(arrived.wrong.iter().take(3).cloned());
    verdict
}

/// Whether a record without lines must have a document of its own. Where lines may be elsewhere, nobody can say when it is known to have none.
fn must_be_summarized(sim: &Sim, record: &Record) -> bool {
    let world = &sim.world;
    let like = || Record { lines: 1, kind: Kind::Action, ..record.clone() };
    world.documents.as_ref().is_some_and(|documents| documents.summarize())
        && world.settings.logs == LogsAt::Record
        && world.platform.moves.is_empty()
        && !record.has_lines()
        && record.end + WAITS_MS <= sim.began.get()
        && record.kind != Kind::Trigger
        && demand::must_arrive(sim, &like())
}

/// What the digests of a checkpoint say that cannot be true: one that counts more activations than there are could hide one that is not done.
pub fn untrue_digests(sim: &Sim) -> Vec<String> {
    let all = Range::new(0, u64::MAX).expect("a range");
    let Some(checkpoint) = sim.kept.borrow().checkpoint() else { return Vec::new() };
    let mut untrue = Vec::new();
    for (source, state) in &checkpoint.sources {
        let filter = Some(source.as_str()).filter(|source| *source != "*");
        let own = sim.own.borrow();
        let mut records = sim.world.named(filter);
        records.extend(own.iter().filter(|_| filter.is_none_or(|name| name == sim.own_name.get())));
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

/// What is wrong with a run that calls itself complete and began at `began`, if anything: something was there and has not arrived.
pub fn rightly_complete(sim: &Sim, began: u64) -> Option<String> {
    let arrived = sim.arrived.borrow();
    let missing = |id: u128| arrived.lines.get(&id).is_none_or(|lines| lines.contains(&0));
    let mut records = sim.world.records.iter();
    let record =
        records.find(|record| missing(record.id) && demand::must_have_arrived(sim, record, began))?;
    Some(format!(
        "a run calls itself complete although lines of {:032x} (`{}`) have not arrived",
        record.id, record.key
    ))
}

/// Notes which records a run names as not to be had. What is wrong if one that the run before named is deleted now, has not arrived, and is
/// not named any more: if its action is monitored still. `told` says that nothing came between the two. A run that says that it began anew
/// knows of none that was deleted before.
pub fn given_up(sim: &Sim, result: &Value, told: bool) -> Option<String> {
    let error = result["error"].as_str().unwrap_or_default();
    let told = told && !demand::says_anew(result);
    let arrived = sim.arrived.borrow();
    let missing = |id: u128| arrived.lines.get(&id).is_none_or(|lines| lines.contains(&0));
    let poisoned = || sim.world.records.iter().filter(|record| record.poison.is_some());
    let is_named = |record: &&Record| error.contains(&format!("{:032x}", record.id));
    let is_there = |record: &&Record| record.is_visible(sim.now.get());
    let before =
        sim.named.replace(poisoned().filter(is_named).filter(is_there).map(|record| record.id).collect());
    let gone = |record: &&Record| !is_there(record) && !is_named(record);
    let mut given_up = poisoned().filter(|record| before.contains(&record.id)).filter(gone);
    let record = given_up.find(|record| missing(record.id) && demand::is_monitored(sim, record))?;
    told.then(|| format!("{:032x} (`{}`) was given up without a word", record.id, record.key))
}

/// Whether a run without faults left only what can never be had, and named that: all that it must know of, and perhaps more, as one that began anew may
/// reach back further.
pub fn rightly_incomplete(sim: &Sim, result: &Value) -> bool {
    let never = demand::out_of_reach(sim);
    let error = result["error"].as_str().unwrap_or_default();
    let is_named = |record: &Record| error.contains(&format!("{:032x}", record.id));
    let is_there = |record: &Record| {
        demand::is_out_of_reach(record)
            && record.is_visible(sim.now.get())
            && sim.config.borrow().chosen.contains(&record.key.as_str())
    };
    let all_else =
        sim.world.records.iter().filter(|record| demand::must_arrive(sim, record)).all(|record| {
            sim.arrived.borrow().lines.get(&record.id).is_some_and(|lines| !lines.contains(&0))
        });
    let names_any = sim.world.records.iter().any(|record| is_there(record) && is_named(record));
    names_any && all_else && never.into_iter().all(is_named)
}

/// Kinds of trouble that were met; those that are in the world as it is are met as soon as anything is asked.
fn met(sim: &Sim) -> BTreeMap<&'static str, u64> {
    let settings = &sim.world.settings;
    let early = sim.world.records.iter().any(|record| settings.is_deleted_early(record));
    let world = [
        ("stale-index", settings.stale),
        ("slow-index", settings.index_step_ms > 0),
        ("clock", settings.skew_ms != 0),
        ("behind", behind::cuts_runs_short(settings)),
        ("clocks-apart", settings.clocks_apart),
        ("lull", settings.lull),
        ("busy", busy::is(settings)),
        ("early-deletion", early),
        ("two-forwarders", sim.world.trouble.second),
        ("limits-fell", settings.earlier_lookback.1 > 0),
        (
            "limits-rose",
            settings.limits_tell && settings.longer_lookback.1 > 0 && sim.world.platform.longest > 0,
        ),
        ("day-without-runs", sim.world.platform.pause.is_some()),
    ];
    sim.world.documents.iter().flat_map(|documents| documents.kinds()).for_each(|kind| sim.met.note(kind));
    world.into_iter().filter(|(_, met)| *met).for_each(|(kind, _)| sim.met.note(kind));
    sim.met.all()
}
