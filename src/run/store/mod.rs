//! The places of the checkpoint between runs: a package's annotation, or the forwarder's own activation records.

mod cut_short;
mod package;
mod records;

pub use cut_short::CutShort;
pub use package::{ANNOTATION, LEASE, PackageStore, Saved, Saving, Stored, load_package};
pub use records::{Mark, NOT_SAVED, OwnRecords, SAVED, STATE, UNCHANGED, read_records};
