//! The checkpoint as it is: how far each source has come, and what is owed to it.

use super::time;
use crate::checkpoint::{Checkpoint, Lease, OwedRecord, Part, SourceState};
use crate::config::{Config, Store};
use crate::openwhisk::api::Api;
use crate::ports::{Failure, Ports};
use crate::run::plan::{CheckpointKeeper, Context, PlanError, package_name};
use crate::run::store::{load_package, read_records};
use serde_json::{Map, Value, json};

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
            (format!("the package `{name}`"), found, stored.lease)
        }
        (_, CheckpointKeeper::Host(kept)) => {
            ("the state handed in".to_owned(), kept.as_deref().map(decoded), None)
        }
    };
    let mut told = match found {
        Some(Ok(checkpoint)) => checkpoint_told(&checkpoint, now_ms),
        Some(Err(problem)) => Map::from_iter([("problem".to_owned(), problem.into())]),
        None => Map::new(),
    };
    told.insert("now".to_owned(), time(now_ms));
    told.insert("place".to_owned(), place.into());
    told.insert("lease".to_owned(), lease.map_or(Value::Null, |lease| lease_told(&lease, now_ms)));
    Ok(Value::Object(told))
}

fn lease_told(lease: &Lease, now_ms: u64) -> Value {
    json!({"until": time(lease.until_ms), "holds": lease.holds(now_ms), "told": lease.describe()})
}

fn checkpoint_told(checkpoint: &Checkpoint, now_ms: u64) -> Map<String, Value> {
    let all = checkpoint.sources.iter().map(|one| (one, false));
    let all = all.chain(checkpoint.parked.iter().map(|one| (one, true)));
    let sources: Vec<Value> = all
        .take(NAMED_SOURCES)
        .map(|((name, state), is_parked)| source_told(name, state, is_parked, now_ms))
        .collect();
    let lag_ms = checkpoint.sources.values().map(|state| lag_ms(state, now_ms)).max();
    Map::from_iter([
        ("saved".to_owned(), time(checkpoint.saved_ms)),
        ("owner".to_owned(), checkpoint.owner.as_ref().map_or(Value::Null, |owner| owner.to_string().into())),
        ("lag_ms".to_owned(), json!(lag_ms)),
        ("sources".to_owned(), sources.into()),
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
    let owed: Vec<Value> = state
        .owed
        .iter()
        .take(NAMED)
        .map(|owed| json!({"since": time(owed.range.since()), "upto": time(owed.range.upto()), "part": owed.part}))
        .collect();
    let records: Vec<Value> = state.records.iter().take(NAMED).map(record_told).collect();
    let mut told = json!({
        "source": name,
        "complete_until": time(state.complete_until),
        "lag_ms": lag_ms(state, now_ms),
        "owed_ranges": state.owed.len(),
        "owed": owed,
        "owed_age_ms": age(state.owed.iter().map(|owed| owed.range.since()).min()),
        "owed_records": state.records.len(),
        "records": records,
        "records_age_ms": age(state.records.iter().map(|record| record.start).min()),
        "settling": state.settling.len(),
    });
    if is_parked && let Some(told) = told.as_object_mut() {
        told.insert("parked".to_owned(), true.into());
    }
    told
}

fn record_told(record: &OwedRecord) -> Value {
    json!({
        "activation": record.id.to_string(),
        "start": time(record.start),
        "acknowledged": record.acknowledged,
        "trouble": record.trouble,
    })
}
