//! B4: the cost of WebAssembly.

use anyhow::{Result, ensure};

use super::Effort;
use crate::contest::{self, number, turns};
use crate::report::{Row, Sense};
use crate::summary::Summary;
use crate::world::Shape;

const SHAPE: Shape = Shape { actions: 10, records: 10_000, lines: 20, span_ms: 600_000 };

pub(super) fn measure(row: &mut Row, effort: Effort) -> Result<()> {
    row.note(
        "A whole run of the core (pages → records → events → windows → acks → checkpoint) with API and receiver in its own memory, the same \
         source natively and as a component, in turn in one process; both with the profile that ships.",
    );
    let records = contest::records(SHAPE)?;
    let mut command = contest::contestant()?;
    command.arg("pipeline").arg(contest::guest()?).arg(records.path()).arg(effort.times(15).to_string());
    let (mut wasm, mut native, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
    for turn in turns(&mut command)? {
        for name in ["events", "wasm_events"] {
            ensure!(number(&turn, name)? == SHAPE.events() as f64, "not everything was forwarded: {turn}");
        }
        let per_second = |name| Ok::<f64, anyhow::Error>(SHAPE.events() as f64 / number(&turn, name)? * 1e6);
        wasm.push(per_second("wasm_us")?);
        native.push(per_second("native_us")?);
        ratio.push(number(&turn, "wasm_us")? / number(&turn, "native_us")?);
    }
    let ratio = Summary::of(ratio);
    row.figure("in wasmtime", "events/s", Summary::of(wasm));
    row.figure("native", "events/s", Summary::of(native));
    row.figure("ratio of neighbours", "×", ratio);
    row.goal("", "×", ratio.median, Sense::AtMost, 1.4);
    Ok(())
}
