//! Planning a run: where it goes on, what it has to do, and until when.

use crate::api::{Annotation, Api};
use crate::checkpoint::{self, Checkpoint, Owed, SourceState};
use crate::config::{Config, Endpoint, Fault, Faults, LogLevel, OnMissingState, Origin, Store};
use crate::ports::{Failure, Ports};
use crate::record::Summary;
use crate::source::{Action, Entry, NAMESPACE, Selection, Source};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a run takes place, as far as the core needs to know.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The API, as the platform names it.
    pub api_host: Option<String>,
    /// Whether requests can be authorized at all.
    pub authorized: bool,
    /// The forwarder's own full name, `/namespace/[package/]action`.
    pub own_action: Option<String>,
    /// When the host ends the run, milliseconds since 1970.
    pub deadline_ms: Option<u64>,
    /// Who keeps the checkpoint.
    pub keeper: Keeper,
}

/// Who keeps the checkpoint.
#[derive(Debug, Clone, Default)]
pub enum Keeper {
    /// The platform.
    #[default]
    Platform,
    /// The host, and what it kept.
    Host(Option<Vec<u8>>),
}

/// A run thought through. It goes from instance to instance as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Where the lines go.
    pub receiver: Endpoint,
    /// Where the checkpoint goes.
    pub store: Keep,
    /// How far back to look for late records, in milliseconds.
    pub lookback_ms: u64,
    /// How much to log.
    pub log_level: LogLevel,
    /// What the checkpoint said.
    pub checkpoint: Checkpoint,
    /// What the whole namespace's source chooses, if there is one: the entries of `actions`.
    #[serde(default)]
    pub selection: Vec<String>,
    /// What is to be done, by source.
    pub work: BTreeMap<String, Vec<Owed>>,
    /// When the run began, milliseconds since 1970; new activations are those up to here.
    pub began_ms: u64,
    /// When to stop fetching and sending, so that there is time to save the checkpoint.
    pub stop_ms: u64,
    /// When everything must be over.
    pub deadline_ms: u64,
    /// What the report shall mention.
    pub warnings: Vec<String>,
}

/// Where the checkpoint goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// To an annotation of this package, beside those of others.
    Package {
        /// The package.
        name: String,
        /// Annotations of others.
        others: Vec<Annotation>,
    },
    /// Back to the host.
    Host,
}

/// A unit of work: a part of a source's work that depends on no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// The source, as configured.
    pub source: String,
    /// Which activations, and how to find them.
    pub owed: Owed,
    /// Activations in the range that earlier slices of this run have done.
    pub done: Vec<Summary>,
}

/// Why a run cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The configuration, or what the platform lacks.
    #[error("{0}")]
    Config(#[from] Faults),
    /// The API.
    #[error("{0}")]
    Api(Failure),
    /// The checkpoint.
    #[error("{0}")]
    Checkpoint(Failure),
}

/// Checks parameters and context, all faults at once. Gives the configuration and the API's origin.
pub fn configure(params: &[u8], context: &Context) -> Result<(Config, Origin), Faults> {
    let mut faults = Vec::new();
    let config =
        Config::parse(params, context.own_action.as_deref()).map_err(|found| faults.extend(found.0)).ok();
    let from_platform = context.api_host.as_deref().map(Origin::parse);
    let origin = match (config.as_ref().and_then(|config| config.api_host.clone()), from_platform) {
        (Some(origin), _) | (None, Some(Ok(origin))) => Some(origin),
        (None, Some(Err(remedy))) => {
            faults.push(Fault::new("__OW_API_HOST", &context.api_host.clone().into(), remedy));
            None
        }
        (None, None) => {
            // With a faulty configuration nobody knows whether it would have named the API.
            if config.is_some() {
                faults.push(Fault::new(
                    "api.host",
                    &Value::Null,
                    "give the origin of the OpenWhisk API: the platform does not name it (__OW_API_HOST)",
                ));
            }
            None
        }
    };
    if !context.authorized {
        let name = context.own_action.as_deref().unwrap_or("ACTION");
        let remedy = format!(
            "there is no API key: OpenWhisk hands it to an action only with the annotation provide-api-key. Run \
             `wsk action update {name} --annotation provide-api-key true`"
        );
        faults.push(Fault::new("__OW_API_KEY", &Value::Null, remedy));
    }
    match (config, origin) {
        (Some(config), Some(origin)) if faults.is_empty() => Ok((config, origin)),
        _ => Err(Faults(faults)),
    }
}

/// Reads the checkpoint and lists the work.
pub fn plan(config: &Config, context: &Context, ports: Ports<'_>) -> Result<Plan, PlanError> {
    let began_ms = ports.clock.now_ms();
    let deadline_ms = context.deadline_ms.unwrap_or(u64::MAX);
    let mut warnings = config.warnings.clone();
    let api = Api::new(ports, stop(began_ms, deadline_ms));
    let (store, mut checkpoint) = load(config, context, &api, began_ms, &mut warnings)?;
    let first =
        config.from.map_or(began_ms.saturating_sub(config.lookback_ms), |from| from.saturating_add(1));
    let mut work = BTreeMap::new();
    for source in &config.sources {
        let name = source.name();
        let state = checkpoint.sources.entry(name.clone()).or_insert_with(|| SourceState::new(first));
        work.insert(name, state.work(began_ms, config.lookback_ms));
    }
    Ok(Plan {
        receiver: config.receiver.clone(),
        store,
        lookback_ms: config.lookback_ms,
        log_level: config.log_level,
        checkpoint,
        selection: config.sources.iter().flat_map(Source::entries).collect(),
        work,
        began_ms,
        stop_ms: stop(began_ms, deadline_ms),
        deadline_ms,
        warnings,
    })
}

impl Plan {
    /// The source of that name.
    pub fn source(&self, name: &str) -> Option<Source> {
        if name != NAMESPACE {
            return Action::parse(name).ok().map(Source::Action);
        }
        let entries: Result<Vec<Entry>, String> =
            self.selection.iter().map(|entry| Entry::parse(entry)).collect();
        entries.ok().map(|entries| Source::Namespace(Selection::new(entries, None)))
    }

    /// All slices, most urgent first: new activations of every source, then late ones, then the backlog.
    pub fn slices(&self) -> Vec<Slice> {
        let mut slices: Vec<(usize, Slice)> = Vec::new();
        for (source, work) in &self.work {
            let slice = |owed: &Owed| Slice { source: source.clone(), owed: *owed, done: Vec::new() };
            slices.extend(work.iter().map(slice).enumerate());
        }
        slices.sort_by_key(|(urgency, _)| *urgency);
        slices.into_iter().map(|(_, slice)| slice).collect()
    }
}

/// A tenth of the time, but between half a second and five, is left for the checkpoint.
fn stop(now_ms: u64, deadline_ms: u64) -> u64 {
    let left = deadline_ms.saturating_sub(now_ms);
    deadline_ms.saturating_sub((left / 10).clamp(500, 5000))
}

fn load(
    config: &Config,
    context: &Context,
    api: &Api<'_>,
    now_ms: u64,
    warnings: &mut Vec<String>,
) -> Result<(Keep, Checkpoint), PlanError> {
    let store = match (config.store, &context.keeper) {
        (Some(Store::Host), Keeper::Platform) => {
            let remedy = "the host keeps no checkpoint here: give --state FILE, or choose `package`";
            return Err(Faults::one("checkpoint.store", &"host".into(), remedy).into());
        }
        (Some(Store::Package), _) | (None, Keeper::Platform) => None,
        (_, Keeper::Host(kept)) => Some(kept),
    };
    let (keep, place, known, stored) = match store {
        Some(kept) => (Keep::Host, "the state handed in".to_owned(), kept.is_some(), kept.clone()),
        None => {
            let name = package_name(config, context);
            let stored = checkpoint::load_package(api, &name).map_err(PlanError::Api)?;
            let json = stored.checkpoint.map(|json| json.get().as_bytes().to_vec());
            let place = format!("the package `{name}`");
            (Keep::Package { name, others: stored.others }, place, stored.exists, json)
        }
    };
    let problem = match stored.as_deref().map(Checkpoint::decode) {
        Some(Ok(checkpoint)) => return Ok((keep, checkpoint)),
        // A newer forwarder's checkpoint must not be overwritten.
        Some(Err(newer @ checkpoint::BadCheckpoint::Newer(_))) => {
            return Err(PlanError::Checkpoint(Failure::lasting(format!(
                "the checkpoint in {place} cannot be read: {newer}"
            ))));
        }
        Some(Err(damage)) => format!("the checkpoint in {place} cannot be read: {damage}"),
        None if known => format!("there is no checkpoint in {place} although it exists"),
        None => return Ok((keep, Checkpoint::default())),
    };
    let anew = match (config.on_missing_state, config.from) {
        (OnMissingState::Fail, _) => {
            let message = format!(
                "{problem}. Repair it, or set `on_missing_state` to `lookback` or `from` for one run"
            );
            return Err(PlanError::Checkpoint(Failure::lasting(message)));
        }
        (OnMissingState::From, Some(from)) => from.saturating_add(1),
        _ => now_ms.saturating_sub(config.lookback_ms),
    };
    warnings.push(format!(
        "{problem}: began anew at {}; lines after that may come twice, lines before it that were still owed do not come",
        crate::time::rfc3339(anew)
    ));
    let fresh = |source: &crate::source::Source| (source.name(), SourceState::new(anew));
    let mut checkpoint = Checkpoint::default();
    checkpoint.sources.extend(config.sources.iter().map(fresh));
    Ok((keep, checkpoint))
}

/// The package that holds the checkpoint: one for each forwarder of a namespace.
fn package_name(config: &Config, context: &Context) -> String {
    let own = context.own_action.as_deref().map(|name| name.trim_start_matches('/'));
    let own = own.and_then(|name| name.split_once('/')).map_or("cli", |(_, name)| name);
    config.package.clone().unwrap_or_else(|| format!("whiskjack.{}", own.replace('/', ".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: &[u8] = br#"{"actions":["a"],"logstash":{"host":"h","port":1}}"#;

    fn context() -> Context {
        Context {
            api_host: Some("https://api:443".into()),
            authorized: true,
            own_action: Some("/guest/fwd".into()),
            ..Context::default()
        }
    }

    #[test]
    fn a_missing_key_is_reported_with_its_remedy_beside_the_faults_of_the_configuration() {
        let faults = configure(b"{}", &Context { authorized: false, ..context() }).unwrap_err();
        let text = faults.to_string();
        assert!(text.contains("wsk action update /guest/fwd --annotation provide-api-key true"), "{text}");
        assert!(text.contains("actions: ") && text.contains("logstash: "), "{text}");
    }

    #[test]
    fn the_configured_api_comes_before_that_of_the_platform_and_one_is_needed() {
        let named = br#"{"actions":["a"],"logstash":{"host":"h","port":1},"api":{"host":"other"}}"#;
        assert_eq!(configure(PARAMS, &context()).unwrap().1.to_string(), "https://api:443");
        assert_eq!(configure(named, &context()).unwrap().1.to_string(), "https://other");
        let faults = configure(PARAMS, &Context { api_host: None, ..context() }).unwrap_err();
        assert!(faults.to_string().contains("api.host"), "{faults}");
    }

    #[test]
    fn time_is_kept_back_for_the_checkpoint() {
        assert_eq!(stop(0, 60_000), 55_000);
        assert_eq!(stop(0, 2_000), 1_500);
        assert_eq!(stop(0, 20_000), 18_000);
    }

    #[test]
    fn each_forwarder_has_a_package_of_its_own() {
        let (config, _) = configure(PARAMS, &context()).unwrap();
        assert_eq!(package_name(&config, &context()), "whiskjack.fwd");
        let packaged = Context { own_action: Some("/guest/tools/fwd".into()), ..context() };
        assert_eq!(package_name(&config, &packaged), "whiskjack.tools.fwd");
        assert_eq!(package_name(&config, &Context::default()), "whiskjack.cli");
    }
}
