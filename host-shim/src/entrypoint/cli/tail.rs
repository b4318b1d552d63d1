//! `tail`: lines as they appear. There is no receiver, and the checkpoint ends with the command.

mod view;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};
use whiskjack_config_file::Source;

use self::view::View;
use super::ending::{ended, misused, noted, tell};
use super::meter::Meter;
use super::progress::{Lines, Words};
use super::terminal::{Speech, Terminal};
use super::trouble::Troubles;
use super::{Prepared, direct, remove, replace, session, times};
use crate::attached::Stop;
use crate::entrypoint::environment;
use crate::os_error;
use crate::output::Output;
use crate::result::Verdict;
use crate::run::{Keeper, Memory, RunContext, Shim};
use crate::said;

/// Lines wait until a look is over, and are shown then.
const READ: Words = Words { unit: "line", done: "read", whole: "of the time" };

/// Time between two looks with `--follow`.
const EVERY: Duration = Duration::from_secs(3);

/// Show lines as they appear: of the actions that are named, else of those of --config, else of all in the namespace. Nothing is forwarded
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  whiskjack tail
  whiskjack tail shop/checkout 'tools/*' --since 1h
  whiskjack tail --follow --failed
  whiskjack tail --config whiskjack.yaml --since 2026-11-29T14:00:00Z --json")]
pub struct TailOptions {
    /// Names or patterns, as in `actions` of the configuration
    #[arg(value_name = "ACTION")]
    pub actions: Vec<String>,
    /// Take `actions`, `lines`, `api` and `logs` from this configuration
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Begin there: a span before now, or a time
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = times::past)]
    pub since: u64,
    /// Go on until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,
    /// Only activations that failed, also if they printed nothing
    #[arg(long)]
    pub failed: bool,
    /// JSON or text.
    #[command(flatten)]
    pub speech: Speech,
}

impl TailOptions {
    /// Shows lines.
    pub(super) fn go(&self) -> ExitCode {
        match prepare(self, &environment) {
            Ok(prepared) => ended(run(self, prepared, Terminal::of_stdout(self.speech, &environment))),
            Err(message) => misused(&message),
        }
    }
}

/// Parameters and context, as far as files and the environment tell. Errors are sentences.
fn prepare(options: &TailOptions, environment: &dyn Fn(&str) -> Option<String>) -> Result<Prepared, String> {
    let mut prepared = match &options.config {
        Some(config) => super::prepare_file(config, Some(&super::TlsFiles::default()), None, environment)?,
        None => Prepared {
            params: json!({}),
            source: Source::default(),
            context: super::context(None, environment)?,
        },
    };
    if let Value::Object(params) = &mut prepared.params {
        direct::without_memory(params);
        direct::to_output(params);
        choose(options, params);
    }
    Ok(prepared)
}

/// What is shown, and how it comes.
fn choose(options: &TailOptions, params: &mut Map<String, Value>) {
    if !options.actions.is_empty() {
        params.insert("actions".to_owned(), json!(options.actions));
    }
    params.entry("actions").or_insert_with(|| json!(["*", "*/*"]));
    for key in ["events", "fields", "fields_under_root", "tags"] {
        remove(params, key);
    }
    params.insert("events".to_owned(), json!({"shape": "ecs", "activations": "failed"}));
    let is_given = |group: &str| {
        params.keys().any(|key| key.starts_with(group)) || {
            let lines = params.get("lines").and_then(Value::as_object);
            lines.is_some_and(|lines| lines.keys().any(|key| key.starts_with("multiline")))
        }
    };
    if !is_given("lines.multiline") {
        replace(params, "lines", "multiline", "auto".into());
    }
    if options.failed {
        replace(params, "lines", "only", "failed".into());
    }
    // Inclusive, as people mean it.
    params.insert("from".to_owned(), options.since.saturating_sub(1).into());
}

/// Shows lines until there are no more, or until it is told to end.
fn run(options: &TailOptions, prepared: Prepared, terminal: Terminal) -> anyhow::Result<u8> {
    let Prepared { params, source, mut context } = prepared;
    noted(&context);
    let (stop, view) = (Stop::default(), Arc::new(Mutex::new(View::new(terminal))));
    context.checkpoint = Keeper::Memory(Memory::default());
    context.attached.output = Some(Output::shared(view.clone()));
    context.attached.stop = stop.clone();
    context.attached.is_quiet = true;
    session::run(&stop, 1, async |shim| {
        let tail = Tail { shim, params, source, context, view };
        tokio::select! {
            ended = tail.run(options.follow, &stop) => ended,
            // Nothing is to be saved.
            () = stop.wished() => Ok(0),
        }
    })
}

struct Tail {
    shim: Shim,
    params: Value,
    source: Source,
    context: RunContext,
    view: Arc<Mutex<View>>,
}

impl Tail {
    async fn run(&self, follow: bool, stop: &Stop) -> anyhow::Result<u8> {
        let mut troubles = Troubles::new(self.context.attached.counters.clone());
        loop {
            let meter = Meter::on_terminal(Lines::new(READ, self.context.attached.counters.clone()));
            let mut result = self.shim.run(self.params.clone(), self.context.clone()).await;
            drop(meter);
            if let Err(error) = self.view.lock().unwrap_or_else(PoisonError::into_inner).show() {
                // The reader has seen enough.
                return if error.kind() == std::io::ErrorKind::BrokenPipe {
                    Ok(0)
                } else {
                    Err(anyhow::Error::msg(os_error::of_stdout(&error)))
                };
            }
            if result.verdict == Verdict::InvalidConfig {
                tell(&mut result, &self.source);
                return Ok(2);
            }
            troubles.note(&result).iter().for_each(said::to_stderr);
            // A person would wait in vain for a key to become valid.
            if !follow || troubles.is_refused() {
                return Ok(u8::from(result.object.contains_key("error")));
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.wished() => return Ok(0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(actions: &[&str], failed: bool) -> TailOptions {
        TailOptions {
            actions: actions.iter().map(ToString::to_string).collect(),
            config: None,
            since: 1001,
            follow: false,
            failed,
            speech: Speech::default(),
        }
    }

    fn chosen(options: &TailOptions, params: Value) -> Value {
        let Value::Object(mut params) = params else { panic!() };
        direct::without_memory(&mut params);
        choose(options, &mut params);
        Value::Object(params)
    }

    #[test]
    fn all_actions_are_shown_unless_some_are_named_and_traces_are_joined() {
        let all = chosen(&options(&[], false), json!({}));
        assert_eq!(
            all,
            json!({
                "actions": ["*", "*/*"], "from": 1000, "lines": {"multiline": "auto"},
                "events": {"shape": "ecs", "activations": "failed"}
            })
        );
        let named =
            chosen(&options(&["a", "b/*"], true), json!({"actions": ["c"], "checkpoint.package": "p"}));
        assert_eq!((&named["actions"], &named["lines"]["only"]), (&json!(["a", "b/*"]), &json!("failed")));
        assert_eq!(named.get("checkpoint.package"), None);
    }

    #[test]
    fn what_a_configuration_says_of_lines_stays() {
        for given in [json!({"lines.multiline": false}), json!({"lines": {"multiline": false}})] {
            let mut params = given.clone();
            params["actions"] = json!(["c"]);
            params["tags"] = json!(["x"]);
            let params = chosen(&options(&[], false), params);
            assert_eq!(params["actions"], json!(["c"]));
            assert_eq!(params.get("tags"), None);
            for (key, value) in given.as_object().unwrap() {
                assert_eq!(&params[key], value);
            }
        }
    }
}
