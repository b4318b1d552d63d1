//! The address of the API: scheme, host and port, and maybe a path.

use crate::{endpoint, text};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An origin, `https://host[:port]` or `http://host[:port]`, and the path that a gateway has the API below, if any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin(String);

impl Origin {
    /// Parses the value of `__OW_API_HOST` or `api.host`: an origin, or `host[:port]`, which means https; with a path, if a gateway has the
    /// API below one.
    pub fn parse(text: &str) -> Result<Self, String> {
        const FORM: &str = "give scheme, host and port, and the path that the API is below, if there is one: `https://openwhisk.example.com`, \
                            `https://gateway.example.com/openwhisk`";
        let text = text::tidied(text);
        let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err("give `https://host[:port]` or `http://host[:port]`".into());
        }
        if rest.contains('@') {
            return Err("leave user and password out: the API key comes from the platform".into());
        }
        let (authority, base) = endpoint::base_path(rest).ok_or(FORM)?;
        let authority = text::tidied(authority);
        // One rule for all that may be reached.
        let split = endpoint::split(authority);
        let (host, _) = split.map_err(|remedy| if remedy == endpoint::BRACKETS { remedy } else { FORM })?;
        match host == authority && host.contains(':') {
            true => Ok(Self(format!("{scheme}://[{host}]{base}"))),
            false => Ok(Self(format!("{scheme}://{authority}{base}"))),
        }
    }

    /// Scheme, host and port, and the path that the API is below: empty, or one that begins with a slash.
    pub fn parts(&self) -> (&str, &str, &str) {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("https", &self.0));
        let (authority, base) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        (scheme, authority, base)
    }

    /// Whether others can read requests to it on the way.
    pub fn is_exposed(&self) -> bool {
        let (scheme, authority, _) = self.parts();
        scheme == "http" && endpoint::split(authority).is_ok_and(|(host, _)| !endpoint::is_own_machine(host))
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
            ("https://host//", "https://host"),
            ("\"https://host\"\r\n", "https://host"),
            ("host \r\n/api/v1", "https://host"),
            (" https:// host:8443 /openwhisk", "https://host:8443/openwhisk"),
            ("https://gw/openwhisk", "https://gw/openwhisk"),
            ("gw:8443/a/b_c/", "https://gw:8443/a/b_c"),
            ("https://host/api/v1/", "https://host"),
            ("https://gw/openwhisk/api/v1", "https://gw/openwhisk"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), origin);
        }
    }

    #[test]
    fn only_an_origin_without_tls_elsewhere_is_exposed() {
        for (text, exposed) in [
            ("http://172.17.0.1:3233", true),
            ("http://openwhisk.example.com", true),
            ("http://gw.example.com/openwhisk", true),
            ("http://[2001:db8::1]:80", true),
            ("https://openwhisk.example.com", false),
            ("openwhisk.example.com", false),
            ("http://localhost:3233", false),
            ("http://localhost:3233/openwhisk", false),
            ("http://127.0.0.1", false),
            ("http://[::1]:3233", false),
        ] {
            assert_eq!(Origin::parse(text).unwrap().is_exposed(), exposed, "{text}");
        }
    }

    #[test]
    fn a_bare_address_that_may_end_in_a_port_is_refused_with_the_form_to_write() {
        for text in ["::1:8080", "https://::1:8080", "2001:db8::1:443", "http://fe80::1:80/x"] {
            assert!(Origin::parse(text).unwrap_err().contains("into brackets"), "{text}");
        }
        for text in ["::1", "2001:db8::443", "2001:db8::8:800:200c:417a", "[::1]:8080", "1:2:3:4:5:6:7:8080"]
        {
            assert!(Origin::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn the_parts_of_an_origin_are_what_a_request_is_made_of() {
        assert_eq!(Origin::parse("https://gw:1/a/b").unwrap().parts(), ("https", "gw:1", "/a/b"));
        assert_eq!(Origin::parse("http://[::1]").unwrap().parts(), ("http", "[::1]", ""));
    }

    #[test]
    fn odd_paths_users_and_other_schemes_are_refused() {
        for text in [
            "",
            "https://",
            "host:",
            "host:99999",
            "ftp://host",
            "https://host/a?b",
            "https://host/a//b",
            "https://host/a/../b",
            "https://host/a b",
            "https://host/a%2f",
            "https://host/#/x",
            "https://user:password@host",
            "https://host/user:password@x",
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
