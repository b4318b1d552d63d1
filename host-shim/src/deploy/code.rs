//! The action's code: kind or image, and the zip with this program in it.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use whiskjack_zip::Effort;

use crate::net::plain;
use crate::os_error;

/// Largest code that a stock platform takes, in bytes of base64 (docs/facts/openwhisk.md 2).
const LARGEST: usize = 48 << 20;

/// The stock image for executables that are started anew for each run.
const NATIVE_IMAGE: &str = "openwhisk/dockerskeleton";

/// Who runs the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// One of the platform's runtimes, such as `rust:1.34`.
    Kind(String),
    /// An image of the user's own.
    Image(String),
    /// The stock image for native executables.
    Native,
}

impl Runtime {
    /// In words, for people.
    pub fn name(&self) -> &str {
        match self {
            Self::Kind(name) | Self::Image(name) => name,
            Self::Native => NATIVE_IMAGE,
        }
    }
}

/// The `exec` of an action.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) exec: Map<String, Value>,
    /// Bytes of the zip; none if the image brings the program.
    pub(super) bytes: usize,
    /// What cannot be known before it runs.
    pub(super) notes: Vec<String>,
}

impl Code {
    /// Code from `zip`, else from this program itself; an image of one's own needs none. Errors are sentences.
    pub(super) fn new(runtime: &Runtime, zip: Option<&PathBuf>) -> Result<Self, String> {
        let mut notes = Vec::new();
        notes.extend(odd_kind(runtime)?);
        let archive = match (runtime, zip) {
            (_, Some(file)) => Some(read_zip(file, &mut notes)?),
            (Runtime::Image(image), None) => {
                notes.push(format!(
                    "--docker {image}: nothing tells before the first run whether the image holds whiskjack, as one of deploy/Dockerfile does"
                ));
                None
            }
            (runtime, None) => Some(packed(&own_program()?, exec_env(runtime)?.as_deref())?),
        };
        let mut exec = Map::new();
        match runtime {
            Runtime::Kind(kind) => exec.insert("kind".to_owned(), json!(kind)),
            runtime => {
                exec.insert("kind".to_owned(), json!("blackbox"));
                exec.insert("image".to_owned(), json!(runtime.name()))
            }
        };
        let bytes = archive.as_ref().map_or(0, Vec::len);
        if let Some(archive) = archive {
            let code = STANDARD.encode(archive);
            if code.len() > LARGEST {
                return Err(format!(
                    "the zip has {bytes} bytes, {} in base64, and OpenWhisk takes {LARGEST}; leave out of it what is not needed",
                    code.len()
                ));
            }
            exec.insert("code".to_owned(), code.into());
            exec.insert("binary".to_owned(), true.into());
        }
        Ok(Self { exec, bytes, notes })
    }
}

/// Families of kinds whose images start no program of a zip: their own language only.
const OTHER_FAMILIES: [&str; 6] = ["nodejs", "java", "dotnet", "ballerina", "ruby", "sequence"];
/// Families that are known to start one.
const FIT_FAMILIES: [&str; 2] = ["rust", "go"];

/// What is odd about a kind; an error if it cannot start a program.
fn odd_kind(runtime: &Runtime) -> Result<Option<String>, String> {
    let Runtime::Kind(kind) = runtime else { return Ok(None) };
    let family = kind.split(':').next().unwrap_or_default();
    if OTHER_FAMILIES.contains(&family) {
        return Err(format!(
            "--kind {kind}: starts no program of a zip; give a kind that speaks ActionLoop, such as rust:1.34 or go:1.20, or --native"
        ));
    }
    let is_fit = FIT_FAMILIES.contains(&family);
    Ok((!is_fit).then(|| {
        format!("--kind {kind}: nothing tells before the first run whether this kind starts a program of a zip, as rust and go do")
    }))
}

/// What the program of whiskjack has in it, and hardly another one: the begin of its help.
const OF_WHISKJACK: &[u8] = b"whiskjack forwards the logs of";
/// Largest program that is looked at.
const LARGEST_PROGRAM: usize = 256 << 20;

fn read_zip(file: &Path, notes: &mut Vec<String>) -> Result<Vec<u8>, String> {
    const REMEDY: &str = "give the one that `cargo xtask dist` makes";
    let shown = file.display();
    let bytes = os_error::read(&format!("--zip {shown}"), file)?;
    let program = match whiskjack_zip::member(&bytes, "exec") {
        Some(Some(member)) => member.content(LARGEST_PROGRAM),
        Some(None) => return Err(format!("--zip {shown}: has no file `exec` at its root; {REMEDY}")),
        None => return Err(format!("--zip {shown}: is not a zip; {REMEDY}")),
    };
    let program = program.ok_or_else(|| format!("--zip {shown}: its `exec` cannot be unpacked; {REMEDY}"))?;
    if !program.starts_with(b"\x7fELF") && !program.starts_with(b"#!") {
        return Err(format!(
            "--zip {shown}: its `exec` is not a program, neither ELF nor a script; {REMEDY}"
        ));
    }
    if !program.windows(OF_WHISKJACK.len()).any(|part| part == OF_WHISKJACK) {
        notes.push(format!(
            "--zip {shown}: its `exec` does not look like whiskjack, and it gets the configuration; {REMEDY} if that is not meant"
        ));
    }
    Ok(bytes)
}

/// This program, if it can run in a container of the platform.
fn own_program() -> Result<Vec<u8>, String> {
    let read = || std::fs::read(std::env::current_exe()?);
    let program = read()
        .map_err(|error| format!("this program cannot read itself: {}; give --zip FILE", plain(&error)))?;
    if !is_static_x86_64(&program) {
        return Err("this program is not the static one for x86-64 that runs in every image; give --zip FILE, or deploy with the \
                    program that `cargo xtask build` makes"
            .to_owned());
    }
    Ok(program)
}

/// A 64-bit ELF for x86-64 without a segment that names an interpreter (ELF specification, program headers).
fn is_static_x86_64(program: &[u8]) -> bool {
    const INTERPRETER: u64 = 3;
    let number = |at: usize, bytes: usize| -> Option<u64> {
        let field = program.get(at..at.checked_add(bytes)?)?;
        Some(field.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let header = || {
        let table = usize::try_from(number(32, 8)?).ok()?;
        let (size, count) = (usize::try_from(number(54, 2)?).ok()?, usize::try_from(number(56, 2)?).ok()?);
        Some((number(18, 2)?, (0..count).map(move |entry| table.saturating_add(entry.saturating_mul(size)))))
    };
    let Some((62, mut segments)) = header() else { return false };
    program.starts_with(b"\x7fELF\x02\x01")
        && segments.all(|at| number(at, 4).is_some_and(|kind| kind != INTERPRETER))
}

/// What the Go images want to find beside `exec` (docs/facts/openwhisk.md 3.2).
fn exec_env(runtime: &Runtime) -> Result<Option<String>, String> {
    let Runtime::Kind(kind) = runtime else { return Ok(None) };
    match kind.split_once(':') {
        Some(("go", "default")) => {
            Err("--kind go:default: the zip must name the version; give one, such as go:1.20".to_owned())
        }
        Some(("go", version)) => Ok(Some(format!("openwhisk/action-golang-v{version}"))),
        _ => Ok(None),
    }
}

/// A zip with `program` as `exec` at its root. The same bytes each time.
fn packed(program: &[u8], exec_env: Option<&str>) -> Result<Vec<u8>, String> {
    let mut files = vec![("exec", program)];
    files.extend(exec_env.map(|text| ("exec.env", text.as_bytes())));
    whiskjack_zip::packed(&files, Effort::Once)
        .map_err(|error| format!("this program cannot be put into a zip: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entrypoint::cli;

    #[test]
    fn the_zip_is_the_same_each_time() {
        assert_eq!(packed(b"program", None).unwrap(), packed(b"program", None).unwrap());
    }

    #[test]
    fn go_images_find_the_file_that_they_want() {
        let go = Runtime::Kind("go:1.22".to_owned());
        assert_eq!(exec_env(&go).unwrap().unwrap(), "openwhisk/action-golang-v1.22");
        assert!(whiskjack_zip::member(&packed(b"x", Some("text")).unwrap(), "exec.env").unwrap().is_some());
        assert!(exec_env(&Runtime::Kind("go:default".to_owned())).unwrap_err().contains("go:1.20"));
        assert_eq!(exec_env(&Runtime::Kind("rust:1.34".to_owned())).unwrap(), None);
    }

    #[test]
    fn a_program_that_wants_an_interpreter_or_another_machine_is_told_apart() {
        let mut program = vec![0; 64 + 56];
        program[..6].copy_from_slice(b"\x7fELF\x02\x01");
        program[18] = 62;
        program[32] = 64;
        program[54] = 56;
        program[56] = 1;
        program[64] = 1;
        assert!(is_static_x86_64(&program));
        program[64] = 3;
        assert!(!is_static_x86_64(&program));
        program[64] = 1;
        program[18] = 183;
        assert!(!is_static_x86_64(&program));
        assert!(!is_static_x86_64(b"#!/bin/sh"));
    }

    #[test]
    fn an_image_of_ones_own_needs_no_code_and_a_zip_needs_an_exec() {
        let image = Runtime::Image("me/whiskjack:1".to_owned());
        let code = Code::new(&image, None).unwrap();
        assert_eq!(Value::Object(code.exec), json!({"kind": "blackbox", "image": "me/whiskjack:1"}));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("code.zip");
        for (bytes, part) in [
            (&b"no zip"[..], "is not a zip"),
            (&whiskjack_zip::packed(&[], Effort::Once).unwrap(), "no file `exec`"),
            (&packed(b"a text", None).unwrap(), "its `exec` is not a program"),
        ] {
            std::fs::write(&file, bytes).unwrap();
            let message = Code::new(&image, Some(&file)).unwrap_err();
            assert!(message.contains(part) && message.contains("code.zip"), "{message}");
        }
        std::fs::write(&file, packed(b"\x7fELF", None).unwrap()).unwrap();
        let code = Code::new(&Runtime::Native, Some(&file)).unwrap();
        assert_eq!(
            (&code.exec["image"], &code.exec["binary"]),
            (&json!("openwhisk/dockerskeleton"), &json!(true))
        );
    }

    #[test]
    fn code_over_the_platforms_limit_is_refused_before_it_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("code.zip");
        // A zip may begin with anything.
        let zip = [vec![0; 37 << 20], packed(b"\x7fELF", None).unwrap()].concat();
        std::fs::write(&file, moved(zip, 37 << 20)).unwrap();
        let message = Code::new(&Runtime::Native, Some(&file)).unwrap_err();
        assert!(message.contains("OpenWhisk takes 50331648"), "{message}");
    }

    #[test]
    fn what_cannot_be_whiskjack_is_refused_and_what_may_not_be_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("code.zip");
        let zipped = |program: &[u8]| {
            std::fs::write(&file, packed(program, None).unwrap()).unwrap();
            let kind = Runtime::Kind("rust:1.34".to_owned());
            Code::new(&kind, Some(&file)).unwrap().notes
        };
        let own = [b"\x7fELF...", OF_WHISKJACK].concat();
        assert_eq!(zipped(&own), Vec::<String>::new());
        let help = cli::parse(["--help".into()]);
        assert!(
            matches!(&help, Ok(cli::Command::Print(text)) if text.as_bytes().starts_with(OF_WHISKJACK)),
            "{help:?}"
        );
        for other in [&b"#!/bin/sh"[..], b"\x7fELF"] {
            let notes = zipped(other);
            assert!(notes.len() == 1 && notes[0].contains("does not look like whiskjack"), "{notes:?}");
        }
        let of_kind = |kind: &str| Code::new(&Runtime::Kind(kind.to_owned()), Some(&file));
        let refused = of_kind("nodejs:20").unwrap_err();
        assert!(refused.starts_with("--kind nodejs:20: starts no program of a zip; give"), "{refused}");
        zipped(&own);
        assert!(of_kind("php:8.1").unwrap().notes[0].starts_with("--kind php:8.1: nothing tells"));
        assert_eq!(of_kind("go:1.20").unwrap().notes, Vec::<String>::new());
        let image = Code::new(&Runtime::Image("me/x".to_owned()), None).unwrap();
        assert!(image.notes[0].starts_with("--docker me/x: nothing tells"), "{image:?}");
    }

    /// Tells the end record that the directory lies further back, and the directory that its only file does.
    fn moved(mut zip: Vec<u8>, by: u32) -> Vec<u8> {
        let end = zip.len() - 6;
        let mut add = |at: usize| {
            let offset = u32::from_le_bytes(zip[at..at + 4].try_into().unwrap()) + by;
            zip[at..at + 4].copy_from_slice(&offset.to_le_bytes());
            offset as usize
        };
        let directory = add(end);
        add(directory + 42);
        zip
    }
}
