//! Where the checkpoint is kept between runs: in a package's annotation, or in the forwarder's own activation records.

mod package;
mod records;

pub use package::{ANNOTATION, LEASE, PackageStore, Saved, Saving, Stored, load_package};
pub use records::{Mark, OwnRecords, SAVED, STATE, read_records};
