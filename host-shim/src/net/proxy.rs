//! Proxies, for networks from which only they lead out: their forms, and when requests to the API go through one.
//!
//! | form | meaning |
//! |---|---|
//! | `http://[user:password@]host:port`, `host:port` | HTTP: a tunnel (CONNECT), but requests to an `http://` API go to the proxy whole |
//! | `socks5://[user:password@]host[:port]`, `socks5h://…` | SOCKS 5 (RFC 1928), port 1080 if none is given |
//!
//! Percent signs in user and password are decoded. `socks5h` has the proxy resolve names, and so has `http`. `socks5` resolves them here
//! for the API, as curl does, and at the proxy for receivers, as Filebeat does.

mod fault;
mod greeting;
mod language;
#[cfg(test)]
mod tests;
mod tunnel;

use std::fmt;

use base64::Engine as _;
use http::HeaderValue;
use percent_encoding::percent_decode_str;

pub(crate) use self::tunnel::through;
pub(crate) use super::fault::{ProxyFault, Step};
use crate::secret::Secret;
use whiskjack_settings::endpoint;

/// Port of a SOCKS proxy that is given without one. Programs do not agree on one for HTTP.
const SOCKS_PORT: u16 = 1080;
/// Longest user name and password of SOCKS, in bytes (RFC 1929, section 2).
const SOCKS_LONGEST: usize = 255;

/// A proxy.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    kind: Kind,
    host: String,
    port: u16,
    user: Option<User>,
    /// Key or variable that names it, for messages.
    named: &'static str,
    /// Its scheme, as it was written.
    scheme: &'static str,
}

/// What it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Http(Names),
    Socks(Names),
}

/// Who finds the addresses of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// The proxy.
    There,
    /// This host.
    Here,
}

#[derive(Clone, PartialEq, Eq)]
struct User {
    name: String,
    password: Secret,
}

impl Proxy {
    /// Reads it; `names` is for `socks5://`. The error says what is wrong and what to do, without the text, which may hold a password.
    pub(crate) fn parse(text: &str, named: &'static str, names: Names) -> Result<Self, &'static str> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let (kind, scheme) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Kind::Http(Names::There), "http"),
            "socks5" => (Kind::Socks(names), "socks5"),
            "socks5h" => (Kind::Socks(Names::There), "socks5h"),
            "https" => {
                return Err(
                    "TLS to the proxy itself is not supported; give http:// if the proxy takes that, \
                            else socks5://",
                );
            }
            "socks" | "socks4" | "socks4a" => {
                return Err("SOCKS is supported in version 5 only; give socks5://, if the proxy speaks that");
            }
            _ => {
                return Err(
                    "the scheme is not that of a proxy; give http://host:port, socks5://host:port or \
                            socks5h://host:port",
                );
            }
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, place) = rest.rsplit_once('@').map_or((None, rest), |(user, place)| (Some(user), place));
        if rest.contains(['/', '?', '#']) {
            return Err(
                "the URL of a proxy has no path; give http://user:password@host:port, with / ? # in user or \
                        password as %2F %3F %23",
            );
        }
        let Ok((host, port)) = endpoint::split(place) else {
            return Err(
                "host and port cannot be read; give them as http://proxy.example.com:3128, with @ in user or \
                        password as %40",
            );
        };
        let port = match (port, kind) {
            (Some(port), _) => port,
            (None, Kind::Socks(_)) => SOCKS_PORT,
            (None, Kind::Http(_)) => {
                return Err("the port is missing; give it as http://proxy.example.com:3128");
            }
        };
        let user = user.filter(|user| !user.is_empty()).map(|user| User::parse(user, kind)).transpose()?;
        Ok(Self { kind, host: host.to_owned(), port, user, named, scheme })
    }

    /// The same, but names are resolved here.
    pub(crate) fn resolving_here(self) -> Self {
        let kind = match self.kind {
            Kind::Http(_) => Kind::Http(Names::Here),
            Kind::Socks(_) => Kind::Socks(Names::Here),
        };
        Self { kind, ..self }
    }

    /// Whether it takes requests to `http://` whole, which may pass where tunnels to their port may not.
    pub(crate) fn takes_requests(&self) -> bool {
        matches!(self.kind, Kind::Http(_))
    }

    /// The value of `Proxy-Authorization`.
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        let user = self.user.as_ref().filter(|_| self.takes_requests())?;
        let mut value = HeaderValue::from_str(&format!("Basic {}", user.base64())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Texts that must not show up anywhere.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let forms = |user: &User| [user.password.clone(), Secret::new(user.base64())];
        self.user.iter().flat_map(forms).collect()
    }
}

impl User {
    fn parse(text: &str, kind: Kind) -> Result<Self, &'static str> {
        let (name, password) = text.split_once(':').unwrap_or((text, ""));
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(String::from);
        let (Ok(name), Ok(password)) = (decoded(name), decoded(password)) else {
            return Err("user or password is not UTF-8 once its percent signs are decoded; write % as %25");
        };
        if name.chars().chain(password.chars()).any(char::is_control) {
            return Err("user or password holds a control character; leave it out");
        }
        match kind {
            Kind::Http(_) if name.contains(':') => {
                Err("a user name for HTTP cannot have a colon; give another one")
            }
            Kind::Socks(_)
                if [&name, &password].iter().any(|text| !(1..=SOCKS_LONGEST).contains(&text.len())) =>
            {
                Err("SOCKS needs a user name and a password of 1 to 255 bytes each; give both, or neither")
            }
            _ => Ok(Self { name, password: Secret::new(password) }),
        }
    }

    fn base64(&self) -> String {
        let text = format!("{}:{}", self.name, self.password.expose());
        base64::engine::general_purpose::STANDARD.encode(text)
    }
}

/// Without user and password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port, named, .. } = self;
        write!(f, "the proxy {scheme}://{} (`{named}`)", super::authority(host, *port))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
