//! The checkpoint in a package's annotation: it needs nothing but the API key, is read by id and so never stale, and survives
//! whatever happens to the forwarder's own activation records (facts/openwhisk.md 10).

use crate::api::{Annotation, Api, Package, Written};
use crate::ports::Failure;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Key of the annotation.
pub const ANNOTATION: &str = "whiskjack-checkpoint";

/// Times a checkpoint is written when others write the package too.
const TRIES: u32 = 4;

/// What a package holds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Stored {
    /// Whether the package exists.
    pub exists: bool,
    /// The checkpoint's JSON, if it is there.
    pub checkpoint: Option<Box<RawValue>>,
    /// Annotations of others, to be kept.
    pub others: Vec<Annotation>,
}

/// Reads the package.
pub fn load_package(api: &Api<'_>, name: &str) -> Result<Stored, Failure> {
    let Some(package) = api.package(name)? else { return Ok(Stored::default()) };
    let (ours, others): (Vec<_>, Vec<_>) =
        package.annotations.into_iter().partition(|annotation| annotation.key == ANNOTATION);
    Ok(Stored {
        exists: true,
        checkpoint: ours.into_iter().next().map(|annotation| annotation.value),
        others,
    })
}

/// Writes the checkpoint; creates the package if it is not there.
pub fn save_package(
    api: &Api<'_>,
    name: &str,
    others: &[Annotation],
    checkpoint: &[u8],
) -> Result<(), Failure> {
    let value = serde_json::from_slice::<Box<RawValue>>(checkpoint)
        .map_err(|error| Failure::lasting(format!("the checkpoint is no JSON: {error}")))?;
    let mut annotations = others.to_vec();
    annotations.push(Annotation { key: ANNOTATION.into(), value });
    let package = Package { annotations };
    for tries in 1..=TRIES {
        // Overwriting creates too, so the answer to a create that got lost does no harm.
        if api.put_package(name, &package, true)? == Written::Done {
            return Ok(());
        }
        if !api.pause(tries) {
            break;
        }
    }
    Err(Failure::passing(format!("the package `{name}` is being written by somebody else all the time")))
}
