//! The checkpoint in a package's annotation: it needs nothing but the API key, is read by id and so never stale, and survives
//! whatever happens to the forwarder's own activation records (facts/openwhisk.md 10).

use super::Lease;
use crate::api::{Annotation, Api, Package, Written};
use crate::ports::Failure;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Key of the checkpoint's annotation.
pub const ANNOTATION: &str = "whiskjack-checkpoint";
/// Key of the lease's annotation.
pub const LEASE: &str = "whiskjack-lease";

/// Times a checkpoint is written when others write the package too.
const TRIES: u32 = 4;

/// What a package holds.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// Whether the package exists.
    pub exists: bool,
    /// The checkpoint's JSON, if it is there.
    pub checkpoint: Option<Box<RawValue>>,
    /// The lease of a run that has not ended, or was killed.
    pub lease: Option<Lease>,
    /// Annotations of others, to be kept.
    pub others: Vec<Annotation>,
    /// The last number of its version.
    pub patch: Option<u64>,
}

/// A package as the place of the checkpoint, and what this run knows of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Held {
    /// The package.
    pub name: String,
    /// Annotations of others, to be kept.
    #[serde(with = "crate::handover::as_json")]
    pub others: Vec<Annotation>,
    /// This run, as its lease names it; `None` if it takes no lease.
    pub run: Option<String>,
    /// Whether another run may be at work too: it wrote at the same time, or left a lease that has run out.
    pub contended: bool,
    /// The HTTP status, if the API key may not write the package.
    pub refused: Option<u16>,
}

/// What came of saving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It is saved; with the patch number of the package's version.
    Done(Option<u64>),
    /// The API key may not write packages; with the HTTP status.
    Refused(u16),
}

/// Reads the package.
pub fn load_package(api: &Api<'_>, name: &str) -> Result<Stored, Failure> {
    let Some(package) = api.package(name)? else { return Ok(Stored::default()) };
    let mut stored = Stored { exists: true, patch: package.patch(), ..Stored::default() };
    for annotation in package.annotations {
        match annotation.key.as_str() {
            ANNOTATION => stored.checkpoint = Some(annotation.value),
            // One that cannot be read holds nobody up.
            LEASE => stored.lease = serde_json::from_slice(annotation.value.get().as_bytes()).ok(),
            _ => stored.others.push(annotation),
        }
    }
    Ok(stored)
}

impl Held {
    /// Writes the checkpoint, and the lease if one is given: without it the run is over. Creates the package if it is not there.
    pub fn save(&self, api: &Api<'_>, checkpoint: &[u8], lease: Option<&Lease>) -> Result<Saved, Failure> {
        let no_json =
            |error: serde_json::Error| Failure::lasting(format!("the checkpoint is no JSON: {error}"));
        let value = serde_json::from_slice::<Box<RawValue>>(checkpoint).map_err(no_json)?;
        let mut annotations = self.others.clone();
        annotations.push(Annotation { key: ANNOTATION.into(), value });
        if let Some(lease) = lease {
            let value = serde_json::value::to_raw_value(lease).map_err(no_json)?;
            annotations.push(Annotation { key: LEASE.into(), value });
        }
        let package = Package { annotations, version: None };
        for tries in 1..=TRIES {
            // Overwriting creates too, so the answer to a create that got lost does no harm.
            match api.put_package(&self.name, &package, true)? {
                Written::Done(patch) => return Ok(Saved::Done(patch)),
                Written::Refused(status) => return Ok(Saved::Refused(status)),
                Written::Conflict if api.pause(tries) => {}
                Written::Conflict => break,
            }
        }
        Err(Failure::passing(format!(
            "the package `{}` is being written by somebody else all the time",
            self.name
        )))
    }
}
