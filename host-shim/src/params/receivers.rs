//! The receivers that the parameters name: a component may reach no others. The component reads the same keys, and reports their faults.
//!
//! | form | example |
//! |---|---|
//! | `logstash.host`, `logstash.port` | `logs.example.com`, `5044` or `"5044"`; or `logs.example.com:5044` alone |
//! | `logstash.hosts` | `["logs.example.com:5044", "logs.example.com", "[2001:db8::1]:5044", "2001:db8::1"]`, with `logstash.port` or 5044 where there is none |

use serde_json::Value;

use whiskjack_settings::endpoint::{self, Endpoint};

/// Port of a receiver that is given without one.
const PORT: u16 = 5044;

/// An allow-list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Receivers(Vec<(String, u16)>);

impl Receivers {
    /// Reads them; what cannot be read is not permitted.
    pub(super) fn read(logstash: &Value) -> Self {
        let port = logstash.get("port").and_then(endpoint::port);
        if let Some(hosts) = logstash.get("hosts").and_then(Value::as_array) {
            let each =
                hosts.iter().filter_map(|host| Endpoint::parse(host.as_str()?, port.unwrap_or(PORT)).ok());
            return Self(each.map(|receiver| (normal(&receiver.host), receiver.port)).collect());
        }
        let host = logstash.get("host").and_then(Value::as_str);
        let (host, own) = host.and_then(|host| endpoint::split(host).ok()).unzip();
        Self(host.zip(own.flatten().or(port)).map(|(host, port)| (normal(host), port)).into_iter().collect())
    }

    /// All of them, in the order of the configuration.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&str, u16)> {
        self.0.iter().map(|(host, port)| (host.as_str(), *port))
    }

    /// The receiver that a caller asks for, if it is one of these: its name or address, without brackets.
    pub(crate) fn permits(&self, host: &str, port: u16) -> Option<&str> {
        let host = normal(host);
        self.0.iter().find(|receiver| receiver.1 == port && receiver.0 == host).map(|(host, _)| host.as_str())
    }
}

fn normal(host: &str) -> String {
    host.trim().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_configured_receivers_are_permitted() {
        let one = Receivers::read(&json!({"host": "Logs.example.com", "port": "5044"}));
        assert_eq!(one.permits("logs.example.com", 5044), Some("logs.example.com"));
        assert_eq!((one.permits("logs.example.com", 5045), one.permits("example.com", 5044)), (None, None));
        let address = Receivers::read(&json!({"host": "[::1]", "port": 1}));
        assert!(address.permits("::1", 1).is_some() && address.permits("[::1]", 1).is_some());
        assert_eq!(Receivers::read(&json!({"host": "l", "port": 70000})), Receivers::default());
    }

    #[test]
    fn a_receiver_that_the_component_understands_is_permitted_in_each_of_its_forms() {
        for logstash in [
            json!({"host": "logs", "port": 5044.0}),
            json!({"host": "logs:5044"}),
            json!({"host": " LOGS:5044 ", "port": "5044"}),
            json!({"hosts": ["logs"], "port": 5044.0}),
        ] {
            assert!(Receivers::read(&logstash).permits("logs", 5044).is_some(), "{logstash}");
        }
        assert!(Receivers::read(&json!({"host": "[::1]:5044"})).permits("::1", 5044).is_some());
        for odd in ["user:secret@logs", "https://logs", "a:1,b:1", "logs/"] {
            assert_eq!(Receivers::read(&json!({"host": odd, "port": 1})), Receivers::default(), "{odd}");
        }
    }

    #[test]
    fn several_are_read_with_and_without_ports() {
        let several = Receivers::read(
            &json!({"hosts": ["one:1", "Two", "[2001:db8::1]:3", "2001:db8::2", "[::4]", 5, "six:x"]}),
        );
        let expected = [("one", 1), ("two", 5044), ("2001:db8::1", 3), ("2001:db8::2", 5044), ("::4", 5044)];
        assert_eq!(several.0, expected.map(|(host, port)| (host.to_owned(), port)));
        let port = Receivers::read(&json!({"hosts": ["one"], "port": 7}));
        assert!(port.permits("one", 7).is_some());
    }
}
