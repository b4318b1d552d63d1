//! `cargo xtask search-engine`: templates, pipelines and dashboards on a real OpenSearch, and on Elasticsearch's server without its modules,
//! with documents that the core makes.

#![allow(clippy::indexing_slicing, reason = "not shipped: a panic is how a mistake of ours shows")]

mod engine;
#[allow(clippy::type_complexity, reason = "shared with a package that has other lints")]
#[path = "../../../bench/codec/src/corpus/lines.rs"]
mod lines;
mod logstash;
mod odd;
mod picture;
mod trial;
mod truth;
mod world;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use whiskjack_bench_guest::Records;
use whiskjack_bench_guest::memory::Api;

use crate::engine::Engine;
use crate::trial::Trial;
use crate::world::{LINES, Run};

const USAGE: &str = "usage: search-engine OPENSEARCH ELASTICSEARCH PROGRAM [LINES] [--picture FILE]";
/// Lines of the smaller trials.
const FEW: usize = 4_000;

fn main() -> ExitCode {
    match tried() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn tried() -> Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let picture = match arguments.iter().position(|argument| argument == "--picture") {
        Some(at) => arguments.drain(at..).nth(1).context(USAGE).map(Some)?,
        None => None,
    };
    let (opensearch, elasticsearch, program, lines) = match arguments.as_slice() {
        [opensearch, elasticsearch, program] => (opensearch, elasticsearch, program, 100_000),
        [opensearch, elasticsearch, program, lines] => {
            (opensearch, elasticsearch, program, lines.parse().context(USAGE)?)
        }
        _ => bail!(USAGE),
    };
    let few = World::new(FEW);

    let trial = started(elasticsearch, "elasticsearch/Elasticsearch.java", program)?;
    common(&trial, &few, &few)?;
    step("what is wrong in templates and policies is refused", || trial.refuses_mistakes())?;
    last(&trial, &few)?;
    drop(trial);

    let trial = started(opensearch, "search-engine/SearchEngine.java", program)?;
    let world = World::new(lines);
    common(&trial, &world, &few)?;
    if let Some(file) = picture {
        step("a picture of the dashboard", || trial.draws(Path::new(&file)))?;
    }
    step("documents of 2017 get the fields of ECS from the ingest pipeline", || {
        trial.converts(&few.runs, &few.api())
    })?;
    last(&trial, &world)?;
    step("`whiskjack setup` tells which data streams have old fields", || trial.tells_of_old_fields())
}

/// Starts an engine: its class path's file, its program, and `whiskjack`.
fn started(classpath: &str, source: &str, program: &str) -> Result<Trial> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let classpath = fs::read_to_string(classpath).with_context(|| format!("cannot read {classpath}"))?;
    let engine = step("start", || {
        let engine = Rc::new(Engine::start(classpath.trim(), &root.join("tests/peers").join(source))?);
        let version = &engine.must("GET", "/", None)?["version"];
        let name = version["distribution"].as_str().unwrap_or("elasticsearch");
        Ok((format!("{name} {}", version["number"].as_str().unwrap_or_default()), engine))
    })?;
    Ok(Trial { engine, root, program: program.into() })
}

/// What both engines do.
fn common(trial: &Trial, world: &World, few: &World) -> Result<()> {
    step("`whiskjack setup` loads templates and pipeline, and finds them there the second time", || {
        trial.sets_up()
    })?;
    step("data streams take the documents of the core", || trial.stores(&world.runs, &world.api()))?;
    step("all of it once more changes nothing", || trial.repeats(&world.runs, &world.api()))?;
    step("each panel shows what is true", || trial.shows(&world.runs))?;
    step("by time and sequence, lines are in the order of printing", || trial.orders(&world.runs))?;
    step("a plain index takes a repeat in place", || trial.replaces(&few.runs, &few.api()))?;
    step("the dashboard of 2017 shows what is true", || trial.shows_2017(&few.runs, &few.api()))
}

/// What both do at last, as it leaves documents that are not of the world.
fn last(trial: &Trial, world: &World) -> Result<()> {
    step("after a rollover a data stream takes a document once more", || trial.rolls_over(&world.runs))?;
    step("what loggers and configurations may say is not refused", || trial.takes_odd_documents())
}

/// Activations, and the API's records of them.
struct World {
    runs: Vec<Run>,
    records: Records,
}

impl World {
    /// With so many lines.
    fn new(lines: usize) -> Self {
        let runs = world::runs(lines / LINES);
        let newest_first: Vec<Vec<u8>> = runs.iter().rev().map(Run::record).collect();
        Self { runs, records: Records::new(&newest_first.join(&b'\n')) }
    }

    fn api(&self) -> Api<'_> {
        Api::new(&self.records)
    }
}

/// Does a step, and says what came of it.
fn step<T>(what: &str, work: impl FnOnce() -> Result<(String, T)>) -> Result<T> {
    let began = Instant::now();
    let (told, done) = work().with_context(|| what.to_owned())?;
    println!("{what}: {told} ({:.1} s)", began.elapsed().as_secs_f64());
    Ok(done)
}
