//! Runs the forwarder in a world: in time, late, twice at once, killed, in one piece or in slices on several workers.

use super::behind;
use super::between::{self, Configured};
use super::containers::Containers;
use super::demand::{self, Demands};
use super::endless;
use super::index::Index;
use super::oracle::{self, Verdict};
use super::package::{Package, Packages, foreign};
use super::ports::{Fate, Killed, RunPorts, Side, Sim};
use super::random::Random;
use super::receiver::Arrived;
use super::record::Record;
use super::settings::Store;
use super::store::Kept;
use super::trouble::Met;
use super::world::World;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use whiskjack::config::Config;
use whiskjack::handover;
use whiskjack::run::forward::{Outcome, Worker};
use whiskjack::run::plan::{self, CheckpointKeeper, Context, Counted, OwnAction, Plan, PlanError, Slice};
use whiskjack::run::report::{self, Report};
use whiskjack::run::store::STATE;

const MINUTE: u64 = 60_000;
/// Clean runs after the world is quiet: until two in a row had nothing left, at most so many. Two suffice unless a backlog or small pages
/// need more than the time of one run.
const MOST_CLEAN_RUNS: u64 = 40;
/// Package of the forwarder's checkpoint.
const PACKAGE: &str = "whiskjack.fwd";
/// Most runs inside of one another.
const DEEPEST: u32 = 2;
/// Tells the chance of the platform from others of the same seed.
const PLATFORM: u64 = 0x706c_6174_666f_726d;

/// Simulates the world of a seed from its begin to two clean runs after its end.
pub fn simulate(seed: u64, trace: bool) -> Verdict {
    let random = Random::new(seed);
    let luck = Random::new(!seed);
    let world = World::new(&random, &luck, &Random::new(seed ^ PLATFORM));
    let sim = begin(world, seed, [random, luck], trace);
    sim.trace(|| {
        format!("seed {seed}: {:#?} {:#?} {:#?}", sim.world.settings, sim.world.trouble, sim.world.platform)
    });
    remember_2017(&sim);
    share_package(&sim);
    live(&sim);
    between::set_back(&sim);
    let settled = settle(&sim);
    let mut verdict = oracle::judge(&sim, settled);
    if sim.swap() {
        let second = oracle::judge(&sim, settled);
        verdict.add(second);
    }
    verdict
}

fn begin(world: World, seed: u64, [random, luck]: [Random; 2], trace: bool) -> Rc<Sim> {
    let settings = &world.settings;
    let begin = settings.begin;
    let own_name = if world.trouble.second { "fw/d" } else { "fwd" };
    let other = world.trouble.second.then(|| Side {
        own_name: "fw.d",
        receiver: "second",
        kept: Kept::default(),
        own: Vec::new(),
        containers: Containers::new(!seed),
        arrived: Arrived::in_world(&world),
        demands: Demands::default(),
    });
    let arrived = Arrived::in_world(&world);
    Rc::new(Sim {
        config: RefCell::new(Configured::new(settings)),
        wanted: RefCell::new(settings.chosen.iter().copied().collect()),
        world,
        random,
        luck,
        met: Met::default(),
        packages: RefCell::default(),
        large: RefCell::default(),
        busy_until: Cell::new(0),
        began: Cell::new(begin),
        newer: RefCell::default(),
        own_name: Cell::new(own_name),
        receiver: Cell::new("logstash"),
        other: RefCell::new(other),
        demands: RefCell::default(),
        now: Cell::new(begin),
        quiet: Cell::new(false),
        kept: RefCell::default(),
        named: RefCell::default(),
        index: Index::new(begin),
        index_of_all: Index::new(begin),
        own: RefCell::default(),
        containers: RefCell::new(Containers::new(seed)),
        arrived: RefCell::new(arrived),
        runs: Cell::new(0),
        overruns: Cell::new(0),
        cut_short: Cell::new(false),
        untrue: RefCell::default(),
        rested: Cell::new(false),
        trace,
    })
}

/// What had come of the runs so far when one was over.
#[derive(Debug)]
pub struct Ended {
    /// Lines that have arrived.
    pub lines: usize,
    /// How many of them came again.
    pub repeated: usize,
    /// Whether the run left nothing.
    pub complete: bool,
}

/// Runs in `world`, where nothing goes wrong, at these times.
pub fn runs_at(world: World, times: &[u64]) -> Vec<Ended> {
    let luck = [Random::new(7), Random::new(8)];
    let sim = begin(world, 7, luck, std::env::var_os("WHISKJACK_TRACE").is_some());
    sim.quiet.set(true);
    let run_at = |time: &u64| {
        sim.now.set(*time);
        let complete = run(&sim, 0);
        let arrived = sim.arrived.borrow();
        let times = || arrived.lines.values().flatten().copied();
        let lines = times().filter(|times| *times > 0).count();
        Ended { lines, repeated: times().sum::<u32>() as usize - lines, complete }
    };
    times.iter().map(run_at).collect()
}

/// The package is there before the first run, with what somebody else wrote. Its name is the one that a forwarder of this name has.
fn share_package(sim: &Rc<Sim>) {
    if sim.world.settings.shared_package {
        let package = Package { annotations: vec![foreign()], version: 0 };
        let by_name = [(PACKAGE.to_owned(), package)].into();
        *sim.packages.borrow_mut() = Packages { by_name, ..Packages::default() };
    }
}

/// What the forwarder of 2017 left behind: in the log of each of its runs how far it came.
fn remember_2017(sim: &Sim) {
    let settings = &sim.world.settings;
    for (runs_ago, less) in [(3, 60_000), (2, 5_000), (1, 0)] {
        let log: Vec<String> =
            settings.marks.iter().map(|(name, ms)| format!("LAST_ACTIVATION {name} {}", ms - less)).collect();
        if !log.is_empty() {
            let start = settings.begin - runs_ago * 300;
            let times = (start, start + 9, start + 9);
            let record = Record::of_forwarder(sim.random.id(), times, sim.own_name.get(), json!({}), &log);
            sim.own.borrow_mut().push(record);
        }
    }
}

/// Runs by the clock, as far as they take place.
fn live(sim: &Rc<Sim>) {
    let settings = &sim.world.settings;
    let mut tick = settings.begin;
    let mut due = sim.world.trouble.events.clone();
    while tick < settings.end {
        tick += settings.interval_ms;
        tick = sim.world.platform.paused(tick).unwrap_or(tick);
        if sim.random.chance(settings.missing) {
            // Sometimes for hours.
            tick += sim.random.heavy(1, 240) / 2 * settings.interval_ms;
            sim.met.note("missed-run");
            continue;
        }
        sim.now.set(sim.now.get().max(tick));
        between::between(sim, &mut due);
        turn(sim);
    }
}

/// Lets everything become visible, some time pass, and clean runs follow. Says whether they came to rest. Where records are deleted early,
/// equal counts may hide others until the look-back is compared: so there is one more run, when it is time for that.
fn settle(sim: &Rc<Sim>) -> bool {
    sim.quiet.set(true);
    let pause = sim.random.pick(&[1_000, MINUTE, MINUTE, 10 * MINUTE, 120 * MINUTE]);
    sim.now.set(sim.now.get().max(sim.world.all_visible()) + pause);
    sim.trace(|| "now everything is quiet".into());
    let mut at_rest = 0;
    let most = behind::most_clean_runs(&sim.world.settings, MOST_CLEAN_RUNS);
    for _ in 0..most {
        at_rest = if turn(sim) { at_rest + 1 } else { 0 };
        let early = sim.world.deletes_early();
        // The first of them may not have seen what became visible last.
        let never_current = sim.world.settings.stale && sim.world.settings.index_step_ms > 0;
        if at_rest == if early { 3 } else { 2 } + u32::from(never_current) {
            return true;
        }
        // What the index does not show yet, nobody can know of.
        let behind = 2 * sim.world.settings.index_step_ms;
        sim.pass(if early && at_rest == 2 {
            demand::COMPARING_MS
        } else {
            sim.world.settings.interval_ms.max(behind)
        });
    }
    false
}

/// A run of each forwarder. Says whether they left nothing that can be had.
fn turn(sim: &Rc<Sim>) -> bool {
    let mut nothing_left = run(sim, 0);
    if sim.swap() {
        nothing_left &= run(sim, 0);
        sim.swap();
    }
    nothing_left
}

/// Another run, in the middle of a call of the first.
pub fn run_inside(sim: &Rc<Sim>, depth: u32) {
    run(sim, depth);
}

/// One run, whatever becomes of it. Says whether it left nothing.
fn run(sim: &Rc<Sim>, depth: u32) -> bool {
    sim.runs.set(sim.runs.get() + 1);
    let fate = fate(sim, depth);
    let began = sim.now.get();
    let outer = sim.began.replace(began);
    sim.trace(|| format!("a run begins: {fate:?}"));
    let own = sim.random.id();
    let ended = catch_unwind(AssertUnwindSafe(|| attempt(sim, fate, own)));
    record(sim, (own, began), fate, ended.as_ref().ok());
    let complete = match ended {
        Ok(ended) => {
            sim.trace(|| {
                format!(
                    "the run ends: {}",
                    ended.as_ref().map_or_else(|e| e.to_string(), |r| text(&r.result))
                )
            });
            over(sim, began, &ended, fate)
        }
        Err(payload) if payload.is::<Killed>() => {
            sim.named.borrow_mut().clear();
            note(sim, between::check_newer(sim, None, true));
            false
        }
        Err(payload) => resume_unwind(payload),
    };
    sim.trace(|| "the run is over".into());
    if depth > 0 {
        sim.began.set(outer);
    }
    sim.untrue.borrow_mut().extend(oracle::untrue_digests(sim));
    complete
}

/// A run has come to its end. Says whether it left nothing that can be had.
fn over(sim: &Rc<Sim>, began: u64, ended: &Result<Report, PlanError>, fate: Fate) -> bool {
    let report = match ended {
        Ok(report) => report,
        Err(error) => {
            sim.named.borrow_mut().clear();
            note(sim, between::check_newer(sim, Some(&error.to_string()), false));
            return false;
        }
    };
    let result: Value = serde_json::from_slice(&report.result).expect("a result is JSON");
    let error = result["error"].as_str().or(result["skipped"].as_str());
    if result["skipped"].as_str().is_some_and(|reason| reason.contains("stands back")) {
        sim.met.note("stood-back");
    }
    let rested = result["checkpoint"] == "unchanged" && error.is_none();
    if rested {
        sim.met.note("rested");
    }
    sim.rested.set(rested);
    note(sim, between::check_newer(sim, error, false));
    behind::note(sim, &result);
    demand::saved(sim, began, &result);
    note(sim, demand::rightly_refused(sim, &result));
    let alone = fate.depth == 0 && fate.overlap.is_none() && !sim.world.trouble.second;
    let told = alone && result.get("skipped").is_none() && demand::went_on_from_the_last(sim, began);
    note(sim, oracle::given_up(sim, &result, told));
    // Where another run did part of it, nothing can be said of one.
    if report.complete && fate.depth == 0 && fate.overlap.is_none() {
        note(sim, oracle::rightly_complete(sim, began));
    }
    report.complete || sim.quiet.get() && oracle::rightly_incomplete(sim, &result)
}

fn note(sim: &Sim, complaint: Option<String>) {
    if let Some(complaint) = complaint {
        sim.trace(|| format!("complaint: {complaint}"));
        sim.untrue.borrow_mut().push(complaint);
    }
}

/// The platform keeps a record of the run, as of any other: at once if nothing goes wrong.
fn record(sim: &Sim, (id, began): (u128, u64), fate: Fate, ended: Option<&Result<Report, PlanError>>) {
    let (result, log) = match ended {
        Some(Ok(report)) => {
            (serde_json::from_slice(&report.result).expect("a result is JSON"), report.log.clone())
        }
        Some(Err(error)) => (json!({"error": error.to_string()}), Vec::new()),
        None if sim.now.get() >= began + fate.time_ms => (json!({"error": behind::TIMED_OUT}), Vec::new()),
        None => (json!({"error": behind::DIED}), Vec::new()),
    };
    if let Some(state) = result.get(STATE) {
        sim.kept.borrow_mut().take(state.to_string().as_bytes());
        demand::stored(sim);
    }
    let settings = &sim.world.settings;
    let late = if settings.clean || sim.quiet.get() { 0 } else { sim.random.heavy(300, 3 * MINUTE) };
    let end = sim.now.get();
    let times = (began, end, end + late);
    let record = Record::of_forwarder(id, times, sim.own_name.get(), result, &log);
    sim.own.borrow_mut().push(record);
}

fn fate(sim: &Sim, depth: u32) -> Fate {
    let settings = &sim.world.settings;
    let random = &sim.random;
    let time_ms = endless::time_ms(sim, settings.limit_ms);
    if sim.quiet.get() {
        return Fate { time_ms, kill: None, overlap: None, depth };
    }
    let hurried = random.chance(settings.hurried);
    if hurried {
        sim.met.note("hurried");
    }
    Fate {
        time_ms: endless::time_ms(sim, if hurried { random.between(300, 8_000) } else { time_ms }),
        kill: random.chance(settings.kills).then(|| (random.heavy(12, 2_000) + 1, random.chance(500))),
        overlap: (depth < DEEPEST && random.chance(settings.overlaps)).then(|| random.heavy(12, 500) + 1),
        depth,
    }
}

/// `own` is the run's activation.
fn attempt(sim: &Rc<Sim>, fate: Fate, own: u128) -> Result<Report, PlanError> {
    let ports = RunPorts::new(sim, fate);
    let keeper = match sim.config.borrow().store {
        Store::Host => CheckpointKeeper::Host(sim.kept.borrow().host.clone()),
        _ => CheckpointKeeper::Platform,
    };
    let context = Context {
        api_host: Some("https://api".into()),
        authorized: true,
        own_action: Some(OwnAction {
            name: format!("/guest/{}", sim.own_name.get()),
            activation: Some(format!("{own:032x}")),
        }),
        deadline_ms: endless::deadline(sim, ports.deadline()),
        keeper,
        memory: sim.containers.borrow().take(sim),
    };
    let (config, _) = plan::configure(&params(sim), &context).expect("sound parameters");
    let mut report = match sim.random.chance(600) && sim.world.settings.few_ids.is_none() {
        true => whiskjack::run::run(&config, &context, ports.ports()),
        false => by_hand(&config, &context, &ports),
    }?;
    sim.containers.borrow().put(sim, report.memory.take());
    keep(sim, &report);
    Ok(report)
}

/// As a host does that spreads the work: slices in any order on several workers, everything handed over as bytes.
fn by_hand(config: &Config, context: &Context, ports: &Rc<RunPorts>) -> Result<Report, PlanError> {
    let sim = &ports.sim;
    let random = &sim.random;
    let mut plan = handed_over(&plan::plan(config, context, ports.ports())?);
    plan.most_ids = sim.world.settings.few_ids.unwrap_or(plan.most_ids);
    if plan.feet.values().any(|foot| foot.late > 0) {
        sim.met.note("near");
    }
    if random.chance(500) {
        cut(&mut plan, random);
    }
    let mut queue: Vec<Slice> = plan.slices();
    let mut workers: Vec<Worker> = (0..random.between(1, 4)).map(|_| Worker::default()).collect();
    let mut outcomes: Vec<Outcome> = Vec::new();
    while !queue.is_empty() && sim.now.get().saturating_add_signed(sim.world.settings.skew_ms) < plan.stop_ms
    {
        let slice = handed_over(&queue.swap_remove(random.below(queue.len() as u64) as usize));
        let worker = random.below(workers.len() as u64) as usize;
        let mut outcome = handed_over(&workers[worker].forward(ports.ports(), &plan, &slice));
        if random.chance(sim.world.settings.kills / 10) && !sim.quiet.get() {
            sim.trace(|| "a worker dies with its outcome".into());
            workers[worker] = Worker::default();
            continue;
        }
        queue.extend(outcome.rest.take());
        outcomes.push(outcome);
        if random.chance(200) {
            keep(sim, &report::conclude(ports.ports(), &plan, &outcomes, false));
        }
    }
    Ok(report::conclude(ports.ports(), &plan, &outcomes, true))
}

/// Cuts what is new into pieces, as is done where there is much of it. What stays whole keeps its count.
fn cut(plan: &mut Plan, random: &Random) {
    for ranges in plan.counted.values_mut() {
        let pieces = |whole: &Counted| match whole.range.cut(random.between(1, 4)).as_slice() {
            [_] => vec![*whole],
            several => {
                several.iter().map(|range| Counted { range: *range, count: None, counted_ms: 0 }).collect()
            }
        };
        *ranges = ranges.iter().flat_map(pieces).collect();
    }
}

fn keep(sim: &Sim, report: &Report) {
    if let Some(checkpoint) = &report.checkpoint {
        sim.kept.borrow_mut().hand(checkpoint.clone());
        demand::stored(sim);
    }
}

fn params(sim: &Sim) -> Vec<u8> {
    let settings = &sim.world.settings;
    let config = sim.config.borrow();
    let store = match config.store {
        Store::Host => "host",
        Store::Activation => "activation",
        Store::Package | Store::Refused => "package",
    };
    let mut params = json!({"actions": config.actions, "logstash": {"host": sim.receiver.get(), "port": 5044, "worker": sim.random.between(1, 4)},
        "checkpoint": {"store": store}, "logs": config.logs_parameter});
    if !settings.limits_tell {
        params["lookback_minutes"] = (sim.lookback_ms() / MINUTE).into();
    }
    if let Some(from) = settings.from {
        params["from"] = from.into();
        params["on_missing_state"] = "from".into();
    }
    if let Some(documents) = &sim.world.documents {
        params.as_object_mut().unwrap().extend(documents.params(sim.now.get()).as_object().unwrap().clone());
    }
    params.to_string().into_bytes()
}

fn handed_over<T: Serialize + DeserializeOwned>(value: &T) -> T {
    handover::read(&handover::write(value)).expect("what was written can be read")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
