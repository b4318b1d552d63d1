//! The forwarder in a simulated world: everything outside is here, in one thread, with a virtual clock, and made from a seed.
//!
//! [`settings`] say what a world is like, [`world`] what happens and [`trouble`] what is wrong there, [`api`] shows it, [`receiver`] takes the lines, [`faults`] spoils both,
//! [`platform`] adds what the platform itself does, [`endless`] runs
//! without a deadline, [`containers`] are where it remembers its last run, [`lull`] is a world in which little happens, [`busy`] one in which much does, [`nameless`] adds
//! records that patterns owe without knowing their names, [`documents`] is what a world's configuration makes of lines,
//! [`driver`] runs the forwarder in it, [`between`] changes things between two runs, [`oracle`] says what must have arrived and [`demand`]
//! what of an action that was not monitored all the time.

mod api;
mod behind;
mod between;
mod busy;
mod containers;
mod demand;
mod documents;
mod driver;
mod endless;
mod faults;
mod former;
mod gap;
mod index;
mod lull;
mod nameless;
mod oracle;
mod package;
mod platform;
mod ports;
mod random;
mod receiver;
mod record;
mod settings;
mod spoiled;
mod store;
mod trouble;
mod world;

pub use driver::simulate;
pub use gap::{Gap, HOUR, MINUTE};
pub use oracle::Verdict;
pub use trouble::KINDS;
