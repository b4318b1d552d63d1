//! How much one digest may stand for.

use crate::range::Range;

const MINUTE_MS: u64 = 60_000;
/// So many known activations can be told from about as many new ones (`seen/known.rs`).
const FEW: u64 = 32;

/// How much one digest may stand for: as little as possible, since all of it is sent again if the new ones among the listed cannot be told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grain {
    /// Starts, in milliseconds.
    pub(crate) widest_ms: u64,
    /// Activations.
    pub(crate) most: u64,
}

impl Grain {
    /// The finest grain.
    pub(crate) const FINEST: Self = Self { widest_ms: MINUTE_MS, most: FEW };

    /// Each takes less room than the one before it.
    pub(super) const FROM_FINE_TO_COARSE: [Self; 8] = [
        Self::FINEST,
        Self { widest_ms: 5 * MINUTE_MS, most: FEW },
        Self { widest_ms: 30 * MINUTE_MS, most: FEW },
        Self { widest_ms: MINUTE_MS, most: u64::MAX },
        Self { widest_ms: 5 * MINUTE_MS, most: u64::MAX },
        Self { widest_ms: 30 * MINUTE_MS, most: u64::MAX },
        Self { widest_ms: 360 * MINUTE_MS, most: u64::MAX },
        Self { widest_ms: u64::MAX, most: u64::MAX },
    ];

    /// Whether a digest may stand for so many activations in `range`.
    pub(super) fn allows(self, range: Range, count: u64) -> bool {
        range.upto() - range.since() < self.widest_ms && count <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finest_grain_is_less_than_a_minute_and_32_activations() {
        let allows = |upto: u64, count: u64| Grain::FINEST.allows(Range::new(5, 5 + upto).unwrap(), count);
        assert_eq!([allows(59_999, 32), allows(60_000, 32), allows(59_999, 33)], [true, false, false]);
    }
}
