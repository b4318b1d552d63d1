//! `whiskjack check`: everything between a configuration and its first line, step by step, each with its remedy.
//!
//! ```text
//! configuration → API: name, address, TLS, key, clock → rights, limits, logs, checkpoint → entries of `actions` → receivers
//! ```
//!
//! The host checks its own sockets and TLS. The component reports the selection, the place of log lines, and whether a document is
//! acknowledged (`look`). The check changes nothing: it tries the right to write a package with a body that the API cannot take.

mod api;
mod platform;
mod receivers;

use serde_json::{Value, json};

use crate::component::Subject;
use crate::run::{Access, RunContext, Shim, Sight, Unseen};
use crate::tls::Shown;
use whiskjack_settings::Fault;
use whiskjack_settings::text::many;

/// A certificate with fewer days left deserves a look.
const FEW_DAYS: i64 = 30;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As it should.
    Good,
    /// It works, but a person should have a look.
    Doubtful,
    /// It does not work.
    Bad,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The subject of the check, for example `API key`.
    pub name: String,
    /// How it ended.
    pub mark: Mark,
    /// The finding; if it is bad, the fault and, after a semicolon, the remedy.
    pub told: String,
}

impl Step {
    fn new(mark: Mark, name: impl Into<String>, told: impl Into<String>) -> Self {
        Self { name: name.into(), mark, told: told.into() }
    }

    fn good(name: impl Into<String>, told: impl Into<String>) -> Self {
        Self::new(Mark::Good, name, told)
    }

    fn bad(name: impl Into<String>, told: impl Into<String>) -> Self {
        Self::new(Mark::Bad, name, told)
    }

    fn doubtful(name: impl Into<String>, told: impl Into<String>) -> Self {
        Self::new(Mark::Doubtful, name, told)
    }
}

/// Gets each step when it is done, without secrets.
struct Steps<'s> {
    say: &'s mut dyn FnMut(Step),
    sight: &'s Sight<'s>,
    /// Whether something is wrong with what people gave, and not elsewhere.
    are_of_misuse: bool,
}

impl Steps<'_> {
    /// What is looked at now.
    fn begin(&self, what: &str) {
        self.sight.doing().begin(what);
    }

    /// What is wrong with an option, a file or a variable.
    fn misused(&mut self, step: Step) {
        self.are_of_misuse = true;
        self.add(step);
    }

    fn add(&mut self, step: Step) {
        (self.say)(Step { told: self.sight.clean(&step.told), ..step });
    }
}

/// The subject of the check.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The parameters, if there are any.
    pub params: Option<Value>,
    /// Whether each receiver gets a test document.
    pub send: bool,
}

/// Checks; `say` gets each step when it is done. Whether nothing is wrong with options, files and variables. The error: the configuration has
/// faults, and nothing else was looked at. Must be called on a tokio runtime.
pub async fn check(
    shim: &Shim,
    asked: &Asked,
    context: &RunContext,
    say: &mut dyn FnMut(Step),
) -> Result<bool, Unseen> {
    let mut of_access = Vec::new();
    let params = asked.params.clone().unwrap_or_else(|| json!({}));
    if asked.params.is_some() {
        let places = context.given.places();
        let (about_access, faults): (Vec<Fault>, _) = shim
            .check(params.clone(), context)
            .await
            .into_iter()
            .partition(|fault| places.contains(&fault.key));
        if !faults.is_empty() {
            return Err(Unseen::Config(faults.into_iter().chain(about_access).collect()));
        }
        of_access = about_access;
    } else {
        Access::of(context, false, &mut of_access);
    }
    let sight = shim.sight(params, context).map_err(|error| Unseen::Failed(error.to_string()))?;
    if !sight.faults.is_empty() {
        return Err(Unseen::Config(sight.faults.clone()));
    }
    let mut steps = Steps { say, sight: &sight, are_of_misuse: false };
    if asked.params.is_some() {
        steps.add(Step::good("configuration", "sound"));
    }
    sight.warnings.iter().for_each(|warning| steps.add(Step::doubtful("configuration", warning.as_str())));
    for fault in &of_access {
        steps.misused(Step::bad("API", fault.to_string()));
    }
    if of_access.is_empty() && api::steps(&sight, context, &mut steps).await && asked.params.is_some() {
        platform::steps(&sight, &mut steps).await;
    }
    match asked.params.is_some() {
        true => receivers::steps(&sight, asked.send, &mut steps).await,
        false => steps.add(Step::doubtful(
            "receivers",
            "were not checked, nor what is selected; give a configuration with --config FILE",
        )),
    }
    Ok(!steps.are_of_misuse)
}

/// A handshake in words.
fn secured(name: &str, shown: &Shown) -> Step {
    let Shown { version, issuer, until } = shown;
    let told = format!("{version}, certificate issued by {issuer}");
    match until {
        None => Step::good(name, told),
        Some((day, days)) if *days < 0 => {
            Step::doubtful(name, format!("{told}, expired on {day}; renew it on the server"))
        }
        Some((day, days)) => {
            let told = format!("{told}, {} left (until {day})", many((*days).unsigned_abs(), "day"));
            match *days < FEW_DAYS {
                true => Step::doubtful(name, format!("{told}; renew it on the server in time")),
                false => Step::good(name, told),
            }
        }
    }
}

/// What the component tells; a failure is a step.
async fn told(sight: &Sight<'_>, at: Subject, name: &str, steps: &mut Steps<'_>) -> Option<Value> {
    match sight.look(at).await {
        Ok(told) => Some(told),
        Err(Unseen::Failed(message)) => {
            steps.add(Step::bad(name, message));
            None
        }
        Err(Unseen::Config(faults)) => {
            faults.iter().for_each(|fault| steps.add(Step::bad(name, fault.to_string())));
            None
        }
    }
}
