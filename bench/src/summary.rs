//! Summaries of repeated measurements: the median, the least and the most.

use serde::{Deserialize, Serialize};

/// Median and spread of some runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The middle one; of an even number of runs the mean of the two in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
    /// How many runs.
    pub runs: usize,
}

impl Summary {
    /// Sums up; not a number of nothing.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let runs = values.len();
        let (low, high) = (runs.saturating_sub(1) / 2, runs / 2);
        Self { median: (at(low) + at(high)) / 2.0, min: at(0), max: at(runs.saturating_sub(1)), runs }
    }

    /// Something that is known, not measured.
    pub fn exact(value: f64) -> Self {
        Self { median: value, min: value, max: value, runs: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::Summary;

    #[test]
    fn the_median_is_in_the_middle_and_the_spread_around_it() {
        let odd = Summary::of([3.0, 1.0, 9.0]);
        assert_eq!((odd.median, odd.min, odd.max, odd.runs), (3.0, 1.0, 9.0, 3));
        assert_eq!(Summary::of([4.0, 1.0, 2.0, 9.0]).median, 3.0);
        assert_eq!(Summary::of([5.0]), Summary::exact(5.0));
    }
}
