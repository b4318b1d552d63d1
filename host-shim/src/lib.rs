//! The host of the whiskjack component: sockets, TLS, workers, deadlines, and the entry points.
//!
//! ```text
//! entry point (ActionLoop, command line) → Shim::run → component: plan · forward … · conclude → result
//!                                        │             │
//!                                     params        transport, http → the receiver, the API
//! ```
//!
//! The component is embedded as native code (see `build.rs`); no compiler is linked.
//! The program is statically linked with musl, whose allocator is slow. Measure another before adding one.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, reason = "they panic where nobody reads")
)]

mod attached;
pub mod check;
mod checkpoint;
mod component;
pub mod deploy;
mod doing;
pub mod entrypoint;
mod http;
mod net;
mod origin;
mod os_error;
mod output;
mod params;
mod result;
mod run;
mod said;
mod secret;
pub mod setup;
pub mod status;
#[cfg(test)]
mod testing;
mod tls;
mod transport;

pub use attached::{Advance, Attached, Counters, Rate, Stop, Watcher};
pub use component::LoadError;
pub use doing::{Doing, Step};
pub use origin::Origin;
pub use output::Output;
pub use params::ProxyVariables;
pub use result::{RunResult, Verdict, is_elsewhere};
pub use run::{Given, Keeper, Memory, Record, RunContext, Runner, RunnerError, Shim, Stuck, Unseen, runtime};
pub use secret::Secret;
pub use whiskjack_settings::Fault;
