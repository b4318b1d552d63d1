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
    path: "../../wit",
    world: "socket-transport",
    features: ["tls"],
    // Sockets and TLS hand each other their streams, so both must mean the same ones.
    with: {
        "wasi:io/error@0.2.12": ::wasi::io::error,
        "wasi:io/poll@0.2.12": ::wasi::io::poll,
        "wasi:io/streams@0.2.12": ::wasi::io::streams,
    },
    generate_all,
});
