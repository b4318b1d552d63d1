//! Packages, whose annotations may hold the checkpoint: read and written.

use super::refusal::{refused, said};
use super::{Api, Question, percent_encoded};
use crate::ports::{Failure, Method};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A package, as far as a checkpoint needs it. Writing it changes only its annotations: fields that a PUT leaves out, such as its
/// parameters, stay as they are (docs/facts/openwhisk.md 10).
#[derive(Debug, Clone, Deserialize)]
pub struct Package {
    /// All its annotations; those that are not ours are kept. An answer without any is not a package: treating it as one would lose them.
    pub annotations: Vec<Annotation>,
    /// `major.minor.patch`; the API raises the patch number with every write. An answer without it is not a package either.
    pub version: String,
}

/// A key and any JSON value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Annotation {
    /// The key.
    pub key: String,
    /// The value, as it is in the JSON.
    pub value: Box<RawValue>,
}

/// The outcome of writing a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The package is written; with the patch number of its version now, if that is a number.
    Done(Option<u64>),
    /// Somebody else wrote it at the same time; or it was to be created and exists already.
    Conflict,
    /// The API key may not write it; with the HTTP status, 401 or 403.
    Refused(u16),
}

impl Package {
    /// The last number of its version.
    pub fn patch(&self) -> Option<u64> {
        self.version.rsplit('.').next()?.parse().ok()
    }
}

impl Api<'_> {
    /// Reads a package; `None` if there is none of that name. Only OpenWhisk's own answer counts for that: a gateway says 404 too while the
    /// controller is away.
    pub fn package(&self, name: &str) -> Result<Option<Package>, Failure> {
        let what = format!("the package `{name}`");
        self.retrying(|| {
            let mut response = self.send(Method::Get, &Question::Package(name).target(), Vec::new())?;
            if response.status != 404 {
                return self.read_json(self.accept(response, &what)?, &what).map(Some);
            }
            match said(&mut response) {
                Some(_) => Ok(None),
                None => Err(refused(404, None, &what)),
            }
        })
    }

    /// Writes a package's annotations: creates it, or changes it if `overwrite`. An answer that is not OpenWhisk's proves nothing: neither
    /// that the package is written, nor that it may not be.
    pub fn put_package(
        &self,
        name: &str,
        annotations: &[Annotation],
        overwrite: bool,
    ) -> Result<Written, Failure> {
        #[derive(Serialize)]
        struct Content<'c> {
            annotations: &'c [Annotation],
        }
        let what = format!("writing the package `{name}`");
        let body = serde_json::to_vec(&Content { annotations })
            .map_err(|error| Failure::lasting(format!("{what}: {error}")))?;
        let target = if overwrite { format!("{}?overwrite=true", target(name)) } else { target(name) };
        self.retrying(|| {
            let mut response = self.send(Method::Put, &target, body.clone())?;
            match response.status {
                status @ (401 | 403 | 409) => match (said(&mut response), status) {
                    (Some(_), 409) => Ok(Written::Conflict),
                    (Some(_), _) => Ok(Written::Refused(status)),
                    (None, _) => Err(refused(status, None, &what)),
                },
                _ => {
                    let package: Package = self.read_json(self.accept(response, &what)?, &what)?;
                    Ok(Written::Done(package.patch()))
                }
            }
        })
    }
}

/// Path of a package.
pub(super) fn target(name: &str) -> String {
    format!("/api/v1/namespaces/_/packages/{}", percent_encoded(name))
}
