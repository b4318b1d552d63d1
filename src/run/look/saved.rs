//! The checkpoint as it is: how far each source has come, and what is owed to it.

use super::{object, time, with};
use crate::checkpoint::{Checkpoint, Lease, Owed, OwedRecord, Part, RESTS_MS, SourceState};
use crate::config::{Config, Store};
use crate::openwhisk::api::Api;
use crate::ports::{Failure, Ports};
use crate::run::plan::{CheckpointKeeper, Context, PlanError, package_name};
use crate::run::store::{load_package, read_records};
use serde_json::{Value, json};

/// Most sources, and most ranges and records of each, that are told one by one.
const NAMED_SOURCES: usize = 500;
const NAMED: usize = 20;

pub(super) fn look(
    config: &Config,
    context: &Context,
    ports: Ports<'_>,
    api: &Api<'_>,
    stop_ms: u64,
) -> Result<Value, PlanError> {
    let now_ms = api.now_ms();
    let decoded = |json: &[u8]| Checkpoint::decode(json).map_err(|error| error.to_string());
    let mut rests_ms = None;
    let (place, found, lease) = match (config.store, &context.keeper) {
        (Some(Store::Activation), _) => {
            let name = context.own_action.as_ref().map(|own| own.name.as_str());
            let name = name.ok_or_else(|| {
                let message =
                    "only an action keeps its checkpoint in its activation records; name the action";
                PlanError::Checkpoint(Failure::lasting(message))
            })?;
            let records = read_records(api, ports.clock, name, None, [now_ms, stop_ms]);
            let records = records.map_err(PlanError::Api)?;
            (format!("the activation records of {name}"), records.checkpoint.map(Ok), None)
        }
        (Some(Store::Package), _) | (_, CheckpointKeeper::Platform) => {
            let name = package_name(config, context);
            let stored = load_package(api, &name).map_err(PlanError::Api)?;
            let found = stored.checkpoint.map(|json| decoded(json.get().as_bytes()));
            rests_ms = found.as_ref().map(|_| RESTS_MS);
            (format!("the package `{name}`"), found, stored.lease)
        }
        (_, CheckpointKeeper::Host(kept)) => {
            ("the state handed in".to_owned(), kept.as_deref().map(decoded), None)
        }
    };
    let told = match found {
        Some(Ok(checkpoint)) => checkpoint_told(&checkpoint, now_ms),
        Some(Err(problem)) => object([("problem", problem.into())]),
        None => object([]),
    };
    let lease = lease.map_or(Value::Null, |lease| lease_told(&lease, now_ms));
    let rests_ms = rests_ms.map_or(Value::Null, Value::from);
    let more = [("now", time(now_ms)), ("place", place.into()), ("lease", lease), ("rests_ms", rests_ms)];
    Ok(with(told, more))
}

fn lease_told(lease: &Lease, now_ms: u64) -> Value {
    object([
        ("until", time(lease.until_ms)),
        ("holds", lease.holds(now_ms).into()),
        ("told", lease.describe().into()),
    ])
}

fn checkpoint_told(checkpoint: &Checkpoint, now_ms: u64) -> Value {
    let all = checkpoint.sources.iter().map(|one| (one, false));
    let all = all.chain(checkpoint.parked.iter().map(|one| (one, true)));
    let sources = all
        .take(NAMED_SOURCES)
        .map(|((name, state), is_parked)| source_told(name, state, is_parked, now_ms))
        .collect();
    let lag_ms = checkpoint.sources.values().map(|state| lag_ms(state, now_ms)).max();
    object([
        ("saved", time(checkpoint.saved_ms)),
        ("owner", checkpoint.owner.as_ref().map(ToString::to_string).into()),
        ("lag_ms", lag_ms.into()),
        ("sources", sources),
    ])
}

/// How old the oldest start is that may have an activation which nobody has fetched. What is only compared once more does not count.
fn lag_ms(state: &SourceState, now_ms: u64) -> u64 {
    let owed = state.owed.iter().filter(|owed| owed.part == Part::Fresh).map(|owed| owed.range.since());
    let reached = owed.map(|since| since.saturating_sub(1)).min().unwrap_or(u64::MAX);
    now_ms.saturating_sub(reached.min(state.complete_until))
}

fn source_told(name: &str, state: &SourceState, is_parked: bool, now_ms: u64) -> Value {
    let age = |since: Option<u64>| since.map(|since| now_ms.saturating_sub(since));
    let owed = state
        .owed
        .iter()
        .take(NAMED)
        .map(|Owed { range, part }| {
            object([("since", time(range.since())), ("upto", time(range.upto())), ("part", json!(part))])
        })
        .collect();
    let told = object([
        ("source", name.into()),
        ("complete_until", time(state.complete_until)),
        ("lag_ms", lag_ms(state, now_ms).into()),
        ("owed_ranges", state.owed.len().into()),
        ("owed", owed),
        ("owed_age_ms", age(state.owed.iter().map(|owed| owed.range.since()).min()).into()),
        ("owed_records", state.records.len().into()),
        ("records", state.records.iter().take(NAMED).map(record_told).collect()),
        ("records_age_ms", age(state.records.iter().map(|record| record.start).min()).into()),
        ("settling", state.settling.len().into()),
    ]);
    if is_parked { with(told, [("parked", true.into())]) } else { told }
}

fn record_told(record: &OwedRecord) -> Value {
    object([
        ("activation", record.id.to_string().into()),
        ("start", time(record.start)),
        ("acknowledged", record.acknowledged.into()),
        ("trouble", record.trouble.clone().into()),
    ])
}
