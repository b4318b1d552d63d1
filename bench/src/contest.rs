//! Contestants that are timed between two marks of their own, in processes of their own.

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use openwhisk_double::{Double, Options};
use serde_json::Value;
use tempfile::NamedTempFile;
use whiskjack::events::{Document, Events, Form};
use whiskjack::lumberjack::Protocol;
use whiskjack::openwhisk::record::Record;
use whiskjack_testbed::artifacts;

use crate::product::now_ms;
use crate::world::{Shape, recorded};

/// A world in a file: one record a line, newest first.
pub fn records(shape: Shape) -> Result<NamedTempFile> {
    lines(of(shape)?)
}

/// The events of a world in a file, as the product writes them: one a line, action by action, as the product sends them. Without what goes into
/// `@metadata`, if so wished.
pub fn events(shape: Shape, metadata: bool) -> Result<NamedTempFile> {
    let mut records = of(shape)?;
    let name =
        |json: &Vec<u8>| Record::parse(json).map(|record| record.name.into_owned()).unwrap_or_default();
    records.sort_by_cached_key(name);
    let mut events = Vec::new();
    for json in &records {
        let record = Record::parse(json)?;
        let form = Events::of(&record, &Form::new(Protocol::V2));
        for (index, line) in record.entries().enumerate() {
            let mut event = Vec::new();
            form.write(Document::plain(index, line), &mut event);
            if !metadata {
                event = without_metadata(&event)?;
            }
            events.push(event);
        }
    }
    lines(events)
}

fn of(shape: Shape) -> Result<Vec<Vec<u8>>> {
    let api = Double::start(Options::default());
    api.world().add_all(shape.activations(now_ms()));
    recorded(&api)
}

/// Cuts it out of the text, so that the rest stays as it is.
fn without_metadata(event: &[u8]) -> Result<Vec<u8>> {
    let text = std::str::from_utf8(event)?;
    let (before, rest) = text.split_once("\"@metadata\":{").context("an event without @metadata")?;
    let (_, after) = rest.split_once("},").context("an event with @metadata only")?;
    Ok(format!("{before}{after}").into_bytes())
}

fn lines(items: Vec<Vec<u8>>) -> Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    let mut text = Vec::new();
    for item in items {
        text.extend_from_slice(&item);
        text.push(b'\n');
    }
    file.write_all(&text)?;
    Ok(file)
}

/// This package's other program, beside this one.
pub fn contestant() -> Result<Command> {
    let path = env::current_exe()?.with_file_name("contestant");
    ensure!(path.is_file(), "the contestant is not built: run `cargo xtask bench`");
    Ok(Command::new(path))
}

/// The component that the contestant runs.
pub fn guest() -> Result<PathBuf> {
    let path = artifacts().directory().join("bench-guest.cwasm");
    ensure!(path.is_file(), "the benchmarks' component is not built: run `cargo xtask bench`");
    Ok(path)
}

/// Elastic's client.
pub fn elastic() -> Result<Command> {
    let path = artifacts().directory().join("lumberjack-bench");
    ensure!(path.is_file(), "Elastic's client is not built: run `cargo xtask build`");
    Ok(Command::new(path))
}

/// Runs it to its end; each line of its output is a turn.
pub fn turns(command: &mut Command) -> Result<Vec<Value>> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().context("a contestant")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "a contestant has failed: {}", told.trim_end());
    output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).context("what a contestant says"))
        .collect()
}

/// A number of a turn.
pub fn number(turn: &Value, name: &str) -> Result<f64> {
    turn.get(name).and_then(Value::as_f64).with_context(|| format!("no {name} in {turn}"))
}

#[cfg(test)]
mod tests {
    use super::without_metadata;

    #[test]
    fn only_the_metadata_is_cut_out() {
        let event = br#"{"@timestamp":"t","@metadata":{"beat":"b","_id":"1"},"line":"{\"a\":{},\"b\":1}"}"#;
        assert_eq!(without_metadata(event).unwrap(), br#"{"@timestamp":"t","line":"{\"a\":{},\"b\":1}"}"#);
    }
}
