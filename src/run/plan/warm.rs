//! The memory of a container that is warm: with it a run asks at once what it would ask after it has read the checkpoint, so a run that finds
//! nothing waits for one round trip.
//!
//! It only says which questions are likely. An answer belongs to its question, whoever thought of that, and to the run that asked: if the
//! checkpoint turns out to be another one, other questions follow from it, and the run asks those.

use super::{Context, Index, lookback_ms, own_path, work};
use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::openwhisk::api::Api;
use crate::openwhisk::source::Source;
use crate::range::Range;

/// So much earlier than a run its record may begin, in milliseconds.
const EARLIER_MS: u64 = 2_000;

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

/// The forwarder's own activations since the last run in this container began, as a filter and a range. The record of that run became visible after
/// its last question. So an index that does not show it is as of that question, and its answers do not count: they would tell of a line in the
/// run after this one. `None` if there was no such run, or the index of names is not the one that is asked.
pub(super) fn own_runs<'c>(config: &Config, context: &'c Context, now_ms: u64) -> Option<(&'c str, Range)> {
    let is_named = matches!(config.sources.first(), Some(Source::Action(_)));
    let memory = context.memory.as_ref().filter(|_| is_named)?;
    own_path(context).zip(Range::new(memory.began_ms.saturating_sub(EARLIER_MS), now_ms))
}

/// Asks what a run at `now_ms` that may rest is likely to ask, and does not wait. It asks nothing where the index was behind.
pub(super) fn ask_early(api: &Api<'_>, config: &Config, context: &Context, now_ms: u64) {
    let known = context.memory.as_ref().filter(|_| own_runs(config, context, now_ms).is_some());
    let Some(Memory { checkpoint, index, .. }) = known.filter(|memory| !memory.index.is_behind) else {
        return;
    };
    if checkpoint.is_recent(now_ms, lookback_ms(config, checkpoint, now_ms)) {
        work::ask(api, config, checkpoint, index.lately, now_ms);
    }
}
