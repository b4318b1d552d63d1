//! An in-memory double of the OpenWhisk REST API: the part that a log forwarder reads (activations), the part that may hold its checkpoint
//! (packages), and the part that deploys it (actions, triggers, rules, the alarms feed), with the real platform's limits, error texts, late
//! and stale answers, and with faults on request.
//!
//! ```no_run
//! use openwhisk_double::{Activation, Double, Fault, Matcher, Options};
//!
//! let double = Double::start(Options::default());
//! double.world().add(Activation::new("hello").stdout("hi"));
//! double.fail_next(Matcher::list(), Fault::status(503));
//! // … let a client loose on `double.origin()` with `double.key()` …
//! assert!(double.requests().iter().all(|request| request.status != Some(401)));
//! ```
//!
//! | file | contents |
//! |---|---|
//! | `double`, `options` | the handle a test holds; how to start it |
//! | `world` with `store`, `clock` | the world, and when each part of it is visible |
//! | `activation`, `record`, `log` | building a record; its JSON; its log entries |
//! | `server`, `tls`, `delivery` | sockets, and how a reply leaves |
//! | `api`, `auth`, `list`, `query`, `packages`, `limits`, `reply` | the REST API |
//! | `actions`, `triggers`, `rules` with `entities` | the part of it that deployers use |
//! | `gateway` | gateways before the API |
//! | `alarms`, `invoker` | the alarms feed; running invoked actions |
//! | `script`, `journal` | faults and holds; the requests |
//! | `demo` | a namespace to look at |
//!
//! Facts it follows: OpenWhisk after 2.0.0, stock configuration.
// The double only ever runs inside tests and the demo: a broken invariant should stop them at once, where it is seen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod actions;
mod activation;
mod alarms;
mod api;
mod auth;
mod clock;
mod delivery;
pub mod demo;
mod double;
mod entities;
mod gateway;
mod invoker;
mod journal;
mod limits;
mod list;
pub mod log;
mod options;
mod packages;
mod query;
mod record;
mod reply;
mod rules;
mod script;
mod server;
mod store;
mod tls;
mod triggers;
mod world;

pub use activation::{Activation, Status};
pub use clock::Clock;
pub use double::Double;
pub use gateway::Gateway;
pub use invoker::Invocation;
pub use journal::Request;
pub use options::{BindingKeys, Limits, Options, RequestIds, Storage, Tls};
pub use record::Record;
pub use script::{Fault, Hold, Matcher};
pub use world::World;
