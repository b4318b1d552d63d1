//! OpenWhisk: its API, the lists of activations, their records, and the names of actions.

pub mod api;
pub mod fetch;
pub mod record;
pub mod source;
