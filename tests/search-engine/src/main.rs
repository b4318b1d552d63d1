//! `cargo xtask search-engine`: templates, pipelines and dashboards on a real OpenSearch, with documents that the core makes.

#![allow(clippy::indexing_slicing, reason = "not shipped: a panic is how a mistake of ours shows")]

mod engine;
#[allow(clippy::type_complexity, reason = "shared with a package that has other lints")]
#[path = "../../../bench/codec/src/corpus/lines.rs"]
mod lines;
mod logstash;
mod odd;
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

const USAGE: &str = "usage: search-engine CLASSPATH PROGRAM [LINES]";
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
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (classpath, program, lines) = match arguments.as_slice() {
        [classpath, program] => (classpath, program, 100_000),
        [classpath, program, lines] => (classpath, program, lines.parse().context(USAGE)?),
        _ => bail!(USAGE),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let classpath = fs::read_to_string(classpath).with_context(|| format!("cannot read {classpath}"))?;
    let engine = step("start", || {
        let source = root.join("tests/peers/search-engine/SearchEngine.java");
        let engine = Rc::new(Engine::start(classpath.trim(), &source)?);
        let version = &engine.must("GET", "/", None)?["version"];
        Ok((format!("{} {}", version["distribution"], version["number"]), engine))
    })?;
    let trial = Trial { engine, root, program: program.into() };
    step("`whiskjack setup` loads templates and pipeline, and finds them there the second time", || {
        trial.sets_up()
    })?;
    step("what loggers and configurations may say is not refused", || trial.takes_odd_documents())?;
    step("the template of Elasticsearch takes the same, as far as OpenSearch knows its types", || {
        trial.takes_those_of_elasticsearch()
    })?;
    let runs = world::runs(lines / LINES);
    let api = records(&runs);
    step("data streams take the documents of the core", || trial.stores(&runs, &Api::new(&api)))?;
    step("all of it once more changes nothing", || trial.repeats(&runs, &Api::new(&api)))?;
    step("each panel shows what is true", || trial.shows(&runs))?;
    step("by time and sequence, lines are in the order of printing", || trial.orders(&runs))?;
    let few = world::runs(FEW / LINES);
    let of_few = records(&few);
    step("a plain index takes a repeat in place", || trial.replaces(&few, &Api::new(&of_few)))?;
    step("documents of 2017 get the fields of ECS from the ingest pipeline", || {
        trial.converts(&few, &Api::new(&of_few))
    })?;
    step("the dashboard of 2017 shows what is true", || trial.shows_2017(&few, &Api::new(&of_few)))?;
    step("after a rollover a data stream takes a document once more", || trial.rolls_over(&runs))?;
    Ok(())
}

/// Does a step, and says what came of it.
fn step<T>(what: &str, work: impl FnOnce() -> Result<(String, T)>) -> Result<T> {
    let began = Instant::now();
    let (told, done) = work().with_context(|| what.to_owned())?;
    println!("{what}: {told} ({:.1} s)", began.elapsed().as_secs_f64());
    Ok(done)
}

/// The records of a world, newest first.
fn records(runs: &[Run]) -> Records {
    let lines: Vec<Vec<u8>> = runs.iter().rev().map(Run::record).collect();
    Records::new(&lines.join(&b'\n'))
}
