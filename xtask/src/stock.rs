//! The stock `wasmtime` command, for the tests that run in it: from crates.io, built once and kept outside the checkout.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::places::Places;
use crate::step::{Tool, long_step};

/// What the tests use. All that the command has takes three times as long to build.
const FEATURES: &str = "run,cranelift,component-model,wasi-http,wasi-tls,parallel-compilation";

/// Quick to build, and quick enough: it compiles the component in two seconds. Without optimisation that takes half a minute.
const PROFILE: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_STRIP", "symbols"),
];

/// Sees to it that `wasmtime` is among the artifacts: a link to one on the `PATH` that has the release this workspace uses, else to one of
/// our own in the cache of the user.
pub(crate) fn wasmtime(places: &Places) -> Result<()> {
    let version = version(&places.root)?;
    let program = match on_path(&version) {
        Some(program) => program,
        None => own(places, &version)?,
    };
    let link = places.artifact("wasmtime");
    if fs::read_link(&link).is_ok_and(|to| to == program) {
        return Ok(());
    }
    let _ = fs::remove_file(&link);
    symlink(&program, &link).with_context(|| format!("cannot write {}", link.display()))
}

/// The release of wasmtime in the workspace's lock file.
fn version(root: &Path) -> Result<String> {
    let lock = fs::read_to_string(root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let after = lock.split_once("name = \"wasmtime\"\nversion = \"").context("Cargo.lock has no wasmtime")?.1;
    Ok(after.split('"').next().unwrap_or_default().to_owned())
}

fn on_path(version: &str) -> Option<PathBuf> {
    let said = Tool::new("wasmtime").args(["--version"]).answer()?;
    let same = said.split_whitespace().nth(1) == Some(version);
    let path = env::var_os("PATH").filter(|_| same)?;
    env::split_paths(&path).map(|directory| directory.join("wasmtime")).find(|program| program.is_file())
}

fn own(places: &Places, version: &str) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    (FEATURES, PROFILE).hash(&mut hasher);
    let root = cache()?.join(format!("wasmtime-{version}-{:016x}", hasher.finish()));
    let program = root.join("bin/wasmtime");
    if program.is_file() {
        return Ok(program);
    }
    let target = places.target.join("wasmtime");
    long_step("building wasmtime for the tests, once", || {
        let install = Tool::new("cargo")
            .args(["install", "--locked", "--quiet", "wasmtime-cli", "--version", version])
            .args(["--no-default-features", "--features", FEATURES, "--root"])
            .args([&root])
            .env("CARGO_TARGET_DIR", &target);
        PROFILE.iter().fold(install, |install, (name, value)| install.env(name, value)).run()
    })?;
    // Only the program is needed again, and a gigabyte is a lot.
    let _ = fs::remove_dir_all(&target);
    Ok(program)
}

fn cache() -> Result<PathBuf> {
    let of_user = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let of_home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = of_user.or_else(of_home).context("neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(cache.join("whiskjack"))
}
