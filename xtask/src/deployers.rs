//! `cargo xtask deployers`: tries the files of `deploy/` with other people's programs. It is not part of `test`, as these programs are 260
//! MB of Node packages.

use std::fs;

use anyhow::{Context, Result};

use crate::copy::copy_if_changed;
use crate::places::Places;
use crate::step::{Tool, step};

pub(crate) fn run(places: &Places) -> Result<()> {
    let (from, to) = (places.root.join("tests/deployers"), places.artifact("deployers"));
    fs::create_dir_all(&to).with_context(|| format!("cannot create {}", to.display()))?;
    for name in ["package.json", "package-lock.json"] {
        copy_if_changed(&from.join(name), &to.join(name))?;
    }
    step("installing the deployers", || {
        Tool::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).at(&to).run_silently()
    })?;
    places.cargo(["test", "-p", "whiskjack", "--features", "deployers", "--test", "e2e", "deployers::"]).run()
}
