//! The component's edge: the WIT world on one side, the core's ports on the other.

mod bindings;
mod clock;
mod http;
mod receiver;

use crate::config::{Config, Faults, Origin};
use crate::handover;
use crate::ports::{Failure, Ports};
use crate::run;
use crate::run::forward::{Outcome, Worker};
use crate::run::look::{self, Subject};
use crate::run::plan::{self, CheckpointKeeper, Memory, Plan, PlanError, Slice};
use crate::run::report::{self, Report};
use anyhow::Context;
use bindings::exports::whiskjack::forwarder::forwarder as wit;
use bindings::whiskjack::forwarder::types;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::io::Write;
use whiskjack_settings::text;

struct Component;

#[allow(unsafe_code, reason = "generated: the functions that the host calls")]
mod export {
    use super::{Component, bindings};

    bindings::export!(Component with_types_in bindings);
}

/// The state that goes from call to call, and from instance to instance.
#[derive(Serialize, Deserialize)]
struct State {
    origin: Origin,
    /// `None` when the host authorizes the requests.
    key: Option<String>,
    plan: Plan,
}

/// What an instance keeps between calls: a run's plan, so that it is not read anew for each slice, and the worker.
struct Kept {
    /// The plan as the host hands it over.
    handed: Vec<u8>,
    state: State,
    worker: Worker,
}

impl Kept {
    /// That of the run with this plan. `kept` is of the call before; a worker serves one run only.
    fn of(kept: Option<Self>, handed: Vec<u8>) -> anyhow::Result<Self> {
        match kept.filter(|kept| kept.handed == handed) {
            Some(kept) => Ok(kept),
            None => Ok(Self { state: handed_back("plan", &handed)?, handed, worker: Worker::default() }),
        }
    }
}

thread_local! {
    static KEPT: RefCell<Option<Kept>> = RefCell::default();
    /// For the next run, if the host keeps the instance.
    static MEMORY: RefCell<Option<Memory>> = RefCell::default();
}

impl wit::Guest for Component {
    fn plan(params: Vec<u8>, context: types::Context) -> Result<wit::RunPlan, types::Error> {
        let (config, origin, context, key) = configure(&params, context)?;
        let api = http::Api::new(&origin, key.as_deref());
        let plan = plan::plan(&config, &context, ports(&api)).map_err(error)?;
        let slices = plan.slices().into_iter().map(wit_slice).collect();
        let workers = config.output.workers();
        Ok(wit::RunPlan { state: handover::write(&State { origin, key, plan }), slices, workers })
    }

    fn forward(plan: wit::RunPlan, slice: wit::Slice) -> wit::Outcome {
        let mut outcome = forward(plan, &slice).unwrap_or_else(|error| Outcome {
            source: slice.source,
            failure: Some(format!("{error:#}")),
            ..Outcome::default()
        });
        let rest = outcome.rest.take().map(wit_slice);
        wit::Outcome {
            rest,
            acknowledged: outcome.tally.sending.acknowledged,
            state: handover::write(&outcome),
        }
    }

    fn conclude(plan: wit::RunPlan, outcomes: Vec<wit::Outcome>, last: bool) -> wit::Report {
        conclude(&plan, outcomes, last).unwrap_or_else(|error| {
            let result = text::json(&serde_json::json!({ "error": format!("{error:#}") })).into_bytes();
            wit::Report { result, checkpoint: None, complete: false }
        })
    }

    fn run(params: Vec<u8>, context: types::Context) -> Result<wit::Report, types::Error> {
        let (config, origin, context, key) = configure(&params, context)?;
        let api = http::Api::new(&origin, key.as_deref());
        run::run(&config, &context, ports(&api)).map(wit_report).map_err(error)
    }

    fn look(params: Vec<u8>, context: types::Context, at: wit::Subject) -> Result<Vec<u8>, types::Error> {
        let (config, origin, context, key) = configure(&params, context)?;
        let api = http::Api::new(&origin, key.as_deref());
        let subject = match at {
            wit::Subject::Checkpoint => Subject::Checkpoint,
            wit::Subject::Sources => Subject::Sources,
            wit::Subject::Receivers => Subject::Receivers,
        };
        look::look(&config, &context, ports(&api), subject).map_err(error)
    }
}

fn forward(plan: wit::RunPlan, slice: &wit::Slice) -> anyhow::Result<Outcome> {
    let mut kept = Kept::of(KEPT.take(), plan.state)?;
    let slice: Slice = handed_back("slice", &slice.state)?;
    let State { origin, key, plan } = &kept.state;
    let api = http::Api::new(origin, key.as_deref());
    let outcome = kept.worker.forward(ports(&api), plan, &slice);
    KEPT.set(Some(kept));
    Ok(outcome)
}

fn conclude(plan: &wit::RunPlan, outcomes: Vec<wit::Outcome>, last: bool) -> anyhow::Result<wit::Report> {
    let State { origin, key, plan } = handed_back("plan", &plan.state)?;
    let outcomes: Vec<Outcome> = outcomes
        .into_iter()
        .map(|outcome| handed_back("outcome", &outcome.state))
        .collect::<anyhow::Result<_>>()?;
    let api = http::Api::new(&origin, key.as_deref());
    Ok(wit_report(report::conclude(ports(&api), &plan, &outcomes, last)))
}

/// The state that an earlier call returned and the host hands back; `name` is for an error.
fn handed_back<T: DeserializeOwned>(name: &'static str, state: &[u8]) -> anyhow::Result<T> {
    handover::read(state).context(name)
}

fn ports(api: &http::Api) -> Ports<'_> {
    Ports { clock: &clock::Wasi, http: api, transport: &receiver::Host }
}

fn configure(
    params: &[u8],
    context: types::Context,
) -> Result<(Config, Origin, plan::Context, Option<String>), types::Error> {
    let mut known = plan::Context {
        api_host: context.api_origin,
        authorized: matches!(context.authorization, types::Authorization::Host),
        own_action: context
            .action_name
            .map(|name| plan::OwnAction { name, activation: context.activation_id }),
        deadline_ms: context.deadline_ms,
        keeper: match context.checkpoint {
            types::CheckpointKeeper::Platform => CheckpointKeeper::Platform,
            types::CheckpointKeeper::Host(kept) => CheckpointKeeper::Host(kept),
        },
        memory: MEMORY.take(),
    };
    let configured = match context.authorization {
        types::Authorization::Key(key) => plan::configure_with_key(params, &mut known, &key)
            .map(|(config, origin, key)| (config, origin, Some(key))),
        types::Authorization::Host | types::Authorization::Missing => {
            plan::configure(params, &known).map(|(config, origin)| (config, origin, None))
        }
    };
    let (config, origin, key) = configured.map_err(|faults| error(PlanError::Config(faults)))?;
    Ok((config, origin, known, key))
}

fn error(error: PlanError) -> types::Error {
    let failure = |Failure { message, retryable }| types::Failure { message, retryable };
    match error {
        PlanError::Config(Faults(faults)) => types::Error::InvalidConfig(
            faults
                .into_iter()
                .map(|fault| types::ConfigFault { key: fault.key, value: fault.value, remedy: fault.remedy })
                .collect(),
        ),
        PlanError::Api(reason) => types::Error::Api(failure(reason)),
        PlanError::Checkpoint(reason) => types::Error::Checkpoint(failure(reason)),
    }
}

fn wit_slice(slice: Slice) -> wit::Slice {
    wit::Slice {
        since_ms: slice.owed.range.since(),
        upto_ms: slice.owed.range.upto(),
        state: handover::write(&slice),
        source: slice.source,
    }
}

/// Hands a report over, and keeps what the next run may use. Its log goes to stderr, which is the activation's log.
fn wit_report(report: Report) -> wit::Report {
    // A log that cannot be written stops no run.
    report.log.iter().for_each(|line| _ = writeln!(std::io::stderr(), "whiskjack: {line}"));
    MEMORY.set(report.memory);
    wit::Report { result: report.result, checkpoint: report.checkpoint, complete: report.complete }
}
