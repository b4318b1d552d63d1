//! Keys that people know from other programs, each with ours or with the reason why there is none.

use whiskjack_settings::keys;

/// Why there is no such key.
type Stranger = (&'static str, &'static str);

/// Options of Node's TLS that the forwarder of 2017 passed on, and why they cannot be honoured.
#[rustfmt::skip]
const NODE: &[Stranger] = &[
    ("path", "Unix sockets are not supported: give `logstash.host` and `logstash.port`"),
    ("pfx", "PKCS#12 is not supported: convert it to PEM with `openssl pkcs12 -nodes` and give `logstash.cert` and `logstash.key`"),
    ("ciphers", "the cipher suites are fixed to sound ones: remove it"),
    ("secureProtocol", "give `logstash.minVersion` and `logstash.maxVersion` instead"),
    ("secureOptions", "OpenSSL's options do not exist here: remove it"),
    ("secureContext", "give what it holds as `logstash.ca`, `logstash.cert` and `logstash.key`"),
    ("crl", "revocation lists are not supported: remove it"),
    ("ecdhCurve", "the key exchange is fixed to sound groups: remove it"),
    ("sigalgs", "the signature algorithms are fixed to sound ones: remove it"),
    ("dhparam", "a client has no use for it: remove it"),
    ("honorCipherOrder", "a client has no use for it: remove it"),
    ("sessionIdContext", "a client has no use for it: remove it"),
    ("session", "connections resume by themselves: remove it"),
    ("minDHSize", "finite-field key exchange is never used: remove it"),
    ("ALPNProtocols", "Lumberjack has no ALPN name: remove it"),
    ("checkServerIdentity", "a configuration holds no function: give `logstash.servername` or `logstash.leaf_sha256`"),
    ("family", "all addresses of the name are tried: remove it, or give an IP address as `logstash.host`"),
    ("lookup", "a configuration holds no function: remove it"),
    ("localAddress", "the source address cannot be chosen: remove it"),
    ("localPort", "the source port cannot be chosen: remove it"),
    ("allowHalfOpen", "connections are never half-closed: remove it"),
    ("keepAlive", "connections are watched by the protocol's own signs of life: remove it"),
    ("noDelay", "frames are never held back: remove it"),
    ("enableTrace", "a trace would print secrets: remove it"),
];

/// Keys of Filebeat's and other Beats' Logstash output.
#[rustfmt::skip]
const BEATS: &[Stranger] = &[
    ("ssl", "give the keys of `logstash` that are about TLS: `tls`, `ca`, `cert`, `key`, `servername`, `rejectUnauthorized`"),
    ("ssl.enabled", "give `logstash.tls`: TLS is on unless it is false"),
    ("ssl.certificate_authorities", "give `logstash.ca`: the PEM text itself, not the name of a file"),
    ("ssl.certificate", "give `logstash.cert`: the PEM text itself, not the name of a file"),
    ("ssl.key", "give `logstash.key`: the PEM text itself, not the name of a file"),
    ("ssl.key_passphrase", "give `logstash.passphrase`"),
    ("ssl.key_passphrase_path", "give `logstash.passphrase`: the text itself, not the name of a file"),
    ("ssl.verification_mode", "give `logstash.rejectUnauthorized`: false is `none`; for `certificate` give `logstash.servername`, the name in the certificate"),
    ("ssl.supported_protocols", "give `logstash.minVersion` and `logstash.maxVersion`"),
    ("ssl.cipher_suites", "the cipher suites are fixed to sound ones: remove it"),
    ("ssl.curve_types", "the key exchange is fixed to sound groups: remove it"),
    ("ssl.renegotiation", "TLS is never renegotiated: remove it"),
    ("ssl.ca_sha256", "give `logstash.ca_sha256`"),
    ("ssl.ca_trusted_fingerprint", "give `logstash.leaf_sha256` or `logstash.ca_sha256`, and the CA itself as `logstash.ca`"),
    ("proxy", "give `logstash.proxy_url`"),
    ("index", "Logstash chooses the index: give it in Logstash's output; `[@metadata][beat]` is `whiskjack`"),
    ("queue", "lines that are not acknowledged are owed in the checkpoint, without a queue: remove it"),
    ("username", "Lumberjack has no user names: a client certificate (`logstash.cert`, `logstash.key`) tells the receiver who sends"),
    ("password", "Lumberjack has no passwords: a client certificate (`logstash.cert`, `logstash.key`) tells the receiver who sends"),
    ("api_key", "Lumberjack has no API keys: a client certificate (`logstash.cert`, `logstash.key`) tells the receiver who sends"),
    ("escape_html", "lines are never changed: remove it"),
    ("enabled", "the only output is always on: remove it"),
    ("max_retries", "a line is sent until it is acknowledged: remove it"),
    ("codec", "events are JSON, as the `beats` input wants them: remove it"),
    ("workers", "give `logstash.worker`"),
    ("load_balance", "give `logstash.loadbalance`"),
    ("save_topology", "Beats dropped it, too: remove it"),
];

/// Keys of Logstash's own plugins (`beats`, `lumberjack`, `tcp`), of the Logstash Forwarder of 2014, and of loggers for Node and Python.
#[rustfmt::skip]
const LOGSTASH: &[Stranger] = &[
    ("ssl_enabled", "give `logstash.tls`: TLS is on unless it is false"),
    ("ssl_enable", "give `logstash.tls`: TLS is on unless it is false"),
    ("use_tls", "give `logstash.tls`: TLS is on unless it is false"),
    ("secure", "give `logstash.tls`: TLS is on unless it is false"),
    ("ssl_certificate_authorities", "give `logstash.ca`: the PEM text itself, not the name of a file"),
    ("ssl_cacert", "give `logstash.ca`: the PEM text itself, not the name of a file"),
    ("ssl_certificate", "give the receiver's own or its CA's certificate as `logstash.ca`, a client certificate as `logstash.cert`: the PEM text itself"),
    ("ssl_cert", "give `logstash.cert`: the PEM text itself, not the name of a file"),
    ("ssl_key", "give `logstash.key`: the PEM text itself, not the name of a file"),
    ("ssl_key_passphrase", "give `logstash.passphrase`"),
    ("ssl_passphrase", "give `logstash.passphrase`"),
    ("ssl_verify", "give `logstash.rejectUnauthorized`"),
    ("ssl_verify_mode", "it is for the receiver to say whether it asks for a certificate; give `logstash.rejectUnauthorized` for ours"),
    ("ssl_verification_mode", "give `logstash.rejectUnauthorized`"),
    ("verify_mode", "give `logstash.rejectUnauthorized`"),
    ("ssl_client_authentication", "it is for the receiver to say whether it asks for a certificate; give `logstash.cert` and `logstash.key`"),
    ("ssl_supported_protocols", "give `logstash.minVersion` and `logstash.maxVersion`"),
    ("tls_min_version", "give `logstash.minVersion`"),
    ("tls_max_version", "give `logstash.maxVersion`"),
    ("ssl_cipher_suites", "the cipher suites are fixed to sound ones: remove it"),
    ("cipher_suites", "the cipher suites are fixed to sound ones: remove it"),
    ("client_inactivity_timeout", "it is the receiver's: give it to Logstash's input"),
    ("flush_size", "give `logstash.bulk_max_size`"),
    ("idle_flush_time", "a window is sent as soon as there are lines: remove it"),
    ("max_connect_retries", "a line is sent until it is acknowledged: remove it"),
    ("servers", "give `logstash.hosts`"),
    ("addresses", "give `logstash.hosts`"),
    ("server", "give `logstash.host` and `logstash.port`"),
    ("address", "give `logstash.host` and `logstash.port`"),
    ("hostname", "give `logstash.host`"),
    ("url", "give `logstash.host` and `logstash.port`"),
    ("uri", "give `logstash.host` and `logstash.port`"),
    ("window", "give `logstash.bulk_max_size`"),
    ("window_size", "give `logstash.bulk_max_size`"),
    ("batch_size", "give `logstash.bulk_max_size`"),
    ("insecure", "give `logstash.rejectUnauthorized` for a certificate that cannot be verified, `logstash.tls` for no TLS"),
    ("verify", "give `logstash.rejectUnauthorized`"),
    ("sni", "give `logstash.servername`"),
    ("certificate", "give `logstash.cert`"),
    ("private_key", "give `logstash.key`"),
    ("compression", "give `logstash.compression_level`"),
];

/// Keys that only stand outside `logstash`.
#[rustfmt::skip]
const OUTSIDE: &[Stranger] = &[
    ("output", "give the keys of `output.logstash` below `logstash`"),
    ("output.logstash", "give the keys of `output.logstash` below `logstash`"),
    ("network", "give `logstash.hosts`, and the keys of `logstash` that are about TLS"),
    ("filebeat", "there is nothing to read but activations: give `actions`"),
    ("inputs", "there is nothing to read but activations: give `actions`"),
    ("files", "there is nothing to read but activations: give `actions`"),
    ("path", "there are no files of its own: remove it"),
    ("include_lines", "give `lines.include`"),
    ("exclude_lines", "give `lines.exclude`"),
    ("multiline", "give `lines.multiline`"),
    ("json", "give `lines.json`"),
    ("lines.multiline.timeout", "an activation's lines are read together, so none has to wait for the next one: remove it"),
    ("lines.multiline.flush_pattern", "the next line that does not belong to an event ends it: remove it"),
    ("lines.multiline.count_lines", "give `lines.multiline.pattern`, or `lines.multiline` as `auto`"),
    ("lines.multiline.type", "give `lines.multiline.pattern`, or `lines.multiline` as `auto`"),
    ("lines.multiline.skip_newline", "lines are always joined by line feeds: remove it"),
    ("lines.json.keys_under_root", "members that the schema knows always stand at the root, all others in `labels` or `lines.json.target`: remove it"),
    ("lines.json.document_id", "the id is that of the line, so that a line that comes again does not make another document: remove it"),
    ("lines.json.ignore_decoding_error", "a line that is not JSON stays a line, and nothing is logged of it: remove it"),
    ("parsers", "give `lines.multiline` and `lines.json`"),
    ("ndjson", "give `lines.json`"),
    ("ecs", "give `events.shape`: `ecs`"),
    ("shape", "give `events.shape`"),
    ("redact", "give `lines.redact`"),
    ("data_stream", "give `events.namespace`; the data stream is `logs-openwhisk.log-NAMESPACE`, and Logstash's output can choose another one"),
    ("processors", "give `lines.exclude`, `lines.json`, `lines.redact`, `fields` or `tags`; all else is for Logstash's filters"),
    ("type", "give `fields` or `tags`"),
    ("name", "give `fields` or `tags`; with `events.shape` `ecs`, `agent.name` is the forwarder's own name"),
    ("logging", "give `log_level`"),
    ("log.level", "give `log_level`"),
    ("debug", "give `log_level`"),
    ("verbose", "give `log_level`"),
    ("setup", "it sets Elasticsearch up, which this forwarder does not reach: remove it"),
    ("monitoring", "the result of each run tells what was done: remove it"),
    ("cloud", "the receiver is Logstash: give `logstash.host`"),
    ("elasticsearch", "the receiver is Logstash: give `logstash.host`"),
    ("action", "give `actions`, an array"),
    ("lookback", "give `lookback_minutes`"),
    ("since", "give `from`"),
    ("start", "give `from`"),
    ("upto", "lines are forwarded up to now: remove it"),
    ("namespace", "the API key says which namespace it is: remove it"),
    ("api_key", "the API key comes from the platform (`__OW_API_KEY`), never from the configuration: remove it"),
    ("auth", "the API key comes from the platform (`__OW_API_KEY`), never from the configuration: remove it"),
    ("api.key", "the API key comes from the platform (`__OW_API_KEY`), never from the configuration: remove it"),
    ("api.auth", "the API key comes from the platform (`__OW_API_KEY`), never from the configuration: remove it"),
    ("api.api_key", "the API key comes from the platform (`__OW_API_KEY`), never from the configuration: remove it"),
    ("apihost", "give `api.host`"),
    ("api_host", "give `api.host`"),
    ("api.url", "give `api.host`"),
    ("proxy", "give `api.proxy_url` for the API, `logstash.proxy_url` for receivers"),
    ("http_proxy", "give `api.proxy_url` for the API, `logstash.proxy_url` for receivers"),
    ("https_proxy", "give `api.proxy_url` for the API, `logstash.proxy_url` for receivers"),
    ("all_proxy", "give `api.proxy_url` for the API, `logstash.proxy_url` for receivers"),
    ("api.proxy", "give `api.proxy_url`"),
    ("api.insecure", "give `api.rejectUnauthorized`"),
    ("ignore_certs", "give `api.rejectUnauthorized`"),
    ("cron", "it is the alarm's: give it to the trigger, not to the action"),
    ("trigger_payload", "it is the alarm's: give it to the trigger, not to the action"),
    ("timezone", "it is the alarm's: give it to the trigger, not to the action"),
    ("startDate", "it is the alarm's: give it to the trigger, not to the action"),
    ("stopDate", "it is the alarm's: give it to the trigger, not to the action"),
];

/// Why the key at `path` is not allowed, with the key that is meant.
pub(super) fn why_unknown(path: &str) -> String {
    if let Some(remedy) = of(path) {
        return remedy.into();
    }
    match meant(path) {
        Some(known) => format!("there is no such key; did you mean `{known}`?"),
        None => "there is no such key: remove it; docs/configuration.md lists all keys".into(),
    }
}

/// Why the key at `path` is not known from elsewhere: what to do instead. `None` if it is not a stranger that anybody brings along.
fn of(path: &str) -> Option<&'static str> {
    let in_logstash = path.strip_prefix("logstash.");
    let outside = if in_logstash.is_none() { OUTSIDE } else { &[] };
    // Some write without the group what belongs into it.
    let name = in_logstash.unwrap_or(path);
    let listed = |name: &str| {
        outside.iter().chain(NODE).chain(BEATS).chain(LOGSTASH).find(|(known, _)| *known == name)
    };
    // What is deeper is told about by its group.
    std::iter::successors(Some(name), |name| name.rsplit_once('.').map(|(group, _)| group))
        .find_map(listed)
        .map(|(_, remedy)| *remedy)
}

/// Whether there is more to say about the keys in the stranger at `path`, one by one.
pub(super) fn is_group(path: &str) -> bool {
    let name = path.strip_prefix("logstash.").unwrap_or(path);
    BEATS
        .iter()
        .chain(OUTSIDE)
        .any(|(known, _)| known.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// The key that somebody meant who wrote `path`: one of that name elsewhere, or one that differs by a typing error.
pub(super) fn meant(path: &str) -> Option<&'static str> {
    let (group, name) = path.rsplit_once('.').unwrap_or(("", path));
    let name = plain(name);
    let known = keys::used().flat_map(|(path, _)| {
        std::iter::successors(Some(path), |path| path.rsplit_once('.').map(|(group, _)| group))
    });
    let near = known.filter_map(|known| {
        let (place, last) = known.rsplit_once('.').unwrap_or(("", known));
        let last = plain(last);
        let letters = distance(&name, &last);
        let elsewhere = place != group;
        // A typing error changes a letter in four at most, and in another group the name must be right.
        let most = if elsewhere { 0 } else { (last.len() + 1) / 4 };
        (letters <= most).then_some((elsewhere, letters, known))
    });
    near.min_by_key(|(elsewhere, letters, _)| (*elsewhere, *letters)).map(|(_, _, known)| known)
}

/// A name without what differs between the ways to write one: `reject_unauthorized`, `rejectUnauthorized`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !"_- ".contains(*c)).map(|c| c.to_ascii_lowercase()).collect()
}

/// How many letters to change, add, leave out or swap with their neighbour (Damerau's distance).
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (index, letter) in a.chars().enumerate() {
        let mut row = vec![index + 1];
        for (column, other) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let replaced = at(&above, column) + usize::from(letter != *other);
            let mut best = replaced.min(at(&above, column + 1) + 1).min(at(&row, column) + 1);
            if let Some(two_back) = column.checked_sub(1)
                && last == Some(*other)
                && b.get(two_back) == Some(&letter)
                && let Some(swapped) = before.get(two_back)
            {
                best = best.min(swapped + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
        last = Some(letter);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_letters_to_change() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("prot", "port", 1),
            ("action", "actions", 1),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn only_a_likely_typing_error_has_a_similar_key() {
        for (path, key) in [
            ("logstash.prot", "logstash.port"),
            ("logstash.hoost", "logstash.host"),
            ("logstash.reject_unauthorised", "logstash.rejectUnauthorized"),
            ("logstash.server_name", "logstash.servername"),
            ("Logstash", "logstash"),
            ("logstsah", "logstash"),
            ("actoins", "actions"),
            ("log.level", "log_level"),
            // The right name in another place.
            ("host", "logstash.host"),
            ("backoff", "logstash.backoff"),
            ("logstash.init", "logstash.backoff.init"),
            ("logstash.actions", "actions"),
        ] {
            let meant = if path == "log.level" { of(path).map(|_| key) } else { meant(path) };
            assert_eq!(meant, Some(key), "{path}");
        }
        for path in [
            "logstash.ssl",
            "logstash.queue",
            "logstash.index",
            "zzz",
            "logstash.url",
            "logstash.cn",
            "a",
            "tll",
        ] {
            assert_eq!(meant(path), None, "{path}");
        }
    }

    #[test]
    fn every_stranger_has_a_remedy_that_names_only_keys_that_exist() {
        for (list, at) in [(NODE, "logstash."), (BEATS, "logstash."), (LOGSTASH, "logstash."), (OUTSIDE, "")]
        {
            for (name, remedy) in list {
                let path = format!("{at}{name}");
                assert!(!keys::is_key(&path), "{path} is a key");
                assert_eq!(of(&path), Some(*remedy), "{path} is listed twice");
                for named in remedy
                    .split('`')
                    .skip(1)
                    .step_by(2)
                    .filter(|named| named.starts_with("logstash.") || named.starts_with("api."))
                {
                    assert!(keys::is_key(named), "{path}: {named}");
                }
            }
        }
    }
}
