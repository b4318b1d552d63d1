//! The code that the benchmarks time forwards everything, natively.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails"
)]

use openwhisk_double::{Double, Options};
use whiskjack_bench::world::{Shape, recorded};
use whiskjack_bench_guest::memory::{Acknowledging, Api};
use whiskjack_bench_guest::{Records, pipeline, send};

const SHAPE: Shape = Shape { actions: 2, records: 600, lines: 20, span_ms: 600_000 };

fn records() -> Records {
    let api = Double::start(Options::default());
    api.world().add_all(SHAPE.activations(api.world().clock().now()));
    let records = recorded(&api).unwrap();
    assert_eq!(records.len(), SHAPE.records);
    Records::new(&records.join(&b'\n'))
}

#[test]
fn every_line_is_sent() {
    let records = records();
    assert_eq!(records.events(), SHAPE.events());
    assert_eq!(send(&records.parsed(), &Acknowledging::default(), "memory", 5044), SHAPE.events());
}

#[test]
fn every_line_goes_through_the_pipeline() {
    let records = records();
    assert_eq!(pipeline(&Api::new(&records)), SHAPE.events());
}
