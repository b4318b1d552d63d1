//! The forwarder in a simulated world: everything outside is here, in one thread, with a virtual clock, and made from a seed.
//!
//! [`world`] says what happens, [`api`] shows it, [`receiver`] takes the lines, [`faults`] spoils both, [`driver`] runs the forwarder in
//! it, [`oracle`] says what must have arrived.

mod api;
mod driver;
mod faults;
mod gap;
mod index;
mod oracle;
mod ports;
mod random;
mod receiver;
mod record;
mod store;
mod world;

pub use driver::simulate;
pub use gap::{Gap, HOUR, MINUTE};
pub use oracle::Verdict;
