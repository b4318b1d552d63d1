//! B7: how large the parts are.

use std::fs;

use anyhow::{Context, Result};
use whiskjack_testbed::artifacts;

use super::Effort;
use crate::product;
use crate::report::{Row, Sense};
use crate::summary::Summary;

pub(super) fn measure(row: &mut Row, _: Effort) -> Result<()> {
    row.note(
        "1 KB is 1000 bytes, 1 MB a million. The zip holds `exec` alone, packed as `cargo xtask dist` does.",
    );
    let component = fs::read(artifacts().directory().join("whiskjack.wasm"));
    let component = component.context("the component is not built: run `cargo xtask build`")?.len();
    let binary = fs::read(product::binary()?)?;
    let packed = whiskjack_zip::packed(&[("exec", &binary)], whiskjack_zip::Effort::Kept)?.len();
    let (component, binary, packed) =
        (component as f64 / 1e3, binary.len() as f64 / 1e6, packed as f64 / 1e6);
    row.figure("component", "KB", Summary::exact(component));
    row.figure("static binary", "MB", Summary::exact(binary));
    row.figure("action zip", "MB", Summary::exact(packed));
    row.goal("component", "KB", component, Sense::AtMost, 800.0);
    row.goal("binary", "MB", binary, Sense::AtMost, 7.5);
    row.goal("zip", "MB", packed, Sense::AtMost, 3.2);
    Ok(())
}
