//! The events that a scripted receiver took, in order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Everything that came, by connection.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// In the order in which they were accepted.
    pub connections: Vec<Connection>,
    /// Whole windows as they came, over all connections: indexes into `connections` and its `windows`.
    pub order: Vec<(usize, usize)>,
}

/// One connection.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// Whole windows, in order.
    pub windows: Vec<Window>,
    /// The rule that the client broke, if it broke one.
    pub refusal: Option<String>,
    /// Why there was no TLS connection, if there was none.
    pub no_tls: Option<String>,
    /// Whether the receiver is done with it.
    pub closed: bool,
}

/// One whole window.
#[derive(Clone, Debug)]
pub struct Window {
    /// `b'1'` or `b'2'`.
    pub version: u8,
    /// Whether its frames came inside a `C` frame.
    pub compressed: bool,
    /// Bytes on the wire, `W` included.
    pub bytes: usize,
    /// Its events, in order; version 1's as objects of strings.
    pub events: Vec<Value>,
    /// How many of them, from the first on, the script has acknowledged with [`Session::ack`](super::Session::ack).
    pub acknowledged: u32,
}

impl Journal {
    /// All windows in order of arrival.
    pub fn windows(&self) -> impl Iterator<Item = &Window> {
        self.order.iter().map(|&(connection, window)| &self.connections[connection].windows[window])
    }

    /// All events in order of arrival.
    pub fn events(&self) -> Vec<Value> {
        self.windows().flat_map(|window| window.events.iter().cloned()).collect()
    }

    /// Texts of the lines of a connection (from 1), as `line` has them after its time and stream.
    pub fn texts(&self, connection: usize) -> Vec<String> {
        let windows = self.connections.get(connection - 1).map_or(&[][..], |it| &it.windows[..]);
        windows.iter().flat_map(|window| &window.events).map(text).collect()
    }

    /// The rules that were broken.
    pub fn refusals(&self) -> Vec<&str> {
        self.connections.iter().filter_map(|connection| connection.refusal.as_deref()).collect()
    }

    /// How often each line was acknowledged.
    pub fn acknowledged(&self) -> BTreeMap<String, usize> {
        let mut lines = BTreeMap::new();
        for window in self.windows() {
            for event in window.events.iter().take(window.acknowledged as usize) {
                *lines.entry(id(event)).or_default() += 1;
            }
        }
        lines
    }

    /// Lines that came again after they had been acknowledged: a sender that reads acks has none.
    pub fn sent_after_ack(&self) -> Vec<String> {
        let mut safe = BTreeSet::new();
        let mut again = Vec::new();
        for window in self.windows() {
            again.extend(window.events.iter().map(id).filter(|id| safe.contains(id)));
            safe.extend(window.events.iter().take(window.acknowledged as usize).map(id));
        }
        again
    }
}

/// What a line is known by: its `@metadata._id`; in version 1, which has none, its activation and text.
pub(crate) fn id(event: &Value) -> String {
    match event["@metadata"]["_id"].as_str() {
        Some(id) => id.to_owned(),
        None => format!("{} {}", event["activation"], event["line"]),
    }
}

fn text(event: &Value) -> String {
    let line = event["line"].as_str().unwrap_or_default();
    line.split_once(": ").map_or(line, |(_, text)| text).to_owned()
}
