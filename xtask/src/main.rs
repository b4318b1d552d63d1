//! `cargo xtask`: everything that is done with this repository, one command each.

mod bench;
mod build;
mod check;
mod copy;
mod fuzz;
mod places;
mod setup;
mod step;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::places::Places;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  setup            fetch what is missing: Rust targets, musl-gcc, Go, Node and Python packages
  build            build the component, the static binary and the peers of the tests
  test [-- ARGS]   setup, build, and all checks; ARGS go to `cargo test`
  fuzz [--seconds N] [--keep] [TARGET]
                   look for inputs that break a promise, 60 s or N a target; --keep puts those that reach most
                   into fuzz/corpus
  demo [--all] [--keep]
                   setup, build, and show the whole way from a log line to a receiver; --all shows every line,
                   --keep leaves API and receiver up
  bench [--quick] [--long] [ROW]…
                   measure against the forwarder of 2017, Elastic's client and the limits: rows B1 to B9; half an hour
  bench instructions [--keep]
                   count the instructions of the hot loops, and compare with what is kept
  bench codec [OPTIONS]
                   compare zlib encoders; some minutes; --help lists the options
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
        ["fuzz", rest @ ..] => fuzz(rest),
        ["demo", rest @ ..] => demo(rest),
        ["bench", "codec", rest @ ..] => Places::find().and_then(|places| bench::codec(&places, rest)),
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
    setup::run(&Places::find()?)
}

fn build() -> Result<()> {
    build::run(&Places::find()?)
}

fn test(arguments: &[&str]) -> Result<()> {
    let places = Places::find()?;
    setup::run(&places)?;
    build::run(&places)?;
    check::run(&places, arguments)
}

fn fuzz(arguments: &[&str]) -> Result<()> {
    let request = fuzz::Request::parse(arguments)?;
    match fuzz::run(&Places::find()?, &request)? {
        [_, 0] => Ok(()),
        [_, failed] => bail!("{failed} of the fuzz targets failed"),
    }
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
