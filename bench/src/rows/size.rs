//! B7: how large the parts are.

use std::fs;

use anyhow::{Context, Result};
use whiskjack_testbed::artifacts;

use super::Effort;
use crate::product;
use crate::report::{Row, Sense};
use crate::summary::Summary;

/// What a zip adds to one file named `exec`: a header before it, one in the directory, and the directory's end.
const ZIP: usize = 30 + 4 + 46 + 4 + 22;
/// As `zip` packs, but for `-9`.
const LEVEL: u8 = 6;

pub(super) fn measure(row: &mut Row, _: Effort) -> Result<()> {
    row.note("1 KB is 1000 bytes, 1 MB a million. The zip holds `exec` alone, deflated at level 6.");
    let component = fs::read(artifacts().directory().join("whiskjack.wasm"));
    let component = component.context("the component is not built: run `cargo xtask build`")?.len();
    let binary = fs::read(product::binary()?)?;
    let packed = miniz_oxide::deflate::compress_to_vec(&binary, LEVEL).len() + ZIP;
    let (component, binary, packed) =
        (component as f64 / 1e3, binary.len() as f64 / 1e6, packed as f64 / 1e6);
    row.figure("component", "KB", Summary::exact(component));
    row.figure("static binary", "MB", Summary::exact(binary));
    row.figure("action zip", "MB", Summary::exact(packed));
    row.goal("component", "KB", component, Sense::AtMost, 300.0);
    row.goal("binary", "MB", binary, Sense::AtMost, 6.0);
    row.goal("zip", "MB", packed, Sense::AtMost, 3.0);
    Ok(())
}
