//! Deploying an action, a trigger with an alarm, and a rule over the platform's API, and removing them again.
//!
//! ```text
//! check the configuration → who am I → what is there → action → trigger → alarm → rule → the first run
//! ```
//!
//! Each step compares the present state with the wanted one and makes it so, so that a person may repeat the command at any time: after a
//! failure it continues from there. Each thing that was made carries the annotation [`MARK`]; nothing else is changed or removed.

mod code;
mod down;
mod feed;
mod limits;
mod names;
mod platform;
mod schedule;
mod secrets;
mod state;
mod up;
mod watch;

pub use self::code::Runtime;
pub use self::names::Names;
pub use self::schedule::Schedule;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use self::platform::Platform;
pub(crate) use self::state::state;
use crate::http::{Api, Pool, Way};
use crate::net::proxy::Proxy;
use crate::origin::Origin;
use crate::params::HostParams;
use crate::result;
use crate::run::{Access, RunContext, key_forms};
use crate::secret::Secret;
use crate::tls::Trust;
use whiskjack_settings::Fault;

/// Annotation of things that a deployment has made; its value is the version that made them.
pub const MARK: &str = "whiskjack-deployed";

/// A deployment.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// Of action, trigger and rule.
    pub names: Names,
    /// The action's parameters.
    pub params: Value,
    /// The runtime of the code.
    pub runtime: Runtime,
    /// A zip with the program, instead of this one.
    pub zip: Option<PathBuf>,
    /// How often it runs.
    pub schedule: Schedule,
    /// Longest run; at most the schedule's period.
    pub timeout: Duration,
    /// Memory of the action, in megabytes.
    pub memory_mb: u32,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// How long to wait for the first run: zero means not at all, `None` as long as schedule and timeout suggest.
    pub wait: Option<Duration>,
}

/// The reason why a deployment is not, or not yet, as it should be.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The configuration has faults; nothing was changed.
    #[error("the configuration has faults")]
    Config(Vec<Fault>),
    /// An option that cannot be right; nothing was changed.
    #[error("{0}")]
    Misused(String),
    /// Any other finding before anything was changed.
    #[error("{0}")]
    Refused(String),
    /// A step failed.
    #[error("{step}: {reason}. {left}")]
    Step {
        /// Its name.
        step: &'static str,
        /// The reason, one sentence without its full stop.
        reason: String,
        /// The present state, and what to do.
        left: String,
    },
}

impl DeployError {
    /// The same with the place where the key is from, if the API has refused it.
    fn with_key_place(self, reached: &Reached, context: &RunContext) -> Self {
        if !reached.platform.has_refused_key() {
            return self;
        }
        let given = &context.given;
        match self {
            Self::Refused(text) => Self::Refused(given.with_key_place(&text)),
            Self::Step { step, reason, left } => {
                Self::Step { step, reason: given.with_key_place(&reason), left }
            }
            other => other,
        }
    }

    /// Its sentences, with secrets replaced.
    fn sealed(self, secrets: &[Secret]) -> Self {
        let clean = |text: String| result::without(&text, secrets);
        match self {
            Self::Config(faults) => Self::Config(faults),
            Self::Misused(text) => Self::Misused(clean(text)),
            Self::Refused(text) => Self::Refused(clean(text)),
            Self::Step { step, reason, left } => {
                Self::Step { step, reason: clean(reason), left: clean(left) }
            }
        }
    }
}

/// Deploys; `say` gets a line for people after each step. Must be called on a tokio runtime.
pub async fn up(
    deployment: &Deployment,
    context: &RunContext,
    say: &mut dyn FnMut(&str),
) -> Result<(), DeployError> {
    let reached = reach(&deployment.params, context)?;
    let secrets = &reached.secrets;
    let mut say = |line: &str| say(&result::without(line, secrets));
    let done = up::up(deployment, context, &reached, &mut say).await;
    done.map_err(|error| error.with_key_place(&reached, context).sealed(secrets))
}

/// Removes everything that [`up`] has made under these names; `params` say how to reach the API. Must be called on a tokio runtime.
pub async fn down(
    names: &Names,
    params: &Value,
    dry_run: bool,
    context: &RunContext,
    say: &mut dyn FnMut(&str),
) -> Result<(), DeployError> {
    let reached = reach(params, context)?;
    // `up` finds them with all the others. Of what says how the API is reached, nothing is left out silently.
    if !reached.faults.is_empty() {
        return Err(DeployError::Config(reached.faults));
    }
    let secrets = &reached.secrets;
    let mut say = |line: &str| say(&result::without(line, secrets));
    let done = down::down(names, dry_run, &reached.platform, &context.attached.doing, &mut say).await;
    done.map_err(|error| error.with_key_place(&reached, context).sealed(secrets))
}

/// The platform, and what the parameters say besides.
struct Reached {
    platform: Platform,
    /// What must not be shown.
    secrets: Vec<Secret>,
    /// The keys of the configuration that hold secrets.
    secret_keys: Vec<String>,
    /// What is wrong with the keys of the API.
    faults: Vec<Fault>,
    /// What should be known about the configuration though it is not a fault.
    warnings: Vec<String>,
}

fn reach(params: &Value, context: &RunContext) -> Result<Reached, DeployError> {
    let refused = |reason: String| DeployError::Refused(reason);
    let missing = |what: &str, name: &str| {
        DeployError::Misused(format!("there is no API {what}; give it in the environment as {name}"))
    };
    let mut params = params.as_object().cloned().unwrap_or_default();
    let host = HostParams::take(&mut params);
    let of_api = |fault: &Fault| fault.key == "api" || fault.key.starts_with("api.");
    let of_host: Vec<Fault> = host.faults.into_iter().filter(of_api).collect();
    let mut faults = Vec::new();
    let access = Access::of(context, false, &mut faults);
    if !faults.is_empty() {
        return Err(DeployError::Config(of_host.into_iter().chain(faults).collect()));
    }
    let origin = access.origin.ok_or_else(|| missing("host", "__OW_API_HOST"))?;
    let key = access.key.ok_or_else(|| missing("key", "__OW_API_KEY"))?;
    // `api.ca` and `api.rejectUnauthorized` are about the API that the forwarder reads from, which may be another one.
    let same = host.api_host.as_deref().is_none_or(|named| Origin::parse(named).as_ref() == Some(&origin));
    let trust = if same { host.api_trust } else { Trust::Public };
    // `api.proxy_url` is the action's way out first. Who deploys may be elsewhere, with an environment that says so.
    let proxy = match context.proxies.to(&origin).map_err(|fault| DeployError::Config(vec![fault]))? {
        None if same && !context.proxies.excepts(&origin) => host.api_proxy,
        found => found,
    };
    let mut secrets = host.secrets;
    secrets.extend(proxy.iter().flat_map(Proxy::secrets));
    let api = Api::new(&Pool::default(), &Way { trust, proxy }, Some(origin.clone()), Some(&key), None)
        .map_err(|error| refused(error.to_string()))?;
    secrets.extend(key_forms(&key));
    Ok(Reached {
        platform: Platform::new(api, origin, key),
        secrets,
        secret_keys: host.secret_keys,
        faults: of_host,
        warnings: host.warnings,
    })
}
