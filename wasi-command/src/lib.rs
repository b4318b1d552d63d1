//! The program of `whiskjack-command.wasm`, which runs in an unchanged `wasmtime` command: it reads the configuration, calls the forwarder,
//! keeps the checkpoint in a file, and prints the result.
//!
//! It is a component of its own. `cargo xtask build` composes it with the forwarder (`whiskjack.wasm`) and with `wasi-command/transport`,
//! which implements `transport` over WASI's sockets. No part of the forwarder is written again here.
//!
//! | module | purpose |
//! |---|---|
//! | [`arguments`] | the command line and the environment |
//! | [`security`] | takes the host's keys out of the configuration, and refuses what a stock host cannot honour |
//! | [`state`] | the checkpoint file, and a lease in place of a lock |
//! | [`outcome`] | the result line |
//! | `component` | plan, forward, conclude; only for WASI |

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, reason = "they panic where nobody reads")
)]

pub mod arguments;
pub mod outcome;
pub mod security;
pub mod state;

#[cfg(target_os = "wasi")]
mod component;
