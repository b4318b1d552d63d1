//! Lumberjack clients that we did not write, and zlib that is not ours, for tests of receivers and of windows.

use std::ffi::OsStr;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde::Deserialize;
use serde_json::Value;

use crate::artifacts;

/// A client by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Elastic's go-lumber, version 2, with this compression level; at 0 its frames go out bare.
    GoLumber(u8),
    /// PyPI's pylogbeat.
    Pylogbeat,
}

/// What a client made of a window.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Answer {
    /// Events that the receiver has acknowledged.
    #[serde(default)]
    pub acknowledged: usize,
    /// What went wrong; the client ends then.
    #[serde(default)]
    pub error: Option<String>,
}

impl Client {
    /// Sends the windows one after the other on one connection; returns what the client says to each, up to the first error.
    #[track_caller]
    pub fn send(self, to: SocketAddr, windows: &[Vec<Value>]) -> Vec<Answer> {
        let mut command = match self {
            Self::GoLumber(level) => {
                let mut command = Command::new(artifacts().client());
                command.args(["-address", &to.to_string(), "-level", &level.to_string()]);
                command
            }
            Self::Pylogbeat => {
                let mut command = python("pylogbeat_client.py");
                command.env("PYTHONPATH", artifacts().python_packages());
                command.args([to.ip().to_string(), to.port().to_string()]);
                command
            }
        };
        let lines: String =
            windows.iter().map(|window| format!("{}\n", Value::from(window.clone()))).collect();
        answers(&mut command, lines.as_bytes())
    }
}

/// A window as Python's zlib sees it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Inflated {
    /// Events that its `W` announces.
    pub announced: u32,
    /// Bytes of its `C` after the end of the zlib stream.
    pub left: usize,
    /// Type and sequence number of each frame.
    pub frames: Vec<(char, u32)>,
}

/// Takes whole compressed windows apart with Python's zlib, checksums included.
#[track_caller]
pub fn inflate_with_python(windows: &[u8]) -> Vec<Inflated> {
    answers(&mut python("inflate.py"), windows)
}

fn python(script: &str) -> Command {
    let mut command = Command::new("python3");
    // No compiled files beside the scripts.
    command.arg("-B").arg(script_path(script));
    command
}

fn script_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../peers/python").join(name)
}

/// Runs a command to its end; its stdout as lines of JSON.
#[track_caller]
fn answers<T: for<'a> Deserialize<'a>>(command: &mut Command, input: &[u8]) -> Vec<T> {
    let name = command.get_program().to_string_lossy().into_owned();
    let arguments: Vec<&OsStr> = command.get_args().collect();
    let name = format!("{name} {arguments:?}");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap_or_else(
            |error| panic!("{name} does not start ({error}): run `cargo xtask setup` and `build`"),
        );
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A client that ends early leaves the rest unread.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("the client's output");
    writer.join().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} failed ({}):\n{stderr}", output.status);
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{name} said {line:?}: {error}"))
        })
        .collect()
}
