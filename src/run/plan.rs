//! Planning a run: where it goes on, what it has to do, and until when.

mod configure;
mod index;
mod load;
mod names;
mod near;
mod package;
mod quiet;
mod share;
mod slices;
mod sweep;
mod warm;
mod work;

pub use configure::{configure, configure_with_key};
pub use index::Index;
pub use near::Foot;
pub use slices::{Counted, Slice};
pub use warm::Memory;

use crate::checkpoint::{Checkpoint, LogPlace, MOST_IDS, Owed};
use crate::config::{Config, Faults};
use crate::openwhisk::api::{Api, Question};
use crate::openwhisk::source::Source;
use crate::ports::{Failure, Ports};
use crate::range::Range;
use crate::run::store::PackageStore;
use crate::sorted::Map;
use load::{Loaded, Loader};
pub(in crate::run) use names::strays;
pub(in crate::run) use package::{own_path, package_name};
use serde::{Deserialize, Serialize};
use work::Work;

/// Where a run takes place, as far as the core needs to know.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The API, as the platform names it.
    pub api_host: Option<String>,
    /// Whether requests can be authorized at all.
    pub authorized: bool,
    /// The forwarder itself, if it runs as an action.
    pub own_action: Option<OwnAction>,
    /// When the host ends the run, milliseconds since 1970.
    pub deadline_ms: Option<u64>,
    /// Who keeps the checkpoint.
    pub keeper: CheckpointKeeper,
    /// What the last run in this container left to this one.
    pub memory: Option<Memory>,
}

/// The forwarder as an action.
#[derive(Debug, Clone)]
pub struct OwnAction {
    /// Its full name, `/namespace/[package/]action`.
    pub name: String,
    /// The activation that the run is part of.
    pub activation: Option<String>,
}

/// Who keeps the checkpoint.
#[derive(Debug, Clone, Default)]
pub enum CheckpointKeeper {
    /// The platform.
    #[default]
    Platform,
    /// The host, and what it kept.
    Host(Option<Vec<u8>>),
}

/// A run thought through. It goes from instance to instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// The configuration.
    pub config: Config,
    /// The forwarder itself, `/namespace/[package/]action`, if it is an action.
    pub own_action: Option<String>,
    /// Where the checkpoint goes.
    pub store: CheckpointStore,
    /// How far back to look for late records, in milliseconds.
    pub lookback_ms: u64,
    /// Where log lines are, as configured or as earlier runs learned.
    pub logs: LogPlace,
    /// What the checkpoint said.
    #[serde(with = "crate::handover::as_json")]
    pub checkpoint: Checkpoint,
    /// What is to be done, by source.
    pub work: Map<String, Vec<Owed>>,
    /// What of that is done already, as there is nothing in it.
    pub settled: Map<String, Vec<Owed>>,
    /// What was counted of it, by source: ranges of new activations, cut so that workers can share them.
    pub counted: Map<String, Vec<Counted>>,
    /// Feet of the lists of new activations, by source.
    pub feet: Map<String, Foot>,
    /// When that was, milliseconds since 1970.
    pub counted_ms: u64,
    /// When the run began, milliseconds since 1970; new activations are those up to here.
    pub began_ms: u64,
    /// When to stop fetching and sending, so that there is time to save the checkpoint.
    pub stop_ms: u64,
    /// When everything must be over.
    pub deadline_ms: u64,
    /// What the report shall mention.
    pub warnings: Vec<String>,
    /// Why this run does nothing: another one is at work.
    pub skipped: Option<String>,
    /// Whether this run writes nothing, as there is nothing new and the checkpoint is recent.
    pub rests: bool,
    /// Whether there will be an activation record of this run, from which the next one can read.
    pub recorded: bool,
    /// What the run saw of the API's index.
    pub index: Index,
    /// So many ids of what it has done a slice and its rests hand back at most; digests stand for the others.
    pub most_ids: usize,
    /// Requests to the API so far.
    pub requests: u64,
}

/// Where the checkpoint goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum CheckpointStore {
    /// To an annotation of a package; or, if that is refused, to the result.
    Package(PackageStore),
    /// To the result, and so to the forwarder's own activation record.
    Records,
    /// Back to the host.
    Host,
}

/// Even with very many sources each hands back so many ids: what a quiet one has done in a minute or two.
const FEWEST_IDS: usize = 256;

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

/// Reads the checkpoint and lists the work.
pub fn plan(config: &Config, context: &Context, ports: Ports<'_>) -> Result<Plan, PlanError> {
    let began_ms = ports.clock.now_ms();
    config.check_clock(began_ms)?;
    let deadline_ms = context.deadline_ms.unwrap_or(u64::MAX);
    let stop_ms = stop(began_ms, deadline_ms);
    let api = Api::new(ports, stop_ms);
    let warnings = config.warnings.clone();
    let mut loader = Loader {
        config,
        context,
        ports,
        api: &api,
        now_ms: began_ms,
        stop_ms,
        warnings,
        records: None,
        platform: None,
        requests: 0,
        run: None,
    };
    if loader.reads_package() {
        let name = package_name(config, context);
        let filter = config.sources.first().and_then(Source::filter);
        let first = || Some((filter.as_deref(), Range::new(began_ms, began_ms)?));
        let own = index::own_runs(config, context, began_ms).map(|(own, range)| (Some(own), range));
        let refresh = own.or_else(first).map(|(filter, range)| Question::Count(filter, range));
        let sample = sweep::sample(config, began_ms).map(|range| Question::Count(None, range));
        api.ask_ahead([Question::Package(&name)].into_iter().chain(refresh).chain(sample));
        warm::ask_early(&api, config, context, began_ms);
    }
    let mut loaded = loader.load()?;
    if config.logs.unwrap_or(loaded.checkpoint.platform.logs(began_ms)) == LogPlace::Api {
        loaded.checkpoint.undo_doubtful();
    }
    let Work { work, settled, counted, feet, rests, index } =
        work::counted(&mut loader, &mut loaded, began_ms)?;
    let Loaded { keep, checkpoint, occupied, .. } = loaded;
    let cut_short = loader.records.as_ref().map(|records| records.cut_short).unwrap_or_default();
    let stop_ms = cut_short.stop_ms(began_ms, stop_ms);
    loader.warnings.extend(cut_short.warning(stop_ms.saturating_sub(began_ms)));
    let mut config = config.clone();
    // A full window at a slow receiver may take all of a time that is so short, and bring no ack.
    config.output.sending.slow_start |= cut_short.has_runs();
    let lookback_ms = lookback_ms(&config, &checkpoint, began_ms);
    let logs = config.logs.unwrap_or(checkpoint.platform.logs(began_ms));
    let pieces = config.sources.len().max(counted.values().map(Vec::len).sum());
    Ok(Plan {
        config,
        own_action: context.own_name().map(Into::into),
        store: keep,
        lookback_ms,
        logs,
        checkpoint,
        work,
        settled,
        counted,
        feet,
        counted_ms: ports.clock.now_ms(),
        began_ms,
        stop_ms,
        deadline_ms,
        skipped: occupied,
        rests,
        recorded: context.own_action.is_some(),
        index,
        most_ids: (MOST_IDS / pieces.max(1)).max(FEWEST_IDS),
        requests: api.requests() + loader.requests,
        warnings: loader.warnings,
    })
}

/// How far a run looks back, in milliseconds.
fn lookback_ms(config: &Config, checkpoint: &Checkpoint, now_ms: u64) -> u64 {
    config.lookback_ms.unwrap_or(checkpoint.platform.lookback_ms(now_ms))
}

impl Context {
    fn own_name(&self) -> Option<&str> {
        self.own_action.as_ref().map(|own| own.name.as_str())
    }
}

impl From<&str> for OwnAction {
    fn from(name: &str) -> Self {
        Self { name: name.into(), activation: None }
    }
}

/// A tenth of the time, but between half a second and five, is left for the checkpoint.
fn stop(now_ms: u64, deadline_ms: u64) -> u64 {
    let left = deadline_ms.saturating_sub(now_ms);
    deadline_ms.saturating_sub((left / 10).clamp(500, 5000))
}

#[cfg(test)]
mod tests;
