//! `transport` for hosts that offer sockets and nothing else, as the `wasmtime` command does: plain TCP over `wasi:sockets`, and TLS over
//! `wasi:tls` where the host has it. A component of its own; `cargo xtask build` puts it under the forwarder in `whiskjack-command.wasm`.
//!
//! | module | what it does |
//! |---|---|
//! | [`connection`] | the contract of `wit/transport.wit` over any [`wire::Wire`]; knows neither sockets nor WASI, so it is tested natively |
//! | `fault` | what went wrong as a sentence that names the flag or key to set |
//! | `component` | sockets, TLS, names and clocks of WASI |

pub mod address;
pub mod connection;
pub mod fault;
pub mod wire;

#[cfg(target_os = "wasi")]
mod component;
