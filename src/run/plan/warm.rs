//! The memory of a container that is warm: with it a run asks at once what it would ask after it has read the checkpoint, so a run that finds
//! nothing waits for one round trip.
//!
//! It only says which questions are likely. An answer belongs to its question, whoever thought of that, and to the run that asked: if the
//! checkpoint turns out to be another one, other questions follow from it, and the run asks those.

use super::index::{Index, own_runs};
use super::{Context, lookback_ms, work};
use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::openwhisk::api::Api;

/// What a run leaves to the next one in its container.
#[derive(Debug, Clone)]
pub struct Memory {
    /// When it began, milliseconds since 1970.
    pub began_ms: u64,
    /// What it saw of the index.
    pub index: Index,
    /// The checkpoint, as the package holds it.
    pub checkpoint: Checkpoint,
}

/// Asks what a run at `now_ms` that may rest is likely to ask, and does not wait. It asks nothing where the index was behind.
pub(super) fn ask_early(api: &Api<'_>, config: &Config, context: &Context, now_ms: u64) {
    let known = context.memory.as_ref().filter(|_| own_runs(config, context, now_ms).is_some());
    let Some(Memory { checkpoint, index, .. }) = known.filter(|memory| !memory.index.is_behind) else {
        return;
    };
    if checkpoint.is_recent(now_ms, lookback_ms(config, checkpoint, now_ms)) {
        work::ask(api, config, checkpoint, index.lately, now_ms, true);
    }
}
