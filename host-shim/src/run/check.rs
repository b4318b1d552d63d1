//! Checking a configuration without a run.

use std::sync::Arc;

use serde_json::Value;

use super::{Access, Limits, RunContext, Shim, key_forms};
use crate::component::{Authorization, CheckpointKeeper, Context};
use crate::params::HostParams;
use crate::result::Verdict;
use whiskjack_settings::Fault;

impl Shim {
    /// All that is wrong with the parameters of an action; empty if a run would begin. Nothing is sent, and the API is not asked:
    /// the component plans a run with an API that permits no request, so it gets as far as its first one.
    pub async fn check(&self, params: Value, context: &RunContext) -> Vec<Fault> {
        let Value::Object(mut params) = params else {
            let remedy = "must be a JSON object, with the keys `actions` and `logstash`".to_owned();
            return vec![Fault { key: "the configuration".to_owned(), value: String::new(), remedy }];
        };
        let mut host = HostParams::take(&mut params);
        let mut secrets = host.secrets.clone();
        secrets.extend(context.api_key.iter().flat_map(key_forms));
        let access = Access::of(context, host.api_host.is_some(), &mut host.faults);
        let limits = Limits::new(None);
        let Ok(reach) = self.reach(&host, None, &access, &limits) else {
            return host.faults;
        };
        let context = Context {
            api_origin: access.origin.as_ref().map(ToString::to_string),
            // The platform hands the key to the action, whatever it is here.
            authorization: Authorization::Host,
            namespace: context.namespace.clone(),
            action_name: context.action_name.clone(),
            activation_id: None,
            deadline_ms: None,
            checkpoint: CheckpointKeeper::Platform,
        };
        let params = Value::Object(params);
        match self.plan(&params, &context, &access, &Arc::new(reach), &limits, host.faults).await {
            Err(result) if result.verdict == Verdict::InvalidConfig => result.sealed(&secrets).faults,
            _ => Vec::new(),
        }
    }
}
