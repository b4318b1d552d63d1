//! One run: plan, forward on several workers, conclude.

mod access;
mod apart;
mod check;
mod find;
mod forward;
mod keeper;
mod limits;
mod look;
mod namespace;
mod span;
mod told;
mod way;

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::attached::Attached;
use crate::component::{
    Authorization, CallError, CheckpointKeeper, Context, Error, LoadError, Plan, Prepared, Reach, Worker,
};
use crate::http::{self, Api, KeyRefused, Pool, Way};
use crate::origin::Origin;
use crate::params::{HostParams, ProxyVariables, Receivers};
use crate::result::RunResult;
use crate::secret::Secret;
use crate::tls::Trust;
use whiskjack_settings::Fault;
use whiskjack_settings::text;

pub(crate) use self::access::Access;
pub use self::access::Given;
pub use self::apart::{Runner, RunnerError, Stuck};
pub use self::find::Record;
use self::forward::{Begun, Run};
pub(crate) use self::keeper::OwnFile;
pub use self::keeper::{Keeper, Memory};
use self::limits::{COMPONENT_MARGIN_MS, Limits, now_ms};

pub(crate) use self::look::Sight;
pub use self::look::Unseen;
pub(crate) use self::namespace::other as other_namespace;
pub(crate) use self::span::{done, done_since};

/// A checkpoint of nothing.
const NOTHING: &[u8] = br#"{"version":3,"sources":{}}"#;

/// The surroundings of a run.
#[derive(Clone, Debug, Default)]
pub struct RunContext {
    /// Origin of the OpenWhisk API, in any form that [`Origin::parse`] reads.
    pub api_host: Option<String>,
    /// Key for the API, `uuid:secret`. The component never sees it.
    pub api_key: Option<Secret>,
    /// Namespace of the activation.
    pub namespace: Option<String>,
    /// The forwarder's own action, `/namespace/[package/]action`.
    pub action_name: Option<String>,
    /// Activation that this run is part of.
    pub activation_id: Option<String>,
    /// When the platform ends the run, in milliseconds since 1970.
    pub deadline_ms: Option<u64>,
    /// Who keeps the checkpoint.
    pub checkpoint: Keeper,
    /// The places where host and key were given.
    pub given: Given,
    /// The environment's variables about proxies to the API.
    pub proxies: ProxyVariables,
    /// The parts that the command attaches.
    pub attached: Attached,
}

/// A runtime that suits [`Shim::run`]: one thread, which looks at sockets and clocks after every step of a worker.
///
/// Tokio's default is every 61 steps. A step of a busy instance may take 15 ms, so that would be a second.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().event_interval(1).enable_all().build()
}

/// Everything that outlives a run: the component made ready, the pool of connections to the API, and an instance that remembers the last run.
pub struct Shim {
    component: Arc<Prepared>,
    pool: Pool,
    /// That of a run that had nothing to forward: its memory is small, and it has no connection.
    warm: Mutex<Option<Worker>>,
}

impl std::fmt::Debug for Shim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shim").finish_non_exhaustive()
    }
}

impl Shim {
    /// Makes the embedded component ready. It fails if there is none, or if it does not fit.
    pub fn new() -> Result<Self, LoadError> {
        Ok(Self { component: Arc::new(Prepared::load()?), pool: Pool::default(), warm: Mutex::default() })
    }

    /// Runs the forwarder once. It never fails: errors are in the result. Must be called on a tokio runtime; [`runtime`] makes one.
    pub async fn run(&self, params: Value, context: RunContext) -> RunResult {
        if let Err(result) = self.open_output(&params, &context).await {
            return *result;
        }
        let Value::Object(mut params) = params else {
            return RunResult::error(
                "the parameters are not a JSON object; give named parameters, such as `actions` and `logstash`",
            );
        };
        let mut host = HostParams::take(&mut params);
        host.faults.extend(context.checkpoint.unused(&params));
        let package = keeper::package(&params);
        if matches!(context.checkpoint, Keeper::Rehearsal(_)) {
            // The component shall keep nothing, and shall believe what it is handed.
            params.remove("checkpoint");
        }
        way::find_proxy(&mut host, &context);
        let mut secrets = host.secrets.clone();
        secrets.extend(context.api_key.iter().flat_map(key_forms));
        self.pool.look().await;
        let (refused, names_api) = (KeyRefused::default(), host.names_api);
        let result = self.run_checked(&Value::Object(params), host, &context, &refused, &package).await;
        let mut result = match context.checkpoint.file() {
            None => result,
            Some(file) => result.with_state(&format!("--state {}", file.display())),
        };
        if let Some(place) = context.given.api_host.as_ref().filter(|_| !names_api) {
            result = result.with_api_host(place);
        }
        told::extend(&mut result, &context.given, &refused);
        result.sealed(&secrets)
    }

    async fn run_checked(
        &self,
        params: &Value,
        host: HostParams,
        context: &RunContext,
        refused: &KeyRefused,
        package: &str,
    ) -> RunResult {
        let begun = tokio::select! {
            begun = self.begin(params, host, context, refused, package) => begun,
            // Nothing has been sent yet.
            () = context.attached.stop.urgent() => Err(RunResult::error(
                "the run: was told to end before it had a plan; the next one begins anew",
            )),
        };
        match begun {
            Ok(mut run) => {
                run.forward_all().await;
                let result = run.finish().await;
                *self.warm.lock().unwrap_or_else(PoisonError::into_inner) = run.warm();
                result
            }
            Err(result) => result,
        }
    }

    async fn begin(
        &self,
        params: &Value,
        mut host: HostParams,
        context: &RunContext,
        refused: &KeyRefused,
        package: &str,
    ) -> Result<Run, RunResult> {
        let limits = Limits::new(context.deadline_ms);
        let kept = context.checkpoint.open()?;
        let warnings = std::mem::take(&mut host.warnings);
        let access = Access::of(context, host.names_api, &mut host.faults);
        let platform = access.origin.clone();
        let permitted = way::permitted(&host, context);
        let reach = match self.reach(&host, permitted, &access, &limits, refused) {
            Ok(reach) => Arc::new(reach.with(&context.attached)),
            Err(error) => return Err(RunResult::error(error.to_string())),
        };
        if host.faults.is_empty()
            && let Some(fault) = namespace::check(&reach.api, context).await
        {
            return Err(RunResult::invalid_config(vec![fault]));
        }
        let keeper = match context.checkpoint.load(&kept, &reach.api, package).await {
            Ok(keeper) => keeper,
            // What is wrong with the configuration is told first.
            Err(_) if !host.faults.is_empty() => CheckpointKeeper::Host(None),
            Err(message) => return Err(RunResult::error(message)),
        };
        let before = match &keeper {
            // Only who watches compares.
            CheckpointKeeper::Host(bytes) if context.attached.watcher.is_some() => bytes.clone(),
            _ => None,
        };
        let component_context = Context {
            api_origin: platform.map(|origin| origin.to_string()),
            authorization: match access.key {
                Some(_) => Authorization::Host,
                None => Authorization::Missing,
            },
            namespace: context.namespace.clone(),
            action_name: context.action_name.clone(),
            activation_id: context.activation_id.clone(),
            deadline_ms: context.deadline_ms.map(|deadline| deadline.saturating_sub(COMPONENT_MARGIN_MS)),
            checkpoint: keeper,
        };
        let (plan, worker) =
            match self.plan(params, &component_context, &access, &reach, &limits, host.faults).await {
                Ok(planned) => planned,
                Err(result) => return Err(*result),
            };
        let (component, attached) = (self.component.clone(), context.attached.clone());
        let begun = Begun { component, reach, limits, kept, before, attached, warnings };
        Ok(Run::new(begun, plan, worker))
    }

    /// With faults of its own the host permits no request at all: nothing is read while the configuration is wrong.
    fn reach(
        &self,
        host: &HostParams,
        origin: Option<Origin>,
        access: &Access,
        limits: &Limits,
        refused: &KeyRefused,
    ) -> Result<Reach, http::SetupError> {
        let sound = host.faults.is_empty();
        let way = match sound {
            true => Way { trust: host.api_trust.clone(), proxy: host.api_proxy.clone() },
            false => Way::direct(Trust::Public),
        };
        let api = Api::new(&self.pool, &way, origin.filter(|_| sound), access.key.as_ref(), limits.report)?;
        let api = api.noting(refused.clone());
        let receivers = if sound { host.receivers.clone() } else { Receivers::default() };
        Ok(Reach {
            api,
            receivers,
            security: host.security.clone(),
            proxy: host.receiver_proxy.clone(),
            attached: Attached::default(),
        })
    }

    async fn plan(
        &self,
        params: &Value,
        context: &Context,
        access: &Access,
        reach: &Arc<Reach>,
        limits: &Limits,
        mut faults: Vec<Fault>,
    ) -> Result<(Plan, Worker), Box<RunResult>> {
        let params = params.to_string().into_bytes();
        let planned = async {
            let warm = self.warm.lock().unwrap_or_else(PoisonError::into_inner).take();
            let mut worker = match warm {
                Some(warm) => warm.reaching(reach),
                None => self.component.worker(reach).await?,
            };
            let plan = worker.plan(&params, context, limits.report).await?;
            Ok::<_, CallError>((plan, worker))
        };
        let result = match planned.await {
            Ok((Ok(plan), worker)) if faults.is_empty() => return Ok((plan, worker)),
            Ok((Err(Error::InvalidConfig(found)), _)) => {
                // What both have found is told once.
                let named = found.into_iter().map(|fault| Fault {
                    key: access.place(fault.key),
                    value: fault.value,
                    remedy: fault.remedy,
                });
                let new: Vec<Fault> =
                    named.filter(|fault| faults.iter().all(|known| known.key != fault.key)).collect();
                faults.extend(new);
                RunResult::invalid_config(faults)
            }
            // The component's other errors come from the requests that the host refused because of its own faults.
            _ if !faults.is_empty() => RunResult::invalid_config(faults),
            Ok((Err(Error::Api(failure) | Error::Checkpoint(failure)), _)) => {
                RunResult::error(failure.message)
            }
            Ok((Err(Error::Other(message)), _)) => RunResult::error(message),
            Ok((Ok(_), _)) => RunResult::error("the forwarder made no plan"),
            Err(error) => RunResult::error(format!("nothing was sent: {error}")),
        };
        Err(Box::new(result))
    }
}

/// The forms in which a key could show up.
pub(crate) fn key_forms(key: &Secret) -> Vec<Secret> {
    let key = Secret::new(text::tidied(key.expose()));
    let password = key.expose().split_once(':').map(|(_, password)| Secret::new(password));
    let header = Secret::new(http::basic(&key).trim_start_matches("Basic "));
    [key, header].into_iter().chain(password).collect()
}
