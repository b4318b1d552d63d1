//! The composed command in a stock `wasmtime`.

use super::{Run, Stage};
use crate::Stock;

pub(super) fn start(stage: &Stage) -> Run<'_> {
    let stock = Stock::new();
    Box::new(move || {
        let environment = [("__OW_API_HOST", stage.api.origin()), ("__OW_API_KEY", stage.api.key())];
        let output = stock.run(&stage.params(), &environment);
        assert!(output.status.success(), "{output:?}");
        assert!(!stage.shows_key(&format!("{output:?}")), "the key is in the output: {output:?}");
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    })
}
