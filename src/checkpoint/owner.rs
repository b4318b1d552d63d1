//! The owner of a checkpoint: if two forwarders shared one, each would take the other's work for its own, and lines would be lost.

use super::Checkpoint;
use serde::{Deserialize, Serialize};
use std::fmt;
use whiskjack_settings::{Origin, endpoint};

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
    /// The remedy for a checkpoint of another forwarder.
    pub const REMEDY: &str = "give this forwarder a `checkpoint.package` of its own, or --state FILE; if it stands in for the other one, take \
                              `owner` out of the checkpoint";

    /// An owner; `api` is an origin.
    pub fn new(forwarder: impl Into<String>, api: &str) -> Self {
        Self { forwarder: forwarder.into(), api: plain(api) }
    }

    /// The API of this owner, if the two owners differ in nothing else; for a message.
    pub fn other_api(&self, other: &Self) -> Option<String> {
        let host = |api: &str| Origin::parse(api).ok().map(|origin| origin.parts().1.to_owned());
        let host = |api: &str| {
            host(api).and_then(|text| endpoint::split(&text).ok().map(|(host, _)| host.to_owned()))
        };
        if self.forwarder != other.forwarder || self.api == other.api {
            return None;
        }
        let same_host = host(&self.api).is_some_and(|own| host(&other.api) == Some(own));
        let scheme = match same_host && self.api.starts_with("https:") && other.api.starts_with("http:") {
            true => format!(". A host without a scheme means https, so write {} if that is meant", other.api),
            false => String::new(),
        };
        Some(format!(", and this one asks {}{scheme}", self.api))
    }

    /// The owner of `found`, if that is another forwarder than the owner of `ours`. The API's name may have changed: a checkpoint that the
    /// API keeps belongs to that API.
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
    fn another_api_is_named_and_a_scheme_that_was_left_out_is_told() {
        let owner = |api: &str| Owner::new(Owner::COMMAND, api);
        let told = |own: &str, other: &str| owner(own).other_api(&owner(other));
        assert_eq!(
            told("https://host:3233", "http://host:3233").unwrap(),
            ", and this one asks https://host:3233. A host without a scheme means https, so write http://host:3233 if that is meant"
        );
        assert_eq!(told("https://other", "http://host").unwrap(), ", and this one asks https://other");
        assert_eq!(told("http://host", "https://host").unwrap(), ", and this one asks http://host");
        assert_eq!(told("https://host", "https://host:443"), None);
        assert_eq!(Owner::new("/ns/a", "https://x").other_api(&owner("https://y")), None);
    }

    #[test]
    fn an_origin_is_the_same_with_its_own_port_and_in_capitals() {
        let owner = |api: &str| Owner::new(Owner::COMMAND, api);
        assert_eq!(owner("https://API:443"), owner("https://api"));
        assert_eq!(owner("http://api:80"), owner("http://api"));
        assert_ne!(owner("https://api:8443"), owner("https://api"));
        assert_ne!(owner("http://api"), owner("https://api"));
    }
}
