//! Any bytes as a stored checkpoint are an error, or a checkpoint from which a run can continue and which is read as it was written.

use whiskjack::checkpoint::{Checkpoint, Owed, SourceState};

/// Largest checkpoint, in bytes of JSON (design.md 4, I4).
const LARGEST: usize = 512 << 10;
const LOOKBACKS_MS: [u64; 3] = [0, 900_000, u64::MAX];
const TIMES_MS: [u64; 4] = [0, 1, 1_700_000_000_000, u64::MAX];

/// Tries them as a stored checkpoint.
pub fn try_with(bytes: &[u8]) {
    let Ok(checkpoint) = Checkpoint::decode(bytes) else { return };
    for now in TIMES_MS {
        for lookback_ms in LOOKBACKS_MS {
            checkpoint.sources.values().for_each(|state| run(state.clone(), now, lookback_ms));
        }
    }
    if let Some(together) = SourceState::together(checkpoint.sources.values()) {
        run(together, TIMES_MS[2], LOOKBACKS_MS[1]);
    }
    let merged = checkpoint.clone().merged(checkpoint.clone(), LOOKBACKS_MS[1]);
    assert!(merged.sources.keys().eq(checkpoint.sources.keys()));
    if let Ok(json) = checkpoint.encode() {
        assert!(json.len() <= LARGEST, "{} bytes", json.len());
        let again = Checkpoint::decode(&json).unwrap();
        // What is small is written as it is.
        assert!(json.len() > LARGEST / 4 || again == checkpoint, "{checkpoint:?}\n{again:?}");
    }
}

/// A run that does nothing of its work owes all of it, and one that does all owes nothing.
fn run(state: SourceState, now: u64, lookback_ms: u64) {
    let work = state.work(now, lookback_ms);
    work.iter().for_each(|owed| _ = state.seen.count(owed.range));
    let after = |covered: &[Owed]| {
        let mut after = state.clone();
        after.advance(&work, covered, now, lookback_ms);
        assert!(after.complete_until >= state.complete_until);
        after.owed
    };
    assert_eq!(after(&work), []);
    let owed = after(&[]);
    assert!(work.iter().all(|piece| is_in(&owed, piece)), "{work:?}\n{owed:?}");
}

/// Whether every millisecond of a piece of work is owed: at its ends is enough, as what is owed comes in whole pieces.
fn is_in(owed: &[Owed], piece: &Owed) -> bool {
    let has = |ms| owed.iter().any(|owed| owed.part == piece.part && owed.range.contains(ms));
    has(piece.range.since()) && has(piece.range.upto())
}
