//! Where the lines go, and how: the keys of `logstash` that are not about TLS. They have the names that they have in Filebeat.

use super::reader::Reader;
use crate::lumberjack::{Backoff, Options, Protocol};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Port of a receiver that is given without one, as in Filebeat.
const PORT: u16 = 5044;
const HOUR_MS: u64 = 3_600_000;

/// The receivers, and how they get the lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// At least one, each once.
    pub receivers: Vec<Endpoint>,
    /// Whether all of them get a share; otherwise one gets all, and the others stand in for it.
    pub loadbalance: bool,
    /// Workers for each receiver that gets a share, at least 1.
    pub worker: u32,
    /// How each worker sends.
    pub sending: Options,
}

/// A receiver's address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Output {
    /// How many workers send at once.
    pub fn workers(&self) -> u32 {
        let shares = if self.loadbalance { self.receivers.len() } else { 1 };
        self.worker.saturating_mul(u32::try_from(shares).unwrap_or(u32::MAX))
    }

    /// Reads it; faults and warnings are noted.
    pub(super) fn read(reader: &mut Reader, warnings: &mut Vec<String>) -> Self {
        let receivers = receivers(reader, warnings);
        Self {
            receivers,
            loadbalance: reader.switch("logstash.loadbalance").unwrap_or(false),
            worker: small(reader.integer("logstash.worker", 1..=16, "workers")).unwrap_or(1),
            sending: sending(reader),
        }
    }
}

impl Endpoint {
    /// Parses `host`, `host:port`, `[address]:port` or a bare IPv6 address; `port` if none is given. The error says what to do.
    pub fn parse(text: &str, port: u16) -> Result<Self, &'static str> {
        const FORM: &str = "give `host:port`, as `logstash.example.com:5044` or `[2001:db8::1]:5044`";
        let (host, given) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, rest)) => (address, rest.strip_prefix(':').or((!rest.is_empty()).then_some(""))),
            None if text.matches(':').count() > 1 => (text, None),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let odd = |c: char| c.is_whitespace() || c.is_control() || "/@[]?#\"".contains(c);
        if host.is_empty() || host.contains(odd) {
            return Err(FORM);
        }
        let port = match given {
            Some(digits) => digits.parse().ok().filter(|port| *port > 0).ok_or(FORM)?,
            None => port,
        };
        Ok(Self { host: host.into(), port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

fn receivers(reader: &mut Reader, warnings: &mut Vec<String>) -> Vec<Endpoint> {
    if !reader.has("logstash") {
        reader.fault(
            "logstash",
            "say where the lines go: {\"host\": \"logstash.example.com\", \"port\": 5044}",
        );
        return Vec::new();
    }
    if !reader.has("logstash.hosts") {
        let host = reader.required(
            "logstash.host",
            "give the receiver's name or IP address, or several as `logstash.hosts`",
            Reader::text,
        );
        let port = reader.required(
            "logstash.port",
            "give the receiver's port; Beats inputs have 5044 by convention",
            Reader::port,
        );
        return host.zip(port).map(|(host, port)| Endpoint { host, port }).into_iter().collect();
    }
    if reader.has("logstash.host") {
        reader.fault("logstash.host", "give either `logstash.host` or `logstash.hosts`");
    }
    let port = reader.port("logstash.port").unwrap_or(PORT);
    let hosts = reader.texts(
        "logstash.hosts",
        "give the receivers as [\"one.example.com:5044\", \"two.example.com:5044\"]",
    );
    let mut receivers: Vec<Endpoint> = Vec::new();
    for (index, text) in hosts.into_iter().flatten().enumerate() {
        match Endpoint::parse(text.trim(), port) {
            Ok(receiver) if receivers.contains(&receiver) => {
                warnings.push(format!("`logstash.hosts` lists `{receiver}` twice"));
            }
            Ok(receiver) => receivers.push(receiver),
            Err(remedy) => {
                // What stands before an @ may be a password.
                let shown = if text.contains('@') { Value::Null } else { Value::String(text) };
                reader.fault_at(format!("logstash.hosts[{index}]"), &shown, remedy);
            }
        }
    }
    receivers
}

fn sending(reader: &mut Reader) -> Options {
    let default = Options::default();
    let protocol = match reader.integer("logstash.protocol", 1..=2, "version of the Lumberjack protocol") {
        Some(1) => Protocol::V1,
        _ => default.protocol,
    };
    let pipelining =
        reader.integer("logstash.pipelining", 0..=2, "windows on their way at once").unwrap_or(0);
    if pipelining > 1 && protocol == Protocol::V1 {
        reader.fault(
            "logstash.pipelining",
            "receivers of version 1 get confused by more than one window: remove it",
        );
    }
    let backoff = Backoff {
        init_ms: reader.duration("logstash.backoff.init", 10..=HOUR_MS).unwrap_or(default.backoff.init_ms),
        max_ms: reader.duration("logstash.backoff.max", 10..=HOUR_MS).unwrap_or(default.backoff.max_ms),
    };
    Options {
        protocol,
        window_events: small(reader.integer("logstash.bulk_max_size", 1..=10_000, "lines in a window"))
            .unwrap_or(default.window_events),
        in_flight: if pipelining > 1 { 2 } else { 1 },
        compression_level: reader
            .integer("logstash.compression_level", 0..=9, "0 for none")
            .and_then(|level| u8::try_from(level).ok())
            .unwrap_or(default.compression_level),
        timeout_ms: reader.duration("logstash.timeout", 100..=HOUR_MS).unwrap_or(default.timeout_ms),
        ttl_ms: reader.duration("logstash.ttl", 0..=24 * HOUR_MS).unwrap_or(default.ttl_ms),
        slow_start: reader.switch("logstash.slow_start").unwrap_or(default.slow_start),
        backoff,
        ..default
    }
}

fn small(number: Option<u64>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_are_read_with_and_without_port_and_written_alike() {
        for (text, host, port) in [
            ("logs", "logs", 7),
            ("logs:5044", "logs", 5044),
            ("10.0.0.1:1", "10.0.0.1", 1),
            ("2001:db8::1", "2001:db8::1", 7),
            ("[2001:db8::1]:5044", "2001:db8::1", 5044),
            ("[::1]", "::1", 7),
        ] {
            let endpoint = Endpoint::parse(text, 7).unwrap();
            assert_eq!(endpoint, Endpoint { host: host.into(), port }, "{text}");
            assert_eq!(Endpoint::parse(&endpoint.to_string(), 9), Ok(endpoint));
        }
        for text in [
            "",
            ":5044",
            "logs:",
            "logs:0",
            "logs:70000",
            "logs:x",
            "https://logs:1",
            "a b",
            "[::1]x",
            "[::1]:",
            "u@h:1",
        ] {
            Endpoint::parse(text, 7).unwrap_err();
        }
    }
}
