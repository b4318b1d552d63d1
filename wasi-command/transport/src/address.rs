//! Names and addresses of receivers.

use std::net::{IpAddr, SocketAddr};

/// `host:port`, with brackets around an IPv6 address.
pub fn authority(host: &str, port: u16) -> String {
    let host = bare(host);
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// The host without brackets.
pub fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// The address, if the host is one: it needs no name lookup, which a host may deny.
pub fn literal(host: &str) -> Option<IpAddr> {
    bare(host).parse().ok()
}

/// IPv6 and IPv4 by turns, beginning with the kind that the resolver thinks best: where one of the two leads nowhere, it does so for all
/// addresses of its kind (RFC 8305, section 4).
pub fn families_in_turn(addresses: Vec<IpAddr>, port: u16) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut mixed = Vec::new();
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            return mixed;
        }
        mixed.extend(pair.into_iter().flatten().map(|address| SocketAddr::new(address, port)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_is_shown_in_brackets_and_read_with_and_without() {
        assert_eq!(authority("::1", 5044), "[::1]:5044");
        assert_eq!(authority("[::1]", 5044), "[::1]:5044");
        assert_eq!(authority("logstash", 5044), "logstash:5044");
        assert_eq!(literal("[::1]"), literal("::1"));
        assert!(literal("127.0.0.1").is_some() && literal("localhost").is_none());
    }

    #[test]
    fn both_families_get_their_turn() {
        let addresses = ["2001:db8::1", "2001:db8::2", "192.0.2.1"].map(|text| literal(text).unwrap());
        let order: Vec<String> =
            families_in_turn(addresses.to_vec(), 1).iter().map(ToString::to_string).collect();
        assert_eq!(order, ["[2001:db8::1]:1", "192.0.2.1:1", "[2001:db8::2]:1"]);
    }
}
