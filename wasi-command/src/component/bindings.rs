//! The bindings that `wit-bindgen` makes from `wit/`.

#![allow(unsafe_code, reason = "generated: it passes memory over the component's boundary")]
#![allow(missing_docs, unreachable_pub, missing_debug_implementations, reason = "generated")]
#![allow(
    clippy::all,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "generated"
)]

wit_bindgen::generate!({
    path: "../wit",
    world: "command",
    generate_all,
});
