//! Where the API is: scheme, host and port.

use super::{endpoint, text};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An origin: `https://host[:port]` or `http://host[:port]`, without a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin(String);

impl Origin {
    /// Parses what `__OW_API_HOST` and `api.host` hold: an origin, or `host[:port]`, which means https.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text::tidied(text);
        let text = text.strip_suffix('/').unwrap_or(text);
        let (scheme, authority) = text.split_once("://").unwrap_or(("https", text));
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err("give `https://host[:port]` or `http://host[:port]`".into());
        }
        if authority.contains('@') {
            return Err("leave user and password out: the API key comes from the platform".into());
        }
        // One rule for all that may be reached.
        let (host, _) = endpoint::split(authority)
            .map_err(|_| "give scheme, host and port only, as `https://openwhisk.example.com`")?;
        match host == authority && host.contains(':') {
            true => Ok(Self(format!("{scheme}://[{host}]"))),
            false => Ok(Self(format!("{scheme}://{authority}"))),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_may_come_without_scheme_and_with_a_slash() {
        for (text, origin) in [
            ("https://host:443", "https://host:443"),
            ("openwhisk.example.com", "https://openwhisk.example.com"),
            ("host:8443/", "https://host:8443"),
            ("HTTP://172.17.0.1:3233", "http://172.17.0.1:3233"),
            ("http://[::1]:3233", "http://[::1]:3233"),
            ("[::1]", "https://[::1]"),
            ("::1", "https://[::1]"),
            ("http://2001:db8::1", "http://[2001:db8::1]"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), origin);
        }
    }

    #[test]
    fn paths_users_and_other_schemes_are_refused() {
        for text in [
            "",
            "https://",
            "host:",
            "host:99999",
            "ftp://host",
            "https://host/api/v1",
            "https://user:password@host",
            "ho st",
            "a:b:1",
            "[host]",
            "[::1",
        ] {
            let remedy = Origin::parse(text).unwrap_err();
            assert!(!remedy.contains("password@"), "{remedy}");
        }
    }
}
