//! The sender's own checklist, S1–S40, on its state machine with a virtual clock.

use crate::harness::{Test, tests};

pub(crate) const TESTS: &[Test] = tests![];
