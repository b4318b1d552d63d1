//! The built programs between an API double and real receivers, as their users start them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails"
)]

mod actionloop;
mod backfill;
mod bare;
mod check;
mod command;
mod component;
mod config_2017;
mod deploy;
mod deploy_files;
#[cfg(feature = "deployers")]
mod deployers;
mod entrypoints;
mod hosts;
#[cfg(unix)]
mod killed;
mod loggers;
mod output;
mod progress;
mod proxies;
mod state_file;
mod status;
mod stock_wasmtime;
mod support;
mod tail;
mod tutorial;
mod units;
mod watch;
mod world;
