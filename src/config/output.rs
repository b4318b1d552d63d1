//! Where lines go, and how: the keys of `logstash` that are not about TLS. They have the names that they have in Filebeat.

use super::reader::{Reader, span};
use crate::lumberjack::{Backoff, Options, Protocol};
use serde_json::Value;
use whiskjack_settings::endpoint::{self, Endpoint};

/// Port of a receiver that is given without one, as in Filebeat.
const PORT: u16 = 5044;
const HOUR_MS: u64 = 3_600_000;

/// The receivers, and how they get the lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// At least one, each once.
    pub receivers: Vec<Endpoint>,
    /// Whether all of them get a share; otherwise one gets all lines, and the others replace it if it fails.
    pub loadbalance: bool,
    /// Workers for each receiver that gets a share, at least 1.
    pub worker: u32,
    /// How each worker sends.
    pub sending: Options,
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

fn receivers(reader: &mut Reader, warnings: &mut Vec<String>) -> Vec<Endpoint> {
    if !reader.has("logstash") {
        reader.fault(
            "logstash",
            "say where the lines go: {\"host\": \"logstash.example.com\", \"port\": 5044}",
        );
        return Vec::new();
    }
    check_name(reader);
    if !reader.has("logstash.hosts") {
        return single(reader).into_iter().collect();
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
    for (index, text) in hosts.into_iter().flatten() {
        match Endpoint::parse(&text, port) {
            Ok(receiver) if receivers.contains(&receiver) => {
                warnings.push(format!("`logstash.hosts` lists `{receiver}` twice"));
            }
            Ok(receiver) => receivers.push(receiver),
            Err(remedy) => {
                reader.fault_at(format!("logstash.hosts[{index}]"), &Value::String(text), remedy);
            }
        }
    }
    receivers
}

/// The receiver of `logstash.host` and `logstash.port`, of which either may name the port.
fn single(reader: &mut Reader) -> Option<Endpoint> {
    const PATH: &str = "logstash.port";
    let remedy = "give the receiver's name or IP address, or several as `logstash.hosts`";
    let text = reader.required("logstash.host", remedy, Reader::text);
    let read = text.as_deref().map(endpoint::split);
    if let Some(Err(remedy)) = read {
        reader.fault("logstash.host", remedy);
    }
    let host = read.and_then(Result::ok);
    if let Some((host, Some(port))) = host {
        return match reader.port(PATH) {
            Some(other) if other != port => {
                reader.fault(PATH, format!("`logstash.host` says port {port}: give it once"));
                None
            }
            _ => Some(Endpoint { host: host.into(), port }),
        };
    }
    let port =
        reader.required(PATH, "give the receiver's port; Beats inputs have 5044 by convention", Reader::port);
    host.zip(port).map(|((host, _), port)| Endpoint { host: host.into(), port })
}

/// The rest of the host's keys is for it to check. But every host would take a name with a port for a name, and no certificate has one.
fn check_name(reader: &mut Reader) {
    const PATH: &str = "logstash.servername";
    let name = reader.get(PATH).and_then(Value::as_str).filter(|name| !name.is_empty()).map(endpoint::name);
    if let Some(Err(remedy)) = name {
        reader.fault(PATH, remedy);
    }
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
    let backoff = backoff(reader, default.backoff);
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

/// Pauses between rounds: the first one cannot be longer than the longest one.
fn backoff(reader: &mut Reader, default: Backoff) -> Backoff {
    const INIT: &str = "logstash.backoff.init";
    const MAX: &str = "logstash.backoff.max";
    let (init, max) = (reader.duration(INIT, 10..=HOUR_MS), reader.duration(MAX, 10..=HOUR_MS));
    let backoff = Backoff { init_ms: init.unwrap_or(default.init_ms), max_ms: max.unwrap_or(default.max_ms) };
    if backoff.init_ms > backoff.max_ms {
        let by_default = |given: Option<u64>| if given.is_some() { "" } else { " unless it is given" };
        let (at, remedy) = match init {
            Some(_) => {
                let most = format!("{}{}", span(backoff.max_ms), by_default(max));
                (
                    INIT,
                    format!(
                        "longer than `{MAX}`, which is {most}: give a shorter first pause, or a longer `{MAX}`"
                    ),
                )
            }
            None => {
                let least = format!("{}{}", span(backoff.init_ms), by_default(init));
                (
                    MAX,
                    format!(
                        "shorter than `{INIT}`, which is {least}: give `{INIT}` too, not longer than this"
                    ),
                )
            }
        };
        reader.fault(at, remedy);
    }
    backoff
}

fn small(number: Option<u64>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok())
}
