//! `cargo xtask test`: all checks, the test runners' own summaries last.

use anyhow::{Result, bail};

use crate::fuzz;
use crate::places::Places;
use crate::rooms;
use crate::setup::Toolchain;
use crate::step::{Tool, long_step, step};
use crate::wasm::{component_cargo, wasm_cargo};

/// `arguments` go to `cargo test`.
pub(crate) fn run(places: &Places, arguments: &[&str]) -> Result<()> {
    step("checking the format", || places.cargo(["fmt", "--all", "--check"]).run())?;
    step("checking which modules import which", || rooms::check(&places.root))?;
    long_step("linting", || {
        places
            .cargo([
                "clippy",
                "--workspace",
                "--all-targets",
                "--features",
                "whiskjack/deployers",
                "--",
                "-D",
                "warnings",
            ])
            .run()
    })?;
    component(places)?;
    dependencies(places)?;
    let fuzzed = fuzz::run(places, &fuzz::Request::SHORT)?;
    tests(places, arguments, fuzzed)
}

/// Runs the tests, and adds up what the runners say: there are two dozen of them. To that comes how many fuzz targets held and failed.
fn tests(places: &Places, arguments: &[&str], [held, broken]: [u64; 2]) -> Result<()> {
    let mut sum = [held, broken, 0];
    let run = places.cargo(["test", "--workspace"]).args(arguments).run_watching(|line| {
        for (sum, count) in sum.iter_mut().zip(counts(line)) {
            *sum += count;
        }
    });
    let [passed, failed, skipped] = sum;
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if broken > 0 {
        bail!("{broken} of the fuzz targets failed");
    }
    run
}

/// Passed, failed and ignored tests of a runner's last line: `test result: ok. 12 passed; 0 failed; 0 ignored; …`.
fn counts(line: &str) -> [u64; 3] {
    let Some(counts) = line.strip_prefix("test result: ") else { return [0; 3] };
    ["passed", "failed", "ignored"].map(|what| {
        let part = counts.split(['.', ';']).find_map(|part| part.trim().strip_suffix(what));
        part.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
    })
}

fn component(places: &Places) -> Result<()> {
    if Toolchain::remembered(places) == Toolchain::Debian {
        println!("Debian's Rust has no clippy for the component's target: it is not linted there");
        return Ok(());
    }
    long_step("linting the components", || {
        component_cargo(places, "clippy").args(["--", "-D", "warnings"]).run()?;
        wasm_cargo(places, "clippy")
            .args(["-p", "whiskjack-command", "-p", "whiskjack-transport", "--", "-D", "warnings"])
            .run()
    })
}

fn dependencies(places: &Places) -> Result<()> {
    let deny = |arguments: &[&str]| places.cargo(["deny", "--workspace"]).args(arguments);
    if Tool::new("cargo").args(["deny", "--version"]).answer().is_none() {
        println!("cargo-deny is not installed: licenses and advisories of the dependencies are not checked");
        return Ok(());
    }
    step("checking the dependencies' licenses", || deny(&["check", "licenses"]).run_silently())?;
    if deny(&["fetch", "db"]).answer().is_none() {
        println!("the advisory database cannot be reached: advisories are not checked");
        return Ok(());
    }
    step("checking the dependencies' advisories", || deny(&["check", "advisories"]).run_silently())
}

#[cfg(test)]
mod tests {
    use super::counts;

    #[test]
    fn a_runners_last_line_is_counted_and_no_other() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.50s";
        assert_eq!(counts(line), [12, 3, 1]);
        assert_eq!(counts("test results_may_be_arrays ... ok"), [0; 3]);
    }
}
