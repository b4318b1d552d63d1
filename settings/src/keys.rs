//! Every key of the configuration, once: a key of this table is allowed, and `docs/configuration.md` and the schema describe it.

/// The part that uses a key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyReader {
    /// The component.
    Forwarder,
    /// The host: TLS belongs to it.
    Host,
    /// Neither: the platform adds the key, as it adds all keys that begin with `__`.
    Ignored,
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Path, such as `logstash.port`.
    pub path: &'static str,
    /// Form and unit.
    pub form: &'static str,
    /// Value if the key is absent; empty if the key is required.
    pub default: &'static str,
    /// Its effect.
    pub meaning: &'static str,
    /// The part that uses it.
    pub reader: KeyReader,
}

const fn key(path: &'static str, form: &'static str, default: &'static str, meaning: &'static str) -> Key {
    Key { path, form, default, meaning, reader: KeyReader::Forwarder }
}

const fn host(path: &'static str, form: &'static str, default: &'static str, meaning: &'static str) -> Key {
    Key { path, form, default, meaning, reader: KeyReader::Host }
}

const fn ignored(path: &'static str, meaning: &'static str) -> Key {
    Key { path, form: "anything", default: "none", meaning, reader: KeyReader::Ignored }
}

/// All keys.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key("actions", "array of names, or of objects with a name", "", "The actions to monitor: `action` or `package/action`. `*` in a name stands for any text without a slash, and `!` excludes: `[\"*\", \"shop/*\", \"!shop/debug\"]`"),
    key("from", "milliseconds since 1970, or RFC 3339", "now − look-back", "Where the first run begins: only activations that start later are forwarded"),
    key("to", "milliseconds since 1970, or RFC 3339", "none", "Where forwarding ends: only activations that start at this time or earlier are forwarded. Use it for a past range, with a checkpoint of its own, as `whiskjack backfill` does"),
    key("logstash.host", "name or IP address, or `host:port`", "", "The receiver, unless `logstash.hosts` is given"),
    key("logstash.port", "1–65535", "", "The receiver's port, unless `logstash.host` has it; with `logstash.hosts` the default is 5044"),
    key("logstash.hosts", "array of `host:port`", "none", "Several receivers, instead of `logstash.host`; an entry without a port uses `logstash.port`, or else 5044. One receiver gets all lines; if it fails, the next one does"),
    key("logstash.loadbalance", "boolean", "`false`", "Whether all receivers get a share at the same time"),
    key("logstash.worker", "1–16", "1", "Connections at the same time; with `loadbalance` this many for each receiver"),
    key("logstash.bulk_max_size", "1–10,000", "2048", "Most lines in a window"),
    key("logstash.compression_level", "0–9", "2", "zlib level; 0 sends version 2 uncompressed"),
    key("logstash.pipelining", "0–2", "0", "2 sends a second window before the first is acknowledged"),
    key("logstash.protocol", "1 or 2", "2", "Version of the Lumberjack protocol; 1 for Logstash's `lumberjack` input and old receivers"),
    key("logstash.timeout", "time, 100ms–1h", "`30s`", "How long a receiver may be silent once it is connected; signs of life count. Connecting has its own limit of 9 s, for name, proxy and TLS together"),
    key("logstash.ttl", "time, 0s–24h", "`0s`", "Age at which a connection is replaced, for receivers behind a load balancer; `0s` for never"),
    key("logstash.slow_start", "boolean", "`false`", "Whether windows begin with 10 lines, grow with success and shrink with failure"),
    key("logstash.backoff.init", "time, 10ms–1h", "`1s`", "Pause after all receivers have failed; it doubles each time. Not longer than `backoff.max`"),
    key("logstash.backoff.max", "time, 10ms–1h", "`60s`", "Longest pause"),
    host("logstash.tls", "boolean", "true", "`false` sends the logs in the clear"),
    host("logstash.rejectUnauthorized", "boolean", "true", "`false` accepts any certificate of the receiver, from any issuer and with any content"),
    host("logstash.ca", "PEM, or array of PEM", "public roots", "The authorities that may sign the receiver's certificate, instead of the public roots"),
    host("logstash.servername", "name or IP address", "`logstash.host`", "Name that the receiver's certificate must have"),
    host("logstash.cert", "PEM", "none", "Client certificate, with its chain"),
    host("logstash.key", "PEM, or {\"pem\", \"passphrase\"}", "none", "Private key of the client certificate (PKCS#8, PKCS#1 or SEC1). Anybody with the [namespace's API key](tls.md#secrets) can read it if it is a parameter of an action"),
    host("logstash.passphrase", "text", "none", "For an encrypted private key"),
    host("logstash.minVersion", "`TLSv1.2` or `TLSv1.3`", "`TLSv1.2`", "Lowest version of TLS; a lower one counts as `TLSv1.2`"),
    host("logstash.maxVersion", "`TLSv1.2` or `TLSv1.3`", "`TLSv1.3`", "Highest version of TLS"),
    host("logstash.ca_sha256", "fingerprint, or array of them", "none", "One of these CAs must have issued the receiver's certificate, besides all other checks. A fingerprint is SHA-256: of the certificate in hexadecimal, or of its public key in base64"),
    host("logstash.leaf_sha256", "fingerprint, or array of them", "none", "The receiver's certificate must be one of these, besides all other checks; also with `rejectUnauthorized` false"),
    host("logstash.proxy_url", "URL", "none", "The proxy to the receivers: `socks5://user:password@host:1080`, or `http://…` for one that makes tunnels. It resolves their names"),
    host("logstash.proxy_use_local_resolver", "boolean", "`false`", "Whether the forwarder's own host resolves the names of receivers behind a proxy"),
    key("events.shape", "`2017` or `ecs`", "`2017`", "Names and places of the [fields](events.md): those of the Elastic Common Schema, or those of the forwarder of 2017"),
    key("events.namespace", "lower-case name", "`default`", "`ecs`: `data_stream.namespace`, the last part of the data stream's name, up to 100 bytes"),
    key("events.original", "boolean", "`false`", "`ecs`: whether `event.original` holds the log entry as the platform has it"),
    key("events.package", "boolean", "`false`", "`2017`: whether there is a field `package`"),
    key("events.sequence", "boolean", "`false`", "`2017`: whether there is a field `sequence`, the line's number in its activation"),
    key("events.activations", "boolean or `failed`", "`false`", "`ecs`: whether each activation has an [event of its own](events.md#activations), even if it has no lines; `failed` for failed activations only"),
    key("lines.include", "array of regular expressions", "none", "Only lines that one of these matches; applied after `lines.exclude`"),
    key("lines.exclude", "array of regular expressions", "none", "Leaves out lines that one of these matches"),
    key("lines.streams", "`stdout` or `stderr`, or array of them", "both", "Only lines of these streams"),
    key("lines.only", "`failed`", "none", "Only lines of activations that failed"),
    key("lines.multiline", "`auto` or false", "none", "Whether several lines make one event: `auto` knows [stack traces](events.md#several-lines) of the usual languages. Or use the keys below"),
    key("lines.multiline.pattern", "regular expression", "none", "Lines that match belong to another line"),
    key("lines.multiline.negate", "boolean", "`false`", "Instead, lines that do not match belong to another line"),
    key("lines.multiline.match", "`after` or `before`", "`after`", "`after`: they belong to the line before them. `before`: to the line that follows"),
    key("lines.multiline.max_lines", "2–10,000", "500", "Most lines of an event; the rest makes the next one"),
    key("lines.multiline.max_bytes", "1,024–8,388,608", "1048576", "Most bytes of an event's lines; the rest makes the next one"),
    key("lines.json", "boolean", "`false`", "`ecs`: whether lines that are [JSON objects](events.md#json) become fields. Or use the keys below"),
    key("lines.json.message_key", "name", "`message`, `msg` and [others](events.md#json)", "The member that is the message"),
    key("lines.json.target", "name", "`labels`, `numeric_labels`", "The field whose `labels` and `numeric_labels` hold members without a field of their own. It must have no dot, and no name that an event may have at the top, or that Elasticsearch has for itself"),
    key("lines.json.overwrite_keys", "boolean", "`false`", "Whether members may replace the forwarder's own fields, such as `service.name`"),
    key("lines.json.add_error_key", "boolean", "`false`", "Whether `error.message` says why a line that begins with `{` is not read"),
    key("lines.json.expand_keys", "boolean", "`true`", "Whether dots in names mean objects, as ECS loggers write them"),
    key("lines.redact", "array of redactions", "none", "Secrets to make [unreadable](events.md#redaction): `email`, `ip`, `bearer`, `jwt`, `card`, `key`, or `{\"pattern\", \"with\"}`"),
    key("fields", "object", "none", "Fields for each event, in `fields`. No name, and no part of one between dots, may be empty or blank"),
    key("fields_under_root", "boolean", "`false`", "Whether `fields` stand beside the other fields. Then none of them may have a name that an event may have at the top, or that Elasticsearch has for itself, such as `_id`"),
    key("tags", "array of texts", "none", "Tags for each event"),
    key("lookback_minutes", "1–1440", "from the platform's limits; 15 for stock ones", "How long after its start an activation may become visible and still be found. Must be longer than the longest run"),
    key("logs", "`auto`, `record` or `api`", "`auto`", "Where the platform keeps log lines: in the activation records, or in a store of their own. With such a store each activation without lines costs a request (`/logs`). `auto` finds out"),
    key("on_missing_state", "`lookback`, `from` or `fail`", "`lookback`", "What to do when the checkpoint is missing or unreadable: begin with the look-back, begin at `from`, or end with an error. An action knows its first run by its own records; for a command, `fail` makes the first run an error too, so begin with one of the other values"),
    key("checkpoint.store", "`package`, `activation` or `host`", "`package`; `host` with `--state`", "Where the checkpoint is kept: in an annotation of a package; in the results of the forwarder's own activations, if its key may not write packages; or in the file of `--state`"),
    key("checkpoint.package", "name", "`whiskjack.` + own name", "The package that holds the checkpoint; the forwarder creates it if it is missing. The default is `whiskjack.ACTION`, `whiskjack.PACKAGE@ACTION` or, for the command, `whiskjack.cli`"),
    key("api.host", "origin or host, with a path if a gateway has one", "`__OW_API_HOST`", "The OpenWhisk API, if not that of the platform the forwarder runs on"),
    host("api.ca", "PEM, or array of PEM", "public roots", "The authorities that may sign the API's certificate, instead of the public roots"),
    host("api.rejectUnauthorized", "boolean", "true", "`false` accepts any certificate of the API, from any issuer and with any content"),
    host("api.proxy_url", "URL", "from the environment", "The proxy to the API: `http://user:password@host:3128`, `socks5://…` or `socks5h://…`, see [Proxies](tls.md#proxies)"),
    key("monitoring.heartbeat", "boolean", "`false`", "Whether each run sends a [document about itself](events.md#heartbeat): how far it has come, and what it owes"),
    key("log_level", "`info` or `debug`", "`info`", "`info` logs one line a run, `debug` also what each slice did"),
    ignored("payload", "The alarms feed adds it when its payload is a string"),
    ignored("lastModified", "A trigger adds it"),
];

/// The part of [`KEYS`] that programs need: the path of each key, and its reader. The texts are for pages, so they stay out of the programs.
#[allow(clippy::indexing_slicing, reason = "the compiler computes it, and says so if an index is wrong")]
static READERS: [(&str, KeyReader); KEYS.len()] = {
    let mut readers = [("", KeyReader::Ignored); KEYS.len()];
    let mut index = 0;
    while index < KEYS.len() {
        readers[index] = (KEYS[index].path, KEYS[index].reader);
        index += 1;
    }
    readers
};

/// The path of each key, and its form.
#[allow(clippy::indexing_slicing, reason = "the compiler computes it, and says so if an index is wrong")]
static FORMS: [(&str, &str); KEYS.len()] = {
    let mut forms = [("", ""); KEYS.len()];
    let mut index = 0;
    while index < KEYS.len() {
        forms[index] = (KEYS[index].path, KEYS[index].form);
        index += 1;
    }
    forms
};

/// The paths of the keys that are used, and their readers.
pub fn used() -> impl Iterator<Item = (&'static str, KeyReader)> {
    READERS.iter().filter(|(_, reader)| *reader != KeyReader::Ignored).copied()
}

/// Whether there is a key at `path`.
pub fn is_key(path: &str) -> bool {
    READERS.iter().any(|(key, _)| *key == path)
}

/// The form of the key at `path`.
pub fn form(path: &str) -> Option<&'static str> {
    FORMS.iter().find(|(key, _)| *key == path).map(|(_, form)| *form)
}

/// Whether the platform adds the key at `path` by itself.
pub fn is_of_platform(path: &str) -> bool {
    path.starts_with("__")
        || READERS.iter().any(|(key, reader)| *key == path && *reader == KeyReader::Ignored)
}

/// Whether `path` is a group such as `logstash`.
pub fn is_group(path: &str) -> bool {
    READERS.iter().any(|(key, _)| key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_listed_twice() {
        for (index, key) in KEYS.iter().enumerate() {
            assert!(KEYS.iter().skip(index + 1).all(|other| other.path != key.path), "{}", key.path);
        }
    }
}
