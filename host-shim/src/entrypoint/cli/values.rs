//! Values of options: what is wrong with one, and what to give. Option and value stand before it (`refusal.rs`).

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;

/// Reads whole numbers in a range; `thing` says what one is: `a port`.
pub(super) fn whole<N: TryFrom<u64>>(
    range: RangeInclusive<u64>,
    thing: &'static str,
) -> impl Fn(&str) -> Result<N, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.and_then(|number| N::try_from(number).ok()).ok_or_else(|| {
            let to = if *range.end() == u64::MAX { "on".to_owned() } else { format!("to {}", range.end()) };
            format!("is not {thing}; give a whole number from {} {to}", range.start())
        })
    }
}

/// Reads an address to listen on, with its port.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let local = |port: &str| Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().ok()?)));
    let read = text.parse().ok().or_else(|| local(text.strip_prefix("localhost:")?));
    read.ok_or_else(|| match text.parse::<u16>() {
        Ok(port) => format!(
            "is a port without its address; give 127.0.0.1:{port} for this machine alone, or 0.0.0.0:{port} for others too"
        ),
        Err(_) => {
            "is not an address with its port; give the address in numbers, such as 127.0.0.1:9600, [::1]:9600 or 0.0.0.0:9600, or \
             localhost:9600"
                .to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_out_of_its_range_is_told_with_the_range() {
        let workers = whole::<u32>(1..=16, "a number of connections");
        assert_eq!(workers("16"), Ok(16));
        for text in ["0", "17", "-5", "x", "", "1.5", "99999999999999999999"] {
            let expected = "is not a number of connections; give a whole number from 1 to 16";
            assert_eq!(workers(text), Err(expected.to_owned()), "{text}");
        }
        let limit = whole::<u64>(1..=u64::MAX, "a number of documents")("0").unwrap_err();
        assert_eq!(limit, "is not a number of documents; give a whole number from 1 on");
    }

    #[test]
    fn an_address_may_be_localhost_and_a_port_alone_is_told_how_to_write_it() {
        assert_eq!(address("127.0.0.1:9600"), address("localhost:9600"));
        assert!(address("[::1]:0").is_ok());
        assert!(
            address("9600")
                .unwrap_err()
                .ends_with("give 127.0.0.1:9600 for this machine alone, or 0.0.0.0:9600 for others too")
        );
        for text in ["", ":9600", "logs.example.com:9600", "::1:9600", "localhost:99999", "localhost"] {
            assert!(address(text).unwrap_err().contains("; give the address in numbers"), "{text}");
        }
    }
}
