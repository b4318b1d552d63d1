//! Other encoders on the same windows: Go's two and the C zlib, if the tools are there.

use anyhow::{Context, Result, ensure};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// An encoder at a level.
pub(crate) struct Reference {
    pub(crate) name: String,
    pub(crate) level: u8,
    pub(crate) bytes: u64,
    /// Of CPU, once.
    pub(crate) milliseconds: f64,
}

/// All that can be had; says what cannot.
pub(crate) fn all(windows: &[Vec<u8>], levels: &[u8]) -> Vec<Reference> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut go = Command::new("go");
    // In the module of the test's peers, which has what Filebeat compresses with.
    go.current_dir(here.join("../../tests/peers")).arg("run").arg(here.join("references/zlib.go"));
    let mut python = Command::new("python3");
    python.arg(here.join("references/zlib_windows.py"));
    let mut all = Vec::new();
    for mut tool in [go, python] {
        match ask(&mut tool, windows, levels) {
            Ok(references) => all.extend(references),
            Err(error) => eprintln!("{}: {error:#}", tool.get_program().to_string_lossy()),
        }
    }
    all
}

fn ask(tool: &mut Command, windows: &[Vec<u8>], levels: &[u8]) -> Result<Vec<Reference>> {
    let mut input = Vec::new();
    for window in windows {
        input.extend_from_slice(&u32::try_from(window.len())?.to_be_bytes());
        input.extend_from_slice(window);
    }
    let levels = levels.iter().map(ToString::to_string);
    let mut child = tool.args(levels).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().context("stdin is piped")?.write_all(&input)?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout)?.lines().map(parse).collect()
}

fn parse(line: &str) -> Result<Reference> {
    let fields: Vec<&str> = line.split(' ').collect();
    let [name, level, bytes, milliseconds] = fields[..] else { anyhow::bail!("not understood: {line}") };
    Ok(Reference {
        name: name.to_owned(),
        level: level.parse()?,
        bytes: bytes.parse()?,
        milliseconds: milliseconds.parse()?,
    })
}
