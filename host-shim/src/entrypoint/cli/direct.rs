//! Parameters of runs whose documents stay here: in a file, on stdout, or on a terminal.

use serde_json::{Map, Value, json};

use super::{remove, replace};

/// Sends to the output in the place of receivers, which need not be configured.
pub(super) fn to_output(params: &mut Map<String, Value>) {
    remove(params, "logstash");
    // The port is never dialled: each connection leads to the output. What is not compressed need not be decompressed.
    params.insert("logstash".to_owned(), json!({"host": "output", "port": 1, "compression_level": 0}));
}

/// Sends as to the configured receivers, if there are any, but in the form that the output reads.
pub(super) fn as_to_receivers(params: &mut Map<String, Value>) {
    if !params.keys().any(|key| key == "logstash" || key.starts_with("logstash.")) {
        return to_output(params);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(params: Value, change: impl Fn(&mut Map<String, Value>)) -> Value {
        let Value::Object(mut params) = params else { panic!() };
        change(&mut params);
        Value::Object(params)
    }

    #[test]
    fn an_output_needs_no_receiver_and_asks_nothing_of_those_that_there_are() {
        let output =
            json!({"actions": ["a"], "logstash": {"host": "output", "port": 1, "compression_level": 0}});
        for given in [
            json!({"actions": ["a"]}),
            json!({"actions": ["a"], "logstash": {"hosts": ["h"], "protocol": 1, "ca": "x"}}),
            json!({"actions": ["a"], "logstash.host": "h", "logstash.backoff.init": "1s"}),
        ] {
            assert_eq!(changed(given, to_output), output);
        }
        assert_eq!(changed(json!({"actions": ["a"]}), as_to_receivers), output);
    }

    #[test]
    fn receivers_stay_who_they_are_where_nothing_is_sent_to_them() {
        let given = json!({"logstash": {"host": "h", "port": 5, "protocol": 1, "pipelining": 2}});
        let expected = json!({"logstash": {"host": "h", "port": 5, "protocol": 2, "pipelining": 0, "compression_level": 0}});
        assert_eq!(changed(given, as_to_receivers), expected);
    }
}
