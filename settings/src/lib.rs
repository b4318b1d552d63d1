//! Rules that the forwarder and its hosts share: each rule is here once, and holds for the component, `host-shim` and the command for stock
//! wasmtime.
//!
//! A host takes its own keys out of the parameters before the component reads them, and lets the component reach only the addresses that
//! the configuration names. So both must read the configuration alike: a key that the host overlooked would leave it, and an address that
//! it reads differently would be refused.

#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, reason = "they panic where nobody reads")
)]

pub mod calendar;
pub mod endpoint;
mod fault;
pub mod keys;
pub mod nested;
mod origin;
mod package_name;
pub mod said;
mod state;
pub mod text;

pub use endpoint::Endpoint;
pub use fault::{Fault, Faults, is_user_information, shown};
pub use keys::{KEYS, Key, KeyReader};
pub use origin::Origin;
pub use package_name::{package_of, sign};
pub use state::{beside, folder, unused_state};
