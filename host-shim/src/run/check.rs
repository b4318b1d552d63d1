//! Checking a configuration without a run.

use std::sync::Arc;

use serde_json::Value;

use super::{Access, Limits, NOTHING, RunContext, RunResult, Shim, key_forms, now_ms, way};
use crate::checkpoint::Unusable;
use crate::component::{Authorization, CheckpointKeeper, Context, Worker};
use crate::http::KeyRefused;
use crate::params::HostParams;
use crate::result::Verdict;
use whiskjack_settings::Fault;

impl Shim {
    /// All faults of an action's parameters; empty if a run would begin. Nothing is sent, and the API gets no request: the component plans
    /// a run with an API that permits no request, so it gets as far as its first one.
    pub async fn check(&self, params: Value, context: &RunContext) -> Vec<Fault> {
        let Value::Object(mut params) = params else {
            let remedy = "must be a JSON object, with the keys `actions` and `logstash`".to_owned();
            return vec![Fault { key: "the configuration".to_owned(), value: String::new(), remedy }];
        };
        let mut host = HostParams::take(&mut params);
        let mut secrets = host.secrets.clone();
        secrets.extend(context.api_key.iter().flat_map(key_forms));
        let access = Access::of(context, host.names_api, &mut host.faults);
        let limits = Limits::new(None);
        let Ok(reach) = self.reach(&host, None, &access, &limits, &KeyRefused::default()) else {
            return host.faults;
        };
        let context = of_action(context, &access, None, CheckpointKeeper::Platform);
        let params = Value::Object(params);
        match self.plan(&params, &context, &access, &Arc::new(reach), &limits, host.faults).await {
            Err(result) if result.verdict == Verdict::InvalidConfig => result.sealed(&secrets).faults,
            _ => Vec::new(),
        }
    }

    /// Opens the output, if it is not open yet and the configuration has no faults: nothing is made while it has. The run says which they are.
    pub(super) async fn open_output(
        &self,
        params: &Value,
        context: &RunContext,
    ) -> Result<(), Box<RunResult>> {
        let Some(output) = context.attached.output.as_ref().filter(|output| !output.is_open()) else {
            return Ok(());
        };
        if !self.check(params.clone(), context).await.is_empty() {
            return Ok(());
        }
        output.open().map_err(|unusable| {
            Box::new(match unusable {
                Unusable::Named(message) => RunResult::misused(message),
                Unusable::Blocked(message) => RunResult::error(message),
            })
        })
    }

    /// What the first run of an action would warn of, as far as it can be known before: the component plans a run with a checkpoint of nothing, and neither
    /// forwards nor writes anything. That the API cannot be asked is for the run to say.
    pub(crate) async fn foresee(&self, params: Value, context: &RunContext) -> Vec<String> {
        self.foreseen(params, context).await.unwrap_or_default()
    }

    async fn foreseen(&self, params: Value, context: &RunContext) -> Option<Vec<String>> {
        let Value::Object(mut params) = params else { return None };
        let mut host = HostParams::take(&mut params);
        // They are about the checkpoint that there is, and are checked already.
        ["checkpoint", "from", "on_missing_state"].into_iter().for_each(|key| _ = params.remove(key));
        way::find_proxy(&mut host, context);
        let access = Access::of(context, host.names_api, &mut host.faults);
        let deadline_ms = now_ms().saturating_add(PATIENCE_MS);
        let limits = Limits::new(Some(deadline_ms));
        let permitted = way::permitted(&host, context);
        let reach = self.reach(&host, permitted, &access, &limits, &KeyRefused::default()).ok()?;
        let nothing = CheckpointKeeper::Host(Some(NOTHING.to_vec()));
        let context = of_action(context, &access, Some(deadline_ms), nothing);
        let params = Value::Object(params);
        let planned = self.plan(&params, &context, &access, &Arc::new(reach), &limits, host.faults).await;
        let (plan, mut worker): (_, Worker) = planned.ok()?;
        // Not the last word on a run: so nothing is logged of it.
        let report = worker.conclude(&plan, &[], false, limits.report).await.ok()?;
        let result: Value = serde_json::from_slice(&report.result).ok()?;
        let warnings = result.get("warnings")?.as_array()?.iter();
        Some(warnings.filter_map(Value::as_str).map(str::to_owned).collect())
    }
}

/// What the component is told of a run of the action that is not one yet.
fn of_action(
    context: &RunContext,
    access: &Access,
    deadline_ms: Option<u64>,
    checkpoint: CheckpointKeeper,
) -> Context {
    Context {
        api_origin: access.origin.as_ref().map(ToString::to_string),
        // The platform hands a key to the action, also if there is none here.
        authorization: Authorization::Host,
        namespace: context.namespace.clone(),
        action_name: context.action_name.clone(),
        activation_id: None,
        deadline_ms,
        checkpoint,
    }
}

/// Longest time for a look at what a run would warn of, in milliseconds.
const PATIENCE_MS: u64 = 20_000;
