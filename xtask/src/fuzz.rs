//! `cargo xtask fuzz`: looks for inputs that break a promise, guided by the code that they reach.
//!
//! The engine is LLVM's libFuzzer, which `libfuzzer-sys` brings. What it needs of the compiler is a pass of LLVM that every stable compiler has;
//! only the sanitizers need another toolchain, and Rust without `unsafe` has little use for them.

mod archive;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use self::archive::Archive;
use crate::places::Places;
use crate::step::{Tool, long_step, step};

const TARGETS: [&str; 7] = ["acks", "checkpoint", "config", "events", "frames", "lines", "record"];
/// Longest input, in bytes: what is longer finds nothing that is not found with less.
const LONGEST: usize = 4096;
/// Memory for one target, in MiB: all that may be needed for an input of that length, twice over.
const MEMORY_MIB: usize = 512;
/// Time for one input, in seconds: a thousand times of what they take.
const SECONDS_EACH: usize = 20;

/// What to do with which target.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// Seconds for each target.
    pub(crate) seconds: u64,
    /// Whether it begins with what is in the checkout alone, so that it takes no longer than it should.
    pub(crate) afresh: bool,
    /// Whether the inputs that reach most are put into the checkout.
    pub(crate) keep: bool,
    /// One target, or all.
    pub(crate) target: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// All targets for a short time.
    pub(crate) const SHORT: Self = Self { seconds: 5, afresh: true, keep: false, target: None };

    /// Parses `[--seconds N] [--keep] [TARGET]`.
    pub(crate) fn parse(arguments: &[&'a str]) -> Result<Self> {
        let mut request = Self { seconds: 60, afresh: false, ..Self::SHORT };
        let mut rest = arguments;
        loop {
            rest = match rest {
                [] => return Ok(request),
                ["--seconds", seconds, rest @ ..] => {
                    let parsed = seconds.parse().ok().filter(|seconds| *seconds > 0);
                    request.seconds =
                        parsed.with_context(|| format!("--seconds {seconds}: give a whole number over 0"))?;
                    rest
                }
                ["--keep", rest @ ..] => {
                    request.keep = true;
                    rest
                }
                [target, rest @ ..] if TARGETS.contains(target) && request.target.is_none() => {
                    request.target = Some(target);
                    rest
                }
                [odd, ..] => bail!("{odd}: give one of {}, --seconds N or --keep", TARGETS.join(", ")),
            }
        }
    }
}

/// Fuzzes; gives how many targets have held and how many have not.
pub(crate) fn run(places: &Places, request: &Request<'_>) -> Result<[u64; 2]> {
    let fuzzing = Fuzzing { places, triple: host()? };
    long_step("building the fuzz targets", || fuzzing.build())?;
    let (mut held, mut failed) = (0, 0);
    for target in request.target.as_ref().map_or(&TARGETS[..], std::slice::from_ref) {
        match fuzzing.fuzz(target, request) {
            Ok(()) => held += 1,
            Err(error) => {
                println!("{error:#}");
                failed += 1;
            }
        }
        if request.keep && failed == 0 {
            step(&format!("keeping the inputs of {target} that reach most"), || fuzzing.keep(target))?;
        }
    }
    Ok([held, failed])
}

/// Puts the input in a file into the checkout.
pub(crate) fn add(places: &Places, target: &str, name: &str, file: &str) -> Result<()> {
    if !TARGETS.contains(&target) {
        bail!("{target}: give one of {}", TARGETS.join(", "));
    }
    let input = fs::read(file).with_context(|| format!("cannot read {file}"))?;
    Archive::of(&places.root, target).add(name, input)
}

struct Fuzzing<'a> {
    places: &'a Places,
    triple: String,
}

impl Fuzzing<'_> {
    fn build(&self) -> Result<()> {
        let flags = [
            "-Cpasses=sancov-module",
            "-Cllvm-args=-sanitizer-coverage-level=4",
            "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
            "-Cllvm-args=-sanitizer-coverage-pc-table",
            "-Cllvm-args=-sanitizer-coverage-trace-compares",
            // One unit: the pass numbers places by unit.
            "-Ccodegen-units=1",
        ];
        self.places
            .cargo(["build", "--profile", "fuzz", "-p", "whiskjack-fuzz", "--features", "engine", "--bins"])
            // With a target, even our own, the flags are not for build scripts: those have no engine to call.
            .args(["--target", &self.triple])
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
            .run()
    }

    /// Goes on from all that is known; a find stays in a file.
    fn fuzz(&self, target: &str, request: &Request<'_>) -> Result<()> {
        let seconds = request.seconds;
        let kept = self.kept(target)?;
        let known = if request.afresh { self.empty("passing")? } else { self.known(target)? };
        let finds = self.places.artifact("fuzz").join("finds");
        fs::create_dir_all(&finds).with_context(|| format!("cannot create {}", finds.display()))?;
        let log = self.places.artifact("fuzz").join(format!("{target}.log"));
        let told = step(&format!("fuzzing {target} for {seconds} s"), || {
            self.engine(target)
                .args([
                    format!("-max_total_time={seconds}"),
                    format!("-artifact_prefix={}/", finds.display()),
                ])
                .args([format!("-timeout={SECONDS_EACH}"), format!("-rss_limit_mb={MEMORY_MIB}")])
                .args(["-print_final_stats=1", "-reload=0"])
                .args(self.dictionary(target))
                .args([&known, &kept])
                .run_into(&log)
        })
        .with_context(|| {
            let said = broken_promise(&log);
            format!("{target}: {said}\nthe input is in {}, the log is {}", finds.display(), log.display())
        })?;
        println!("{}", told.lines().rev().find(|line| line.contains("cov: ")).unwrap_or_default().trim());
        Ok(())
    }

    /// Replaces what is kept by the fewest inputs that reach all that is reached. Those with a name that a person gave stay.
    fn keep(&self, target: &str) -> Result<()> {
        let (kept, known) = (self.kept(target)?, self.known(target)?);
        let (small, fewest) = (self.empty("small")?, self.empty("fewest")?);
        let log = self.places.artifact("fuzz").join(format!("{target}.merge.log"));
        // The smallest first, then as few of those as will do. Both by which places are reached, not how often each: that would be thousands.
        let fewer = |how: &str, from: &[&PathBuf], to: &Path| {
            self.engine(target).args([how, "-use_counters=0"]).args([to]).args(from).run_into(&log)
        };
        fewer("-merge=1", &[&known, &kept], &small)?;
        fewer("-set_cover_merge=1", &[&small], &fewest)?;
        let found = files(&fewest)?.into_iter().map(|path| Ok((name(&path), fs::read(&path)?)));
        Archive::of(&self.places.root, target).renew(found.collect::<Result<_>>()?)
    }

    fn engine(&self, target: &str) -> Tool {
        let program = self.places.target.join(&self.triple).join("fuzz").join(target);
        Tool::new(&program.to_string_lossy()).at(&self.places.root).args([format!("-max_len={LONGEST}")])
    }

    /// Inputs in the checkout: the engine wants a file for each.
    fn kept(&self, target: &str) -> Result<PathBuf> {
        let kept = self.empty("kept")?;
        Archive::of(&self.places.root, target).unpack(&kept)?;
        Ok(kept)
    }

    /// Inputs that earlier runs here have found.
    fn known(&self, target: &str) -> Result<PathBuf> {
        let known = self.places.artifact("fuzz").join(target);
        fs::create_dir_all(&known).with_context(|| format!("cannot create {}", known.display()))?;
        Ok(known)
    }

    /// An empty folder for inputs that nobody needs for long.
    fn empty(&self, name: &str) -> Result<PathBuf> {
        let empty = self.places.artifact("fuzz").join(name);
        let _ = fs::remove_dir_all(&empty);
        fs::create_dir_all(&empty).with_context(|| format!("cannot create {}", empty.display()))?;
        Ok(empty)
    }

    /// Words of the input's language.
    fn dictionary(&self, target: &str) -> Option<String> {
        let words = self.places.root.join(format!("fuzz/dictionaries/{target}.txt"));
        Path::exists(&words).then(|| format!("-dict={}", words.display()))
    }
}

/// What the target said when it gave up.
fn broken_promise(log: &Path) -> String {
    let told = fs::read(log).map(|told| String::from_utf8_lossy(&told).into_owned()).unwrap_or_default();
    let said: Vec<&str> = told.lines().skip_while(|line| !line.contains("panicked at")).take(2).collect();
    if said.is_empty() { "it took too long, or too much memory".into() } else { said.join(": ") }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let listed = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    listed.map(|entry| Ok(entry?.path())).collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn host() -> Result<String> {
    let told = Tool::new("rustc").args(["-vV"]).answer().context("rustc does not answer")?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say what it runs on")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_one_of_the_fuzz_package() {
        let manifest =
            fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/Cargo.toml")).unwrap();
        let bins = manifest.split("[[bin]]").skip(1);
        let names: Vec<&str> = bins.filter_map(|bin| bin.split('"').nth(1)).collect();
        assert_eq!(names, TARGETS);
    }

    #[test]
    fn a_request_names_a_target_and_a_time_and_nothing_else() {
        let request = Request::parse(&["--seconds", "7", "acks"]).unwrap();
        assert_eq!((request.seconds, request.keep, request.target), (7, false, Some("acks")));
        assert_eq!(Request::parse(&[]).unwrap().target, None);
        for odd in
            [&["ack"][..], &["--seconds"], &["--seconds", "0"], &["--seconds", "x"], &["acks", "config"]]
        {
            Request::parse(odd).unwrap_err();
        }
    }
}
