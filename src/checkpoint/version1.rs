//! Checkpoints of version 1: they read like those of today, their digests too (`seen/digests.rs`).

use super::Checkpoint;

/// The checkpoint that was read, in today's form.
pub(super) fn settled(mut old: Checkpoint) -> Checkpoint {
    for state in old.sources.values_mut() {
        state.origin = state.origin.max(1);
        state.seen.forget_digested();
    }
    old
}
