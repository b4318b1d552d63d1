//! Ranges that no look-back of a later run reaches: what the list does not show there now will never be looked for again.
//!
//! A list or a count may show the index as of the question before, which can be hours old, and only then bring it up to date
//! (facts/openwhisk.md 1.7). So such a range is listed only when its count has come to rest.

use crate::api::{Api, Query};
use crate::plan::{Plan, Slice};
use crate::ports::{Clock, Failure};

/// Time between two counts that must be the same, in milliseconds, and how often that is tried.
const INDEXING_MS: u64 = 500;
const TRIES: u32 = 5;

/// Whether `slice` holds activations that no run has asked for before, and some that none will ask for again.
pub(super) fn is_gap(plan: &Plan, slice: &Slice) -> bool {
    let range = slice.owed.range;
    let through = plan.checkpoint.sources.get(&slice.source).map_or(0, |state| state.through);
    range.upto() > through && range.since() < plan.began_ms.saturating_sub(plan.lookback_ms)
}

/// Counts the range until the count is the same as it was half a second before, and returns it. The `first` page is asked for at the same time:
/// it shows what was counted, if the count is the right one.
pub(super) fn count_at_rest(
    api: &Api<'_>,
    clock: &dyn Clock,
    plan: &Plan,
    slice: &Slice,
    first: Query<'_>,
) -> Result<u64, Failure> {
    let (mut before, mut asked_ms) = (slice.count, plan.counted_ms);
    for _ in 0..TRIES {
        if before.is_some() {
            api.wait(INDEXING_MS.saturating_sub(clock.now_ms().saturating_sub(asked_ms)));
            api.list_ahead(first);
        }
        asked_ms = clock.now_ms();
        let count = api.count(first.name, slice.owed.range)?;
        if before == Some(count) {
            break;
        }
        api.forget_ahead();
        before = Some(count);
    }
    Ok(before.unwrap_or_default())
}
