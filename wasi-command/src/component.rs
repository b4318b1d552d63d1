//! The component's edge: `wasi:cli/run` on one side, the forwarder on the other.

mod bindings;

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use self::bindings::exports::wasi::cli::run::Guest;
use self::bindings::whiskjack::forwarder::control;
use self::bindings::whiskjack::forwarder::forwarder::{self, Report, RunPlan, Slice};
use self::bindings::whiskjack::forwarder::types::{
    Authorization, CheckpointKeeper, ConfigFault, Context, Error,
};
use whiskjack_config_file::ConfigFile;

use crate::arguments::{self, Command, Files, HELP, KEY};
use crate::outcome::{Outcome, redacted};
use crate::security::{self, Channel, take};
use crate::state::StateFile;
use whiskjack_settings::{Fault, said};

/// A run that is killed repeats at most what it did in this time.
const SAVE_EVERY: Duration = Duration::from_secs(15);

struct Component;

#[allow(unsafe_code, reason = "generated: the function that the host calls")]
mod export {
    use super::{Component, bindings};

    bindings::export!(Component with_types_in bindings);
}

impl Guest for Component {
    fn run() -> Result<(), ()> {
        let said = match arguments::parse(std::env::args_os().skip(1)) {
            Ok(Command::Help) => HELP.to_owned(),
            Ok(Command::Version) => concat!("whiskjack ", env!("CARGO_PKG_VERSION"), "\n").to_owned(),
            Ok(Command::Run(files)) => return run_once(&files),
            Err(message) => return misused(&message),
        };
        print(&said)
    }
}

fn misused(message: &str) -> Result<(), ()> {
    said::to_stderr(format_args!("whiskjack: {message}"));
    Err(())
}

/// Prints what the command was started for.
fn print(text: &str) -> Result<(), ()> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| said::to_stderr(format_args!("whiskjack: cannot write to stdout: {error}")))
}

fn run_once(files: &Files) -> Result<(), ()> {
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let ConfigFile { mut params, source } = match arguments::params(files, &environment) {
        Ok(file) => file,
        Err(message) => return misused(&message),
    };
    let (key, key_fault) = arguments::api_key(&environment);
    let state = files.state.as_deref();
    let (idle, unused) = (security::idle(&params), security::unused_state(&params, state));
    let (channel, mut faults) = take(&mut params);
    faults.extend(key_fault);
    faults.extend(unused);
    control::choose(&match channel {
        Channel::Plain => control::Channel::Plain,
        Channel::Tls(name) => control::Channel::Tls(name),
    });
    let context = Context {
        api_origin: environment("__OW_API_HOST"),
        authorization: key.clone().map_or(Authorization::Missing, Authorization::Key),
        namespace: environment("__OW_NAMESPACE"),
        action_name: None,
        activation_id: None,
        deadline_ms: None,
        checkpoint: CheckpointKeeper::Platform,
    };
    let params = serde_json::Value::Object(params).to_string();
    let outcome = forward(params.as_bytes(), context, state, faults, idle)
        .unwrap_or_else(|failed| *failed)
        .with_state(state)
        .as_written(&source);
    control::say_goodbye();
    for fault in &outcome.faults {
        let line = source.located(&fault.key, &fault);
        said::to_stderr(redacted(&line, key.as_deref()));
    }
    print(&format!("{}\n", outcome.line(key.as_deref())))?;
    if outcome.complete { Ok(()) } else { Err(()) }
}

/// Plans, forwards every slice on one worker, and concludes. The error is an outcome too: of a run that did not come to work.
fn forward(
    params: &[u8],
    mut context: Context,
    state: Option<&Path>,
    faults: Vec<Fault>,
    idle: Option<String>,
) -> Result<Outcome, Box<Outcome>> {
    let failed = |message: String| Box::new(Outcome::error(message));
    let keyed = !matches!(context.authorization, Authorization::Missing);
    let mut kept = Kept { file: None, saved_at: Instant::now() };
    if !faults.is_empty() {
        // Nothing is read while the configuration is wrong: without authorization the forwarder only looks for its own faults.
        context.authorization = Authorization::Missing;
    } else if let Some(path) = state {
        let run = format!("{:016x}", RandomState::new().hash_one(now_ms()));
        let file = StateFile::open(path, &run, now_ms()).map_err(failed)?;
        context.checkpoint = CheckpointKeeper::Host(file.load().map_err(failed)?);
        kept.file = Some(file);
    }
    let plan = match forwarder::plan(params, &context) {
        Ok(plan) if faults.is_empty() => plan,
        answer => return Err(Box::new(refused(answer.err(), faults, keyed))),
    };
    let report = work(&plan, &mut kept);
    let saved = kept.keep(&report);
    Ok(Outcome::report(&report.result, report.complete, saved, idle))
}

/// Why there is no plan. With a key (`keyed`) a missing one is not a fault: it was held back.
fn refused(error: Option<Error>, mut faults: Vec<Fault>, keyed: bool) -> Outcome {
    match error {
        Some(Error::InvalidConfig(found)) => {
            let found = found.into_iter().filter(|fault| !keyed || fault.key != KEY);
            faults.extend(found.map(|ConfigFault { key, value, remedy }| Fault {
                remedy: here(&key, &value).unwrap_or(remedy),
                key,
                value,
            }));
            Outcome::invalid_config(faults)
        }
        // The forwarder's other errors come from the key that it was not given because of these faults.
        _ if !faults.is_empty() => Outcome::invalid_config(faults),
        // wasmtime has one word for all that goes wrong with TLS.
        Some(Error::Api(failure)) if failure.message.contains("TLS") => {
            Outcome::error(format!("{} {}", failure.message, security::ABOUT_API))
        }
        Some(Error::Api(failure) | Error::Checkpoint(failure)) => Outcome::error(failure.message),
        Some(Error::Other(message)) => Outcome::error(message),
        None => Outcome::error("the forwarder made no plan"),
    }
}

/// What to do here, where it is not what an action would do.
fn here(key: &str, value: &str) -> Option<String> {
    let remedy = match (key, value) {
        (KEY, _) => {
            "there is no API key; set it, `uuid:secret`, and hand it over with `wasmtime run --env __OW_API_KEY`"
        }
        ("api.host", "") => {
            "give the origin of the OpenWhisk API, or set it and hand it over with `wasmtime run --env __OW_API_HOST`"
        }
        _ => return None,
    };
    Some(remedy.to_owned())
}

fn work(plan: &RunPlan, kept: &mut Kept) -> Report {
    let mut queue: VecDeque<Slice> = plan.slices.iter().cloned().collect();
    let mut outcomes = Vec::new();
    while let Some(slice) = queue.pop_front() {
        let outcome = forwarder::forward(plan, &slice);
        // At the end, so that a long backlog holds up nobody.
        queue.extend(outcome.rest.clone());
        outcomes.push(outcome);
        if !kept.renew() {
            break;
        }
        if kept.saved_at.elapsed() >= SAVE_EVERY {
            // A failure here is not the run's: the last save decides.
            if let Err(message) = kept.keep(&forwarder::conclude(plan, &outcomes, false)) {
                said::to_stderr(format_args!("whiskjack: {message}"));
            }
        }
    }
    forwarder::conclude(plan, &outcomes, true)
}

/// Where the checkpoint is kept, if not by the platform, and when it was saved last.
struct Kept {
    file: Option<StateFile>,
    saved_at: Instant,
}

impl Kept {
    fn keep(&mut self, report: &Report) -> Result<(), String> {
        self.saved_at = Instant::now();
        match (&self.file, &report.checkpoint) {
            (Some(file), Some(bytes)) => file.save(bytes),
            _ => Ok(()),
        }
    }

    /// Whether the run may go on. If another one has the lease, the last save says so.
    fn renew(&self) -> bool {
        let Some(file) = &self.file else { return true };
        file.check().is_ok_and(|()| {
            file.renew(now_ms())
                .unwrap_or_else(|message| said::to_stderr(format_args!("whiskjack: {message}")));
            true
        })
    }
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
