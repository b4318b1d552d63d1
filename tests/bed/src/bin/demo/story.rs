//! The first three runs, and whether every line arrived, once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use anyhow::{Result, ensure};
use openwhisk_double::{Record, World, log};

use crate::document::{Document, stream_and_text, time_of_day};
use crate::failure;
use crate::stage::{Run, Stage, monitored};
use crate::table::Table;

/// Shows the three runs and their sum, and what becomes of an activation that fails.
///
/// # Errors
/// If a run fails, or if the documents are not exactly the lines of the API.
pub(crate) fn tell(stage: &mut Stage, table: &Table, out: &mut dyn Write) -> Result<()> {
    introduce(stage, out)?;

    writeln!(out, "\nRun 1: what has piled up")?;
    let first = stage.run()?;
    show(&first, table, out)?;

    let before = monitored(stage.api.world());
    let added = stage.add_activations();
    writeln!(out, "\nRun 2: {} more activations have ended; only they are sent", added.len())?;
    for record in monitored(stage.api.world()).iter().filter(|record| added.contains(&record.id)) {
        mention_if_late(record, &before, out)?;
    }
    let second = stage.run()?;
    show(&second, table, out)?;

    writeln!(out, "\nRun 3: no activation since")?;
    let third = stage.run()?;
    show(&third, table, out)?;

    sum_up(&[first, second, third], stage.api.world(), out)?;
    failure::tell(stage, out)
}

fn introduce(stage: &Stage, out: &mut dyn Write) -> io::Result<()> {
    let records = monitored(stage.api.world());
    let lines: usize = records.iter().map(|record| record.logs.len()).sum();
    let actions = stage.params.get("actions").and_then(|actions| actions.as_array()).map_or(0, Vec::len);
    writeln!(
        out,
        "whiskjack: from the log of an OpenWhisk action to a Lumberjack receiver, all on this machine\n"
    )?;
    writeln!(
        out,
        "  API       {}: a double of OpenWhisk; {lines} log lines of {actions} actions to forward",
        stage.api.origin()
    )?;
    writeln!(
        out,
        "  receiver  localhost:{}, TLS: Elastic's Lumberjack server, in the place of Logstash",
        stage.receiver.port()
    )?;
    writeln!(
        out,
        "  action    whiskjack as `exec` under the ActionLoop protocol, as on the platform: {:.1} MB, started in {} ms",
        stage.action_size as f64 / 1e6,
        stage.init.as_millis()
    )
}

/// What a look at the newest start alone would miss.
fn mention_if_late(record: &Record, before: &[Record], out: &mut dyn Write) -> io::Result<()> {
    let newer = before.iter().filter(|other| other.start > record.start).count();
    if newer == 0 {
        return Ok(());
    }
    let time = |ms: i64| time_of_day(&log::time(i128::from(ms) * 1_000_000));
    writeln!(
        out,
        "  {} ran from {} to {}: {newer} activations that run 1 has sent started after it, and still it is found",
        record.name,
        time(record.start),
        time(record.end)
    )
}

fn show(run: &Run, table: &Table, out: &mut dyn Write) -> io::Result<()> {
    if run.result.lines.read == 0 && run.result.windows == 0 && run.documents.is_empty() {
        writeln!(out, "  nothing new, no connection")?;
    } else {
        table.head(out)?;
        table.rows(out, &run.documents)?;
    }
    writeln!(out, "  its own log: {}", run.log)
}

fn sum_up(runs: &[Run], world: &World, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "\nSum\n  run   read  acknowledged  windows  requests     ms")?;
    for (run, number) in runs.iter().zip(1..) {
        let result = &run.result;
        writeln!(
            out,
            "  {number:<3}  {:>5}  {:>12}  {:>7}  {:>8}  {:>5}",
            result.lines.read, result.lines.acknowledged, result.windows, result.requests, result.duration_ms
        )?;
    }
    if let Some(Run { result, .. }) = runs.first() {
        let per_second = result.lines.acknowledged as u64 * 1000 / result.duration_ms.max(1);
        writeln!(
            out,
            "  run 1: {per_second} lines a second, the pause of a first run for the API's index included"
        )?;
    }
    let documents: Vec<&Document> = runs.iter().flat_map(|run| &run.documents).collect();
    let truth = Truth::new(&documents, &monitored(world));
    writeln!(out, "  {} lines in the API, {} documents received, {}", truth.lines, truth.documents, truth)?;
    ensure!(truth.is_good(), "what was received is not what the API has");
    Ok(())
}

/// What arrived against what should have.
#[derive(Debug, PartialEq, Eq)]
struct Truth {
    lines: usize,
    documents: usize,
    /// Lines without a document.
    missing: usize,
    /// Documents that are no line, or one too many of it.
    surplus: usize,
    /// Documents that have another one's id.
    repeated_ids: usize,
}

impl Truth {
    fn new(documents: &[&Document], records: &[Record]) -> Self {
        let lines = records
            .iter()
            .flat_map(|record| record.logs.iter().map(|entry| (record.id.as_str(), stream_and_text(entry))));
        // How often a line is in the API, less how often it arrived.
        let mut balance: BTreeMap<(&str, (&str, &str)), i64> = BTreeMap::new();
        lines.clone().for_each(|line| *balance.entry(line).or_default() += 1);
        for document in documents {
            let line = (document.faas.execution.as_str(), (document.stream(), document.message.as_str()));
            *balance.entry(line).or_default() -= 1;
        }
        let sum = |sign: i64| balance.values().map(|count| (sign * count).max(0)).sum::<i64>().unsigned_abs();
        let ids: BTreeSet<&String> = documents.iter().map(|document| &document.metadata.id).collect();
        Self {
            lines: lines.count(),
            documents: documents.len(),
            missing: sum(1) as usize,
            surplus: sum(-1) as usize,
            repeated_ids: documents.len() - ids.len(),
        }
    }

    fn is_good(&self) -> bool {
        self.missing == 0 && self.surplus == 0 && self.repeated_ids == 0
    }
}

impl std::fmt::Display for Truth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_good() {
            return f.write_str("no id twice: every line arrived, once");
        }
        write!(
            f,
            "{} missing, {} too many, {} with an id of another",
            self.missing, self.surplus, self.repeated_ids
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openwhisk_double::{Activation, Double, Options};
    use serde_json::json;

    fn truth(arrived: &[(&str, &str)]) -> Truth {
        let double = Double::start(Options::default());
        let run = Activation::new("hello-world").id("a").raw_log("same").raw_log("same").raw_log("other");
        double.world().add(run);
        let document = |(id, line): &(&str, &str)| {
            let event = json!({"@timestamp": "", "@metadata": {"_id": id}, "message": line,
                "faas": {"execution": "a", "name": "hello-world"}});
            Document::new(&event).unwrap()
        };
        let documents: Vec<Document> = arrived.iter().map(document).collect();
        Truth::new(&documents.iter().collect::<Vec<_>>(), &monitored(double.world()))
    }

    #[test]
    fn equal_lines_with_ids_of_their_own_are_good() {
        assert!(truth(&[("0", "same"), ("1", "same"), ("2", "other")]).is_good());
    }

    #[test]
    fn a_missing_line_a_repeat_and_a_repeated_id_are_told_apart() {
        let counts = |arrived: &[(&str, &str)]| {
            let Truth { missing, surplus, repeated_ids, .. } = truth(arrived);
            (missing, surplus, repeated_ids)
        };
        assert_eq!(counts(&[("0", "same"), ("2", "other")]), (1, 0, 0));
        assert_eq!(counts(&[("0", "same"), ("1", "same"), ("2", "other"), ("2", "other")]), (0, 1, 1));
        assert_eq!(counts(&[("0", "same"), ("0", "same"), ("2", "other")]), (0, 0, 1));
        assert_eq!(counts(&[("0", "same"), ("1", "same"), ("2", "changed")]), (1, 1, 0));
    }
}
