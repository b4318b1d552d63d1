//! The address of a receiver: host and port, and the forms in which people give them.

use serde_json::Value;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A receiver's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or IP address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Endpoint {
    /// Parses `host`, `host:port`, `[address]:port` or a bare IPv6 address; `port` if none is given. The error says what to do.
    pub fn parse(text: &str, port: u16) -> Result<Self, &'static str> {
        let (host, given) = split(text)?;
        Ok(Self { host: host.into(), port: given.unwrap_or(port) })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// The remedy for an IPv6 address whose end is not clear.
pub(crate) const BRACKETS: &str = "put the IPv6 address into brackets, to tell it from its port: `[2001:db8::1]:5044`, or `[2001:db8::1]` without a port";

/// Whether the end of a bare IPv6 address looks like a port, and the rest is an address too: `::1:8080` is hardly meant as an address.
fn may_be_port(text: &str) -> bool {
    let parts = text.rsplit_once(':');
    parts.is_some_and(|(address, port)| {
        port.len() > 1 && port.bytes().all(|b| b.is_ascii_digit()) && is_version_6(address)
    })
}

/// Whether a host's name or address leads to the machine itself, so that no network is in between.
pub fn is_own_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Takes `host`, `host:port`, `[address]:port` or a bare IPv6 address apart. The error says what to do.
pub fn split(text: &str) -> Result<(&str, Option<u16>), &'static str> {
    const FORM: &str = "give `host:port`, such as `logstash.example.com:5044` or `[2001:db8::1]:5044`";
    let text = text.trim();
    // First, as what stands before it may hold any of the others.
    if text.contains('@') {
        return Err("leave user and password out: give `host:port`");
    }
    if text.contains("://") {
        return Err("leave the scheme out: give `host:port`, such as `logstash.example.com:5044`");
    }
    if text.contains('/') {
        return Err("leave the slash out, and what follows it: give `host:port`");
    }
    if text.contains([',', ';', ' ']) {
        return Err("give one receiver; several go into `logstash.hosts`, each as an item of its own");
    }
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let port =
            rest.strip_prefix(':').map(number).or((!rest.is_empty()).then_some(Err(FORM))).transpose()?;
        return if is_version_6(address) { Ok((address, port)) } else { Err(FORM) };
    }
    if may_be_port(text) {
        return Err(BRACKETS);
    }
    if text.matches(':').count() > 1 {
        return if is_version_6(text) { Ok((text, None)) } else { Err(FORM) };
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(number(port)?)),
        None => (text, None),
    };
    if !host.is_ascii() {
        return Err("give the name in its ASCII form, which begins with `xn--`");
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.len() > 253 || !name.split('.').all(label) {
        return Err(FORM);
    }
    let last_is_number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    if last_is_number && host.parse::<Ipv4Addr>().is_err() {
        return Err("give an IPv4 address as four numbers from 0 to 255, such as `192.0.2.1`");
    }
    Ok((host, port))
}

/// Takes the text after `https://` of an API apart: host and port, and the path that the API is below, which begins with a slash or is
/// empty. The API's own path, `/api/v1`, may be at its end, and does not count. `None` if there is a path of another form.
pub fn base_path(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_end_matches('/');
    let text = text.strip_suffix("/api/v1").unwrap_or(text).trim_end_matches('/');
    let (authority, path) = text.split_at(text.find('/').unwrap_or(text.len()));
    let segment = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
    };
    path.split('/').skip(1).all(segment).then_some((authority, path))
}

/// Whether a text is a name or an IP address, without a port. The error says what to do.
pub fn name(text: &str) -> Result<(), &'static str> {
    match split(text)? {
        (_, None) => Ok(()),
        (_, Some(_)) => Err("give the name or IP address alone, without a port"),
    }
}

/// A port, as a number or as text, as the forwarder of 2017 took it.
pub fn port(value: &Value) -> Option<u16> {
    let number = value.as_str().and_then(|text| text.trim().parse().ok()).or_else(|| whole_number(value));
    number.and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0)
}

/// A whole number; 1.0 is one too, as JSON does not distinguish them.
pub fn whole_number(value: &Value) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    value.as_u64().or_else(|| {
        let number =
            value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=EXACT).contains(number))?;
        // It is whole, and small enough to be exact.
        Some(number as u64)
    })
}

fn number(digits: &str) -> Result<u16, &'static str> {
    let port = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    port.filter(|port| *port > 0)
        .ok_or("give a port from 1 to 65535 behind the colon, such as `logstash.example.com:5044`")
}

/// An IPv6 address, maybe with the interface that it is reached through: `fe80::1%eth0`.
fn is_version_6(text: &str) -> bool {
    let (address, zone) = text.split_once('%').unwrap_or((text, "0"));
    address.parse::<Ipv6Addr>().is_ok()
        && !zone.is_empty()
        && zone.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn receivers_are_read_with_and_without_port_and_written_alike() {
        for (text, host, port) in [
            ("logs", "logs", 7),
            ("logs:5044", "logs", 5044),
            (" my_logs.example.com.:5044 ", "my_logs.example.com.", 5044),
            ("10.0.0.1:1", "10.0.0.1", 1),
            ("2001:db8::1", "2001:db8::1", 7),
            ("[2001:db8::1]:5044", "2001:db8::1", 5044),
            ("[fe80::1%eth0]:5044", "fe80::1%eth0", 5044),
            ("[::1]", "::1", 7),
        ] {
            let endpoint = Endpoint::parse(text, 7).unwrap();
            assert_eq!(endpoint, Endpoint { host: host.into(), port }, "{text}");
            assert_eq!(Endpoint::parse(&endpoint.to_string(), 9), Ok(endpoint));
        }
    }

    #[test]
    fn what_is_not_a_receiver_says_what_to_do() {
        for (text, remedy) in [
            ("", "give `host:port`"),
            (":5044", "give `host:port`"),
            ("logs:", "a port from 1 to 65535"),
            ("logs:0", "a port from 1 to 65535"),
            ("logs:70000", "a port from 1 to 65535"),
            ("logs:+1", "a port from 1 to 65535"),
            ("logs:x", "a port from 1 to 65535"),
            ("[::1]:", "a port from 1 to 65535"),
            ("[::1]x", "give `host:port`"),
            ("[logs]:5044", "give `host:port`"),
            ("[::1", "give `host:port`"),
            ("a:b:1", "give `host:port`"),
            ("a..b", "give `host:port`"),
            ("https://logs:1", "leave the scheme out"),
            ("logs:5044/", "leave the slash out"),
            ("a b", "give one receiver"),
            ("a:1,b:1", "give one receiver"),
            ("u@h:1", "leave user and password out"),
            ("user:secret@logs.example.com", "leave user and password out"),
            ("tcp://user:secret@logs:5044/", "leave user and password out"),
            ("lögs.example.com", "`xn--`"),
            ("10.0.0.256", "four numbers"),
            ("10.0.1", "four numbers"),
            ("5044", "four numbers"),
        ] {
            let error = Endpoint::parse(text, 7).unwrap_err();
            assert!(error.contains(remedy) && !error.contains("secret"), "{text}: {error}");
        }
    }

    #[test]
    fn a_port_may_be_text_or_a_whole_number_however_it_is_written() {
        for value in [json!(5044), json!(5044.0), json!("5044"), json!(" 5044 ")] {
            assert_eq!(port(&value), Some(5044), "{value}");
        }
        for value in
            [json!(0), json!(70000), json!(5044.5), json!("5044.0"), json!(-1), json!(true), json!(null)]
        {
            assert_eq!(port(&value), None, "{value}");
        }
    }

    #[test]
    fn a_name_to_check_has_no_port() {
        assert_eq!((name("logs.example.com"), name("::1"), name("[::1]")), (Ok(()), Ok(()), Ok(())));
        assert!(name("logs:5044").unwrap_err().contains("without a port"));
        assert!(name("[::1]:5044").unwrap_err().contains("without a port"));
        assert!(name("https://logs").unwrap_err().contains("scheme"));
    }
}
