//! `transport` for hosts that offer only sockets, as the `wasmtime` command does: plain TCP over `wasi:sockets`, and TLS over `wasi:tls` if
//! the host has it. It is a component of its own; `cargo xtask build` puts it under the forwarder in `whiskjack-command.wasm`.
//!
//! | module | purpose |
//! |---|---|
//! | [`connection`] | the contract of `wit/transport.wit` over any [`wire::Wire`]; knows neither sockets nor WASI, so it is tested natively |
//! | `fault` | errors as sentences that name the flag or key to set |
//! | `component` | sockets, TLS, names and clocks of WASI |

pub mod address;
pub mod connection;
pub mod fault;
pub mod wire;

#[cfg(target_os = "wasi")]
mod component;
