//! `cargo xtask setup`: fetches the missing tools, and only those.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::places::{ARM64_TARGET, Places, WASM_TARGET, static_target};
use crate::step::{Tool, step};

/// Debian's Rust, linked into rustup under this name: the second way to the component.
pub(crate) const DEBIAN_TOOLCHAIN: &str = "debian-web";
/// What that takes: the compiler with the WebAssembly backend, the standard library's source, a linker, a libc.
const DEBIAN_PACKAGES: [&str; 6] =
    ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22", "wasi-libc"];

/// The C compiler for ARM: there is some C in the binary's cryptography.
pub(crate) const ARM64_COMPILER: &str = "aarch64-linux-gnu-gcc";

/// Another Lumberjack client, wasmtime, and loggers: where they are wanted, and the artifact that they become.
const PYTHON_PACKAGES: [(&str, &str); 3] = [
    ("tests/peers/python/requirements.txt", "python"),
    ("examples/python/requirements.txt", "python-wasmtime"),
    ("tests/loggers/python/requirements.txt", "python-loggers"),
];
/// The official API client, jco, loggers, and Elastic's clients.
const NODE_PACKAGES: [&str; 4] =
    ["tests/double/npm", "examples/node", "tests/loggers/node", "tests/search-engine/npm"];

/// Proxies that the tests go through: the program, and its Debian package, one that starts no service.
const PROXIES: [(&str, &str); 2] = [("tinyproxy", "tinyproxy-bin"), ("microsocks", "microsocks")];

/// How the component is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The active toolchain, with a standard library from rustup.
    Rustup,
    /// Debian's, building the standard library itself.
    Debian,
}

impl Toolchain {
    /// What `setup` has found to work; rustup's if it has not run.
    pub(crate) fn remembered(places: &Places) -> Self {
        match fs::read_to_string(memory(places)) {
            Ok(name) if name.trim() == DEBIAN_TOOLCHAIN => Self::Debian,
            _ => Self::Rustup,
        }
    }

    fn remember(self, places: &Places) -> Result<()> {
        let name = match self {
            Self::Rustup => "rustup",
            Self::Debian => DEBIAN_TOOLCHAIN,
        };
        Ok(fs::write(memory(places), format!("{name}\n"))?)
    }
}

fn memory(places: &Places) -> PathBuf {
    places.artifact("toolchain")
}

pub(crate) fn run(places: &Places) -> Result<()> {
    let needed = [
        wasm_target(places),
        rust_target(&static_target()),
        rust_component("rustfmt", "fmt"),
        rust_component("clippy", "clippy"),
        program_from("musl-gcc", "musl-tools"),
        program_from("go", "golang-go"),
        // Makes odd certificates for tests, and shows them.
        program_from("openssl", "openssl"),
        // The fuzz engine is C++.
        program_from("g++", "g++"),
    ];
    // All at once, so that nobody has to come back for the next one.
    let missing: Vec<String> =
        needed.into_iter().filter_map(Result::err).map(|error| format!("\n  {error:#}")).collect();
    if !missing.is_empty() {
        bail!("setup is not complete{}", missing.concat());
    }
    // Only some tests need these.
    for (wanted, packages) in PYTHON_PACKAGES {
        if let Err(error) = python_packages(places, wanted, packages) {
            println!("{error:#}");
        }
    }
    for (program, package) in PROXIES {
        if let Err(error) = program_from(program, package) {
            println!("{error:#}; the tests with a proxy need it");
        }
    }
    match program_from("npm", "npm") {
        Ok(()) => NODE_PACKAGES.iter().try_for_each(|directory| node_packages(&places.root.join(directory))),
        Err(error) => {
            println!("{error:#}");
            Ok(())
        }
    }
}

/// What the binary for ARM takes besides.
pub(crate) fn arm64() -> Result<()> {
    rust_target(ARM64_TARGET)?;
    program_from(ARM64_COMPILER, "gcc-aarch64-linux-gnu")
}

fn wasm_target(places: &Places) -> Result<()> {
    if has_target(WASM_TARGET) {
        return Toolchain::Rustup.remember(places);
    }
    // What rustup could not fetch last time is not asked for again.
    if Toolchain::remembered(places) == Toolchain::Debian && debian_linked() {
        return Ok(());
    }
    let Err(error) = rust_target(WASM_TARGET) else { return Toolchain::Rustup.remember(places) };
    debian_toolchain().with_context(|| format!("no Rust target {WASM_TARGET}: {error:#}"))?;
    Toolchain::Debian.remember(places)
}

/// Adds a target's standard library to the active toolchain.
fn rust_target(target: &str) -> Result<()> {
    if has_target(target) {
        return Ok(());
    }
    // By name: `RUSTUP_AUTO_INSTALL=0` may forbid that rustup does it by itself.
    step(&format!("adding the Rust target {target}"), || {
        Tool::new("rustup").args(["target", "add", target]).run_silently()
    })
}

/// Adds a part of the active toolchain that minimal installations leave out.
fn rust_component(name: &str, subcommand: &str) -> Result<()> {
    if Tool::new("cargo").args([subcommand, "--version"]).answer().is_some() {
        return Ok(());
    }
    step(&format!("adding the Rust component {name}"), || {
        Tool::new("rustup").args(["component", "add", name]).run_silently()
    })
}

fn has_target(target: &str) -> bool {
    let sysroot = Tool::new("rustc").args(["--print", "sysroot"]).answer();
    sysroot.is_some_and(|sysroot| Path::new(&sysroot).join("lib/rustlib").join(target).join("lib").is_dir())
}

fn debian_toolchain() -> Result<()> {
    if debian_linked() {
        return Ok(());
    }
    step("installing Debian's Rust in place of the target", || {
        install(&DEBIAN_PACKAGES)?;
        Tool::new("rustup").args(["toolchain", "link", DEBIAN_TOOLCHAIN, "/usr"]).run_silently()
    })
}

fn debian_linked() -> bool {
    let list = Tool::new("rustup").args(["toolchain", "list"]).answer().unwrap_or_default();
    list.lines().any(|line| line.split_whitespace().next() == Some(DEBIAN_TOOLCHAIN))
}

fn program_from(program: &str, package: &str) -> Result<()> {
    if on_path(program) {
        return Ok(());
    }
    if !can_install() {
        bail!("{program} is missing: install it (Debian package {package})");
    }
    step(&format!("installing {package}"), || install(&[package]))
}

fn install(packages: &[&str]) -> Result<()> {
    if !can_install() {
        bail!("install the Debian packages {}", packages.join(" "));
    }
    let apt = |arguments: &[&str]| {
        Tool::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").run_silently()
    };
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    // Often the lists are there; in a fresh image they are not.
    apt(&arguments).or_else(|_| apt(&["update"]).and_then(|()| apt(&arguments)))
}

fn can_install() -> bool {
    on_path("apt-get") && Tool::new("id").args(["-u"]).answer().as_deref() == Some("0")
}

fn on_path(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|directory| directory.join(program).is_file()))
}

/// Installs what the lock file in `directory` says, beside it.
pub(crate) fn node_packages(directory: &Path) -> Result<()> {
    let modified = |name: &str| fs::metadata(directory.join(name)).and_then(|file| file.modified()).ok();
    let Some(locked) = modified("package-lock.json") else { return Ok(()) };
    if modified("node_modules/.package-lock.json").is_some_and(|installed| installed >= locked) {
        return Ok(());
    }
    let of = directory.file_name().unwrap_or_default().display();
    step(&format!("installing the Node packages ({of})"), || {
        // Not `npm ci`: that refuses a lock file that lacks packages for other systems, also where the registry has none.
        Tool::new("npm")
            .args(["install", "--no-save", "--no-audit", "--no-fund"])
            .at(directory)
            .run_silently()
    })
}

/// Installs what a file of requirements says, as the artifact `packages`. The tests that need it fail without it.
fn python_packages(places: &Places, wanted: &str, packages: &str) -> Result<()> {
    let wanted = places.root.join(wanted);
    let (packages, stamp) = (places.artifact(packages), places.artifact(&format!("{packages}.installed")));
    let text = fs::read_to_string(&wanted).with_context(|| format!("cannot read {}", wanted.display()))?;
    if packages.is_dir() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == text) {
        return Ok(());
    }
    program_from("python3", "python3")?;
    let pip = || Tool::new("python3").args(["-m", "pip"]);
    if pip().args(["--version"]).answer().is_none() {
        if !can_install() {
            bail!("Python's pip is missing: install it (Debian package python3-pip)");
        }
        step("installing python3-pip", || install(&["python3-pip"]))?;
    }
    let of = packages.file_name().unwrap_or_default().display();
    step(&format!("installing the Python packages ({of})"), || {
        pip()
            .args(["install", "--quiet", "--no-deps", "--require-hashes", "--upgrade", "--target"])
            .args([&packages])
            .args(["-r"])
            .args([&wanted])
            .run_silently()
    })?;
    Ok(fs::write(&stamp, text)?)
}
