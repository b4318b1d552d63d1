//! The API's index as a run finds it: a question brings it up to date, and its answer may still be of the time before.

use super::{Context, own_path, sweep};
use crate::config::Config;
use crate::openwhisk::api::Api;
use crate::openwhisk::source::Source;
use crate::ports::Failure;
use crate::range::Range;
use serde::{Deserialize, Serialize};

/// So much earlier than a run its record may begin, in milliseconds.
const EARLIER_MS: u64 = 2_000;

/// What a run sees of the API's index before it asks about its work.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Index {
    /// So many activations there were lately in the whole namespace; `None` if it is of no use to know.
    pub lately: Option<u64>,
    /// It did not show the last run of this container.
    pub is_behind: bool,
}

/// The forwarder's own activations since the last run in this container began, as a filter and a range. The record of that run became visible after
/// its last question. So an index that does not show it is as of that question, and its answers do not count: they would tell of a line in the
/// run after this one. `None` if there was no such run, or the index of names is not the one that is asked.
pub(super) fn own_runs<'c>(config: &Config, context: &'c Context, now_ms: u64) -> Option<(&'c str, Range)> {
    let is_named = matches!(config.sources.first(), Some(Source::Action(_)));
    let memory = context.memory.as_ref().filter(|_| is_named)?;
    own_path(context).zip(Range::new(memory.began_ms.saturating_sub(EARLIER_MS), now_ms))
}

/// Asks for a count that is not about the work: list and count may show the index as of the question before, which can be hours old, and only then
/// bring it up to date (docs/facts/openwhisk.md 1.7). What is asked from now on shows what was visible when the run began. What was asked
/// before, does so if the index was up to date already.
pub(super) fn refresh(
    api: &Api<'_>,
    config: &Config,
    context: &Context,
    now_ms: u64,
) -> Result<Index, Failure> {
    // The whole namespace has an index of its own.
    let lately = || sweep::sample(config, now_ms).and_then(|sample| api.count_once(None, sample).ok());
    let own_runs = own_runs(config, context, now_ms);
    // At a second try the index may be up to date because of what was asked in between.
    if let Some(shown) = own_runs.and_then(|(own, range)| api.count_once(Some(own), range).ok()) {
        return Ok(Index { lately: lately(), is_behind: shown == 0 });
    }
    let is_behind = own_runs.is_some();
    let Some(now) = Range::new(now_ms, now_ms) else { return Ok(Index::default()) };
    let mut refused = None;
    for source in &config.sources {
        match api.refresh(source.filter().as_deref(), now) {
            Ok(()) => return Ok(Index { lately: lately(), is_behind }),
            // One action's trouble is not that of the others.
            Err(failure) => refused.get_or_insert(failure),
        };
    }
    refused.map_or(Ok(Index { lately: None, is_behind }), Err)
}
