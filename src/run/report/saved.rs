//! Where the checkpoint goes at the end of a run.

use crate::checkpoint::Checkpoint;
use crate::openwhisk::api::Api;
use crate::run::plan::{CheckpointStore, Memory, Plan};
use crate::run::store::{Saved, Saving};
use serde_json::value::RawValue;

/// Where a checkpoint went.
pub(super) enum SavedTo {
    /// To the package.
    Package,
    /// Back to the host.
    Host(Vec<u8>),
    /// Into the result.
    Result(Box<RawValue>),
    /// Nowhere yet: only the last result can hold it.
    NotYet,
    /// Nowhere: the one that is there tells as much.
    Unchanged,
}

/// Puts the checkpoint where it belongs, and renews the lease or ends it. What another run saved meanwhile counts too. Returns a warning with it
/// if that is not the place it should be.
pub(super) fn save(
    plan: &Plan,
    api: &Api<'_>,
    checkpoint: &mut Checkpoint,
    last: bool,
    persists: bool,
) -> Result<(SavedTo, Option<String>), String> {
    let encoded = |checkpoint: &Checkpoint| checkpoint.encode().map_err(|error| error.to_string());
    let held = match &plan.store {
        CheckpointStore::Host => return Ok((SavedTo::Host(encoded(checkpoint)?), None)),
        CheckpointStore::Records => return Ok((in_result(encoded(checkpoint)?, last)?, None)),
        CheckpointStore::Package(held) => held,
    };
    let status = match held.refused {
        Some(status) if !last => status,
        _ => {
            let mut saving = Saving {
                began_with_ms: plan.checkpoint.saved_ms,
                lookback_ms: plan.lookback_ms,
                now_ms: checkpoint.saved_ms,
                goes_on_until_ms: (!last).then_some(plan.deadline_ms),
                persists,
                checkpoint,
            };
            match held.save(api, &mut saving).map_err(|failure| failure.message)? {
                Saved::Done(_) => return Ok((SavedTo::Package, None)),
                Saved::Refused(status) => status,
            }
        }
    };
    let refused = format!("the API key may not write the package `{}` (HTTP {status})", held.name);
    if !plan.recorded {
        return Err(format!("{refused}: give it the right, or keep the checkpoint with --state FILE"));
    }
    let warning = format!(
        "{refused}, so the checkpoint is in this result. The next run may find that late, and lines come again; without a record of this \
         activation, more of them. Give the key the right, or choose it with `checkpoint.store` set to `activation`"
    );
    Ok((in_result(encoded(checkpoint)?, last)?, Some(warning)))
}

fn in_result(json: Vec<u8>, last: bool) -> Result<SavedTo, String> {
    if !last {
        return Ok(SavedTo::NotYet);
    }
    serde_json::from_slice(&json).map(SavedTo::Result).map_err(|error| error.to_string())
}

/// What is of use to the next run in this container, now that the checkpoint is where it belongs.
pub(super) fn remembered(plan: &Plan, kept: &SavedTo, saved: &Checkpoint) -> Option<Memory> {
    let checkpoint = match kept {
        SavedTo::Package => saved,
        SavedTo::Unchanged => &plan.checkpoint,
        SavedTo::Host(_) | SavedTo::Result(_) | SavedTo::NotYet => return None,
    };
    // A command has no record that would show whether the index is up to date.
    plan.own_action.as_ref()?;
    Some(Memory { began_ms: plan.began_ms, index: plan.index, checkpoint: checkpoint.clone() })
}
