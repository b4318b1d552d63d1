//! Dotted keys: `{"logstash.port": 5044}` is `{"logstash": {"port": 5044}}`, as in Beats.

use serde_json::{Map, Value};

/// The remedy for a key that is given twice.
pub const TWICE: &str = "it is given twice: a dotted key is the same as the key in its group; give it once";

/// The deepest nesting of groups, as in `logstash.key.pem`, and one more. Deeper groups stay as they are.
const DEPTH: usize = 4;

/// The key whose value may begin and end with blanks.
const PASSPHRASE: &str = "passphrase";

/// The group whose texts are patterns, in which blanks count.
const PATTERNS: &str = "lines";

/// Puts the values of dotted keys into their groups. Returns the paths that are given twice; one of their values is lost.
///
/// Texts lose a byte order mark; a text on one line also loses blanks around it and its line end, unless it is a passphrase or a pattern.
/// `null` counts as absent. Keys that begin with `__` are the platform's and stay as they are.
pub fn nest(params: &mut Map<String, Value>) -> Vec<String> {
    let mut twice = Vec::new();
    for (name, value) in std::mem::take(params) {
        if name.starts_with("__") {
            params.insert(name, value);
        } else {
            put(params, &[], &name, value, &mut twice);
        }
    }
    twice
}

fn put(group: &mut Map<String, Value>, above: &[&str], name: &str, value: Value, twice: &mut Vec<String>) {
    let (name, rest) = match name.split_once('.') {
        Some((first, rest)) if above.len() < DEPTH && !first.is_empty() && !rest.is_empty() => {
            (first, Some(rest))
        }
        _ => (name, None),
    };
    let path = [above, &[name]].concat();
    let members = match (rest, value) {
        (Some(rest), value) => one(rest, value),
        (None, Value::Object(members)) if above.len() < DEPTH => members,
        (None, value) => {
            let as_it_is = name == PASSPHRASE || path.first() == Some(&PATTERNS);
            let value = if as_it_is { value } else { trimmed(value) };
            let place = group.entry(name).or_insert(Value::Null);
            if place.is_null() {
                *place = value;
            } else if !value.is_null() {
                twice.push(path.join("."));
            }
            return;
        }
    };
    let place = group.entry(name).or_insert(Value::Null);
    if place.is_null() {
        *place = Value::Object(Map::new());
    }
    match place {
        Value::Object(inner) => {
            for (name, value) in members {
                put(inner, &path, &name, value, twice);
            }
        }
        _ => twice.push(path.join(".")),
    }
}

/// The value with its texts trimmed.
fn trimmed(value: Value) -> Value {
    match value {
        Value::String(text) => {
            let text = text.trim_start_matches('\u{feff}');
            // Several lines are PEM text, which ends with its last line's end.
            let line = text.trim();
            if line.contains('\n') { text.into() } else { line.into() }
        }
        Value::Array(items) => items.into_iter().map(trimmed).collect(),
        other => other,
    }
}

/// An object with one member. `from_iter` would sort, which is much code for one member.
fn one(name: &str, value: Value) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert(name.to_owned(), value);
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn nested(mut params: Value) -> (Value, Vec<String>) {
        let twice = nest(params.as_object_mut().unwrap());
        (params, twice)
    }

    #[test]
    fn a_dotted_key_is_the_key_in_its_group() {
        let all = json!({"logstash": {"host": "h", "key": {"pem": "k"}, "backoff": {"init": "1s", "max": "2s"}}, "actions": ["a.b"]});
        for params in [
            all.clone(),
            json!({"logstash.host": "h", "logstash.key": {"pem": "k"}, "logstash.backoff.init": "1s", "logstash.backoff": {"max": "2s"}, "actions": ["a.b"]}),
            json!({"logstash": {"host": "h", "backoff.init": "1s", "key.pem": "k"}, "logstash.backoff.max": "2s", "actions": ["a.b"]}),
            json!({"logstash": null, "logstash.host": "h", "logstash.key.pem": "k", "logstash.backoff": {"init": "1s", "max": null}, "logstash.backoff.max": "2s", "actions": ["a.b"]}),
        ] {
            assert_eq!(nested(params), (all.clone(), vec![]));
        }
    }

    #[test]
    fn a_key_that_is_given_dotted_and_nested_is_named() {
        for (params, path) in [
            (json!({"logstash": {"port": 1}, "logstash.port": 1}), "logstash.port"),
            (json!({"logstash": {"backoff.init": "1s", "backoff": {"init": "1s"}}}), "logstash.backoff.init"),
            (json!({"logstash": "host", "logstash.port": 1}), "logstash"),
            (json!({"logstash.key": "k", "logstash.key.pem": "k"}), "logstash.key"),
            (json!({"logstash.key.pem": "k", "logstash": {"key": "k"}}), "logstash.key"),
        ] {
            assert_eq!(nested(params.clone()).1, [path], "{params}");
        }
    }

    #[test]
    fn texts_lose_byte_order_marks_line_ends_and_blanks_around_them_but_not_a_passphrase() {
        let params = json!({
            "logstash.host": "\u{feff}logs\r\n", "logstash": {"hosts": [" a:1\r\n", 5], "passphrase": " open sesame ", "ca": "\u{feff}A\r\nB\r\n",
            "key": {"pem": "K\n", "passphrase": " x "}}, "actions": ["hello\r\n"]
        });
        let tidy = json!({
            "logstash": {"host": "logs", "hosts": ["a:1", 5], "passphrase": " open sesame ", "ca": "A\r\nB\r\n", "key": {"pem": "K", "passphrase": " x "}},
            "actions": ["hello"]
        });
        assert_eq!(nested(params), (tidy, vec![]));
    }

    #[test]
    fn what_the_platform_adds_and_what_is_no_path_stay_as_they_are() {
        let deep = "a.".repeat(200_000);
        for params in [
            json!({"__ow_headers": {"x.y": 1}, "__ow.z": 2}),
            json!({".": 1, "a.": 2, ".b": 3, "": 4}),
            json!({"a": {"b": {"c": {"d": {"e.f": {"g.h": 1}}}}}}),
        ] {
            assert_eq!(nested(params.clone()), (params, vec![]));
        }
        assert_eq!(nested(json!({&deep: 1})).1, Vec::<String>::new());
    }
}
