//! `bench [--quick] [--long] [ROW]…`: measures the rows and keeps the results.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use whiskjack_bench::report::Report;
use whiskjack_bench::rows::{self, Effort};
use whiskjack_bench::{instructions, versions};

const USAGE: &str = "\
usage: cargo xtask bench [--quick] [--long] [ROW]…
       cargo xtask bench instructions [--keep]

  ROW       B1 to B13; all of them if none is given
  --quick   fewer repetitions; the figures are printed and not kept
  --long    also what takes ten minutes and more: ten million lines for B6
  --keep    the counts of instructions become those that later ones are compared with
";

/// Around the table in `docs/numbers.md`.
const BEGIN: &str = "<!-- bench: checked by tests/docs/readme.rs -->\n";
const END: &str = "<!-- /bench -->\n";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["instructions"] => return instructions::run(false),
        ["instructions", "--keep"] => return instructions::run(true),
        _ => {}
    }
    let (chosen, effort) = options(arguments)?;
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let mut report = kept(&results)?;
    report.rows.retain(|row| rows::ALL.iter().any(|(id, ..)| row.id == *id));
    for (id, what, measure) in rows::ALL {
        if !chosen.is_empty() && !chosen.iter().any(|name| name.eq_ignore_ascii_case(id)) {
            continue;
        }
        eprint!("{id} {what} … ");
        let began = Instant::now();
        let row = rows::measured(id, what, measure, effort);
        eprintln!("{:.0} s", began.elapsed().as_secs_f64());
        report.put(row);
        report.versions = versions::all();
        report.world = versions::world()?;
        if !effort.quick {
            keep(&results, &report)?;
        }
    }
    print!("{}", report.markdown());
    println!("met={}/{}", report.met(), rows::COUNT);
    Ok(())
}

fn options(arguments: Vec<String>) -> Result<(Vec<String>, Effort)> {
    let (mut chosen, mut effort) = (Vec::new(), Effort { quick: false, long: false });
    for argument in arguments {
        match argument.as_str() {
            "--quick" => effort.quick = true,
            "--long" => effort.long = true,
            "--help" => {
                print!("{USAGE}");
                std::process::exit(0);
            }
            name if rows::ALL.iter().any(|(id, ..)| name.eq_ignore_ascii_case(id)) => chosen.push(argument),
            other => bail!("{other}: no such row or option\n{USAGE}"),
        }
    }
    Ok((chosen, effort))
}

fn files(results: &Path) -> [PathBuf; 2] {
    ["latest.json", "latest.md"].map(|name| results.join(name))
}

fn kept(results: &Path) -> Result<Report> {
    let [json, _] = files(results);
    match fs::read(&json) {
        Ok(text) => serde_json::from_slice(&text).with_context(|| format!("cannot read {}", json.display())),
        Err(_) => Ok(Report::default()),
    }
}

/// After each row: what was seen stays, whatever comes next.
fn keep(results: &Path, report: &Report) -> Result<()> {
    let ([json, markdown], table) = (files(results), report.markdown());
    fs::write(json, serde_json::to_string_pretty(report)? + "\n")?;
    fs::write(markdown, &table)?;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/numbers.md");
    let text = fs::read_to_string(&page)?;
    let (before, rest) = text.split_once(BEGIN).context("docs/numbers.md has no place for the table")?;
    let (_, after) = rest.split_once(END).context("the place for the table in docs/numbers.md has no end")?;
    Ok(fs::write(page, format!("{before}{BEGIN}{table}{END}{after}"))?)
}
