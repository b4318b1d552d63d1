//! Whose checkpoint it is: two forwarders that share one would each take the other's work for its own, and lines would be lost.

use super::Checkpoint;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A forwarder, whatever its receivers are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The action's full name, or [`COMMAND`](Self::COMMAND).
    pub forwarder: String,
    /// Origin of the API that it asks.
    pub api: String,
}

impl Owner {
    /// A forwarder that is not an action.
    pub const COMMAND: &str = "command";
    /// What to do about a checkpoint that is another forwarder's.
    pub const REMEDY: &str = "give this forwarder a `checkpoint.package` of its own, or --state FILE; if it stands in for the other one, take \
                              `owner` out of the checkpoint";

    /// An owner; `api` is an origin.
    pub fn new(forwarder: impl Into<String>, api: &str) -> Self {
        Self { forwarder: forwarder.into(), api: plain(api) }
    }

    /// The owner of `found`, if that is another forwarder than the owner of `ours`. The API's name may have changed: what is kept by the API
    /// is of that API.
    pub fn stranger<'f>(found: &'f Checkpoint, ours: &Checkpoint) -> Option<&'f Self> {
        let own = ours.owner.as_ref()?;
        found.owner.as_ref().filter(|owner| owner.forwarder != own.forwarder)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { forwarder, api } = self;
        match forwarder.as_str() {
            Self::COMMAND => write!(f, "the command at {api}"),
            action => write!(f, "the action `{action}` at {api}"),
        }
    }
}

/// An origin as one of several that mean the same: host names know no case, and each scheme has its port.
fn plain(origin: &str) -> String {
    let origin = origin.to_ascii_lowercase();
    let port = if origin.starts_with("https:") { ":443" } else { ":80" };
    origin.strip_suffix(port).map(Into::into).unwrap_or(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_the_same_with_its_own_port_and_in_capitals() {
        let owner = |api: &str| Owner::new(Owner::COMMAND, api);
        assert_eq!(owner("https://API:443"), owner("https://api"));
        assert_eq!(owner("http://api:80"), owner("http://api"));
        assert_ne!(owner("https://api:8443"), owner("https://api"));
        assert_ne!(owner("http://api"), owner("https://api"));
    }
}
