//! Parameters of runs whose documents stay here: in a file, on stdout, or on a terminal.

use serde_json::{Map, Value, json};

use super::{remove, replace};

/// Sends to the output in the place of receivers, which need not be configured.
pub(super) fn to_output(params: &mut Map<String, Value>) {
    remove(params, "logstash");
    // The port is never dialled: each connection leads to the output. What is not compressed need not be decompressed.
    params.insert("logstash".to_owned(), json!({"host": "output", "port": 1, "compression_level": 0}));
}

/// Sends as to the configured receivers, but in the form that the output reads.
pub(super) fn as_to_receivers(params: &mut Map<String, Value>) {
    for (name, value) in [("compression_level", 0), ("protocol", 2), ("pipelining", 0)] {
        replace(params, "logstash", name, value.into());
    }
}

/// Without what is about a checkpoint or the forwarder itself.
pub(super) fn without_memory(params: &mut Map<String, Value>) {
    for key in ["checkpoint", "from", "to", "on_missing_state", "monitoring"] {
        remove(params, key);
    }
}
