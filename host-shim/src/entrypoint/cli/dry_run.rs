//! `run --dry-run`: the documents that the next run would send.

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::ending::{noted, tell};
use super::meter::Meter;
use super::progress::{Lines, Words};
use super::terminal::{Terminal, harmless};
use super::{Prepared, RunOptions, direct, replace, session};
use crate::attached::Stop;
use crate::output::{Output, Refusal, Sink};
use crate::result::Verdict;
use crate::run::Keeper;
use crate::said;
use whiskjack_settings::text::many;

const SHOWN: Words = Words { unit: "document", done: "shown", whole: "of what is owed" };

/// Documents that go to stdout, so many at most.
#[derive(Debug)]
struct Shown {
    terminal: Terminal,
    limit: Option<u64>,
    count: u64,
}

/// Shows what would be sent. Nothing is sent, and no checkpoint is written.
pub(super) fn run(options: &RunOptions, prepared: Prepared, terminal: Terminal) -> anyhow::Result<u8> {
    let Prepared { params, source, mut context } = prepared;
    let Value::Object(mut params) = params else { anyhow::bail!("the parameters are not an object") };
    noted(&context);
    direct::as_to_receivers(&mut params);
    super::remove(&mut params, "monitoring");
    if let Some(limit) = options.limit {
        // No more than is shown shall be fetched.
        replace(&mut params, "logstash", "bulk_max_size", limit.clamp(1, 2048).into());
    }
    let shown = Arc::new(Mutex::new(Shown { terminal, limit: options.limit, count: 0 }));
    let stop = Stop::default();
    context.checkpoint = Keeper::Rehearsal(options.state.clone());
    context.attached.output = Some(Output::shared(shown.clone()));
    context.attached.stop = stop.clone();
    context.attached.is_quiet = true;
    session::run(&stop, 1, async |shim| {
        let meter = Meter::on_terminal(Lines::new(SHOWN, context.attached.counters.clone()));
        let mut result = shim.run(Value::Object(params), context).await;
        drop(meter);
        let shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        if result.verdict == Verdict::InvalidConfig {
            tell(&mut result, &source);
            return Ok(2);
        }
        let count = many(shown.count, "document");
        let error = result.object.get("error").and_then(Value::as_str).filter(|_| !shown.is_full());
        if let Some(error) = error {
            said::to_stderr(format_args!("whiskjack: {error}"));
            said::to_stderr(format_args!("dry run: {count} shown before that; nothing was sent or saved"));
            return Ok(1);
        }
        let more = if shown.is_full() { "there may be more; " } else { "" };
        said::to_stderr(format_args!("dry run: {count} would be sent; {more}nothing was sent or saved"));
        Ok(0)
    })
}

impl Shown {
    fn is_full(&self) -> bool {
        self.limit.is_some_and(|limit| self.count >= limit)
    }

    fn show(&self, document: &[u8]) -> io::Result<()> {
        let mut text = String::from_utf8_lossy(document).into_owned();
        if !self.terminal.json
            && let Ok(value) = serde_json::from_slice::<Value>(document)
        {
            let pretty = serde_json::to_string_pretty(&value)?;
            text = pretty.lines().map(harmless).collect::<Vec<_>>().join("\n");
        }
        text.push('\n');
        io::stdout().write_all(text.as_bytes())
    }
}

impl Sink for Shown {
    fn take(&mut self, documents: &[&[u8]]) -> Result<(), Refusal> {
        let shown = said::aside(|| {
            for document in documents {
                if self.is_full() {
                    break;
                }
                self.show(document)?;
                self.count += 1;
            }
            Ok(())
        });
        shown.map_err(|error: io::Error| Refusal {
            message: crate::os_error::of_stdout(&error),
            retryable: false,
        })?;
        if self.is_full() {
            return Err(Refusal { message: "enough was shown".to_owned(), retryable: false });
        }
        Ok(())
    }
}
