//! Looking without a run: the component's report about the checkpoint, the selection and the receivers.

use std::sync::Arc;

use serde_json::Value;

use super::{Access, Limits, RunContext, Shim, key_forms, now_ms, way};
use crate::checkpoint;
use crate::component::{Authorization, CheckpointKeeper, Context, Error, Reach, Subject};
use crate::doing::Doing;
use crate::http::{KeyRefused, SetupError};
use crate::net::proxy::Proxy;
use crate::origin::Origin;
use crate::params::HostParams;
use crate::result::{with_state, without};
use crate::run::Keeper;
use crate::secret::Secret;
use crate::tls::Trust;
use whiskjack_settings::{Fault, text};

/// Longest time for one look, in milliseconds.
const PATIENCE_MS: u64 = 70_000;

/// Where no API is named, the receivers and a checkpoint in a file can be looked at all the same: nothing is asked there.
const NOBODY: &str = "https://api.invalid";

/// The reason why a look failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// The configuration.
    Config(Vec<Fault>),
    /// Anything else: a sentence.
    Failed(String),
}

/// What a look needs, made ready once.
pub(crate) struct Sight<'s> {
    shim: &'s Shim,
    params: Value,
    context: RunContext,
    pub(crate) access: Access,
    pub(crate) reach: Arc<Reach>,
    /// Where the API is, and the way there.
    pub(crate) origin: Option<Origin>,
    pub(crate) api_trust: Trust,
    pub(crate) api_proxy: Option<Proxy>,
    /// What should be known of the host's keys though it is not a fault.
    pub(crate) warnings: Vec<String>,
    pub(crate) secrets: Vec<Secret>,
    /// What is wrong besides the parameters themselves: with the environment's proxies, or with the place of the checkpoint. Then nothing is reached.
    pub(crate) faults: Vec<Fault>,
    pub(crate) refused: KeyRefused,
}

impl Shim {
    /// Makes a look ready. What is wrong with API host or key stops only who asks the API.
    pub(crate) fn sight(&self, params: Value, context: &RunContext) -> Result<Sight<'_>, SetupError> {
        let mut params = match params {
            Value::Object(params) => params,
            _ => serde_json::Map::new(),
        };
        let mut host = HostParams::take(&mut params);
        host.faults.extend(context.checkpoint.unused(&params));
        way::find_proxy(&mut host, context);
        let mut secrets = host.secrets.clone();
        secrets.extend(context.api_key.iter().flat_map(key_forms));
        let access = Access::of(context, host.names_api, &mut Vec::new());
        let origin = way::permitted(&host, context);
        let limits = Limits::new(Some(now_ms().saturating_add(PATIENCE_MS)));
        let refused = KeyRefused::default();
        let reach = self.reach(&host, origin.clone(), &access, &limits, &refused)?;
        Ok(Sight {
            shim: self,
            params: Value::Object(params),
            context: context.clone(),
            access,
            reach: Arc::new(reach),
            origin,
            api_trust: host.api_trust,
            api_proxy: host.api_proxy,
            warnings: host.warnings,
            secrets,
            faults: host.faults,
            refused,
        })
    }
}

impl Sight<'_> {
    /// Learns what is looked at.
    pub(crate) fn doing(&self) -> &Doing {
        &self.context.attached.doing
    }

    /// What the component tells, without secrets.
    pub(crate) async fn look(&self, at: Subject) -> Result<Value, Unseen> {
        let failed =
            |what: &dyn std::fmt::Display| Unseen::Failed(self.named(&self.clean(&what.to_string())));
        let deadline_ms = now_ms().saturating_add(PATIENCE_MS);
        // The command's places: a file, or the platform.
        let checkpoint = if let Keeper::File(path) = &self.context.checkpoint {
            CheckpointKeeper::Host(checkpoint::glance(path).map_err(|message| failed(&message))?)
        } else {
            CheckpointKeeper::Platform
        };
        let origin = self.access.origin.as_ref().map(ToString::to_string);
        let is_local = matches!(checkpoint, CheckpointKeeper::Host(_)) && at == Subject::Checkpoint;
        let nobody = || (is_local || at == Subject::Receivers).then(|| NOBODY.to_owned());
        let context = Context {
            api_origin: origin.or_else(nobody),
            authorization: Authorization::Host,
            namespace: self.context.namespace.clone(),
            action_name: self.context.action_name.clone(),
            activation_id: None,
            deadline_ms: Some(deadline_ms),
            checkpoint,
        };
        let limits = Limits::new(Some(deadline_ms));
        let params = self.params.to_string().into_bytes();
        let worker = self.shim.component.worker(&self.reach).await;
        let mut worker = worker.map_err(|error| failed(&error))?;
        match worker.look(&params, &context, at, limits.report).await {
            Ok(Ok(told)) => {
                let read = serde_json::from_str(&self.clean(&String::from_utf8_lossy(&told)));
                let mut told: Value = read.map_err(|error| failed(&error))?;
                text::change_each(&mut told, &|text| self.named(text));
                Ok(told)
            }
            Ok(Err(Error::InvalidConfig(faults))) => Err(Unseen::Config(
                faults
                    .into_iter()
                    .map(|fault| Fault {
                        key: self.access.place(fault.key),
                        value: self.clean(&fault.value),
                        remedy: self.clean(&fault.remedy),
                    })
                    .collect(),
            )),
            Ok(Err(Error::Api(failure) | Error::Checkpoint(failure))) => Err(failed(&failure.message)),
            Ok(Err(Error::Other(message))) => Err(failed(&message)),
            Err(error) => Err(failed(&error)),
        }
    }

    /// The text with the checkpoint's file as the command has it.
    fn named(&self, text: &str) -> String {
        match self.context.checkpoint.file() {
            Some(file) => with_state(text, &format!("--state {}", file.display())),
            None => text.to_owned(),
        }
    }

    /// The text without secrets.
    pub(crate) fn clean(&self, text: &str) -> String {
        without(text, &self.secrets)
    }
}
