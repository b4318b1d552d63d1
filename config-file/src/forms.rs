//! Which keys are not texts. A variable only holds text, and where a text belongs it stays one, whatever it looks like: a passphrase of digits is
//! not a number. `tests/docs/schema` compares this with the table of all keys.

/// What the value of a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text, or anything else that a variable gives as text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Switch,
    /// Texts, with commas between them.
    List,
}

const NUMBERS: &[&str] = &[
    "from",
    "logstash.port",
    "logstash.worker",
    "logstash.bulk_max_size",
    "logstash.compression_level",
    "logstash.pipelining",
    "logstash.protocol",
    "lookback_minutes",
];
const SWITCHES: &[&str] = &[
    "logstash.loadbalance",
    "logstash.slow_start",
    "logstash.tls",
    "logstash.rejectUnauthorized",
    "logstash.proxy_use_local_resolver",
    "api.rejectUnauthorized",
];
const LISTS: &[&str] = &["actions", "logstash.hosts"];

/// What the value of the key at `path` is.
pub fn form(path: &str) -> Form {
    match path {
        _ if NUMBERS.contains(&path) => Form::Number,
        _ if SWITCHES.contains(&path) => Form::Switch,
        _ if LISTS.contains(&path) => Form::List,
        _ => Form::Text,
    }
}
