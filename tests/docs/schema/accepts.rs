//! The schema's verdict on parameters. The tests of the core and of the host include this file, too: each of their examples is one of the
//! schema's.

use serde_json::Value;
use std::sync::LazyLock;

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../../docs/whiskjack.schema.json")).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
});

/// Faults that a schema cannot find: a part of their remedy, and why.
const BEYOND: &[(&str, &str)] = &[
    ("says port", "two values must be equal"),
    ("is not a regular expression", "its grammar is not one of JSON Schema's"),
    ("matches every line", "it is in the pattern"),
    ("can match nothing", "it is in the pattern"),
    ("the pattern is longer than", "it counts bytes"),
    ("so no line is left", "two values must differ"),
    ("`events.original` would show", "one of many keys, for all or for some actions"),
    ("documents may have a field of this name", "names of one key depend on another"),
    ("Elasticsearch has a field of its own", "names of one key depend on another"),
    ("Elasticsearch refuses a field whose name", "objects in objects and lists, to any depth"),
    ("`fields` has this name, too", "names of one key depend on another"),
    ("has fields for it", "one of many keys, for all or for some actions"),
    ("has such documents", "one of many keys, for all or for some actions"),
    ("give `auto`, or a regular expression", "one of many keys, dotted or not"),
    ("is not later than `from`", "two values are compared"),
    ("longer than `logstash.backoff.max`", "two values are compared"),
    ("shorter than `logstash.backoff.init`", "two values are compared"),
    ("into brackets", "an address has more forms than a pattern should have"),
    ("other than this forwarder", "the forwarder's own name is not in the configuration"),
    ("is in the future", "it depends on the clock"),
    ("longer than 256", "a pattern that counted the bytes of both parts of a name would be unreadable"),
    ("`https://openwhisk.example.com`", "an origin has more forms than a pattern should have"),
    ("too large or too small", "a number in a text"),
    ("holds no certificate", "it is in the PEM text"),
    ("and no certificate", "it is in the PEM text"),
    ("is the name of a file", "it is in the PEM text"),
    ("openssl pkcs7 -print_certs", "it is in the PEM text"),
    ("that was issued for it", "it is in the PEM text"),
    ("decode it once", "it is in the PEM text"),
    ("told not to trust", "it is in the PEM text"),
    ("not readable as PEM", "it is in the PEM text"),
    ("cannot be used", "it is in the certificate"),
    ("holds no private key", "it is in the PEM text"),
    ("not the key of the certificate", "it is in the key and the certificate"),
    ("of a kind that is not supported", "it is in the key"),
    ("which is not supported; convert it", "it is in the key"),
    ("is missing: the key in `logstash.key` is encrypted", "it is in the key"),
    ("does not open the key", "it is in the key"),
];

/// What the schema refuses: the path of each value, as `logstash.port`, and why.
pub(crate) fn refusals(params: &Value) -> Vec<(String, String)> {
    let path = |error: &jsonschema::ValidationError<'_>| {
        error.instance_path().to_string().trim_start_matches('/').replace('/', ".")
    };
    SCHEMA.iter_errors(params).map(|error| (path(&error), error.to_string())).collect()
}

/// Takes these keys out, dotted or nested, and what is below them.
pub(crate) fn remove(params: &mut Value, group: &str, keys: &[&str]) {
    let Value::Object(members) = params else { return };
    let is_one = |path: &str| {
        keys.iter()
            .any(|key| path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    };
    members.retain(|name, _| !is_one(&format!("{group}{name}")));
    for (name, value) in members {
        remove(value, &format!("{group}{name}."), keys);
    }
}

/// The schema takes what is sound, and refuses what has faults, unless it cannot know.
#[track_caller]
pub(crate) fn agrees(params: &Value, remedies: &[String]) {
    let refusals = refusals(params);
    if remedies.is_empty() {
        assert_eq!(refusals, [], "the schema refuses what is sound: {params}");
        return;
    }
    let is_beyond = |remedy: &String| BEYOND.iter().any(|(part, _)| remedy.contains(part));
    assert!(
        !refusals.is_empty() || remedies.iter().all(is_beyond),
        "the schema takes what has faults: {params}\n{remedies:#?}"
    );
}
