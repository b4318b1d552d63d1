//! `cargo xtask dist`: the release files, in `dist/`.
//!
//! | file | contents |
//! |---|---|
//! | `whiskjack-action.zip` | the action's code for OpenWhisk's images |
//! | `whiskjack` | the binary itself: the command, and the program for the image of `deploy/Dockerfile` |
//! | `whiskjack.wasm` | the component |
//! | `whiskjack-command.wasm` | the component as a command for a stock host |
//! | `whiskjack.schema.json` | JSON Schema of the configuration, for editors |
//! | `man/`, `completions/` | manual pages; completions for shells |
//! | `whiskjack.cdx.json` | bill of materials, in CycloneDX |
//! | `SHA256SUMS` | checks them: `sha256sum -c SHA256SUMS` |
//!
//! With `--arm64` the binary and the action's code are there for ARM too.

mod archive;
mod sbom;

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::sbom::Part;
use crate::build;
use crate::places::{ARM64_TARGET, Places, WASM_TARGET, static_target};
use crate::setup;
use crate::step::{Tool, step};

const SUMS: &str = "SHA256SUMS";
const SBOM: &str = "whiskjack.cdx.json";
/// A test keeps it in step with the keys (`tests/docs/schema`).
const SCHEMA: &str = "whiskjack.schema.json";
/// What a test of the host makes from the arguments: from where, to which folder, and what.
const MADE: [(&str, &str, &str); 2] = [
    ("host-shim/made/man", "man", "manual page"),
    ("host-shim/made", "completions", "completions for a shell"),
];

/// A file that is copied as it was built. Those that a build need not make are left out where it did not.
struct Copied {
    name: &'static str,
    what: &'static str,
    always: bool,
    /// What it is linked or composed from, and for which target.
    packages: &'static [&'static str],
    target: fn() -> String,
}

const COPIED: [Copied; 3] = [
    Copied {
        name: "whiskjack",
        what: "command, and an image's entry point",
        always: true,
        packages: &["whiskjack-host"],
        target: static_target,
    },
    Copied {
        name: "whiskjack.wasm",
        what: "component",
        always: true,
        packages: &["whiskjack"],
        target: wasm_target,
    },
    Copied {
        name: "whiskjack-command.wasm",
        what: "command for a stock WebAssembly host",
        always: false,
        packages: &["whiskjack", "whiskjack-command", "whiskjack-transport"],
        target: wasm_target,
    },
];

const ARM64_BINARY: Copied = Copied {
    name: build::ARM64_BINARY,
    what: "the same for ARM64",
    always: true,
    packages: &["whiskjack-host"],
    target: || ARM64_TARGET.to_owned(),
};

fn wasm_target() -> String {
    WASM_TARGET.to_owned()
}

/// An action's code, made of a binary.
struct Zipped {
    name: &'static str,
    binary: &'static str,
    what: &'static str,
}

const ACTION: Zipped =
    Zipped { name: "whiskjack-action.zip", binary: "whiskjack", what: "code of the OpenWhisk action" };
const ARM64_ACTION: Zipped =
    Zipped { name: "whiskjack-action-arm64.zip", binary: build::ARM64_BINARY, what: "the same for ARM64" };

/// Runs programs for ARM on another machine.
const ARM64_EMULATOR: &str = "qemu-aarch64-static";

/// A file in `dist/` and what it is for.
type Listed = (String, &'static str);

pub(crate) fn run(places: &Places, arguments: &[&str]) -> Result<()> {
    let arm64 = match arguments {
        [] => false,
        ["--arm64"] => true,
        _ => bail!("usage: cargo xtask dist [--arm64]"),
    };
    build::shipped(places)?;
    try_out(&places.artifact("whiskjack"), None)?;
    if arm64 {
        setup::arm64()?;
        build::arm64(places)?;
        try_out(&places.artifact(build::ARM64_BINARY), Some(ARM64_EMULATOR))?;
    }
    let dist = places.root.join("dist");
    let listed = step("filling dist/", || assemble(places, &dist, arm64))?;
    print!("{}", table(&dist, &listed)?);
    Ok(())
}

/// Lets the binary run once without parameters. Its component then says what is missing: so it was loaded, and runs on such a machine.
fn try_out(binary: &Path, emulator: Option<&str>) -> Result<()> {
    let tool = match emulator {
        None => Tool::new(&binary.to_string_lossy()),
        Some(emulator) if Tool::new(emulator).args(["--version"]).answer().is_some() => {
            Tool::new(emulator).args([binary])
        }
        Some(emulator) => {
            println!(
                "{emulator} is not installed (Debian package qemu-user-static): {} was not tried",
                binary.display()
            );
            return Ok(());
        }
    };
    let answer = tool.args(["{}"]).env("__OW_ACTIVATION_ID", "0").answer().unwrap_or_default();
    let result: Value = serde_json::from_str(&answer).unwrap_or_default();
    if result.get("faults").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        bail!("{} does not run: it answers {answer:?}", binary.display());
    }
    Ok(())
}

/// Makes `dist` anew from the artifacts.
fn assemble(places: &Places, dist: &Path, arm64: bool) -> Result<Vec<Listed>> {
    let (mut listed, parts) = fill(places, dist, arm64)?;
    let schema = places.root.join("docs").join(SCHEMA);
    fs::copy(&schema, dist.join(SCHEMA)).with_context(|| format!("cannot copy {}", schema.display()))?;
    listed.push((SCHEMA.to_owned(), "JSON Schema of the configuration"));
    for (from, to, what) in MADE {
        listed.extend(copied(&places.root.join(from), dist, to, what)?);
    }
    fs::write(dist.join(SBOM), sbom::write(places, &parts)?)?;
    listed.push((SBOM.to_owned(), "bill of materials, CycloneDX"));
    fs::write(dist.join(SUMS), sums(dist, &listed)?)?;
    listed.push((SUMS.to_owned(), "checks them: sha256sum -c"));
    Ok(listed)
}

/// Copies the files of a folder into one of `dist`.
fn copied(from: &Path, dist: &Path, to: &str, what: &'static str) -> Result<Vec<Listed>> {
    fs::create_dir_all(dist.join(to))?;
    let mut listed = Vec::new();
    for file in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let file = file?.path();
        let Some(name) = file.file_name().filter(|_| file.is_file()) else { continue };
        let name = format!("{to}/{}", name.display());
        fs::copy(&file, dist.join(&name)).with_context(|| format!("cannot copy {}", file.display()))?;
        listed.push((name, what));
    }
    listed.sort_unstable();
    Ok(listed)
}

/// Empties `dist` and puts into it what was built. Returns that, and what it is made of.
fn fill(places: &Places, dist: &Path, arm64: bool) -> Result<(Vec<Listed>, Vec<Part>)> {
    match fs::remove_dir_all(dist) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot empty {}", dist.display()));
        }
        _ => fs::create_dir_all(dist).with_context(|| format!("cannot create {}", dist.display()))?,
    }
    let (mut listed, mut parts) = (Vec::new(), Vec::new());
    for zipped in [ACTION].into_iter().chain(arm64.then_some(ARM64_ACTION)) {
        let binary = places.artifact(zipped.binary);
        let binary = fs::read(&binary).with_context(|| format!("cannot read {}", binary.display()))?;
        fs::write(dist.join(zipped.name), archive::action(&binary)?)?;
        listed.push((zipped.name.to_owned(), zipped.what));
    }
    for copied in COPIED.into_iter().chain(arm64.then_some(ARM64_BINARY)) {
        let built = places.artifact(copied.name);
        if !copied.always && !built.is_file() {
            continue;
        }
        fs::copy(&built, dist.join(copied.name))
            .with_context(|| format!("cannot copy {}", built.display()))?;
        listed.push((copied.name.to_owned(), copied.what));
        parts.extend(copied.packages.iter().map(|package| Part {
            file: copied.name,
            package,
            target: (copied.target)(),
        }));
    }
    Ok((listed, parts))
}

/// A line for each file, in the form that `sha256sum` reads.
fn sums(dist: &Path, listed: &[Listed]) -> Result<String> {
    let mut names: Vec<&str> = listed.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let mut text = String::new();
    for name in names {
        for byte in Sha256::digest(fs::read(dist.join(name))?) {
            write!(text, "{byte:02x}")?;
        }
        writeln!(text, "  {name}")?;
    }
    Ok(text)
}

fn table(dist: &Path, listed: &[Listed]) -> Result<String> {
    let mut text = String::new();
    for (name, what) in listed {
        let size = fs::metadata(dist.join(name))?.len().div_ceil(1024);
        writeln!(text, "{name:>32}  {size:>6} KiB  {what}")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A build in a directory of its own, with the workspace's real sources.
    fn places(directory: &Path, built: &[&str]) -> Places {
        let real = Places::find().unwrap();
        for name in built {
            fs::write(directory.join(name), format!("{name}, built").repeat(100)).unwrap();
        }
        Places { artifacts: directory.to_owned(), ..real }
    }

    fn names(dist: &Path) -> Vec<String> {
        let entries = fs::read_dir(dist).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn everything_is_there_and_sha256sum_agrees() {
        let directory = tempfile::tempdir().unwrap();
        let dist = directory.path().join("dist");
        fs::create_dir(&dist).unwrap();
        fs::write(dist.join("of-an-older-build"), "").unwrap();
        let places = places(directory.path(), &["whiskjack", "whiskjack.wasm", build::ARM64_BINARY]);

        let listed = assemble(&places, &dist, true).unwrap();
        let expected = [
            "SHA256SUMS",
            "completions",
            "man",
            "whiskjack",
            "whiskjack-action-arm64.zip",
            "whiskjack-action.zip",
            "whiskjack-arm64",
            "whiskjack.cdx.json",
            "whiskjack.schema.json",
            "whiskjack.wasm",
        ];
        assert_eq!(names(&dist), expected);
        let table = table(&dist, &listed).unwrap();
        assert!(expected.iter().all(|name| table.contains(name)), "{table}");
        let checked = || Tool::new("sha256sum").args(["-c", "--strict", SUMS]).at(&dist).answer();
        assert_eq!(checked().unwrap().lines().count(), listed.len() - 1, "all but itself");
        for name in [
            "man/whiskjack.1",
            "man/whiskjack-check.1",
            "completions/whiskjack.bash",
            "completions/_whiskjack",
        ] {
            assert!(dist.join(name).is_file(), "{name}");
        }
        fs::write(dist.join("whiskjack"), "another").unwrap();
        assert_eq!(checked(), None, "what differs is noticed");
    }

    #[test]
    fn the_command_is_there_if_the_build_makes_it_and_the_rest_must_be() {
        let directory = tempfile::tempdir().unwrap();
        let dist = directory.path().join("dist");
        let all = places(directory.path(), &["whiskjack", "whiskjack.wasm", "whiskjack-command.wasm"]);
        fill(&all, &dist, false).unwrap();
        assert!(names(&dist).contains(&"whiskjack-command.wasm".to_owned()));

        fs::remove_file(directory.path().join("whiskjack.wasm")).unwrap();
        let error = fill(&all, &dist, false).unwrap_err();
        assert!(format!("{error:#}").contains("whiskjack.wasm"), "{error:#}");
    }

    #[test]
    fn a_binary_that_does_not_run_is_not_handed_out() {
        let directory = tempfile::tempdir().unwrap();
        let binary = directory.path().join("whiskjack");
        let written = |script: &str| {
            fs::write(&binary, format!("#!/bin/sh\n{script}\n")).unwrap();
            Tool::new("chmod").args(["755"]).args([&binary]).run().unwrap();
            try_out(&binary, None)
        };
        written("echo '{\"error\":\"…\",\"faults\":[{\"key\":\"actions\"}]}'").unwrap();
        for script in ["exit 139", "echo '{\"error\":\"the component does not fit\"}'"] {
            assert!(written(script).unwrap_err().to_string().contains("does not run"), "{script}");
        }
    }

    #[test]
    fn equal_artifacts_make_equal_files() {
        let directory = tempfile::tempdir().unwrap();
        let places = places(directory.path(), &["whiskjack", "whiskjack.wasm"]);
        let made = |name: &str| {
            let dist = directory.path().join(name);
            assemble(&places, &dist, false).unwrap();
            fs::read_to_string(dist.join(SUMS)).unwrap()
        };
        assert_eq!(made("one"), made("two"));
    }

    #[test]
    fn the_image_is_made_of_what_is_there() {
        let root: PathBuf = Places::find().unwrap().root;
        let dockerfile = fs::read_to_string(root.join("deploy/Dockerfile")).unwrap();
        let instructions =
            |name: &str| dockerfile.lines().filter_map(|line| line.strip_prefix(name)).collect::<Vec<_>>();
        assert_eq!(instructions("COPY "), ["${BINARY} /whiskjack"]);
        let [binary] = instructions("ARG BINARY=")[..] else { panic!("{dockerfile}") };
        let for_arm64 =
            dockerfile.split_once("--build-arg BINARY=").unwrap().1.split_whitespace().next().unwrap();
        assert!(COPIED.iter().any(|file| file.name == binary && file.always), "{binary}");
        assert_eq!(for_arm64, ARM64_BINARY.name);
    }
}
