//! The origin of the OpenWhisk API, and the path below which a gateway has it: requests may go only there.

use std::fmt;

use whiskjack_settings::endpoint;

/// Scheme, host, port, and the path that the API is below. Host names are lower case, IPv6 addresses without brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    secure: bool,
    host: String,
    port: u16,
    /// Empty, or a path that begins with a slash and does not end with one.
    base: String,
}

impl Origin {
    /// Reads `https://host[:port]`, `http://host[:port]` or a bare `host[:port]`, which means https; each with a path, if the API is below one.
    ///
    /// A slash at the end is allowed; a query or a user name gives `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let origin = whiskjack_settings::Origin::parse(text).ok()?;
        let (scheme, authority, base) = origin.parts();
        Self::of(scheme == "https", authority).map(|origin| Self { base: base.to_owned(), ..origin })
    }

    /// The origin that a request goes to, if it has one; without a path.
    pub(crate) fn of_uri(uri: &http::Uri) -> Option<Self> {
        Self::of(uri.scheme()? == &http::uri::Scheme::HTTPS, uri.authority()?.as_str())
    }

    /// Whether a request goes to this origin, and below its path.
    pub(crate) fn permits(&self, uri: &http::Uri) -> bool {
        let here =
            Self::of_uri(uri).is_some_and(|origin| Self { base: self.base.clone(), ..origin } == *self);
        let below = uri.path().strip_prefix(&self.base).is_some_and(|rest| rest.starts_with('/'));
        // A gateway may go up by these, and so out of the path.
        let up = |name: &str| matches!(&*name.to_ascii_lowercase().replace("%2e", "."), "." | "..");
        here && below && (self.base.is_empty() || !uri.path().split('/').any(up))
    }

    fn of(secure: bool, authority: &str) -> Option<Self> {
        let authority: http::uri::Authority = authority.parse().ok()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        // `host:` and `host:99999` parse as an authority, but have no port.
        let port = match authority.port_u16() {
            Some(port) => port,
            None if authority.as_str().len() > authority.host().len() => return None,
            None if secure => 443,
            None => 80,
        };
        let host = host.to_ascii_lowercase();
        (!host.is_empty() && port != 0).then_some(Self { secure, host, port, base: String::new() })
    }

    /// Host name or address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Port, the scheme's own if none was given.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether others can read requests to it on the way.
    pub fn is_exposed(&self) -> bool {
        !self.secure && !endpoint::is_own_machine(&self.host)
    }

    /// Whether requests go over TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", crate::net::authority(&self.host, self.port), self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_api_host_that_is_in_use_is_understood() {
        for (text, shown) in [
            ("https://api.example.com:443", "https://api.example.com:443"),
            ("API.example.com", "https://api.example.com:443"),
            ("api.example.com:8443/", "https://api.example.com:8443"),
            ("http://localhost:3233", "http://localhost:3233"),
            ("http://172.17.0.1", "http://172.17.0.1:80"),
            ("https://[::1]:9000", "https://[::1]:9000"),
            ("::1", "https://[::1]:443"),
            ("https://gw/openwhisk/", "https://gw:443/openwhisk"),
            ("gw:1/a/b/api/v1", "https://gw:1/a/b"),
            (" \"https://host\"\r\n", "https://host:443"),
        ] {
            assert_eq!(
                Origin::parse(text).map(|origin| origin.to_string()).as_deref(),
                Some(shown),
                "{text}"
            );
        }
    }

    #[test]
    fn anything_but_an_origin_is_refused() {
        for text in [
            "",
            "https://",
            "ftp://host",
            "host/a?b",
            "host/a/../b",
            "user:secret@host",
            "host:0",
            "host:99999",
            "ho st",
        ] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }

    #[test]
    fn below_a_gateways_path_only_that_path_is_permitted() {
        let origin = Origin::parse("https://gw/openwhisk").unwrap();
        for (uri, permitted) in [
            ("https://gw/openwhisk/api/v1/x?y=..", true),
            ("https://GW:443/openwhisk/", true),
            ("https://gw/openwhisk", false),
            ("https://gw/openwhisk2/api/v1", false),
            ("https://gw/api/v1", false),
            ("https://gw/openwhisk/../admin", false),
            ("https://gw/openwhisk/%2E%2e/admin", false),
            ("http://gw/openwhisk/api/v1", false),
            ("https://other/openwhisk/api/v1", false),
        ] {
            assert_eq!(origin.permits(&uri.parse().unwrap()), permitted, "{uri}");
        }
        assert!(Origin::parse("https://gw").unwrap().permits(&"https://gw/any".parse().unwrap()));
    }

    #[test]
    fn the_origin_of_a_request_ignores_case_and_default_ports() {
        let origin = Origin::parse("https://api.example.com").unwrap();
        assert_eq!(
            Origin::of_uri(&"https://API.example.com:443/api/v1?x=1".parse().unwrap()),
            Some(origin.clone())
        );
        assert_ne!(Origin::of_uri(&"http://api.example.com:443/".parse().unwrap()), Some(origin));
    }
}
