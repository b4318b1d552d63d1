//! A configuration to begin with, made from the table of keys, so that it has all of them.

use whiskjack_settings::{KEYS, Key, KeyReader};

use super::yaml;

/// What must be there, and the shape that somebody who begins should have: the keys that are not comments.
const GIVEN: [(&str, &str); 4] = [
    ("actions", "[hello, \"shop/*\"]"),
    ("logstash.host", "logs.example.com"),
    ("logstash.port", "5044"),
    ("events.shape", "ecs"),
];

/// Longest line of a comment, in characters.
const WIDTH: usize = 118;

/// The configuration, with a comment for each key.
pub(super) fn text() -> String {
    let mut out = String::from(
        "# Configuration of whiskjack. Every key is here; those with a # in front show their default, or nothing where there is none.\n\
         # ${NAME} and ${NAME:default} are filled in from the environment.\n",
    );
    let mut group = "";
    for key in KEYS.iter().filter(|key| key.reader != KeyReader::Ignored) {
        let (of, name) = key.path.split_once('.').unwrap_or(("", key.path));
        if of != group || of.is_empty() {
            out.push('\n');
        }
        if of != group && !of.is_empty() {
            let is_given =
                GIVEN.iter().any(|(given, _)| given.split_once('.').is_some_and(|(given, _)| given == of));
            out.push_str(&format!("{}{of}:\n", if is_given { "" } else { "#" }));
        }
        group = of;
        let indent = if of.is_empty() { "" } else { "  " };
        for line in yaml::wrapped(&comment(key), WIDTH - indent.len()) {
            out.push_str(&format!("{indent}# {line}\n"));
        }
        match GIVEN.iter().find(|(given, _)| *given == key.path) {
            Some((_, value)) => out.push_str(&format!("{indent}{name}: {value}\n")),
            None => out.push_str(format!("{indent}#{name}: {}", default(key)).trim_end()),
        }
        if !out.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

/// What the key does, and its form.
fn comment(key: &Key) -> String {
    format!("{} ({})", plain(key.meaning), plain(key.form))
}

/// The default as a value, if it is one.
fn default(key: &Key) -> String {
    let text = key.default;
    let is_value = text.parse::<u64>().is_ok() || ["true", "false"].contains(&text);
    match text.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
        // Such as "`package`; `host` with `--state`", but not "`whiskjack.` + own name", nor what names another key.
        Some((value, rest))
            if !rest.starts_with(" +") && !value.contains('.') && !value.starts_with("__") =>
        {
            value.to_owned()
        }
        _ if is_value => text.to_owned(),
        _ => String::new(),
    }
}

/// Text without the marks of Markdown: links become their words.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let (head, words) = before.rsplit_once('[').unwrap_or((before, ""));
        out.push_str(head);
        out.push_str(words);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_example_is_read_and_holds_each_key() {
        let text = text();
        let read = whiskjack_config_file::read("example", text.as_bytes(), &|_| None).unwrap();
        let expected = json!({"actions": ["hello", "shop/*"], "logstash": {"host": "logs.example.com", "port": 5044}, "events": {"shape": "ecs"}});
        assert_eq!(serde_json::Value::Object(read.params), expected, "{text}");
        for key in KEYS.iter().filter(|key| key.reader != KeyReader::Ignored) {
            let name = key.path.split_once('.').map_or(key.path, |(_, name)| name);
            let is_there = |line: &str| line.trim_start_matches([' ', '#']).starts_with(&format!("{name}:"));
            assert!(text.lines().any(is_there), "{}\n{text}", key.path);
        }
        assert!(text.lines().all(|line| line.chars().count() <= 140), "{text}");
    }

    #[test]
    fn a_default_that_is_a_value_is_shown_and_prose_is_not() {
        let of = |path: &str| default(KEYS.iter().find(|key| key.path == path).unwrap());
        for (path, value) in [
            ("logstash.timeout", "30s"),
            ("logstash.worker", "1"),
            ("logstash.tls", "true"),
            ("logstash.cert", ""),
            ("logstash.servername", ""),
            ("checkpoint.store", "package"),
            ("checkpoint.package", ""),
            ("api.host", ""),
        ] {
            assert_eq!(of(path), value, "{path}");
        }
        assert_eq!(plain("see [Proxies](tls.md#proxies), and `x`"), "see Proxies, and `x`");
    }
}
