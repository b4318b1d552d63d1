//! The last run: an activation that fails, in three documents.

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::{Context, Result, ensure};
use openwhisk_double::demo::{FAILING, failing};
use serde_json::{Map, Value, json};

use crate::document::{Document, stream_and_text};
use crate::stage::Stage;

/// What is shown of a document, by paths.
const SHOWN: [&str; 13] = [
    "@timestamp",
    "message",
    "log.iostream",
    "log.level",
    "log.logger",
    "error.message",
    "event.dataset",
    "event.outcome",
    "event.sequence",
    "faas.execution",
    "faas.name",
    "openwhisk.status",
    "openwhisk.log_lines",
];

/// Lets an action fail, forwards once more, and shows the documents.
///
/// # Errors
/// If they are not the stack trace, the JSON line and the activation.
pub(crate) fn tell(stage: &mut Stage, out: &mut dyn Write) -> Result<()> {
    let world = stage.api.world();
    let id = world.add(failing(world.clock().now()));
    let record = world.records().into_iter().find(|record| record.id == id).context("it is in the API")?;
    writeln!(
        out,
        "\nRun 4: {FAILING} has failed. With `lines.multiline: auto`, `lines.json: true` and `events.activations: failed`\n  \
         its {} lines and the activation itself make three documents; some of their fields:",
        record.logs.len()
    )?;
    let run = stage.run_with(&params(&stage.params))?;
    for document in &run.documents {
        writeln!(out, "{:#}", excerpt(&document.whole))?;
    }
    writeln!(out, "  its own log: {}", run.log)?;

    let of_stream = |wanted: &str| -> String {
        let lines = record.logs.iter().map(|entry| stream_and_text(entry));
        let texts: Vec<&str> = lines.filter(|(stream, _)| *stream == wanted).map(|(_, text)| text).collect();
        texts.join("\n")
    };
    let said: Value = serde_json::from_str(&of_stream("stdout")).context("it prints one line of JSON")?;
    let is_one = |wanted: &dyn Fn(&Document) -> bool| {
        run.documents.iter().filter(|document| wanted(document)).count() == 1
    };
    let has = |document: &Document, path: &str, value: Value| get(&document.whole, path) == Some(&value);
    let ids: BTreeSet<&String> = run.documents.iter().map(|document| &document.metadata.id).collect();
    ensure!(
        ids.len() == 3
            && run.documents.len() == 3
            && is_one(&|it| it.stream() == "stderr" && it.message == of_stream("stderr"))
            && is_one(&|it| said.get("message").is_some_and(|said| *said == it.message)
                && has(it, "log.level", json!("warn")))
            && is_one(&|it| has(it, "event.dataset", json!("openwhisk.activation"))
                && has(it, "event.outcome", json!("failure"))
                && has(it, "openwhisk.log_lines", json!(record.logs.len()))),
        "these are not its stack trace, its line of JSON and the activation"
    );
    Ok(())
}

/// Those of the other runs, and what makes documents of an activation that fails.
fn params(others: &Value) -> Value {
    let mut params = others.as_object().cloned().unwrap_or_default();
    if let Some(Value::Array(actions)) = params.get_mut("actions") {
        actions.push(json!(FAILING));
    }
    params.insert("events".into(), json!({"shape": "ecs", "activations": "failed"}));
    params.insert("lines".into(), json!({"multiline": "auto", "json": true}));
    params.into()
}

fn get<'d>(document: &'d Value, path: &str) -> Option<&'d Value> {
    path.split('.').try_fold(document, |value, name| value.get(name))
}

/// What is shown of the document.
fn excerpt(document: &Value) -> Value {
    let mut shown = Map::new();
    for path in SHOWN {
        let Some(value) = get(document, path) else { continue };
        match path.split_once('.') {
            None => drop(shown.insert(path.into(), value.clone())),
            Some((group, name)) => shown.entry(group).or_insert_with(|| json!({}))[name] = value.clone(),
        }
    }
    Value::Object(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_has_the_fields_that_are_there_in_their_places() {
        let document = json!({"@timestamp": "t", "message": "m", "log": {"iostream": "stderr", "flags": ["mended"]}, "agent": {"name": "n"}});
        assert_eq!(
            excerpt(&document),
            json!({"@timestamp": "t", "message": "m", "log": {"iostream": "stderr"}})
        );
    }
}
