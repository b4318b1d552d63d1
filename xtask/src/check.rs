//! `cargo xtask test`: all checks, the test runners' own summaries last.

use anyhow::Result;

use crate::build::component_cargo;
use crate::places::Places;
use crate::setup::Toolchain;
use crate::step::{Tool, long_step, step};

/// `arguments` go to `cargo test`.
pub(crate) fn run(places: &Places, arguments: &[&str]) -> Result<()> {
    step("checking the format", || places.cargo(["fmt", "--all", "--check"]).run())?;
    long_step("linting", || {
        places.cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).run()
    })?;
    component(places)?;
    dependencies(places)?;
    places.cargo(["test", "--workspace"]).args(arguments).run()
}

fn component(places: &Places) -> Result<()> {
    if Toolchain::remembered(places) == Toolchain::Debian {
        println!("Debian's Rust has no clippy for the component's target: it is not linted there");
        return Ok(());
    }
    long_step("linting the component", || {
        component_cargo(places, "clippy").args(["--", "-D", "warnings"]).run()
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
