//! `cargo xtask`: a command for each task with this repository.

mod bench;
mod build;
mod check;
mod command;
mod copy;
mod deployers;
mod dist;
mod fuzz;
mod hosts;
mod places;
mod rooms;
mod search_engine;
mod setup;
mod step;
mod stock;
mod wasm;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::places::Places;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  setup            fetch what is missing: Rust targets, musl-gcc, OpenSSL, Go, Node and Python packages, wasmtime
  build            build the component, the static binary, the stock-wasmtime command and the peers of the tests
  test [-- ARGS]   setup, build, and all checks; ARGS go to `cargo test`
  fuzz [--seconds N] [--keep] [TARGET]
                   look for inputs that break a promise, 60 s or N a target; --keep puts those that reach most
                   into fuzz/corpus
  fuzz --add TARGET NAME FILE
                   put the input in FILE into fuzz/corpus, under a name that says what was wrong
  demo [--all] [--keep]
                   setup, build, and show the whole way from a log line to a receiver; --all shows every line,
                   --keep leaves API and receiver up
  hosts            setup, build, and forward the same logs with every host; a table, and whether they agree
  search-engine [LINES] [--picture]
                   build, and try templates, pipelines and panels of the dashboards on a real OpenSearch, with 100000 lines,
                   and on Elasticsearch's server, with 4000; --picture draws docs/dashboard.svg; fetches 130 MB, wants JDK 17
                   and Maven
  bench [--quick] [--long] [ROW]…
                   measure against the forwarder of 2017, Elastic's client and the limits: rows B1 to B13; a quarter of an hour
  bench instructions [--keep]
                   count the instructions of the hot loops, and compare with what is kept
  bench codec [OPTIONS]
                   compare zlib encoders; some minutes; --help lists the options
  dist [--arm64]   setup, build, and put what is handed out into dist/; --arm64 also makes the binary for ARM
  deployers        try the files of deploy/ with the Serverless framework; fetches 260 MB; wants `build` first
  help             show this
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["setup"] => setup(),
        ["build"] => build(),
        ["test"] => test(&[]),
        ["test", "--", rest @ ..] => test(rest),
        ["fuzz", "--add", target, name, file] => {
            Places::find().and_then(|places| fuzz::add(&places, target, name, file))
        }
        ["fuzz", rest @ ..] => fuzz(rest),
        ["demo", rest @ ..] => demo(rest),
        ["hosts"] => hosts(),
        ["search-engine", rest @ ..] => search_engine(rest),
        ["bench", "codec", rest @ ..] => Places::find().and_then(|places| bench::codec(&places, rest)),
        ["dist", rest @ ..] => dist(rest),
        ["deployers"] => Places::find().and_then(|places| deployers::run(&places)),
        ["bench", rest @ ..] => bench(rest),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn setup() -> Result<()> {
    let places = Places::find()?;
    setup::run(&places)?;
    stock::wasmtime(&places)
}

fn build() -> Result<()> {
    build::run(&Places::find()?)
}

fn test(arguments: &[&str]) -> Result<()> {
    let places = Places::find()?;
    setup::run(&places)?;
    stock::wasmtime(&places)?;
    build::run(&places)?;
    command::compile_for_tests(&places)?;
    hosts::build(&places)?;
    check::run(&places, arguments)
}

fn hosts() -> Result<()> {
    let places = Places::find()?;
    setup::run(&places)?;
    stock::wasmtime(&places)?;
    build::run(&places)?;
    hosts::build(&places)?;
    hosts::run(&places)
}

fn search_engine(arguments: &[&str]) -> Result<()> {
    let places = Places::find()?;
    setup::run(&places)?;
    build::run(&places)?;
    search_engine::run(&places, arguments)
}

fn fuzz(arguments: &[&str]) -> Result<()> {
    let request = fuzz::Request::parse(arguments)?;
    match fuzz::run(&Places::find()?, &request)? {
        [_, 0] => Ok(()),
        [_, failed] => bail!("{failed} of the fuzz targets failed"),
    }
}

fn dist(arguments: &[&str]) -> Result<()> {
    let places = Places::find()?;
    setup::run(&places)?;
    dist::run(&places, arguments)
}

fn bench(arguments: &[&str]) -> Result<()> {
    let places = Places::find()?;
    setup::run(&places)?;
    build::run(&places)?;
    bench::all(&places, arguments)
}

fn demo(arguments: &[&str]) -> Result<()> {
    let places = Places::find()?;
    setup::run(&places)?;
    build::run(&places)?;
    places
        .cargo(["run", "--release", "--quiet", "-p", "whiskjack-testbed", "--bin", "demo", "--"])
        .args(arguments)
        .interactive()
        .run()
}
