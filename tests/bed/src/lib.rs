//! The base of the end-to-end tests: the built artifacts, and the real peers as processes that end with the test.
//!
//! | item | plays |
//! |---|---|
//! | [`Receiver`] | Logstash: Elastic's own Lumberjack server, plain or TLS, with faults on request |
//! | [`Scripted`] | a receiver of our own, stricter than any, that misbehaves as a test's script says |
//! | [`Chaos`] | a stretch of bad network between two of them |
//! | [`OtherProxy`] | the proxy of a network that nothing else leads out of: tinyproxy, microsocks |
//! | [`Client`] | Filebeat or a Python program: Lumberjack clients by others |
//! | [`ActionLoop`] | an OpenWhisk container: the proxy that starts an action and hands it its runs |
//! | [`DockerSkeleton`] | the same for images that start a process for each run |
//! | [`Container`] | the forwarder as a container of its own |
//! | [`Jail`] | an image that holds nothing but the binary; [`NameServer`]: who tells it addresses |
//! | [`Cli`] | somebody at a terminal: the `whiskjack` command |
//! | [`Live`] | the same while it runs, and a terminal; [`screen`]: what is seen there |
//! | [`Stock`] | the same with a stock `wasmtime` and the composed command |
//! | [`Certificates`] | a small PKI for one test |
//! | [`EmptyEngine`] | Elasticsearch and Kibana before anything was set up |
//! | [`hosts`] | all programs that run the component, on the same world |
//!
//! Everything panics with a message for people when it cannot do its work: a test has no other use for the error.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "for tests only: a panic is how a test fails"
)]

mod actionloop;
mod artifacts;
mod certificates;
mod chaos;
mod cli;
mod clients;
mod container;
mod dockerskeleton;
pub mod hosts;
mod invoker;
mod jail;
mod live;
mod name_server;
mod process;
mod proxies;
mod receiver;
mod screen;
mod scripted;
mod search_engine;
mod shared;
mod stock;

pub use actionloop::{ActionLoop, ActionLoopOptions};
pub use artifacts::{Artifacts, artifacts};
pub use certificates::{CertificateFault, Certificates, PASSPHRASE};
pub use chaos::{Chaos, Dice};
pub use cli::{Cli, Output};
pub use clients::{Answer, Client, Inflated, inflate_with_python};
pub use container::Container;
pub use dockerskeleton::DockerSkeleton;
pub use invoker::{RunContext, action_zip, zip_of};
pub use jail::Jail;
pub use live::Live;
pub use name_server::NameServer;
pub use proxies::{OtherProxy, ProxyOptions};
pub use receiver::{Received, Receiver, ReceiverOptions, ReceiverTls, ReceiverVersion};
pub use screen::screen;
pub use scripted::{
    Connection, Journal, Refusal, Rules, Scripted, ScriptedOptions, Session, Window, event_fault, read_window,
};
pub use search_engine::{Asked, EmptyEngine};
pub use stock::Stock;
